"""The state of upstreams for operators, and what they can do: the snapshot, the page, the metrics, the admin API."""
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from playwright.sync_api import expect

from harness.addresses import endless
from harness.problems import problem
from harness.scripted_origin import answers
from harness.waiting import eventually
from harness.weir import route

TOKEN = "a-token-of-23-letters-!"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WITHIN = 60_000  # ms


def ask(proxy, path, method="GET", **body):
    request = urllib.request.Request(proxy.admin + path, method=method, data=json.dumps(body).encode() if body else None,
                                     headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        return refusal.code, None


def upstreams(proxy):
    return {one["upstream"]: one for one in ask(proxy, "/v1/admin/state")[1]["upstreams"]}


@pytest.fixture
def half(weir, origin, client, refused):
    """A weir with one upstream that answers and one whose breaker is open."""
    good = origin(answers(OK)).url
    breaker = "{ failures: 1, window: 60s, cooldown: 600s }"
    proxy = weir(route(good, match="/good"), route(refused, match="/bad", retry="off", upstream_breaker=breaker),
                 admin_token=f'"{TOKEN}"')
    assert client(proxy).get("/good").read() == b"ok"
    problem(client(proxy).get("/bad"), 502, "bad-upstream")
    return proxy, good, refused


def test_the_snapshot_shows_each_upstream(half):
    proxy, good, bad = half
    # The request's slot is released after its response.
    shown = eventually(lambda: (now := upstreams(proxy))[good]["openRequests"] == 0 and now, "no open request")
    assert (shown[good]["state"], shown[good]["requests"], shown[good]["failures"]) == ("up", 1, 0)
    assert shown[good]["firstByte"] >= 0 and "lastFailure" not in shown[good]
    assert (shown[bad]["state"], shown[bad]["failures"]) == ("ejected", 1)
    assert shown[bad]["lastFailure"]["cause"] == "connection_refused" and "firstByte" not in shown[bad]
    state = ask(proxy, "/v1/admin/state")[1]
    assert state["health"] == "degraded" and "the breaker of the upstream of /bad is open" in state["reasons"]


def test_the_metrics_have_each_upstream(half):
    proxy, good, bad = half
    request = urllib.request.Request(proxy.admin + "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read().decode()
    assert f'weir_upstream_state{{route="/good",upstream="{good}",state="up"}} 1' in text
    assert f'weir_upstream_state{{route="/bad",upstream="{bad}",state="ejected"}} 1' in text
    assert f'weir_upstream_failures_total{{route="/bad",upstream="{bad}"}} 1' in text
    assert f'weir_upstream_responses_total{{route="/good",upstream="{good}"}} 1' in text


def test_a_drained_upstream_gets_no_new_requests(weir, origin, client):
    one, other = origin(answers(OK)), origin(answers(OK))
    proxy = weir(route(f"[{one.url}, {other.url}]", balance="round_robin"), admin_token=f'"{TOKEN}"')
    assert ask(proxy, "/v1/admin/upstreams/drain", "POST", upstream=one.url)[0] == 204
    assert upstreams(proxy)[one.url]["state"] == "drained"
    for _ in range(4):
        assert client(proxy).get("/").read() == b"ok"
    assert (len(one.heads), len(other.heads)) == (0, 4)
    assert ask(proxy, "/v1/admin/upstreams/drain", "POST", upstream=other.url, route="/")[0] == 204
    assert int(problem(client(proxy).get("/"), 503, "unavailable")["retryAfter"]) >= 1
    assert ask(proxy, "/v1/admin/upstreams/undrain", "POST", upstream=one.url)[0] == 204
    assert client(proxy).get("/").read() == b"ok" and len(one.heads) == 1
    assert ask(proxy, "/v1/admin/upstreams/drain", "POST", upstream="http://unknown")[0] == 404
    assert ask(proxy, "/v1/admin/upstreams/drain", "POST", route="/")[0] == 400
    assert ask(proxy, "/v1/admin/upstreams/drain")[0] == 405


def test_without_a_token_no_upstream_can_be_drained(weir, origin):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url))
    assert ask(proxy, "/v1/admin/upstreams/drain", "POST", upstream=upstream.url)[0] == 403


