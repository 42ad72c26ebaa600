"""An upstream connection is used again only if both messages on it are complete and nothing has arrived since."""
import threading

import pytest

from harness.addresses import endless, numbers
from harness.certificates import Authority
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, PeerGone, chunk, record
from harness.waiting import eventually
from harness.weir import route

FORGED = b"HTTP/1.1 200 OK\r\nSet-Cookie: forged=1\r\nContent-Length: 6\r\n\r\nforged"
FRAMINGS = {
    "/length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "/empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "/204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/204-length": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
    "/204-chunked": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    "/304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
    "/head": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    "/head-chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
}


def path_of(head):
    return head.split(b" ", 2)[1].decode()


def ok(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def echo(peer):
    """Answers each request with its path, and keeps the connection."""
    while True:
        peer.send(ok(path_of(peer.read_head()).encode()))


def answers_paths(special, act):
    """A script: runs `act` for the special path, answers each other request with its path, and keeps the connection."""
    def script(peer):
        while True:
            path = path_of(peer.read_head())
            if path == special:
                act(peer)
            else:
                peer.send(ok(path.encode()))
    return script


# Bytes after a response


@pytest.mark.parametrize("late", [False, True], ids=["with the response", "after the client has it"])
def test_late_bytes_are_not_the_next_response(weir, origin, client, late):
    received, sent = threading.Semaphore(0), []

    def script(peer):
        while True:
            path = path_of(peer.read_head())
            if path not in FRAMINGS:
                peer.send(ok(path.encode()))
                continue
            try:
                if late:
                    peer.send(FRAMINGS[path])
                    assert received.acquire(timeout=60)
                    peer.send(FORGED)
                else:
                    peer.send(FRAMINGS[path] + FORGED)
            finally:
                sent.append(path)

    proxy = weir(route(origin(script).url))
    for path, response in FRAMINGS.items():
        first = client(proxy).get(path, method="HEAD" if path.startswith("/head") else "GET")
        assert first.status == int(response[9:12]) and b"forged" not in first.read()
        received.release()
        eventually(lambda: path in sent, "late bytes")
        for number in range(3):
            second = client(proxy).get(f"/next/{number}")
            assert second.read() == f"/next/{number}".encode() and second.head["Set-Cookie"] is None, path


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_bytes_after_a_response_within_its_tls_record_are_not_the_next_response(
        weir, origin, client, tmp_path, pieces):
    """What OpenSSL has decrypted is not seen at the socket any more."""
    authority = Authority(tmp_path)
    bodies = {1: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + FORGED],
              2: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok" + FORGED],
              3: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"o", b"k" + FORGED]}

    def first(peer):
        for piece in bodies[pieces]:
            peer.send(piece)

    script = answers_paths("/first", first)
    proxy = weir(route(origin(script, tls=authority.server()).url, upstream_tls=f"{{ ca_file: {authority.pem} }}"))
    for _ in range(5):
        assert client(proxy).get("/first").read() == b"ok"
        assert client(proxy).get("/second").read() == b"/second"


def test_a_connection_on_which_something_arrives_is_closed_at_once(weir, origin, client):
    received, closed = threading.Event(), threading.Event()

    def script(peer):
        path = path_of(peer.read_head())
        peer.send(ok(path.encode()))
        assert received.wait(60)
        peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        try:
            peer.wait_gone()
        finally:
            closed.set()

    proxy = weir(route(origin(script).url))
    assert client(proxy).get("/first").read() == b"/first"
    received.set()
    assert closed.wait(60)


def test_an_idle_connection_is_not_used_after_four_seconds(weir, origin, client):
    upstream = origin(echo)
    proxy = weir(route(origin(endless()).url, match="/clock", rate="{ default: 14/minute }"), route(upstream.url))
    assert client(proxy).get("/first").read() == b"/first"
    assert numbers(client(proxy).get("/clock").records(), 2) == [1, 2]  # more than four seconds lie between the two
    assert client(proxy).get("/second").read() == b"/second"
    assert len(upstream.peers) == 2


