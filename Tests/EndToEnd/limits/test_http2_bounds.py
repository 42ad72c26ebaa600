"""HTTP/2: heads larger than a frame, more requests than streams, cancels, and bytes that no field has."""
import threading

import pytest
from h2.errors import ErrorCodes

from harness.addresses import endless
from harness.scripted_origin import answers, chunk
from harness.streams import HeldRecords
from harness.tools import curl
from harness.weir import route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
COOKIES = [f"c{number}={'v' * 1020}" for number in range(24)]


# Heads


def test_a_response_head_larger_than_a_frame_arrives_whole(weir, origin, h2):
    head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + "".join(f"Set-Cookie: {cookie}\r\n" for cookie in COOKIES)
    proxy = weir(route(origin(answers(head.encode() + b"\r\nok")).url))
    connection = h2(proxy)
    for _ in range(3):
        stream = connection.ask("/").finish()
        assert (stream.status, stream.body, stream.ended) == (200, b"ok", True)
        assert [value for name, value in stream.pairs if name == "set-cookie"] == COOKIES
    got = curl(proxy.url + "/", "--http2-prior-knowledge")
    assert (got.exit_status, got.status, got.body) == (0, 200, b"ok")
    assert proxy.logged(status=200, reason="completed")


def test_long_trailers_arrive_whole(weir, origin, h2):
    fields = "".join(f"X-Part-{number}: {'t' * 1000}\r\n" for number in range(24)).encode()

    def script(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"ok") + b"0\r\n" + fields + b"\r\n")

    stream = h2(weir(route(origin(script).url))).ask("/", ("te", "trailers")).finish()
    assert (stream.status, stream.body, stream.ended) == (200, b"ok", True)
    assert [stream.trailers[f"x-part-{number}"] for number in range(24)] == ["t" * 1000] * 24


@pytest.mark.parametrize("size", [15_000, 17_000, 24_000, 30_000])
def test_a_large_request_head_in_the_first_flight_is_answered(weir, origin, h2, size):
    upstream = origin(answers(OK))
    connection = h2(weir(route(upstream.url)))
    stream, after = connection.ask("/", ("cookie", "k=" + "v" * size)), connection.ask("/after")
    assert (stream.finish().status, after.finish().status) == (200, 200)
    assert any(b"k=" + b"v" * size in head for peer in upstream.peers for head in peer.heads)


@pytest.mark.parametrize("size", [33_000, 60_000])
def test_a_request_head_over_the_limit_ends_its_stream_alone(weir, origin, h2, size):
    script = HeldRecords(2)
    proxy = weir(route(origin(script).url))
    connection = h2(proxy)
    stream = connection.ask("/stream").head()
    large = connection.ask("/", *((f"x-{number}", "v" * 1000) for number in range(size // 1000))).finish()
    assert large.status == 431 and large.ended
    script.go.set()
    script.over.set()
    assert stream.finish().numbers == [1, 2] and not connection.gone


def test_more_fields_than_over_http1_are_refused(weir, origin, h2):
    upstream = origin(answers(OK))
    connection = h2(weir(route(upstream.url)))
    refused = connection.ask("/", *((f"x-{number}", "v") for number in range(300))).finish()
    assert refused.status == 431 and "256 fields" in refused.json()["detail"] and not upstream.heads
    assert connection.ask("/", *((f"x-{number}", "v") for number in range(250))).finish().status == 200


# Streams


def test_requests_beyond_the_limit_in_the_first_flight_are_refused_alone(weir, origin, h2):
    go = threading.Event()

    def script(peer):
        peer.read_head()
        go.wait(60)
        peer.send(OK)

    connection = h2(weir(route(origin(script).url)))
    streams = [connection.ask(f"/{number}") for number in range(130)]
    connection.until(lambda: sum(stream.reset is not None for stream in streams) == 30)
    assert [stream.reset for stream in streams] == [None] * 100 + [ErrorCodes.REFUSED_STREAM] * 30
    go.set()
    assert [stream.finish().status for stream in streams[:100]] == [200] * 100
    assert connection.ask("/again").finish().status == 200


def test_cancels_of_answered_streams_end_nothing_else(weir, origin, h2):
    script = HeldRecords(2)
    proxy = weir(route(origin(script).url, match="/long"), route(origin(endless(1024)).url, breaker="off"))
    connection = h2(proxy)
    long = connection.ask("/long").head()
    for number in range(500):
        stream = connection.ask(f"/{number}", reads=False).head()
        assert stream.status == 200
        connection.cancel(stream)
    script.go.set()
    script.over.set()
    assert long.finish().numbers == [1, 2] and long.ended and not connection.gone
    assert connection.goaways == []


# Bytes


@pytest.mark.parametrize("value", [b"a\x01b", b"a\x1fb", b"a\x7fb", b"a\rb", b"a\nb", b"a\x00b", b" a", b"a\t"])
@pytest.mark.parametrize("name", [b"x-own", b"host", b":authority", b":path"])
def test_a_value_that_http_does_not_have_resets_the_stream(weir, origin, h2, name, value):
    upstream = origin(answers(OK))
    connection = h2(weir(route(upstream.url)), validate=False, encoding=None)
    fields = {b":method": b"GET", b":scheme": b"http", b":authority": b"a", b":path": b"/"}
    if name == b"host":
        del fields[b":authority"]
    fields[name] = b"/" + value if name == b":path" else value
    witness = connection.ask("/").finish()
    stream = connection.streams[3] = type(witness)(3, connection)
    connection.h2.send_headers(3, list(fields.items()), end_stream=True)
    connection.flush()
    assert stream.finish().reset == ErrorCodes.PROTOCOL_ERROR
    assert connection.ask("/").finish().ended
    assert sum(len(peer.heads) for peer in upstream.peers) == 2


def test_every_byte_of_a_value_is_kept_both_ways(weir, origin, h2):
    value = bytes(byte for byte in range(0x21, 0x100) if byte != 0x7F)
    upstream = origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Own: " + value + b"\r\n\r\nok"))
    connection = h2(weir(route(upstream.url)), validate=False, encoding=None)
    stream = connection.ask("/", (b"x-own", value)).finish()
    assert (b"x-own", value) in stream.pairs
    assert b"x-own: " + value in upstream.peers[0].heads[0].lower().replace(value.lower(), value)
