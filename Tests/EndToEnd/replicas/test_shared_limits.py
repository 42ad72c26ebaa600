"""Several instances enforce a client's limits together."""
import json
import socket
import urllib.request

import pytest

from harness.addresses import state
from harness.metrics import Metrics
from harness.replicas import KEY, shares
from harness.scripted_origin import answers
from harness.waiting import eventually
from harness.weir import command


def opened(client, proxy, key="k"):
    """Starts a stream; its response, whose head is read."""
    return client(proxy).get("/orders", KEY.format(key))


def open_until_refused(client, proxies, limit, key="k"):
    """Starts streams at the instances in turn, more than the limit; the responses that are streams."""
    responses = [opened(client, proxies[number % len(proxies)], key) for number in range(limit + len(proxies))]
    refused = [response for response in responses if response.status != 200]
    assert all(response.status == 429 for response in refused)
    assert len(responses) - len(refused) == limit
    return [response for response in responses if response.status == 200]


def test_open_streams_of_a_client_are_counted_over_all(redis, fleet, client):
    proxies = fleet(3, f"redis://127.0.0.1:{redis().port}", per_client=7)
    streams = open_until_refused(client, proxies, 7)
    assert opened(client, proxies[0], "another").status == 200
    refusal = opened(client, proxies[1])
    assert refusal.json()["detail"] == "The limit of 7 open streams of one client is reached"
    # Each that ends makes room for one, wherever it was open.
    for response in streams:
        response.client.close()

        def starts():
            following = opened(client, proxies[2])
            if following.status == 200:
                return following
            following.client.close()
            return None
        eventually(starts, "a free slot")
    assert opened(client, proxies[1]).status == 429


def test_open_streams_of_a_route_are_counted_over_all(redis, fleet, client):
    proxies = fleet(2, f"redis://127.0.0.1:{redis().port}", per_route=4)
    responses = [opened(client, proxies[number % 2], f"client{number}") for number in range(6)]
    assert [response.status for response in responses] == [200, 200, 200, 200, 429, 429]
    assert "of this route" in responses[-1].json()["detail"]


def test_starts_are_counted_over_all(redis, fleet, client):
    proxies = fleet(3, f"redis://127.0.0.1:{redis().port}", starts="1/hour", starts_burst=5)
    responses = [opened(client, proxies[number % 3]) for number in range(9)]
    assert [response.status for response in responses] == [200] * 5 + [429] * 4
    waits = [int(response.head["Retry-After"]) for response in responses[5:]]
    # The sixth is due an hour after the first, less what has passed since.
    assert all(3000 < wait <= 3600 for wait in waits)
    assert 'r=0' in responses[4].head["RateLimit"]


def test_the_quota_in_the_response_is_that_over_all(redis, fleet, client):
    proxies = fleet(2, f"redis://127.0.0.1:{redis().port}", starts="1/hour", starts_burst=3)
    assert "r=2" in opened(client, proxies[0]).head["RateLimit"]
    assert "r=1" in opened(client, proxies[1]).head["RateLimit"]


def test_a_client_that_leaves_while_the_store_is_asked_holds_nothing(redis, fleet, client):
    server = redis()
    proxy, = fleet(1, f"redis://127.0.0.1:{server.port}", per_client=1)
    server.pause()
    gone = client(proxy)
    gone.ask("/orders", KEY.format("k"))
    gone.close()
    server.resume()

    def starts():
        following = opened(client, proxy)
        if following.status == 200:
            return True
        following.client.close()
        return False
    eventually(starts, "a start after one that was given up", within=60)


