"""Faults of upstreams are reported as such: by a problem before the head, by a visibly truncated body after it."""
import contextlib
import socket
import threading
import time

import httpx
import pytest

from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, falls_silent, record
from harness.tools import curl, fetch
from harness.waiting import eventually
from harness.weir import route


def closes(peer):
    peer.read_head()


def resets(peer):
    peer.read_head()
    peer.reset()


def silent(peer):
    peer.read_head()
    peer.wait_gone()


def test_a_refused_connection_is_502(weir, client, reserved_port):
    proxy = weir(route(reserved_port().url))
    problem(client(proxy).get("/"), 502, "bad-upstream")
    assert proxy.logged(reason="upstream_failed", status=502)


def test_an_upstream_whose_name_has_no_address_is_502(weir, client):
    # RFC 6761 promises that no such name exists.
    refusal = problem(client(weir(route("http://orders.invalid"))).get("/"), 502, "bad-upstream")
    assert refusal["detail"] == "The upstream's name has no address"


@pytest.mark.parametrize("script", [closes, resets])
def test_an_upstream_that_goes_before_it_answers_is_502(weir, origin, client, script):
    proxy = weir(route(origin(script).url))
    problem(client(proxy).get("/"), 502, "bad-upstream")


@pytest.mark.parametrize("answer", [
    b"GARBAGE\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"HTTP/1.1 xyz OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nX-Name : value\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nBad Name: value\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nX-Nul: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nX-Huge: " + b"h" * (2 << 20) + b"\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nX-Cut: here",
], ids=["no status line", "TLS", "status", "two lengths", "a list of lengths", "negative length", "length in words",
        "no colon", "space before the colon", "space in a name", "NUL", "huge head", "unknown coding", "cut head"])
def test_a_malformed_answer_is_502(weir, origin, client, answer):
    def script(peer):
        peer.read_head()
        peer.send(answer)

    proxy = weir(route(origin(script).url, timeouts="{ first_byte: 30s }"))
    problem(client(proxy).get("/"), 502, "bad-upstream")


def test_an_upstream_that_does_not_answer_in_time_is_504(weir, origin, client):
    upstream = origin(silent)
    proxy = weir(route(upstream.url, timeouts="{ first_byte: 500ms }"))
    problem(client(proxy).get("/"), 504, "upstream-timeout")
    assert proxy.logged(reason="upstream_timeout", status=504)
    eventually(lambda: upstream.peers[0].gone, "the origin's connection closed")


