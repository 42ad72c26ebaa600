"""Where a request ends: weir and its upstream never have two opinions about it."""
import http.server
import json
import subprocess
import threading

import pytest

from harness.problems import problem
from harness.scripted_origin import answers
from harness.waiting import eventually
from harness.weir import route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
# What the attack needs: enough chunks of one byte that the framing of a chunked body, read by Content-Length, leaves the end of
# its last chunk to be read as a request.
PIECES, LAST = 20, 200
HIDDEN = b"GET /private HTTP/1.1\r\nHost: a\r\nX-Pad: "
HIDDEN += b"p" * (5 * PIECES + len("c8\r\n") - len(HIDDEN) - len("\r\n\r\n")) + b"\r\n\r\n"
BODY = b"x" * (PIECES + LAST - len(HIDDEN)) + HIDDEN

NODE = """
const paths = []
const server = require('http').createServer((request, response) => {
  paths.push(request.url)
  request.resume().on('end', () => response.end(request.url == '/public/paths' ? JSON.stringify(paths) : request.url))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
"""


class Paths(http.server.BaseHTTPRequestHandler):
    """Reads bodies by Content-Length alone, as the class that it is made of invites to, and answers with the path."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.paths.append(self.path)
        missing = int(self.headers["Content-Length"] or 0)
        while missing and (part := self.rfile.read1(missing)):
            missing -= len(part)
            self.server.received += len(part)
        body = json.dumps(self.server.paths).encode() if self.path == "/public/paths" else self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class PythonServer:
    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Paths)
        self.server.daemon_threads, self.server.block_on_close = True, False
        self.server.paths, self.server.received = [], 0
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def await_more_than(self, received):
        eventually(lambda: self.server.received > received, "bytes of the body at the upstream")

    @property
    def received(self):
        return self.server.received

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class NodeServer:
    received = 0

    def __init__(self):
        self.process = subprocess.Popen(["node", "-e", NODE], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def await_more_than(self, received):
        """Node reads no body that has two lengths, so there is nothing to wait for."""

    def stop(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(params=[PythonServer, NodeServer])
def upstream(request):
    server = request.param()
    yield server
    server.stop()


def own_responses(proxy, client):
    """Asks as other clients do, and returns the paths that the upstream has seen."""
    for number in range(3):
        assert client(proxy).get(f"/public/{number}").read() == f"/public/{number}".encode()
    return client(proxy).get("/public/paths").json()


@pytest.mark.parametrize("space", [" ", "   "])
def test_a_request_in_a_body_stays_in_it(weir, client, upstream, space):
    proxy = weir(route(upstream.url, match="/public"))
    attacker = client(proxy)
    attacker.send(b"POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: %d%b\r\n\r\n" % (len(BODY), space.encode()))
    for piece in [b"x"] * PIECES:
        received = upstream.received
        attacker.send(piece)
        upstream.await_more_than(received)
    attacker.send(BODY[PIECES:])
    assert attacker.response().read() == b"/public"
    assert "/private" not in own_responses(proxy, client)


@pytest.mark.parametrize("length, body", [
    ("0 ", b""), ("9999999999999999999", BODY), ("+5", b"hello"), ("5, 5", b"hello"), ("5 ", b"hello"),
])
def test_the_next_client_gets_its_own_response(weir, client, upstream, length, body):
    proxy = weir(route(upstream.url, match="/public"))
    attacker = client(proxy)
    attacker.send(b"POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: %b\r\n\r\n" % length.encode() + body)
    assert attacker.response().status in (200, 400)
    assert "/private" not in own_responses(proxy, client)


def sent(upstream, name):
    lines = upstream.heads[-1].decode("latin-1").split("\r\n")[1:]
    return [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].lower() == name]


@pytest.mark.parametrize("length, number", [("5", "5"), ("5 ", "5"), ("  5  ", "5"), ("035", "35"), ("0", "0"), ("000", "0"),
                                            ("0 ", "0")])
def test_one_number_is_forwarded_as_one_number(weir, origin, client, length, number):
    upstream = origin(answers(OK))
    connection = client(weir(route(upstream.url)))
    connection.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:{length}\r\n\r\n".encode() + b"x" * int(number))
    assert connection.response().read() == b"ok"
    assert sent(upstream, "content-length") == [number]
    assert sent(upstream, "transfer-encoding") == []
    assert connection.get("/").read() == b"ok"


@pytest.mark.parametrize("fields", [
    b"Content-Length: 5, 5", b"Content-Length: +5", b"Content-Length: -5", b"Content-Length: ", b"Content-Length: 5 5",
    b"Content-Length: 0x5", b"Content-Length: 5;a", b"Content-Length: 5.0", b"Content-Length: 5_0", b"Content-Length: \xb2",
    b"Content-Length: 9999999999999999999", b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: 5\r\ncontent-length: 5", b"Content-Length: 5 \r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked;a=b", b"Transfer-Encoding: ", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
])
def test_what_is_no_length_closes_the_connection(weir, origin, client, fields):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url))
    # The order of the checks does not matter: no path is answered before the end of the request is known.
    for path in (b"/", b"/v1/health"):
        connection = client(proxy)
        connection.send(b"POST %b HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n" % (path, fields))
        response = connection.response()
        problem(response, 400, "invalid-request")
        assert response.head["Connection"] == "close"
    assert upstream.heads == []


def test_a_body_over_the_limit_is_refused_however_its_length_is_written(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url, max_body_bytes="4"))
    for length in ("5", "5 ", "005"):
        connection = client(proxy)
        connection.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode())
        problem(connection.response(), 413, "too-large")
    assert upstream.heads == []


def test_a_chunked_body_has_no_length(weir, origin, client):
    def script(peer):
        while peer.read_head():
            while b"0\r\n\r\n" not in peer.buffer:
                peer.buffer += peer._receive()
            peer.buffer = b""
            peer.send(OK)

    upstream = origin(script)
    connection = client(weir(route(upstream.url)))
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked \r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    assert connection.response().read() == b"ok"
    assert sent(upstream, "transfer-encoding") == ["chunked"]
    assert sent(upstream, "content-length") == []


@pytest.mark.parametrize("method, lengths", [("POST", ["0"]), ("PUT", ["0"]), ("PATCH", ["0"]), ("GET", []), ("DELETE", [])])
def test_a_request_without_a_body_says_so_where_its_method_has_one(weir, origin, client, h2, method, lengths):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url))
    assert client(proxy).get("/", method=method).read() == b"ok"
    assert sent(upstream, "content-length") == lengths
    connection = h2(proxy)
    stream = connection.ask("/", method=method)
    connection.until(lambda: stream.over)
    assert stream.status == 200
    assert sent(upstream, "content-length") == lengths
    assert sent(upstream, "transfer-encoding") == []


@pytest.mark.parametrize("expectation", ["200-ok", "100-continue, x", "100-continue;x"])
def test_an_expectation_that_weir_does_not_know_is_refused(weir, origin, client, expectation):
    upstream = origin(answers(OK))
    connection = client(weir(route(upstream.url)))
    problem(connection.get("/", f"Expect: {expectation}"), 417, "invalid-request")
    assert upstream.heads == []


def test_the_client_gets_its_go_ahead_however_it_writes_the_expectation(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        while b"hello" not in peer.buffer:
            peer.buffer += peer._receive()
        peer.send(OK)

    connection = client(weir(route(origin(script).url)))
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 \r\nExpect: 100-Continue \r\n\r\n")
    assert connection.head().status == 100
    connection.send(b"hello")
    assert connection.response().read() == b"ok"
