"""Clients that read too slowly are ended; those that wait for the pace, their own pause or the upstream are not."""
import contextlib
import itertools
import threading
import time

import pytest

from harness.addresses import endless
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, record
from harness.streams import HeldRecords, StreamAddress
from harness.waiting import eventually
from harness.weir import route

SIZE = 1024
STALL = 0.5  # s
PATIENCE = 2.0  # s; a limit for clients that read, which a busy machine may delay
# One client opens several streams here, some of them to be ended.
COMMON = {"stall_timeout": "500ms", "breaker": "off", "buffer": "{ default: 20, max: 5000 }",
          "upstream_receive_buffer": "32KiB"}


def open_stream(proxy, connection, path="/", *fields):
    response = connection.get(path, *fields)
    return response, StreamAddress(proxy, response)


class Witness:
    """Knows that `stall_timeout` has passed: begins a stream without reading it, and sees it ended.

    Its route, `/witness`, has the same limit and an endless stream.
    """

    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client

    def wait(self):
        _, address = open_stream(self.proxy, self.client(self.proxy, receive_buffer=4096), "/witness")
        address.logged("slow_consumer")


@pytest.fixture
def proxied(weir, origin, client):
    """Starts a weir before a script, with a witness: proxied(script, overflow="pause")."""
    def start(script, stall=STALL, **keys):
        common = {**COMMON, "stall_timeout": f"{int(stall * 1000)}ms"}
        watched = route(origin(endless(SIZE)).url, match="/witness", **common)
        proxy = weir(watched, route(origin(script, send_buffer=16 << 10).url, **{**common, **keys}))
        return proxy, Witness(proxy, client)
    return start


def read_slowly(connection, size=4096, every=0.05, stop=lambda: False):
    """Reads a little every so often, which is a pace and not a wait; the bytes, until the end or until stop()."""
    got = 0
    with contextlib.suppress(ConnectionResetError):
        while not stop() and (data := connection.sock.recv(size)):
            got += len(data)
            time.sleep(every)
    return got


@pytest.mark.parametrize("workers", [1, 2])
def test_a_client_that_reads_nothing_is_ended_after_the_stall_timeout_and_not_before(weir, origin, client, workers):
    upstream = origin(endless(SIZE))
    proxy = weir(route(upstream.url, **COMMON), workers=workers)
    response, address = open_stream(proxy, client(proxy, receive_buffer=4096))
    line = address.logged("slow_consumer")
    assert line["duration"] >= STALL
    assert (line["status"], line["problem"]) == (200, "slow-consumer")
    assert 0 < line["records"] and line["bytes"] == line["records"] * SIZE
    assert line["pauses"] == 1 and 0 < line["paused"] < line["duration"]
    assert line["buffer_peak"] == 20
    assert address.is_gone()
    eventually(lambda: upstream.peers[0].gone, "the origin's connection closed")
    assert response.read().startswith(record(1, SIZE))
    assert response.complete is False


def test_a_client_that_reads_a_little_all_the_time_is_not_ended(weir, origin, client):
    count = 400  # never more than half of what may be queued
    script = HeldRecords(count, lambda number: record(number, SIZE))
    script.go.set()
    script.over.set()
    keys = {"buffer": "{ default: 1000, max_bytes: 4MiB }", "stall_timeout": f"{PATIENCE:.0f}s"}
    proxy = weir(route(origin(script).url, **{**COMMON, **keys}))
    slow = client(proxy, receive_buffer=16 << 10)
    response, address = open_stream(proxy, slow)
    records = []
    for each in response.records():
        records.append(each.number)
        if len(records) % 8 == 0:
            time.sleep(0.12)
    assert records == list(range(1, count + 1))
    assert response.complete
    assert address.logged("completed")["duration"] > 1.5 * PATIENCE


