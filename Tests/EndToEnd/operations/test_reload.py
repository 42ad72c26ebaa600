"""SIGHUP: another configuration, whole or not at all, under streams that stay open."""
import json
import signal
import urllib.request
from itertools import islice

import pytest

from harness.addresses import endless
from harness.metrics import Metrics
from harness.problems import problem
from harness.streams import HeldRecords, StreamAddress
from harness.waiting import eventually
from harness.weir import route

SLOW = "{ default: 5/second, max: 5/second }"
FAST = "{ default: 1000/second, max: 1000/second }"


def configuration(proxy):
    with urllib.request.urlopen(proxy.admin + "/v1/admin/state", timeout=60) as answer:
        return json.load(answer)["configuration"]


@pytest.fixture
def stream(origin, client):
    """Opens an endless stream, and returns its records and its address."""
    def run(proxy, path="/orders", *fields):
        response = client(proxy).get(path, *fields)
        assert response.status == 200
        records = response.records()
        next(records)
        return records, StreamAddress(proxy, response)
    return run


@pytest.fixture
def orders(origin):
    return origin(endless(20)).url


def test_new_requests_are_served_by_the_new_configuration(weir, origin, client, fastapi_app):
    proxy = weir(route(fastapi_app.url, match="/v1"))
    assert client(proxy).get("/elsewhere").status == 404
    assert proxy.reload(route(fastapi_app.url, match="/v1/orders", rate=SLOW)) == "reloaded generation=2"
    assert client(proxy).get("/v1/orders/stream?items=1").head["X-Stream-Rate"] == "5/second"
    assert client(proxy).get("/v1/slow?seconds=0").status == 404


@pytest.mark.parametrize("workers", [1, 2])
def test_open_streams_get_the_new_limits_and_keep_their_connections(weir, orders, stream, workers):
    proxy = weir(route(orders, rate=FAST), workers=workers)
    records, address = stream(proxy)
    assert address.state()["rate"] == "1000/second"
    proxy.reload(route(orders, rate=SLOW, buffer="{ default: 7, max: 7 }"))
    eventually(lambda: address.state()["rate"] == "5/second", "the new rate")
    assert address.state()["bufferSize"] == 7
    assert len(list(islice(records, 10))) == 10
    assert address.id not in [line["id"] for line in proxy.lines()]
    # And back: what was granted counts again.
    proxy.reload(route(orders, rate=FAST))
    eventually(lambda: address.state()["rate"] == "1000/second", "the granted rate")
    assert len(list(islice(records, 500))) == 500


def test_a_new_stall_timeout_counts_for_clients_that_are_slow_already(weir, origin, client):
    upstream = origin(endless(2000), send_buffer=16 << 10)
    keys = {"rate": FAST, "upstream_breaker": "off"}
    proxy = weir(route(upstream.url, stall_timeout="off", **keys))
    client(proxy, receive_buffer=4096).ask("/orders")
    eventually(lambda: Metrics(proxy).total("weir_buffer_records") > 50, "a queue that fills")
    proxy.reload(route(upstream.url, stall_timeout="300ms", **keys))
    proxy.logged(reason="slow_consumer")


def test_the_counts_of_a_route_continue(weir, orders, stream, client):
    proxy = weir(route(orders, rate=FAST, streams="{ per_client: 2 }"))
    stream(proxy)
    proxy.reload(route(orders, rate=FAST, streams="{ per_client: 1 }"))
    problem(client(proxy).get("/orders"), 429, "too-many-streams")
    proxy.reload(route(orders, rate=FAST, streams="{ per_client: 2 }"))
    stream(proxy)
    problem(client(proxy).get("/orders"), 429, "too-many-streams")


def test_a_stream_of_a_route_that_is_gone_runs_on(weir, orders, stream, client):
    proxy = weir(route(orders, match="/orders", rate=FAST), route(orders, match="/other"))
    records, address = stream(proxy)
    proxy.reload(route(orders, match="/other"))
    assert client(proxy).get("/orders").status == 404
    assert len(list(islice(records, 200))) == 200
    # It is counted under its own route until it has ended, which is removed then.
    assert Metrics(proxy).total("weir_active_streams", route="/orders") == 1
    address.cancel()
    address.logged("cancelled")
    proxy.reload(route(orders, match="/other"))
    routes = {labels["route"] for name, labels, _ in Metrics(proxy).samples if name == "weir_active_streams"}
    assert routes == {"/other"}


