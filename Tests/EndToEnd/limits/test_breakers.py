"""Clients that do not read are refused for a time, and an upstream that fails gets no requests for a time."""
import threading
import time
from types import SimpleNamespace

import pytest

from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.addresses import LOOPS, connect, endless, numbered, numbers
from harness.waiting import eventually
from harness.weir import route

MINE, THEIRS = "X-Api-Key: mine", "X-Api-Key: theirs"
CLIENT = {"stall_timeout": "300ms", "client_key": "{ header: X-Api-Key }", "rate": "{ default: 1000/second }",
          "upstream_breaker": "off"}
UPSTREAM = {"upstream_breaker": "{ failures: 3, window: 60s, cooldown: 1s, probes: 1, probe_records: 5 }"}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
both_loops = pytest.mark.parametrize("where", LOOPS)


def breaker(**keys):
    settings = {"trips": 2, "window": "60s", "cooldown": "1s", "probes": 1, "probe_records": 20, **keys}
    return "{ " + ", ".join(f"{key}: {value}" for key, value in settings.items()) + " }"


# MARK: The client's


@pytest.fixture
def slow(weir, origin, client):
    """A weir of two loops with a breaker for clients, and a client that stalls on demand."""
    gates = []

    def run(**keys):
        gate = threading.Event()
        gate.set()
        gates.append(gate)
        upstream = origin(endless(2000, gate=gate), send_buffer=16 << 10)
        proxy = weir(route(upstream.url, **{**CLIENT, "breaker": breaker(), **keys}), workers=2, shutdown_grace="0s")

        def stall(*fields):
            """A stream of which only the head is read; returns its line in the log."""
            response = client(proxy, receive_buffer=4096).get("/orders", *(fields or [MINE]))
            # Where it is refused, the body has the id.
            return proxy.logged(id=response.head["X-Stream-Id"] or response.json()["instance"])

        def get(*fields):
            return client(proxy).get("/orders", *(fields or [MINE]))

        def check_admitted(*fields):
            """A stream that its client ends before its first record is due, so that it cannot stall."""
            gate.clear()
            response = get(*fields)
            assert response.status == 200, response.read()
            response.client.close()
            proxy.logged(id=response.head["X-Stream-Id"])
            gate.set()

        return SimpleNamespace(upstream=upstream, gate=gate, proxy=proxy, stall=stall, get=get,
                               check_admitted=check_admitted)

    yield run
    for gate in gates:
        gate.set()


def logged_states(proxy, kind):
    """The states of the breaker that the process's log reports, in order."""
    return [dict(word.split("=", 1) for word in line.split() if "=" in word)["state"]
            for line in proxy.said().splitlines() if " breaker " in line and f"kind={kind}" in line]


def open_breaker(run):
    """Stalls until the breaker is open."""
    assert [run.stall()["reason"] for _ in range(2)] == ["slow_consumer"] * 2
    eventually(lambda: logged_states(run.proxy, "client") == ["open"], "the opening logged")


def probe(run, *fields):
    """The stream that is admitted once the cooldown is over; the refusals before it are those of an open breaker."""
    def admitted():
        response = run.get(*(fields or [MINE]))
        if response.status == 200:
            return response
        assert problem(response, 429, "slow-consumer")["breaker"] == "open"
        return None
    return eventually(admitted, "a probe admitted")


def test_one_stall_is_tolerated_and_the_next_opens_the_breaker(slow):
    run = slow(breaker=breaker(cooldown="30s"))
    assert run.stall()["reason"] == "slow_consumer"
    run.check_admitted()
    assert run.stall()["reason"] == "slow_consumer"
    refused = problem(run.get(), 429, "slow-consumer")
    # It is up to a fifth longer, so that refused clients do not return in one instant.
    assert refused["breaker"] == "open" and 1 <= refused["retryAfter"] <= 37
    line = run.proxy.logged(reason="refused", status=429)
    assert (line["problem"], line["route"]) == ("slow-consumer", "/")
    requests = len(run.upstream.heads)
    for _ in range(10):  # on either loop
        problem(run.get(), 429, "slow-consumer")
    assert len(run.upstream.heads) == requests
    for _ in range(10):
        run.check_admitted(THEIRS)
    eventually(lambda: logged_states(run.proxy, "client") == ["open"], "the opening logged, and nothing else")
    assert "mine" not in run.proxy.said() + run.proxy.access_log.read_text()


