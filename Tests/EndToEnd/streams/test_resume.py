"""A client that lost its connection comes back for the rest of its stream, and gets exactly that."""
import json
import threading
from types import SimpleNamespace

import pytest

from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.sockets import longest_send_buffer
from harness.addresses import LOOPS, connect, endless, feedback, numbers, state
from harness.waiting import eventually, level
from harness.weir import route

SIZE = 1000
FAST = {"rate": "{ default: 200/second }", "resume_window": "20s", "buffer": "{ default: 100, max_bytes: 1MiB }"}
# Keeps what is sent in some seconds, for a client that a busy machine delays.
ROOMY = {"buffer": "{ default: 1000, max: 1000, max_bytes: 1MiB }"}
both_loops = pytest.mark.parametrize("where", LOOPS)


@pytest.fixture
def begin(weir, origin, client):
    """Opens a stream on a weir of two loops."""
    def open_stream(*fields, script=None, receive_buffer=None, top=None, **keys):
        upstream = origin(script or endless(), send_buffer=16 << 10)
        proxy = weir(route(upstream.url, **{**FAST, "upstream_receive_buffer": "16KiB", **keys}), workers=2,
                     **{"shutdown_grace": "0s", **(top or {})})
        reading = client(proxy, receive_buffer=receive_buffer)
        response = reading.get("/orders", *fields)
        assert response.status == 200
        return SimpleNamespace(upstream=upstream, proxy=proxy, reading=reading, response=response,
                               records=response.records(), id=response.head["X-Stream-Id"],
                               # On the stream's own loop, so that later ones can be placed relative to it.
                               beside=connect(client, proxy, "same", beside=reading))
    return open_stream


def in_two_parts(more, first, second):
    """A script: sends a first number of records, and a second one and the end when `more` is set."""
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(count=first)
        assert more.wait(60)
        peer.send_records(first=first + 1, count=second)
        peer.send(LAST_CHUNK)
    return script


def ask(connection, stream, after, *fields):
    return connection.get("/orders", f"X-Stream-Resume: {stream}; after={after}", *fields)


def lose(stream):
    """The client's connection is gone, and weir has noticed."""
    stream.reading.close()
    eventually(lambda: state(stream.beside, stream.id)["state"] == "resumable", "a stream without a client")


@both_loops
def test_the_rest_comes_without_a_gap_or_a_duplicate(begin, client, where):
    more = threading.Event()
    stream = begin(script=in_two_parts(more, 60, 240))
    assert numbers(stream.records, 40) == list(range(1, 41))
    lose(stream)
    response = ask(connect(client, stream.proxy, where, beside=stream.beside), stream.id, 40)
    assert response.status == 200
    assert response.head["X-Stream-Id"] == stream.id
    more.set()
    assert response.head["Content-Type"] == "application/x-ndjson"
    assert [each.number for each in response.records()] == list(range(41, 301))
    assert response.complete
    line = stream.proxy.logged(id=stream.id)
    assert (line["reason"], line["records"], line["resumptions"]) == ("completed", 300, 1)
    assert len(stream.upstream.heads) == 1


@both_loops
def test_a_client_may_have_received_less_than_was_sent(begin, client, where):
    """All of the buffer holds what was sent, while the upstream has nothing more."""
    more = threading.Event()
    stream = begin(script=in_two_parts(more, 60, 140))
    try:
        assert numbers(stream.records, 60) == list(range(1, 61))
        lose(stream)
        more.set()
        response = ask(connect(client, stream.proxy, where, beside=stream.beside), stream.id, 45)
        assert [each.number for each in response.records()] == list(range(46, 201))
        assert response.complete
    finally:
        more.set()


@both_loops
def test_half_of_the_buffer_is_kept_although_the_upstream_could_fill_all_of_it(begin, client, where):
    stream = begin("X-Stream-Rate-Limit: 1/hour", rate="{ default: 200/second, max: 200/second }")
    eventually(lambda: state(stream.beside, stream.id)["queued"] >= 50, "a full queue")
    feedback(stream.beside, stream.id, request=59, rate="200/second")
    assert numbers(stream.records, 60) == list(range(1, 61))
    lose(stream)
    records = ask(connect(client, stream.proxy, where, beside=stream.beside), stream.id, 30).records()
    feedback(stream.beside, stream.id, request=1000)
    assert numbers(records, 100) == list(range(31, 131))


