"""What the measurements share: the programs they start, what those use of the machine, and tables.

Every process is started with a parent-death signal, so that nothing runs on when a driver is killed.
"""
import argparse
import json
import os
import platform
import re
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
BUILT = REPOSITORY / ".build/benchmarks"
TICK = os.sysconf("SC_CLK_TCK")


def arguments(description, flags=(), **numbers):
    """The command line: flags with their help, numbers by name with their defaults, and what every measurement takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for name, default in numbers.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default, help=" ")
    for name, text in flags:
        parser.add_argument("--" + name, action="store_true", help=text)
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    parser.add_argument("--weir", type=Path, default=REPOSITORY / ".build/release/weir", help="the binary to measure")
    parsed = parser.parse_args()
    if not os.access(parsed.weir, os.X_OK):
        parser.error(f"{parsed.weir} is not there: swift build -c release --product weir")
    # An end from outside unwinds the `with` blocks, like any other end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return parsed


def compiled(name, *libraries):
    """The program made of Benchmarks/<name>.c, linked with these libraries."""
    BUILT.mkdir(parents=True, exist_ok=True)
    program, folder = BUILT / name, Path(__file__).parent
    sources = [folder / f"{name}.c", folder / "common.h"]
    if not program.exists() or program.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        linked = [f"-l{library}" for library in libraries]
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, sources[0], *linked], check=True)
    return program


def cores():
    """The core for weir and the one for all that measures it; None, None where there is only one."""
    mine = sorted(os.sched_getaffinity(0))
    return (mine[0], mine[1]) if len(mine) > 1 else (None, None)


class Process:
    """A running program; leaving its `with` block ends it."""

    slowdown = 1  # how much longer than usual it may take to start and to end

    def __init__(self, *command, core=None, **streams):
        pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *pinned, *map(str, command)],
            **{"stdin": subprocess.DEVNULL, **streams})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10 * self.slowdown)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    @property
    def pid(self):
        return self.process.pid

    def awaited(self, stream, pattern, within=20):
        """The first match of a pattern in what it writes."""
        text, end = "", time.monotonic() + within
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while not (match := re.search(pattern, text)):
                part = os.read(stream.fileno(), 4096) if selector.select(end - time.monotonic()) else b""
                if not part:
                    sys.exit(f"{self.process.args} did not say {pattern!r}, but:\n{text}")
                text += part.decode(errors="replace")
        return match

    def cpu_seconds(self):
        """User and system time of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self):
        """Resident and proportional set size in KiB."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return [int(re.search(rf"^{name}: +(\d+) kB", text, re.MULTILINE)[1]) for name in ("Rss", "Pss")]


class Origin(Process):
    """origin.c; `url` is where it listens."""

    def __init__(self, core=None, **options):
        named = [word for name, value in options.items() for word in ("--" + name.replace("_", "-"), value)]
        super().__init__(compiled("origin"), *named, core=core, stdout=subprocess.PIPE)
        port = self.awaited(self.process.stdout, r"listening on (\d+)")[1]
        self.url = f"http://127.0.0.1:{port}"

    def stats(self):
        with urllib.request.urlopen(self.url + "/stats", timeout=10) as answer:
            return json.load(answer)


class Weir(Process):
    """weir with one worker before an origin, with limits that no driver reaches; `url` is its address.

    `routes` are more routes, each a dictionary with its `match`, before the one for all other paths. With
    `has_admin`, `admin` is the address of its admin listener. `under` is a command that runs it, such as valgrind. `top` has further
    lines of the configuration.
    """

    def __init__(self, binary, origin, core=None, has_log=False, has_admin=False, routes=(), under=(), top="", **route):
        self.slowdown = 30 if under else 1
        self.folder = tempfile.TemporaryDirectory(dir=BUILT)
        self.configuration, self.log, self.messages = (
            Path(self.folder.name, name) for name in ("proxy.conf", "log", "messages"))
        keys = {"upstream": origin.url, "stall_timeout": "off", "upstream_streams": "off",
                "timeouts": "{ idle: off, pause: off }"}
        written = ["\n    ".join(f"{key}: {value}" for key, value in {**keys, **each}.items())
                   for each in (*routes, {"match": "/", **route})]
        self.configuration.write_text(
            f"listen: 127.0.0.1:0\nadmin: {'127.0.0.1:0' if has_admin else 'off'}\nworkers: 1\n"
            f"access_log: {{ path: {self.log if has_log else 'off'} }}\n"
            "shutdown_grace: 0s\n"
            "limits: { max_connections: 100000, connections_per_address: off, max_streams: 100000 }\n" + top +
            "routes:\n" + "".join(f"  - {each}\n" for each in written))
        # weir would lose lines once a pipe that is not read is full.
        with self.messages.open("wb") as standard_error:
            super().__init__(*under, binary, "run", "-c", self.configuration, core=core, stderr=standard_error)
        self.url = self.said("listening on")
        self.admin = self.said("admin on") if has_admin else None

    def said(self, what):
        """The address behind these words, once it has been said."""
        end = time.monotonic() + 20 * self.slowdown
        while not (match := re.search(rf"{what} (http://127\.0\.0\.1:\d+)", self.messages.read_text())):
            if time.monotonic() > end or self.process.poll() is not None:
                sys.exit(f"weir did not start:\n{self.messages.read_text()}")
            time.sleep(0.02)
        return match[1]

    def ends(self):
        """The access log's lines, as objects."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def breakers(self, kind="client"):
        """The number of log lines about breakers, by the state that they have entered."""
        lines = [line for line in self.messages.read_text().splitlines() if re.search(rf'kind="?{kind}', line)]
        return {state: sum(bool(re.search(rf'state="?{state}', line)) for line in lines) for state in ("open", "closed")}

    def __exit__(self, *error):
        super().__exit__(*error)
        self.folder.cleanup()


def busy_seconds():
    """The time that all cores together have worked."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / TICK


def machine(weir):
    """One line on what was measured, and where."""
    version = subprocess.run([weir, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    git = ["git", "-C", REPOSITORY, "describe", "--always", "--dirty"]
    commit = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    return (f"{version}, commit {commit or 'unknown'}, Linux {platform.release()}, "
            f"{len(os.sched_getaffinity(0))} cores, weir on one of them")


def print_table(rows, markdown):
    """Rows of equal length, the first one the heading: the first column to the left, the others to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    for at, row in enumerate(rows):
        cells = [cell.rjust(width) if column else cell.ljust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        if markdown:
            print("| " + " | ".join(cells) + " |")
        elif at != 1:
            print("   ".join(cells).rstrip())
