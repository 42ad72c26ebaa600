"""Clients that ask for the same share one request to the upstream, each at its own pace."""
import json

import pytest

from harness.event_stream import SSE_HEAD, EventReader, event
from harness.feed import Feed
from harness.metrics import Metrics
from harness.problems import problem
from harness.scripted_origin import STREAM_HEAD
from harness.streams import StreamAddress
from harness.waiting import eventually, level
from harness.weir import route

COLLAPSED = "weir; fwd=uri-miss; collapsed"


def shared(upstream, extra="", match="/", **keys):
    return route(upstream.url, match=match, **{"shared": f"{{ {extra} }}", **keys})


def numbers(records, count):
    return [next(records).number for _ in range(count)]


def readers(proxy, count, where="/"):
    """Waits until that many streams read from pulls."""
    eventually(lambda: Metrics(proxy).total("weir_shared_readers", route=where) == count, f"{count} readers")


def pulls(proxy, count, where="/"):
    eventually(lambda: Metrics(proxy).total("weir_shared_pulls", route=where) == count, f"{count} pulls")


# MARK: One request for all

@pytest.mark.parametrize("workers", [1, 2])
def test_readers_share_one_request(weir, origin, client, workers):
    feed = Feed()
    upstream = origin(feed)
    proxy = weir(shared(upstream, "join: beginning"), workers=workers)
    responses = []
    for _ in range(10):
        responses.append(client(proxy).get("/prices?symbol=A", "User-Agent: me", "X-Other: secret"))
    assert {response.status for response in responses} == {200}
    assert {response.head["Cache-Status"] for response in responses} == {COLLAPSED}
    assert len({response.head["X-Stream-Id"] for response in responses}) == 10
    streams = [response.records() for response in responses]
    feed.records(1, 5)
    assert [numbers(records, 5) for records in streams] == [list(range(1, 6))] * 10
    readers(proxy, 10)
    metrics = Metrics(proxy)
    assert metrics.total("weir_shared_pulls", route="/") == 1
    assert metrics.total("weir_upstream_connections", route="/", state="active") == 1
    assert 0 < metrics.total("weir_shared_retained_bytes", route="/") < 10_000
    feed.records(6, 6)
    feed.end()
    assert [[each.number for each in records] for records in streams] == [[6]] * 10
    assert all(response.complete for response in responses)
    assert len(upstream.heads) == 1
    head = upstream.heads[0].lower()
    assert head.startswith(b"get /prices?symbol=a http/1.1") and b"host: orders.example" in head
    assert b"accept-encoding: identity" in head
    assert b"secret" not in head and b"user-agent" not in head and b"forwarded" not in head
    line = proxy.logged(id=responses[3].head["X-Stream-Id"])
    assert (line["reason"], line["records"], line["upstream"]) == ("completed", 6, upstream.url)
    pulls(proxy, 0)
    readers(proxy, 0)


def test_one_generator_of_an_app_serves_two_hundred_clients(weir, app, client):
    tag = f"shared-{app.name}"
    proxy = weir(shared(app, "linger: 0s", rate="{ default: 20/second }"), workers=2)
    clients = [client(proxy) for _ in range(200)]
    streams = [each.get(f"/v1/firehose?tag={tag}").records() for each in clients]
    for records in streams:
        first, *others = numbers(records, 5)
        assert others == list(range(first + 1, first + 5))
    readers(proxy, 200)
    assert app.begun(tag) == 1
    assert Metrics(proxy).total("weir_shared_pulls", route="/") == 1
    assert Metrics(proxy).total("weir_upstream_connections", route="/", state="active") == 1
    for each in clients:
        each.close()
    eventually(lambda: app.ended(tag) == 1, "the generator has ended")
    pulls(proxy, 0)
    assert app.begun(tag) == 1


def test_waiting_readers_get_the_head_together(weir, origin, client):
    feed = Feed(waits=True)
    upstream = origin(feed)
    proxy = weir(shared(upstream))
    clients = [client(proxy) for _ in range(5)]
    for each in clients:
        each.ask("/")
    readers(proxy, 5)
    feed.records(1, 3)
    feed.end()
    feed.ready.set()
    for each in clients:
        response = each.response()
        assert [record.number for record in response.records()] == [1, 2, 3] and response.complete
    assert len(upstream.heads) == 1


