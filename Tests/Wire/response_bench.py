"""A weir before an origin that plays scripts: what clients get of each response, and whether it stays theirs alone."""
import asyncio

import http1_client
import http2_client
from bench import LANES, PROBE, SETTLED, Hops, addresses, certain, numbers
from http2_cases import get
from oracle import Finding, Visit, check_responses
from reference import read_requests
from reference_response import read_response
from scripted_origin import Scene, ScriptedOrigin

TIMEOUTS = "{ connect: 2s, first_byte: 1500ms, idle: 1s }"  # many scripts end in the middle of a response
REQUEST = b"%s %s HTTP/1.1\r\nHost: a.example\r\n\r\n"


class ResponseBench(Hops):
    name = "scripted"

    async def start(self, folder, private):
        folder.mkdir()
        self.origin = await ScriptedOrigin().start()
        return self.start_proxy(folder, private, TIMEOUTS)

    @staticmethod
    def takes(case):
        return case.kind == "response"

    async def run(self, cases):
        visits = []
        # No request may take a connection before the late bytes are there: no proxy could distinguish them from its response.
        together = iter([case for case in cases if not case.script.late])
        await asyncio.gather(*(self._lane(together, visits) for _ in range(LANES)))
        await self._lane(iter([case for case in cases if case.script.late]), visits)
        await self._settle(visits)
        self._judge(visits)
        return visits, [Finding(text) for text in self.proxy.revive()]

    async def _lane(self, waiting, visits):
        for case in waiting:
            visits.append(await self._play(case))
            for _ in range(2):  # the second may get a connection that the first has spared
                number = next(numbers)
                result = await http1_client.exchange(self.proxy.port, next(addresses), [PROBE % (number, number)])
                expected = read_requests(result.sent)
                visits.append(Visit(case, expected, result, certain(expected, result.responses), is_probe=True))

    async def _play(self, case):
        expected = read_response(case.script)
        target = f"/r{case.name}-{next(numbers)}"
        scene = self.origin.scenes[target] = Scene(case.script)
        if expected.ends_with_connection:
            scene.delivered.set()  # the late bytes are part of it
        result = http1_client.Exchange(next(addresses))
        if case.script.is_http2:
            await http2_client.converse(self.proxy.port, result, lambda connection: self._talk_http2(scene, target, connection))
        else:
            await self._exchange(scene, target, result)
        del self.origin.scenes[target]
        return Visit(case, [expected], result, [])

    async def _exchange(self, scene, target, result):
        try:
            async with asyncio.timeout(http1_client.DEADLINE):
                await self._talk(scene, target, result)
        except TimeoutError:
            result.late = True
        except ConnectionError:
            result.refused = True
        http1_client.parse(result, [scene.script.method])

    async def _talk_http2(self, scene, target, connection):
        """As `_talk`, on streams of one connection."""
        try:
            await connection.run(get(target.encode(), scene.script.method.encode()))
            scene.delivered.set()
            if 0 < connection.response.status < 500:
                await scene.sent.wait()
            await connection.run(get(b"/probe%d" % next(numbers)))
        finally:
            scene.delivered.set()

    async def _talk(self, scene, target, result):
        """The request; when its response is there, the origin's late bytes; then a request after which weir closes."""
        request = REQUEST % (scene.script.method.encode(), target.encode())
        reader, writer = await http1_client.connect(self.proxy.port, result.address, request)
        try:
            while not is_over(result, scene.script.method) and (data := await reader.read(65536)):
                result.received += data
            scene.delivered.set()
            if result.responses and result.responses[0].status < 500:
                await scene.sent.wait()
            number = next(numbers)
            writer.write(PROBE % (number, number))
            while data := await reader.read(65536):
                result.received += data
        except ConnectionError:
            pass
        finally:
            scene.delivered.set()
            writer.transport.abort()

    async def _settle(self, visits):
        wanted = {response.seen for visit in visits for response in visit.exchange.responses if response.seen}
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLED
        while loop.time() < deadline and self.proxy.is_running:
            self.proxy.read_log()
            if wanted <= {line.get("trace_id") for line in self.proxy.lines}:
                return
            await asyncio.sleep(0.005)

    def _judge(self, visits):
        for visit in visits:
            address = visit.exchange.address
            visit.lines = [line for line in self.proxy.lines if line["client"] == address]
            visit.records = [(self.name, record) for record in self.origin.records if record.client == address]
            if visit.is_probe:
                visit.findings = list(check_responses(visit))
            else:
                visit.findings = list(judge(visit))
        self.proxy.lines, self.origin.records = [], []


def is_over(result, method):
    """Whether the first response is there, whole."""
    http1_client.parse(result, [method])
    result.fault = ""
    return any(response.complete for response in result.responses)


def judge(visit):
    """The client has the origin's response, or a 502, and to its other request the response to that."""
    expected, result = visit.expected[0], visit.exchange
    if result.late:
        yield Finding("the connection was not closed in time", timing=True)
    if result.fault:
        yield Finding(f"the client got no HTTP: {result.fault}: {result.received[-300:]!r}")
    if not result.responses:
        if expected.status is None or expected.complete and not expected.notes:
            yield Finding("the client got no response", timing=True)
        return
    first, *others = result.responses
    late = first.status == 504 or any(line["reason"] == "upstream_timeout" for line in visit.lines)
    own = first.status in (502, 504)  # no script has these
    if own and (expected.status is None or expected.notes or not expected.complete):
        pass
    elif expected.status is None:
        yield Finding(f"the head is malformed, and the client got {first.status} {first.body[:80]!r}")
    elif first.status != expected.status or first.complete != expected.complete and (first.complete or not expected.notes):
        got = f"{first.status}, complete {first.complete}"
        yield Finding(f"expected {expected.status}, complete {expected.complete}, and the client got {got}", late)
    elif first.body != (expected.body if first.complete else expected.body[:len(first.body)]):
        yield Finding(f"expected the body {expected.body[:200]!r}, and the client got {first.body[:200]!r}")
    traces = {record.trace for _, record in visit.records}
    for other in others:
        if other.seen not in traces and other.status < 500:
            yield Finding(f"the client got another response: {other}")
