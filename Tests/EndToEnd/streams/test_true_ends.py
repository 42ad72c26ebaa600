"""The end of a stream is reported truthfully, in its framing, its trailers, its notices and the access log, and what it held
is given back."""
import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import threading

import httpx
import pytest

from harness.addresses import endless
from harness.apps import App
from harness.disconnects import connections
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.streams import BreakingRecords, HeldRecords, StreamAddress, held
from harness.tools import curl, fetch
from harness.waiting import eventually, level
from harness.weir import route

NOTICES = "Prefer: stream-notices"
BASE = "https://example.com/problems/"


def whole(count):
    """A script: this number of records and the last chunk, for each request on a connection."""
    def script(peer):
        while peer.read_head():
            peer.send(STREAM_HEAD + b"".join(chunk(record(number)) for number in range(1, count + 1)) + LAST_CHUNK)
    return script


def descriptors(proxy):
    """How many descriptors weir has open, and how many of them are sockets."""
    folder, targets = f"/proc/{proxy.pid}/fd", []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            targets.append(os.readlink(f"{folder}/{name}"))
    return len(targets), sum(target.startswith("socket:") for target in targets)


@pytest.fixture
def counted(weir, reserved_port):
    """Starts a weir and counts its descriptors while it is idle: counted(route(...)).

    libcurl opens some of its own with the first request, and keeps them.
    """
    def start(*routes, **top):
        proxy = weir(route(reserved_port().url, match="/unreachable"), *routes, **top)
        host = top.get("listen", "127.0.0.1:0").rpartition(":")[0]
        with contextlib.closing(http.client.HTTPConnection(host, proxy.port, timeout=60)) as connection:
            connection.request("GET", "/unreachable")
            assert connection.getresponse().status == 502
        eventually(lambda: connections(proxy) == 0, "the connection closed")
        return proxy, level(lambda: descriptors(proxy), "the number of descriptors", still=0.3)
    return start


def given_back(proxy, before, address=None):
    """Waits until nothing of a stream is left."""
    eventually(lambda: descriptors(proxy) == before, f"{before} descriptors and sockets")
    if address:
        assert address.is_gone()


@pytest.fixture
def own_app(tmp_path):
    """A real upstream of the test's own, which it may kill."""
    app = App("express", tmp_path)
    yield app
    app.stop()


# MARK: Trailers


def test_clients_that_accept_trailers_get_the_end_in_them(weir, origin, client):
    proxy = weir(route(origin(whole(7)).url))
    connection = client(proxy)
    for _ in range(2):  # and the connection lives on
        response = connection.get("/", "TE: trailers")
        assert response.head["Trailer"] == "X-Stream-Status, X-Stream-Items"
        assert len(list(response.records())) == 7
        assert response.complete
        assert response.trailers == [("X-Stream-Status", "complete"), ("X-Stream-Items", "7")]


@pytest.mark.parametrize("workers", [1, 3])
def test_curl_reads_the_trailers(weir, origin, tmp_path, workers):
    proxy = weir(route(origin(whole(7)).url), workers=workers)
    dump = tmp_path / "head"
    got = curl(proxy.url, "--header", "TE: trailers", "--dump-header", str(dump))
    assert (got.exit_status, got.status) == (0, 200)
    assert "x-stream-items: 7" in dump.read_text().lower()


@pytest.mark.parametrize(("fields", "version"), [((), "1.1"), (("TE: gzip",), "1.1"), (("TE: trailers",), "1.0")])
def test_other_clients_get_no_trailers(weir, origin, client, fields, version):
    proxy = weir(route(origin(whole(7)).url))
    response = client(proxy).get("/", *fields, version=version)
    assert "trailer" not in response.head.names
    assert len(list(response.records())) == 7
    assert (response.complete, response.trailers) == (True, [])


def test_what_is_no_stream_has_none(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"hello")
                  + LAST_CHUNK)

    response = client(weir(route(origin(script).url))).get("/", "TE: trailers")
    assert "trailer" not in response.head.names
    assert (response.read(), response.complete, response.trailers) == (b"hello", True, [])