def test_a_client_that_reads_less_than_is_due_for_too_long_is_ended(weir, origin, client):
    proxy = weir(route(origin(endless(SIZE)).url, **{**COMMON, "stall_timeout": "1s"}))
    slow = client(proxy, receive_buffer=16 << 10)
    _, address = open_stream(proxy, slow)
    got = read_slowly(slow, size=2048)
    line = address.logged("slow_consumer")
    assert line["duration"] >= 1
    assert line["problem"] == "slow-consumer"
    assert got > 5 * 2048  # it kept reading: the reason was not that it read nothing


LARGE = 1_200_000
LARGE_RECORDS = {"stall_timeout": "1s", "buffer": "{ max_bytes: 512KiB, max_record_bytes: 2MiB }",
                 "upstream_receive_buffer": "64KiB", "breaker": "off"}


def large_records(count):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(LARGE, count=count)
        peer.send(LAST_CHUNK)
    return script


def read_steadily(connection, bytes_a_second):
    """Reads at this pace, evenly; what came until the end."""
    got, begun = bytearray(), time.monotonic()
    with contextlib.suppress(ConnectionResetError):
        while data := connection.sock.recv(32 << 10):
            got += data
            time.sleep(max(0, begun + len(got) / bytes_a_second - time.monotonic()))
    return got


def test_a_client_that_reads_large_records_steadily_is_not_slow(weir, origin, client):
    """Each record takes longer than the stall timeout, and the next one waits all the time.

    In that time the client reads more than three times as much as it must, so that a busy machine may delay it by two seconds.
    """
    proxy = weir(route(origin(large_records(4)).url, **{**LARGE_RECORDS, "stall_timeout": "3s"}))
    steady = client(proxy, receive_buffer=64 << 10)
    steady.ask("/", "Connection: close")
    body = read_steadily(steady, 380_000)
    line = proxy.logged(event="end")
    assert (line["reason"], line["records"]) == ("completed", 4)
    assert line["duration"] > 4
    assert body.endswith(b"\r\n" + LAST_CHUNK)


def test_a_client_that_reads_a_trickle_of_large_records_is_ended(weir, origin, client):
    proxy = weir(route(origin(large_records(4)).url, **LARGE_RECORDS))
    trickling = client(proxy, receive_buffer=64 << 10)
    trickling.ask("/")
    read_steadily(trickling, 50_000)
    line = proxy.logged(event="end")
    assert (line["reason"], line["problem"]) == ("slow_consumer", "slow-consumer")
    assert line["duration"] >= 1


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "latest"])
def test_if_records_are_dropped_reading_too_little_is_no_fault(proxied, client, policy):
    proxy, witness = proxied(endless(SIZE), stall=PATIENCE, overflow=policy)
    slow = client(proxy, receive_buffer=16 << 10)
    _, address = open_stream(proxy, slow)
    states = []
    watching = threading.Thread(target=lambda: (witness.wait(), states.append(address.state())))
    watching.start()
    read_slowly(slow, stop=lambda: not watching.is_alive())
    [state] = states
    assert state["state"] == "streaming" and state["dropped"] > 0
    assert state["duration"] > PATIENCE


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "latest"])
def test_if_records_are_dropped_reading_nothing_is_a_fault(weir, origin, client, policy):
    proxy = weir(route(origin(endless(SIZE)).url, overflow=policy, **COMMON))
    _, address = open_stream(proxy, client(proxy, receive_buffer=4096))
    line = address.logged("slow_consumer")
    assert line["duration"] >= STALL
    assert line["dropped"] > 0 and line["pauses"] == 0


@pytest.mark.parametrize("policy", ["pause", "disconnect", "drop_oldest"])
def test_waiting_for_the_pace_is_no_fault(proxied, client, policy):
    proxy, _ = proxied(endless(SIZE), overflow=policy, rate="{ default: 1/second }")
    response, address = open_stream(proxy, client(proxy))
    got = [each.number for each in itertools.islice(response.records(), 3)]  # the pace's own time
    assert got == sorted(set(got))
    assert address.state()["duration"] > 3 * STALL


