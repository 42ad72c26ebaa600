"""Server-sent events are records: metered, queued, dropped, counted and logged like lines, and cut only between them."""
import functools
import json
import threading

import pytest

from harness.addresses import numbers
from harness.event_stream import SSE_HEAD, EventReader, EventSource, event, events
from harness.scripted_origin import LAST_CHUNK, chunk
from harness.streams import HeldRecords, StreamAddress, held, release, sends
from harness.waiting import eventually
from harness.weir import route

ACCEPT = "Accept: text/event-stream"
COMMENT = b":\n\n"


sends_events = functools.partial(sends, head=SSE_HEAD)


def held_stream(weir, origin, client, script, *fields, **keys):
    """Opens a stream of events that its client pauses after the first record."""
    return held(lambda url: route(url, upstream_receive_buffer="32KiB", **keys), weir, origin, client, script,
                ACCEPT, *fields, read=events)


# --- real servers, real readers


def test_every_event_of_a_real_server_arrives(weir, client, app):
    proxy = weir(route(app.url, rate="{ default: unlimited }"))
    response = client(proxy).get("/v1/orders/events?items=3000", ACCEPT, "TE: trailers")
    assert (response.status, response.head["Content-Type"].split(";")[0]) == (200, "text/event-stream")
    assert (response.head["X-Stream-Rate"], response.head["X-Stream-Buffer-Size"]) == ("unlimited", "100")
    assert response.head["X-Accel-Buffering"] == "no"
    reader = EventReader()
    got = list(events(response, reader))
    assert numbers(got) == list(range(1, 3001))
    assert {each.type for each in got} == {"order"}
    assert (reader.comments, reader.retry) == (3000, 250)
    assert ("X-Stream-Items", "3000") in response.trailers
    line = proxy.logged(reason="completed")
    assert (line["records"], line["bytes"]) == (3000, len(reader.body))


def test_an_event_source_that_reconnects_misses_nothing(weir, client, app):
    proxy = weir(route(app.url))
    source = EventSource(lambda: client(proxy), "/v1/orders/events?items=50&after=20")
    assert numbers(source) == list(range(1, 51))
    assert source.asked == 3


def test_events_leave_at_the_granted_pace(weir, client, app):
    proxy = weir(route(app.url, rate="{ default: 20/second }"))
    response = client(proxy).get("/v1/orders/events?items=12", ACCEPT)
    assert response.head["X-Stream-Rate"] == "20/second"
    got = list(events(response))
    assert numbers(got) == list(range(1, 13))
    assert response.keeps_pace(got[-1], 11, 0.05)


# --- every byte


PECULIAR = [
    b"\xef\xbb\xbf: with a mark\n\n", b"data: lf\n\n", b"data: crlf\r\n\r\n", b"data: cr\r\r", b"data: mixed\rdata\n\r\n",
    b"data: \0\xff\xc3(\n\n", b"data: \xe2\x82\n\n", b"data\n\n", b"id: 7\nevent: x\ndata: a\ndata: b\n\n",
    b"retry: 5\n\n", b": a comment\r\n\r\n", b"id: 8\n\n", b"\n\n\r\n", b"database: no\n\n", b"data:last\r\n\r\n",
]


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("framing", ["auto", "sse"])
def test_bytes_pass_as_they_are_however_they_are_cut(weir, origin, client, size, framing):
    body = b"".join(PECULIAR)
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    proxy = weir(route(origin(sends_events(*parts)).url, framing=framing))
    response = client(proxy).get("/", ACCEPT)
    reader = EventReader()
    got = list(events(response, reader))
    assert (response.complete, reader.body) == (True, body)
    line = proxy.logged(reason="completed")
    assert (line["records"], line["bytes"]) == (len(got), len(body)) == (9, len(body))


def test_what_is_no_event_neither_waits_nor_counts(weir, origin, client):
    script = HeldRecords(2, lambda number: [event(1), b": hello\n\nretry: 9\n\n"][number - 1], head=SSE_HEAD)
    proxy = weir(route(origin(script).url, rate="{ default: 1/hour }"))
    response = client(proxy).get("/", ACCEPT)
    reader, parts = EventReader(), response.parts()
    assert [each.number for each in reader.feed(next(parts))] == [1]
    script.go.set()
    while reader.retry is None:
        assert not list(reader.feed(next(parts)))
    assert reader.comments == 1
    state = StreamAddress(proxy, response).state()
    assert (state["records"], state["queued"]) == (1, 0)
    script.over.set()
    assert not b"".join(parts) and response.complete