def test_the_trailers_count_what_was_sent_and_not_what_was_dropped(weir, origin, client):
    script = HeldRecords(100)
    response, records, address = held(
        lambda url: route(url, overflow="drop_oldest", buffer="{ default: 10 }"), weir, origin, client, script,
        "TE: trailers", NOTICES)
    script.go.set()
    address.seen(100)
    script.over.set()
    address.feedback(pause=False)
    lines = [json.loads(each.line) for each in records]
    assert len(lines) == 11  # with the notice
    assert dict(response.trailers) == {"X-Stream-Status": "complete", "X-Stream-Items": "11"}


# MARK: No last chunk but for what is complete


def test_an_upstream_process_that_is_killed(counted, own_app, client):
    proxy, before = counted(route(own_app.url))
    response = client(proxy).get("/v1/firehose", "TE: trailers")
    address = StreamAddress(proxy, response)
    records = response.records()
    assert [next(records).number for _ in range(3)] == [1, 2, 3]
    own_app.process.send_signal(signal.SIGKILL)
    rest = [each.number for each in records]  # what had come is still the client's, and whole
    assert rest == list(range(4, 4 + len(rest)))
    assert (response.complete, response.trailers) == (False, [])
    line = address.logged("upstream_failed")
    assert (line["status"], line["problem"], line["records"]) == (200, "bad-upstream", 3 + len(rest))
    given_back(proxy, before, address)


@pytest.mark.parametrize("rate", ["unlimited", "20/second"])
def test_a_client_process_that_is_killed(counted, fastapi_app, rate):
    tag = f"killed-{rate}"
    proxy, before = counted(route(fastapi_app.url, rate=f"{{ default: {rate} }}"))
    killed = subprocess.Popen(["curl", "-sNi", "--noproxy", "*", f"{proxy.url}/v1/firehose?tag={tag}"],
                              stdout=subprocess.PIPE)
    with killed:
        head = list(itertools.takewhile(lambda line: line != b"\r\n", killed.stdout))
        assert head[0].startswith(b"HTTP/1.1 200")
        assert killed.stdout.readline().startswith(b"{")
        killed.kill()
    line = proxy.logged(reason="client_gone")
    assert line["status"] == 200 and line["records"] >= 1 and "problem" not in line
    eventually(lambda: fastapi_app.ended(tag) == 1, "the app's generator stopped")
    given_back(proxy, before)


def breaks_in_mid_chunk(now):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + b"".join(chunk(record(number)) for number in (1, 2, 3)) + b'40\r\n{"orderId":4,')
        assert now.wait(60)
        peer.reset()
    return script


def test_a_reset_in_mid_chunk(counted, origin, client):
    now = threading.Event()
    proxy, before = counted(route(origin(breaks_in_mid_chunk(now)).url))
    response = client(proxy).get("/", "TE: trailers")
    address = StreamAddress(proxy, response)
    records = response.records()
    assert [next(records).number for _ in range(3)] == [1, 2, 3]
    now.set()
    assert list(records) == []
    assert (response.complete, response.trailers) == (False, [])
    assert address.logged("upstream_failed")["problem"] == "bad-upstream"
    given_back(proxy, before, address)


def test_every_client_sees_that_a_stream_was_cut(weir, origin):
    now = threading.Event()
    now.set()
    proxy = weir(route(origin(breaks_in_mid_chunk(now)).url))
    got = curl(proxy.url, "--header", "TE: trailers")
    assert got.exit_status == 18  # "transfer closed with outstanding read data remaining"
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(proxy.url, trust_env=False)
    assert fetch(proxy.url)["error"]


def test_a_client_that_resets_its_connection(counted, origin, client):
    script = HeldRecords(2)
    proxy, before = counted(route(origin(script).url))
    leaving = client(proxy)
    response = leaving.get("/")
    address = StreamAddress(proxy, response)
    assert next(response.records()).number == 1
    leaving.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    leaving.close()
    assert address.logged("client_gone")["records"] == 1
    given_back(proxy, before, address)
    script.go.set()
    script.over.set()


# MARK: A client that vanishes without a word


