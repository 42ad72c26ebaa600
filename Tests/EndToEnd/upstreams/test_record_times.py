"""What a route requires of an upstream's records: a first one in time, the next one in time, and one that ends the stream."""
import select

import pytest

from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, record
from harness.waiting import eventually
from harness.weir import route

EVENTS_HEAD = STREAM_HEAD.replace(b"application/x-ndjson", b"text/event-stream")


def event(data):
    return chunk(b"data: %b\n\n" % data)


def talks(first=b""):
    """A script: sends the head and `first` at once, and then a comment every 50 ms until weir closes the connection."""
    def script(peer):
        peer.read_head()
        peer.send(EVENTS_HEAD + first)
        while not select.select([peer.sock], [], [], 0.05)[0]:
            peer.send(chunk(b": keepalive\n\n"))
        peer.wait_gone()
    return script


def listed(*upstreams):
    return "[" + ", ".join(upstream.url for upstream in upstreams) + "]"


def test_an_upstream_that_sends_only_comments_is_replaced_before_the_client_sees_anything(weir, origin, client):
    talking = origin(talks())
    good = origin(answers(EVENTS_HEAD + event(b"1") + event(b"[DONE]") + LAST_CHUNK))
    proxy = weir(route(listed(talking, good), balance="round_robin", timeouts="{ first_record: 1s }"))
    for _ in range(2):  # the first request of one of the two goes to the one that talks
        response = client(proxy).get("/")
        assert response.status == 200
        assert b"".join(response.parts()) == b"data: 1\n\ndata: [DONE]\n\n"
        assert response.complete
    assert len(talking.heads) >= 1 and len(good.heads) == 2
    eventually(lambda: talking.peers[0].gone or None, "the end of the first attempt")
    assert proxy.logged(attempts=2)["upstream"] == good.url


def test_without_another_upstream_the_client_gets_504(weir, origin, client):
    proxy = weir(route(origin(talks()).url, timeouts="{ first_record: 200ms }"))
    refusal = problem(client(proxy).get("/"), 504, "upstream-timeout")
    assert refusal["detail"] == "The upstream sent no record in time"
    assert proxy.logged(status=504)["reason"] == "upstream_timeout"


def test_comments_do_not_count_between_records(weir, origin, client):
    proxy = weir(route(origin(talks(event(b"1"))).url, timeouts="{ between_records: 400ms }"))
    response = client(proxy).get("/")
    assert response.status == 200
    assert b"".join(response.parts()).startswith(b"data: 1\n\n")
    assert not response.complete
    assert proxy.logged(records=1)["reason"] == "upstream_timeout"


@pytest.mark.parametrize("end, last", [
    ('{ data: "[DONE]" }', b"[DONE]"), ("{ pointer: /type, value: message_stop }", b'{"type":"message_stop"}')])
def test_a_stream_without_its_end_record_does_not_appear_complete(weir, origin, client, end, last):
    whole = EVENTS_HEAD + event(b'{"type":"delta"}') + event(last) + LAST_CHUNK
    cut = EVENTS_HEAD + event(b'{"type":"delta"}') + LAST_CHUNK
    proxy = weir(route(origin(answers(whole)).url, end_record=end))
    response = client(proxy).get("/")
    assert b"".join(response.parts()).count(b"data:") == 2 and response.complete
    assert proxy.logged(records=2)["reason"] == "completed"

    proxy = weir(route(origin(answers(cut)).url, end_record=end))
    response = client(proxy).get("/")
    assert b"".join(response.parts()).count(b"data:") == 1 and not response.complete
    line = proxy.logged(records=1)
    assert (line["reason"], line["problem"]) == ("upstream_failed", "bad-upstream")
    assert line["upstream_error"] == "the stream ended without its end record"


def test_a_length_does_not_make_a_truncated_stream_appear_complete(weir, origin, client):
    body = record(1)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n" % len(body)
    proxy = weir(route(origin(answers(head + body)).url, end_record='{ data: "[DONE]" }'))
    response = client(proxy).get("/")
    assert b"".join(response.parts()) == body and not response.complete


def test_upstreams_that_truncate_streams_open_their_breaker(weir, origin, client):
    cut = EVENTS_HEAD + event(b"1") + LAST_CHUNK
    proxy = weir(route(origin(answers(cut)).url, end_record='{ data: "[DONE]" }', upstream_breaker="{ failures: 2 }"))
    for count in (1, 2):
        response = client(proxy).get("/")
        assert list(response.parts()) and not response.complete
        eventually(lambda: len([line for line in proxy.lines() if line["event"] == "end"]) >= count or None, "the line")
    problem(client(proxy).get("/"), 503, "unavailable")
