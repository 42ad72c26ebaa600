"""A stream whose client is gone is read on, and the client that returns gets all of it; nothing is left of one that does not."""
import contextlib
import itertools
import threading
from types import SimpleNamespace

import httpx
import httpx_sse
import pytest

from harness.addresses import LOOPS, connect, numbers, post, state
from harness.disconnects import LIMITS, fin, is_idle, rst, survives
from harness.event_stream import SSE_HEAD, event, events
from harness.metrics import Metrics
from harness.problems import problem
from harness.raw_client import RawClient
from harness.relay import Relay
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.waiting import eventually, level
from harness.weir import route

CONTINUE = {"resume_window": "60s", "on_client_gone": "continue", "buffer": "{ default: 20, max: 1000, max_bytes: 1MiB }"}
MINE, YOURS = "Authorization: Bearer me", "Authorization: Bearer you"
TRAILERS = ["TE: trailers", "Connection: TE"]
both_loops = pytest.mark.parametrize("where", LOOPS)
# Keeps all that is sent, for a client that reads late.
ROOMY = {**CONTINUE, "buffer": "{ default: 1000, max: 1000, max_bytes: 1MiB }"}


class Feed:
    """An origin whose stream a test steers: `more(n)` sends the records up to number n, `end()` the last chunk."""

    def __init__(self, origin, head=STREAM_HEAD, make=record):
        self.head, self.make, self.begins_after = head, make, 0
        self._wanted, self._ends, self._changed = 0, None, threading.Condition()
        self.origin = origin(self._script)

    def _script(self, peer):
        peer.read_head()
        peer.send(self.head)
        sent = 0
        while True:
            with self._changed:
                assert self._changed.wait_for(lambda: self._wanted > sent or self._ends is not None, 60)
                wanted, ends = self._wanted, self._ends
            for number in range(sent + 1, wanted + 1):
                peer.send(chunk(self.make(number)))
            sent = wanted
            if ends is not None:
                peer.send(ends)
                peer.close()

    def more(self, last):
        with self._changed:
            self._wanted = last
            self._changed.notify_all()

    def end(self, ends=LAST_CHUNK):
        with self._changed:
            self._ends = ends
            self._changed.notify_all()

    @property
    def requests(self):
        return len(self.origin.heads)


@pytest.fixture
def begin(weir, origin, client):
    """Opens a stream on a weir of two loops, and reads its first `read` records of `sent` ones."""
    feeds = []

    def open_stream(*fields, read=10, sent=10, head=STREAM_HEAD, make=record, body=None, **keys):
        feed = Feed(origin, head, make)
        feeds.append(feed)
        feed.more(sent)
        proxy = weir(route(feed.origin.url, **{**CONTINUE, **keys}), workers=2, shutdown_grace="0s")
        reading = client(proxy)
        response = reading.get("/feed", *fields) if body is None else post(reading, "/feed", body, *fields)
        assert response.status == 200
        reader = events(response) if head is SSE_HEAD else response.records()
        assert numbers(reader, read) == list(range(1, read + 1))
        return SimpleNamespace(feed=feed, proxy=proxy, reading=reading, response=response, reader=reader,
                               id=response.head["X-Stream-Id"], beside=connect(client, proxy, "same", beside=reading))

    yield open_stream
    for feed in feeds:
        feed.end()


def lose(stream):
    """The client's connection is gone, and weir has noticed."""
    stream.reading.close()
    eventually(lambda: state(stream.beside, stream.id)["state"] == "resumable", "a stream without a client")


def losses(proxy):
    """Streams that have lost their clients so far."""
    return Metrics(proxy).total("weir_client_disconnects_total", cause="resumable")


def resume(connection, stream, after, *fields):
    return connection.get("/feed", f"X-Stream-Resume: {stream.id}; after={after}", *fields)


def queued(stream, records):
    eventually(lambda: state(stream.beside, stream.id)["queued"] == records, f"{records} queued records")


# The upstream is read on


