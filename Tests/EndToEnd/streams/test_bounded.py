"""What a client does not take is not read from the upstream: everything between is bounded."""
import os
import select
import socket

import pytest

from harness.addresses import endless
from harness.metrics import Metrics
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.sockets import longest_send_buffer
from harness.waiting import eventually, level
from harness.weir import route

SIZE = 1024  # of a record
ON_THE_WIRE = len(chunk(record(1, SIZE)))
GRANTED = 50
SEND_BUFFER, RECEIVE_BUFFER = 16 << 10, 64 << 10  # asked for; the kernel takes twice as much for its bookkeeping
UPSTREAM = {"upstream_receive_buffer": "64KiB", "buffer": f"{{ default: {GRANTED}, max: {GRANTED} }}"}
# What may be under way beside the granted records: the sockets between origin and weir, and weir's chunk in hand.
BETWEEN = 2 * (SEND_BUFFER + RECEIVE_BUFFER) + (128 << 10)


def records_then_end(count):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(SIZE, count=count)
        peer.send(LAST_CHUNK)
    return script


def test_a_client_that_reads_nothing_stops_its_upstream_and_loses_nothing(weir, origin, client):
    count = 20_000
    upstream = origin(records_then_end(count), send_buffer=SEND_BUFFER)
    proxy = weir(route(upstream.url, **UPSTREAM))
    slow = client(proxy, receive_buffer=4096)
    slow.ask("/")
    sent = level(lambda: upstream.sent, "what the origin has sent")
    assert 0 < sent <= GRANTED * ON_THE_WIRE + BETWEEN + longest_send_buffer() + (64 << 10)
    assert sent < count * SIZE / 2  # it had much more to send

    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    response = slow.response()
    assert [each.number for each in response.records()] == list(range(1, count + 1))
    assert response.complete
    line = proxy.logged(reason="completed")
    assert line["records"] == count
    assert line["pauses"] >= 1


def test_for_a_metered_client_no_more_is_read_than_it_got_and_may_queue(weir, origin, client):
    upstream = origin(endless(SIZE), send_buffer=SEND_BUFFER)
    proxy = weir(route(upstream.url, rate="{ default: 20/second }", **UPSTREAM))
    records = client(proxy).get("/").records()
    for got in range(1, 41):
        assert next(records).number == got
        assert upstream.sent <= (got + GRANTED) * ON_THE_WIRE + BETWEEN


def test_a_granted_buffer_of_one_record_is_kept_too(weir, origin, client):
    upstream = origin(endless(SIZE), send_buffer=SEND_BUFFER)
    proxy = weir(route(upstream.url, rate="{ default: 20/second }", **UPSTREAM))
    records = client(proxy).get("/", "X-Stream-Buffer-Size: 1").records()
    assert [next(records).number for _ in range(10)] == list(range(1, 11))
    assert upstream.sent <= 11 * ON_THE_WIRE + BETWEEN


def test_a_record_larger_than_the_whole_queue_passes_alone(weir, origin, client):
    sizes = [100, 30_000, 200, 60_000, 100]

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        for number, size in enumerate(sizes, 1):
            peer.send(chunk(record(number, size)))
        peer.send(LAST_CHUNK)

    proxy = weir(route(origin(script).url, rate="{ default: 20/second }",
                       buffer="{ max_bytes: 16KiB, max_record_bytes: 64KiB }"))
    response = client(proxy).get("/")
    assert [len(each.line) + 1 for each in response.records()] == sizes
    assert response.complete


def test_a_response_that_is_no_stream_is_bounded_as_well(weir, origin, client):
    total = 32 << 20

    def script(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % total)
        for _ in range(total >> 16):
            peer.send(b"z" * (1 << 16))

    upstream = origin(script, send_buffer=SEND_BUFFER)
    proxy = weir(route(upstream.url, upstream_receive_buffer="64KiB"))
    slow = client(proxy, receive_buffer=4096)
    slow.ask("/")
    sent = level(lambda: upstream.sent, "what the origin has sent")
    assert 0 < sent <= longest_send_buffer() + BETWEEN + (1 << 20)
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    response = slow.response()
    assert sum(len(part) for part in response.parts()) == total
    assert response.complete


