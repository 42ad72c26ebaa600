"""A client's breaker that opens at one instance rejects at all of them."""
import pytest

from harness.addresses import endless
from harness.metrics import Metrics
from harness.problems import problem
from harness.redis import disturb, repair
from harness.replicas import KEY, shares, shares_not
from harness.waiting import eventually

BREAKER = {"stall_timeout": "300ms", "rate": "{ default: 1000/second }"}


@pytest.fixture
def breakers(fleet, client):
    """Starts instances with shared breakers: breakers(3, "redis://…", cooldown="24h")."""
    def start(count, address, cooldown="24h", **options):
        breaker = (f"{{ trips: 2, window: 1h, cooldown: {cooldown}, probes: 1, probe_records: 20, scope: replicas }}")
        return fleet(count, address, script=endless(2000), keys={**BREAKER, "breaker": breaker}, **options)
    return start


@pytest.fixture
def stall(client):
    """Two streams of a client that does not read, until they have ended and the breaker is open: stall(proxy)."""
    def run(proxy, key="k"):
        for _ in range(2):
            response = client(proxy, receive_buffer=4096).get("/orders", KEY.format(key))
            assert response.status == 200
            assert proxy.logged(id=response.head["X-Stream-Id"])["reason"] == "slow_consumer"
        problem(start(client, proxy, key), 429, "slow-consumer")
    return run


def start(client, proxy, key="k"):
    return client(proxy).get("/orders", KEY.format(key))


def rejected(client, proxy, key="k"):
    """Waits until an instance rejects the client, without a trip of its own; the problem."""
    def rejects():
        response = start(client, proxy, key)
        if response.status == 429:
            return response
        response.client.close()
        return None
    found = problem(eventually(rejects, "a rejection"), 429, "slow-consumer")
    assert Metrics(proxy).total("weir_breaker_trips_total", kind="client") == 0
    return found


def test_an_open_breaker_rejects_at_all_instances(redis, breakers, stall, client):
    proxies = breakers(3, f"redis://127.0.0.1:{redis().port}")
    stall(proxies[0])
    for proxy in proxies[1:]:
        found = rejected(client, proxy)
        assert found["breaker"] == "open" and 80_000 < found["retryAfter"] <= 24 * 3600 * 1.2
        response = start(client, proxy, "another")
        assert response.status == 200
        response.client.close()


def test_an_instance_that_starts_later_rejects_too(redis, breakers, stall, client):
    address = f"redis://127.0.0.1:{redis().port}"
    first, = breakers(1, address)
    stall(first)
    later, = breakers(1, address, waits=False)
    rejected(client, later)


@pytest.mark.parametrize("fault", ["killed", "stopped", "slow"])
def test_what_opened_without_redis_is_announced_afterwards(redis, slow_path, breakers, stall, client, fault):
    server = redis()
    path = slow_path(server)
    proxies = breakers(2, f"redis://127.0.0.1:{path.port}")
    disturb(server, path, fault)
    for proxy in proxies:
        shares_not(proxy)
    stall(proxies[0])
    repair(server, path)
    for proxy in proxies:
        shares(proxy, 2)
    rejected(client, proxies[1])


def test_an_interrupted_subscription_is_repaired(redis, breakers, stall, client):
    server = redis()
    proxies = breakers(2, f"redis://127.0.0.1:{server.port}")
    eventually(lambda: server.command("PUBSUB", "NUMSUB", "weir:breakers:")[1] == 2, "two subscriptions")
    server.command("CLIENT", "KILL", "TYPE", "pubsub")
    stall(proxies[0])
    rejected(client, proxies[1])


def test_after_the_cooldown_each_instance_probes_and_closes(redis, breakers, stall, client):
    proxies = breakers(2, f"redis://127.0.0.1:{redis().port}", cooldown="5s")
    stall(proxies[0])
    rejected(client, proxies[1])

    def admitted():
        response = start(client, proxies[1])
        return response if response.status == 200 else None
    records = eventually(admitted, "a probe").records()
    for _ in range(40):  # more than the probe has to deliver, and what its socket holds
        next(records)

    def is_closed():
        next(records)
        response = start(client, proxies[1])
        response.client.close()
        return response.status == 200
    eventually(is_closed, "a closed breaker")


def test_other_messages_are_ignored(redis, breakers, stall, client):
    server = redis()
    proxies = breakers(2, f"redis://127.0.0.1:{server.port}")
    channel = "weir:breakers:"
    eventually(lambda: server.command("PUBSUB", "NUMSUB", channel)[1] == 2, "two subscriptions")
    key = "0" * 32
    hostile = ["", "x", "1 1", f"1 1 {key} 1", f"-1 1 {key}", f"1 0 {key}", f"1 {10 ** 16} {key}", f"1 1 {key}0",
               f"1 1 {'G' * 32}", "9" * 100_000, b"\xff\xfe 1 1", b"\x00" * 300]
    for message in hostile:
        server.command("PUBLISH", channel, message)

    def malformed():
        return Metrics(proxies[0]).total("weir_redis_failures_total", cause="malformed") == len(hostile)
    eventually(malformed, "as many malformed messages")
    stall(proxies[1])
    rejected(client, proxies[0])
    assert Metrics(proxies[0]).total("weir_redis_up") == 1