def test_each_reader_has_its_own_pace(weir, origin, client):
    feed = Feed()
    proxy = weir(shared(origin(feed), "join: beginning"), workers=2)
    slow = client(proxy).get("/", "X-Stream-Rate-Limit: 1/hour").records()
    fast = client(proxy).get("/").records()
    feed.records(1, 300)
    assert numbers(fast, 300) == list(range(1, 301))
    assert next(slow).number == 1
    readers(proxy, 2)


def test_a_late_reader_counts_only_what_it_gets(weir, origin, client):
    """The upstream's length is that of the whole response, which a late reader does not get."""
    feed = Feed(head=STREAM_HEAD.replace(b"Transfer-Encoding: chunked", b"Content-Length: 1000"))
    proxy = weir(shared(origin(feed)))
    assert client(proxy).get("/").head["Content-Length"] is None


# MARK: Where a reader begins

@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("join, expected", [
    ("now", []), ("last", [5]), ("beginning", [1, 2, 3, 4, 5]), ("keys", [3, 4, 5])])
def test_a_late_reader_begins(weir, origin, client, join, expected, workers):
    keyed = Feed(make=lambda number: b'{"orderId":%d,"symbol":"%d"}\n' % (number, number % 3))
    options = {"key": "/symbol"} if join == "keys" else {}
    proxy = weir(shared(origin(keyed), f"join: {join}", **options), workers=workers)
    first = client(proxy).get("/").records()
    keyed.records(1, 5)
    assert numbers(first, 5) == [1, 2, 3, 4, 5]
    late = [client(proxy).get("/") for _ in range(3)]
    assert {response.status for response in late} == {200}
    readers(proxy, 4)
    keyed.records(6, 6)
    for response in late:
        assert numbers(response.records(), len(expected) + 1) == [*expected, 6]


def test_an_event_source_continues_after_its_last_event(weir, origin, client):
    feed = Feed(head=SSE_HEAD, make=event)
    upstream = origin(feed)
    proxy = weir(shared(upstream, "retain: { records: 3 }"), workers=2)
    first = client(proxy).get("/")
    feed.records(1, 5)
    reader = EventReader()
    parts = first.parts()
    eventually(lambda: any(each.number == 5 for each in reader.feed(next(parts))), "the fifth event")
    late = client(proxy).get("/", "Last-Event-ID: 3")
    assert late.status == 200
    feed.end()
    again = EventReader()
    assert [each.number for part in late.parts() for each in again.feed(part)] == [4, 5]
    assert len(upstream.heads) == 1 and b"last-event-id" not in upstream.heads[0].lower()


def test_an_event_source_begins_as_the_route_says_if_its_last_event_is_unknown(weir, origin, client):
    """After a restart of the upstream no event is known, and a browser does not reconnect after a 410."""
    feed = Feed(head=SSE_HEAD, make=event)
    upstream = origin(feed)
    proxy = weir(shared(upstream))
    sources = [client(proxy).get("/", "Last-Event-ID: 17") for _ in range(2)]
    assert [source.status for source in sources] == [200, 200]
    readers(proxy, 2)
    feed.records(1, 2)
    feed.end()
    for source in sources:
        reader = EventReader()
        assert [each.number for part in source.parts() for each in reader.feed(part)] == [1, 2]
    assert len(upstream.heads) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reader_resumes_from_what_is_retained(weir, origin, client, workers):
    feed = Feed()
    upstream = origin(feed)
    proxy = weir(shared(upstream, "retain: { records: 4 }"), workers=workers)
    staying = client(proxy).get("/").records()
    leaving = client(proxy)
    response = leaving.get("/")
    assert response.status == 200
    readers(proxy, 2)
    feed.records(1, 5)
    assert numbers(response.records(), 5) == numbers(staying, 5) == [1, 2, 3, 4, 5]
    leaving.close()
    readers(proxy, 1)
    feed.records(6, 7)
    assert numbers(staying, 2) == [6, 7]
    stream = response.head["X-Stream-Id"]
    back = client(proxy).get("/", f"X-Stream-Resume: {stream}; after=4")
    assert back.status == 200
    assert numbers(back.records(), 3) == [5, 6, 7]
    problem(client(proxy).get("/", f"X-Stream-Resume: {stream}; after=2"), 410, "gone")
    problem(client(proxy).get("/", f"X-Stream-Resume: {'0' * 32}; after=2"), 410, "gone")
    assert len(upstream.heads) == 1


# MARK: Slow readers