@pytest.fixture
def far_away():
    """A network of its own that can be cut off: far_away.address to listen on, far_away.client(port), far_away.cut().

    It takes a network namespace and a pair of interfaces, and so the rights of an administrator.
    """
    name = f"weir{os.getpid()}"
    near, far = f"w{os.getpid()}a", f"w{os.getpid()}b"
    commands = [f"netns add {name}", f"link add {near} type veth peer name {far} netns {name}",
                f"addr add 198.18.77.1/30 dev {near}", f"link set {near} up",
                f"-n {name} addr add 198.18.77.2/30 dev {far}", f"-n {name} link set {far} up"]

    def ip(arguments):
        return subprocess.run(["ip", *arguments.split()], capture_output=True, text=True)

    with contextlib.ExitStack() as opened:
        opened.callback(ip, f"netns del {name}")  # the interfaces go with it
        for command in commands:
            try:
                done = ip(command)
            except FileNotFoundError:
                pytest.skip("there is no `ip` here")
            if done.returncode:
                pytest.skip(f"no network namespace may be made here: ip {command}: {done.stderr.strip()}")
        yield FarAway(name, far, ip, opened)


class FarAway:
    address = "198.18.77.1"

    def __init__(self, name, link, ip, opened):
        self.name, self.link, self.ip, self.opened = name, link, ip, opened

    def client(self, url):
        """curl over there; what it has printed so far comes from its `stdout`."""
        running = subprocess.Popen(["ip", "netns", "exec", self.name, "curl", "-sN", url], stdout=subprocess.PIPE)
        self.opened.enter_context(running)
        self.opened.callback(running.kill)
        return running

    def cut(self):
        """From now on all packets are dropped without a report."""
        assert self.ip(f"-n {self.name} link set {self.link} down").returncode == 0


def test_a_client_that_vanishes_is_ended_as_one_that_does_not_read(counted, origin, far_away):
    upstream = origin(endless(1024))
    proxy, before = counted(route(upstream.url, stall_timeout="500ms"), listen=f"{far_away.address}:0")
    reading = far_away.client(f"http://{far_away.address}:{proxy.port}/")
    assert reading.stdout.readline() == record(1, 1024)
    far_away.cut()
    line = proxy.logged(reason="slow_consumer")
    assert line["problem"] == "slow-consumer"
    eventually(lambda: upstream.peers[0].gone, "the origin's connection closed")
    given_back(proxy, before)


# MARK: Notices


def is_notice(line):
    return "type" in line


def check_head(response):
    assert response.head["Preference-Applied"] == "stream-notices"
    assert "Prefer" in [part.strip() for value in response.head.all("Vary") for part in value.split(",")]


def check_dropped(notice, count):
    """The whole notice, its `instance` apart."""
    assert {**notice, "instance": None} == {
        "type": BASE + "records-dropped", "title": "Records Dropped", "status": 200, "records": count, "instance": None,
        "detail": "Records were dropped because this client is behind"}


def check_end(notice, address, kind, status, records):
    assert (notice["type"], notice["status"], notice["records"]) == (BASE + kind, status, records)
    assert notice["title"] and notice["detail"]
    assert notice["instance"] == address.id
    assert notice["retryAfter"] >= 1


@pytest.mark.parametrize(("policy", "expected"), [
    ("drop_oldest", [990, *range(992, 1002)]),
    ("drop_newest", [*range(2, 12), 990]),
    ("latest", [999, 1001]),
])
def test_drops_are_reported_where_records_are_missing(weir, origin, client, policy, expected):
    script = HeldRecords(1001, lambda number: record(number, 500))
    response, records, address = held(
        lambda url: route(url, overflow=policy, buffer="{ default: 10 }"), weir, origin, client, script, NOTICES)
    check_head(response)
    script.go.set()
    dropped = 1001 - 1 - (len(expected) - 1)
    assert address.seen(1001)["dropped"] == dropped
    script.over.set()
    address.feedback(pause=False)
    lines = [json.loads(each.line) for each in records]
    assert [line["records"] if is_notice(line) else line["orderId"] for line in lines] == expected
    [notice] = [line for line in lines if is_notice(line)]
    check_dropped(notice, dropped)
    assert notice["instance"] == address.id
    assert response.complete
    line = address.logged("completed")
    assert (line["records"], line["dropped"]) == (len(expected), dropped)  # a notice is no record of the stream


