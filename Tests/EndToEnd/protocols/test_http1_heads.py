"""Heads of HTTP/1.1 that other proxies get wrong: bytes above 0x7F, rare methods, odd lengths, many fields."""
import http.server
import shutil
import subprocess
import threading

import pytest

from harness.problems import problem
from harness.scripted_origin import answers
from harness.waiting import eventually
from harness.weir import route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BYTES = bytes(range(0x80, 0x100))


# Bytes of values (RFC 9110, 5.5)


def test_bytes_of_a_request_value_reach_the_upstream_unchanged(weir, origin, client):
    upstream = origin(answers(OK))
    connection = client(weir(route(upstream.url)))
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Bytes: a%bz\r\nCookie: n=\xe9\r\n\r\n" % BYTES)
    assert connection.response().read() == b"ok"
    assert b"\r\nX-Bytes: a%bz\r\n" % BYTES in upstream.heads[0]
    assert b"\r\nCookie: n=\xe9\r\n" in upstream.heads[0]


def test_bytes_of_a_response_value_reach_the_client_unchanged(weir, origin, client):
    upstream = origin(answers(b"HTTP/1.1 200 D\xe9j\xe0 vu\r\nContent-Length: 2\r\nX-Bytes: a%bz\r\n\r\nok" % BYTES))
    response = client(weir(route(upstream.url))).get("/")
    assert response.head["X-Bytes"].encode("latin-1") == b"a%bz" % BYTES
    assert response.read() == b"ok"


def test_bytes_of_trailers_are_unchanged_in_both_directions(weir, origin, client):
    def script(peer):
        peer.read_head()
        while b"\r\n\r\n" not in peer.buffer:
            peer.buffer += peer.sock.recv(65536)
        received.append(peer.buffer)
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: %b\r\n\r\n" % BYTES)

    received = []
    connection = client(weir(route(origin(script).url)))
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                    b"2\r\nhi\r\n0\r\nX-Sum: %b\r\n\r\n" % BYTES)
    data = b""
    while not data.endswith(b"\r\n\r\n") or b"0\r\nX" not in data:
        data += connection.sock.recv(65536)
    assert data.endswith(b"0\r\nX-Sum: %b\r\n\r\n" % BYTES)
    assert received[0].endswith(b"0\r\nX-Sum: %b\r\n\r\n" % BYTES)


def test_keys_that_differ_in_one_byte_are_two_clients(weir, origin, client):
    upstream = origin(lambda peer: (peer.read_head(), peer.wait_gone()))
    proxy = weir(route(upstream.url, client_key="{ header: X-Api-Key }", streams="{ per_client: 1 }"))
    first, second, third = client(proxy), client(proxy), client(proxy)
    first.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key: k\xe9\r\n\r\n")
    second.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key: k\xe8\r\n\r\n")
    eventually(lambda: len(upstream.heads) == 2, "both requests at the upstream")
    third.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key: k\xe8 \t\r\n\r\n")
    problem(third.response(), 429, "too-many-streams")


@pytest.mark.parametrize("agent", ["Zo\u00eb".encode(), b"Zo\xeb"], ids=["UTF-8", "ISO 8859-1"])
def test_the_log_shows_text_in_the_encoding_that_was_meant(weir, origin, client, agent):
    proxy = weir(route(origin(answers(OK)).url), access_log="{ path: \"-\", format: combined }")
    connection = client(proxy)
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: %b\r\n\r\n" % agent)
    assert connection.response().read() == b"ok"
    eventually(lambda: '"Zo\\xC3\\xAB"' in (proxy.folder / "stdout").read_text(), "the line")


# Methods (RFC 9110, 9.1: any token)


@pytest.mark.parametrize("method", ["LIST", "BAN", "WATCH", "RPC_IN_DATA", "VERSION-CONTROL", "M-SEARCH", "get"])
def test_any_method_passes(weir, origin, client, method):
    upstream = origin(answers(OK))
    connection = client(weir(route(upstream.url, match=f"{{ path: /, methods: [{method}] }}" if method.isupper() else "/")))
    for _ in range(2):
        assert connection.get("/x", method=method).read() == b"ok"
    assert all(head.startswith(method.encode() + b" /x HTTP/1.1\r\n") for head in upstream.heads)
    assert len(upstream.heads) == 2


