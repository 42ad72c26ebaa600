"""HTTP/2 towards clients: by ALPN and by prior knowledge, each stream at its own pace, and floods that end."""
import signal
import subprocess
import threading

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from harness.addresses import endless
from harness.certificates import Authority, yaml
from harness.event_stream import SSE_HEAD, event
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.streams import HeldRecords
from harness.tools import curl
from harness.waiting import eventually, level
from harness.weir import route

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def ten(peer):
    peer.read_head()
    peer.send(STREAM_HEAD + b"".join(chunk(record(number)) for number in range(1, 11)) + LAST_CHUNK)


def thousand(peer):
    peer.read_head()
    peer.send(STREAM_HEAD + b"".join(chunk(record(number, 200)) for number in range(1, 1001)) + LAST_CHUNK)


# How it begins


def test_it_is_chosen_by_alpn(weir, origin, h2, tmp_path):
    authority = Authority(tmp_path)
    proxy = weir(route(origin(ten).url), tls=yaml(**authority.serve()))
    stream = h2(proxy, tls=authority.client(protocols=("h2", "http/1.1"))).ask("/").finish()
    assert (stream.status, stream.numbers, stream.ended) == (200, list(range(1, 11)), True)
    answer = curl(proxy.url + "/", "--cacert", str(authority.pem), "--http1.1")
    assert (answer.exit_status, answer.status, len(answer.lines())) == (0, 200, 10)


def test_it_is_not_offered_where_it_is_off(weir, origin, client, h2, tmp_path):
    authority = Authority(tmp_path)
    proxy = weir(route(origin(ten).url), tls=yaml(**authority.serve()), http2="off")
    both = client(proxy, tls=authority.client(protocols=("h2", "http/1.1")))
    assert both.sock.selected_alpn_protocol() == "http/1.1"
    assert both.get("/").status == 200
    plain = weir(route(origin(ten).url), http2="off")
    assert h2(plain).ask("/").finish().status is None


def test_a_reload_may_switch_it_off_under_streams_that_stay_open(weir, origin, h2, client, tmp_path):
    authority, script = Authority(tmp_path), HeldRecords(2)
    proxy = weir(route(origin(script).url), tls=yaml(**authority.serve()))
    both = authority.client(protocols=("h2", "http/1.1"))
    stream = h2(proxy, tls=both).ask("/").head()
    stream.client.until(lambda: stream.lines)
    proxy.config.write_text("http2: off\n" + proxy.config.read_text())
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: client(proxy, tls=both).sock.selected_alpn_protocol() == "http/1.1", "HTTP/1.1 alone")
    assert client(proxy, tls=both).get("/v1/health/streaming").status == 200
    script.go.set()
    script.over.set()
    assert stream.finish().numbers == [1, 2]


@pytest.mark.parametrize("cut", [None, 1, 3, 23])
def test_it_is_known_by_its_preface_however_that_is_cut(weir, origin, client, cut):
    proxy = weir(route(origin(ten).url))
    connection = client(proxy)
    opening = PREFACE + bytes(9)[:3] + b"\x04" + bytes(5)  # an empty SETTINGS
    if cut:
        connection.send(opening[:cut])
        connection.send(opening[cut:])
    else:
        connection.send(opening)
    frame = b"".join(connection.some(9))
    assert frame[3] == 4  # SETTINGS
    curled = curl(proxy.url + "/", "--http2-prior-knowledge")
    assert (curled.exit_status, curled.status, len(curled.lines())) == (0, 200, 10)


