"""Hostile clients: whatever they send, other clients are not affected, and what they used is released."""
import os
import resource
import socket
import struct

import pytest

from harness.addresses import endless
from harness.scripted_origin import STREAM_HEAD, LAST_CHUNK, answers, chunk, record
from harness.waiting import eventually, level
from harness.weir import route

FINE = STREAM_HEAD + chunk(record(1)) + LAST_CHUNK


def descriptors(proxy):
    return len(os.listdir(f"/proc/{proxy.pid}/fd"))


def served(client, proxy):
    with client(proxy) as connection:
        response = connection.get("/")
        return response.status == 200 and response.read() == record(1) and response.complete


# All descriptors in use


@pytest.mark.parametrize("workers", [1, 2])
def test_with_all_descriptors_in_use_streams_continue_and_service_recovers(weir, origin, client, workers):
    proxy = weir(route(origin(lambda peer: (peer.read_head(), peer.send(STREAM_HEAD), peer.send_records(size=64))).url,
                       match="/stream", rate="{ default: 200/second }"),
                 route(origin(answers(FINE)).url), workers=workers, shutdown_grace="0s")
    running = client(proxy).get("/stream")
    records = running.records()
    next(records)
    assert served(client, proxy)
    # Lowered after its start: the descriptors that it counted on are missing.
    before = level(lambda: descriptors(proxy), "the number of descriptors", still=0.3)
    old = resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, (before + 20, resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE)[1]))
    flood = [client(proxy)]
    eventually(lambda: descriptors(proxy) > before, "the first one accepted")
    flood += [client(proxy) for _ in range(59)]
    eventually(lambda: descriptors(proxy) >= before + 19, "no descriptor left")
    # Those that were accepted are answered: with an error, as there is none for the upstream; the others wait.
    flood[0].ask("/stream")
    assert flood[0].response().status in (502, 503)
    numbers = [entry.number for entry, _ in zip(records, range(100))]
    assert numbers == list(range(2, 102)), "the stream that ran before continues"
    for connection in flood:
        connection.close()
    eventually(lambda: descriptors(proxy) <= before + 2, "the flood's descriptors given back")
    eventually(lambda: served(client, proxy), "service again")
    resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, old)


def test_connections_that_send_nothing_are_closed_and_others_served(weir, origin, client):
    proxy = weir(route(origin(answers(FINE)).url), limits="{ header_timeout: 1s, max_connections: 50 }")
    silent = [client(proxy) for _ in range(49)]
    assert served(client, proxy)
    for connection in silent:
        assert connection.is_closed()
    assert all(served(client, proxy) for _ in range(3))


# Bytes


def garbage():
    """Beginnings of requests and what does not belong there."""
    yield b"\0" * 4096
    yield bytes(range(256)) * 64
    yield b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"
    yield b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: a\r\nX\0Y: 1\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n"
    yield b"GET / HTTP/9.9\r\nHost: a\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500  # TLS where none is spoken
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 9000
    yield b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"
    yield b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"
    yield b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000
    yield b"GET /" + b"a" * 100000


@pytest.mark.parametrize("bytes_", list(garbage()), ids=lambda data: repr(data[:24]))
def test_garbage_costs_its_own_connection_alone(weir, origin, client, bytes_):
    upstream = origin(answers(FINE))
    proxy = weir(route(upstream.url), limits="{ header_timeout: 1s }")
    beside = client(proxy)
    assert beside.get("/").read() == record(1)
    attacker = client(proxy)
    try:
        attacker.send(bytes_)
        got = b""
        while data := attacker.sock.recv(65536):
            got += data
    except ConnectionError:
        pass
    # A well-formed head is forwarded, whatever its body turns out to be, and may be answered before that is seen.
    goes_on = bytes_.startswith(b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding")
    answers_allowed = (b"HTTP/1.1 4", b"HTTP/1.1 505") + (b"HTTP/1.1 200",) * goes_on
    assert got == b"" or got.startswith(answers_allowed) or b"\x07" in got[:200], got
    assert beside.get("/").read() == record(1)
    assert len(upstream.heads) == 2 + goes_on


@pytest.mark.parametrize("value", [b"\xff\xfe", b"\xc3", "Zoë".encode(), b"\x80" * 500])
def test_text_that_is_no_utf8_passes_or_is_refused_and_is_logged_as_one_line(weir, origin, client, value):
    upstream = origin(answers(FINE))
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    connection.send(b"GET /x HTTP/1.1\r\nHost: a\r\nUser-Agent: %b\r\nX-Stream-Buffer-Size: 5\r\n\r\n" % value)
    response = connection.response()
    assert response.status in (200, 400)
    if response.status == 200:
        assert response.read() == record(1)
    proxy.logged(path="/x")
    assert len(proxy.lines()) == 1


def test_connections_reset_in_every_state_leave_nothing(weir, origin, client):
    proxy = weir(route(origin(endless(500)).url, rate="{ default: 1000/second }"), shutdown_grace="0s")
    with client(proxy) as first:
        next(first.get("/").records())
    proxy.logged(reason="client_gone")
    before = level(lambda: descriptors(proxy), "the number of descriptors", still=0.3)
    beginnings = [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                  b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n",
                  b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
                  b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"]
    for begin in beginnings * 10:
        attacker = client(proxy)
        attacker.send(begin)
        attacker.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        attacker.close()
    # libcurl keeps a connection that is idle; each of these streams was broken off, so none is.
    eventually(lambda: descriptors(proxy) <= before, f"{before} descriptors")
    response = client(proxy).get("/")
    assert response.status == 200 and next(response.records()).number == 1


# Upstreams


@pytest.mark.parametrize("more", [b"X-Endless: x\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_an_upstream_that_never_stops_sending_headers_fails(weir, origin, client, more):
    def script(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\n" if more.startswith(b"X") else b"")
        while not peer.gone:
            peer.send(more * 100)
    proxy = weir(route(origin(script).url))
    response = client(proxy).get("/", "Accept: application/problem+json")
    assert response.status == 502 and response.json()["type"].endswith("/bad-upstream")


def test_bytes_of_an_upstream_beyond_its_length_are_discarded(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
        peer.wait_gone()
    connection = client(weir(route(origin(script).url)))
    for _ in range(3):
        assert connection.get("/").read() == b"hello"
