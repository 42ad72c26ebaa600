"""One run with all that can happen to streams: origins, clients, metrics, access log and `weir logs` agree."""
import collections
import json
import threading

import pytest

from harness.addresses import feedback
from harness.metrics import Metrics
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD
from harness.waiting import eventually
from harness.weir import command, route

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
NOTICES = "Prefer: stream-notices"
HELD, LARGE = 60, 20 << 10  # records, bytes of each: more than the sockets between weir and a client take


class Origin:
    """A script; counts the requests and the records that it has sent, by the first segment of the path."""

    def __init__(self):
        self.requests, self.records = collections.Counter(), collections.Counter()

    def __call__(self, peer):
        while True:
            where = "/" + peer.read_head().split()[1].decode().split("/")[1]
            self.requests[where] += 1
            if where == "/plain":
                peer.send(PLAIN)
                continue
            peer.send(STREAM_HEAD)
            {"/whole": self.whole, "/few": self.whole, "/broken": self.broken, "/paced": self.paced,
             "/drops": self.drops, "/slow": self.slow}[where](peer, where)

    def send(self, peer, where, count, size=0, first=1):
        peer.send_records(size, first, count)
        self.records[where] += count

    def whole(self, peer, where):
        self.send(peer, where, 20)
        peer.send(LAST_CHUNK)

    def broken(self, peer, where):
        self.send(peer, where, 5)
        peer.close()

    def paced(self, peer, where):
        self.send(peer, where, 10)
        peer.wait_gone()

    def drops(self, peer, where):
        self.send(peer, where, 500)
        peer.wait_gone()

    def slow(self, peer, where):
        """The first record; the others once the client has paused after it."""
        self.send(peer, where, 1)
        peer.paused.wait(60)
        self.send(peer, where, HELD - 1, LARGE, first=2)
        peer.wait_gone()


class Clients:
    """Counts what the clients got, by the route that they asked."""

    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.requests, self.records, self.bytes = (collections.Counter() for _ in range(3))
        self.completed, self.refused, self.lost = (collections.Counter() for _ in range(3))

    def ask(self, path, *fields, **options):
        self.requests[path] += 1
        return self.client(self.proxy, **options).get(path, *fields)

    def count(self, path, line):
        """One line of a stream: a record, or a notice."""
        self.bytes[path] += len(line) + 1
        value = json.loads(line)
        self.records[path] += "orderId" in value
        self.lost[path] += value.get("records", 0)

    def read(self, path, *fields):
        """Asks, and reads whatever comes to its end."""
        response = self.ask(path, *fields)
        if response.status >= 400:
            body = response.read()
            self.bytes[path] += len(body)
            self.refused[path, json.loads(body)["type"].rpartition("/")[2]] += 1
        elif response.head["Content-Type"]:
            for each in response.records():
                self.count(path, each.line)
        else:
            self.bytes[path] += len(response.read())
        self.completed[path] += response.status < 400 and response.complete

    def take(self, path, records, count):
        for _ in range(count):
            self.count(path, next(records).line)


def buffered(proxy, where):
    return Metrics(proxy).total("weir_buffer_records", route=where)


def dropped(proxy, where):
    return Metrics(proxy).total("weir_records_failed_total", route=where, cause="dropped")


def leaves_what_is_not_due(clients):
    """A client disconnects after the three records that are due; meanwhile it may have no other stream."""
    response = clients.ask("/paced")
    clients.take("/paced", response.records(), 3)
    eventually(lambda: buffered(clients.proxy, "/paced") == 7, "what is not due, queued")
    clients.read("/paced")
    clients.read("/paced")
    response.client.close()


def leaves_what_is_dropped(clients):
    response = clients.ask("/drops")
    clients.take("/drops", response.records(), 2)
    eventually(lambda: dropped(clients.proxy, "/drops") == 493, "all but two sent and five queued dropped")
    response.client.close()


def is_too_slow(clients, paused):
    """Reads nothing until it has been ended; then it reads what was sent, and the notice after it."""
    number = clients.requests["/slow"]
    response = clients.ask("/slow", NOTICES, receive_buffer=4096)
    records = response.records()
    clients.take("/slow", records, 1)
    speaker = clients.client(clients.proxy)
    stream = response.head["X-Stream-Id"]
    feedback(speaker, stream, pause=True)
    paused.set()
    eventually(lambda: buffered(clients.proxy, "/slow") == 30 and dropped(clients.proxy, "/slow") == 29 * (number + 1),
               "a full queue, and the rest dropped")
    feedback(speaker, stream, pause=False)
    clients.proxy.logged(id=stream, reason="slow_consumer")
    for each in records:
        clients.count("/slow", each.line)
    paused.clear()


