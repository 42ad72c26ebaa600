"""The records of a client count over all instances, at shares of its rate that the instances lease."""
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.addresses import NDJSON, numbered
from harness.metrics import Metrics
from harness.redis import disturb, repair
from harness.replicas import KEY, shares, shares_not
from harness.scripted_origin import answers

RATE = 150  # records per second


def opened(client, proxies, key="k"):
    """The records of one stream at each instance."""
    responses = [client(proxy).get("/orders", KEY.format(key), NDJSON) for proxy in proxies]
    assert [response.status for response in responses] == [200] * len(proxies)
    return [response.records() for response in responses]


def read(streams, count):
    """Reads that many records of each stream; those of the others arrive meanwhile."""
    for records in streams:
        for _ in range(count):
            next(records)


def limited(fleet, address, count=3, rate=RATE, **options):
    return fleet(count, address, client_records=f"{{ rate: {rate}/second, scope: replicas }}", **options)


def test_the_records_of_all_instances_add_up_to_the_rate(redis, fleet, client):
    proxies = limited(fleet, f"redis://127.0.0.1:{redis().port}")
    began = time.monotonic()
    read(opened(client, proxies), 150)
    # An instance keeps what a second of its share brings. Each with the whole rate would need no time at all.
    assert time.monotonic() - began >= 450 / RATE - 1.1


def test_clients_do_not_share_their_rates(redis, fleet, client):
    proxies = limited(fleet, f"redis://127.0.0.1:{redis().port}", count=2)
    one, other = opened(client, proxies, "one"), opened(client, proxies, "other")
    read(one + other, 50)


def test_the_response_describes_the_rate_over_all(redis, fleet, client):
    proxies = limited(fleet, f"redis://127.0.0.1:{redis().port}", count=2)
    for proxy in proxies:
        response = client(proxy).get("/orders", KEY.format("k"), NDJSON)
        assert f'"client-records";q={RATE};w=1' in response.head["RateLimit-Policy"]


def test_the_whole_rate_moves_with_the_client(redis, fleet, client):
    proxies = limited(fleet, f"redis://127.0.0.1:{redis().port}", count=2)
    for turn in range(4):
        connection = client(proxies[turn % 2])
        response = connection.get("/orders", KEY.format("k"), NDJSON)
        read([response.records()], 100)
        connection.close()


def credited(proxies):
    """Records that Redis has granted for times in which no instance had leased the whole rate."""
    return sum(Metrics(proxy).total("weir_redis_credit_records_total") for proxy in proxies)


def test_streams_that_move_through_a_balancer_get_what_was_not_leased_and_no_more(redis, fleet, client, balancer):
    streams, turns, length = 4, 15, 15
    proxies = limited(fleet, f"redis://127.0.0.1:{redis().port}", script=answers(numbered(length)))
    entry = balancer(proxies)

    def follow(_):
        """A stream that ends and begins again, mostly at another instance; the records that it gets."""
        count = 0
        for _ in range(turns):
            connection = client(entry)
            count += len(list(connection.get("/orders", KEY.format("k"), NDJSON).records()))
            connection.close()
        return count

    began = time.monotonic()
    with ThreadPoolExecutor(streams) as threads:
        received = sum(threads.map(follow, range(streams)))
    took = time.monotonic() - began
    assert received == streams * turns * length
    # A second's records may be sent at once, and each instance may keep one.
    assert received <= RATE * (took + 1.1) + len(proxies)
    # More than at the client's first stream: what an instance returns is not lost until another one leases it.
    assert credited(proxies) > RATE


def test_a_client_begins_with_the_records_of_a_second(redis, fleet, client):
    proxies = limited(fleet, f"redis://127.0.0.1:{redis().port}", count=2)
    read(opened(client, proxies[:1]), RATE)
    assert credited(proxies) >= RATE


def test_no_record_is_counted_in_redis(redis, fleet, client):
    server = redis()
    proxy, = limited(fleet, f"redis://127.0.0.1:{server.port}", count=1, rate=1_000_000)
    read(opened(client, [proxy]), 20_000)
    # A share is renewed every 400 ms, whatever it is used for.
    assert Metrics(proxy).total("weir_redis_commands_total") < 2000


@pytest.mark.parametrize("fault", ["killed", "stopped", "slow", "empty"])
def test_streams_continue_whatever_redis_does(redis, slow_path, fleet, client, fault):
    server = redis()
    path = slow_path(server)
    proxies = limited(fleet, f"redis://127.0.0.1:{path.port}")
    began = time.monotonic()
    streams = opened(client, proxies)
    read(streams, 20)
    if fault == "empty":
        assert server.command("FLUSHALL") == "OK"
    else:
        disturb(server, path, fault)
        for proxy in proxies:
            shares_not(proxy)
    read(streams, 130)
    # Each instance applies its part: they are still below the rate together.
    assert time.monotonic() - began >= 450 / RATE - 1.1
    repair(server, path)
    for proxy in proxies:
        shares(proxy, 3)
    read(streams, 50)
    assert time.monotonic() - began >= 600 / RATE - 1.1


def test_a_reload_changes_the_rate_and_the_scope(redis, fleet, client):
    address = f"redis://127.0.0.1:{redis().port}"
    proxy, = limited(fleet, address, count=1, rate=20)
    stream, = opened(client, [proxy])
    read([stream], 5)
    text = proxy.config.read_text()
    for scope in ("replicas", "local", "replicas"):
        report = proxy.reload(text=text.replace("rate: 20/second, scope: replicas", f"rate: 5000/second, scope: {scope}")
                              .replace("client_records:", "per_client: 9, scope: replicas, client_records:"))
        assert report.startswith("reloaded"), report
        read([stream], 300)  # 15 s at the rate before