def test_what_only_begins_like_a_preface_is_http1(weir, origin, client):
    proxy = weir(route(origin(ten).url), limits="{ header_timeout: 2s }")
    connection = client(proxy)
    connection.send(b"PR")
    connection.send(b"OPFIND / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.response().status == 200
    late = client(proxy)
    late.send(b"PRI * HT")
    assert late.response().status == 408


# Requests and responses


def test_requests_and_responses_are_those_of_http1(weir, origin, h2):
    heads = []

    def script(peer):
        heads.append(peer.read_head())
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nSet-Cookie: a=1\r\nKeep-Alive: timeout=5\r\n"
                  b"Connection: keep-alive, X-Own\r\nX-Own: 1\r\nX-Mixed-Case: Yes\r\nContent-Length: 14\r\n\r\n")
        peer.send(b'{"orderId":1}\n')

    proxy = weir(route(origin(script).url, rate="{ default: 50/second }"))
    stream = h2(proxy).ask("/a/b?c=d", ("cookie", "a=1"), ("cookie", "b=2"), ("x-mine", "yes")).finish()
    assert stream.status == 200 and stream.numbers == [1] and stream.ended
    assert stream.fields["x-mixed-case"] == "Yes" and stream.fields["x-stream-rate"] == "50/second"
    assert not {"connection", "keep-alive", "transfer-encoding", "x-own"} & stream.fields.keys()
    text = heads[0].decode().lower()
    assert text.startswith("get /a/b?c=d http/1.1\r\n")
    assert "\r\nhost: orders.example\r\n" in text and "\r\ncookie: a=1; b=2" in text and "x-mine: yes" in text
    assert text.count("\r\nhost:") == 1


def test_the_end_goes_in_the_frame_of_the_last_bytes(weir, origin, h2):
    connection = h2(weir(route(origin(ten).url)))
    for fields in ((), (("te", "trailers"),)):
        stream = connection.ask("/", *fields).finish()
        assert stream.numbers == list(range(1, 11)) and stream.ended
        assert stream.frames and all(stream.frames)


def test_heads_without_bodies(weir, origin, h2):
    def script(peer):
        head = peer.read_head()
        if head.startswith(b"HEAD"):
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
        else:
            peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    proxy = weir(route(origin(script).url))
    connection = h2(proxy)
    head, none = connection.ask("/", method="HEAD").finish(), connection.ask("/").finish()
    assert (head.status, head.fields["content-length"], head.body, head.ended) == (200, "1234", b"", True)
    assert (none.status, none.body, none.ended) == (204, b"", True)


def test_trailers_report_that_a_stream_is_complete(weir, origin, h2):
    proxy = weir(route(origin(ten).url))
    stream = h2(proxy).ask("/", ("te", "trailers")).finish()
    assert stream.fields["trailer"] == "X-Stream-Status, X-Stream-Items"
    assert stream.trailers == {"x-stream-status": "complete", "x-stream-items": "10"}
    assert h2(proxy).ask("/").finish().trailers is None


def test_refusals_and_a_streams_own_address(weir, origin, h2):
    script = HeldRecords(2)
    proxy = weir(route(origin(script).url, match="/a", streams="{ per_client: 1 }"))
    connection = h2(proxy)
    stream = connection.ask("/a").head()
    assert connection.ask("/nowhere").finish().status == 404
    refused = connection.ask("/a")
    assert refused.json()["type"].endswith("/too-many-streams") and refused.status == 429
    assert refused.fields["retry-after"] == "1"
    address = f"/v1/streams/{stream.fields['x-stream-id']}"
    said = connection.ask(address + "/feedback", ("content-length", "14"), method="POST", ends=False)
    connection.send_body(said, b'{"pause":', ends=False)
    connection.send_body(said, b"true}")
    assert said.json()["paused"] is True
    unsized = connection.ask(address + "/feedback", method="POST", ends=False)
    connection.send_body(unsized, b'{"pause":false}')
    assert unsized.json()["paused"] is False
    waiting = connection.ask(address + "/feedback", ("content-length", "14"), ("expect", "100-continue"), method="POST",
                             ends=False)
    connection.until(lambda: waiting.informational)
    assert waiting.informational == ["100"]
    connection.send_body(waiting, b'{"request":10}')
    assert waiting.json()["credit"] == 10
    script.go.set()
    script.over.set()
    assert stream.finish().numbers == [1, 2]
    proxy.logged(path="/a", reason="completed")


