"""One weir under test: its process, its metrics, and what it holds of the system."""
import asyncio
import collections
import os
import re
import signal
import subprocess
import time

from .configuration import configuration
from .descriptors import Descriptors
from .ledger import Failure, Ledger

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
FAULT = re.compile(r"(?:WARNING|ERROR): \w+Sanitizer|Fatal error|Precondition failed|runtime error:"
                   r"|already shut down")
FAULT_LENGTH = 20_000  # characters


class Weir:
    def __init__(self, name, folder, binary, upstreams, tls=None):
        self.name, self.tls = name, tls
        self.folder = folder / name
        self.folder.mkdir()
        self.log, self.errors = self.folder / "access.log", self.folder / "stderr"
        self.unix = None if tls else self.folder / "weir.sock"
        self.config, self.upstreams, self.generation = self.folder / "proxy.conf", upstreams, 0
        self.ledger, self.is_stopping = Ledger(self.log), False
        self._write()
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen([binary, "run", "-c", self.config], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=errors, cwd=self.folder)

    def _write(self):
        self.config.write_text(configuration(
            self.log, self.upstreams, self.unix and self.unix.name, self.tls, self.generation))

    async def started(self):
        """Waits until it listens."""
        self.port = int((await self._logged(r"listening on https?://127\.0\.0\.1:([0-9]+)"))[1])
        self.admin = int((await self._logged(r"admin on http://127\.0\.0\.1:([0-9]+)"))[1])
        return self

    async def _logged(self, pattern):
        return await until(lambda: re.search(pattern, self.said()) or self.check_alive(), f"{pattern} in the log", 60)

    def said(self):
        return self.errors.read_text(errors="replace")

    def check_alive(self):
        """Raises where it has ended by itself, or has reported a fault."""
        if not self.is_stopping and (status := self.process.poll()) is not None:
            raise Failure(f"{self.name} has ended with {status}")
        self.check_said()

    def check_said(self):
        if found := FAULT.search(self.said()):
            raise Failure(f"{self.name} reports {found[0]}")

    def fault(self):
        """What it has reported of a fault: its line, and what follows, as far as a stack of calls needs."""
        said = self.said()
        return said[found.start():][:FAULT_LENGTH] if (found := FAULT.search(said)) else ""

    def reload(self):
        self.generation += 1
        self._write()
        self.process.send_signal(signal.SIGHUP)

    async def drained(self, within):
        """Stops it as an operator does; it must end well."""
        self.is_stopping = True
        self.process.send_signal(signal.SIGTERM)
        await until(lambda: self.process.poll() is not None, f"the end of {self.name}", within)
        if self.process.returncode != 0:
            raise Failure(f"{self.name} has ended with {self.process.returncode}")
        self.check_said()
        self.ledger.read()
        self.ledger.check_all_ended()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    async def metrics(self):
        """One scrape: {(name, route): {other labels: value}} with `""` where there is no route."""
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.admin), 60)
        try:
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            page = (await asyncio.wait_for(reader.read(), 60)).decode()
        finally:
            writer.close()
        found = collections.defaultdict(dict)
        for line in page.splitlines():
            if match := SAMPLE.match(line.strip()):
                labels = dict(LABEL.findall(match[2] or ""))
                found[match[1], labels.pop("route", "")][tuple(sorted(labels.items()))] = float(match[3])
        return found

    def descriptors(self):
        """What they refer to, but for connections that an upstream has closed: libcurl keeps those, 512 at most, until it
        next looks for one to that upstream."""
        return [kind for kind in Descriptors(self).kinds() if kind not in ("upstream closed", "upstream reset")]

    def resident(self):
        """Bytes."""
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def until(condition, what, within):
    """Waits until condition() is truthy, and returns what it gave."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise Failure(f"within {within} s: no {what}")
        await asyncio.sleep(0.02)
    return found