@pytest.fixture
def deaf():
    """The address of a listener whose queue is full: the kernel drops further requests for a connection."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}"


def test_an_upstream_that_does_not_take_the_connection_is_504(weir, deaf, client):
    proxy = weir(route(deaf, timeouts="{ connect: 500ms }"))
    problem(client(proxy).get("/"), 504, "upstream-timeout")


def test_a_connect_timeout_does_not_delay_the_next_connection(weir, deaf, origin, client):
    """libcurl may close a socket without a word while it connects; the next one has its number, and must be watched."""
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    upstream = origin(lambda peer: (peer.read_head(), peer.send(closing)))
    proxy = weir(route(deaf, match="/deaf", timeouts="{ connect: 100ms }"), route(upstream.url))
    connection = client(proxy)

    def is_watched():
        problem(connection.get("/deaf"), 504, "upstream-timeout")
        asked = time.monotonic()
        assert connection.get("/").status == 200
        return time.monotonic() - asked < 0.15

    # Without the watch none is answered before libcurl itself looks again, after 200 ms; a busy machine may delay some.
    eventually(is_watched, "a response before libcurl's own timer")


def test_a_slow_head_is_waited_for(weir, app, client):
    proxy = weir(route(app.url, timeouts="{ first_byte: 10s }"))
    assert client(proxy).get("/v1/slow?seconds=0.5").json() == {"waited": 0.5}


def resetting_on_command():
    """A script that resets in mid chunk, and the event that makes it do so."""
    now = threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + b"".join(chunk(record(number)) for number in (1, 2, 3)))
        peer.send(b'40\r\n{"orderId":4,')
        assert now.wait(60)
        peer.reset()

    return script, now


def test_a_stream_that_breaks_off_never_ends_with_the_last_chunk(weir, origin, client):
    script, now = resetting_on_command()
    proxy = weir(route(origin(script).url))
    response = client(proxy).get("/")
    records = response.records()
    assert [next(records).number for _ in range(3)] == [1, 2, 3]
    now.set()
    assert list(records) == []  # and nothing of the cut record
    assert response.complete is False
    line = proxy.logged(reason="upstream_failed")
    assert (line["status"], line["records"]) == (200, 3)


def closes_mid_chunk(peer):
    peer.read_head()
    peer.send(STREAM_HEAD + chunk(record(1)) + b'40\r\n{"orderId":2,')


def closes_before_the_last_chunk(peer):
    peer.read_head()
    peer.send(STREAM_HEAD + chunk(record(1)))


def sends_a_bad_chunk_size(peer):
    peer.read_head()
    peer.send(STREAM_HEAD + chunk(record(1)) + b"zz\r\n")
    peer.wait_gone()


def closes_before_the_length(peer):
    peer.read_head()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n" + record(1))


CUT = [closes_mid_chunk, closes_before_the_last_chunk, sends_a_bad_chunk_size, closes_before_the_length]


@pytest.mark.parametrize("script", CUT)
def test_a_truncated_body_looks_truncated(weir, origin, client, script):
    proxy = weir(route(origin(script).url))
    response = client(proxy).get("/")
    assert [each.number for each in response.records()] == [1]
    assert response.complete is False
    assert proxy.logged(reason="upstream_failed")["records"] == 1


def test_a_truncated_body_of_no_stream_looks_truncated(weir, origin, client):
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nhello"

    def script(peer):
        peer.read_head()
        peer.send(answer)

    proxy = weir(route(origin(script).url))
    response = client(proxy).get("/")
    assert (response.read(), response.complete) == (b"hello", False)


def test_every_client_sees_that_a_real_app_broke_off(weir, app):
    proxy = weir(route(app.url))
    url = proxy.url + "/v1/breaks-off?after=20"
    cut = curl(url)
    assert cut.exit_status == 18  # "transfer closed with outstanding read data remaining"
    assert [line["orderId"] for line in cut.lines()] == list(range(1, 21))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url, trust_env=False)
    result = fetch(url)
    assert result["error"] and len(result["lines"]) == 20


def test_a_stream_that_falls_silent_is_ended(weir, origin, client):
    upstream = origin(falls_silent)
    proxy = weir(route(upstream.url, timeouts="{ idle: 500ms }"))
    response = client(proxy).get("/")
    assert [each.number for each in response.records()] == [1]
    assert response.complete is False
    assert proxy.logged(reason="upstream_timeout")
    eventually(lambda: upstream.peers[0].gone, "the origin's connection closed")


def test_while_we_pause_the_upstream_its_silence_is_ours(weir, origin, client):
    upstream = origin(answers(STREAM_HEAD + b"".join(chunk(record(n, 1024)) for n in range(1, 31)) + LAST_CHUNK))
    proxy = weir(route(upstream.url, rate="{ default: 10/second }", buffer="{ default: 2 }",
                       timeouts="{ idle: 500ms }"))
    response = client(proxy).get("/")
    assert [each.number for each in response.records()] == list(range(1, 31))
    assert response.complete


def test_the_total_time_is_kept(weir, app, client):
    proxy = weir(route(app.url, rate="{ default: 10/second }", timeouts="{ total: 1s }"))
    response = client(proxy).get("/v1/orders/stream")
    assert 1 <= len(list(response.records())) <= 13
    assert response.complete is False
    assert proxy.logged(event="end")["duration"] >= 1


def test_a_reset_during_a_pause_fails_after_the_records_before_it(weir, origin, client):
    now = threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + b"".join(chunk(record(number)) for number in range(1, 301)))
        assert now.wait(60)
        peer.reset()

    proxy = weir(route(origin(script).url, rate="{ default: 300/second }", buffer="{ default: 3 }"))
    response = client(proxy).get("/")
    records = response.records()
    assert next(records).number == 1
    now.set()
    assert [each.number for each in records] == list(range(2, 301))
    assert response.complete is False
    proxy.logged(reason="upstream_failed", records=300)


def test_a_close_after_the_last_chunk_is_no_failure(weir, origin, client):
    count = 200
    head = STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    def script(peer):
        peer.read_head()
        peer.send(head + b"".join(chunk(record(number, 500)) for number in range(1, count + 1)) + LAST_CHUNK)

    proxy = weir(route(origin(script).url, rate="{ default: 200/second }", buffer="{ default: 5 }"))
    response = client(proxy).get("/")
    assert [each.number for each in response.records()] == list(range(1, count + 1))
    assert response.complete
    assert proxy.logged(reason="completed")["records"] == count


def test_a_record_over_the_limit_is_an_error_of_the_upstream(weir, origin, client):
    upstream = origin(answers(STREAM_HEAD + chunk(record(1)) + chunk(record(2, 2000)) + chunk(record(3)) + LAST_CHUNK))
    proxy = weir(route(upstream.url, buffer="{ max_bytes: 1KiB, max_record_bytes: 1KiB }"))
    response = client(proxy).get("/")
    assert [each.number for each in response.records()] == [1]
    assert response.complete is False
    assert proxy.logged(reason="upstream_failed")


def test_a_body_delimited_by_the_close_passes(weir, origin, client):
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n" + record(1) + record(2)

    def script(peer):
        peer.read_head()
        peer.send(answer)

    proxy = weir(route(origin(script).url))
    response = client(proxy).get("/")
    assert [each.number for each in response.records()] == [1, 2]
    assert response.complete


@pytest.mark.parametrize("early", [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
])
def test_an_informational_answer_is_not_the_answer(weir, origin, client, early):
    proxy = weir(route(origin(answers(early + STREAM_HEAD + chunk(record(1)) + LAST_CHUNK)).url))
    for version in ["1.1", "1.0"]:
        response = client(proxy).get("/", version=version)
        assert (response.status, response.read()) == (200, record(1))


def test_informational_answers_pass(weir, origin, client, h2):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\nContent-Length: 3\r\nConnection: X-Hop\r\nX-Hop: y\r\n\r\n"
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + hints
    script = answers(early + STREAM_HEAD + chunk(record(1)) + LAST_CHUNK)
    proxy = weir(route(origin(script).url))
    connection = client(proxy)
    connection.ask("/")
    first, second = connection.head(), connection.head()
    assert (first.status, second.status, second.reason) == (102, 103, "Early Hints")
    assert second.fields == [("Link", "</a>"), ("Link", "</b>"), ("Via", "1.1 weir")]
    response = connection.response()
    assert (response.status, response.read()) == (200, record(1))
    # None goes to a client that would take it for the response.
    old = client(proxy)
    old.ask("/", version="1.0")
    assert old.head().status == 200
    stream = h2(proxy).ask("/").finish()
    assert (stream.informational, stream.status, stream.numbers) == (["102", "103"], 200, [1])


def test_trailers_go_to_clients_that_accept_them(weir, origin, client):
    proxy = weir(route(origin(answers(
        STREAM_HEAD + chunk(record(1)) + b"0\r\nX-Checksum: abc\r\nSet-Cookie: a=b\r\nX-Stream-Items: 9\r\n\r\n")).url))
    connection = client(proxy)
    for fields, got in [((), []),
                        (("TE: trailers",), [("X-Checksum", "abc"), ("X-Stream-Status", "complete"), ("X-Stream-Items", "1")]),
                        ((), [])]:
        response = connection.get("/", *fields)
        assert (response.read(), response.complete, response.trailers) == (record(1), True, got)


def test_malformed_trailers_do_not_look_like_an_end(weir, origin, client):
    proxy = weir(route(origin(answers(STREAM_HEAD + chunk(record(1)) + b"0\r\nX-A : abc\r\n\r\n")).url))
    response = client(proxy).get("/", "TE: trailers")
    assert (response.read(), response.complete) == (record(1), False)
    assert proxy.logged(reason="upstream_failed")["status"] == 200