OF_HEAD = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 67\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "neither": b"HTTP/1.1 200 OK\r\n\r\n",
    "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 67\r\n\r\n",
}
WITHOUT_CONTENT = {
    f"{status} {name}": b"HTTP/1.1 %d Any\r\n%b\r\n\r\n" % (status, field)
    for status in (204, 304)
    for name, field in [("length", b"Content-Length: 67"), ("chunked", b"Transfer-Encoding: chunked")]
}
MISPLACED = [*(("HEAD", head) for head in OF_HEAD.values()), *(("GET", head) for head in WITHOUT_CONTENT.values())]


@pytest.mark.parametrize("method, head", MISPLACED, ids=[*(f"HEAD {name}" for name in OF_HEAD), *WITHOUT_CONTENT])
def test_content_of_a_response_that_has_none_is_not_the_next_response(weir, origin, client, method, head):
    """RFC 9110, section 9.3.2: servers whose HEAD is their GET send it, here once the next request has arrived."""
    def script(peer):
        path = path_of(peer.read_head())
        if path != "/first":
            return peer.send(ok(path.encode()))
        peer.send(head)
        peer.read_head()
        peer.send(FORGED)

    upstream = origin(script)
    proxy = weir(route(upstream.url))
    for number in range(3):
        first = client(proxy).get("/first", method=method)
        assert first.status == int(head[9:12]) and first.read() == b"" and first.complete
        second = client(proxy).get(f"/second/{number}")
        assert second.read() == f"/second/{number}".encode() and second.head["Set-Cookie"] is None
    eventually(lambda: all(peer.gone for peer in upstream.peers if len(peer.heads) == 1 and b"/first" in peer.heads[0]),
               "the connections closed")


@pytest.mark.parametrize("method, head", [
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ("HEAD", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"), ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n")],
    ids=["HEAD length 0", "HEAD 204", "204", "304"])
def test_after_a_response_that_announces_no_content_the_connection_is_used_again(weir, origin, client, method, head):
    def script(peer):
        while peer.read_head():
            peer.send(head)

    upstream = origin(script)
    proxy = weir(route(upstream.url))
    for _ in range(5):
        assert client(proxy).get("/", method=method).status == int(head[9:12])
    assert len(upstream.peers) == 1


# Requests that were not sent in full


