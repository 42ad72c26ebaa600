"""A full queue loses exactly the records of the route's policy."""
import json
import threading

import pytest

from harness.addresses import numbers
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.streams import BreakingRecords, HeldRecords, StreamAddress, held, release
from harness.waiting import eventually, level
from harness.weir import route

GRANTED = 10
BUFFER = f"{{ default: {GRANTED}, max: 1000 }}"
DROPPING = ["drop_oldest", "drop_newest", "latest"]
SMALL = {"upstream_receive_buffer": "32KiB"}
SEND_BUFFER = 16 << 10


def sized(size):
    return lambda number: record(number, size)


def keyed(keys):
    """Records of a number of keys in turn, padded so that many do not fit into the sockets in between."""
    return lambda number: json.dumps({"orderId": number, "k": {"id": number % keys}, "pad": "x" * 400}).encode() + b"\n"


def check_books(address, sent, received):
    """Nothing is lost but what is reported as dropped, and the upstream was never paused for it."""
    line = address.logged("completed")
    assert line["records"] == received
    assert line.get("dropped", 0) + received == sent
    assert (line["pauses"], line["paused"]) == (0, 0)
    return line


@pytest.mark.parametrize(("policy", "count", "kept"), [
    ("drop_oldest", 2001, range(1992, 2002)),
    ("drop_newest", 2001, range(2, 12)),
    ("latest", 2001, range(2001, 2002)),
    ("latest", 2005, range(2005, 2006)),
])
def test_a_paused_stream_keeps_the_records_of_its_policy(weir, origin, client, policy, count, kept):
    script = HeldRecords(count, sized(500))
    response, records, address = held(
        lambda url: route(url, overflow=policy, buffer=BUFFER, **SMALL), weir, origin, client, script)
    script.go.set()
    eventually(script.has_sent_all, "everything sent to a client that takes nothing")
    state = address.seen(count)
    assert (state["queued"], state["dropped"]) == (len(kept), count - 1 - len(kept))
    assert numbers(release(script, records, address)) == list(kept)
    assert response.complete
    line = check_books(address, count, 1 + len(kept))
    assert line["buffer_peak"] == (1 if policy == "latest" else GRANTED)


def newest_of_each_key(numbers, keys, granted):
    """The policy in plain words: a record takes the place of the one of its key, or else of the oldest."""
    queue = []
    for number in numbers:
        queue = [each for each in queue if each % keys != number % keys]
        queue = [*queue[-granted + 1:], number]
    return queue