@pytest.fixture
def run(weir, origin, client):
    """Everything that happens; the proxy, the origin's script and the clients, once all is over."""
    def carry_out(workers):
        script, paused = Origin(), threading.Event()

        def with_pause(peer):
            peer.paused = paused
            script(peer)
        url = origin(with_pause).url
        slow = "{ trips: 2, window: 60s, cooldown: 1h }"
        proxy = weir(
            route(url, match="/whole"), route(url, match="/plain"), route(url, match="/broken", upstream_breaker="off"),
            route(url, match="/few", streams="{ starts: 1/hour, starts_burst: 2 }"),
            route(url, match="/paced", rate="{ default: 1/hour, burst: 3 }", streams="{ per_client: 1 }"),
            route(url, match="/drops", rate="{ default: 1/hour, burst: 2 }", buffer="{ default: 5 }",
                  overflow="drop_oldest"),
            route(url, match="/slow", buffer="{ default: 30, max_bytes: 4MiB }", overflow="drop_oldest",
                  stall_timeout="300ms", breaker=slow),
            route("http://127.0.0.1:1", match="/down", upstream_breaker="{ failures: 2, window: 60s, cooldown: 1h }"),
            workers=workers)
        clients = Clients(proxy, client)
        leaves_what_is_not_due(clients)
        leaves_what_is_dropped(clients)
        for _ in range(2):
            is_too_slow(clients, paused)
        for path, times in {"/whole": 6, "/few": 5, "/broken": 3, "/plain": 2, "/down": 4, "/slow": 3}.items():
            for _ in range(times):
                clients.read(path)
        clients.read("/whole", "X-Stream-Buffer-Size: 0")
        clients.read("/elsewhere")
        asked = sum(clients.requests.values()) + 4  # those that paused and continued are logged as well
        eventually(lambda: len(proxy.lines()) == asked, f"{asked} lines")
        eventually(lambda: Metrics(proxy).total("weir_active_streams") == 0, "no active stream")
        return proxy, script, clients
    return carry_out


@pytest.mark.parametrize("workers", [1, 2])
def test_origins_clients_metrics_the_access_log_and_its_report_agree(run, workers):
    proxy, origin, clients = run(workers)
    metrics, lines = Metrics(proxy), proxy.lines()
    summary = json.loads(command("logs", "--json", str(proxy.access_log)).stdout)
    assert summary["lines"]["counted"] == summary["lines"]["all"] == len(lines)
    reports = {row["name"]: row for row in summary["routes"]}
    routes = clients.requests.keys() - {"/elsewhere"}
    assert len(routes) == 8 and {row["name"] for row in summary["routes"]} == routes | {"-"}
    for where in routes:
        own = [line for line in lines if line.get("route") == where]

        def total(name, **labels):
            return metrics.total(name, route=where, **labels)

        def logged(name, counted=own):
            return sum(line.get(name, 0) for line in counted)

        report = reports[where]
        assert clients.requests[where] == total("weir_streams_total") == len(own) == report["requests"], where
        assert clients.records[where] == total("weir_records_total") == logged("records") == report["records"], where
        assert clients.bytes[where] == total("weir_bytes_total") == logged("bytes") == report["bytes"], where
        assert total("weir_records_failed_total", cause="dropped") == logged("dropped") == report["dropped"], where
        assert total("weir_upstream_pauses_total") == logged("pauses") == report["pauses"], where
        assert total("weir_upstream_paused_seconds_total") == pytest.approx(logged("paused"), abs=1e-3)
        assert report["paused"] == pytest.approx(logged("paused"), abs=1e-3)
        assert origin.records[where] == clients.records[where] + total("weir_records_failed_total"), where
        assert origin.requests[where] == sum("status" in line and line["reason"] != "refused" for line in own) \
            or where == "/down"
        assert clients.completed[where] == total("weir_streams_total", outcome="completed"), where
        for reason in {labels["outcome"] for name, labels, _ in metrics.samples if name == "weir_streams_total"}:
            count = sum(line["reason"] == reason for line in own)
            assert total("weir_streams_total", outcome=reason) == count == report["reasons"].get(reason, 0)
        for kind in {labels["type"] for name, labels, _ in metrics.samples if name == "weir_refusals_total"}:
            count = sum(line.get("problem") == kind and line["status"] >= 400 for line in own)
            assert clients.refused[where, kind] == count == report["refusals"].get(kind, 0), (where, kind)
            assert total("weir_refusals_total", type=kind) == count, (where, kind)
        for cause, reason in [("gone", "client_gone"), ("slow_consumer", "slow_consumer")]:
            assert total("weir_client_disconnects_total", cause=cause) == report["reasons"].get(reason, 0)
        ran = [line for line in own if line["reason"] != "refused"]
        for name, counted in [("stream", [line for line in ran if "records" in line]),
                              ("request", [line for line in ran if "records" not in line])]:
            assert total(f"weir_{name}_duration_seconds_count") == len(counted)
            assert total(f"weir_{name}_duration_seconds_sum") == pytest.approx(logged("duration", counted), abs=1e-3)
        for status in {line["status"] for line in own if "status" in line}:
            count = sum(line.get("status") == status for line in own)
            assert total("weir_responses_total", code=str(status)) == count, (where, status)

    # And it was the run that it was meant to be.
    assert {(where, kind): count for (where, kind), count in clients.refused.items() if count} == {
        ("/few", "rate-limit"): 3, ("/paced", "too-many-streams"): 2, ("/slow", "slow-consumer"): 3,
        ("/down", "bad-upstream"): 2, ("/down", "unavailable"): 2, ("/whole", "invalid-request"): 1,
        ("/elsewhere", "not-found"): 1}
    assert summary["totals"]["reasons"] == {
        "completed": 6 + 2 + 2 + 4, "client_gone": 2, "slow_consumer": 2, "upstream_failed": 3 + 2, "refused": 12}
    assert reports["-"]["refusals"] == {"not-found": 1}
    assert metrics.total("weir_refusals_total", route="", type="not-found") == 1
    undelivered = metrics.total("weir_records_failed_total", route="/slow", cause="undelivered")
    assert undelivered > 0
    assert clients.lost["/slow"] == undelivered + 2 * 29  # the notices reported each of them once
