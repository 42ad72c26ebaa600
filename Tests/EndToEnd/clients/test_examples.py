"""The programs in `examples/`: each is rejected at first, loses its connection, and gets every record once; and each notices a
truncated stream."""
import re
import subprocess
import sys
import threading

import pytest
from playwright.sync_api import expect

from harness.relay import Relay
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.waiting import eventually
from harness.weir import REPOSITORY, route

EXAMPLES = REPOSITORY / "examples"
WITHIN = 120  # s for a program to start, compile and end on a busy machine
COMMANDS = {
    "python": [sys.executable, "python/stream.py"],
    "javascript": ["node", "javascript/stream.mjs"],
    "java": ["java", "-XX:TieredStopAtLevel=1", "java/Stream.java"],
    "go": ["go", "run", "go/stream.go"],
    "shell": ["shell/stream.sh"],
}
pytestmark = pytest.mark.timeout(5 * WITHIN)
ROUTE = {"rate": "{ default: 100/second }", "buffer": "{ default: 100 }", "streams": "{ per_client: 1 }", "resume_window": "60s",
         "stall_timeout": "60s"}


class Example:
    """A running example, whose lines of output are read as they come."""

    def __init__(self, language, url, folder):
        self.records, self.errors = [], open(folder / "errors", "w+")
        self.process = subprocess.Popen([*COMMANDS[language], url], cwd=EXAMPLES, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.records.append(line.rstrip("\n"))

    def ended(self):
        """Waits for its end: the exit status, all records, and what it wrote to standard error."""
        status = self.process.wait(WITHIN)
        self.reader.join(WITHIN)
        self.errors.seek(0)
        return status, self.records, self.errors.read()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.errors.close()


@pytest.fixture
def relay():
    running = []

    def start(proxy):
        running.append(Relay(proxy.port))
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def example(tmp_path):
    running = []

    def start(language, url):
        running.append(Example(language, url, tmp_path))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def lines(first, last):
    return [record(number, 100).decode().rstrip("\n") for number in range(first, last + 1)]


@pytest.mark.parametrize("language", COMMANDS)
def test_an_example_waits_gives_feedback_and_resumes_without_a_gap(weir, origin, client, relay, example, language):
    more = threading.Event()

    def script(peer):
        while b"GET /orders" in peer.read_head():
            peer.send(STREAM_HEAD)
            peer.send_records(100, count=30)
            more.wait(WITHIN)
            peer.send_records(100, first=31, count=10)
            peer.send(LAST_CHUNK)

    proxy = weir(route(origin(script).url, match="/orders", **ROUTE))
    between = relay(proxy)
    # The client's only slot on the route is taken until it has been rejected once.
    first = client(proxy)
    assert first.get("/orders").status == 200
    running = example(language, f"{between.url}/orders")
    try:
        proxy.logged(status=429, within=WITHIN)
        between.lose(after=1050)
        first.close()
        eventually(lambda: between.lost and between.sent(b"x-stream-resume"), f"{language} has resumed", within=WITHIN)
    finally:
        more.set()
    status, records, errors = running.ended()
    assert (status, records) == (0, lines(1, 40)), errors
    assert "429" in errors and "after" in errors and "40 records" in errors
    line = proxy.logged(resumptions=1, reason="completed")
    assert (line["records"], line["feedbacks"]) == (40, 1)


@pytest.mark.parametrize("language", COMMANDS)
def test_an_example_notices_a_truncated_stream(weir, origin, example, language):
    received = threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(100, count=5)
        received.wait(WITHIN)
        peer.send(b"64\r\n{")
        peer.close()

    proxy = weir(route(origin(script).url, match="/orders", **ROUTE))
    running = example(language, f"{proxy.url}/orders")
    eventually(lambda: len(running.records) == 5, f"5 records at {language}", within=WITHIN)
    received.set()
    status, records, errors = running.ended()
    assert status == 1 and records == lines(1, 5), errors
    assert "truncated after 5 records" in errors, errors
    proxy.logged(reason="upstream_failed")


def test_the_page_with_events_resumes_and_notices_the_end(weir, origin, client, browser):
    page_text = (EXAMPLES / "javascript/events.html").read_bytes()
    answered = threading.Event()

    def script(peer):
        while head := peer.read_head():
            if b"GET /events" not in head:
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page_text) + page_text)
                continue
            last = re.search(rb"Last-Event-ID: (\d+)|after=(\d+)", head, re.IGNORECASE)
            begin = int(last[1] or last[2]) + 1 if last else 1
            peer.send(STREAM_HEAD.replace(b"application/x-ndjson", b"text/event-stream"))
            for number in range(begin, 4 if begin == 1 else 7):
                peer.send(chunk(b"id: %d\ndata: event %d\n\n" % (number, number)))
            if begin == 1:
                peer.close()  # a truncated response: the browser comes back
            peer.send(chunk(b"event: end\ndata:\n\n"))
            answered.wait(WITHIN)
            peer.send(LAST_CHUNK)

    upstream = origin(script)
    proxy = weir(route(upstream.url, match="/events", streams="{ per_client: 1 }"), route(upstream.url))
    holder = client(proxy)
    page = browser.new_page()
    try:
        holder.get("/events?after=5")
        page.goto(proxy.url)
        proxy.logged(status=429, within=WITHIN)
        holder.close()
        expect(page.locator("#status")).to_have_text("complete", timeout=WITHIN * 1000)
        assert page.locator("li").all_text_contents() == [f"event {number}" for number in range(1, 7)]
    finally:
        answered.set()
        page.close()
    assert sum(b"GET /events" in head for head in upstream.heads) >= 3


def test_each_example_is_shorter_than_sixty_lines():
    files = [file for file in EXAMPLES.rglob("*") if file.is_file() and file.suffix != ".md"]
    assert len(files) == 6
    for file in files:
        assert len(file.read_text().splitlines()) < 60, file
