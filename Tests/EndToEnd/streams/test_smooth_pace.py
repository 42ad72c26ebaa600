"""Bursts of an upstream are spread over the time until the next one is expected."""
import threading
import time

import pytest

from harness.event_stream import SSE_HEAD, event
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.weir import route

SIZE = 11  # records of a burst: ten steps between them


@pytest.mark.parametrize(("head", "make", "beat"), [(STREAM_HEAD, record, b"\n"), (SSE_HEAD, event, b":\n\n")],
                         ids=["lines", "events"])
@pytest.mark.parametrize("smooth", [True, False])
def test_a_burst_is_spread_over_the_interval_between_bursts(weir, origin, client, head, make, beat, smooth):
    """The interval is measured in heartbeats of 100 ms, which the client waits for before it has the next burst sent."""
    bursts = [b"".join(make(number) for number in range(first, first + SIZE)) for first in (1, 101)]
    go = threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(head + chunk(bursts[0]))
        assert go.wait(60)
        peer.send(chunk(bursts[1]) + LAST_CHUNK)

    proxy = weir(route(origin(script).url, heartbeat="100ms", pace=f"{{ smooth: {smooth}, max_delay: 10s }}" if smooth else "off"))
    response = client(proxy).get("/")
    parts, body = response.parts(), b""
    while bursts[0] not in body:
        body += next(parts)
    while body.partition(bursts[0])[2].count(beat) < 5:
        body += next(parts)
    sent, last = time.monotonic(), None
    go.set()
    for part in parts:
        body += part
        if last is None and make(100 + SIZE) in body:
            last = time.monotonic()
    records = [make(number) for first in (1, 101) for number in range(first, first + SIZE)]
    assert response.complete and all(body.count(each) == 1 for each in records)
    assert sorted(records, key=body.index) == records
    if smooth:
        # Ten of eleven steps of at least half a second, less the time by which a timer may have fired early.
        assert last - sent >= 0.5 * 10 / 11 - 0.1
    else:
        assert bursts[1] in body
    assert proxy.logged(reason="completed")["records"] == 2 * SIZE
