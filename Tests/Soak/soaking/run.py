"""The soak test as a whole: its order, and the conditions in the end."""
import asyncio
import collections
import contextlib
import random
import ssl
import time

import h2.exceptions
import trustme

from . import http1, http2
from .ledger import Failure
from .process import Weir, until
from .upstream import Upstream

# What the other side does to an act is no fault of the test.
EXPECTED = (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError, ValueError,
            h2.exceptions.ProtocolError, ssl.SSLError)
WARM_UP = 0.25  # of the time
# Memory that may have been added between the warm-up's end and the end: fragments of the allocator, and libcurl's caches.
ALLOWANCE = 24 << 20
# Gauges that are 0 when nothing runs.
GAUGES = ("weir_active_streams", "weir_shared_pulls", "weir_shared_readers", "weir_shared_retained_bytes",
          "weir_buffer_records", "weir_buffer_bytes", "weir_buffer_records_capacity",
          "weir_buffer_bytes_capacity", "weir_upstream_connections", "weir_older_config_streams")
STILL = 5  # s: longer than any timer of a connection
QUIET = 60  # s, a guard: until everything has expired: idle upstream connections live longest, 4 s


class Run:
    def __init__(self, folder, binary, options):
        self.folder, self.binary, self.options = folder, binary, options
        self.weirs = []  # all that have been started
        self.targets = []  # those that clients go to
        self.acts, self.ended_well, self.reloads, self.drains = collections.Counter(), collections.Counter(), 0, 0
        self.is_sanitized = ".build-address" in str(binary)

    def draw(self, name):
        return random.Random(f"{self.options.seed}/{name}")

    async def all(self):
        self.authority = trustme.CA()
        self.trust = {protocol: self._trust(protocol) for protocol in ("http/1.1", "h2")}
        self.upstreams = [Upstream(f"{self.options.seed}/upstream{number}") for number in range(2)]
        self.urls = [await upstream.start() for upstream in self.upstreams]
        try:
            self.targets = [await self._start("cleartext"), await self._start("secured", self._certificate())]
            await self._act(self.options.seconds * WARM_UP)
            before = [await self._quiet(weir) for weir in self.targets]
            await self._act(self.options.seconds * (1 - WARM_UP))
            after = [await self._quiet(weir) for weir in self.targets]
            for weir, first, last in zip(self.targets, before, after):
                self._compare(weir, first, last)
            await self._drain_under_load()
        finally:
            for upstream in self.upstreams:
                await upstream.stop()

    # weir

    def _trust(self, protocol):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        context.set_alpn_protocols([protocol])
        return context

    def _certificate(self):
        issued = self.authority.issue_cert("localhost")
        files = {"certificate": self.folder / "server.pem", "key": self.folder / "server.key"}
        issued.private_key_pem.write_to_path(files["key"])
        files["certificate"].write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        return files

    async def _start(self, name, tls=None):
        self.weirs.append(Weir(name, self.folder, self.binary, self.urls, tls))
        return await self.weirs[-1].started()

    # Acting

    async def _act(self, seconds):
        """Clients act, and configurations change, for this long."""
        end = time.monotonic() + seconds
        actors = [self._actor(number, end) for number in range(self.options.actors)]
        await asyncio.gather(*actors, self._reloads(end), self._drains(end))

    async def _actor(self, number, end):
        draw = self.draw(f"{number}/{end}")
        while time.monotonic() < end:
            weir = draw.choice(self.targets)
            kind = draw.choice([http1, http1, http2])
            client = kind.Client(weir, draw, self.trust["h2" if kind is http2 else "http/1.1"])
            self.acts[kind.__name__.rpartition(".")[2]] += 1
            with contextlib.suppress(*EXPECTED):
                await asyncio.wait_for(client.act(), 20)
                self.ended_well[kind.__name__.rpartition(".")[2]] += 1
            for each in self.weirs[:2]:
                each.check_alive() if draw.random() < 0.01 else None

    async def _reloads(self, end):
        draw = self.draw("reloads")
        while time.monotonic() < end:
            await asyncio.sleep(draw.random() * 2)
            draw.choice(self.weirs[:2]).reload()
            self.reloads += 1

    async def _drains(self, end):
        """Now and then another process comes, and is stopped while clients use it."""
        while end - time.monotonic() > 10:
            await asyncio.sleep(5)
            weir = await self._start(f"drained{len(self.weirs)}")
            self.targets.append(weir)
            await asyncio.sleep(2)
            await self._drained(weir)

    async def _drained(self, weir):
        await weir.drained(within=60)
        self.targets.remove(weir)
        self.drains += 1

    async def _drain_under_load(self):
        """The two that ran from the start end as well while clients act."""
        end = time.monotonic() + 2
        actors = asyncio.gather(*(self._actor(number, end) for number in range(self.options.actors)))
        await asyncio.sleep(1)
        for weir in self.weirs[:2]:
            await weir.drained(within=60)
            self.drains += 1
        self.weirs = self.weirs[2:]
        await actors

    # Checking

    async def _quiet(self, weir):
        """Waits until weir has nothing to do, checks its accounts, and returns its descriptors and memory."""
        deadline = time.monotonic() + QUIET
        while left := self._left(figures := await weir.metrics()):
            weir.check_alive()
            if time.monotonic() > deadline:
                raise Failure(f"{weir.name}: not 0 after {QUIET} s: {left}")
            await asyncio.sleep(0.2)
        await until(lambda: not weir.ledger.read().running, f"end line of each start in {weir.log}", 60)
        weir.ledger.check_all_ended()
        self._check_sums(weir, figures)
        return await self._level(weir), weir.resident()

    @staticmethod
    async def _level(weir):
        """How many descriptors are left when no more are closed: connections of clients end by their timers."""
        count, since = len(weir.descriptors()), time.monotonic()
        while time.monotonic() - since < STILL:
            await asyncio.sleep(0.1)
            if (now := len(weir.descriptors())) != count:
                count, since = now, time.monotonic()
        return count

    @staticmethod
    def _left(figures):
        return {key: value for key, samples in figures.items() if key[0] in GAUGES
                for value in samples.values() if value}

    @staticmethod
    def _check_sums(weir, figures):
        """The metrics and the access log agree."""
        logged = weir.ledger
        for (name, route), samples in figures.items():
            if name == "weir_streams_total":
                for labels, value in samples.items():
                    reason = dict(labels)["outcome"]
                    if value != logged.reasons[route, reason]:
                        raise Failure(f"{weir.name} {route}: {value:g} streams {reason}, {logged.reasons[route, reason]} logged")
            if name == "weir_records_total" and route and not logged.resumptions[route]:
                if sum(samples.values()) != logged.records[route]:
                    raise Failure(f"{weir.name} {route}: {samples} records, {logged.records[route]} logged")
            if name == "weir_bytes_total" and route:
                if sum(samples.values()) != logged.bytes[route]:
                    raise Failure(f"{weir.name} {route}: {samples} bytes, {logged.bytes[route]} logged")

    def _compare(self, weir, before, after):
        if after[0] > before[0]:
            raise Failure(f"{weir.name}: {after[0]} descriptors, {before[0]} after the warm-up: {weir.descriptors()}")
        if not self.is_sanitized and after[1] > before[1] + ALLOWANCE:
            raise Failure(f"{weir.name}: {after[1] >> 20} MiB, {before[1] >> 20} MiB after the warm-up")

    # Reporting

    def summary(self):
        acts = ", ".join(f"{count} acts of {kind} ({self.ended_well[kind]} to their end)" for kind, count in self.acts.items())
        return f"{acts}, {self.reloads} reloads, {self.drains} drains"

    def tails(self):
        """The last lines of each log, and in the end the faults."""
        texts = []
        for weir in self.weirs:
            for path in (weir.errors, weir.log):
                if path.exists():
                    texts.append(f"--- {weir.name}: {path.name}\n" + "\n".join(
                        path.read_text(errors="replace").splitlines()[-20:]))
        faults = [f"--- {weir.name}: a fault\n{fault}" for weir in self.weirs if (fault := weir.fault())]
        return "\n".join([self.summary(), *texts, *faults])

    def kill(self):
        for weir in self.weirs:
            weir.kill()
