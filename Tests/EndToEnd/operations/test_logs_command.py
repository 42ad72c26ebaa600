"""`weir logs`: its sums are those of the clients, the origins and the log itself."""
import fcntl
import gzip
import html.parser
import json
import os
import signal
import struct
import subprocess
import termios

import pytest

from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.terminal import Terminal
from harness.waiting import eventually
from harness.weir import BINARY, command, route


def summed(*arguments, status=0, **options):
    """The output of `weir logs --json`."""
    done = command("logs", "--json", *map(str, arguments), **options)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def named(rows, name):
    return next(row for row in rows if row["name"] == name)


def line(number=1, **members):
    """An end as the log writes it."""
    return json.dumps({
        "time": f"2026-02-28T09:00:{number % 60:02}.000Z", "event": "end", "client": "192.0.2.1", "route": "/v1",
        "records": 10, "bytes": 100, "duration": 1.0, "buffer_peak": 1, "pauses": 0, "paused": 0.0,
        "reason": "completed", **members}) + "\n"


def ten_records(peer):
    """Ten records for each request; an endless stream for a request of one."""
    while b"GET /v1/endless" not in (head := peer.read_head()):
        del head
        peer.send(STREAM_HEAD)
        peer.send_records(count=10)
        peer.send(LAST_CHUNK)
    peer.send(STREAM_HEAD + chunk(record(1)))
    peer.wait_gone()


def test_it_agrees_with_the_clients_and_the_origin(weir, origin, client):
    upstream = origin(ten_records)
    proxy = weir(route(upstream.url, match="/v1/few", streams="{ starts: 1/hour, starts_burst: 2 }"),
                 route(upstream.url, match="/v1"))
    read, refused = 0, 0
    for path, times in [("/v1/orders", 5), ("/v1/few", 6)]:
        for _ in range(times):
            response = client(proxy).get(path)
            if response.status == 429:
                refused += 1
            else:
                read += len(list(response.records()))
    assert (read, refused) == (70, 4)
    assert client(proxy).get("/elsewhere").status == 404
    for _ in range(3):
        leaving = client(proxy)
        next(leaving.get("/v1/endless").records())
        leaving.close()
    eventually(lambda: len(proxy.lines()) == 15, "a line for each request")

    summary = summed(proxy.access_log)
    totals = summary["totals"]
    assert summary["lines"] == {"all": 15, "counted": 15, "filtered_out": 0, "passed_over": 0, "unknown": 0}
    assert totals["reasons"] == {"completed": 7, "client_gone": 3, "refused": 5}
    assert totals["refusals"] == {"rate-limit": 4, "not-found": 1}
    assert totals["statuses"] == {"200": 10, "404": 1, "429": 4}
    assert [(each["name"], each["requests"]) for each in summary["upstreams"]] == [(upstream.url, 10)]
    assert sum(each["requests"] for each in summary["hours"]) == 15 and len(summary["hours"]) == 24
    assert totals["records"] == read + 3
    assert totals["streams"] == len(upstream.heads) == 10
    assert totals["bytes"] == sum(each["bytes"] for each in proxy.lines())
    few = named(summary["routes"], "/v1/few")
    assert (few["requests"], few["records"], few["refusals"]) == (6, 20, {"rate-limit": 4})
    assert named(summary["routes"], "-")["refusals"] == {"not-found": 1}
    assert [each["name"] for each in summary["clients"]] == [proxy.lines()[0]["client"]]
    ran = sum(each["duration"] for each in proxy.lines() if "records" in each)
    assert totals["stream_seconds"] == pytest.approx(ran, abs=1e-4)
    assert totals["records_per_second"] == pytest.approx(totals["records"] / ran, rel=1e-4)
    longest = max(each["duration"] for each in proxy.lines() if each["reason"] != "refused")
    assert totals["p99"] == pytest.approx(longest, rel=0.01)

    only = summed(proxy.access_log, "--route", "/v1/few", "--reason", "refused")
    assert only["totals"]["requests"] == 4 and only["lines"]["filtered_out"] == 11
    assert summed(proxy.access_log, "--route", "-")["totals"]["requests"] == 1
    assert summed(proxy.access_log, "--client", "192.0.2.99")["totals"]["requests"] == 0
    assert summed(proxy.access_log, "--since", "1h")["totals"]["requests"] == 15
    assert summed(proxy.access_log, "--since", "2999-01-01T00:00:00Z")["totals"]["requests"] == 0


