"""`weir top`: the state of a running weir, in a terminal."""
import json
import signal
import subprocess
import termios

import pytest

from harness.addresses import endless
from harness.metrics import Metrics
from harness.terminal import Terminal, environment
from harness.waiting import eventually
from harness.weir import BINARY, command, route

TOKEN = "a-token-of-an-operator-0123456789"
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class TopTerminal(Terminal):
    """A terminal with `weir top` in it."""

    def __init__(self, *arguments, **options):
        super().__init__("top", *arguments, **options)

    def client(self, *values):
        """Waits until the row of the one client begins with these values, and returns all of them."""
        def found():
            return next((row for row in map(str.split, self.lines())
                         if row[:1] == ["127.0.0.1"] and row[1:1 + len(values)] == list(values)), None)
        return eventually(found, f"a client {values}, but {self.lines()}")

    def ended(self):
        status = super().ended()
        assert self.raw.count(ENTER) >= 1 and self.raw.rindex(LEAVE) > self.raw.rindex(ENTER)
        assert self.raw.rindex(b"\x1b[?25h") > self.raw.rindex(b"\x1b[?25l"), "the cursor is back"
        return status


@pytest.fixture
def top():
    opened = []

    def start(*arguments, **options):
        opened.append(TopTerminal(*arguments, **options))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture
def busy(weir, origin, client):
    """A weir with a stream whose client does not read, on the first of its two routes."""
    upstream = origin(endless(2000), send_buffer=16 << 10)
    proxy = weir(route(upstream.url, match="/orders", rate="{ default: 1000/second }", buffer="{ default: 50, max: 50 }",
                       stall_timeout="off"),
                 route(upstream.url, match="/other"), shutdown_grace="0s")
    reader = client(proxy, receive_buffer=4096)
    reader.ask("/orders")
    eventually(lambda: Metrics(proxy).total("weir_buffer_records", route="/orders") > 25, "a queue that is not read")
    return proxy


def address(proxy):
    return proxy.admin.removeprefix("http://")


def test_the_screen_shows_what_runs_and_goes_away(busy, top):
    screen = top("--admin", address(busy), "--interval", "250ms")
    assert address(busy) in screen.shows(" ready ")
    screen.shows("streams 1 ")
    assert screen.shows("/orders").split()[1] == "1"
    # Half of its queue it has not taken back: the upstream waits as long as it is.
    screen.client("slow")
    assert any(line.startswith("/other") for line in screen.lines())
    assert screen.lines()[-1].startswith(" q quit")
    # It is drawn again by itself: the clock advances.
    clock = screen.lines()[0]
    eventually(lambda: screen.lines()[0] != clock, "a later snapshot")
    screen.press("q")
    assert screen.ended() == 0


def test_keys_choose_what_is_shown(busy, top):
    screen = top("--admin", address(busy), "--interval", "250ms")
    screen.shows("slowest client")
    screen.press("\t")
    screen.shows("show: routes")
    assert not any(line.startswith("slowest client") for line in screen.lines())
    screen.press(">")
    screen.shows("order: streams")
    screen.press("p")
    screen.shows("paused")
    screen.press("p")
    eventually(lambda: "paused" not in screen.lines()[0], "continuing")
    screen.press("x\x1b[1;5D\x7f")  # nothing that it knows
    screen.press("\x03")  # Ctrl-C
    assert screen.ended() == 0


def test_it_fits_whatever_the_size_becomes(busy, top):
    screen = top("--admin", address(busy), "--interval", "60s", columns=120)
    screen.shows("last 5 min")
    for columns, rows in [(40, 8), (200, 50), (1, 1), (80, 24)]:
        screen.resize(columns, rows)
        # No further snapshot comes: it is the size that is drawn for.
        last = (" q quit   ? help   p pause   < > order: as configured   Tab show: all" + " " * columns)[:columns].rstrip()
        eventually(lambda: screen.lines()[-1] == last and (rows == 1 or "weir"[:columns] in screen.lines()[0]),
                   f"{columns}x{rows}")
    screen.press("q")
    assert screen.ended() == 0