def test_the_streams_of_a_client_are_found_and_ended(weir, origin, client):
    proxy = weir(route(origin(endless()).url, rate="{ default: 10/second }"), admin_token=f'"{TOKEN}"', workers=2,
                 forwarded_header="x-forwarded-for")
    mine = [client(proxy).get("/", "X-Forwarded-For: 192.0.2.7") for _ in range(3)]
    client(proxy).get("/", "X-Forwarded-For: 192.0.2.8")
    path = "/v1/admin/streams?" + urllib.parse.urlencode({"client": "192.0.2.7"})
    status, found = ask(proxy, path)
    assert (status, found["count"], len(found["streams"])) == (200, 3, 3)
    assert {stream["client"] for stream in found["streams"]} == {"192.0.2.7"}
    assert ask(proxy, "/v1/admin/streams?client=192.0.2.9")[1] == {"count": 0, "streams": []}
    assert ask(proxy, "/v1/admin/streams")[0] == 400
    assert ask(proxy, path, "DELETE")[1]["count"] == 3
    eventually(lambda: [line["reason"] for line in proxy.lines()] == ["cancelled"] * 3, "the ends of three streams")
    assert ask(proxy, path)[1]["count"] == 0 and len(mine) == 3
    assert ask(proxy, "/v1/admin/streams?client=192.0.2.8")[1]["count"] == 1


def test_the_last_minutes_are_kept_without_a_page(weir, origin, client):
    proxy = weir(route(origin(answers(OK)).url), admin_token=f'"{TOKEN}"')
    client(proxy).get("/").read()

    def ended():
        return [past for past in ask(proxy, "/v1/admin/history")[1] if past["routes"][0]["outcomes"] == {"completed": 1}]
    past = eventually(ended, "a sample of the past", within=60)[0]
    assert past["routes"][0]["route"] == "/" and past["time"] and "recordsPerSecond" in past["totals"]


# In a browser


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_page(proxy, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WITHIN)
        page.goto(proxy.admin + "/")
        page.locator("#token").fill(TOKEN)
        page.get_by_role("button", name="Use it").click()
        return page
    expect.set_options(timeout=WITHIN)
    yield open_page
    for context in contexts:
        context.close()


def test_the_page_shows_why_it_is_degraded_and_drains_an_upstream(half, open_page):
    proxy, good, bad = half
    page = open_page(proxy)
    expect(page.locator("#state")).to_have_text("Degraded")
    expect(page.locator("#reasons")).to_contain_text("the breaker of the upstream of /bad is open")
    row = page.locator("#upstreams tbody tr", has_text=bad)
    expect(row).to_contain_text("ejected")
    expect(row).to_contain_text("connection_refused")
    row = page.locator("#upstreams tbody tr", has_text=good)
    row.get_by_role("button", name="Drain").click()
    expect(row).to_contain_text("drained")
    row.get_by_role("button", name="Undrain").click()
    expect(row).to_contain_text("up")


def test_the_page_finds_and_ends_the_streams_of_a_client(weir, origin, client, open_page):
    proxy = weir(route(origin(endless()).url, rate="{ default: 10/second }"), admin_token=f'"{TOKEN}"',
                 forwarded_header="x-forwarded-for")
    for address in ["192.0.2.7", "192.0.2.7", "192.0.2.8"]:
        client(proxy).get("/", f"X-Forwarded-For: {address}")
    page = open_page(proxy)
    expect(page.locator("#slow tbody tr")).to_have_count(3)
    page.locator("#client").fill("192.0.2.7")
    page.get_by_role("button", name="Find streams").click()
    expect(page.locator("#slow tbody tr")).to_have_count(2)
    page.get_by_role("button", name="End all of them").click()
    page.locator("#confirm-client").get_by_role("button", name="End streams").click()
    expect(page.locator("#slow-empty")).to_have_text("This client has no open streams.")
    page.get_by_role("button", name="Show all clients").click()
    expect(page.locator("#slow tbody tr")).to_have_count(1)
