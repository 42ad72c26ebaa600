"""The health of the streams, as a balancer or a person asks for it."""
import json
import re
import urllib.error
import urllib.request

from harness.addresses import endless
from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD
from harness.waiting import eventually
from harness.weir import route

PATH = "/v1/health/streaming"


def health(url, path=PATH):
    """Status, fields and body."""
    try:
        answer = urllib.request.urlopen(url + path, timeout=60)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        return answer.status, answer.headers, json.loads(answer.read())


def test_it_has_the_members_and_forms_of_the_contract(weir, origin, client):
    def ten(peer):
        while peer.read_head():
            peer.send(STREAM_HEAD)
            peer.send_records(count=10)
            peer.send(LAST_CHUNK)
    proxy = weir(route(origin(ten).url), workers=2)
    client(proxy).get("/").read()
    for url in (proxy.url, proxy.admin):
        status, fields, body = health(url)
        assert (status, fields["Content-Type"], fields["Cache-Control"]) == (200, "application/json", "no-store")
        assert list(body) == ["status", "activeStreams", "averageThroughput", "bufferUtilization", "errorRate", "checks"]
        assert (body["status"], body["checks"]) == ("healthy", [])
        assert re.fullmatch(r"\d+(\.\d)?/second", body["averageThroughput"])
        assert (body["bufferUtilization"], body["errorRate"]) == ("0%", "0.0%")
    assert health(proxy.admin)[2]["averageThroughput"] != "0/second"


def test_full_buffers_degrade_it(weir, origin, client):
    proxy = weir(route(origin(endless()).url, rate="{ default: 1/hour }", buffer="{ default: 10 }"), workers=2)
    reading = client(proxy)
    next(reading.get("/").records())
    body = eventually(lambda: (report := health(proxy.url)[2])["status"] == "degraded" and report, "degraded")
    assert body["activeStreams"] == 1
    assert int(body["bufferUtilization"].rstrip("%")) > 80
    assert body["checks"] == ["the buffers are more than 80% full"]
    reading.close()
    eventually(lambda: health(proxy.url)[2]["status"] == "healthy", "healthy again")


def test_one_open_breaker_degrades_it_and_all_of_them_end_it(weir, client):
    breaker = "{ failures: 1, window: 60s, cooldown: 1h }"
    proxy = weir(route("http://127.0.0.1:1", match="/a", upstream_breaker=breaker),
                 route("http://127.0.0.1:1", match="/b", upstream_breaker=breaker))
    assert client(proxy).get("/a").status == 502
    status, _, body = health(proxy.admin)
    assert (status, body["status"], body["errorRate"]) == (200, "degraded", "100.0%")
    assert body["checks"] == ["the breaker of the upstream of /a is open"]
    assert client(proxy).get("/b").status == 502
    status, fields, body = health(proxy.admin)
    assert (status, body["status"], len(body["checks"])) == (503, "unhealthy", 2)
    assert 3000 < int(fields["Retry-After"]) <= 4321


def test_it_is_unhealthy_while_draining(weir, origin, client):
    proxy = weir(route(origin(endless()).url, rate="{ default: 1/hour }"), shutdown_grace="20s")
    reading = client(proxy)
    next(reading.get("/").records())
    proxy.terminate()
    eventually(lambda: proxy.health() == 503, "draining")
    status, fields, body = health(proxy.admin)
    assert (status, body["status"], fields["Retry-After"]) == (503, "unhealthy", "1")
    assert "the proxy is draining" in body["checks"]
    reading.close()


def test_it_can_be_moved_and_switched_off(weir, fastapi_app, client):
    moved = weir(route(fastapi_app.url, match="/v1"), paths="{ health: /well }")
    assert health(moved.url, "/well")[0] == health(moved.admin, "/well")[0] == 200
    problem(client(moved).get("/well/more"), 404, "not-found")
    asking = client(moved)
    head = asking.get("/well", method="HEAD")
    assert (head.status, head.read()) == (200, b"")
    problem(client(moved).get("/well", method="DELETE"), 405, "invalid-request")
    off = weir(route(fastapi_app.url, match="/a"), paths="{ health: off }")
    assert client(off).get(PATH).status == 404
    assert moved.logged(path="/well", status=200)["reason"] == "completed"