# Upgrade (RFC 9110, 7.8: ignored)


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_an_upgrade_is_ignored_and_the_connection_is_kept(weir, origin, client, protocol):
    upstream = origin(answers(OK))
    connection = client(weir(route(upstream.url)))
    for _ in range(2):
        response = connection.get("/", "Connection: Upgrade, HTTP2-Settings", f"Upgrade: {protocol}", "HTTP2-Settings: A")
        assert response.head["Connection"] is None
        assert response.read() == b"ok"
    assert not any(b"upgrade" in head.lower() for head in upstream.heads)


# Limits


def test_more_fields_than_the_limit_are_refused_with_that_limit(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url))
    refused = client(proxy).get("/", *[f"X-{number}: v" for number in range(300)])
    assert "256 fields" in problem(refused, 431, "too-large")["detail"]
    assert not upstream.heads
    assert client(proxy).get("/", *[f"X-{number}: v" for number in range(255)]).read() == b"ok"


# Content-Length (RFC 9112, 6.3)


class EchoHandler(http.server.BaseHTTPRequestHandler):
    """Reads by Content-Length alone, as many servers do."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.command, self.path, self.headers["Transfer-Encoding"], body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def http_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler)
    server.requests, server.daemon_threads = [], True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


NODE = """
require('http').createServer((request, response) => {
    let body = ''
    request.on('data', data => body += data)
    request.on('end', () => response.end(JSON.stringify([request.method, request.url, request.headers, body])))
}).listen(0, '127.0.0.1', function () { console.log(this.address().port) })
"""


@pytest.fixture
def node_server():
    if not shutil.which("node"):
        pytest.skip("needs node")
    process = subprocess.Popen(["node", "-e", NODE], stdout=subprocess.PIPE, text=True)
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    process.kill()
    process.wait()


ACCEPTED = [b" 5", b" 5 ", b"\t5", b" 5\t", b"5", b" 05", b" 000000000000000005"]
REJECTED = [b" +5", b" -5", b" 5,5", b" 5, 6", b" 1234567890123456789", b" 9999999999999999999", b"", b" ", b" 5 5", b" 0x5",
            b" 5\r\nContent-Length: 5", b" 5\r\nTransfer-Encoding: chunked", b" 5\x0b"]
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("length", ACCEPTED)
def test_a_length_is_one_number_for_every_upstream(weir, http_server, node_server, client, length):
    proxy = weir(route(http_server.url, match="/python"), route(node_server, match="/node"))
    connection = client(proxy)
    for _ in range(3):
        connection.send(b"POST /python HTTP/1.1\r\nHost: a\r\nContent-Length:%b\r\n\r\nhello" % length)
        assert connection.response().read() == b"hello"
        connection.send(b"POST /node HTTP/1.1\r\nHost: a\r\nContent-Length:%b\r\n\r\nhello" % length)
        method, path, headers, body = connection.response().json()
        assert (method, path, headers["content-length"], body) == ("POST", "/node", "5", "hello")
        assert "transfer-encoding" not in headers
    assert http_server.requests == [("POST", "/python", None, b"hello")] * 3


def test_what_follows_a_length_with_white_space_is_no_request_of_the_upstream(weir, http_server, client):
    """The route allows /public alone; the rest of the body is not a second request."""
    proxy = weir(route(http_server.url, match="/public"))
    connection = client(proxy)
    connection.send(b"POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: %d \r\n\r\n%b" % (len(SMUGGLED), SMUGGLED))
    assert connection.response().read() == SMUGGLED
    assert [path for _, path, _, _ in http_server.requests] == ["/public"]


@pytest.mark.parametrize("length", REJECTED)
def test_any_other_length_is_refused(weir, origin, client, length):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:%b\r\n\r\nhello" % length + SMUGGLED)
    problem(connection.response(), 400, "invalid-request")
    assert connection.is_closed()
    assert not upstream.heads
    assert client(proxy).get("/").read() == b"ok"


# Pipelining


def test_a_fault_after_a_request_is_answered_after_its_response(weir, origin, client):
    connection = client(weir(route(origin(answers(OK)).url)))
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nA b\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.response().read() == b"ok"
    problem(connection.response(), 400, "invalid-request")
    assert connection.is_closed()


def test_requests_after_an_open_response_stay_in_the_socket(weir, origin, client):
    """A client that sends requests without an end is held by its own socket, not in memory."""
    upstream = origin(lambda peer: (peer.read_head(), peer.wait_gone()))
    connection = client(weir(route(upstream.url)))
    connection.sock.settimeout(1)
    flood = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 4096
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 64 << 20:
            sent += connection.sock.send(flood)
    assert len(upstream.heads) == 1
