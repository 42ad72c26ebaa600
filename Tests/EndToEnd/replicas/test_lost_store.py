"""Redis is killed, stopped, slow, empty or fails over: no request fails or waits for it, and the limits hold."""
import signal
import time

import pytest

from harness.metrics import Metrics
from harness.redis import disturb, repair
from harness.replicas import KEY, shares, shares_not
from harness.waiting import eventually

MANY = 12
GRACE = 15  # s; how long an instance waits for the others to register again


def statuses(client, proxies, count, key):
    """The statuses of starts at the instances in turn; the streams stay open."""
    return [client(proxies[number % len(proxies)]).get("/orders", KEY.format(key)).status for number in range(count)]


def counted(server, *streams):
    """Waits until the store has these counts of open streams, one of each instance."""
    def counts():
        return sorted(int(count.partition(":")[0]) for key in server.command("KEYS", "weir:streams:/:*")
                      for count in server.command("HVALS", key))
    eventually(lambda: counts() == sorted(streams), f"the counts {streams} at the store", within=60)


def test_instances_start_without_the_store_and_share_when_it_comes(redis, fleet, client):
    server = redis()
    server.kill()
    proxies = fleet(2, f"redis://127.0.0.1:{server.port}", waits=False, per_client=4)
    # Without a count of the others each takes the whole limit: never zero, never unlimited.
    assert statuses(client, proxies[:1], 6, "early") == [200] * 4 + [429] * 2
    assert proxies[0].says("limits are not shared")
    server.start()
    for proxy in proxies:
        shares(proxy, 2)
    assert statuses(client, proxies, 6, "late").count(200) == 4


def test_without_the_store_each_instance_enforces_its_part(redis, fleet, client):
    server = redis()
    proxies = fleet(3, f"redis://127.0.0.1:{server.port}", per_client=6)
    server.kill()
    for proxy in proxies:
        shares_not(proxy)
    assert statuses(client, proxies, MANY, "k") == [200] * 6 + [429] * 6
    for proxy in proxies:
        assert proxy.health("/v1/health/streaming") == 200


def test_a_rate_of_starts_is_divided_without_the_store(redis, fleet, client):
    server = redis()
    proxies = fleet(2, f"redis://127.0.0.1:{server.port}", starts="1/hour", starts_burst=8)
    server.kill()
    for proxy in proxies:
        shares_not(proxy)
    assert statuses(client, proxies, MANY, "k") == [200] * 8 + [429] * 4


def test_a_start_that_is_under_way_when_the_store_is_killed_is_decided(redis, fleet, client):
    server = redis()
    proxy, = fleet(1, f"redis://127.0.0.1:{server.port}", per_client=2)
    server.pause()
    waiting = client(proxy)
    waiting.ask("/orders", KEY.format("k"))
    server.kill()
    assert waiting.response().status == 200


@pytest.mark.parametrize("fault", ["stopped", "slow"])
def test_no_start_waits_once_the_store_is_known_to_be_slow(redis, slow_path, fleet, client, fault):
    server = redis()
    path = slow_path(server)
    proxy, = fleet(1, f"redis://127.0.0.1:{path.port}", per_client=100)
    disturb(server, path, fault)
    assert statuses(client, [proxy], 1, "k") == [200]
    shares_not(proxy)
    before = Metrics(proxy).total("weir_redis_commands_total")
    assert statuses(client, [proxy], 20, "k") == [200] * 20
    # Twenty starts, and only probes of the store meanwhile: not one start has asked it.
    assert Metrics(proxy).total("weir_redis_commands_total") - before < 20
    repair(server, path)
    shares(proxy)


def test_a_store_that_was_restarted_empty_gets_the_counts_again(redis, fleet, client):
    server = redis()
    proxies = fleet(2, f"redis://127.0.0.1:{server.port}", per_client=4)
    assert statuses(client, proxies, 4, "k") == [200] * 4
    server.kill()
    server.start()
    counted(server, 2, 2)
    assert statuses(client, proxies, 4, "k") == [429] * 4


def test_the_first_instance_at_an_empty_store_enforces_its_part(redis, fleet, client):
    server = redis()
    proxies = fleet(2, f"redis://127.0.0.1:{server.port}", per_client=4)
    assert statuses(client, proxies, 4, "k") == [200] * 4
    server.kill()
    for proxy in proxies:
        shares_not(proxy)
    proxies[1].process.send_signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        server.start()
        shares(proxies[0])
        found = statuses(client, proxies[:1], 2, "k")
        # A test that was kept from running for that long has seen the other instance count as lost.
        assert found == [429] * 2 or time.monotonic() - begin >= GRACE
    finally:
        proxies[1].process.send_signal(signal.SIGCONT)


def test_a_flushed_store_gets_scripts_and_counts_again(redis, fleet, client):
    server = redis()
    proxies = fleet(2, f"redis://127.0.0.1:{server.port}", per_client=4)
    assert statuses(client, proxies, 3, "k") == [200] * 3
    assert server.command("SCRIPT", "FLUSH") == "OK"
    assert statuses(client, proxies, 1, "k") == [200]
    assert statuses(client, proxies, 2, "k") == [429] * 2
    assert Metrics(proxies[0]).total("weir_redis_failures_total") == 0


def test_a_store_that_rejects_writes_counts_as_lost(redis, fleet, client):
    server = redis()
    proxies = fleet(2, f"redis://127.0.0.1:{server.port}", per_client=4)
    server.command("REPLICAOF", "127.0.0.1", "1")  # READONLY from now on
    for proxy in proxies:
        shares_not(proxy)
    assert statuses(client, proxies, 6, "k") == [200] * 4 + [429] * 2
    server.command("REPLICAOF", "NO", "ONE")
    for proxy in proxies:
        shares(proxy, 2)
    counted(server, 2, 2)
    assert statuses(client, proxies, 2, "k") == [429] * 2


@pytest.mark.timeout(400)
def test_sentinels_name_the_server_that_takes_over(redis, sentinel, fleet, client):
    first = redis()
    second = redis("--replicaof", "127.0.0.1", str(first.port))
    watch = sentinel(first)

    def is_replica():
        return "role:slave" in second.command("INFO", "replication") and \
            "master_link_status:up" in second.command("INFO", "replication") and \
            "num-slaves" in watch.command("SENTINEL", "MASTER", "main") and \
            watch.command("SENTINEL", "REPLICAS", "main")
    eventually(is_replica, "a replica that the Sentinel knows", within=60)
    proxies = fleet(2, f"redis://127.0.0.1:{watch.port}", master="main", per_client=4)
    assert statuses(client, proxies, 3, "k") == [200] * 3
    first.kill()
    eventually(lambda: watch.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1] == str(second.port),
               "the fail-over", within=90)
    for proxy in proxies:
        shares(proxy, 2)
    # The new server may not have got the last counts from the old one.
    counted(second, 1, 2)
    assert statuses(client, proxies, 3, "k").count(200) == 1
