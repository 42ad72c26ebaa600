"""The live view in a browser: what the page shows while streams run. Chromium, without a window."""
import re
import threading

import pytest
from playwright.sync_api import expect

from harness.addresses import endless
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD
from harness.waiting import eventually
from harness.weir import route

BREAKER = "{ trips: 1, window: 60s, cooldown: 120s, probes: 1, probe_records: 20 }"


@pytest.fixture
def stalled(weir, origin, client):
    """A weir with a client that does not read, and one that was kept away for that."""
    upstream = origin(endless(2000), send_buffer=16 << 10)
    proxy = weir(route(upstream.url, match="/slow", rate="{ default: 1000/second }", buffer="{ default: 50, max: 50 }",
                       stall_timeout="off"),
                 route(upstream.url, match="/strict", rate="{ default: 1000/second }", stall_timeout="300ms",
                       breaker=BREAKER), shutdown_grace="0s")
    client(proxy, receive_buffer=4096).ask("/slow/one?secret")
    client(proxy, receive_buffer=4096).ask("/strict/one")
    proxy.logged(reason="slow_consumer")
    return proxy


def test_the_page_shows_the_streams(weir, origin, client, view):
    gate = threading.Event()
    proxy = weir(route(origin(endless(gate=gate)).url, match="/held"), route(origin(endless()).url, match="/quick",
                 rate="{ default: 50/second }"), shutdown_grace="0s")
    for path in ["/held/1", "/held/2", "/quick/1"]:
        client(proxy).ask(path)
    page = view(proxy)
    expect(page.locator("#state")).to_have_text("Ready")
    expect(page.locator("#streams")).to_have_text("3")
    expect(page.locator("#replicas-fact")).to_be_hidden()
    expect(page.locator("#version")).to_have_text(re.compile(r"\d"))
    expect(page.locator("#uptime")).to_have_text(re.compile(r"\d s"))
    held, quick = page.locator(".route", has_text="/held"), page.locator(".route", has_text="/quick")
    expect(held).to_contain_text("2 streams")
    expect(quick).to_contain_text("1 stream ·")
    # At the pace that was granted, after the first snapshots.
    eventually(lambda: abs(float(quick.locator(".pace span").inner_text()) - 50) < 5, "fifty records a second")
    assert "at most" in quick.locator("svg").get_attribute("aria-label")
    assert quick.locator(".trace").get_attribute("d").startswith("M")
    expect(page.locator("#breakers-empty")).to_have_text("all closed")
    expect(page.locator("#lost")).to_be_hidden()
    gate.set()


def test_a_slow_client_is_in_the_table_and_a_breaker_counts_down(stalled, view):
    page = view(stalled)
    row = page.locator("#slow tbody tr", has_text="/slow")
    expect(row).to_contain_text("127.0.0.1")
    expect(row.locator(".chip")).to_have_text("slow")
    expect(row.locator(".queue")).to_have_text(re.compile(r"\d+ of 50"))
    breaker = page.locator("#breakers tbody tr")
    expect(breaker).to_contain_text("client · /strict")
    expect(breaker.locator(".chip")).to_have_text("open")

    def left():
        return int(re.fullmatch(r"(\d+) s", breaker.locator("td").nth(2).inner_text().strip()).group(1))
    first = left()
    assert 0 < first <= 144
    eventually(lambda: left() < first, "a countdown")
    # Without a token no action is possible from here, and there is no button for one.
    expect(page.get_by_role("button", name="Reset")).to_have_count(0)


