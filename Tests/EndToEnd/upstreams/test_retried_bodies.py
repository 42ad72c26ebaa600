"""Requests with bodies that are sent to another upstream: whole, once more at most, and only where that is permitted."""
import re
import threading

import pytest

from harness.metrics import Metrics
from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.waiting import eventually
from harness.weir import route

REPEATS = "{ non_idempotent: true }"


def read_body(peer, head):
    """The body of a request, by its length or its chunks."""
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return peer.take(int(length.group(1))) if length else peer.chunked_body()


class Pair:
    """Two upstreams: the one that gets the first attempt does `first(peer, head)`, later ones return the body that they got."""

    def __init__(self, origin, first, later=None):
        self.first, self.later = first, later or self.echoes
        self.attempts, self.lock = [], threading.Lock()
        self.origins = [origin(self.script) for _ in range(2)]
        self.urls = "[" + ", ".join(each.url for each in self.origins) + "]"

    def script(self, peer):
        while head := peer.read_head():
            with self.lock:
                self.attempts.append(peer)
                does = self.first if len(self.attempts) == 1 else self.later
            does(peer, head)

    @staticmethod
    def echoes(peer, head):
        body = read_body(peer, head)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def resets_at_once(peer, head):
    peer.reset()


def resets_after_the_body(peer, head):
    read_body(peer, head)
    peer.reset()


def closes_after_the_body(peer, head):
    read_body(peer, head)
    peer.close()


def never_answers(peer, head):
    read_body(peer, head)
    peer.wait_gone()


