"""`Prefer: respond-async`: rather a place to fetch the stream from than a refusal or a long wait."""
import threading
from types import SimpleNamespace

import pytest

from harness.problems import problem
from harness.scripted_origin import STREAM_HEAD, answers
from harness.addresses import LOOPS, NDJSON, connect, feedback, numbered, numbers, state
from harness.waiting import eventually, level
from harness.weir import route

ASYNC = "Prefer: respond-async"
AT_ONCE = "Prefer: respond-async, wait=0"
both_loops = pytest.mark.parametrize("where", LOOPS)


class Gate:
    """An origin's script that answers on demand."""

    def __init__(self, answer=numbered(10), goes_on=False):
        self.answer, self.goes_on, self.opened = answer, goes_on, threading.Event()

    def __call__(self, peer):
        while peer.read_head():
            assert self.opened.wait(60)
            peer.send(self.answer)
            if self.goes_on:
                peer.send_records()


@pytest.fixture
def gated():
    """Scripts that wait; at the test's end, none of them does."""
    made = []

    def make(*args, **options):
        made.append(Gate(*args, **options))
        return made[-1]

    yield make
    for gate in made:
        gate.opened.set()


@pytest.fixture
def start(weir, origin, gated):
    """A weir of two loops before an upstream that waits for `gate.opened`."""
    def run(gate=None, top=None, **keys):
        gate = gate or gated()
        upstream = origin(gate)
        proxy = weir(route(upstream.url, **{"async_wait": "100ms", **keys}), workers=2,
                     **{"shutdown_grace": "0s", **(top or {})})
        return SimpleNamespace(gate=gate, upstream=upstream, proxy=proxy)
    return run


def promise(connection, *fields):
    """Asks, and is promised the answer for later; returns the stream's id."""
    response = connection.get("/orders", *(fields or [AT_ONCE]))
    seen = response.json()
    assert response.status == 202, seen
    assert response.head["Location"] == f"/v1/streams/{seen['id']}"
    assert response.head["Preference-Applied"] == "respond-async"
    assert response.head["Vary"] == "Prefer"
    assert response.head["X-Stream-Id"] == seen["id"]
    assert int(response.head["Retry-After"]) >= 1
    return seen["id"]


def attach(connection, stream):
    return connection.get(f"/v1/streams/{stream}", NDJSON)


def ready(connection, stream):
    eventually(lambda: state(connection, stream)["state"] == "ready", "a stream that can be fetched")


def test_what_is_ready_at_once_is_answered_at_once(start, client):
    run = start(async_wait="30s")
    run.gate.opened.set()
    response = client(run.proxy).get("/orders", ASYNC)
    assert response.status == 200
    assert [each.number for each in response.records()] == list(range(1, 11))
    assert response.complete


@both_loops
@pytest.mark.parametrize("fields", [[ASYNC], ["Prefer: respond-async, wait=1"]], ids=["async_wait", "wait"])
def test_a_slow_answer_is_promised_and_can_be_fetched(start, client, where, fields):
    run = start(async_wait="100ms" if fields == [ASYNC] else "5m")
    asking = client(run.proxy)
    stream = promise(asking, *fields)
    fetching = connect(client, run.proxy, where, beside=asking)
    poll = attach(fetching, stream)
    assert (poll.status, poll.json()["state"]) == (202, "pending")
    assert int(poll.head["Retry-After"]) >= 1
    assert poll.head["Location"] == f"/v1/streams/{stream}"
    run.gate.opened.set()
    ready(fetching, stream)
    look = fetching.get(f"/v1/streams/{stream}", "Accept: */*")
    assert (look.status, look.json()["state"]) == (200, "ready")
    response = attach(fetching, stream)
    assert response.status == 200
    assert response.head["X-Stream-Id"] == stream
    assert response.head["Content-Type"] == "application/x-ndjson"
    assert [each.number for each in response.records()] == list(range(1, 11))
    assert response.complete
    line = run.proxy.logged(id=stream)
    assert (line["status"], line["reason"], line["records"]) == (200, "completed", 10)
    problem(attach(asking, stream), 404, "not-found")  # that connection has lived on
    assert len(run.upstream.heads) == 1