def held(proxy, client, *fields):
    """A reader that has its first record and holds its stream."""
    response = client(proxy).get("/", "X-Stream-Buffer-Size: 2", *fields)
    return response, StreamAddress(proxy, response)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_gap_is_reported_where_it_is(weir, origin, client, workers):
    feed = Feed()
    proxy = weir(shared(origin(feed), "retain: { records: 10 }", buffer="{ default: 100, max_bytes: 64KiB }"),
                 workers=workers)
    response, address = held(proxy, client, "Prefer: stream-notices")
    fast = client(proxy).get("/").records()
    readers(proxy, 2)
    feed.records(1, 1)
    lines = response.records()
    assert next(lines).number == next(fast).number == 1
    assert address.feedback(pause=True)["paused"] is True
    for first in range(2, 402, 20):
        feed.records(first, first + 19, size=1000)
        assert numbers(fast, 20) == list(range(first, first + 20))
    assert address.feedback(pause=False)["paused"] is False
    feed.end()
    assert [each.number for each in fast] == []
    received = [json.loads(each.line) for each in lines]
    got = [line["orderId"] for line in received if "orderId" in line]
    assert got == sorted(set(got)) and got[-10:] == list(range(392, 402))
    notice = next(line for line in received if "orderId" not in line)
    at = received.index(notice)
    assert received[at + 1]["orderId"] - received[at - 1]["orderId"] - 1 == notice["records"] > 0
    assert len(got) + sum(line["records"] for line in received if "orderId" not in line) == 400
    line = address.logged("completed")
    assert line["dropped"] == notice["records"] and line["records"] == len(got) + 1
    metrics = Metrics(proxy)
    assert metrics.total("weir_shared_gaps_total", route="/") == 1
    assert metrics.total("weir_records_failed_total", route="/", cause="dropped") == notice["records"]


def test_a_reader_that_lags_ends_where_the_route_says_so(weir, origin, client):
    feed = Feed()
    proxy = weir(shared(origin(feed), "retain: { records: 5 }, lag: end", buffer="{ default: 100, max_bytes: 16KiB }"))
    response, address = held(proxy, client)
    fast = client(proxy).get("/").records()
    readers(proxy, 2)
    feed.records(1, 1)
    assert next(response.records()).number == next(fast).number == 1
    assert address.feedback(pause=True)["paused"] is True
    for first in range(2, 402, 20):
        feed.records(first, first + 19, size=1000)
        assert numbers(fast, 20) == list(range(first, first + 20))
    address.feedback(pause=False)
    address.logged("slow_consumer")
    feed.records(402, 402)
    assert next(fast).number == 402


@pytest.mark.parametrize("workers", [1, 2])
def test_the_upstream_waits_for_the_slowest_where_no_record_may_be_lost(weir, origin, client, workers):
    feed = Feed()
    upstream = origin(feed, send_buffer=16 << 10)
    proxy = weir(shared(upstream, "retain: { records: 20, bytes: 64KiB }, lag: wait",
                        buffer="{ default: 100, max_bytes: 16KiB }", upstream_receive_buffer="16KiB",
                        stall_timeout="1h"), workers=workers)
    response, address = held(proxy, client)
    fast = client(proxy).get("/").records()
    readers(proxy, 2)
    feed.records(1, 1)
    lines = response.records()
    assert next(lines).number == next(fast).number == 1
    assert address.feedback(pause=True)["paused"] is True
    feed.records(2, 3001, size=1000)
    feed.end()
    waiting = level(lambda: upstream.sent, "the upstream")
    assert waiting < 500_000
    assert address.feedback(pause=False)["paused"] is False
    slow = (each.number for each in lines)
    quick = (each.number for each in fast)
    for expected in range(2, 3002):
        assert next(slow) == next(quick) == expected
    assert list(slow) == list(quick) == []
    assert Metrics(proxy).total("weir_shared_gaps_total", route="/") == 0


def test_the_upstream_waits_when_all_readers_lag(weir, origin, client):
    feed = Feed()
    upstream = origin(feed, send_buffer=16 << 10)
    proxy = weir(shared(upstream, "retain: { records: 20, bytes: 64KiB }",
                        buffer="{ default: 100, max_bytes: 16KiB }", upstream_receive_buffer="16KiB"))
    streams = [held(proxy, client) for _ in range(2)]
    readers(proxy, 2)
    feed.records(1, 1)
    lines = [response.records() for response, _ in streams]
    assert [next(each).number for each in lines] == [1, 1]
    for _, address in streams:
        address.feedback(pause=True)
    feed.records(2, 3001, size=1000)
    feed.end()
    assert level(lambda: upstream.sent, "the upstream") < 500_000


# MARK: What must not be shared

