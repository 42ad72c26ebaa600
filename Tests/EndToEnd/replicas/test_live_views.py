"""The live page and `weir top` show the replicas that share limits, and when they do not share them."""
import re

import pytest
from playwright.sync_api import expect

from harness.replicas import shares
from harness.terminal import Terminal

REASON = "limits are not shared with the other replicas"


@pytest.fixture
def top():
    """Opens a terminal with `weir top` in it: top(proxy)."""
    opened = []

    def start(proxy):
        opened.append(Terminal("top", "--admin", proxy.admin.removeprefix("http://"), "--interval", "500ms"))
        return opened[-1]
    yield start
    for terminal in opened:
        terminal.close()


def test_the_page_shows_the_replicas_and_the_state_of_the_store(redis, fleet, view):
    server = redis()
    proxies = fleet(2, f"redis://127.0.0.1:{server.port}", per_client=4)
    page = view(proxies[0])
    replicas, state, reasons = page.locator("#replicas"), page.locator("#state"), page.locator("#reasons")
    expect(replicas).to_have_text(re.compile("^2, this is "))
    expect(replicas).not_to_have_class(re.compile("is-warm"))
    expect(state).to_have_text("Ready")
    expect(reasons).to_be_hidden()
    server.kill()
    expect(replicas).to_have_text(re.compile(r"^limits are not shared, (1 failure|\d+ failures)$"))
    expect(replicas).to_have_class(re.compile("is-warm"))
    expect(state).to_have_text("Degraded")
    expect(reasons).to_have_text(REASON)
    server.start()
    for proxy in proxies:
        shares(proxy, 2)
    expect(replicas).to_have_text(re.compile("^2, this is "))
    expect(replicas).not_to_have_class(re.compile("is-warm"))
    expect(state).to_have_text("Ready")
    expect(reasons).to_be_hidden()


def test_top_shows_the_replicas_and_the_state_of_the_store(redis, fleet, top):
    server = redis()
    proxies = fleet(2, f"redis://127.0.0.1:{server.port}", per_client=4)
    screen = top(proxies[0])
    assert screen.shows("replicas 2   this is ")
    server.kill()
    assert screen.shows("limits are not shared   this is ").startswith("replicas 2: ")
    server.start()
    for proxy in proxies:
        shares(proxy, 2)
    assert screen.shows("replicas 2   this is ")