@both_loops
def test_feedback_on_what_has_not_begun_holds_from_its_begin(start, client, gated, where):
    run = start(gated(STREAM_HEAD, goes_on=True), rate="{ default: 100/second }")
    asking = client(run.proxy)
    stream = promise(asking)
    talking = connect(client, run.proxy, where, beside=asking)
    seen = feedback(talking, stream, rate="50/second", request=3, bufferSize=7)
    assert (seen["state"], seen["rate"], seen["credit"], seen["bufferSize"]) == ("pending", "50/second", 3, 7)
    run.gate.opened.set()
    ready(talking, stream)
    records = attach(client(run.proxy), stream).records()
    assert numbers(records, 3) == [1, 2, 3]
    assert level(lambda: state(talking, stream)["records"], "the records sent", still=0.5) == 3
    seen = feedback(talking, stream, request=100)
    assert (seen["rate"], seen["bufferSize"]) == ("50/second", 7)
    assert numbers(records, 100) == list(range(4, 104))


@both_loops
def test_without_a_slot_the_stream_begins_when_one_is_free(start, client, gated, where):
    run = start(gated(STREAM_HEAD, goes_on=True), streams="{ per_client: 1 }")
    run.gate.opened.set()
    first = client(run.proxy)
    running = first.get("/orders")
    assert running.status == 200
    problem(client(run.proxy).get("/orders"), 429, "too-many-streams")
    asking = connect(client, run.proxy, where, beside=first)
    stream = promise(asking, ASYNC)
    assert state(asking, stream)["state"] == "waiting"
    assert level(lambda: len(run.upstream.heads), "requests at the origin", still=0.5) == 1
    first.close()
    ready(asking, stream)
    assert len(run.upstream.heads) == 2
    assert numbers(attach(asking, stream).records(), 20) == list(range(1, 21))
    problem(client(run.proxy).get("/orders"), 429, "too-many-streams")  # it holds the slot
    asking.close()
    eventually(lambda: client(run.proxy).get("/orders").status == 200, "the slot free again")


def test_without_a_start_left_the_stream_begins_when_there_is_one(start, client):
    run = start(streams="{ starts: 20/minute, starts_burst: 1 }")
    run.gate.opened.set()
    assert client(run.proxy).get("/orders").status == 200
    asking = client(run.proxy)
    stream = promise(asking, ASYNC)
    ready(asking, stream)
    assert [each.number for each in attach(asking, stream).records()] == list(range(1, 11))


def test_an_open_breaker_refuses_all_the_same(start, client, gated):
    run = start(gated(STREAM_HEAD, goes_on=True), stall_timeout="300ms", breaker="{ trips: 1, cooldown: 60s }")
    run.gate.opened.set()
    client(run.proxy, receive_buffer=4096).ask("/orders")
    run.proxy.logged(reason="slow_consumer")
    problem(client(run.proxy).get("/orders", ASYNC), 429, "slow-consumer")


@both_loops
@pytest.mark.parametrize("cause, status, kind", [
    ("hangs up", 502, "bad-upstream"), ("is no HTTP", 502, "bad-upstream"), ("is silent", 504, "upstream-timeout")])