@pytest.mark.parametrize("keepalive", [b": keepalive\n", b":\r\n", b"retry: 9\n"])
def test_a_keepalive_of_one_line_passes_at_once(weir, origin, client, keepalive):
    """Each is sent only when its client has the one before; together they are longer than a record may be."""
    count, taken = 400, threading.Semaphore(0)

    def script(peer):
        peer.read_head()
        peer.send(SSE_HEAD + chunk(event(1)))
        for _ in range(count):
            assert taken.acquire(timeout=60)
            peer.send(chunk(keepalive))
        assert taken.acquire(timeout=60)
        peer.send(chunk(event(2)) + LAST_CHUNK)

    proxy = weir(route(origin(script).url, rate="{ default: unlimited }", buffer="{ max_record_bytes: 256 }"))
    response = client(proxy).get("/", ACCEPT)
    parts, body = response.parts(), b""
    for number in range(count + 1):
        while len(body) < len(event(1)) + number * len(keepalive):
            body += next(parts)
        taken.release()
    body += b"".join(parts)
    assert (body, response.complete) == (event(1) + count * keepalive + event(2), True)
    assert proxy.logged(reason="completed")["records"] == 2


def test_a_comment_line_costs_no_pace_and_keeps_its_place(weir, origin, client):
    """After an event that waits for its pace it waits as well, and is then sent with the event."""
    go = threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(SSE_HEAD + chunk(event(1)))
        assert go.wait(60)
        peer.send(chunk(b": a\n" + event(2) + b": b\nid: 3\n: c\ndata: {\"orderId\": 3}\n\n: d\n") + LAST_CHUNK)

    proxy = weir(route(origin(script).url, rate="{ default: 1/hour }"))
    response = client(proxy).get("/", ACCEPT)
    parts = response.parts()
    assert next(parts) == event(1)
    go.set()
    assert next(parts) == b": a\n"
    address = StreamAddress(proxy, response)
    assert eventually(lambda: address.state()["queued"] == 2 and address.state(), "two events")["records"] == 1
    address.feedback(rate="1000/second")
    assert b"".join(parts) == event(2) + b": b\nid: 3\n: c\ndata: {\"orderId\": 3}\n\n: d\n"
    assert address.logged("completed")["records"] == 3


# --- ends


@pytest.mark.parametrize("overflow", ["pause", "drop_oldest", "drop_newest", "latest", "disconnect"])
def test_a_last_block_without_its_empty_line_passes_under_every_policy(weir, origin, client, overflow):
    body = event(1) + b"data: [DONE]\n"
    proxy = weir(route(origin(sends_events(body)).url, overflow=overflow))
    response = client(proxy).get("/", ACCEPT, "Prefer: stream-notices")
    assert (response.read(), response.complete) == (body, True)
    line = proxy.logged(reason="completed")
    assert (line["records"], line.get("dropped", 0)) == (1, 0)


def test_a_loss_is_reported_before_a_last_block_without_its_empty_line(weir, origin, client):
    script = HeldRecords(6, lambda number: event(number) if number < 6 else b"data: [DONE]\n", head=SSE_HEAD)
    proxy = weir(route(origin(script).url, overflow="drop_newest", buffer="{ default: 1 }"))
    response = client(proxy).get("/", ACCEPT, "Prefer: stream-notices")
    parts, address, reader = response.parts(), StreamAddress(proxy, response), EventReader()
    assert [each.number for each in reader.feed(next(parts))] == [1]
    address.feedback(pause=True)
    script.go.set()
    address.seen(5)
    script.over.set()
    eventually(script.has_sent_all, "everything sent")
    address.feedback(pause=False)
    got = [each for part in parts for each in reader.feed(part)]
    assert [each.type for each in got] == ["message", "stream-notice"]
    assert bytes(reader.body).endswith(b"\n\ndata: [DONE]\n")
    assert response.complete


def test_an_unfinished_event_passes_at_a_clean_end_and_counts_for_nothing(weir, origin, client):
    body = event(1) + b"id: 2\ndata: unfin"
    proxy = weir(route(origin(sends_events(body)).url))
    response = client(proxy).get("/", ACCEPT, "TE: trailers")
    assert (response.read(), response.complete) == (body, True)
    assert ("X-Stream-Items", "1") in response.trailers
    assert proxy.logged(reason="completed")["records"] == 1


def test_an_unfinished_event_of_a_stream_that_broke_off_does_not_pass(weir, origin, client):
    proxy = weir(route(origin(sends_events(event(1), b"id: 2\ndata: unfin", end=b"")).url))
    response = client(proxy).get("/", ACCEPT)
    assert (response.read(), response.complete) == (event(1), False)
    assert proxy.logged(reason="upstream_failed")["records"] == 1


def test_a_failure_is_reported_as_an_event_of_its_own_type(weir, origin, client):
    proxy = weir(route(origin(sends_events(event(1), b"data: unfin", end=b"")).url))
    response = client(proxy).get("/", ACCEPT, "Prefer: stream-notices")
    reader = EventReader()
    first, notice = events(response, reader)
    assert (first.number, first.type) == (1, "message")
    assert (notice.type, notice.last_id) == ("stream-notice", "1")
    members = json.loads(notice.data)
    assert (members["type"].rpartition("/")[2], members["status"], members["records"]) == ("bad-upstream", 502, 0)
    assert response.complete is False
    line = proxy.logged(reason="upstream_failed")
    assert (line["records"], line["bytes"]) == (1, len(reader.body))