def test_streams_of_an_older_configuration_are_reported_with_their_age(weir, orders, stream):
    proxy = weir(route(orders, rate=FAST), workers=2)
    _, first = stream(proxy)
    assert (configuration(proxy)["generation"], configuration(proxy)["olderStreams"]) == (1, 0)
    proxy.reload(route(orders, rate=SLOW))
    stream(proxy)
    # Snapshots are shared: one may be a quarter of a second old.
    current = eventually(lambda: [now for now in [configuration(proxy)] if now["olderStreams"]], "an older stream")[0]
    assert (current["generation"], current["olderStreams"], current["lastReload"]) == (2, 1, "taken")
    assert current["oldest"] > 0
    metrics = Metrics(proxy)
    assert metrics.total("weir_config_generation") == 2
    assert metrics.total("weir_older_config_streams") == 1
    assert metrics.total("weir_older_config_oldest_seconds") > 0
    first.cancel()
    eventually(lambda: configuration(proxy)["olderStreams"] == 0, "no older stream")


@pytest.mark.parametrize("change, word", [
    ({"text": "routes: []"}, "proxy.conf:1:"),
    ({"text": "routes:\n  - mtch: /\n"}, "proxy.conf:2:"),
    ({"listen": "127.0.0.1:1"}, "proxy.conf:1:9: only a restart can change `listen`"),
    ({"workers": "2", "admin": "off"}, "proxy.conf:2:8: only a restart can change `admin`"),
])
def test_a_configuration_that_cannot_be_served_changes_nothing(weir, orders, stream, client, change, word):
    proxy = weir(route(orders, rate=FAST))
    records, address = stream(proxy)
    report = proxy.reload(route(orders, match="/elsewhere"), **change)
    assert report.startswith("not reloaded") and word in report
    assert address.state()["rate"] == "1000/second"
    assert len(list(islice(records, 100))) == 100
    stream(proxy)
    eventually(lambda: configuration(proxy)["lastReload"] == "refused", "the refusal reported")
    assert configuration(proxy)["generation"] == 1
    assert Metrics(proxy).total("weir_config_last_reload_successful") == 0
    proxy.reload(route(orders, rate=FAST))
    assert Metrics(proxy).total("weir_config_last_reload_successful") == 1


def test_every_error_of_a_refused_file_is_reported(weir, orders):
    proxy = weir(route(orders))
    proxy.reload(text="workers: many\nlisten: nowhere\n")
    eventually(lambda: len(proxy.reloads()) >= 2, "both errors reported")
    assert all("proxy.conf:" in line for line in proxy.reloads())


def test_limits_of_the_process_change_too(weir, orders, stream, client):
    proxy = weir(route(orders, rate=FAST), limits="{ max_streams: 1 }")
    stream(proxy)
    problem(client(proxy).get("/orders"), 503, "unavailable")
    proxy.reload(route(orders, rate=FAST), limits="{ max_streams: 2 }")
    stream(proxy)


def test_a_breaker_that_is_switched_off_and_on_is_closed(weir, origin, client):
    upstream = origin(lambda peer: peer.read_head())  # and hangs up
    keys = {"rate": FAST, "upstream_breaker": "{ failures: 1, window: 60s, cooldown: 60s }"}
    proxy = weir(route(upstream.url, **keys))
    assert client(proxy).get("/orders").status == 502
    assert client(proxy).get("/orders").status == 503
    proxy.reload(route(upstream.url, **{**keys, "upstream_breaker": "off"}))
    assert client(proxy).get("/orders").status == 502
    proxy.reload(route(upstream.url, **keys))
    assert client(proxy).get("/orders").status == 502
    assert client(proxy).get("/orders").status == 503


def test_a_signal_while_it_drains_is_refused(weir, origin, client):
    script = HeldRecords(2)
    upstream = origin(script)
    proxy = weir(route(upstream.url), shutdown_grace="1h")
    response = client(proxy).get("/")
    assert response.status == 200
    proxy.terminate()
    eventually(lambda: proxy.health() == 503, "draining")
    assert "weir is stopping" in proxy.reload(route(upstream.url))
    script.go.set()
    script.over.set()
    assert [each.number for each in response.records()] == [1, 2] and response.complete


def test_many_signals_lose_no_stream_and_no_record(weir, orders, stream):
    proxy = weir(route(orders, rate=FAST), workers=2)
    streams = [stream(proxy) for _ in range(8)]
    for _ in range(50):
        proxy.process.send_signal(signal.SIGHUP)
        for records, _ in streams:
            next(records)
    proxy.reload(route(orders, rate=FAST))
    for records, address in streams:
        numbers = [record.number for record in islice(records, 100)]
        assert numbers == list(range(numbers[0], numbers[0] + 100)) and numbers[0] == 52
        assert address.state() is not None
