"""Clients that do not read are kept away for a while, and an upstream that fails is left alone for a while."""
import socket
import threading
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
    told = {"trips": 2, "window": "60s", "cooldown": "1s", "probes": 1, "probe_records": 20, **keys}
    return "{ " + ", ".join(f"{key}: {value}" for key, value in told.items()) + " }"


# MARK: The client's


@pytest.fixture
def slow(weir, origin, client):
    """A weir of two loops that keeps slow clients away, and a client that stalls when told to."""
    def run(**keys):
        upstream = origin(endless(2000), send_buffer=16 << 10)
        proxy = weir(route(upstream.url, **{**CLIENT, "breaker": breaker(), **keys}), workers=2, shutdown_grace="0s")

        def stall(*fields):
            """A stream of which nothing is read; returns its line in the log."""
            before = len(proxy.lines())
            client(proxy, receive_buffer=4096).ask("/orders", *(fields or [MINE]))
            return eventually(lambda: proxy.lines()[before:], "its end logged")[0]

        return SimpleNamespace(upstream=upstream, proxy=proxy, stall=stall,
                               get=lambda *fields: client(proxy).get("/orders", *(fields or [MINE])))
    return run


def told_states(proxy, kind):
    """What the process's log says that the breaker became, in order."""
    return [dict(word.split("=", 1) for word in line.split() if "=" in word)["state"]
            for line in proxy.said().splitlines() if " breaker " in line and f"kind={kind}" in line]


def open_breaker(run, cooldown):
    """Stalls until the breaker is open, and returns the refusal."""
    assert [run.stall()["reason"] for _ in range(2)] == ["slow_consumer"] * 2
    told = problem(run.get(), 429, "slow-consumer")
    assert told["breaker"] == "open"
    # It is up to a fifth longer, so that the refused do not come back in one instant.
    assert 1 <= told["retryAfter"] <= int(cooldown * 1.2) + 1
    return told


def probe(run, *fields):
    """The stream that is let through once the cooldown is over, and the refusals before it are open ones."""
    def admitted():
        response = run.get(*(fields or [MINE]))
        if response.status == 200:
            return response
        assert problem(response, 429, "slow-consumer")["breaker"] == "open"
        return None
    return eventually(admitted, "a probe let through")


def test_one_slow_end_is_forgiven_and_the_next_is_not(slow):
    run = slow(breaker=breaker(cooldown="30s"))
    assert run.stall()["reason"] == "slow_consumer"
    assert run.get().status == 200
    assert run.stall()["reason"] == "slow_consumer"
    told = problem(run.get(), 429, "slow-consumer")
    assert told["breaker"] == "open" and 29 <= told["retryAfter"] <= 37
    line = run.proxy.logged(reason="refused", status=429)
    assert (line["problem"], line["route"]) == ("slow-consumer", "/")
    requests = len(run.upstream.heads)
    for _ in range(10):  # on either loop
        problem(run.get(), 429, "slow-consumer")
    assert len(run.upstream.heads) == requests
    for _ in range(10):
        assert run.get(THEIRS).status == 200
    assert told_states(run.proxy, "client") == ["open"]
    assert "mine" not in run.proxy.said() + run.proxy.access_log.read_text()


def test_one_probe_is_let_through_and_closes_it(slow):
    run = slow(breaker=breaker(probe_records=200))
    open_breaker(run, cooldown=1)
    response = probe(run)
    for _ in range(6):
        told = problem(run.get(), 429, "slow-consumer")
        assert (told["breaker"], told["retryAfter"]) == ("half-open", 1)
    records = response.records()
    for _ in range(3000):
        if "closed" in told_states(run.proxy, "client"):
            break
        next(records)
    assert told_states(run.proxy, "client") == ["open", "closed"]
    assert [run.get().status for _ in range(4)] == [200] * 4


def test_a_probe_that_stalls_opens_it_again(slow):
    run = slow()
    open_breaker(run, cooldown=1)
    before = len([line for line in run.proxy.lines() if line["reason"] == "slow_consumer"])

    def stalled():
        line = run.stall()
        return line["reason"] == "slow_consumer"

    eventually(stalled, "a probe that stalled")
    assert problem(run.get(), 429, "slow-consumer")["breaker"] == "open"
    assert len([line for line in run.proxy.lines() if line["reason"] == "slow_consumer"]) == before + 1
    assert set(told_states(run.proxy, "client")) <= {"open", "closed"}
    assert told_states(run.proxy, "client")[-1] == "open"
    assert told_states(run.proxy, "client").count("open") == 2


def gone_clients(run):
    return sum(line["reason"] == "client_gone" for line in run.proxy.lines())


def test_a_probe_whose_client_leaves_makes_room_for_another(slow):
    run = slow(breaker=breaker(probe_records=100000))
    open_breaker(run, cooldown=1)
    for number in range(1, 4):
        response = probe(run)
        response.client.close()
        eventually(lambda: gone_clients(run) == number, "its end logged")
        # Half-open all along: the next is let in at once.
    assert told_states(run.proxy, "client") == ["open"]