def test_a_failure_before_the_head_is_reported_to_the_client_that_fetches_the_stream(
        start, client, gated, where, cause, status, kind):
    class Fails(Gate):
        def __call__(self, peer):
            peer.read_head()
            assert self.opened.wait(60)
            if cause == "is no HTTP":
                peer.send(b"SMTP at your service\r\n\r\n")
            peer.close()

    failing = Fails()
    run = start(failing, timeouts="{ first_byte: 1s }" if cause == "is silent" else "{ first_byte: 20s }")
    try:
        asking = client(run.proxy)
        stream = promise(asking)
        if cause != "is silent":
            failing.opened.set()
        eventually(lambda: state(asking, stream)["state"] == "failed", "the failure in the stream's state")
        fetching = connect(client, run.proxy, where, beside=asking)
        assert fetching.get(f"/v1/streams/{stream}", "Accept: */*").json()["state"] == "failed"
        assert problem(attach(fetching, stream), status, kind)["instance"] == stream
        line = run.proxy.logged(id=stream)
        assert (line["status"], line["problem"]) == (status, kind)
        problem(attach(fetching, stream), 404, "not-found")
    finally:
        failing.opened.set()


@both_loops
def test_a_late_client_gets_410(start, client, gated, where):
    run = start(gated(STREAM_HEAD, goes_on=True), streams="{ per_client: 1 }",
                **{"async": "{ per_client: 1, expiry: 1s }"})
    asking = client(run.proxy)
    for _ in range(3):  # each shows that the one before has given its places back
        run.gate.opened.clear()
        stream = promise(asking)
        run.gate.opened.set()
        run.proxy.logged(id=stream, reason="client_gone")
        problem(attach(connect(client, run.proxy, where, beside=asking), stream), 410, "gone")
    eventually(lambda: all(peer.gone for peer in run.upstream.peers), "the upstream's connection closed")


def test_what_never_gets_a_slot_expires_as_well(start, client, gated):
    run = start(gated(STREAM_HEAD, goes_on=True), streams="{ per_client: 1 }",
                **{"async": "{ per_client: 1, expiry: 2s }"})
    run.gate.opened.set()
    assert client(run.proxy).get("/orders").status == 200
    asking = client(run.proxy)
    for _ in range(2):
        stream = promise(asking, ASYNC)
        problem(client(run.proxy).get("/orders", ASYNC), 429, "too-many-streams")  # and no promise is left for it
        run.proxy.logged(id=stream, reason="client_gone")
        problem(attach(asking, stream), 410, "gone")
    assert len(run.upstream.heads) == 1


def test_a_client_with_all_its_promises_is_refused(start, client):
    run = start(**{"async": "{ per_client: 2 }"})
    asking = client(run.proxy)
    promised = [promise(asking) for _ in range(2)]
    waiting = client(run.proxy)
    waiting.ask("/orders", AT_ONCE)
    eventually(lambda: len(run.upstream.heads) == 3, "the third at the origin")
    run.gate.opened.set()
    response = waiting.response()
    assert response.status == 200
    assert [each.number for each in response.records()] == list(range(1, 11))
    for stream in promised:
        ready(asking, stream)
        assert len(list(attach(asking, stream).records())) == 10
    run.gate.opened.clear()
    again = [promise(asking) for _ in range(2)]
    assert len({*promised, *again}) == 4


@both_loops
def test_a_deleted_promise_gives_everything_back(start, client, where):
    run = start(streams="{ per_client: 2 }", **{"async": "{ per_client: 3 }"})
    asking = client(run.proxy)
    ending = connect(client, run.proxy, where, beside=asking)
    for requests in (2, 4, 6):
        running = [promise(asking) for _ in range(2)]
        waiting = promise(asking)
        eventually(lambda: len(run.upstream.heads) == requests, "both at the origin")
        assert [state(ending, each)["state"] for each in [*running, waiting]] == ["pending", "pending", "waiting"]
        for stream in [waiting, *running]:
            response = ending.get(f"/v1/streams/{stream}", method="DELETE")
            assert (response.status, response.json()["id"]) == (200, stream)
            assert run.proxy.logged(id=stream)["reason"] == "cancelled"
            problem(attach(ending, stream), 404, "not-found")
    assert len(run.upstream.heads) == 6
    run.gate.opened.set()
    eventually(lambda: all(peer.gone for peer in run.upstream.peers), "the upstream's connection closed")


