"""A stream's own address: its state, its end, and feedback while it runs, from any connection."""
import subprocess
import time
from types import SimpleNamespace

import pytest

from harness.problems import problem
from harness.scripted_origin import STREAM_HEAD, chunk, record
from harness.addresses import LOOPS, connect, endless, feedback, numbers, post, state
from harness.waiting import eventually, level
from harness.weir import route

LIMITS = {"rate": "{ default: 100/second, max: 200/second }", "buffer": "{ default: 20, max: 400 }"}
UNKNOWN = "0" * 32
both_loops = pytest.mark.parametrize("where", LOOPS)


@pytest.fixture
def begin(weir, origin, client):
    """Opens a stream, and beside it a connection on the same or on the other event loop."""
    def open_stream(where="same", *fields, script=None, top=None, **keys):
        upstream = origin(script or endless(), send_buffer=16 << 10)
        proxy = weir(route(upstream.url, **{**LIMITS, "upstream_receive_buffer": "16KiB", **keys}), workers=2,
                     **{"shutdown_grace": "0s", **(top or {})})
        reading = client(proxy)
        response = reading.get("/orders", *fields)
        assert response.status == 200
        return SimpleNamespace(upstream=upstream, proxy=proxy, reading=reading, response=response,
                               records=response.records(), id=response.head["X-Stream-Id"],
                               talking=connect(client, proxy, where, beside=reading))
    return open_stream


def read_up_to(stream, count, after):
    """Reads the records up to and with this one, of which a number has been read; nothing if that is enough."""
    numbers(stream.records, max(0, count - after))


@both_loops
def test_the_state_has_terms_and_counters(begin, where):
    stream = begin(where, "X-Stream-Rate-Limit: 50/second", "X-Stream-Buffer-Size: 30")
    assert numbers(stream.records, 5) == [1, 2, 3, 4, 5]
    eventually(lambda: state(stream.talking, stream.id)["queued"] >= 30, "a full queue")
    response = stream.talking.get(f"/v1/streams/{stream.id}")
    seen = response.json()
    assert response.status == 200
    assert response.head["Content-Type"] == "application/json"
    assert response.head["Cache-Control"] == "no-store"
    assert response.head["X-Stream-Id"] == stream.id
    assert {"id": stream.id, "state": "streaming", "rate": "50/second", "bufferSize": 30, "grantedRate": "50/second",
            "grantedBufferSize": 30, "paused": False, "dropped": 0}.items() <= seen.items()
    assert "credit" not in seen
    assert seen["records"] >= 5 and seen["bytes"] == seen["records"] * 200 and seen["duration"] > 0
    head = stream.talking.get(f"/v1/streams/{stream.id}", method="HEAD")
    assert (head.status, head.read()) == (200, b"")
    assert int(head.head["Content-Length"]) > 0
    assert state(stream.talking, stream.id)["id"] == stream.id  # the connection lives on
    stream.proxy.logged(path=f"/v1/streams/{stream.id}", method="HEAD", status=200)


@both_loops
def test_a_look_at_a_stream_takes_none_of_it(begin, where):
    stream = begin(where)
    response = stream.talking.get(f"/v1/streams/{stream.id}", "Accept: application/x-ndjson")
    assert response.json()["state"] == "streaming"
    assert numbers(stream.records, 10) == list(range(1, 11))


@both_loops
def test_a_delete_ends_the_stream_at_a_records_end(begin, where):
    stream = begin(where)
    assert numbers(stream.records, 3) == [1, 2, 3]
    response = stream.talking.get(f"/v1/streams/{stream.id}", method="DELETE")
    assert response.status == 200
    seen = response.json()
    rest = list(stream.records)
    assert stream.response.complete is False  # not all of it came, and it does not look so
    assert [each.number for each in rest] == list(range(4, seen["records"] + 1))
    assert stream.proxy.logged(id=stream.id)["reason"] == "cancelled"
    eventually(lambda: stream.upstream.peers[0].gone, "the upstream's connection closed")
    problem(stream.talking.get(f"/v1/streams/{stream.id}", method="DELETE"), 404, "not-found")


@both_loops
@pytest.mark.parametrize("slower", [{"rate": "1/second"}, {"processingDelay": "1s"}], ids=lambda members: [*members][0])
def test_a_client_can_slow_its_stream_down_and_take_that_back(begin, where, slower):
    stream = begin(where)
    numbers(stream.records, 10)
    asked = time.monotonic()
    slowed = feedback(stream.talking, stream.id, **slower)
    assert (slowed["rate"], slowed["grantedRate"]) == ("1/second", "100/second")
    read_up_to(stream, slowed["records"], after=10)
    first, second = next(stream.records), next(stream.records)
    assert second.at - asked > 0.9  # a whole second lies between the two
    back = {"rate": "unlimited"} if "rate" in slower else {"processingDelay": "0s"}
    assert feedback(stream.talking, stream.id, **back)["rate"] == "100/second"
    assert next(stream.records).number == second.number + 1
    # At the slow pace this takes 40 seconds.
    eventually(lambda: state(stream.talking, stream.id)["records"] >= second.number + 40, "the pace of before")


