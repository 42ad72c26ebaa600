"""Records cannot be separated in a compressed body: weir requests none, and passes one that is sent anyway."""
import gzip

import pytest

from harness.event_stream import event, events
from harness.scripted_origin import STREAM_HEAD, answers, chunk, record
from harness.waiting import level
from harness.weir import route

GZIP = "Accept-Encoding: gzip, br"


def compressed(kind, body, coding=b"gzip"):
    return (b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (kind, coding, len(body), body))


def asked(origin):
    """The values of Accept-Encoding that the origin saw."""
    lines = [line for head in origin.heads for line in head.decode().split("\r\n")]
    return [line.partition(":")[2].strip() for line in lines if line.lower().startswith("accept-encoding:")]


@pytest.mark.parametrize(("keys", "fields", "value"), [
    ({"framing": "ndjson"}, [GZIP], "identity"),
    ({"framing": "sse"}, [GZIP, "Accept-Encoding: zstd"], "identity"),
    ({"framing": "json-seq"}, [], "identity"),
    ({"framing": "none"}, [GZIP, "Accept: text/event-stream"], "gzip, br"),
    ({}, [GZIP], "gzip, br"),
    ({}, [GZIP, "Accept: application/json"], "gzip, br"),
    ({}, [GZIP, "Accept: text/html, text/event-stream;q=0.9"], "identity"),
    ({}, [GZIP, "X-Stream-Rate-Limit: 5/second"], "identity"),
    ({"rate": "100/second"}, [GZIP], "identity"),
])
def test_where_a_stream_is_expected_no_compression_is_asked_for(weir, origin, client, keys, fields, value):
    upstream = origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    proxy = weir(route(upstream.url, **keys))
    assert client(proxy).get("/", *fields).read() == b"ok"
    assert asked(upstream) == [value]


def test_a_real_server_that_compresses_is_talked_out_of_it(weir, client, fastapi_app):
    assert client_sees(fastapi_app, client, weir, "none") == "gzip"
    assert client_sees(fastapi_app, client, weir, "auto") is None


def client_sees(app, client, weir, framing):
    """The coding of a stream of events that a client gets which would take a compressed one."""
    proxy = weir(route(app.url, framing=framing))
    response = client(proxy).get("/v1/compressed/events?items=200", "Accept: text/event-stream", GZIP)
    coding = response.head["Content-Encoding"]
    if coding:
        assert response.head["X-Stream-Rate"] is None
        assert gzip.decompress(response.read()).count(b"data:") == 200
    else:
        assert response.head["X-Stream-Rate"] == "unlimited"
        assert [each.number for each in events(response)] == list(range(1, 201))
    assert response.complete
    return coding


@pytest.mark.parametrize(("kind", "body"), [
    (b"text/event-stream", b"".join(map(event, range(1, 50)))),
    (b"application/x-ndjson", b"".join(map(record, range(1, 50)))),
    (b"application/json-seq", b"\x1e1\n" * 50),
])
def test_a_compressed_response_passes_unchanged_and_is_logged_once(weir, origin, client, kind, body):
    coded = gzip.compress(body)
    upstream = origin(answers(compressed(kind, coded)))
    proxy = weir(route(upstream.url, "/coded", rate="1/minute"), route(upstream.url, "/other", rate="1/minute"))
    connection = client(proxy)
    for path in ["/coded", "/coded", "/coded", "/other"]:
        response = connection.get(path)
        assert (response.head["Content-Encoding"], response.head["X-Stream-Rate"]) == ("gzip", None)
        assert (gzip.decompress(response.read()), response.complete) == (body, True)
    assert proxy.says("route=/other")
    warnings = proxy.says("comes compressed")
    assert [route for line in warnings for route in ["/coded", "/other"] if route in line] == ["/coded", "/other"]
    assert "gzip" in warnings[0]


@pytest.mark.parametrize("coding", [b"Identity", b"none", b"UTF-8", b""])
def test_what_is_not_a_registered_coding_is_metered(weir, origin, client, coding):
    body = event(1)
    upstream = origin(answers(compressed(b"text/event-stream", body, coding=coding)))
    proxy = weir(route(upstream.url))
    response = client(proxy).get("/")
    assert (response.head["X-Stream-Rate"], response.read()) == ("unlimited", body)
    assert "comes compressed" not in proxy.said()


def test_a_compressed_stream_is_bounded_in_bytes(weir, origin, client):
    """The upstream is paused when the client does not read, although its records are not visible."""
    def endless(peer):
        peer.read_head()
        peer.send(STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: br\r\n\r\n"))
        while True:
            peer.send(chunk(b"\n" * 16384))

    upstream = origin(endless, send_buffer=65536)
    proxy = weir(route(upstream.url, buffer="{ max_bytes: 64KiB }", upstream_receive_buffer="64KiB"))
    response = client(proxy, receive_buffer=4096).get("/")
    assert response.status == 200
    assert level(lambda: upstream.sent, "what the origin got rid of") < 8 << 20
