"""Under `lag: wait` no client stops the others for longer than `stall_timeout`."""
import pytest

from harness.feed import Feed
from harness.metrics import Metrics
from harness.streams import StreamAddress
from harness.waiting import eventually
from harness.weir import route

FIELDS = {
    "pace": ["X-Stream-Rate-Limit: 1/hour", "X-Stream-Buffer-Size: 1"],
    "pause": ["X-Stream-Buffer-Size: 1"],
    "no client": ["X-Stream-Buffer-Size: 1"],
}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("cause", FIELDS)
def test_a_reader_that_stops_the_others_ends(weir, origin, client, cause, workers):
    feed = Feed()
    proxy = weir(route(
        origin(feed).url, shared="{ lag: wait, retain: { records: 10 } }", stall_timeout="1s",
        timeouts="{ idle: off }", resume_window="1h"), workers=workers)
    slow = client(proxy)
    held = slow.get("/", *FIELDS[cause])
    address = StreamAddress(proxy, held)
    records = client(proxy).get("/").records()
    eventually(lambda: Metrics(proxy).total("weir_shared_readers", route="/") == 2, "two readers")
    if cause == "pause":
        assert address.feedback(pause=True)["paused"] is True
    if cause == "no client":
        slow.close()
    for first in range(1, 101, 5):
        feed.records(first, first + 4)
        assert [next(records).number for _ in range(5)] == list(range(first, first + 5))
    address.logged("slow_consumer")
    assert Metrics(proxy).total("weir_shared_gaps_total", route="/") == 0


def test_a_reader_that_is_only_slow_sets_the_pace(weir, origin, client):
    feed = Feed()
    proxy = weir(route(origin(feed).url, shared="{ lag: wait, retain: { records: 10 } }", stall_timeout="20s"))
    slow = client(proxy).get("/", "X-Stream-Rate-Limit: 20/second", "X-Stream-Buffer-Size: 1").records()
    fast = client(proxy).get("/").records()
    eventually(lambda: Metrics(proxy).total("weir_shared_readers", route="/") == 2, "two readers")
    feed.records(1, 100)
    for expected in range(1, 101):
        assert next(slow).number == next(fast).number == expected
