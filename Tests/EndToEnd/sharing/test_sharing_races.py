"""Readers that come and leave at any moment get records, or an accurate refusal, and leave nothing behind."""
import random
import threading

import pytest

from harness.metrics import Metrics
from harness.raw_client import RawClient
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.waiting import eventually
from harness.weir import route

THREADS, REQUESTS = 8, 30


def uneasy(seed):
    """A script: a few records at odd intervals, then an end of one kind or another."""
    rolls = random.Random(seed)
    lock, pause = threading.Lock(), threading.Event()

    def roll(*choices):
        with lock:
            return rolls.choice(choices)

    def script(peer):
        while peer.read_head():
            pause.wait(roll(0, 0.005, 0.02))
            kind = roll("stream", "stream", "stream", "reset", "cookie", "refusal")
            if kind == "reset":
                peer.reset()
            if kind == "refusal":
                peer.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
                continue
            cookie = b"\r\nSet-Cookie: a=b\r\n\r\n"
            peer.send(STREAM_HEAD.replace(b"\r\n\r\n", cookie) if kind == "cookie" else STREAM_HEAD)
            for number in range(1, roll(1, 10, 40) + 1):
                peer.send(chunk(record(number, size=roll(0, 0, 3000))))
                pause.wait(roll(0, 0, 0, 0.002))
            if roll(False, False, True):
                peer.reset()
            peer.send(LAST_CHUNK)
    return script


class Visitor:
    """Sends requests one after another, and leaves some before their end; `faults` says what was wrong."""

    def __init__(self, proxy, seed):
        self.proxy, self.rolls = proxy, random.Random(seed)
        self.seen, self.faults = {"complete": 0, "cut": 0, "refused": 0, "left": 0}, []

    def run(self):
        try:
            for _ in range(REQUESTS):
                with RawClient(self.proxy.port) as connection:
                    self.seen[self.visit(connection)] += 1
        except Exception as fault:  # reported at the end, in the test's own thread
            self.faults.append(repr(fault))

    def visit(self, connection):
        target = f"/{self.rolls.choice('ab')}"
        if self.rolls.random() < 0.2:
            connection.ask(target)
            return "left"
        response = connection.get(target, *self.rolls.choice([[], ["Prefer: stream-notices"]]))
        if response.status != 200:
            assert response.status in (502, 503), response.status
            response.read()
            return "refused"
        most = self.rolls.choice([2, 1000, 1000])
        numbers = []
        for each in response.records():
            if b"orderId" in each.line:
                numbers.append(each.number)
            if len(numbers) == most:
                return "left"
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True, numbers
        return "complete" if response.complete else "cut"


@pytest.mark.parametrize("linger", ["0s", "30ms"])
@pytest.mark.parametrize("lag", ["gap", "wait"])
def test_readers_at_any_moment(weir, origin, linger, lag):
    proxy = weir(route(origin(uneasy(17)).url, retry="off", upstream_breaker="off",
                       shared=f"{{ linger: {linger}, lag: {lag}, join: beginning, max_readers: 5 }}"), workers=2)
    visitors = [Visitor(proxy, seed) for seed in range(THREADS)]
    threads = [threading.Thread(target=visitor.run, daemon=True) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert [visitor.faults for visitor in visitors] == [[]] * THREADS
    total = {kind: sum(visitor.seen[kind] for visitor in visitors) for kind in visitors[0].seen}
    assert sum(total.values()) == THREADS * REQUESTS and min(total["complete"], total["left"]) > 0, total

    def is_over():
        metrics = Metrics(proxy)
        return not any(metrics.total(name) for name in (
            "weir_active_streams", "weir_shared_pulls", "weir_shared_readers", "weir_shared_retained_bytes",
            "weir_buffer_bytes")) and not metrics.total("weir_upstream_connections", state="active")
    eventually(is_over, "everything given back")
