"""Connections to the upstream are reused when they may be, and only then."""
import pytest

from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, falls_silent, record
from harness.waiting import eventually
from harness.weir import route

HELLO = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize("response", [HELLO, STREAM_HEAD + chunk(record(1)) + LAST_CHUNK], ids=["length", "chunked"])
def test_one_connection_serves_many_requests(weir, origin, client, response):
    upstream = origin(answers(response))
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    for _ in range(20):
        assert connection.get("/").read()
    assert len(upstream.heads) == 20
    assert len(upstream.peers) == 1


def test_a_connection_that_the_upstream_closes_is_not_used_again(weir, origin, client):
    closing = HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    upstream = origin(lambda peer: (peer.read_head(), peer.send(closing)))
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    for _ in range(5):
        assert connection.get("/").read() == b"hello"
    assert len(upstream.peers) == 5


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_a_request_on_a_reused_connection_that_closes_is_repeated(weir, origin, client, method):
    """The race of every keep-alive: the upstream gives up an idle connection just as a request goes out on it."""
    def script(peer):
        peer.read_head()
        peer.send(HELLO)
        peer.read_head()
        peer.reset()

    upstream = origin(script)
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    assert connection.get("/").read() == b"hello"
    response = connection.get("/", method=method)
    assert response.status == 200
    assert len(upstream.peers) == 2


def test_a_disconnect_closes_the_upstream_connection(weir, origin, client):
    upstream = origin(falls_silent)
    proxy = weir(route(upstream.url))
    leaving = client(proxy)
    assert next(leaving.get("/").records()).number == 1
    leaving.close()
    eventually(lambda: upstream.peers[0].gone, "the origin's connection closed")


def test_streams_beyond_the_upstreams_limit_are_refused(weir, origin, client):
    upstream = origin(falls_silent)
    proxy = weir(route(upstream.url, upstream_streams=3))
    held = [client(proxy).get("/") for _ in range(3)]
    assert [response.status for response in held] == [200, 200, 200]
    problem(client(proxy).get("/"), 503, "unavailable")
    assert len(upstream.peers) == 3