@pytest.mark.parametrize("policy", ["pause", "disconnect", "drop_oldest"])
@pytest.mark.parametrize("feedback", [{"pause": True}, {"request": 1}, {"rate": "1/hour"}])
def test_pausing_a_stream_is_no_fault(proxied, client, policy, feedback):
    count = 60  # as much as its socket takes, so that it cannot be slow when it continues
    script = HeldRecords(count, lambda number: record(number, SIZE))
    proxy, witness = proxied(script, overflow=policy)
    response, address = open_stream(proxy, client(proxy))
    records = response.records()
    assert next(records).number == 1
    address.feedback(**feedback)
    script.go.set()
    eventually(lambda: address.state()["queued"] == 20, "a full queue")
    witness.wait()
    assert address.state()["state"] == "streaming"
    script.over.set()
    # At a pace that the client keeps up with for certain: else `disconnect` would be right to end it.
    address.feedback(pause=False, request=count, rate="50/second" if policy == "disconnect" else "unlimited")
    rest = [each.number for each in records]
    assert response.complete
    line = address.logged("completed")
    assert line["duration"] > STALL
    if policy != "drop_oldest":
        assert rest == list(range(2, count + 1))


def test_records_that_were_sent_before_a_pause_may_stay_unread(proxied, client):
    """A client that pauses stops reading, and does not know how much was sent before weir got the pause."""
    proxy, witness = proxied(endless(SIZE), stall_timeout=f"{PATIENCE:.0f}s")
    holding = client(proxy, receive_buffer=4096)
    _, address = open_stream(proxy, holding)
    eventually(lambda: address.state()["queued"] == 20, "a client that is held up")
    address.feedback(pause=True)
    for _ in range(5):
        witness.wait()
    assert address.state()["duration"] > PATIENCE
    assert address.feedback(pause=False)["state"] == "streaming"
    line = address.logged("slow_consumer")  # now it counts again, from the start
    assert line["held"] >= 5 * STALL
    assert line["duration"] >= line["held"] + PATIENCE


def test_waiting_for_a_silent_upstream_is_no_fault(proxied, client):
    script = HeldRecords(2)
    proxy, witness = proxied(script)
    response, address = open_stream(proxy, client(proxy))
    records = response.records()
    assert next(records).number == 1
    witness.wait()
    script.go.set()
    script.over.set()
    assert [each.number for each in records] == [2]
    assert response.complete
    assert address.logged("completed")["duration"] >= STALL


def test_a_dry_run_reports_the_slow_consumer_and_does_not_end_it(proxied, client):
    count = 3000
    script = HeldRecords(count, lambda number: record(number, SIZE))
    script.go.set()
    script.over.set()
    proxy, witness = proxied(script, stall_timeout="{ after: 300ms, dry_run: true }")
    slow = client(proxy, receive_buffer=4096)
    response, address = open_stream(proxy, slow)
    eventually(lambda: address.state()["queued"] == 20, "a client that is held up")
    witness.wait()
    assert address.state()["state"] == "streaming"
    assert [each.number for each in response.records()] == list(range(1, count + 1))
    assert response.complete
    line = address.logged("completed")
    assert line["dry_run"] == "slow-consumer"
    assert "problem" not in line
    assert line["records"] == count


def test_without_a_stall_timeout_no_client_is_too_slow(proxied, client):
    count = 2000
    script = HeldRecords(count, lambda number: record(number, SIZE))
    script.go.set()
    script.over.set()
    proxy, witness = proxied(script, stall_timeout="off")
    response, address = open_stream(proxy, client(proxy, receive_buffer=4096))
    eventually(lambda: address.state()["queued"] == 20, "a client that is held up")
    witness.wait()
    assert [each.number for each in response.records()] == list(range(1, count + 1))
    assert "dry_run" not in address.logged("completed")