def test_a_disconnect_before_the_promise_releases_everything(start, client):
    run = start(async_wait="5m", streams="{ per_client: 1 }", **{"async": "{ per_client: 1 }"})
    for left in range(1, 4):
        leaving = client(run.proxy)
        leaving.ask("/orders", ASYNC)
        eventually(lambda: len(run.upstream.heads) == left, "the request at the origin")
        leaving.close()
        eventually(lambda: [line["reason"] for line in run.proxy.lines()] == ["client_gone"] * left, "its end logged")
    promise(client(run.proxy))


def test_a_disconnect_after_the_fetch_releases_everything(start, client, gated):
    run = start(gated(STREAM_HEAD, goes_on=True), streams="{ per_client: 1 }", **{"async": "{ per_client: 1 }"})
    for _ in range(3):
        run.gate.opened.clear()
        stream = promise(client(run.proxy))
        run.gate.opened.set()
        fetching = client(run.proxy)
        ready(fetching, stream)
        assert numbers(attach(fetching, stream).records(), 3) == [1, 2, 3]
        fetching.close()
        assert run.proxy.logged(id=stream)["reason"] == "client_gone"
    eventually(lambda: all(peer.gone for peer in run.upstream.peers), "the upstream's connection closed")


def test_a_stream_is_fetched_once(start, client, gated):
    run = start(gated(STREAM_HEAD, goes_on=True))
    asking = client(run.proxy)
    stream = promise(asking)
    run.gate.opened.set()
    ready(asking, stream)
    records = attach(asking, stream).records()
    assert next(records).number == 1
    second = attach(client(run.proxy), stream)
    assert second.json()["state"] == "streaming"
    assert numbers(records, 20) == list(range(2, 22))


def test_a_stop_ends_streams_that_cannot_be_fetched_any_more(start, client):
    run = start(top={"shutdown_grace": "1h"}, streams="{ per_client: 1 }")
    asking = client(run.proxy)
    streams = [promise(asking), promise(asking)]
    assert [state(asking, each)["state"] for each in streams] == ["pending", "waiting"]
    run.proxy.terminate()
    for stream in streams:
        assert run.proxy.logged(id=stream)["reason"] == "drained"
    assert run.proxy.ended() == 0  # nothing remains to wait for


def test_without_it_the_preference_is_ignored(start, client):
    run = start(streams="{ per_client: 1 }", **{"async": "off"})
    waiting = client(run.proxy)
    waiting.ask("/orders", AT_ONCE)
    eventually(lambda: len(run.upstream.heads) == 1, "the request at the origin")
    problem(client(run.proxy).get("/orders", ASYNC), 429, "too-many-streams")
    run.gate.opened.set()
    assert waiting.response().status == 200


@pytest.mark.parametrize("keys", [{"framing": "none"}, {"async": "off"}], ids=str)
def test_where_it_is_not_weirs_the_services_own_202_is_kept(weir, origin, client, keys):
    own = (b"HTTP/1.1 202 Accepted\r\nLocation: /jobs/7\r\nPreference-Applied: respond-async\r\nRetry-After: 9\r\n"
           b"Content-Length: 0\r\n\r\n")
    upstream = origin(answers(own))
    proxy = weir(route(upstream.url, async_wait="0s", **keys))
    response = client(proxy).get("/jobs", "Prefer: respond-async, wait=0")
    assert response.status == 202
    assert [response.head[name] for name in ("Location", "Preference-Applied", "Retry-After")] == ["/jobs/7", "respond-async", "9"]
    assert b"respond-async, wait=0" in upstream.heads[0]


def test_without_framing_nothing_is_promised(start, client):
    run = start(framing="none", streams="{ per_client: 1 }")
    waiting = client(run.proxy)
    waiting.ask("/orders", AT_ONCE)
    eventually(lambda: len(run.upstream.heads) == 1, "the request at the origin")
    problem(client(run.proxy).get("/orders", ASYNC), 429, "too-many-streams")
    run.gate.opened.set()
    assert waiting.response().status == 200