@pytest.mark.parametrize("response", [
    ok(b"ok"), b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"], ids=["200", "204", "413", "chunked"])
def test_an_early_response_to_expect_ends_the_connection(weir, origin, client, response):
    """RFC 9110, section 10.1.1: the upstream may discard the body that was announced."""
    def announced(peer):
        peer.send(response)
        peer.take(5000)

    proxy = weir(route(origin(answers_paths("/announced", announced)).url))
    first = client(proxy)
    first.ask("/announced", "Expect: 100-continue", "Content-Length: 5000", method="POST")
    answer = first.response("POST")
    assert answer.status == int(response[9:12])
    assert answer.read() in (b"", b"ok", b"no") and answer.complete
    assert proxy.logged(path="/announced")["reason"] == "completed"
    for number in range(3):
        assert client(proxy).get(f"/next/{number}", "Cookie: secret=1").read() == f"/next/{number}".encode()


def test_a_body_that_is_never_sent_ends_the_connection(weir, origin, client):
    def announced(peer):
        peer.send(ok(b"ok"))
        peer.take(5000)

    proxy = weir(route(origin(answers_paths("/announced", announced)).url))
    first = client(proxy)
    first.ask("/announced", "Content-Length: 5000", method="POST")
    first.send(b"x" * 100)
    assert first.response("POST").read() == b"ok"
    first.close()
    proxy.logged(path="/announced")
    for number in range(3):
        assert client(proxy).get(f"/next/{number}").read() == f"/next/{number}".encode()


def test_after_a_417_the_next_request_waits_for_its_100(weir, origin, client):
    def script(peer):
        while True:
            path = path_of(peer.read_head())
            status = b"417 No" if path == "/417" else b"403 No"
            peer.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 4\r\n\r\nno!!")

    proxy = weir(route(origin(script).url))
    for _ in range(3):
        for path, status in [("/417", 417), ("/403", 403)]:
            connection = client(proxy)
            connection.ask(path, "Expect: 100-continue", "Content-Length: 5", method="POST")
            head = connection.head()
            assert head.status == status, "the upstream has sent no 100"
            assert head["Content-Length"] == ("0" if status == 417 else "4")


# Connections that the upstream closes


@pytest.mark.parametrize("ends", ["closes", "resets"])
@pytest.mark.parametrize("method, body", [
    ("GET", b""), ("DELETE", b""), ("PROPFIND", b""), ("GET", b"query"), ("PUT", b"body"), ("DELETE", b"body")])
def test_a_request_that_meets_the_close_of_an_idle_connection_is_repeated(weir, origin, client, method, body, ends):
    """Each connection serves one request, and is closed as the next one arrives."""
    def script(peer):
        peer.read_head()
        peer.send(ok(peer.take(len(body)) or b"none"))
        peer.read_head()
        if ends == "resets":
            peer.reset()

    upstream = origin(script)
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    for _ in range(40):
        connection.ask("/", *([f"Content-Length: {len(body)}"] if body else []), method=method)
        connection.send(body)
        response = connection.response(method)
        assert response.status == 200 and response.read() == (body or b"none")
    assert len(upstream.peers) == 40


def test_the_close_of_idle_connections_does_not_open_the_breaker(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.send(ok(peer.take(2)))
        peer.read_head()

    proxy = weir(route(origin(script).url, upstream_breaker="{ failures: 3, window: 30s, cooldown: 10s }"))
    statuses = []
    for _ in range(20):
        connection = client(proxy)
        connection.ask("/", "Content-Length: 2", method="POST")
        connection.send(b"ok")
        statuses.append(connection.response("POST").status)
    assert statuses == [200, 502] * 10
    assert "kept for the next request" in proxy.logged(status=502)["upstream_error"]


def test_what_arrived_before_a_reset_is_delivered_at_the_pace(weir, origin, client):
    count, reset = 300, threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + b"".join(chunk(record(number)) for number in range(1, count + 1)) + LAST_CHUNK)
        assert reset.wait(60)
        peer.reset()

    proxy = weir(route(origin(script).url, rate="{ default: 300/second }", buffer="{ default: 5 }"))
    response = client(proxy).get("/")
    records = response.records()
    first = next(records)
    reset.set()
    assert [first.number, *(each.number for each in records)] == list(range(1, count + 1))
    assert response.complete
    assert proxy.logged(reason="completed")["records"] == count


def test_a_tls_connection_closed_without_close_notify_has_broken_off(weir, origin, client, tmp_path):
    """RFC 9112, section 9.8: the end of a body that is delimited by the close is not known to be its end."""
    authority = Authority(tmp_path)

    def script(peer):
        path = path_of(peer.read_head())
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n" + record(1))
        if path == "/whole":
            peer.sock.unwrap()
        peer.close()

    proxy = weir(route(origin(script, tls=authority.server()).url, upstream_tls=f"{{ ca_file: {authority.pem} }}"))
    for path, reason in [("/whole", "completed"), ("/cut", "upstream_failed")]:
        response = client(proxy).get(path)
        assert [each.number for each in response.records()] == [1]
        assert response.complete is (reason == "completed")
        assert proxy.logged(path=path)["reason"] == reason


def test_a_chunked_body_reaches_an_upstream_of_http_1_0(weir, origin, client):
    """Connections of HTTP/1.0 are not used again: on one, libcurl could not send a chunked body."""
    def script(peer):
        while True:
            head = peer.read_head()
            body = peer.chunked_body() if b"chunked" in head.lower() else b"none"
            peer.send(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    proxy = weir(route(origin(script).url))
    for _ in range(3):
        assert client(proxy).get("/").read() == b"none"
        connection = client(proxy)
        connection.ask("/", "Transfer-Encoding: chunked", method="POST")
        connection.send(chunk(b"hello") + LAST_CHUNK)
        assert connection.response("POST").read() == b"hello"


# Responses that are not accepted


@pytest.mark.parametrize("response, reason", [
    (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding in HTTP/1.0"),
    (b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n", "reason phrase"),
    (b"HTTP/1.1 200 OK\r\r\nContent-Length: 0\r\n\r\n", "reason phrase"),
    (b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n", "status line"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "not chunked"),
    (b"HTTP/1.1 200 OK\r\nA b: c\r\nContent-Length: 0\r\n\r\n", "proper name"),
    (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70000 + b"\r\n\r\n", "64 KiB"),
])
def test_the_reason_for_a_502_is_logged(weir, origin, client, response, reason):
    proxy = weir(route(origin(lambda peer: (peer.read_head(), peer.send(response), peer.wait_gone())).url))
    assert client(proxy).get("/").status == 502
    assert reason in proxy.logged(status=502)["upstream_error"]


@pytest.mark.parametrize("body", [b"5zz\r\nhello\r\n", b"5 \r\nhello\r\n", b"2 x\r\nhe\r\n", b"5\nhello\r\n"])
def test_a_chunk_size_that_is_not_hexadecimal_breaks_the_response_off(weir, origin, client, body):
    upstream = origin(lambda peer: (peer.read_head(), peer.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + LAST_CHUNK), peer.wait_gone()))
    proxy = weir(route(upstream.url))
    response = client(proxy).get("/")
    assert response.read() == b"" and response.complete is False
    line = proxy.logged(reason="upstream_failed")
    assert "chunk size" in line["upstream_error"]
    eventually(lambda: upstream.peers[0].gone, "the connection closed")


def test_a_chunk_of_the_largest_size_is_passed_on_as_far_as_it_arrives(weir, origin, client):
    upstream = origin(lambda peer: (peer.read_head(), peer.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nhello"), peer.close()))
    response = client(weir(route(upstream.url))).get("/")
    assert response.read() == b"hello" and response.complete is False


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_only_responses_that_may_have_a_length_keep_it(weir, origin, client, status):
    proxy = weir(route(origin(lambda peer: (peer.read_head(), peer.send(
        b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\n"), peer.wait_gone())).url))
    head = client(proxy).get("/").head
    assert head["Content-Length"] == ("5" if head.status == 304 else None), "RFC 9110, section 8.6"


# Reused handles of libcurl

ROUNDS, CONNECTIONS, BATCH = 10_000, 8, 25


def pipelined(proxy, client, request, expect):
    """Sends ROUNDS requests, in batches over several connections, and checks each response by its number."""
    faults = []

    def run(first):
        connection = client(proxy)
        for start in range(first, ROUNDS, CONNECTIONS * BATCH):
            numbers = list(range(start, min(start + BATCH, ROUNDS)))
            while numbers:
                connection.send(b"".join(request(number) for number in numbers))
                try:
                    while numbers:
                        response = connection.response()
                        expect(numbers[0], response.status, response.read())
                        numbers.pop(0)
                except EOFError:  # a response that came before the end of its request: RFC 9112, section 9.6
                    connection = client(proxy)

    def guarded(first):
        try:
            run(first)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=guarded, args=[index * BATCH]) for index in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if faults:
        raise faults[0]
    assert proxy.process.poll() is None, proxy.said()


def test_uploads_that_are_answered_early_leave_nothing_to_the_next(weir, origin, client):
    """Node's http answers a request that it finds malformed before it has the body, and closes."""
    def script(peer):
        while True:
            if path_of(peer.read_head()) == "/bad":
                peer.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                raise PeerGone
            peer.send(ok(peer.chunked_body()))

    def request(number):
        body = chunk(b"hello %d" % number) + LAST_CHUNK
        path = b"/bad" if number % 4 == 0 else b"/good"
        return b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body

    def expect(number, status, body):
        if number % 4 == 0:
            assert status in (400, 502)
        else:
            assert (status, body) == (200, b"hello %d" % number)

    proxy = weir(route(origin(script).url, upstream_breaker="off"))
    pipelined(proxy, client, request, expect)


def test_responses_with_a_folded_first_line_are_refused_on_reused_handles(weir, origin, client):
    def script(peer):
        while True:
            path = path_of(peer.read_head())
            folded = b" X: a\r\n" if path == "/bad" else b""
            peer.send(b"HTTP/1.1 200 OK\r\n" + folded + b"Content-Length: 2\r\n\r\nok")

    def request(number):
        return b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"/bad" if number % 4 == 0 else b"/good")

    def expect(number, status, body):
        assert status == 502 if number % 4 == 0 else (status, body) == (200, b"ok")

    proxy = weir(route(origin(script).url, upstream_breaker="off"))
    pipelined(proxy, client, request, expect)
