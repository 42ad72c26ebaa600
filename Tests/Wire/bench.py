"""One origin with its weir: sends cases through them and collects what every hop saw."""
import asyncio
import dataclasses
import itertools

import http1_client
import http2_client
from case import NONCE
from http2_cases import get
from messages import Duty
from oracle import Finding, Visit, compare
from origins import UNKNOWN_METHODS, Origin, rejection
from proxies import Proxy
from reference import read_requests
from reference_http2 import read_stream

LANES = 8  # connections at a time
SETTLED = 5.0  # s, within which logs and records must agree
PROBE = b"GET /probe%d HTTP/1.1\r\nHost: probe.example\r\nX-Mark: p%d\r\nConnection: close\r\n\r\n"
FLUSH = b"GET /flush%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def loopback_addresses():
    """Addresses of the loopback network, each client's own, so that logs show whose a request is."""
    while True:
        for first, second, third in itertools.product(range(1, 255), range(256), range(1, 255)):
            yield f"127.{first}.{second}.{third}"


addresses = loopback_addresses()
numbers = itertools.count(1)


class Hops:
    """An origin, which a subclass starts, and the weir before it."""

    def start_proxy(self, folder, private, *options, **named):
        self.proxy = Proxy(folder / "weir", self.origin, private, *options, **named)
        return self

    async def stop(self):
        try:
            self.proxy.stop()
        finally:
            await self.origin.stop()


class Bench(Hops):
    def __init__(self, name):
        self.name = name

    async def start(self, folder, private):
        folder.mkdir()
        self.origin, self.private = await Origin(self.name).start(folder), private
        return self.start_proxy(folder, private)

    @staticmethod
    def takes(case):
        return case.kind in ("http1", "http2")

    async def run(self, cases):
        """Sends the cases, after each a probe of another client; the visits, and the findings that are no visit's."""
        waiting, visits = iter(cases), []
        await asyncio.gather(*(self._lane(waiting, visits) for _ in range(min(LANES, len(cases)))))
        await self._settle(visits)
        return visits, self._judge(visits)

    async def _lane(self, waiting, visits):
        for case in waiting:
            visits.append(await self._send(case))
            visits.append(await self._probe(case))

    async def _send(self, case):
        address = next(addresses)
        if case.kind == "http2":
            result = await http2_client.exchange(self.proxy.port, address, case.streams, b"/end" + case.name.encode())
            read = [self._relax(read_stream(stream)) for stream in case.streams]
            responses = [*result.responses, *[None] * len(read)]
            pairs = [(expected, response) for expected, response in zip(read, responses) if expected]
            expected = [expected for expected in read if expected] + [last_stream(case)]
            return Visit(case, expected, result, pairs)
        nonce = b"%08dnonce" % next(numbers)
        pieces = [piece and piece.replace(NONCE, nonce) for piece in case.pieces]
        result = await http1_client.exchange(self.proxy.port, address, pieces, methods)
        expected = [self._relax(request) for request in read_requests(result.sent)]
        return Visit(case, expected, result, certain(expected, result.responses))

    def _relax(self, request):
        """The origin may reject a method of any sender."""
        if request and request.seen.method in UNKNOWN_METHODS.get(self.name, ()):
            return dataclasses.replace(request, duty=Duty.NEVER if request.duty is Duty.NEVER else Duty.MAY)
        return request

    async def _probe(self, case):
        number = next(numbers)
        result = await http1_client.exchange(self.proxy.port, next(addresses), [PROBE % (number, number)])
        expected = read_requests(result.sent)
        return Visit(case, expected, result, certain(expected, result.responses), is_probe=True)

    async def _settle(self, visits):
        """Waits until weir has logged and the origin recorded each request that one of the others knows of."""
        seen = {response.seen for visit in visits for response in visit.exchange.responses if response.seen}
        deadline = asyncio.get_running_loop().time() + SETTLED
        while not self._agree(seen) and asyncio.get_running_loop().time() < deadline and self.proxy.is_running:
            await asyncio.sleep(0.005)
        for origin in (self.origin, self.private):
            await flush(origin)
        self.proxy.read_log()

    def _agree(self, seen):
        self.proxy.read_log()
        logged = {line["trace_id"]: line for line in self.proxy.lines if "upstream" in line}
        answered = {trace for trace, line in logged.items() if line["reason"] == "completed" and line.get("status") == 200}
        recorded = {record.trace for record in self.origin.records}
        elsewhere = {record.trace for record in self.private.records}
        return seen <= logged.keys() and answered <= recorded | elsewhere and recorded <= logged.keys()

    def _judge(self, visits):
        """Gives each visit the lines and records that are its own, and compares them."""
        whose = {visit.exchange.address: visit for visit in visits}
        clients = {line["trace_id"]: line["client"] for line in self.proxy.lines if "trace_id" in line}
        strays = []
        for line in self.proxy.lines:
            if line["client"] in whose:
                whose[line["client"]].lines.append(line)
        for record in self.origin.records:
            if visit := whose.get(clients.get(record.trace)) or whose.get(record.client):
                visit.records.append((self.name, record))
            else:
                strays.append(f"{self.name} got a request of no client: {record}")
        others = []
        for record in self.private.records:
            if visit := whose.get(clients.get(record.trace)) or whose.get(record.client):
                visit.records.append(("private", record))
            else:
                others.append(record)
        for line in self.proxy.lines:
            if "upstream" in line and (fault := rejection(self.name, line)) in self.origin.faults:
                self.origin.faults.remove(fault)
        strays += [f"{self.name} rejected what weir sent: {fault}" for fault in self.origin.faults]
        strays += self.proxy.revive()
        self.proxy.lines, self.origin.records, self.origin.faults, self.private.records = [], [], [], others
        for visit in visits:
            order = {line.get("trace_id"): place for place, line in enumerate(visit.lines)}
            visit.records.sort(key=lambda record: order.get(record[1].trace, len(order)))  # of two origins
            visit.findings = compare(visit, self.name)
        return [Finding(text) for text in strays]


def last_stream(case):
    return read_stream(get(b"/end" + case.name.encode()))


def methods(sent):
    return [expected.seen.method for expected in read_requests(sent)]


def certain(expected, responses):
    """The requests up to the first that weir may reject, each with its response."""
    pairs = []
    for number, request in enumerate(expected):
        if request.duty is not Duty.MUST:
            break
        pairs.append((request, responses[number] if number < len(responses) else None))
    return pairs


async def flush(origin):
    """Waits until the origin has recorded a request that is sent to it now, and so all before it."""
    number = next(numbers)
    target = f"/flush{number}"
    async with asyncio.timeout(SETTLED):
        reader, writer = await asyncio.open_connection("127.0.0.1", origin.port)
        writer.write(FLUSH % number)
        await reader.read()
        writer.close()
        while not any(record.seen.target == target for record in origin.records):
            await asyncio.sleep(0.002)
    origin.records = [record for record in origin.records if record.seen.target != target]
