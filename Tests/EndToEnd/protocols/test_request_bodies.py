"""Bodies of requests: they reach the upstream whole, as fast as it takes them, and are discarded when they are not needed."""
import hashlib
import json
import os
import socket
import subprocess
import threading

import pytest

from harness.problems import problem
from harness.scripted_origin import STREAM_HEAD, LAST_CHUNK, chunk
from harness.waiting import eventually
from harness.weir import route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def made(size):
    """A body that no cut or repetition leaves as it was."""
    return b"".join(number.to_bytes(4, "big") for number in range((size + 3) // 4))[:size]


def head(path, *fields, method="POST"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: orders.example", *fields, "", ""]).encode()


# Whole


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_of_a_known_length_arrives_as_it_is(weir, app, client, method, size):
    connection, body = client(weir(route(app.url))), made(size)
    sender = threading.Thread(target=connection.send, args=[
        head("/v1/digest", f"Content-Length: {size}", method=method) + body])
    sender.start()
    seen = connection.response().json()
    sender.join()
    assert seen == {"method": method, "sha256": hashlib.sha256(body).hexdigest(), "length": size, "declared": str(size),
                    "coding": None}
    # The connection is fit for another one.
    connection.send(head("/v1/digest", "Content-Length: 3") + b"abc")
    assert connection.response().json()["length"] == 3


@pytest.mark.parametrize("sizes", [[], [1], [5, 1, 70_000, 3], [16384] * 64])
def test_a_chunked_body_arrives_as_it_is(weir, app, client, sizes):
    connection, body = client(weir(route(app.url))), made(sum(sizes))
    connection.send(head("/v1/digest", "Transfer-Encoding: chunked"))
    rest = body
    for size in sizes:
        connection.send(chunk(rest[:size]))
        rest = rest[size:]
    connection.send(LAST_CHUNK)
    seen = connection.response().json()
    assert (seen["sha256"], seen["length"]) == (hashlib.sha256(body).hexdigest(), len(body))
    connection.send(head("/v1/digest", "Content-Length: 3") + b"abc")
    assert connection.response().json()["length"] == 3


@pytest.mark.parametrize("cut", [1, 7, 40, 4096])
def test_a_body_may_come_in_any_pieces(weir, fastapi_app, client, cut):
    connection, body = client(weir(route(fastapi_app.url))), made(20 * cut)
    message = head("/v1/digest", "Transfer-Encoding: chunked") + chunk(body) + LAST_CHUNK
    for begin in range(0, len(message), cut):
        connection.send(message[begin:begin + cut])
    assert connection.response().json()["sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("arguments", [[], ["-H", "Transfer-Encoding: chunked"], ["--http2-prior-knowledge"], ["-H", "Expect:"]])
@pytest.mark.parametrize("size", [10, 2_000_000])
def test_curl_uploads_a_file(weir, app, tmp_path, arguments, size):
    (tmp_path / "file").write_bytes(made(size))
    proxy = weir(route(app.url))
    done = subprocess.run(["curl", "-sS", "--max-time", "60", *arguments, "-T", str(tmp_path / "file"), proxy.url + "/v1/digest"],
                          capture_output=True, timeout=60)
    assert json.loads(done.stdout)["sha256"] == hashlib.sha256(made(size)).hexdigest(), done.stderr


def test_a_stream_may_be_asked_for_with_a_body(weir, origin, client):
    def script(peer):
        peer.read_head()
        while not peer.buffer.endswith(b"}"):
            peer.buffer += peer._receive()
        peer.send(STREAM_HEAD)
        peer.send_records(count=5)
        peer.send(LAST_CHUNK)
    proxy = weir(route(origin(script).url, rate="{ default: 50/second }"))
    connection = client(proxy)
    connection.send(head("/query", "Content-Length: 13") + b'{"select":1}}')
    response = connection.response()
    assert response.head["X-Stream-Id"]
    assert [entry.number for entry in response.records()] == [1, 2, 3, 4, 5] and response.complete


# As fast as it is taken


def filled(sock):
    """Sends until nothing more is taken for a while; returns how many bytes were."""
    sock.settimeout(1)
    sent = 0
    try:
        while sent < 64 << 20:
            sent += sock.send(bytes(65536))
    except TimeoutError:
        pass
    return sent


def test_an_upstream_that_does_not_read_pauses_the_client(weir, origin):
    go, got = threading.Event(), []

    def script(peer):
        peer.read_head()
        go.wait()
        received = len(peer.buffer)
        while received < 64 << 20:
            received += len(peer._receive())
        got.append(received)
        peer.send(OK)
    proxy = weir(route(origin(script).url))
    before = proxy.resident()
    with socket.create_connection(("127.0.0.1", proxy.port)) as sock:
        sock.sendall(head("/", f"Content-Length: {64 << 20}"))
        sent = filled(sock)
        # What the kernel takes on both sides, and a little that is weir's.
        assert sent < 32 << 20
        if "SANITIZED" not in os.environ:  # a sanitizer's own memory is not weir's
            assert proxy.resident() - before < 4 << 20
        go.set()
        sock.settimeout(60)
        while sent < 64 << 20:
            sent += sock.send(bytes(min(65536, (64 << 20) - sent)))
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    assert got == [64 << 20]


# Given up


def test_an_upstream_may_answer_before_it_has_the_body(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 413 Too much\r\nContent-Length: 4\r\nConnection: close\r\n\r\nless")
        peer.wait_gone()
    proxy = weir(route(origin(script).url))
    connection = client(proxy)
    connection.send(head("/", "Content-Length: 1000000") + bytes(1000))
    response = connection.response()
    assert (response.status, response.read()) == (413, b"less")
    # The rest of the body would be taken for another request.
    assert response.head["Connection"] == "close"


def test_a_disconnect_within_the_body_ends_the_request(weir, origin, client):
    upstream = origin(lambda peer: (peer.read_head(), peer.wait_gone()))
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    connection.send(head("/", "Content-Length: 1000000") + bytes(1000))
    eventually(lambda: upstream.heads, "the request at the upstream")
    connection.close()
    assert proxy.logged(event="end")["reason"] == "client_gone"
    eventually(lambda: upstream.peers[0].gone, "the end at the upstream")


@pytest.mark.parametrize("ending", [b"x\r\n", b"5\r\nabcdefg\r\n", b"-1\r\n", b"10000000000000000\r\n"])
def test_a_chunk_that_is_malformed_ends_the_request(weir, origin, client, ending):
    upstream = origin(lambda peer: (peer.read_head(), peer.wait_gone()))
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    connection.send(head("/", "Transfer-Encoding: chunked") + chunk(b"abc"))
    eventually(lambda: upstream.heads, "the request at the upstream")
    connection.send(ending)
    problem(connection.response(), 400, "invalid-request")
    eventually(lambda: upstream.peers[0].gone, "the end at the upstream")


@pytest.mark.parametrize("length", ["1001", "99999999999999999999"])
def test_a_body_with_a_length_over_the_limit_is_not_read(weir, origin, client, length):
    upstream = origin(lambda peer: peer.read_head())
    proxy = weir(route(upstream.url, max_body_bytes="1000"))
    connection = client(proxy)
    connection.send(head("/", f"Content-Length: {length}"))
    assert connection.response().status in (400, 413)
    assert not upstream.heads


def test_a_body_that_turns_out_too_large_is_rejected(weir, origin, client):
    upstream = origin(lambda peer: (peer.read_head(), peer.wait_gone()))
    proxy = weir(route(upstream.url, max_body_bytes="1000"))
    connection = client(proxy)
    connection.send(head("/", "Transfer-Encoding: chunked") + chunk(bytes(600)) + chunk(bytes(600)))
    problem(connection.response(), 413, "too-large")
    eventually(lambda: all(peer.gone for peer in upstream.peers), "the end at the upstream")


def test_a_body_of_just_the_size_is_passed(weir, fastapi_app, client):
    connection = client(weir(route(fastapi_app.url, max_body_bytes="1000")))
    connection.send(head("/v1/digest", "Content-Length: 1000") + bytes(1000))
    assert connection.response().json()["length"] == 1000
    connection.send(head("/v1/digest", "Transfer-Encoding: chunked") + chunk(bytes(1000)) + LAST_CHUNK)
    assert connection.response().json()["length"] == 1000


def test_a_missing_body_times_out(weir, origin, client):
    upstream = origin(lambda peer: (peer.read_head(), peer.wait_gone()))
    proxy = weir(route(upstream.url, timeouts="{ body: 300ms }"))
    connection = client(proxy)
    connection.send(head("/", "Content-Length: 1000") + bytes(10))
    problem(connection.response(), 408, "request-timeout")
    eventually(lambda: upstream.peers[0].gone, "the end at the upstream")


def test_an_upstream_that_waits_for_the_body_is_not_late(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.take(2)
        peer.send(OK)
    upstream, silent = origin(script), origin(lambda peer: (peer.read_head(), peer.wait_gone()))
    proxy = weir(route(upstream.url, match="/waits", timeouts="{ first_byte: 2s, body: 60s }"),
                 route(silent.url, timeouts="{ first_byte: 2s }"))
    connection = client(proxy)
    connection.send(head("/waits", "Content-Length: 2") + b"a")
    eventually(lambda: upstream.peers and b"a" in upstream.peers[0].buffer, "half of the body at the upstream")
    # Another request, that came later, has been waited for long enough.
    problem(client(proxy).get("/"), 504, "upstream-timeout")
    connection.send(b"b")
    assert connection.response().status == 200


# Expect: 100-continue (RFC 9110, section 10.1.1)


def test_an_upstream_that_refuses_at_once_spares_the_body(weir, origin, client):
    upstream = origin(lambda peer: (peer.read_head(), peer.send(
        b"HTTP/1.1 401 Who?\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), peer.wait_gone()))
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    connection.send(head("/", "Content-Length: 1000000", "Expect: 100-continue"))
    assert connection.head().status == 401
    assert b"expect: 100-continue" in upstream.heads[0].lower()


def test_an_expecting_client_gets_100_continue(weir, fastapi_app, client):
    connection = client(weir(route(fastapi_app.url)))
    connection.send(head("/v1/digest", "Content-Length: 3", "Expect: 100-continue"))
    assert connection.head().status == 100
    connection.send(b"abc")
    assert connection.response().json()["length"] == 3


# What is no body


@pytest.mark.parametrize("fields", [
    ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: identity"], ["Transfer-Encoding: chunked", "Content-Length: 3"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], ["Content-Length: 3", "Content-Length: 4"],
    ["Content-Length: +3"], ["Content-Length: 3,3"], ["Content-Length: 0x3"]])
def test_a_length_that_others_may_read_otherwise_is_refused(weir, origin, client, fields):
    upstream = origin(lambda peer: peer.read_head())
    connection = client(weir(route(upstream.url)))
    connection.send(head("/", *fields) + b"3\r\nabc\r\n0\r\n\r\n")
    problem(connection.response(), 400, "invalid-request")
    assert not upstream.heads