def test_one_probe_is_admitted_and_closes_the_breaker(slow):
    run = slow()
    open_breaker(run)
    run.gate.clear()  # no record is due before the refusals, so that the probe cannot stall
    response = probe(run, MINE, "X-Stream-Rate-Limit: 40/second")  # nor after them: the kernel takes seconds of it
    for _ in range(6):
        refused = problem(run.get(), 429, "slow-consumer")
        assert (refused["breaker"], refused["retryAfter"]) == ("half-open", 1)
    run.gate.set()
    records = response.records()
    for _ in range(3000):
        if "closed" in logged_states(run.proxy, "client"):
            break
        next(records)
    assert logged_states(run.proxy, "client") == ["open", "closed"]
    for _ in range(4):
        run.check_admitted()


def test_a_probe_that_stalls_opens_the_breaker_again(slow):
    run = slow()
    open_breaker(run)
    eventually(lambda: run.stall()["reason"] == "slow_consumer", "a probe that stalled")
    eventually(lambda: logged_states(run.proxy, "client").count("open") == 2, "the second opening logged")


def gone_clients(run):
    return sum(line["reason"] == "client_gone" for line in run.proxy.lines())


def test_a_probe_whose_client_disconnects_admits_another(slow):
    run = slow(breaker=breaker(probe_records=100000))
    open_breaker(run)
    run.gate.clear()  # no record is due, so that a probe cannot stall
    for number in range(1, 4):
        response = probe(run)
        response.client.close()
        eventually(lambda: gone_clients(run) == number, "its end logged")
        # It stays half-open: the next one is admitted at once.
    assert logged_states(run.proxy, "client") == ["open"]


def test_in_a_dry_run_the_breaker_only_reports(slow):
    run = slow(breaker=breaker(cooldown="60s", dry_run="true"))
    for _ in range(2):
        assert run.stall()["reason"] == "slow_consumer"
    response = run.get(MINE, "X-Stream-Rate-Limit: 20/second")  # its client cannot be slow: the kernel takes seconds of it
    assert response.status == 200
    assert numbers(response.records(), 3) == [1, 2, 3]
    response.client.close()
    assert run.proxy.logged(reason="client_gone")["dry_run"] == "slow-consumer"
    eventually(lambda: logged_states(run.proxy, "client") == ["open"], "the opening logged, and nothing else")


def test_without_a_breaker_no_client_is_refused(slow):
    run = slow(breaker="off")
    for _ in range(4):
        assert run.stall()["reason"] == "slow_consumer"
    run.check_admitted()


# MARK: The upstream's