def test_a_response_that_is_no_stream_takes_no_start(redis, fleet, client):
    plain = answers(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
    proxy, = fleet(1, f"redis://127.0.0.1:{redis().port}", script=plain, starts="1/hour", per_client=1)
    for _ in range(15):  # the burst is 10
        response = opened(client, proxy)
        assert (response.status, response.read()) == (200, b"ok")


def test_a_start_takes_over_the_slot_of_a_stream_without_a_client(redis, fleet, client):
    proxies = fleet(2, f"redis://127.0.0.1:{redis().port}", keys={"resume_window": "1h"}, per_client=1)
    for count in (1, 2):
        response = opened(client, proxies[0])
        assert response.status == 200
        response.client.close()
        eventually(lambda: Metrics(proxies[0]).total("weir_client_disconnects_total", cause="resumable") == count,
                   "a stream without a client")
    # The slot that was taken over is one, at both instances.
    assert opened(client, proxies[1]).status == 429
    assert opened(client, proxies[0]).status == 200
    assert opened(client, proxies[0]).status == 429


def test_a_refused_start_does_not_end_the_stream_whose_slot_it_would_take_over(redis, fleet, client):
    proxy, = fleet(1, f"redis://127.0.0.1:{redis().port}", keys={"resume_window": "1h"}, per_client=1, starts="1/hour",
                   starts_burst=1)
    response = opened(client, proxy)
    stream = response.head["X-Stream-Id"]
    response.client.close()
    eventually(lambda: Metrics(proxy).total("weir_client_disconnects_total", cause="resumable") == 1,
               "a stream without a client")
    for _ in range(2):  # by Redis, and then by what is known of it
        assert opened(client, proxy).status == 429
        assert state(client(proxy), stream)["state"] != "ended"
    assert opened(client, proxy, "another").status == 200


def test_a_promised_response_is_admitted_over_all(redis, fleet, client):
    proxies = fleet(2, f"redis://127.0.0.1:{redis().port}", per_client=1)
    first = opened(client, proxies[0])
    assert first.status == 200
    promised = client(proxies[1]).get("/orders", KEY.format("k"), "Prefer: respond-async")
    assert promised.status == 202
    where = promised.head["Location"]
    first.client.close()

    def is_fetched():
        response = client(proxies[1]).get(where, KEY.format("k"), "Accept: application/x-ndjson")
        return response.status == 200 and response.head["Content-Type"] == "application/x-ndjson"
    eventually(is_fetched, "the promised stream", within=60)


def test_a_dry_run_reports_and_admits(redis, fleet, client):
    proxies = fleet(2, f"redis://127.0.0.1:{redis().port}", per_client=1, dry_run="true")
    assert [opened(client, proxies[number]).status for number in (0, 1, 0)] == [200] * 3


def test_a_balancer_may_spread_a_client_over_the_instances(redis, fleet, client, balancer):
    proxies = fleet(3, f"redis://127.0.0.1:{redis().port}", per_client=5, starts="1/hour", starts_burst=8)
    entry = balancer(proxies)
    responses = [opened(client, entry) for _ in range(8)]
    assert [response.status for response in responses] == [200] * 5 + [429] * 3

    def refusals():
        lines = [line for proxy in proxies for line in proxy.lines()]
        return lines if len(lines) == 3 else None
    assert [line["problem"] for line in eventually(refusals, "the lines of three rejections")] == ["too-many-streams"] * 3


@pytest.mark.timeout(300)
def test_the_slots_of_a_killed_instance_are_free_again(redis, fleet, client):
    proxies = fleet(2, f"redis://127.0.0.1:{redis().port}", per_client=3)
    assert [opened(client, proxies[0]).status for _ in range(3)] == [200] * 3
    assert opened(client, proxies[1]).status == 429
    proxies[0].kill()

    def starts():
        following = opened(client, proxies[1])
        if following.status == 200:
            return True
        following.client.close()
        return False
    eventually(starts, "the slots of the killed instance", within=60)
    # All three are free at once, and no more.
    assert [opened(client, proxies[1]).status for _ in range(3)] == [200, 200, 429]
    shares(proxies[1], 1)


def test_operators_see_the_replicas(redis, fleet):
    proxies = fleet(2, f"redis://127.0.0.1:{redis().port}", per_client=3)
    with urllib.request.urlopen(proxies[0].admin + "/v1/health/streaming", timeout=30) as answer:
        assert json.load(answer)["checks"] == []
    with urllib.request.urlopen(proxies[0].admin + "/v1/admin/state", timeout=30) as answer:
        replicas = json.load(answer)["replicas"]
    assert replicas.pop("name").startswith(socket.gethostname())
    assert replicas.pop("failures") >= 0  # a busy machine has some
    assert replicas == {"count": 2, "shared": True}
    shown = command("top", "--once", "--admin", proxies[0].admin.partition("//")[2])
    assert "replicas 2   this is " in shown.stdout, shown
    assert proxies[0].says("limits are shared with the other replicas")