def test_starts_and_progress_are_passed_over(tmp_path):
    log = tmp_path / "access.log"
    log.write_text(line(event="start") + line(event="progress") + line() + "GET / HTTP/1.1\n" + line()[:-20])
    summary = summed(log)
    assert summary["lines"] == {"all": 5, "counted": 1, "filtered_out": 0, "passed_over": 2, "unknown": 2}
    assert summary["totals"]["requests"] == 1


def test_plain_and_gzip_give_the_same(tmp_path):
    text = "".join(line(n, client=f"192.0.2.{n % 7}", duration=n / 100) for n in range(5000)).encode()
    plain, packed, members = tmp_path / "plain", tmp_path / "packed.log", tmp_path / "members"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text))
    half = len(text) // 2  # within a line
    members.write_bytes(gzip.compress(text[:half]) + gzip.compress(text[half:]) + bytes(512))
    summary = summed(plain)
    assert summary["totals"]["records"] == 50_000
    assert summed(packed) == summed(members) == summary
    for source in (plain, packed):
        with open(source) as stdin:
            assert summed(stdin=stdin) == summary
    with open(packed) as stdin:
        both = summed(plain, "-", stdin=stdin)
    assert both["totals"]["records"] == 100_000 and both["lines"]["unknown"] == 0


def test_a_file_that_cannot_be_read_is_said_and_the_others_count(tmp_path):
    good, torn = tmp_path / "good", tmp_path / "torn.gz"
    good.write_text(line())
    torn.write_bytes(gzip.compress(os.urandom(100_000) + line().encode())[:50_000])
    done = command("logs", "--json", str(tmp_path / "missing"), str(torn), str(good), str(tmp_path))
    assert done.returncode == 1
    assert json.loads(done.stdout)["totals"]["requests"] == 1
    assert len(done.stderr.splitlines()) == 3
    assert "missing: No such file" in done.stderr and "torn.gz: the gzip data is incomplete" in done.stderr


def test_the_causes_of_failures_are_counted_and_select(weir, origin, client, refused):
    resets = origin(lambda peer: (peer.read_head(), peer.reset()))
    proxy = weir(route(refused, match="/refused", upstream_breaker="off"),
                 route(resets.url, match="/reset", upstream_breaker="off"), route(origin(ten_records).url))
    for path, times, status in [("/refused", 3, 502), ("/reset", 2, 502), ("/", 1, 200)]:
        for _ in range(times):
            response = client(proxy).get(path, method="POST" if status == 502 else "GET")
            assert (response.status, bool(response.read())) == (status, True)
    eventually(lambda: len(proxy.lines()) == 6, "a line for each request")
    summary = summed(proxy.access_log)
    assert summary["totals"]["causes"] == {"connection_refused": 3, "reset": 2}
    assert named(summary["routes"], "/reset")["causes"] == {"reset": 2}
    assert named(summary["upstreams"], refused)["causes"] == {"connection_refused": 3}
    only = summed(proxy.access_log, "--cause", "reset", "--cause", "timeout")
    assert (only["totals"]["requests"], only["lines"]["filtered_out"]) == (2, 4)
    table = command("logs", str(proxy.access_log)).stdout
    assert "route, upstream failed by  connection_refused  reset" in table