class Moody:
    """An origin's script that fails in the way of its mood."""

    def __init__(self, mood):
        self.mood, self.asked, self.going_on = mood, 0, threading.Event()

    def __call__(self, peer):
        while peer.read_head():
            self.asked += 1
            if self.mood == "reset":
                peer.reset()
            elif self.mood == "500":
                peer.send(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
            elif self.mood == "breaks off":
                peer.send(STREAM_HEAD + chunk(record(1)))
                peer.close()
            elif self.mood == "stream":
                peer.send(STREAM_HEAD + chunk(record(1)))
                assert self.going_on.wait(60)
                peer.send(b"".join(chunk(record(number)) for number in range(2, 11)) + LAST_CHUNK)
            elif self.mood == "whole":
                peer.send(numbered(10))
            else:
                peer.send(OK)


@pytest.fixture
def moody(weir, origin, client):
    """A weir of two loops before an upstream in this mood."""
    started = []

    def run(mood, **keys):
        script = Moody(mood)
        started.append(script)
        upstream = origin(script)
        proxy = weir(route(upstream.url, **{**UPSTREAM, **keys}), workers=2, shutdown_grace="0s")
        return SimpleNamespace(script=script, proxy=proxy, get=lambda: client(proxy).get("/orders"))

    yield run
    for script in started:
        script.going_on.set()


def spared(run, breaker="open"):
    """Waits for a refusal because of the breaker, for which the upstream is not asked."""
    def refused():
        asked = run.script.asked
        response = run.get()
        if response.status != 503:  # a probe: the cooldown was over
            response.read()
            return None
        assert run.script.asked == asked
        return problem(response, 503, "unavailable")
    refusal = eventually(refused, "a refusal")
    assert refusal["breaker"] == breaker
    return refusal


@pytest.mark.parametrize("mood, status", [("reset", 502), ("500", 500), ("breaks off", 200)])
def test_a_failing_upstream_gets_no_request_until_a_probe_succeeds(moody, mood, status):
    run = moody(mood)
    for _ in range(3):
        response = run.get()
        assert response.status == status
        response.read()
    eventually(lambda: logged_states(run.proxy, "upstream") == ["open"], "the opening logged")
    assert 1 <= spared(run)["retryAfter"] <= 2
    assert run.proxy.logged(reason="refused", status=503)["problem"] == "unavailable"
    run.script.mood = "ok"

    def admitted():
        response = run.get()
        if response.status == 200:
            return response
        problem(response, 503, "unavailable")
        return None

    assert eventually(admitted, "a probe admitted").read() == b"ok"
    eventually(lambda: logged_states(run.proxy, "upstream")[-1] == "closed", "the closing logged")
    assert [run.get().status for _ in range(5)] == [200] * 5


def test_an_upstream_that_refuses_connections_opens_its_breaker(weir, client, reserved_port):
    proxy = weir(route(reserved_port().url, upstream_breaker="{ failures: 3, window: 60s, cooldown: 60s }"), workers=2)
    begun = time.monotonic()
    statuses = [client(proxy).get("/orders").status for _ in range(10)]
    assert statuses == [502] * 3 + [503] * 7
    refusal = problem(client(proxy).get("/orders"), 503, "unavailable")
    assert refusal["breaker"] == "open" and 60 - (time.monotonic() - begun) <= refusal["retryAfter"] <= 73


def test_a_probe_that_fails_opens_it_again(moody):
    run = moody("500")
    for _ in range(3):
        run.get().read()
    eventually(lambda: logged_states(run.proxy, "upstream") == ["open"], "the opening logged")
    eventually(lambda: run.get().status == 500, "a probe admitted")
    assert run.script.asked == 4
    eventually(lambda: logged_states(run.proxy, "upstream") == ["open", "open"], "the second opening logged")
    spared(run)


def test_a_stream_that_probes_closes_it_by_its_records_and_not_by_its_head(moody):
    run = moody("500")
    for _ in range(3):
        run.get().read()
    run.script.mood = "stream"

    def admitted():
        response = run.get()
        return response if response.status == 200 else None

    response = eventually(admitted, "a probe admitted")
    records = response.records()
    assert next(records).number == 1
    assert spared(run, breaker="half-open")["retryAfter"] == 1
    run.script.going_on.set()
    assert numbers(records, 9) == list(range(2, 11))
    eventually(lambda: logged_states(run.proxy, "upstream") == ["open", "closed"], "the closing logged")
    assert run.get().status == 200


def test_a_disconnect_is_no_failure_of_the_upstream(weir, origin, client):
    proxy = weir(route(origin(endless()).url, upstream_breaker="{ failures: 1, cooldown: 60s }"), workers=2,
                 shutdown_grace="0s")
    for number in range(1, 6):
        leaving = client(proxy)
        assert leaving.get("/orders").status == 200
        leaving.close()
        eventually(lambda: len(proxy.lines()) == number, "its end logged")
    assert client(proxy).get("/orders").status == 200


@both_loops
def test_in_a_dry_run_the_upstream_still_gets_requests(moody, client, where):
    run = moody("500", upstream_breaker="{ failures: 2, window: 60s, cooldown: 60s, dry_run: true }")
    first = client(run.proxy)
    for _ in range(3):
        assert first.get("/orders").status == 500
    assert connect(client, run.proxy, where, beside=first).get("/orders").status == 500
    assert run.script.asked == 4
    eventually(lambda: [line.get("dry_run") for line in run.proxy.lines()]
               == [None, None, "unavailable", "unavailable"], "the trial in the access log")