@both_loops
def test_the_upstream_ends_while_the_client_is_away_and_the_response_is_complete(begin, client, where):
    stream = begin(*TRAILERS)
    lose(stream)
    stream.feed.more(500)
    queued(stream, 490)
    stream.feed.end()
    back = connect(client, stream.proxy, where, beside=stream.beside)
    response = resume(back, stream, 5, *TRAILERS)
    assert numbers(response.records()) == list(range(6, 501))
    assert response.complete and response.trailers == [("X-Stream-Status", "complete"), ("X-Stream-Items", "500")]
    line = stream.proxy.logged(id=stream.id)
    assert (line["reason"], line["records"], line["resumptions"], line["pauses"]) == ("completed", 500, 1, 0)
    assert stream.feed.requests == 1


def test_the_end_that_arrived_before_the_return_is_the_true_one(begin, client):
    stream = begin("Prefer: stream-notices")
    lose(stream)
    stream.feed.more(30)
    queued(stream, 20)
    stream.feed.end(b"ff\r\n{")  # a cut response
    eventually(lambda: Metrics(stream.proxy).total("weir_upstream_connections", state="active") == 0, "the upstream's end")
    response = resume(client(stream.proxy), stream, 10, "Prefer: stream-notices")
    got = list(response.records())
    assert [each.number for each in got[:-1]] == list(range(11, 31)) and b"bad-upstream" in got[-1].line
    assert not response.complete
    assert stream.proxy.logged(id=stream.id)["reason"] == "upstream_failed"


def test_a_route_that_waits_reads_what_the_client_was_granted(begin, client):
    stream = begin(on_client_gone="wait")
    lose(stream)
    stream.feed.more(500)
    eventually(lambda: Metrics(stream.proxy).total("weir_upstream_pauses_total", cause="detached") == 1, "a paused upstream")
    stream.feed.end()
    assert numbers(resume(client(stream.proxy), stream, 10).records()) == list(range(11, 501))


def test_a_route_that_cancels_has_no_window(begin, client):
    stream = begin(on_client_gone="cancel")
    stream.reading.close()
    assert stream.proxy.logged(id=stream.id)["reason"] == "client_gone"
    problem(resume(stream.beside, stream, 10), 404, "not-found")