HEADS = {
    "set-cookie": STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nSet-Cookie: session=1\r\n\r\n"),
    "vary": STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nVary: X-Tenant, Origin\r\n\r\n"),
    "cache-control": STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nCache-Control: no-cache, private\r\n\r\n"),
    "status": STREAM_HEAD.replace(b"200 OK", b"404 Not Found"),
    "not-a-stream": STREAM_HEAD.replace(b"application/x-ndjson", b"text/html"),
}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("cause", HEADS)
def test_waiters_are_released_at_once(weir, origin, client, cause, workers):
    feed = Feed(head=HEADS[cause], waits=True)
    upstream = origin(feed)
    proxy = weir(shared(upstream, "key: X-Tenant"), workers=workers)
    clients = [client(proxy) for _ in range(5)]
    for number, each in enumerate(clients):
        each.ask("/", f"X-Client: {number}")
    readers(proxy, 5)
    feed.records(1, 2)
    feed.end()
    feed.ready.set()
    for each in clients:
        response = each.response()
        assert response.status == (404 if cause == "status" else 200)
        assert response.head["Cache-Status"] == f"weir; fwd=uri-miss; collapsed=?0; detail={cause}"
        assert [record.number for record in response.records()] == [1, 2] and response.complete
    assert len(upstream.heads) == 6
    sent = b"\n".join(upstream.heads[:6])
    assert all(b"X-Client: %d" % number in sent for number in range(5))
    after = client(proxy).get("/", "X-Client: 6")
    assert after.head["Cache-Status"] == "weir; fwd=uri-miss; collapsed=?0; detail=refused-before"
    assert len(upstream.heads) == 7
    assert Metrics(proxy).total("weir_sharing_refusals_total", route="/", cause=cause) == 5
    pulls(proxy, 0)


@pytest.mark.parametrize("field, cause", [
    ("Authorization: Bearer a", "authorization"), ("Cookie: a=b", "cookie"), ("Range: bytes=0-", "range"),
    ("Proxy-Authorization: Basic eA==", "authorization")])
def test_a_request_that_identifies_its_client_is_its_own(weir, origin, client, field, cause):
    feed = Feed()
    upstream = origin(feed)
    proxy = weir(shared(upstream))
    responses = [client(proxy).get("/", field) for _ in range(3)]
    assert {response.head["Cache-Status"] for response in responses} == {f"weir; fwd=bypass; detail={cause}"}
    assert len(upstream.heads) == 3


def test_a_field_of_the_key_separates_and_is_sent(weir, origin, client):
    feed = Feed()
    upstream = origin(feed)
    proxy = weir(shared(upstream, "key: [Authorization, X-Tenant]"))
    for token in "a", "b", "a", "b":
        assert client(proxy).get("/", f"Authorization: Bearer {token}").head["Cache-Status"] == COLLAPSED
    assert sorted(line for head in upstream.heads for line in head.split(b"\r\n") if b"Bearer" in line) == [
        b"Authorization: Bearer a", b"Authorization: Bearer b"]


@pytest.mark.parametrize("trusted", ["off", "127.0.0.1"])
def test_a_field_of_proxies_counts_only_from_a_trusted_peer(weir, origin, client, trusted):
    upstream = origin(Feed())
    proxy = weir(shared(upstream, "key: [X-Real-IP, X-Original-URL, X-Tenant]"), trusted_proxies=trusted)
    for number in range(2):
        fields = [f"X-Real-IP: 192.0.2.{number}", "X-Original-URL: /admin", "X-Tenant: a"]
        assert client(proxy).get("/", *fields).head["Cache-Status"] == COLLAPSED
    sent = [head.lower() for head in upstream.heads]
    assert len(sent) == (1 if trusted == "off" else 2)
    assert all((b"x-real-ip" in head and b"x-original-url" in head) == (trusted != "off") for head in sent)
    assert all(b"x-tenant: a" in head for head in sent)


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_other_methods_are_not_shared(weir, origin, client, method):
    feed = Feed()
    feed.end()
    upstream = origin(feed)
    proxy = weir(shared(upstream))
    assert client(proxy).get("/").head["Cache-Status"] == COLLAPSED
    assert client(proxy).get("/", method=method).head["Cache-Status"] == "weir; fwd=bypass; detail=method"


# MARK: Ends