@both_loops
def test_a_client_can_ask_for_more_up_to_the_routes_maximum(begin, where):
    stream = begin(where, "X-Stream-Rate-Limit: 1/second")
    assert next(stream.records).number == 1
    assert feedback(stream.talking, stream.id, rate="1000/second")["rate"] == "200/second"
    # At the granted pace this takes 50 seconds.
    eventually(lambda: state(stream.talking, stream.id)["records"] > 50, "the faster pace")
    seen = feedback(stream.talking, stream.id, rate="unlimited")
    assert seen["rate"] == seen["grantedRate"] == "1/second"


@both_loops
def test_the_upstream_is_read_as_far_as_the_buffer_that_the_client_wants(begin, where):
    size = 2000
    stream = begin(where, "X-Stream-Rate-Limit: 1/hour", script=endless(size))
    before = level(lambda: stream.upstream.sent, "what the origin has sent", still=0.5)
    assert state(stream.talking, stream.id)["queued"] < 50
    seen = feedback(stream.talking, stream.id, bufferSize=1000)
    assert (seen["bufferSize"], seen["grantedBufferSize"]) == (400, 20)  # the route's maximum
    eventually(lambda: state(stream.talking, stream.id)["queued"] >= 400, "as many queued")
    after = level(lambda: stream.upstream.sent, "what the origin has sent", still=0.5)
    assert after - before > 300 * size
    feedback(stream.talking, stream.id, bufferSize=1)
    assert state(stream.talking, stream.id)["queued"] >= 400  # nothing is dropped for it
    assert level(lambda: stream.upstream.sent, "what the origin has sent", still=0.5) == after


@both_loops
def test_a_paused_stream_sends_nothing_until_it_continues(begin, where):
    stream = begin(where, stall_timeout="1s")
    numbers(stream.records, 10)
    assert feedback(stream.talking, stream.id, pause=True)["paused"] is True
    held = level(lambda: state(stream.talking, stream.id)["records"], "the records sent", still=1.5)
    read_up_to(stream, held, after=10)
    seen = feedback(stream.talking, stream.id, pause=False)
    assert (seen["paused"], next(stream.records).number) == (False, held + 1)  # and it was no stall
    stream.talking.get(f"/v1/streams/{stream.id}", method="DELETE").read()
    line = stream.proxy.logged(id=stream.id)
    assert line["feedbacks"] == 2
    assert 1.5 <= line["held"] <= line["duration"]
    assert line["reason"] == "cancelled"


@both_loops
def test_credit_is_the_exact_number_of_records_that_are_sent(begin, where):
    stream = begin(where)
    numbers(stream.records, 3)
    sent = feedback(stream.talking, stream.id, pause=True)["records"]
    seen = feedback(stream.talking, stream.id, request=5, pause=False, rate="200/second", bufferSize=7)
    assert {"paused": False, "rate": "200/second", "bufferSize": 7}.items() <= seen.items()
    assert level(lambda: state(stream.talking, stream.id)["records"], "the records sent", still=0.5) == sent + 5
    assert state(stream.talking, stream.id)["credit"] == 0
    feedback(stream.talking, stream.id, request=4)
    feedback(stream.talking, stream.id, request=3)
    assert level(lambda: state(stream.talking, stream.id)["records"], "the records sent", still=0.5) == sent + 12
    read_up_to(stream, sent + 12, after=3)
    feedback(stream.talking, stream.id, request=1)
    assert next(stream.records).number == sent + 13


@both_loops
def test_feedback_takes_effect_at_once(begin, where):
    """At 200 records a second, 50 ms are ten of them."""
    stream = begin(where, "X-Stream-Rate-Limit: 200/second")
    for _ in range(5):
        numbers(stream.records, 5)
        seen = feedback(stream.talking, stream.id, pause=True)
        assert state(stream.talking, stream.id)["records"] == seen["records"]
        feedback(stream.talking, stream.id, pause=False)


def test_any_number_of_connections_may_send_feedback(begin, client):
    stream = begin()
    for number in range(20):
        assert feedback(client(stream.proxy), stream.id, bufferSize=number + 1)["bufferSize"] == number + 1
    numbers(stream.records, 5)
    stream.reading.close()
    assert stream.proxy.logged(id=stream.id)["feedbacks"] == 20


def test_an_id_that_no_stream_has_is_not_found(begin):
    stream = begin()
    for path in [UNKNOWN, stream.id[:-1], stream.id + "A", f"{stream.id}/", f"{stream.id}/feedback/", "", "x%20y"]:
        problem(stream.talking.get(f"/v1/streams/{path}"), 404, "not-found")
    problem(post(stream.talking, f"/v1/streams/{UNKNOWN}/feedback", {"pause": True}), 404, "not-found")
    problem(stream.talking.get("/v1/streams"), 404, "not-found")
    assert len(stream.upstream.heads) == 1