def test_a_client_that_takes_nothing_for_the_stall_timeout_is_disconnected(weir, origin, client):
    upstream = origin(endless(SIZE), send_buffer=SEND_BUFFER)
    proxy = weir(route(upstream.url, stall_timeout="1s", **UPSTREAM))
    slow = client(proxy, receive_buffer=4096)
    slow.ask("/")
    line = proxy.logged(reason="slow_consumer")
    assert line["status"] == 200
    eventually(lambda: upstream.peers[0].gone, "the origin's connection closed")
    response = slow.response()
    assert response.read().startswith(record(1, SIZE))  # what lies in the client's own socket can still be read
    assert response.complete is False  # but it is cut short, and to be seen as such


def test_a_disconnected_client_sees_the_reset_without_reading(weir, origin, client):
    proxy = weir(route(origin(endless(SIZE), send_buffer=SEND_BUFFER).url, stall_timeout="1s", **UPSTREAM))
    slow = client(proxy, receive_buffer=4096)
    slow.ask("/")
    proxy.logged(reason="slow_consumer")
    poll = select.poll()
    poll.register(slow.sock, 0)  # only the reset: a plain close would be seen after all that is unread
    eventually(lambda: poll.poll(0), "the connection's reset")


def test_a_metered_client_that_takes_nothing_is_disconnected_before_its_socket_holds_megabytes(weir, origin, client):
    upstream = origin(endless(SIZE), send_buffer=SEND_BUFFER)
    proxy = weir(route(upstream.url, rate="{ default: 50/second }", stall_timeout="1s", **UPSTREAM))
    client(proxy, receive_buffer=4096).ask("/")
    line = proxy.logged(reason="slow_consumer")  # at this pace a full send buffer takes most of a minute
    assert line["bytes"] < 256 << 10


def test_waiting_for_the_pace_is_no_stall(weir, origin, client):
    proxy = weir(route(origin(endless(SIZE)).url, rate="{ default: 30/minute }", stall_timeout="1s"))
    records = client(proxy).get("/").records()
    assert [next(records).number for _ in range(3)] == [1, 2, 3]


@pytest.mark.skipif("SANITIZED" in os.environ, reason="a sanitizer's own memory is not weir's")
def test_memory_stays_flat_with_a_hundred_clients_that_read_nothing(weir, origin, client):
    soak = float(os.environ.get("WEIR_SOAK_SECONDS", "3"))
    clients, max_bytes = 100, 64 << 10
    upstream = origin(endless(SIZE), send_buffer=SEND_BUFFER)
    # Metered at a pace that leaves the queue as the only place to hold anything.
    proxy = weir(route(upstream.url, rate="{ default: 1/second }", upstream_receive_buffer="32KiB",
                       buffer="{ default: 50, max_bytes: 64KiB }"))
    empty = proxy.resident()
    for _ in range(clients):
        client(proxy, receive_buffer=4096).ask("/")
    eventually(lambda: len([peer for peer in upstream.peers if peer.sent]) == clients, "every stream begun")
    level(lambda: upstream.sent // (clients * SIZE * 8), "what the origin has sent")
    full = proxy.resident()
    assert full - empty < clients * (max_bytes + (64 << 10)) + (16 << 20)
    handed = Metrics(proxy).total("weir_records_total")

    def has_soaked():
        """Whether each stream has sent one more record for each second of the soak; memory is as it was all the time."""
        assert abs(proxy.resident() - full) < 4 << 20
        return Metrics(proxy).total("weir_records_total") >= handed + soak * clients

    eventually(has_soaked, "as many records as the soak takes", within=10 * soak + 30)