def test_at_the_bound_the_upstream_waits_and_the_window_ends_the_stream(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(1000)

    upstream = origin(script, send_buffer=16 << 10)
    proxy = weir(route(upstream.url, **{**CONTINUE, "resume_window": "5s", "buffer": "{ default: 10, max: 200, max_bytes: 1MiB }"},
                       upstream_receive_buffer="16KiB"))
    reading = client(proxy)
    response = reading.get("/feed")
    numbers(response.records(), 10)
    reading.close()
    eventually(lambda: losses(proxy) == 1, "a detached stream")
    eventually(lambda: Metrics(proxy).total("weir_upstream_pauses_total", cause="detached") >= 1, "a paused upstream")
    line = proxy.logged(id=response.head["X-Stream-Id"])
    assert line["reason"] == "client_gone" and line["buffer_peak"] <= 200
    # What the queue holds, and what is in libcurl's and the kernel's buffers on both sides.
    assert upstream.sent <= (line["records"] + 200) * 1008 + (200 << 10)
    eventually(lambda: is_idle(proxy), "nothing left")
    assert Metrics(proxy).total("weir_breaker_trips_total") == 0
    assert client(proxy).get("/feed").status == 200


def test_a_post_is_resumed_by_its_id_with_and_without_its_body(begin, client):
    stream = begin(body={"prompt": "?"})
    lose(stream)
    stream.feed.more(40)
    first = client(stream.proxy)
    response = post(first, "/feed", {"prompt": "?"}, f"X-Stream-Resume: {stream.id}; after=10")
    assert numbers(response.records(), 20) == list(range(11, 31))
    first.close()
    eventually(lambda: state(stream.beside, stream.id)["state"] == "resumable", "a stream without a client")
    stream.feed.end()
    response = post(client(stream.proxy), "/feed", b"", f"X-Stream-Resume: {stream.id}; after=30")
    assert numbers(response.records()) == list(range(31, 41)) and response.complete
    assert stream.feed.requests == 1


def test_records_that_are_never_sent_are_not_charged(begin, client):
    """Two of three records of the budget are spent; what is read meanwhile is not, until it is sent."""
    limited = {"client_key": "{ header: Authorization }", "resume_window": "5s",
               "streams": "{ client_records: { quota: { records: 3, per: day } } }"}
    stream = begin(MINE, read=2, sent=2, **limited)
    lose(stream)
    stream.feed.more(20)
    queued(stream, 18)
    assert stream.proxy.logged(id=stream.id)["reason"] == "client_gone"
    assert numbers(client(stream.proxy).get("/feed", MINE).records(), 1) == [1]


def test_a_drain_ends_a_stream_that_is_read_on(begin):
    stream = begin()
    lose(stream)
    stream.feed.more(100)
    queued(stream, 90)
    stream.proxy.terminate()
    assert stream.proxy.ended() == 0
    assert stream.proxy.logged(id=stream.id)["reason"] == "drained"


def test_a_reload_keeps_a_stream_that_is_read_on(begin, client):
    stream = begin()
    lose(stream)
    stream.feed.more(300)
    queued(stream, 290)
    assert stream.proxy.reload(route(stream.feed.origin.url, on_client_gone="cancel")).startswith("reloaded")
    stream.feed.end()
    response = resume(client(stream.proxy), stream, 10)
    assert numbers(response.records()) == list(range(11, 301)) and response.complete


# Last-Event-ID


def begin_events(begin, *fields, **options):
    return begin(*fields, head=SSE_HEAD, make=event, **options)


def after(connection, last, *fields):
    return connection.get("/feed", f"Last-Event-ID: {last}", *fields)


@both_loops
def test_events_continue_after_the_one_that_the_client_has(begin, client, where):
    stream = begin_events(begin, MINE)
    lose(stream)
    stream.feed.more(100)
    queued(stream, 90)
    stream.feed.end()
    response = after(connect(client, stream.proxy, where, beside=stream.beside), 7, MINE)
    assert (response.status, response.head["X-Stream-Id"]) == (200, stream.id)
    assert numbers(events(response)) == list(range(8, 101)) and response.complete
    assert stream.feed.requests == 1 and stream.proxy.logged(id=stream.id)["resumptions"] == 1


@both_loops
def test_an_unknown_event_is_a_new_request_with_the_id(begin, client, where):
    stream = begin_events(begin, MINE)
    lose(stream)
    back = connect(client, stream.proxy, where, beside=stream.beside)
    response = after(back, "unknown", MINE)
    assert response.status == 200 and response.head["X-Stream-Id"] != stream.id
    assert numbers(events(response), 10) == list(range(1, 11))
    assert b"Last-Event-ID: unknown" in stream.feed.origin.heads[1]
    assert state(stream.beside, stream.id)["state"] == "resumable"


@pytest.mark.parametrize("fields", [
    [YOURS], [], [MINE, "Cookie: a=b"], [MINE, "Accept: text/event-stream"], [MINE, "Host: other.example"],
], ids=["other credentials", "none", "another cookie", "another Accept", "another host"])
def test_another_request_never_gets_the_stream(begin, client, fields):
    stream = begin_events(begin, MINE)
    lose(stream)
    response = after(client(stream.proxy), 5, *fields)
    assert response.status == 200 and response.head["X-Stream-Id"] != stream.id
    assert numbers(events(response), 10) == list(range(1, 11))
    assert stream.feed.requests == 2 and state(stream.beside, stream.id)["state"] == "resumable"


def test_an_address_is_no_proof(begin, client):
    stream = begin_events(begin)
    lose(stream)
    assert after(client(stream.proxy), 5).head["X-Stream-Id"] != stream.id
    assert resume(client(stream.proxy), stream, 5).head["X-Stream-Id"] == stream.id


def test_a_stream_that_has_its_client_is_not_taken(begin, client):
    stream = begin_events(begin, MINE)
    assert after(client(stream.proxy), 5, MINE).head["X-Stream-Id"] != stream.id
    stream.feed.more(11)
    assert next(stream.reader).number == 11


def test_a_response_that_varies_with_another_field_is_not_found(weir, origin, client):
    feed = Feed(origin, SSE_HEAD.replace(b"\r\n\r\n", b"\r\nVary: X-Tenant\r\n\r\n"), event)
    feed.more(5)
    proxy = weir(route(feed.origin.url, **CONTINUE), shutdown_grace="0s")
    reading = client(proxy)
    first = reading.get("/feed", MINE, "X-Tenant: a")
    assert numbers(events(first), 5) == [1, 2, 3, 4, 5]
    reading.close()
    eventually(lambda: losses(proxy) == 1, "a detached stream")
    assert after(client(proxy), 3, MINE, "X-Tenant: b").head["X-Stream-Id"] != first.head["X-Stream-Id"]
    feed.end()


def test_an_sse_client_that_loses_its_connection_gets_every_event_once(weir, origin):
    feed = Feed(origin, SSE_HEAD, event)
    feed.more(200)
    proxy = weir(route(feed.origin.url, client_key="{ header: X-Api-Key }", **ROOMY), workers=2)
    got = []
    with httpx.Client(timeout=60, headers={"X-Api-Key": "mine"}) as http:
        for connection in range(1, 7):
            if connection == 6:
                feed.end()
            headers = {"Last-Event-ID": got[-1]} if got else {}
            with httpx_sse.connect_sse(http, "GET", proxy.url + "/feed", headers=headers) as source:
                got += [each.id for each in itertools.islice(source.iter_sse(), None if connection == 6 else 30)]
            if connection < 6:
                eventually(lambda: losses(proxy) == connection, "weir has noticed")
    assert got == [str(number) for number in range(1, 201)]
    assert feed.requests == 1


def test_an_event_source_in_a_browser_gets_every_event_once(weir, origin, browser):
    """The connection is lost twice in the middle of an event; the cookie, which a browser sends by itself, is the credential."""
    page_text = b"""<title>events</title><ul></ul><script>
        const source = new EventSource("/feed"), list = document.querySelector("ul");
        source.onmessage = message => list.append(Object.assign(document.createElement("li"), { textContent: message.lastEventId }));
        source.addEventListener("end", () => { source.close(); document.title = "complete"; });
        </script>"""

    def script(peer):
        while head := peer.read_head():
            if b"GET /feed" not in head:
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: session=me; Path=/\r\n"
                          b"Content-Length: %d\r\n\r\n%b" % (len(page_text), page_text))
                continue
            peer.send(SSE_HEAD + chunk(b"retry: 50\n\n"))
            for number in range(1, 61):
                peer.send(chunk(event(number, size=100)))
            assert lost_twice.wait(120)
            peer.send(chunk(b"event: end\ndata: end\n\n") + LAST_CHUNK)

    def ready():
        """A client that returns before weir has noticed the loss would begin a new stream."""
        eventually(lambda: losses(proxy) == between.lost, "weir has noticed")
        if between.lost < 2:
            between.lose(after=1050)
        else:
            lost_twice.set()

    lost_twice = threading.Event()
    upstream = origin(script)
    proxy = weir(route(upstream.url, match="/feed", client_key="{ header: Cookie }", **ROOMY), route(upstream.url))
    between = Relay(proxy.port)
    between.ready = ready
    page = browser.new_page()
    try:
        page.goto(between.url)
        page.wait_for_function("document.title == 'complete'", timeout=120_000)
        assert page.locator("li").all_text_contents() == [str(number) for number in range(1, 61)]
    finally:
        lost_twice.set()
        page.close()
        between.stop()
    # A browser that has read nothing before the loss has no id, and begins anew: then no event is there twice, either.
    assert sum(b"GET /feed" in head for head in upstream.heads) <= 3


