"""A burst for many readers: under `wait` none of its records is lost, under `gap` each loss is reported exactly where it is."""
import json
import threading

import pytest

from harness.feed import Feed
from harness.metrics import Metrics
from harness.streams import StreamAddress
from harness.waiting import eventually
from harness.weir import route

RECORDS, READERS, SIZE = 5000, 10, 100
PORTION = 40  # records, fewer than are retained
WITHIN = 300  # s, a guard against a hang


def burst(weir, origin, client, feed, shared, workers, *fields):
    """A weir with ten readers of one request, before the first record."""
    upstream = origin(feed)
    proxy = weir(route(upstream.url, shared=shared, rate="{ default: unlimited }", stall_timeout="1h"), workers=workers)
    responses = [client(proxy).get("/", *fields) for _ in range(READERS)]
    eventually(lambda: Metrics(proxy).total("weir_shared_readers", route="/") == READERS, "all readers")
    return proxy, upstream, responses


def read(responses):
    """The lines that each response brings, to its end; all are read at the same time."""
    lines = [[] for _ in responses]

    def read_one(number):
        for each in responses[number].records():
            lines[number].append(json.loads(each.line))
    threads = [threading.Thread(target=read_one, args=[number], daemon=True) for number in range(len(responses))]
    for thread in threads:
        thread.start()
    return threads, lines


def join(threads):
    for thread in threads:
        thread.join(WITHIN)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("workers", [1, 2])
def test_no_record_of_a_burst_is_lost_where_the_upstream_waits(weir, origin, client, workers):
    feed = Feed()
    proxy, upstream, responses = burst(
        weir, origin, client, feed, "{ lag: wait, retain: { records: 200, bytes: 64KiB } }", workers)
    threads, lines = read(responses)
    feed.records(1, RECORDS, size=SIZE)
    feed.end()
    join(threads)
    for response, received in zip(responses, lines):
        assert [line["orderId"] for line in received] == list(range(1, RECORDS + 1))
        assert response.complete
    metrics = Metrics(proxy)
    assert metrics.total("weir_shared_gaps_total", route="/") == 0
    assert metrics.total("weir_records_total", route="/") == RECORDS * READERS
    assert len(upstream.heads) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_each_loss_of_a_burst_is_reported_where_it_is(weir, origin, client, workers):
    """Half of the readers pause their streams until the others have read the burst, so that they lose most of it."""
    feed = Feed()
    proxy, upstream, responses = burst(
        weir, origin, client, feed, "{ retain: { records: 50, bytes: 64KiB } }", workers, "Prefer: stream-notices")
    addresses = [StreamAddress(proxy, response) for response in responses]
    paused = addresses[READERS // 2:]
    for address in paused:
        assert address.feedback(pause=True)["paused"] is True
    threads, lines = read(responses)
    # In portions, so that the readers which are not paused never fall behind by all that is retained.
    for last in range(PORTION, RECORDS + 1, PORTION):
        feed.records(last - PORTION + 1, last, size=SIZE)
        for received in lines[:READERS // 2]:
            eventually(lambda: received and received[-1].get("orderId") == last, f"record {last}", within=WITHIN)
    for address in paused:
        assert address.feedback(pause=False)["paused"] is False
    feed.end()
    join(threads)
    for number, (response, address, received) in enumerate(zip(responses, addresses, lines)):
        assert response.complete
        expected, lost = 1, 0
        for line in received:
            if "orderId" in line:
                assert line["orderId"] == expected
                expected += 1
            else:  # the notice of a gap: what follows begins after exactly that
                expected += line["records"]
                lost += line["records"]
        assert expected == RECORDS + 1
        assert (lost > 0) is (number >= READERS // 2)
        assert address.logged("completed").get("dropped", 0) == lost
    assert len(upstream.heads) == 1