def test_on_trial_the_breaker_only_tells(slow):
    run = slow(breaker=breaker(cooldown="60s", dry_run="true"))
    for _ in range(2):
        assert run.stall()["reason"] == "slow_consumer"
    response = run.get()
    assert response.status == 200
    assert numbers(response.records(), 3) == [1, 2, 3]
    response.client.close()
    assert run.proxy.logged(reason="client_gone")["dry_run"] == "slow-consumer"
    assert told_states(run.proxy, "client") == ["open"]


def test_without_one_nobody_is_kept_away(slow):
    run = slow(breaker="off")
    for _ in range(4):
        assert run.stall()["reason"] == "slow_consumer"
    assert run.get().status == 200


# MARK: The upstream's


class Moody:
    """An origin's script that fails as it is told to."""

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
                assert self.going_on.wait(20)
                peer.send(b"".join(chunk(record(number)) for number in range(2, 11)) + LAST_CHUNK)
            elif self.mood == "whole":
                peer.send(numbered(10))
            else:
                peer.send(OK)


@pytest.fixture
def moody(weir, origin, client):
    """A weir of two loops that spares an upstream in this mood."""
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
    """A refusal because the upstream is left alone, and that it was."""
    asked = run.script.asked
    told = problem(run.get(), 503, "unavailable")
    assert told["breaker"] == breaker
    assert run.script.asked == asked
    return told


@pytest.mark.parametrize("mood, status", [("reset", 502), ("500", 500), ("breaks off", 200)])
def test_an_upstream_that_fails_is_left_alone_and_recovers_by_a_probe(moody, mood, status):
    run = moody(mood)
    for _ in range(3):
        response = run.get()
        assert response.status == status
        response.read()
    eventually(lambda: told_states(run.proxy, "upstream") == ["open"], "the opening told")
    told = spared(run)
    assert 1 <= told["retryAfter"] <= 2
    assert run.proxy.logged(reason="refused", status=503)["problem"] == "unavailable"
    run.script.mood = "ok"

    def admitted():
        response = run.get()
        if response.status == 200:
            return response
        problem(response, 503, "unavailable")
        return None

    assert eventually(admitted, "a probe let through").read() == b"ok"
    eventually(lambda: told_states(run.proxy, "upstream") == ["open", "closed"], "the closing told")
    assert [run.get().status for _ in range(5)] == [200] * 5


def test_an_upstream_that_refuses_connections_is_left_alone(weir, client):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{bound.getsockname()[1]}"
    proxy = weir(route(nobody, upstream_breaker="{ failures: 3, window: 60s, cooldown: 60s }"), workers=2)
    statuses = [client(proxy).get("/orders").status for _ in range(10)]
    assert statuses == [502] * 3 + [503] * 7
    told = problem(client(proxy).get("/orders"), 503, "unavailable")
    assert told["breaker"] == "open" and 58 <= told["retryAfter"] <= 73


def test_a_probe_that_fails_opens_it_again(moody):
    run = moody("500")
    for _ in range(3):
        run.get().read()
    eventually(lambda: told_states(run.proxy, "upstream") == ["open"], "the opening told")
    eventually(lambda: run.get().status == 500, "a probe let through")
    eventually(lambda: told_states(run.proxy, "upstream") == ["open", "open"], "the second opening told")
    spared(run)
    assert run.script.asked == 4


def test_a_stream_that_probes_closes_it_by_its_records_and_not_by_its_head(moody):
    run = moody("500")
    for _ in range(3):
        run.get().read()
    run.script.mood = "stream"

    def admitted():
        response = run.get()
        return response if response.status == 200 else None

    response = eventually(admitted, "a probe let through")
    records = response.records()
    assert next(records).number == 1
    assert spared(run, breaker="half-open")["retryAfter"] == 1
    run.script.going_on.set()
    assert numbers(records, 9) == list(range(2, 11))
    eventually(lambda: told_states(run.proxy, "upstream") == ["open", "closed"], "the closing told")
    assert run.get().status == 200


def test_a_client_that_leaves_is_no_failure_of_the_upstream(weir, origin, client):
    proxy = weir(route(origin(endless()).url, upstream_breaker="{ failures: 1, cooldown: 60s }"), workers=2,
                 shutdown_grace="0s")
    for number in range(1, 6):
        leaving = client(proxy)
        assert leaving.get("/orders").status == 200
        leaving.close()
        eventually(lambda: len(proxy.lines()) == number, "its end logged")
    assert client(proxy).get("/orders").status == 200


@both_loops
def test_on_trial_the_upstream_is_asked_all_the_same(moody, client, where):
    run = moody("500", upstream_breaker="{ failures: 2, window: 60s, cooldown: 60s, dry_run: true }")
    first = client(run.proxy)
    for _ in range(3):
        assert first.get("/orders").status == 500
    assert connect(client, run.proxy, where, beside=first).get("/orders").status == 500
    assert run.script.asked == 4
    eventually(lambda: [line.get("dry_run") for line in run.proxy.lines()]
               == [None, None, "unavailable", "unavailable"], "the trial in the access log")