@both_loops
def test_a_client_may_resume_again_and_again(begin, client, where):
    more = threading.Event()
    stream = begin("TE: trailers", "Connection: TE", script=in_two_parts(more, 200, 200), **ROOMY)
    got = numbers(stream.records, 10)
    for _ in range(6):
        lose(stream)
        stream.reading = connect(client, stream.proxy, where, beside=stream.beside)
        response = ask(stream.reading, stream.id, len(got), "TE: trailers", "Connection: TE")
        stream.records = response.records()
        got += numbers(stream.records, 10)
    more.set()
    got += [each.number for each in stream.records]
    assert got == list(range(1, 401))
    assert response.complete
    assert response.trailers == [("X-Stream-Status", "complete"), ("X-Stream-Items", "400")]
    assert stream.proxy.logged(id=stream.id)["resumptions"] == 6


@both_loops
def test_a_resumption_takes_the_stream_from_an_open_connection(begin, client, where):
    stream = begin(**ROOMY)
    assert numbers(stream.records, 20) == list(range(1, 21))
    response = ask(connect(client, stream.proxy, where, beside=stream.beside), stream.id, 20)
    records = response.records()
    assert numbers(records, 50) == list(range(21, 71))
    rest = [each.number for each in stream.records]
    assert stream.response.complete is False
    assert rest == list(range(21, 21 + len(rest)))
    assert next(records).number == 71  # the old connection's end was not the stream's


@both_loops
def test_a_stream_whose_end_is_under_way_on_a_dead_connection_ends_on_the_new_one(begin, client, where):
    """The last record is larger than what the kernel holds, so that weir cannot write it and the end of the stream.

    It has no newline, and becomes a record by the upstream's end: once it is counted, the end is on its way.
    """
    total, got = 50, 20
    last = record(total, 2 * longest_send_buffer()).rstrip()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(count=total - 1)
        peer.send(chunk(last) + LAST_CHUNK)

    sizes = f"max_bytes: {4 * len(last)}, max_record_bytes: {2 * len(last)}"
    stream = begin(script=script, receive_buffer=4096, buffer=f"{{ default: 1000, max: 1000, {sizes} }}", stall_timeout="off",
                   top={"limits": f"{{ max_buffer_bytes: {16 * len(last)} }}"})
    assert numbers(stream.records, got) == list(range(1, got + 1))
    talking = connect(client, stream.proxy, where, beside=stream.beside)
    eventually(lambda: state(talking, stream.id)["records"] == total, "the upstream's end")
    response = ask(talking, stream.id, got)
    assert [each.number for each in response.records()] == list(range(got + 1, total + 1))
    assert response.complete
    assert stream.proxy.logged(id=stream.id)["reason"] == "completed"


def test_credit_is_not_spent_on_what_was_not_received(begin, client):
    stream = begin("X-Stream-Rate-Limit: 1/hour", rate="{ default: 200/second, max: 200/second }")
    feedback(stream.beside, stream.id, request=30, rate="200/second")
    sent = level(lambda: state(stream.beside, stream.id)["records"], "the records sent", still=0.5)
    lose(stream)
    records = ask(client(stream.proxy), stream.id, sent - 10).records()
    assert numbers(records, 10) == list(range(sent - 9, sent + 1))
    seen = state(stream.beside, stream.id)
    assert (seen["records"], seen["credit"]) == (sent, 0)
    feedback(stream.beside, stream.id, request=2)
    assert numbers(records, 2) == [sent + 1, sent + 2]