def test_an_event_larger_than_allowed_is_the_upstreams_error(weir, origin, client):
    proxy = weir(route(origin(sends_events(event(1), event(2, 5000), event(3))).url, buffer="{ max_record_bytes: 4KiB }"))
    response = client(proxy).get("/", ACCEPT)
    assert (numbers(events(response)), response.complete) == ([1], False)
    line = proxy.logged(reason="upstream_failed")
    assert (line["records"], line["problem"]) == (1, "bad-upstream")


# --- full queues


@pytest.mark.parametrize(("policy", "kept"), [
    ("drop_oldest", range(1992, 2002)), ("drop_newest", range(2, 12)), ("latest", range(2001, 2002)),
])
def test_a_full_queue_drops_events_as_it_drops_lines(weir, origin, client, policy, kept):
    count = 2001
    script = HeldRecords(count, lambda number: event(number, 500, b"\r\n"), head=SSE_HEAD)
    response, incoming, address = held_stream(
        weir, origin, client, script, "Prefer: stream-notices", overflow=policy, buffer="{ default: 10 }")
    script.go.set()
    state = address.seen(count)
    got = release(script, incoming, address)
    notices = [json.loads(each.data) for each in got if each.type == "stream-notice"]
    orders = [each.number for each in got if each.type == "message"]
    assert sum(notice["records"] for notice in notices) == state["dropped"] == count - 1 - len(orders)
    assert orders == list(kept)
    assert response.complete
    line = address.logged("completed")
    assert (line["records"], line["dropped"]) == (1 + len(orders), state["dropped"])


# --- heartbeats


def test_a_quiet_stream_gets_comments_that_count_for_nothing(weir, origin, client):
    script = HeldRecords(2, event, head=SSE_HEAD)
    proxy = weir(route(origin(script).url, heartbeat="100ms"))
    response = client(proxy).get("/", ACCEPT, "TE: trailers")
    parts, body = response.parts(), b""
    while body.count(COMMENT) < 3:
        body += next(parts)
    assert body.replace(COMMENT, b"") == event(1)
    script.go.set()
    script.over.set()
    body += b"".join(parts)
    assert body.replace(COMMENT, b"") == event(1) + event(2)
    assert ("X-Stream-Items", "2") in response.trailers
    line = proxy.logged(reason="completed")
    assert (line["records"], line["bytes"]) == (2, len(body))


def test_comments_are_never_within_an_event(weir, origin, client):
    go = threading.Event()

    def slowly(peer):
        peer.read_head()
        peer.send(SSE_HEAD + chunk(b"id: 1\ndata: {\"order"))
        assert go.wait(60)
        peer.send(chunk(b"Id\": 1}\n\n") + LAST_CHUNK)

    proxy = weir(route(origin(slowly).url, heartbeat="100ms"))
    response = client(proxy).get("/", ACCEPT)
    parts = response.parts()
    body = next(parts) + next(parts)
    assert body == 2 * COMMENT
    go.set()
    rest = b"".join(parts)
    assert rest.replace(COMMENT, b"") == b"id: 1\ndata: {\"orderId\": 1}\n\n"
    assert response.complete


def test_a_byte_order_mark_after_a_comment_is_removed(weir, origin, client):
    go = threading.Event()

    def late(peer):
        peer.read_head()
        peer.send(SSE_HEAD)
        assert go.wait(60)
        peer.send(chunk(b"\xef\xbb\xbf" + event(1)) + LAST_CHUNK)

    proxy = weir(route(origin(late).url, heartbeat="100ms"))
    response = client(proxy).get("/", ACCEPT)
    parts, reader = response.parts(), EventReader()
    assert not list(reader.feed(next(parts)))
    go.set()
    assert [each.number for part in parts for each in reader.feed(part)] == [1]


def test_a_lagging_client_gets_no_comments(weir, origin, client):
    count = 3000
    script = HeldRecords(count, lambda number: event(number, 1000), head=SSE_HEAD)
    quiet = HeldRecords(1, event, head=SSE_HEAD)
    proxy = weir(route(origin(quiet).url, match="/quiet", heartbeat="100ms"),
                 route(origin(script).url, heartbeat="100ms", stall_timeout="off", rate="unlimited"))
    slow = client(proxy, receive_buffer=4096)
    response = slow.get("/", ACCEPT)
    script.go.set()
    address = StreamAddress(proxy, response)
    eventually(lambda: address.state()["queued"] >= 50, "events that wait for the client")
    before = address.state()
    parts, reader = client(proxy).get("/quiet", ACCEPT).parts(), EventReader()
    while reader.comments < 5:
        list(reader.feed(next(parts)))
    after = address.state()
    quiet.over.set()
    left = range(before["records"] + 1, after["records"] + 1)
    assert after["bytes"] - before["bytes"] == sum(len(event(number, 1000)) for number in left)
    reader = EventReader()
    script.over.set()
    assert numbers(events(response, reader)) == list(range(1, count + 1))
    body = b"".join(event(number, 1000) for number in range(1, count + 1))
    assert reader.body.replace(COMMENT, b"") == body