def test_the_help_lists_the_keys(busy, top):
    screen = top("--admin", address(busy), rows=30)
    screen.shows("slowest client")
    screen.press("?")
    screen.shows("ends weir top")
    screen.press("x")
    screen.shows("slowest client")
    screen.press("q")
    assert screen.ended() == 0


def test_a_long_table_is_scrolled_by_its_selection(weir, top):
    proxy = weir(*[route("http://127.0.0.1:1", match=f"/r{number:02}") for number in range(40)])
    screen = top("--admin", address(proxy), "--interval", "250ms")
    screen.shows("/r00")
    assert not any(line.startswith("/r39") for line in screen.lines())
    screen.press("\t\x1b[B\x1b[F")  # one table, its first row, its last row
    screen.shows("/r39")
    screen.shows("of 40)")
    assert not any(line.startswith("/r00") for line in screen.lines())
    screen.press("\x1b[H")
    screen.shows("/r00")
    screen.press("q")
    assert screen.ended() == 0


def test_a_stream_is_shown_and_ended_after_a_question(weir, origin, client, top):
    upstream = origin(endless(2000), send_buffer=16 << 10)
    proxy = weir(route(upstream.url, match="/orders", rate="{ default: 1000/second }", stall_timeout="off"),
                 admin_token=f'"{TOKEN}"', shutdown_grace="0s")
    client(proxy, receive_buffer=4096).ask("/orders/7?secret=1")
    screen = top("--admin", address(proxy), "--interval", "250ms", rows=40, WEIR_ADMIN_TOKEN=TOKEN)
    screen.client("slow")
    screen.press("\x1b[B\n")
    screen.shows("stream of 127.0.0.1")
    assert screen.shows("path ").split() == ["path", "/orders/7"]
    assert screen.shows("upstream ").split() == ["upstream", upstream.url]
    open_for = screen.shows("open for")
    eventually(lambda: screen.shows("open for") != open_for, "a later state")
    screen.press("e")
    screen.shows("End this stream")
    screen.press("n")
    eventually(lambda: not any("End this stream" in line for line in screen.lines()), "the question withdrawn")
    screen.press("ey")
    screen.shows("it was ended; its last state:")
    assert proxy.logged(reason="cancelled")["path"] == "/orders/7"
    screen.press("\x1b")
    screen.shows("slowest client")
    screen.press("q")
    assert screen.ended() == 0


def test_without_a_token_a_stream_is_shown_and_cannot_be_ended(busy, top):
    screen = top("--admin", address(busy), "--interval", "250ms", rows=40)
    screen.client("slow")
    screen.press("\x1b[B\n")
    screen.shows("stream of 127.0.0.1")
    screen.shows("admin_token needed to end it")
    screen.press("ey")
    screen.press("\x1b")
    screen.client("slow")
    screen.press("q")
    assert screen.ended() == 0
    assert busy.lines() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_the_terminal_is_as_it_was(busy, top, number):
    screen = top("--admin", address(busy))
    screen.shows("slowest client")
    screen.process.send_signal(number)
    assert screen.ended() == 0