class Page(html.parser.HTMLParser):
    """A page: its elements, and the cells of its rows."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.rows, self.attributes, self.title = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += [name for name, _ in attributes]
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data):
        element = self.elements[-1] if self.elements else ""
        if element in ("th", "td") and data.strip():
            self.rows[-1][-1] += data
        if element == "title":
            self.title += data


HOSTILE = ["<script>alert(1)</script>", "</td></table><img src=x onerror=alert(1)>", "&lt;b&gt;", '"onclick="x', "\x1b[2J\n"]


def test_as_html_it_is_one_page_without_anything_from_elsewhere(tmp_path):
    log = tmp_path / "access.log"
    log.write_text("".join(line(n, client=name, route="/" + name, upstream="http://a", status=200)
                           for n, name in enumerate(HOSTILE)))
    done = command("logs", "--html", str(log))
    assert done.returncode == 0 and done.stdout.isascii()
    page = Page(done.stdout)
    assert set(page.elements) == {"html", "head", "meta", "title", "style", "body", "h1", "p", "div", "table", "tr", "th", "td"}
    assert set(page.attributes) <= {"lang", "charset", "http-equiv", "content", "name"}
    assert "default-src 'none'" in done.stdout and "url(" not in done.stdout and "@import" not in done.stdout
    clients = {row[0] for row in page.rows}
    assert {*HOSTILE[:4], r"\u{1b}[2J\u{a}"} <= clients
    assert ["/" + HOSTILE[0], "1", "1", "10", "100 B"] in [row[:5] for row in page.rows]
    assert "Access log, 2026-02-28T" in page.title


def test_a_browser_shows_the_page_and_runs_nothing_of_the_log(tmp_path, browser):
    log, page = tmp_path / "access.log", tmp_path / "report.html"
    log.write_text("".join(line(n, client=name) for n, name in enumerate(HOSTILE)))
    page.write_text(command("logs", "--html", str(log)).stdout)
    view = browser.new_page()
    messages, requests = [], []
    view.on("console", lambda message: messages.append(message.text))
    view.on("dialog", lambda dialog: (messages.append(dialog.message), dialog.dismiss()))
    view.on("request", lambda request: requests.append(request.url))
    try:
        view.goto(page.as_uri())
        cells = view.locator("th").all_inner_texts()
        assert set(HOSTILE[:4]) <= set(cells)
        assert messages == [] and requests == [page.as_uri()]
    finally:
        view.close()


@pytest.mark.parametrize("arguments", [["--json"], ["--follow"]])
def test_html_excludes_other_forms(arguments):
    assert command("logs", "--html", *arguments, stdin=subprocess.DEVNULL).returncode == 64


@pytest.mark.parametrize("arguments", [
    ["--top", "0"], ["--since", "tomorrow"], ["--reason", "weather"], ["--cause", "weather"]])
def test_an_option_that_makes_no_sense_is_refused(arguments):
    done = command("logs", *arguments, stdin=subprocess.DEVNULL)
    assert done.returncode == 64 and arguments[0] in done.stderr


def test_names_of_clients_and_routes_cannot_steer_the_terminal(tmp_path):
    log = tmp_path / "access.log"
    log.write_text(line(client="\x1b[2Jé\n", route="/\x07"))
    done = command("logs", str(log))
    assert done.stdout.isascii() and not set(done.stdout) & set("\x1b\x07")
    assert r"\u{1b}[2J\u{e9}\u{a}" in done.stdout


class Following:
    """A running `weir logs --follow --json`."""

    def __init__(self, folder, *arguments):
        self.output = folder / "report"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([BINARY, "logs", "--follow", "--json", *map(str, arguments)],
                                            stdin=subprocess.PIPE, stdout=output)

    def objects(self):
        whole, _, _ = self.output.read_text().rpartition("\n")
        return [json.loads(each) for each in whole.splitlines()]

    def requests(self):
        objects = self.objects()
        return objects[-1]["totals"]["requests"] if objects else None

    def counts(self, requests):
        eventually(lambda: self.requests() == requests, f"{requests} requests counted")


@pytest.fixture
def following(tmp_path):
    started = []

    def start(*arguments):
        started.append(Following(tmp_path, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
        each.process.stdin.close()


def test_following_continues_after_rotation_and_truncation(tmp_path, following):
    log, other = tmp_path / "access.log", tmp_path / "other.log"
    log.write_text(line(1) + line(2))
    follower = following(log, other)
    follower.counts(2)
    with open(log, "a") as writer:
        writer.write(line(3) + line(4)[:50])
        writer.flush()
        follower.counts(3)
        # Renamed as logrotate does; weir writes to the old one until SIGUSR1.
        log.rename(tmp_path / "access.log.1")
        writer.write(line(4)[50:])
        writer.flush()
        follower.counts(4)
        log.write_text(line(5))
        follower.counts(5)
    other.write_text(line(6))  # was not there at first
    follower.counts(6)
    with open(log, "a") as writer:
        writer.write(line(7) * 5)
        writer.flush()
        follower.counts(11)
        # As copytruncate does.
        writer.truncate(0)
        writer.write(line(8))
        writer.flush()
        follower.counts(12)
        writer.write(line(9).rstrip("\n"))  # without its newline, until the end
    follower.process.send_signal(signal.SIGINT)
    assert follower.process.wait(60) == 0
    last = follower.objects()[-1]
    assert last["totals"]["requests"] == 13
    assert last["lines"]["unknown"] == 0


def test_following_a_pipe_ends_with_it(tmp_path, following):
    follower = following("-")
    follower.process.stdin.write(line(1).encode())
    follower.process.stdin.flush()
    follower.counts(1)
    follower.process.stdin.write(line(2).encode()[:-1])
    follower.process.stdin.close()
    assert follower.process.wait(60) == 0
    assert follower.requests() == 2


def test_a_follower_of_a_silent_pipe_hears_its_signal(tmp_path, following):
    follower = following("-")
    eventually(lambda: "SigCgt" in status(follower) and caught(follower, signal.SIGTERM), "a handler of SIGTERM")
    follower.process.send_signal(signal.SIGTERM)
    assert follower.process.wait(60) == 0
    assert follower.requests() == 0


def status(follower):
    with open(f"/proc/{follower.process.pid}/status") as file:
        return file.read()


def caught(follower, number):
    """Whether the process has a handler for a signal."""
    mask = next(line.split()[1] for line in status(follower).splitlines() if line.startswith("SigCgt"))
    return int(mask, 16) >> (number - 1) & 1


@pytest.fixture
def terminal():
    """A terminal of 60 columns and 24 rows: what to give to a process, and what has been written to it so far."""
    own, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    os.set_blocking(own, False)
    seen = []

    def shown():
        try:
            seen.append(os.read(own, 1 << 20))
        except BlockingIOError:
            pass
        return b"".join(seen).decode()

    yield theirs, shown
    os.close(own)
    os.close(theirs)


def test_on_a_terminal_the_tables_fit_and_keep_their_position(tmp_path, terminal):
    theirs, shown = terminal
    log = tmp_path / "access.log"
    log.write_text("".join(line(n, client=f"192.0.2.{n}", route="/" + "r" * 90) for n in range(60)))
    process = subprocess.Popen([BINARY, "logs", "--follow", str(log)], stdout=theirs)
    try:
        eventually(lambda: "no log lines" in shown(), "the tables")
        with open(log, "a") as writer:
            writer.write(line(1))
        eventually(lambda: "61 requests" in shown(), "the tables anew")
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    screens = shown().split("\x1b[H\x1b[2J")[1:]
    assert len(screens) >= 2
    for screen in screens:
        assert all(len(each) <= 60 for each in screen.splitlines()) and len(screen.splitlines()) < 24
        assert screen.rstrip().splitlines()[-1].endswith("no log lines")


def test_on_a_terminal_reading_shows_how_far_it_is(tmp_path, terminal):
    theirs, shown = terminal
    fifo = tmp_path / "slow"
    os.mkfifo(fifo)
    process = subprocess.Popen([BINARY, "logs", "--json", str(fifo)], stdout=subprocess.PIPE, stderr=theirs)
    written = 0
    with open(fifo, "w") as writer:
        def progress():
            nonlocal written
            writer.write(line())
            writer.flush()
            written += 1
            return "B read" in shown()
        eventually(progress, "progress on standard error")
    summary, _ = process.communicate(timeout=60)
    assert json.loads(summary)["totals"]["requests"] == written
    assert shown().endswith("\r\x1b[K")  # taken away at the end


# With a keyboard


@pytest.fixture
def followed(tmp_path):
    """A terminal with `weir logs --follow` of a log, and the log."""
    log, opened = tmp_path / "access.log", []
    log.write_text("".join(line(n, client=f"192.0.2.{n}", route="/" + "r" * 90) for n in range(60)))

    def start(**options):
        opened.append(Terminal("logs", "--follow", str(log), **options))
        return opened[-1], log

    yield start
    for each in opened:
        each.close()


def test_following_on_a_terminal_ends_by_a_key_and_its_last_tables_remain(followed):
    screen, log = followed(columns=60)
    screen.shows("60 requests")
    assert screen.lines()[-1] == " q quit"
    with open(log, "a") as writer:
        writer.write(line(1))
    screen.shows("61 requests")
    screen.press("xq")
    assert screen.ended() == 0
    lines = [text for text in screen.lines() if text]
    assert lines[-1].endswith("no log lines") and any("61 requests" in text for text in lines)


@pytest.mark.parametrize("size", [(40, 12), (120, 40), (200, 60)])
def test_following_fits_whatever_the_size_becomes(followed, size):
    screen, _ = followed(columns=80)
    screen.shows("60 requests")
    columns, rows = size
    screen.resize(columns, rows)
    # Nothing is written to the log: it is the size that is drawn for.
    eventually(lambda: len(screen.lines()) == rows and screen.lines()[-1] == " q quit", f"{size}")
    assert screen.lines()[0] and all(len(text) <= columns for text in screen.lines())
    assert "".join(screen.lines()).count("60 requests") == 1
    screen.press("q")
    assert screen.ended() == 0


def test_ctrl_c_ends_following_as_q_does(followed):
    screen, _ = followed()
    screen.shows("60 requests")
    screen.press("\x03")
    assert screen.ended() == 0


def test_following_shows_an_empty_log_at_once(followed):
    screen, log = followed()
    log.write_text("")
    screen.shows(" q quit")
    screen.press("q")
    assert screen.ended() == 0