def test_a_loss_after_the_last_record_is_reported_to_a_full_socket_too(weir, origin, client):
    script = HeldRecords(4, lambda number: record(number, 200 if number == 1 else 250_000))
    response, records, address = held(
        lambda url: route(url, overflow="drop_newest", buffer="{ default: 1 }"), weir, origin,
        lambda proxy: client(proxy, receive_buffer=4096), script, NOTICES)
    script.go.set()
    assert address.seen(4)["dropped"] == 2
    script.over.set()
    address.feedback(pause=False)
    first, last = [json.loads(each.line) for each in records]
    assert first["orderId"] == 2
    check_dropped(last, 2)
    assert response.complete
    assert address.logged("completed")["dropped"] == 2


@pytest.mark.parametrize("hold", [{"pause": True}, {"rate": "1/hour"}])
def test_while_nothing_is_due_no_notice_comes_either(weir, origin, client, hold):
    script = HeldRecords(3001, lambda number: record(number, 500))
    response, records, address = held(
        lambda url: route(url, overflow="drop_oldest", buffer="{ default: 10 }"), weir, origin, client, script, NOTICES)
    address.feedback(rate="1/hour", pause="pause" in hold)
    script.go.set()
    state = address.seen(3001)
    script.over.set()
    address.feedback(pause=False, rate="unlimited")
    lines = [json.loads(each.line) for each in records]
    assert [line["records"] for line in lines if is_notice(line)] == [state["dropped"]]
    assert len(lines) == (state["records"] - 1) + 1 + 10  # what left before the hold counted, the notice, the queue
    assert response.complete


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "latest"])
def test_all_notices_together_report_every_gap(weir, origin, client, policy):
    script = HeldRecords(5000)
    proxy = weir(route(origin(script).url, overflow=policy, buffer="{ default: 10 }", rate="{ default: 50/second }"))
    response = client(proxy).get("/", NOTICES)
    address = StreamAddress(proxy, response)
    script.go.set()
    script.over.set()
    expected = 1
    for each in response.records():
        line = json.loads(each.line)
        if is_notice(line):
            expected += line["records"]
        else:
            assert line["orderId"] == expected
            expected += 1
    assert expected == 5001
    assert response.complete
    line = address.logged("completed")
    assert line["dropped"] > 0 and line["records"] + line["dropped"] == 5000
    assert line["pauses"] == 0


def ended_with_notice(records, response):
    *before, last = [json.loads(each.line) for each in records]
    assert not any(is_notice(line) for line in before)
    assert response.complete is False
    assert response.trailers == []
    return [line["orderId"] for line in before], last


def test_a_failed_upstream_is_reported_in_band(weir, origin, client):
    now = threading.Event()
    proxy = weir(route(origin(breaks_in_mid_chunk(now)).url))
    response = client(proxy).get("/", NOTICES, "TE: trailers")
    check_head(response)
    address = StreamAddress(proxy, response)
    now.set()
    numbers, last = ended_with_notice(response.records(), response)
    assert numbers == [1, 2, 3][:len(numbers)]
    check_end(last, address, "bad-upstream", 502, 0)
    assert address.logged("upstream_failed")["problem"] == "bad-upstream"


@pytest.mark.parametrize(("policy", "queued", "dropped"), [("pause", 10, 0), ("drop_oldest", 10, 40)])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_deleted_stream_reports_the_lost_records(weir, origin, client, policy, queued, dropped, workers):
    script = HeldRecords(51 if dropped else 11)
    response, records, address = held(
        lambda url: route(url, overflow=policy, buffer="{ default: 10 }"), weir, origin, client, script, NOTICES,
        workers=workers)
    script.go.set()
    state = address.seen(script.count)
    assert (state["queued"], state["dropped"]) == (queued, dropped)
    address.cancel()
    numbers, last = ended_with_notice(records, response)
    assert numbers == []
    check_end(last, address, "gone", 410, queued + dropped)
    line = address.logged("cancelled")
    assert (line["problem"], line["records"], line.get("dropped", 0)) == ("gone", 1, dropped)
    assert address.is_gone()
    script.over.set()