# Clients that disconnect in each state, and do not return


class Place:
    """A weir whose window is short, and an origin for each state."""

    def __init__(self, weir, origin):
        self.upstream = origin(self._script)
        self.proxy = weir(route(self.upstream.url, **{**CONTINUE, "resume_window": "1s"}), limits=LIMITS, workers=2)

    @staticmethod
    def _script(peer):
        path = peer.read_head().split()[1]
        if path == b"/held":
            peer.wait_gone()
        peer.send(SSE_HEAD if path == b"/events" else STREAM_HEAD)
        if path == b"/middle":
            peer.send(chunk(record(1)) + chunk(record(2)[:5]))
        elif path == b"/events":
            peer.send(chunk(event(1)) + chunk(event(2)))
        elif path != b"/head":
            peer.send(b"".join(chunk(record(number)) for number in (1, 2)))
        if path == b"/ended":
            peer.send(LAST_CHUNK)
            peer.close()
        peer.wait_gone()

    def arrived(self, path):
        eventually(lambda: any(path in head for head in self.upstream.heads), f"a request for {path!r} at the origin")


def before_the_head(place, ask):
    stream = ask("/held")
    place.arrived(b"/held")
    return stream


def after_the_head(place, ask):
    return ask("/head", status=200)


def in_a_record(place, ask):
    return ask("/middle", records=1)