def test_shared_requests_are_in_a_table_while_they_run(weir, origin, client, view):
    gate = threading.Event()
    proxy = weir(route(origin(endless(gate=gate)).url, match="/", shared="{ linger: 0s }"), shutdown_grace="0s")
    readers = [client(proxy) for _ in range(2)]
    for reader in readers:
        assert reader.get("/prices?secret").status == 200
    page = view(proxy)
    row = page.locator("#pulls tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator("code")).to_have_text("/prices")
    expect(row.locator("td").nth(2)).to_have_text("2")
    expect(row.locator(".chip")).to_have_text("flowing")
    assert "secret" not in page.content()
    for reader in readers:
        reader.close()
    expect(page.locator("#pulls-panel")).to_be_hidden()
    gate.set()


def test_refusals_are_drawn_and_named(stalled, client, view):
    page = view(stalled)
    expect(page.locator("#refused")).to_have_text("0")
    for _ in range(3):
        assert client(stalled).get("/strict/again").status == 429
    expect(page.locator("#refused")).to_have_text("3")
    expect(page.locator("#refused-note")).to_have_text("slow-consumer 3")
    card = page.locator(".route", has_text="/strict")
    expect(card).to_contain_text("Refused: slow-consumer 3")
    expect(card.locator(".spill")).to_have_attribute("d", re.compile("^M"))


def test_the_page_of_a_stream_shows_why_its_upstream_is_paused(stalled, view):
    page = view(stalled)
    page.locator("#slow tbody tr", has_text="/slow").get_by_role("link").click()
    expect(page.get_by_role("heading", name="127.0.0.1")).to_be_visible()
    expect(page.locator("#one-state")).to_have_text("slow")
    expect(page.locator("#one-facts")).to_contain_text("/slow/one")
    expect(page.locator("#one-facts")).not_to_contain_text("secret")
    expect(page.locator("#lane-client")).to_have_attribute("aria-label", re.compile(r"Client: [1-9]"))
    assert page.locator("#lane-client path").get_attribute("d")
    assert not page.locator("#lane-feedback path").get_attribute("d")
    first = page.locator("#pauses tbody tr").first
    expect(first).to_contain_text("Client")
    expect(first).to_contain_text("so far")
    page.get_by_role("link", name="All streams").click()
    expect(page.locator("#overview")).to_be_visible()


def test_a_stream_that_has_ended_is_shown_as_ended(weir, origin, client, view):
    gate = threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(count=3)
        gate.wait()
        peer.send(LAST_CHUNK)
    proxy = weir(route(origin(script).url))
    response = client(proxy).get("/orders")
    page = view(proxy)
    page.locator("#slow tbody").get_by_role("link").click()
    expect(page.locator("#one-state")).to_have_text("flowing")
    gate.set()
    response.read()
    expect(page.locator("#one-state")).to_have_text("ended")
    # The browser itself notes each answer that is no success.
    assert all("404" in text for text in page.wrong)
    page.wrong.clear()


def test_a_lost_connection_is_shown(weir, origin, view):
    proxy = weir(route(origin(endless()).url))
    page = view(proxy)
    expect(page.locator("#state")).to_have_text("Ready")
    proxy.stop()
    expect(page.locator("#lost")).to_contain_text("Connection to weir lost")
    expect(page.locator("#lost")).to_contain_text("The page shows the state at")
    expect(page.locator("#state")).to_have_text("Connection lost")
    assert all("ERR_" in text for text in page.wrong)
    page.wrong.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_has_to_be_moved_sideways(stalled, view, scheme):
    page = view(stalled, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    row = page.locator("#slow tbody tr", has_text="127.0.0.1").first
    expect(row).to_be_visible()
    expect(page.locator("#breakers tbody tr")).to_be_visible()

    def widest():
        return page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert widest() <= 360
    row.get_by_role("link").click()
    expect(page.locator("#one-facts")).to_contain_text("127.0.0.1")
    assert widest() <= 360


def test_what_a_client_sends_is_shown_as_text(weir, origin, client, view):
    proxy = weir(route(origin(endless()).url, rate="{ default: 10/second }"), shutdown_grace="0s")
    client(proxy).ask("/<img/src=x/onerror=document.title='mark'>")
    page = view(proxy)
    page.locator("#slow tbody").get_by_role("link").click()
    expect(page.locator("#one-facts")).to_contain_text("<img/src=x")
    assert page.locator("#one-facts img").count() == 0 and page.title() != "mark"


def test_the_policy_blocks_any_other_script(weir, origin, view):
    page = view(weir(route(origin(endless()).url)))
    expect(page.locator("#state")).to_have_text("Ready")
    ran = page.evaluate("""async () => {
        const script = document.createElement("script");
        try { script.textContent = "window.hasRun = true"; } catch { return "refused"; }
        document.body.append(script);
        return window.hasRun ? "run" : "blocked";
    }""")
    assert ran == "refused"
    # The browser's error is what the test expects.
    page.wrong.clear()


def test_the_page_may_be_asked_for_by_its_head_alone(weir, origin, client):
    import urllib.request
    proxy = weir(route(origin(endless()).url))
    with urllib.request.urlopen(urllib.request.Request(proxy.admin + "/", method="HEAD"), timeout=60) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8" and int(answer.headers["Content-Length"]) > 0
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert answer.headers["Cache-Control"] == "no-store" and answer.read() == b""


# With a token

TOKEN = "a-token-of-23-letters-!"


def unlock(page, token=TOKEN):
    page.get_by_role("textbox", name="Token").fill(token)
    page.get_by_role("button", name="Use it").click()


def test_the_page_asks_for_the_token_and_forgets_it(weir, origin, view):
    page = view(weir(route(origin(endless()).url), admin_token=f'"{TOKEN}"'))
    expect(page.locator("#state")).to_have_text("Token needed")
    unlock(page, "not the token at all")
    expect(page.locator("#token-why")).to_contain_text("not the admin_token")
    unlock(page)
    expect(page.locator("#state")).to_have_text("Ready")
    page.reload()
    expect(page.locator("#state")).to_have_text("Ready")
    page.get_by_role("button", name="Forget token").click()
    expect(page.locator("#state")).to_have_text("Token needed")
    # The browser itself notes each answer that is no success.
    assert all("401" in text for text in page.wrong)
    page.wrong.clear()


def test_a_stream_is_ended_by_a_button(weir, origin, client, view):
    proxy = weir(route(origin(endless()).url, rate="{ default: 10/second }"), admin_token=f'"{TOKEN}"')
    response = client(proxy).get("/orders")
    page = view(proxy)
    unlock(page)
    page.locator("#slow tbody").get_by_role("link").click()
    page.get_by_role("button", name="End stream").click()
    page.get_by_role("button", name="Cancel").click()
    # Its queue fills, or is full.
    expect(page.locator("#one-state")).to_have_text(re.compile("flowing|paused"))
    page.get_by_role("button", name="End stream").first.click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#message")).to_have_text("The stream is ended.")
    expect(page.locator("#one-state")).to_have_text("ended")
    response.read()
    assert not response.complete and proxy.logged(path="/orders")["reason"] == "cancelled"
    assert all("401" in text or "404" in text for text in page.wrong)
    page.wrong.clear()


def test_a_breaker_is_reset_by_a_button(weir, origin, client, view):
    upstream = origin(endless(2000), send_buffer=16 << 10)
    proxy = weir(route(upstream.url, match="/strict", rate="{ default: 1000/second }", stall_timeout="300ms",
                       breaker=BREAKER), admin_token=f'"{TOKEN}"', shutdown_grace="0s")
    client(proxy, receive_buffer=4096).ask("/strict/one")
    proxy.logged(reason="slow_consumer")
    page = view(proxy)
    unlock(page)
    page.get_by_role("button", name="Reset the breaker of client 127.0.0.1").click()
    expect(page.locator("#message")).to_have_text("The breaker is closed.")
    expect(page.locator("#breakers-empty")).to_have_text("all closed")
    assert client(proxy).get("/strict/two").status == 200
    assert all("401" in text for text in page.wrong)
    page.wrong.clear()