@both_loops
def test_an_impossible_resumption_is_refused_and_the_stream_stays_resumable(begin, client, where):
    stream = begin(buffer="{ default: 20 }")
    assert numbers(stream.records, 100) == list(range(1, 101))
    lose(stream)
    coming = connect(client, stream.proxy, where, beside=stream.beside)
    sent = state(coming, stream.id)["records"]
    assert "X-Stream-Resume" in problem(ask(coming, stream.id, sent + 1), 400, "invalid-request")["detail"]
    first = problem(ask(coming, stream.id, 1), 410, "gone")["from"]
    assert sent - 20 <= first <= sent + 1
    if first > 1:
        assert problem(ask(coming, stream.id, first - 2), 410, "gone")["from"] == first
    assert numbers(ask(coming, stream.id, first - 1).records(), 100) == list(range(first, first + 100))


def test_malformed_and_unknown_resumptions_are_refused(begin, client):
    stream = begin()
    next(stream.records)
    for value in [stream.id, f"{stream.id}; after=", f"{stream.id}; after=-1", f"{stream.id}; after=1; x",
                  "me; after=1", f"{stream.id} after=1"]:
        response = stream.beside.get("/orders", f"X-Stream-Resume: {value}")
        assert "X-Stream-Resume" in problem(response, 400, "invalid-request")["detail"]
    twice = f"X-Stream-Resume: {stream.id}; after=1"
    problem(stream.beside.get("/orders", twice, twice), 400, "invalid-request")
    problem(ask(stream.beside, "0" * 32, 1), 404, "not-found")
    assert next(stream.records).number == 2
    assert len(stream.upstream.heads) == 1


@both_loops
def test_where_it_is_off_a_lost_stream_is_over(begin, client, where):
    stream = begin(resume_window="off")
    next(stream.records)
    coming = connect(client, stream.proxy, where, beside=stream.beside)
    problem(ask(coming, stream.id, 1), 410, "gone")
    stream.reading.close()
    assert stream.proxy.logged(id=stream.id)["reason"] == "client_gone"
    problem(ask(coming, stream.id, 1), 404, "not-found")


@both_loops
def test_a_client_that_returns_too_late_has_lost_the_stream(begin, client, where):
    other = "X-Api-Key: other"
    stream = begin(resume_window="3s", streams="{ per_route: 1 }", client_key="{ header: X-Api-Key }")
    numbers(stream.records, 5)
    lose(stream)
    problem(stream.beside.get("/orders", other), 429, "too-many-streams")  # it keeps its slot as long as it may come back
    assert stream.proxy.logged(id=stream.id)["reason"] == "client_gone"
    coming = connect(client, stream.proxy, where, beside=stream.beside)
    problem(ask(coming, stream.id, 5), 410, "gone")
    eventually(lambda: stream.upstream.peers[0].gone, "the upstream's connection closed")
    assert next(coming.get("/orders", other).records()).number == 1


def test_the_bound_of_the_buffer_holds_while_no_client_reads(begin, client):
    stream = begin(script=endless(SIZE), buffer="{ default: 50 }", upstream_receive_buffer="16KiB")
    numbers(stream.records, 10)
    lose(stream)
    seen = state(stream.beside, stream.id)
    sent = level(lambda: stream.upstream.sent, "what the origin has sent")
    # One read of libcurl's and the kernel's buffers on both sides come on top of the queue.
    assert sent <= (seen["records"] + 50) * (SIZE + 8) + (200 << 10)
    # Between its marks, and what came with the record that filled it.
    assert 12 <= state(stream.beside, stream.id)["queued"] < 50 + 40
    first = seen["records"]
    assert numbers(ask(client(stream.proxy), stream.id, first).records(), 200) == list(range(first + 1, first + 201))


def test_what_a_dropping_stream_loses_meanwhile_is_counted(begin, client):
    more, done = threading.Event(), threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(count=10)
        assert more.wait(60)
        peer.send_records(first=11, count=90)
        assert done.wait(60)
        peer.send_records(first=101, count=1)
        peer.send(LAST_CHUNK)

    stream = begin(script=script, overflow="drop_oldest", buffer="{ default: 20 }")
    try:
        assert numbers(stream.records, 10) == list(range(1, 11))
        lose(stream)
        more.set()
        # Half of the buffer is the queue's.
        eventually(lambda: state(stream.beside, stream.id)["dropped"] >= 80, "records dropped")
        dropped = state(stream.beside, stream.id)["dropped"]
        done.set()
        response = ask(client(stream.proxy), stream.id, 10, "TE: trailers", "Connection: TE")
        got = [each.number for each in response.records()]
        assert dropped <= 91 - len(got) <= dropped + 1
        assert got == list(range(102 - len(got), 102))  # the newest, and nothing twice
        assert stream.proxy.logged(id=stream.id)["dropped"] == 91 - len(got)
    finally:
        more.set()
        done.set()