def after_the_last_record(place, ask):
    return ask("/open", records=2)


def after_the_end(place, ask):
    return ask("/ended", records=2)


def in_a_resumption(place, ask):
    first = ask("/open", records=2)
    return ask("/open", f"X-Stream-Resume: {first.id}; after=1", records=1)


def in_a_resumption_by_event(place, ask):
    first = ask("/events", MINE, status=200, lines=6)
    before = losses(place.proxy)
    first.close()
    eventually(lambda: losses(place.proxy) > before, "a detached stream")
    return ask("/events", MINE, "Last-Event-ID: 1", status=200)


STATES = [before_the_head, after_the_head, in_a_record, after_the_last_record, after_the_end, in_a_resumption,
          in_a_resumption_by_event]


class Asked:
    """A request over HTTP/1.1, and its response as far as a state needs it."""

    def __init__(self, proxy, path, fields, status, records, lines):
        self.connection = RawClient(proxy.port)
        self.sock, self.close = self.connection.sock, self.connection.close
        self.connection.ask(path, *fields)
        if status or records:
            response = self.connection.response()
            assert response.status == 200
            self.id = response.head["X-Stream-Id"]
            reader = response.records()
            for _ in range(records or lines):
                next(reader)


class AskedHTTP2:
    """The same over HTTP/2."""

    def __init__(self, h2, proxy, path, fields, status, records, lines):
        self.connection = h2(proxy)
        self.sock = self.connection.sock
        headers = dict(field.split(": ") for field in fields)
        self.stream = self.connection.ask(path, *((name.lower(), value) for name, value in headers.items()))
        if status or records:
            assert self.stream.head().status == 200
            self.id = self.stream.fields["x-stream-id"]
            self.connection.until(lambda: len(self.stream.lines) >= (records or lines))

    def close(self):
        self.sock.close()


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("leaves", STATES, ids=lambda state: state.__name__)
def test_nothing_is_left_of_a_client_that_disconnects(weir, origin, h2, leaves, version):
    place = Place(weir, origin)

    def ask(path, *fields, status=None, records=0, lines=0):
        if version == "HTTP/2":
            return AskedHTTP2(h2, place.proxy, path, fields, status, records, lines)
        return Asked(place.proxy, path, fields, status, records, lines)

    for end in (fin, rst):
        client = leaves(place, ask)
        end(client.sock)
        with contextlib.suppress(OSError):
            client.close()
    survives(place.proxy, lambda: RawClient(place.proxy.port))
    assert Metrics(place.proxy).total("weir_breaker_trips_total") == 0