def test_a_drain_is_reported_in_band(weir, origin, client):
    script = HeldRecords(11)
    response, records, address = held(
        lambda url: route(url), weir, origin, client, script, NOTICES, shutdown_grace="0s")
    script.go.set()
    address.seen(11)
    address.proxy.terminate()
    numbers, last = ended_with_notice(records, response)
    assert numbers == []
    check_end(last, address, "unavailable", 503, 10)
    assert address.proxy.ended() == 0
    assert address.logged("drained")["problem"] == "unavailable"
    script.over.set()


def test_a_slow_consumer_gets_the_notice_once_it_reads_again(counted, origin, client):
    upstream = origin(endless(1024))
    proxy, before = counted(route(upstream.url, stall_timeout="500ms", buffer="{ default: 20 }",
                                  breaker="{ trips: 1, cooldown: 60s }"))
    slow = client(proxy, receive_buffer=4096)
    response = slow.get("/", NOTICES)
    address = StreamAddress(proxy, response)
    line = address.logged("slow_consumer")
    assert line["problem"] == "slow-consumer"
    eventually(lambda: upstream.peers[0].gone, "the origin's connection closed")
    assert address.is_gone()
    numbers, last = ended_with_notice(response.records(), response)
    assert numbers == list(range(1, line["records"] + 1))  # all of it, whole: it is only the end that came too early
    check_end(last, address, "slow-consumer", 429, 20)
    assert 55 <= last["retryAfter"] <= 90  # its breaker is open, and the notice has the time
    given_back(proxy, before)


def test_a_slow_consumer_that_never_reads_loses_its_connection(counted, origin, client):
    proxy, before = counted(route(origin(endless(1024)).url, stall_timeout="500ms"), limits="{ keepalive_timeout: 1s }")
    response = client(proxy, receive_buffer=4096).get("/", NOTICES)
    address = StreamAddress(proxy, response)
    address.logged("slow_consumer")
    given_back(proxy, before, address)


def test_a_promised_length_leaves_no_room_for_notices(weir, origin, client):
    body = record(1) + record(2)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n"

    def script(peer):
        peer.read_head()
        peer.send(head % 1000 + body)

    proxy = weir(route(origin(script).url))
    response = client(proxy).get("/", NOTICES)
    assert response.head["Content-Length"] is None
    numbers, last = ended_with_notice(response.records(), response)
    assert numbers == [1, 2]
    assert last["type"] == BASE + "bad-upstream"


def test_curl_and_fetch_read_the_notice_before_they_see_the_cut(weir, origin):
    now = threading.Event()
    now.set()
    proxy = weir(route(origin(breaks_in_mid_chunk(now)).url))
    got = curl(proxy.url, "--header", NOTICES)
    assert got.exit_status == 18
    assert got.lines()[-1]["type"] == BASE + "bad-upstream"
    result = fetch(proxy.url, {"Prefer": "stream-notices"})
    assert result["error"]
    assert json.loads(result["lines"][-1]["text"])["type"] == BASE + "bad-upstream"


@pytest.mark.parametrize("fields", [(), ("Prefer: return=minimal",)])
def test_a_client_that_did_not_ask_gets_no_notices(weir, origin, client, fields):
    script = BreakingRecords(100)
    response, records, address = held(
        lambda url: route(url, overflow="drop_oldest", buffer="{ default: 10 }"), weir, origin, client, script, *fields)
    assert not {"preference-applied", "vary"} & response.head.names
    script.go.set()
    assert address.seen(101)["dropped"] == 90
    script.broken.set()
    address.feedback(pause=False)
    assert [each.number for each in records] == list(range(92, 102))
    assert response.complete is False


@pytest.mark.parametrize("options", [{}, {"rate": "{ default: 500/second }"},
                                     {"rate": "{ default: 500/second }", "buffer": "{ default: 10 }"}], ids=str)
def test_each_whole_record_that_arrived_before_the_break_is_sent(weir, origin, client, options):
    """All of them are in one read of weir's, far more than the buffer has room for."""
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(b"".join(record(number) for number in range(1, 301)) + record(301)[:-3]))
    response = client(weir(route(origin(script).url, **options))).get("/")
    assert [each.number for each in response.records()] == list(range(1, 301))
    assert response.complete is False