def test_a_loss_whose_report_may_not_have_arrived_is_reported_again(begin, client):
    over = threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(count=100)
        assert over.wait(60)

    stream = begin("Prefer: stream-notices", script=script, overflow="drop_oldest", buffer="{ default: 20 }",
                   rate="{ default: 20/second }")

    def through_a_notice(response):
        """The records before the first notice, and that."""
        body = b""
        for part in response.parts():
            body += part
            before, mark, after = body.partition(b'{"type"')
            if mark and b"\n" in after:
                return before.count(b"\n"), json.loads(mark + after.split(b"\n")[0])

    try:
        received, notice = through_a_notice(stream.response)
        assert notice["type"].endswith("records-dropped") and received >= 1
        lose(stream)
        again = ask(client(stream.proxy), stream.id, received, "Prefer: stream-notices")
        repeated = through_a_notice(again)
        assert repeated[0] == 0 and repeated[1]["records"] >= notice["records"]
    finally:
        over.set()


def test_another_method_resumes_nothing(begin):
    stream = begin()
    next(stream.records)
    assert stream.beside.get("/orders", f"X-Stream-Resume: {stream.id}; after=1", method="HEAD").status in (404, 409, 410)
    assert next(stream.records).number == 2


def test_a_deleted_stream_cannot_be_resumed(begin, client):
    stream = begin()
    numbers(stream.records, 5)
    lose(stream)
    assert stream.beside.get(f"/v1/streams/{stream.id}", method="DELETE").json()["state"] == "ended"
    assert stream.proxy.logged(id=stream.id)["reason"] == "cancelled"
    problem(ask(stream.beside, stream.id, 5), 404, "not-found")
    eventually(lambda: stream.upstream.peers[0].gone, "the upstream's connection closed")


@both_loops
def test_a_stream_without_its_client_gives_its_slot_to_the_clients_next_start(begin, client, where):
    stream = begin(streams="{ per_client: 1 }")
    problem(stream.beside.get("/orders"), 429, "too-many-streams")  # while it is read
    lose(stream)
    again = connect(client, stream.proxy, where, beside=stream.beside)
    response = again.get("/orders")
    assert response.status == 200 and response.head["X-Stream-Id"] != stream.id
    assert stream.proxy.logged(id=stream.id)["reason"] == "client_gone"
    problem(stream.beside.get(f"/v1/streams/{stream.id}"), 410, "gone")
    problem(ask(stream.beside, stream.id, 1), 410, "gone")
    problem(stream.beside.get("/orders"), 429, "too-many-streams")  # the slot is taken again
    again.close()
    eventually(lambda: state(stream.beside, response.head["X-Stream-Id"])["state"] == "resumable", "the next one waits")
    assert connect(client, stream.proxy, where, beside=stream.beside).get("/orders").status == 200


def test_a_stream_that_is_resumed_keeps_its_slot(begin, client):
    stream = begin(streams="{ per_client: 1 }", **ROOMY)
    numbers(stream.records, 5)
    lose(stream)
    back = client(stream.proxy)
    assert ask(back, stream.id, 5).status == 200
    problem(stream.beside.get("/orders"), 429, "too-many-streams")


def test_another_client_gets_the_time_until_the_slot_is_free(begin):
    stream = begin("X-Api-Key: one", streams="{ per_route: 1 }", client_key="{ header: X-Api-Key }")
    lose(stream)
    refusal = problem(stream.beside.get("/orders", "X-Api-Key: two"), 429, "too-many-streams")
    assert 10 < refusal["retryAfter"] <= 20
    assert stream.beside.get("/orders", "X-Api-Key: one").status == 200