@pytest.mark.parametrize("fields", [
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/ HTTP/1.1")],
    [(":method", "G ET"), (":scheme", "http"), (":authority", "a"), (":path", "/")],
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("host", "b")],
    [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("content-length", "+1")],
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("x", "a\r\nb: c")],
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("connection", "close")],
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("transfer-encoding", "chunked")],
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("te", "gzip")],
    [(":method", "GET"), (":scheme", "http"), (":authority", "a")],
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("Upper", "case")],
], ids=["target", "method", "two hosts", "length", "line break", "connection", "coding", "te", "no path", "upper case"])
def test_malformed_requests_are_refused_and_never_reach_the_upstream(weir, origin, h2, fields):
    upstream = origin(ten)
    proxy = weir(route(upstream.url))
    connection = h2(proxy, validate=False)
    stream = connection.ask("/ok").finish()
    connection.h2.send_headers(3, fields, end_stream=True)
    bad = connection.streams[3] = type(stream)(3, connection)
    connection.flush()
    bad.finish()
    assert bad.status in (400, None)
    assert bad.status == 400 or bad.reset == ErrorCodes.PROTOCOL_ERROR
    assert len(upstream.peers) == 1
    assert connection.ask("/ok").finish().status == 200


# Streams beside each other


def test_a_stream_that_is_not_read_waits_alone(weir, origin, h2):
    upstream = origin(endless(1024), send_buffer=16 << 10)
    proxy = weir(route(upstream.url, match="/flood", stall_timeout="off", upstream_receive_buffer="32KiB",
                       buffer="{ default: 100 }"),
                 route(origin(thousand).url))
    connection = h2(proxy)
    unread = connection.ask("/flood", reads=False)
    connection.until(lambda: len(unread.body) == 65535)
    for _ in range(5):
        beside = connection.ask("/").finish()
        assert beside.numbers == list(range(1, 1001)) and beside.ended
    sent = level(lambda: upstream.peers[0].sent, "what the origin got rid of")
    assert sent < 1 << 20
    assert len(unread.body) == 65535 and not unread.over
    unread.read_on()
    connection.until(lambda: len(unread.body) > 500_000)
    assert unread.numbers == list(range(1, len(unread.lines) + 1))
    connection.cancel(unread)
    proxy.logged(path="/flood", reason="client_gone")


def test_a_closed_window_is_a_client_that_does_not_read(weir, origin, h2):
    proxy = weir(route(origin(endless(1024)).url, stall_timeout="2s", breaker="off"),)
    connection = h2(proxy)
    unread, read = connection.ask("/unread", reads=False), connection.ask("/read")
    connection.until(lambda: unread.over)
    assert unread.reset == ErrorCodes.ENHANCE_YOUR_CALM
    proxy.logged(path="/unread", reason="slow_consumer")
    before = len(read.body)
    connection.until(lambda: len(read.body) > before + 100_000)
    assert not read.over
    connection.cancel(read)
    assert proxy.logged(path="/read")["reason"] == "client_gone"


def test_a_client_that_opens_its_window_bit_by_bit_is_seen_to_read(weir, origin, h2):
    """A batch of 64 KiB takes it longer than the limit, and it takes some of it all the time."""
    keys = {"stall_timeout": "2s", "breaker": "off", "overflow": "drop_newest", "buffer": "{ default: 20 }"}
    proxy = weir(route(origin(endless(1024)).url, **keys))
    slow, witness = h2(proxy), h2(proxy)
    stream = slow.ask("/slow", reads=False)
    slow.until(lambda: len(stream.body) == 65535)
    over = threading.Event()

    def wait():
        for number in range(2):
            witness.ask(f"/witness{number}", reads=False).finish()
        over.set()
    waiting = threading.Thread(target=wait)
    waiting.start()
    wanted = 65535
    while not over.wait(0.05):
        stream.client.h2.increment_flow_control_window(100, stream.id)
        slow.flush()
        wanted += 100
        slow.until(lambda: len(stream.body) >= wanted or stream.over)
        assert not stream.over
    waiting.join()
    assert wanted < 2 * 65535
    slow.close()
    assert proxy.logged(path="/slow")["reason"] == "client_gone"


def test_a_client_that_does_not_read_its_socket_is_found_on_every_stream(weir, origin, h2):
    proxy = weir(route(origin(endless(1024)).url, stall_timeout="500ms", breaker="off"))
    connection = h2(proxy, silent=True, receive_buffer=4096)
    for number in range(3):
        connection.ask(f"/{number}")
    for number in range(3):
        assert proxy.logged(path=f"/{number}", reason="slow_consumer")["bytes"] < 4 << 20


