"""Responses whose fields do not fit into one frame of HTTP/2: they arrive whole, or are seen to fail."""
import random
import string

from harness.scripted_origin import LAST_CHUNK, chunk, record
from harness.weir import route

LETTERS = string.ascii_letters + string.digits + "~^|!"  # of the longest codes: compression does not shorten them


def fields(name, count=24, size=1000):
    draw = random.Random(1)
    return "".join(f"{name}-{number}: {''.join(draw.choices(LETTERS, k=size))}\r\n" for number in range(count)).encode()


def script(peer):
    while True:
        large = peer.read_head().split()[1]
        head, trailers = (fields("x-large") if large == wanted else b"" for wanted in (b"/head", b"/trailers"))
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n" + head
                  + b"\r\n" + chunk(record(1)) + LAST_CHUNK[:-2] + trailers + b"\r\n")


def check(proxy, stream, path, arrived):
    """The client has all of it or no end, and the log agrees."""
    if arrived:
        assert stream.ended and stream.numbers == [1]
    else:
        assert not stream.ended, "what is missing is seen"
    assert proxy.logged(path=path, event="end")["reason"] == ("completed" if arrived else "upstream_failed")
    assert proxy.process.poll() is None


def test_a_large_head_is_sent_or_fails(weir, origin, h2):
    proxy = weir(route(origin(script).url))
    stream = h2(proxy).ask("/head").finish()
    assert stream.status or not stream.body, "no body without a head"
    check(proxy, stream, "/head", bool(stream.status))
    assert h2(proxy).ask("/").finish().numbers == [1]


def test_large_trailers_are_sent_or_fail(weir, origin, h2):
    proxy = weir(route(origin(script).url))
    stream = h2(proxy).ask("/trailers", ("te", "trailers")).finish()
    check(proxy, stream, "/trailers", stream.trailers is not None)
    assert h2(proxy).ask("/").finish().numbers == [1]