@pytest.mark.parametrize("workers", [1, 2])
def test_all_readers_of_a_failed_upstream_end_after_the_same_record(weir, origin, client, workers):
    feed = Feed()
    proxy = weir(shared(origin(feed), "join: beginning"), workers=workers)
    responses = [client(proxy).get("/") for _ in range(20)]
    readers(proxy, 20)
    feed.records(1, 7)
    feed.raw(b'{"orderId":')
    feed.reset()
    for response in responses:
        assert [each.number for each in response.records()] == list(range(1, 8))
        assert response.complete is False
    for response in responses:
        assert proxy.logged(id=response.head["X-Stream-Id"])["reason"] == "upstream_failed"
    pulls(proxy, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_upstream_that_fails_before_its_head_fails_all(weir, origin, client, workers):
    feed = Feed(waits=True)

    def script(peer):
        peer.read_head()
        Feed._await(peer, feed.ready.is_set)
        peer.reset()

    upstream = origin(script)
    proxy = weir(shared(upstream, retry="off"), workers=workers)
    clients = [client(proxy) for _ in range(5)]
    for each in clients:
        each.ask("/")
    readers(proxy, 5)
    feed.ready.set()
    for each in clients:
        problem(each.response(), 502, "bad-upstream")
    assert len(upstream.heads) == 1


def test_the_upstream_is_read_for_a_while_without_readers(weir, origin, client):
    feed = Feed()
    upstream = origin(feed)
    proxy = weir(shared(upstream, "linger: 30s, join: beginning"))
    first = client(proxy)
    assert first.get("/").status == 200
    first.close()
    readers(proxy, 0)
    feed.records(1, 2)
    eventually(lambda: Metrics(proxy).total("weir_shared_retained_bytes", route="/") > 200, "records without a reader")
    assert numbers(client(proxy).get("/").records(), 2) == [1, 2]
    assert len(upstream.heads) == 1


def test_the_upstream_is_left_after_its_last_reader(weir, origin, client):
    feed = Feed()
    upstream = origin(feed)
    proxy = weir(shared(upstream, "linger: 0s"))
    clients = [client(proxy) for _ in range(2)]
    assert [each.get("/").status for each in clients] == [200, 200]
    clients[0].close()
    readers(proxy, 1)
    assert not upstream.peers[0].gone
    clients[1].close()
    eventually(lambda: upstream.peers[0].gone, "the upstream left")
    pulls(proxy, 0)
    assert client(proxy).get("/").status == 200
    assert len(upstream.heads) == 2


# MARK: Limits

def test_a_further_reader_has_a_request_of_its_own(weir, origin, client):
    upstream = origin(Feed())
    proxy = weir(shared(upstream, "max_readers: 2"))
    statuses = [client(proxy).get("/").head["Cache-Status"] for _ in range(3)]
    assert statuses == [COLLAPSED, COLLAPSED, "weir; fwd=uri-miss; collapsed=?0; detail=too-many-readers"]
    assert len(upstream.heads) == 2


def test_a_further_pull_is_not_made(weir, origin, client):
    upstream = origin(Feed())
    proxy = weir(shared(upstream, "max_pulls: 1"))
    statuses = [client(proxy).get(path).head["Cache-Status"] for path in ("/a", "/b", "/a")]
    assert statuses == [COLLAPSED, "weir; fwd=uri-miss; collapsed=?0; detail=too-many-pulls", COLLAPSED]


def test_a_pull_counts_once_at_its_upstream(weir, origin, client):
    upstream = origin(Feed())
    proxy = weir(shared(upstream, upstream_streams="1"))
    assert [client(proxy).get("/a").status for _ in range(3)] == [200] * 3
    problem(client(proxy).get("/b"), 503, "unavailable")


def test_retained_records_are_bounded(weir, origin, client):
    feed = Feed()
    proxy = weir(shared(origin(feed), "retain: { records: 1000000, bytes: 64KiB, age: off }"))
    records = client(proxy).get("/").records()
    for first in range(1, 1001, 100):
        feed.records(first, first + 99, size=1000)
        assert numbers(records, 100) == list(range(first, first + 100))
    assert Metrics(proxy).total("weir_shared_retained_bytes", route="/") <= 64 << 10


def test_a_reload_of_the_route_begins_a_new_request(weir, origin, client):
    upstream = origin(Feed())
    proxy = weir(shared(upstream))
    assert client(proxy).get("/").head["Cache-Status"] == COLLAPSED
    assert proxy.reload(shared(upstream)).startswith("reloaded")
    assert client(proxy).get("/").head["Cache-Status"] == COLLAPSED
    assert len(upstream.heads) == 1
    assert proxy.reload(shared(upstream, stall_timeout="20s")).startswith("reloaded")
    assert client(proxy).get("/").head["Cache-Status"] == COLLAPSED
    assert len(upstream.heads) == 2