def test_ctrl_z_hands_the_terminal_back(busy, top):
    screen = top("--admin", address(busy))
    screen.shows("slowest client")
    screen.press("\x1a")

    def stopped():
        with open(f"/proc/{screen.process.pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"
    eventually(stopped, "a stop")
    eventually(lambda: screen.read().endswith(LEAVE), "the terminal handed back")
    raw = screen.raw
    assert termios.tcgetattr(screen.theirs) == screen.before
    screen.process.send_signal(signal.SIGCONT)
    eventually(lambda: ENTER in screen.read()[len(raw):], "the screen again")
    screen.press("q")
    assert screen.ended() == 0


@pytest.mark.parametrize("arguments, variables, has_colour", [
    ((), {}, True), (("--no-color",), {}, False), ((), {"NO_COLOR": "1"}, False)])
def test_colours_only_where_they_are_wanted(busy, top, arguments, variables, has_colour):
    screen = top("--admin", address(busy), *arguments, **variables)
    screen.client("slow")
    screen.press("q")
    screen.ended()
    coloured = {cell.fg for row in screen.screen.buffer.values() for cell in row.values()} - {"default"}
    assert bool(coloured) == has_colour


def test_without_unicode_it_draws_in_ascii(busy, top):
    screen = top("--admin", address(busy), LANG="C")
    screen.shows("slowest client")
    screen.press("q")
    screen.ended()
    assert screen.raw.isascii()


def test_it_waits_for_a_weir_that_is_not_there(weir, fastapi_app, top, tmp_path):
    path = tmp_path / "admin.sock"
    screen = top("--admin", f"unix:{path}", "--interval", "250ms", columns=250)
    assert "next attempt in" in screen.shows(f"no answer from unix:{path}")
    proxy = weir(route(fastapi_app.url), admin=f"unix:{path}")
    screen.shows("streams 0 ")
    assert not any("no answer" in line for line in screen.lines())
    proxy.stop()
    # What was known last stays beneath.
    screen.shows("no answer")
    assert any(line.startswith("streams 0 ") for line in screen.lines())
    screen.press("q")
    assert screen.ended() == 0


# Without a terminal


def once(proxy, *arguments, **variables):
    return command("top", "--admin", address(proxy), "--interval", "250ms", *arguments, env=environment(**variables))


def test_without_a_terminal_it_prints_once(busy):
    done = once(busy)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("weir ") and lines[1].startswith("streams 1 ")
    assert "\x1b" not in done.stdout and "q quit" not in done.stdout
    assert next(line for line in lines if line.startswith("/orders")).split()[1] == "1"


def test_as_json_a_line_is_a_snapshot(busy):
    done = once(busy, "--json", "--once")
    (line,) = done.stdout.splitlines()
    assert done.returncode == 0 and json.loads(line)["totals"]["activeStreams"] == 1
    process = subprocess.Popen([BINARY, "top", "--admin", address(busy), "--interval", "250ms", "--json"],
                               stdout=subprocess.PIPE, text=True)
    try:
        times = [json.loads(process.stdout.readline())["time"] for _ in range(3)]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert times == sorted(set(times)), "each later than the one before"


def test_the_token_comes_from_a_file_or_the_environment(weir, fastapi_app, tmp_path):
    proxy = weir(route(fastapi_app.url), admin_token=f'"{TOKEN}"')
    refused = once(proxy)
    assert refused.returncode == 1 and "admin_token" in refused.stderr and "--token-file" in refused.stderr
    file = tmp_path / "token"
    file.write_text(TOKEN + "\nwhatever else\n")
    assert once(proxy, "--token-file", str(file)).returncode == 0
    assert once(proxy, WEIR_ADMIN_TOKEN=TOKEN).returncode == 0
    # A wrong one is neither taken nor shown.
    wrong = once(proxy, WEIR_ADMIN_TOKEN="x" * 32)
    assert wrong.returncode == 1 and "x" * 32 not in wrong.stdout + wrong.stderr
    for text in ["", "\n", "with a space\n", "with\ttab\n", "Zoë\n"]:
        file.write_bytes(text.encode())
        done = once(proxy, "--token-file", str(file))
        assert done.returncode == 1 and "the first line is not a valid token" in done.stderr
    missing = once(proxy, "--token-file", str(tmp_path / "none"))
    assert missing.returncode == 1 and "none" in missing.stderr


def test_an_address_without_weir_is_reported(origin):
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>"
    stranger = origin(lambda peer: (peer.read_head(), peer.send(page)))
    done = command("top", "--admin", stranger.url, env=environment())
    assert done.returncode == 1 and done.stderr.startswith("weir top: ") and stranger.url in done.stderr


@pytest.mark.parametrize("arguments", [
    ("--interval", "10ms"), ("--interval", "soon"), ("--admin", ""), ("--admin", "unix:"), ("now",)])
def test_an_option_that_makes_no_sense_is_refused(arguments):
    assert command("top", *arguments, env=environment()).returncode == 64