@pytest.mark.parametrize("count", [1, 2, 5])  # one holds less than the connection may, and more hold more
def test_streams_continue_when_a_full_socket_is_read_again(weir, origin, h2, count):
    def long(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + b"".join(chunk(record(number, 1000)) for number in range(1, 3001)) + LAST_CHUNK)

    upstream = origin(long)
    connection = h2(weir(route(upstream.url)), silent=True, receive_buffer=4096)
    streams = [connection.ask(f"/{number}") for number in range(count)]
    eventually(lambda: len(upstream.peers) == count, "all requests at the origin")
    level(lambda: upstream.sent, "what the origin got rid of")
    for stream in streams:
        assert stream.finish().numbers == list(range(1, 3001)) and stream.ended


def test_paces_are_kept_stream_by_stream(weir, origin, h2):
    proxy = weir(route(origin(thousand).url, rate="{ default: 1000/second, max: 1000/second }"))
    connection = h2(proxy)
    slow = connection.ask("/", ("x-stream-rate-limit", "1/minute"))
    fast = [connection.ask("/") for _ in range(3)]
    for stream in fast:
        assert stream.finish().numbers == list(range(1, 1001))
    assert slow.numbers == [1] and not slow.over


def test_events_pass_whole_and_quiet_streams_of_them_get_comments(weir, origin, h2):
    script = HeldRecords(20, event, head=SSE_HEAD)
    stream = h2(weir(route(origin(script).url, heartbeat="100ms"))).ask("/", ("accept", "text/event-stream"))
    stream.client.until(lambda: stream.body.count(b":\n\n") >= 3)
    script.go.set()
    script.over.set()
    assert stream.finish().ended
    assert stream.body.replace(b":\n\n", b"") == b"".join(event(number) for number in range(1, 21))


def test_records_larger_than_the_window_pass(weir, origin, h2):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(record(1, 200_000)) + chunk(record(2, 200_000)) + LAST_CHUNK)

    proxy = weir(route(origin(script).url, rate="{ default: 100/second }"))
    stream = h2(proxy).ask("/").finish()
    assert stream.numbers == [1, 2] and len(stream.body) == 400_000 and stream.ended


# Ends


def test_a_stream_that_breaks_off_is_reset_after_the_sent_records(weir, origin, h2):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(record(1)) + chunk(record(2)) + b"40\r\n{")
        peer.reset()

    proxy = weir(route(origin(script).url))
    connection = h2(proxy)
    stream = connection.ask("/").finish()
    assert stream.numbers == [1, 2] and not stream.ended and stream.reset == ErrorCodes.INTERNAL_ERROR
    stream = connection.ask("/", ("prefer", "stream-notices")).finish()
    assert stream.reset == ErrorCodes.INTERNAL_ERROR and b"bad-upstream" in stream.lines[-1]
    assert connection.ask("/nothing/else").finish().status == 200
    proxy.logged(reason="upstream_failed")


def test_a_client_that_gives_up_a_stream_ends_it_at_the_upstream(weir, origin, h2):
    upstream = origin(endless(1024))
    proxy = weir(route(upstream.url))
    connection = h2(proxy)
    streams = [connection.ask(f"/{number}") for number in range(3)]
    connection.until(lambda: all(stream.body for stream in streams))
    connection.cancel(streams[0])
    proxy.logged(path="/0", reason="client_gone")
    connection.close()
    for number in (1, 2):
        proxy.logged(path=f"/{number}", reason="client_gone")


def test_a_drain_sends_goaway_and_ends_streams(weir, origin, h2):
    script = HeldRecords(2)
    proxy = weir(route(origin(script).url), shutdown_grace="500ms")
    idle, busy = h2(proxy), h2(proxy)
    idle.until(lambda: idle.settings)
    stream = busy.ask("/").head()
    busy.until(lambda: stream.lines)
    proxy.terminate()
    assert idle.until(lambda: idle.gone) and idle.goaways == [(0, 0)]
    stream.finish()
    assert stream.numbers == [1] and stream.reset is not None and not stream.ended
    busy.until(lambda: busy.gone)
    assert busy.goaways[0][0] == 0
    assert proxy.ended() == 0
    script.go.set()
    script.over.set()