@pytest.mark.parametrize("key", [None, "/k/id"])
def test_the_record_sent_is_the_newest_that_has_arrived(weir, origin, client, key):
    """A client that takes one record at a time, far more slowly than they come."""
    batch, rounds = 40, 10
    more, over = threading.Semaphore(0), threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(keyed(1)(1)))
        for begin in range(2, 2 + batch * rounds, batch):
            assert more.acquire(timeout=60)
            # In one chunk, and one by one: either is conflated.
            peer.send(chunk(b"".join(map(keyed(1), range(begin, begin + batch // 2)))))
            peer.send(b"".join(chunk(keyed(1)(number)) for number in range(begin + batch // 2, begin + batch)))
        assert over.wait(60)
        peer.send(LAST_CHUNK)

    keys = {"key": key} if key else {}
    proxy = weir(route(origin(script).url, overflow="latest", buffer=BUFFER, **SMALL, **keys))
    response = client(proxy).get("/")
    records, address = response.records(), StreamAddress(proxy, response)
    assert next(records).number == 1
    address.feedback(pause=True)
    for number in range(1, rounds + 1):
        more.release()
        newest = 1 + number * batch
        assert address.seen(newest)["queued"] == 1
        address.feedback(request=1, pause=False)
        assert next(records).number == newest
    over.set()
    assert numbers(records) == [] and response.complete
    check_books(address, 1 + rounds * batch, 1 + rounds)


@pytest.mark.parametrize("keys", [1, 4, 9, 10, 11, 50])
def test_latest_with_a_key_keeps_the_newest_of_each(weir, origin, client, keys):
    count = 1500
    script = HeldRecords(count, keyed(keys))
    response, records, address = held(
        lambda url: route(url, overflow="latest", key="/k/id", buffer=BUFFER, **SMALL), weir, origin, client, script)
    script.go.set()
    eventually(script.has_sent_all, "everything sent")
    address.seen(count)
    got = numbers(release(script, records, address))
    assert got == newest_of_each_key(range(2, count + 1), keys, GRANTED)
    newest = set(range(count + 1 - min(keys, GRANTED), count + 1))
    assert newest <= set(got)
    assert response.complete
    check_books(address, count, 1 + len(got))


@pytest.mark.parametrize(("policy", "kept"), [("drop_oldest", range(186, 202)), ("drop_newest", range(2, 18))])
def test_the_bytes_are_a_bound_as_well(weir, origin, client, policy, kept):
    script = HeldRecords(201, sized(1024))
    _, records, address = held(
        lambda url: route(url, overflow=policy, buffer="{ default: 1000, max_bytes: 16KiB, max_record_bytes: 8KiB }"),
        weir, origin, client, script)
    script.go.set()
    address.seen(201)
    assert numbers(release(script, records, address)) == list(kept)
    check_books(address, 201, 17)


@pytest.mark.parametrize(("policy", "kept"), [("drop_oldest", 101), ("drop_newest", 2), ("latest", 101)])
def test_a_granted_buffer_of_one_record_is_kept_too(weir, origin, client, policy, kept):
    script = HeldRecords(101)
    _, records, address = held(
        lambda url: route(url, overflow=policy, buffer=BUFFER), weir, origin, client, script, "X-Stream-Buffer-Size: 1")
    script.go.set()
    address.seen(101)
    assert numbers(release(script, records, address)) == [kept]
    check_books(address, 101, 2)


def test_a_client_that_shrinks_its_buffer_loses_what_no_longer_fits(weir, origin, client):
    script = HeldRecords(11)
    _, records, address = held(
        lambda url: route(url, overflow="drop_oldest", buffer=BUFFER), weir, origin, client, script)
    script.go.set()
    assert address.seen(11)["dropped"] == 0
    state = address.feedback(bufferSize=3)
    assert (state["bufferSize"], state["queued"], state["dropped"]) == (3, 3, 7)
    assert numbers(release(script, records, address)) == [9, 10, 11]
    check_books(address, 11, 4)


@pytest.mark.parametrize(("policy", "kept"), [("drop_oldest", range(492, 502)), ("drop_newest", range(3, 13))])
def test_credit_moves_the_queue_and_no_further(weir, origin, client, policy, kept):
    script = HeldRecords(501)
    _, records, address = held(
        lambda url: route(url, overflow=policy, buffer=BUFFER), weir, origin, client, script)
    address.feedback(request=1)
    address.feedback(pause=False)
    script.go.set()
    state = address.seen(501)
    assert (state["records"], state["credit"]) == (2, 0)
    script.over.set()
    assert next(records).number == 2
    assert address.feedback(request=4)["credit"] == 0
    assert [next(records).number for _ in range(4)] == list(kept)[:4]
    address.feedback(request=1000)
    assert numbers(records) == list(kept)[4:]
    check_books(address, 501, 12)


@pytest.mark.parametrize("policy", DROPPING)
def test_a_metered_client_gets_ever_newer_records_and_pauses_no_upstream(weir, origin, client, policy):
    script = HeldRecords(5000)
    proxy = weir(route(origin(script, send_buffer=SEND_BUFFER).url, overflow=policy, buffer=BUFFER,
                       rate="{ default: 20/second }", **SMALL))
    response = client(proxy).get("/")
    address = StreamAddress(proxy, response)
    records = response.records()
    assert next(records).number == 1
    script.go.set()
    eventually(script.has_sent_all, "everything sent")
    script.over.set()
    got = [1, *numbers(records)]
    assert got == sorted(set(got))
    assert len(got) <= 2 * GRANTED
    if policy != "drop_newest":
        assert got[-1] == 5000
    assert response.complete
    check_books(address, 5000, len(got))


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest"])
def test_a_client_that_stops_reading_and_reads_on_sees_one_gap(weir, origin, client, policy):
    count = 6000
    script = HeldRecords(count, sized(1024))
    proxy = weir(route(origin(script, send_buffer=SEND_BUFFER).url, overflow=policy, buffer=BUFFER, stall_timeout="off",
                       **SMALL))
    slow = client(proxy, receive_buffer=4096)
    response = slow.get("/")
    address = StreamAddress(proxy, response)
    script.go.set()
    eventually(script.has_sent_all, "everything sent to a client that does not read")
    state = address.seen(count)
    assert state["dropped"] > count / 2
    script.over.set()
    got = numbers(response.records())
    # What the sockets took came without a gap; then comes what was queued.
    begun = state["records"]
    assert got[:begun] == list(range(1, begun + 1))
    queued = {"drop_oldest": got[-1] == count, "drop_newest": got[-1] == len(got)}
    assert queued[policy], got[begun:]
    assert got[begun:] == list(range(got[begun], got[-1] + 1))
    assert len(got) - begun == state["queued"] <= GRANTED
    assert response.complete
    check_books(address, count, len(got))


@pytest.mark.parametrize("policy", ["pause", "disconnect"])
@pytest.mark.parametrize("holder", ["pause", "credit", "pace"])
def test_a_stream_that_loses_nothing_pauses_the_upstream(weir, origin, client, policy, holder):
    count, size = 250, 1024
    script = HeldRecords(count, sized(size))
    response, records, address = held(
        lambda url: route(url, overflow=policy, buffer=BUFFER, **SMALL), weir,
        lambda script: origin(script, send_buffer=SEND_BUFFER), client, script)
    if holder == "credit":
        address.feedback(request=1)
    if holder == "pace":
        address.feedback(rate="1/hour")
    if holder != "pause":
        address.feedback(pause=False)
    script.go.set()
    eventually(lambda: address.state()["queued"] == GRANTED, "a full queue")
    sent = level(lambda: script.sent, "what the origin has sent", still=0.7)
    assert GRANTED < sent < min(count, GRANTED + (2 * (SEND_BUFFER + (32 << 10)) + (64 << 10)) // size)
    state = address.state()
    assert (state["queued"], state["dropped"]) == (GRANTED, 0)
    script.over.set()
    # At a pace that the client keeps up with for certain: else `disconnect` would be right to end it.
    address.feedback(request=count, rate="unlimited" if policy == "pause" else "50/second", pause=False)
    assert numbers(records) == list(range(2, count + 1))
    assert response.complete
    line = address.logged("completed")
    assert line["records"] == count and "dropped" not in line
    assert line["pauses"] >= 1 and line["paused"] > 0
    assert line["buffer_peak"] == GRANTED


def test_disconnect_ends_a_lagging_client_as_soon_as_its_queue_is_full(weir, origin, client):
    script = HeldRecords(20_000, sized(1024))
    upstream = origin(script, send_buffer=SEND_BUFFER)
    proxy = weir(route(upstream.url, overflow="disconnect", buffer=BUFFER, stall_timeout="off", **SMALL))
    slow = client(proxy, receive_buffer=4096)
    response = slow.get("/")
    address = StreamAddress(proxy, response)
    script.go.set()
    line = address.logged("slow_consumer")  # no clock runs: it is the full queue
    assert line["problem"] == "slow-consumer"
    assert line["status"] == 200 and "dropped" not in line
    assert line["buffer_peak"] == GRANTED
    eventually(lambda: upstream.peers[0].gone, "the origin's connection closed")
    assert address.is_gone()
    body = response.read()
    assert response.complete is False
    whole = body[:body.rfind(b"\n") + 1].splitlines()
    assert [json.loads(each)["orderId"] for each in whole] == list(range(1, len(whole) + 1))
    assert len(whole) <= line["records"]


@pytest.mark.parametrize("policy", DROPPING)
def test_a_promised_length_does_not_outlive_dropped_records(weir, origin, client, policy):
    """With the upstream's Content-Length, a client would wait for the bytes that were dropped, and read the next answer
    as the rest of this one."""
    every = range(1, 101)
    body = b"".join(record(number) for number in every)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n" % len(body)
    go = threading.Event()

    def script(peer):
        while peer.read_head():
            first = len(record(1))
            peer.send(head + body[:first])
            assert go.wait(60)
            peer.send(body[first:])

    proxy = weir(route(origin(script).url, overflow=policy, buffer=BUFFER))
    connection = client(proxy)
    response = connection.get("/")
    assert response.head["Content-Length"] is None
    records = response.records()
    assert next(records).number == 1
    address = StreamAddress(proxy, response)
    address.feedback(pause=True)
    go.set()
    dropped = address.seen(100)["dropped"]
    assert dropped > 0
    address.feedback(pause=False)
    assert len(numbers(records)) == 99 - dropped
    assert response.complete
    again = numbers(connection.get("/").records())  # the same connection
    assert again[-1] == 100 if policy == "latest" else again[0] == 1


def test_an_upstreams_length_stays_where_nothing_can_be_dropped(weir, origin, client):
    body = record(1) + record(2)
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def script(peer):
        peer.read_head()
        peer.send(answer)

    response = client(weir(route(origin(script).url))).get("/")
    assert response.head["Content-Length"] == str(len(body))
    assert response.read() == body


def test_a_stream_that_breaks_off_delivers_what_its_policy_kept(weir, origin, client):
    script = BreakingRecords(100)
    response, records, address = held(
        lambda url: route(url, overflow="drop_oldest", buffer=BUFFER), weir, origin, client, script)
    script.go.set()
    address.seen(101)
    script.broken.set()
    address.feedback(pause=False)
    assert numbers(records) == list(range(92, 102))
    assert response.complete is False
    line = address.logged("upstream_failed")
    assert (line["records"], line["dropped"]) == (11, 90)