def test_a_wrong_method_is_answered_with_the_allowed_ones(begin):
    stream = begin()
    for method, path, allowed in [("PUT", "", "GET, HEAD, DELETE"), ("OPTIONS", "", "GET, HEAD, DELETE"),
                                  ("GET", "/feedback", "POST"), ("DELETE", "/feedback", "POST")]:
        response = stream.talking.get(f"/v1/streams/{stream.id}{path}", method=method)
        assert response.head["Allow"] == allowed
        assert allowed in problem(response, 405, "invalid-request")["detail"]
    assert next(stream.records).number == 1


BAD_BODIES = [
    (b"", "body"), (b"{", "JSON"), (b"[]", "JSON"), (b"{}", "processingDelay"), (b'{"pause":true,}', "JSON"),
    (b'{"pause":true,"pause":false}', "twice"), (b'{"speed":1}', "speed"), (b'{"rate":"fast"}', "rate"),
    (b'{"rate":0}', "rate"), (b'{"processingDelay":250}', "processingDelay"), (b'{"processingDelay":"2h"}', "1h"),
    (b'{"bufferSize":0}', "bufferSize"), (b'{"bufferSize":1.5}', "bufferSize"), (b'{"pause":"yes"}', "pause"),
    (b'{"request":-1}', "request"), (b'{"request":0}', "request"), (b"\xff\xfe", "JSON"),
    (b'{"pause":true,"rate":"-1/second"}', "rate"),
]


def test_a_bad_body_is_refused_whole_and_the_member_named(begin):
    stream = begin()
    for body, named in BAD_BODIES:
        response = post(stream.talking, f"/v1/streams/{stream.id}/feedback", body)
        assert named in problem(response, 400, "invalid-request")["detail"], body
    seen = state(stream.talking, stream.id)  # the connection lives on, and nothing has changed
    assert {"rate": "100/second", "bufferSize": 20, "paused": False}.items() <= seen.items()


def test_a_body_that_is_too_large_or_too_slow_is_refused(begin, client):
    stream = begin(top={"limits": "{ header_timeout: 1s }"})
    path = f"/v1/streams/{stream.id}/feedback"
    problem(post(client(stream.proxy), path, b" " * 4097), 413, "too-large")
    chunked = client(stream.proxy)
    chunked.ask(path, "Transfer-Encoding: chunked", method="POST")
    chunked.send(b"".join(chunk(b" " * 1000) for _ in range(5)))
    problem(chunked.response(), 413, "too-large")
    problem(post(client(stream.proxy), path, b'{"pause":', length=14), 408, "request-timeout")
    assert state(client(stream.proxy), stream.id)["paused"] is False


def test_a_connection_continues_after_a_chunked_feedback(begin):
    stream = begin()
    for wanted in range(1, 4):
        stream.talking.ask(f"/v1/streams/{stream.id}/feedback", "Transfer-Encoding: chunked", method="POST")
        stream.talking.send(chunk(b'{"bufferSi') + chunk(b'ze":%d}' % wanted) + b"0\r\n\r\n")
        assert stream.talking.response().json()["bufferSize"] == wanted
    assert state(stream.talking, stream.id)["bufferSize"] == 3


def test_curl_may_expect_100_continue(begin):
    stream = begin()
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--noproxy", "*", "--verbose", "--header", "Expect: 100-continue",
         "--expect100-timeout", "60", "--max-time", "60", "--data", '{"bufferSize":9}',
         f"{stream.proxy.url}/v1/streams/{stream.id}/feedback"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "100 Continue" in done.stderr
    assert '"bufferSize":9' in done.stdout


def test_the_addresses_can_be_moved(begin):
    stream = begin(top={"paths": "{ streams: /weir/live }"})
    assert stream.talking.get(f"/weir/live/{stream.id}").json()["id"] == stream.id
    moved = post(stream.talking, f"/weir/live/{stream.id}/feedback", {"bufferSize": 3})
    assert moved.json()["bufferSize"] == 3
    stream.talking.ask(f"/v1/streams/{stream.id}")  # that is the upstream's now
    eventually(lambda: any(b"/v1/streams/" in head for head in stream.upstream.heads), "asked of the upstream")


def test_without_addresses_their_path_is_the_upstreams(begin):
    stream = begin(top={"paths": "{ streams: off }"})
    response = stream.talking.get(f"/v1/streams/{stream.id}")
    assert response.status == 200 and next(response.records()).number == 1
    assert stream.upstream.heads[-1].startswith(b"GET /v1/streams/")


def test_a_stream_that_has_ended_has_no_address(begin):
    whole = STREAM_HEAD + chunk(record(1)) + b"0\r\n\r\n"

    def script(peer):
        peer.read_head()
        peer.send(whole)

    stream = begin(script=script)
    assert numbers(stream.records, 1) == [1] and list(stream.records) == []
    stream.proxy.logged(id=stream.id, reason="completed")
    problem(stream.talking.get(f"/v1/streams/{stream.id}"), 404, "not-found")