def test_an_idle_connection_is_closed_with_goaway(weir, origin, h2):
    proxy = weir(route(origin(ten).url), limits="{ keepalive_timeout: 2s, header_timeout: 2s }")
    used, unused = h2(proxy), h2(proxy)
    used.ask("/").finish()
    for connection, last in ((used, 1), (unused, 0)):
        assert connection.until(lambda: connection.gone) and connection.goaways == [(0, last)]


# Bounds


def test_limits_are_announced_and_enforced(weir, origin, h2):
    script = HeldRecords(1)
    proxy = weir(route(origin(script).url), http2="{ max_concurrent_streams: 3 }", limits="{ max_header_bytes: 8KiB }")
    connection = h2(proxy)
    connection.until(lambda: connection.settings)
    assert connection.settings[SettingCodes.MAX_CONCURRENT_STREAMS] == 3
    assert connection.settings[SettingCodes.MAX_HEADER_LIST_SIZE] == 8192
    for _ in range(3):
        assert connection.ask("/").head().status == 200
    connection.h2.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = 100
    connection.h2.remote_settings.acknowledge()
    connection.ask("/")
    assert connection.until(lambda: connection.gone) and connection.goaways[0][0] == ErrorCodes.PROTOCOL_ERROR
    script.over.set()
    greedy = h2(proxy)
    assert greedy.ask("/", ("x", "a" * 6000)).finish().status == 200
    assert greedy.ask("/", ("x", "a" * 9000)).finish().status == 431
    assert greedy.ask("/").finish().status == 200
    proxy.logged(reason="refused", status=431)


# Each is one write: sent slowly it would stay below the limits, and a response may begin before its request is reset.


def endless_resets(connection):
    for _ in range(400):
        stream = connection.h2.get_next_available_stream_id()
        head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
        connection.h2.send_headers(stream, head, end_stream=True)
        connection.h2.reset_stream(stream, ErrorCodes.CANCEL)
    connection.flush()


def endless_pings(connection):
    for number in range(400):
        connection.h2.ping(number.to_bytes(8, "big"))
    connection.flush()


def endless_settings(connection):
    connection.send(400 * (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + b"\x00\x04\x00\x01\x00\x00"))


def endless_continuations(connection):
    headers = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"  # without END_HEADERS
    connection.send(headers + 400 * b"\x00\x00\x00\x09\x00\x00\x00\x00\x01")


@pytest.mark.parametrize("flood", [endless_resets, endless_pings, endless_settings, endless_continuations])
def test_floods_end_their_connection(weir, origin, h2, flood):
    proxy = weir(route(origin(endless(1024)).url))
    connection, beside = h2(proxy), h2(proxy)
    stream = beside.ask("/beside")
    beside.until(lambda: stream.body)
    try:
        flood(connection)
        connection.until(lambda: connection.gone)
    except Exception as fault:  # the client's own side of a connection that weir has ended
        assert "closed" in str(fault).lower() or "Invalid input" in str(fault), fault
    connection.until(lambda: connection.gone)
    seen = len(stream.body)
    beside.until(lambda: len(stream.body) > seen + 100_000)
    assert not stream.over
    beside.cancel(stream)


# Others' clients


def test_nghttp_and_h2load_get_what_they_ask_for(weir, origin, tmp_path):
    authority = Authority(tmp_path)
    proxy = weir(route(origin(thousand).url), tls=yaml(**authority.serve()))
    got = subprocess.run(["nghttp", "--no-verify-peer", proxy.url + "/", proxy.url + "/again"], capture_output=True,
                         timeout=60)
    assert got.returncode == 0 and got.stdout.count(b"\n") == 2000
    load = subprocess.run(["h2load", "-n", "100", "-c", "4", "-m", "10", proxy.url + "/"], capture_output=True, text=True,
                          timeout=60)
    assert "100 succeeded, 0 failed, 0 errored" in load.stdout, load.stdout
