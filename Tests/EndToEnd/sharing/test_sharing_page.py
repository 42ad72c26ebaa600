"""A browser's page that opens late: the newest record of each key, then live ones. Chromium, without a window."""
import json
import urllib.request

from playwright.sync_api import expect

from harness.event_stream import SSE_HEAD
from harness.feed import Feed
from harness.scripted_origin import answers
from harness.weir import route

WITHIN = 60_000  # ms for anything that the page is waited for
PAGE = b"""<!doctype html><title>Prices</title><p id="prices"></p>
<script>
const source = new EventSource("/prices");
source.onmessage = message => {
  const price = JSON.parse(message.data);
  document.getElementById("prices").append(price.symbol + price.number + " ");
};
</script>
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(PAGE), PAGE)
SYMBOLS = "?ABACCCAB"  # of the events 1 to 8


def price(number):
    data = json.dumps({"symbol": SYMBOLS[number], "number": number})
    return b"id: %d\ndata: %b\n\n" % (number, data.encode())


def numbers(response, count):
    """The numbers of the next events."""
    read = []
    while len(read) < count:
        line = response.readline()
        assert line, "the stream has ended"
        if line.startswith(b"data:"):
            read.append(json.loads(line.removeprefix(b"data:"))["number"])
    return read


def test_a_page_that_opens_late_gets_the_newest_of_each_key_then_live_events(weir, origin, browser):
    feed = Feed(head=SSE_HEAD, make=price)
    upstream = origin(feed)
    # Two records are retained: A and B are kept for their keys alone.
    proxy = weir(
        route(upstream.url, match="/prices", key="/symbol", shared="{ join: keys, retain: { records: 2 } }"),
        route(origin(answers(ANSWER)).url, match="/"))
    # With the same Host as the browser: another would be another request.
    early = urllib.request.urlopen(proxy.url + "/prices", timeout=WITHIN / 1000)
    feed.records(1, 6)
    assert numbers(early, 6) == [1, 2, 3, 4, 5, 6]
    page = browser.new_page()
    page.goto(proxy.url + "/")
    prices = page.locator("#prices")
    expect(prices).to_have_text("B2 A3 C6", timeout=WITHIN)
    feed.records(7, 8)
    expect(prices).to_have_text("B2 A3 C6 A7 B8", timeout=WITHIN)
    page.close()
    early.close()
    assert len(upstream.heads) == 1