def sent(connection, body, method="POST", chunked=False, path="/"):
    """Sends a request with a body, in pieces of 10,000 bytes if it is chunked."""
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    connection.send(f"{method} {path} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode())
    if chunked:
        for begin in range(0, len(body), 10_000):
            connection.send(chunk(body[begin:begin + 10_000]))
        connection.send(LAST_CHUNK)
    else:
        connection.send(body)
    return connection


BODY = b"".join(number.to_bytes(4, "big") for number in range(12_000))  # 48 kB that no cut or repetition leaves as it was


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("method, retry", [("POST", REPEATS), ("PUT", "2")])
@pytest.mark.parametrize("first", [resets_at_once, resets_after_the_body, closes_after_the_body])
def test_a_body_is_sent_again_as_it_was(weir, origin, client, first, method, retry, chunked):
    pair = Pair(origin, first)
    proxy = weir(route(pair.urls, retry=retry))
    connection = client(proxy)
    for _ in range(2):  # the connection is fit for another request
        answer = sent(connection, BODY, method, chunked).response()
        assert answer.status == 200 and answer.read() == BODY
    assert len(pair.attempts) == 3 and proxy.logged(attempts=2)["status"] == 200
    assert Metrics(proxy).total("weir_upstream_retries_total", route="/") == 1


def test_an_upstream_that_never_answers_is_replaced_in_time(weir, origin, client):
    pair = Pair(origin, never_answers)
    proxy = weir(route(pair.urls, retry=REPEATS, timeouts="{ first_record: 3s }"))
    answer = sent(client(proxy), BODY).response()
    assert answer.status == 200 and answer.read() == BODY
    eventually(lambda: pair.attempts[0].gone, "the end of the first attempt")


def test_over_http2(weir, origin, h2):
    pair = Pair(origin, resets_after_the_body)
    proxy = weir(route(pair.urls, retry=REPEATS))
    connection = h2(proxy)
    stream = connection.ask("/", ("content-length", str(len(BODY))), method="POST", ends=False)
    for begin in range(0, len(BODY), 16_000):
        connection.send_body(stream, BODY[begin:begin + 16_000], ends=begin + 16_000 >= len(BODY))
    stream.finish()
    assert stream.status == 200 and stream.body == BODY and len(pair.attempts) == 2


# What is not repeated


@pytest.mark.parametrize("first", [resets_at_once, resets_after_the_body])
@pytest.mark.parametrize("retry, method", [("2", "POST"), ("2", "PATCH"), ("off", "PUT"), ("{ max_body_bytes: off }", "PUT"),
                                           ("{ max_body_bytes: 1000 }", "PUT"), ("{ attempts: 1, non_idempotent: true }", "POST")])
def test_a_request_that_may_have_been_acted_on_is_sent_once(weir, origin, client, retry, method, first):
    def reads_a_part(peer, head):
        peer.take(1001)
        first(peer, b"\r\nContent-Length: 46999")
    pair = Pair(origin, reads_a_part)
    problem(sent(client(weir(route(pair.urls, retry=retry))), BODY, method).response(), 502, "bad-upstream")
    assert len(pair.attempts) == 1


def test_a_chunked_body_that_grows_beyond_the_bound_is_sent_once(weir, origin, client):
    def first(peer, head):
        assert peer.take(len(chunk(bytes(600)))) == chunk(bytes(600))
        got.set()
        peer.take(len(chunk(bytes(600))))
        peer.reset()
    got = threading.Event()
    pair = Pair(origin, first)
    connection = client(weir(route(pair.urls, retry="{ max_body_bytes: 1000 }")))
    connection.send(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(bytes(600)))
    assert got.wait(60)
    connection.send(chunk(bytes(600)))
    problem(connection.response(), 502, "bad-upstream")
    assert len(pair.attempts) == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_post_that_no_upstream_has_got_is_sent_to_another(weir, origin, client, reserved_port, chunked):
    alive = origin(lambda peer: [Pair.echoes(peer, head) for head in iter(peer.read_head, None)])
    proxy = weir(route(f"[{reserved_port().url}, {alive.url}]", balance="round_robin", upstream_breaker="off"))
    connection, body = client(proxy), BODY * 10  # more than is kept of any body
    for _ in range(2):
        answer = sent(connection, body, chunked=chunked).response()
        assert answer.status == 200 and answer.read() == body
    assert Metrics(proxy).total("weir_upstream_retries_total", route="/") == 1


# A body that is still arriving


def test_a_body_that_is_still_arriving_continues_at_the_next_upstream(weir, origin, client):
    def first(peer, head):
        peer.take(3)
        peer.reset()
    pair = Pair(origin, first)
    proxy = weir(route(pair.urls, retry=REPEATS))
    connection = client(proxy)
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
    eventually(lambda: len(pair.attempts) == 2 and pair.attempts[1].buffer == b"abc", "the first half at the second upstream")
    connection.send(b"def")
    assert connection.response().read() == b"abcdef"


def test_an_expecting_client_gets_100_continue_from_the_second_upstream(weir, origin, client):
    def later(peer, head):
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        Pair.echoes(peer, head)
    pair = Pair(origin, resets_at_once, later)
    connection = client(weir(route(pair.urls, retry=REPEATS)))
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert connection.head().status == 100
    connection.send(b"abc")
    assert connection.response().read() == b"abc"
    assert all(b"expect: 100-continue" in peer.heads[-1].lower() for peer in pair.attempts)


@pytest.mark.parametrize("declared", [3, 6])
def test_a_client_that_disconnects_after_the_retry_ends_it(weir, origin, client, declared):
    def waits(peer, head):
        peer.take(3)
        peer.wait_gone()
    pair = Pair(origin, lambda peer, head: (peer.take(3), peer.reset()), waits)
    proxy = weir(route(pair.urls, retry=REPEATS))
    connection = client(proxy)
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\nabc" % declared)
    eventually(lambda: len(pair.attempts) == 2, "the second attempt")
    connection.close()
    assert proxy.logged(reason="client_gone")["attempts"] == 2
    eventually(lambda: pair.attempts[1].gone, "the end of the second attempt")
    assert Metrics(proxy).total("weir_buffer_bytes", route="/") == 0


def test_what_is_kept_is_counted_until_the_response_begins(weir, origin, client):
    go, done = threading.Event(), threading.Event()

    def first(peer, head):
        read_body(peer, head)
        assert go.wait(60)
        peer.send(STREAM_HEAD + chunk(record(1)))
        assert done.wait(60)
        peer.send(LAST_CHUNK)
    proxy = weir(route(Pair(origin, first).urls, retry=REPEATS))
    connection = sent(client(proxy), BODY)
    eventually(lambda: Metrics(proxy).total("weir_buffer_bytes", route="/") >= len(BODY), "the body in the metrics")
    go.set()
    records = connection.response().records()
    assert next(records).number == 1
    assert Metrics(proxy).total("weir_buffer_bytes", route="/") < len(BODY)
    done.set()
    assert not list(records)


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upstream_that_answers_before_it_has_read_the_body_gets_all_of_it(weir, origin, client, chunked):
    body = BODY * 50  # more than sockets hold
    received = []

    def later(peer, head):
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"begun"))
        received.append(read_body(peer, head))
        peer.send(LAST_CHUNK)
    pair = Pair(origin, resets_after_the_body, later)
    proxy = weir(route(pair.urls, retry="{ non_idempotent: true, max_body_bytes: 8MiB }"))
    answer = sent(client(proxy), body, chunked=chunked).response()
    assert (answer.status, answer.read(), answer.complete) == (200, b"begun", True)
    assert received == [body]
    assert Metrics(proxy).total("weir_buffer_bytes", route="/") == 0


@pytest.mark.parametrize("early", [True, False])
def test_a_response_without_a_record_costs_no_body(weir, origin, client, early):
    """It is complete, and not what the route requires: before the body has arrived, or after it."""
    def first(peer, head):
        if not early:
            read_body(peer, head)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
                  b"Connection: close\r\n\r\n" + chunk(b": ping\n\n") + LAST_CHUNK)
    pair = Pair(origin, first)
    proxy = weir(route(pair.urls, retry=REPEATS, timeouts="{ first_record: 30s }", end_record="{ data: '[DONE]' }"))
    connection = client(proxy)
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
    if early:
        eventually(lambda: len(pair.attempts) == 2, "the second attempt")
    connection.send(b"abcdef")
    answer = connection.response()
    assert (answer.status, answer.read()) == (200, b"abcdef")
