"""A weir before an origin of feeds that clients share: what each of them gets, while others join and leave."""
import asyncio
import dataclasses
import re

import http1_client
from bench import LANES, PROBE, SETTLED, Hops, addresses, certain, numbers
from case import NONCE
from http1_client import DEADLINE, Exchange
from messages import Duty, digest, text
from oracle import Finding, Visit, check_responses
from reference import Head, read_requests
from reference_response import read_final_head, read_response
from routes import SHARED
from scripted_origin import Scene, ScriptedOrigin, send
from shared_cases import TARGET
from syntax import Bytes, Incomplete, Malformed, Notes, elements, values

from harness.metrics import Metrics

TIMEOUTS = "{ connect: 2s, first_byte: 4s, idle: 3s }"  # longer than a case's readers take to come and leave
LONGEST_RECORD = 256 << 10  # weir's default
PROBLEM = b'{"type":"https://example.com/problems/'  # an answer of weir's own
# The same as the last record of a stream, for a client that prefers notices.
NOTICE = re.compile(rb"(event: stream-notice\ndata: )?" + re.escape(PROBLEM) + rb"[^\n]*\n+$")
COLLAPSED = b"weir; fwd=uri-miss; collapsed"
OF_A_PULL = {"host", "via", "accept-encoding", "x-mark"}
OF_NO_READER = {"", "x-mark", "accept-encoding", "te", "prefer", "last-event-id"}  # members of Vary that do not matter
# What must be 0 when all clients have left.
COUNTS = ("weir_active_streams", "weir_shared_pulls", "weir_shared_readers", "weir_shared_retained_bytes", "weir_buffer_bytes")


class FeedScene(Scene):
    """A feed while its readers come and leave: a piece of the response is sent once its gate is open."""

    def __init__(self, feed):
        super().__init__(feed)
        self.gates = [asyncio.Event() for _ in feed.pieces]
        self.requests = []  # the field names of each

    async def play(self, head, writer):
        fields = Head(Bytes(head), Notes()).fields
        self.requests.append([text(name) for name, _ in fields])
        feed = self.script.of(owner_of(values(fields, b"x-mark"), values(fields, b"x-client")))
        sent = 0
        for piece, gate in zip(feed.pieces, self.gates):
            async with asyncio.timeout(2 * DEADLINE):
                await gate.wait()
            if is_whole(feed, sent + len(piece)):
                # weir may use the connection again: the rest must be there by then.
                await send(feed.response[sent:], writer)
                break
            await send(piece, writer)
            sent += len(piece)
        self.end(writer)


class FeedOrigin(ScriptedOrigin):
    name = "shared"

    def scene(self, target):
        found = re.search(re.escape(SHARED) + r"/[0-9a-z-]+", target)
        return self.scenes.get(found[0]) if found else None


def is_whole(feed, size):
    """Whether the first bytes of the response are all of it, so that what follows is none of it."""
    expected = read_response(dataclasses.replace(feed, response=feed.response[:size]))
    return expected.status is not None and expected.complete and not expected.ends_with_connection


def owner_of(marks, clients):
    """Identifies in the content the request that it was sent to: its key, and its client if the origin knows that."""
    clients = digest(b",".join(clients))[:13].encode() if clients else b"-" * 13
    return digest("\n".join(" ".join(text(mark).split()) for mark in marks).encode())[:8].encode() + b"-" + clients


class Client:
    """One reader's connection."""

    def __init__(self, reader, path):
        nonce = b"%08dnonce" % next(numbers)
        self.reader, self.exchange, self.has_left = reader, Exchange(next(addresses)), False
        self.exchange.sent = reader.head.replace(NONCE, nonce).replace(TARGET, path.encode(), 1)
        self.expected = next(iter(read_requests(self.exchange.sent)), None)
        self.task = self.writer = None

    async def come(self, port):
        try:
            self.input, self.writer = await http1_client.connect(port, self.exchange.address, self.exchange.sent)
            self.task = asyncio.create_task(self._read())
        except ConnectionError:
            self.exchange.refused = True

    async def _read(self):
        try:
            while data := await self.input.read(65536):
                self.exchange.received += data
        except ConnectionError:
            pass  # the bytes before it count

    def leave(self):
        self.has_left = True
        if self.writer:
            self.writer.transport.abort()

    async def stay(self):
        """Until weir closes the connection."""
        if self.task:
            _, late = await asyncio.wait([self.task], timeout=DEADLINE)
            self.exchange.late = bool(late) and not self.has_left
            self.task.cancel()
            self.writer.transport.abort()
        http1_client.parse(self.exchange, ["GET"])


@dataclasses.dataclass
class Reading(Visit):
    """The visit of one reader."""

    client: object = None
    scene: object = None


class SharedBench(Hops):
    name = "shared"

    async def start(self, folder, private):
        folder.mkdir()
        self.origin = await FeedOrigin().start()
        return self.start_proxy(folder, private, TIMEOUTS, workers=2)

    @staticmethod
    def takes(case):
        return case.kind == "shared"

    async def run(self, cases):
        visits, waiting = [], iter(cases)
        await asyncio.gather(*(self._lane(waiting, visits) for _ in range(LANES)))
        strays = await self._settle()
        self._judge(visits)
        return visits, [Finding(stray) for stray in (*strays, *self.proxy.revive())]

    async def _lane(self, waiting, visits):
        for case in waiting:
            visits += await self._play(case)

    async def _play(self, case):
        """Lets the readers come and leave between the pieces; another client's request after each step shows that weir has
        read what was sent before, and is answered with its own response."""
        path = f"{SHARED}/{case.name.lower()}-{next(numbers)}"
        scene = self.origin.scenes[path] = FeedScene(case.script)
        clients, probes = [Client(reader, path) for reader in case.script.readers], []
        for stage in range(len(scene.gates) + 1):
            coming = [client for client in clients if client.reader.joins == stage]
            leaving = [client for client in clients if client.reader.leaves == stage]
            for client in coming:
                await client.come(self.proxy.port)
            for client in leaving:
                client.leave()
            if coming or leaving:
                probes.append(await self._probe(case))
            if stage < len(scene.gates):
                scene.gates[stage].set()
                probes.append(await self._probe(case))
        await asyncio.gather(*(client.stay() for client in clients))
        del self.origin.scenes[path]
        return [*(Reading(case, [client.expected], client.exchange, [], client=client, scene=scene) for client in clients), *probes]

    async def _probe(self, case):
        number = next(numbers)
        result = await http1_client.exchange(self.proxy.port, next(addresses), [PROBE % (number, number)])
        expected = read_requests(result.sent)
        return Visit(case, expected, result, certain(expected, result.responses), is_probe=True)

    async def _settle(self):
        """Waits until nothing of the cases is left in weir; findings, where something stays."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 4 * SETTLED  # the origin's connections that fall silent are among them
        while self.proxy.is_running:
            metrics = await asyncio.to_thread(Metrics, self.proxy.weir)
            left = {name: metrics.total(name) for name in COUNTS}
            left["active upstream connections"] = metrics.total("weir_upstream_connections", state="active")
            self.proxy.read_log()
            if not any(left.values()):
                break
            if loop.time() > deadline:
                return [f"not given back: { {name: count for name, count in left.items() if count} }"]
            await asyncio.sleep(0.02)
        return []

    def _judge(self, visits):
        for visit in visits:
            address = visit.exchange.address
            visit.lines = [line for line in self.proxy.lines if line["client"] == address]
            visit.records = [(self.name, record) for record in self.origin.records if record.client == address]
            visit.findings = list(check_responses(visit)) if visit.is_probe else [
                finding if isinstance(finding, Finding) else Finding(finding) for finding in (*check_pulls(visit), *judge(visit))]
        self.proxy.lines, self.origin.records = [], []


def check_pulls(visit):
    """A request of weir's own has no field of a client but those of the key."""
    for names in visit.scene.requests:
        if "traceparent" not in names and not OF_A_PULL.issuperset(names):
            yield f"the origin got a shared request with {names}"


def judge(visit):
    """The reader has records of its own key's feed, whole and in order, or an accurate refusal."""
    client, result = visit.client, visit.exchange
    must = client.expected is not None and client.expected.duty is Duty.MUST and not client.reader.is_odd
    if result.late:
        yield Finding("the connection was not closed in time", timing=True)
    if result.fault and not client.has_left:
        yield f"the client got no HTTP: {result.fault}: {result.received[-300:]!r}"
    if not result.responses:
        if must and not client.has_left and not result.late:
            yield Finding("the client got no response", timing=True)
        return
    first, *others = result.responses
    if any(other.status < 400 for other in others):
        yield f"the client got several responses: {others}"
    if first.status == 202 and client.reader.is_odd:  # Prefer: respond-async
        return
    if first.status >= 400 and first.body.startswith(PROBLEM):
        yield from judge_refusal(visit, first, must)
        return
    if client.expected is None or client.expected.duty is Duty.NEVER:
        yield f"a malformed request was answered: {first.status} {first.body[:80]!r}"
        return
    yield from judge_records(visit, first, COLLAPSED in [value for name, value in first.fields if name == b"cache-status"])


def judge_refusal(visit, response, must):
    """weir's own answer: the request is odd, or the origin's response has a fault."""
    expected = read_response(visit.case.script.of(owner_of([], [])))
    may_fail = expected.status is None or not expected.complete or expected.notes or visit.case.script.resets
    if must and not may_fail:
        yield Finding(f"a request was refused: {response.status} {response.body[:200]!r}", timing=response.status in (502, 504))


def judge_records(visit, response, is_shared):
    client, script = visit.client, visit.case.script
    fields = fields_of(client.exchange.sent)
    owner = owner_of(values(fields, b"x-mark"), [] if is_shared else values(fields, b"x-client"))
    expected = read_response(script.of(owner))
    if expected.status is None:
        yield f"the head is malformed, and the client got {response.status} {response.body[:80]!r}"
        return
    if is_shared and (reason := why_unshareable(script)):
        yield f"a response was shared that has {reason}"
    body, whole = NOTICE.sub(b"", response.body), expected.body
    # It has not seen the end, or cannot: HTTP/1.0 has none.
    knows_end = not client.has_left and b"HTTP/1.1" in client.exchange.sent.partition(b"\n")[0]
    late = any(line["reason"] == "upstream_timeout" for line in visit.lines)
    if response.status != expected.status:
        yield f"expected {expected.status}, and the client got {response.status}"
    elif is_shared:  # from where it joined: another reader's request may have been read before its own
        if body not in whole or knows_end and response.complete and not whole.endswith(body):
            yield f"expected a part of {whole[:200]!r}, and the client got {body[:200]!r}"
    elif not whole.startswith(body):
        yield f"expected {whole[:200]!r}, and the client got {body[:200]!r}"
    if not knows_end:
        return
    if is_shared and not response.complete and body and not body.endswith(b"\n"):
        yield f"the response ends within a record: {body[-100:]!r}"
    if response.complete and not expected.complete and not expected.notes:
        yield "a response that was cut off appears complete"
    end = b"\n\n" if dict(response.fields).get(b"content-type") == b"text/event-stream" else b"\n"
    # A reset may overtake what was sent before it.
    may_end = expected.notes or script.resets or max(map(len, whole.split(end))) >= LONGEST_RECORD
    if expected.complete and not response.complete and not may_end:
        yield Finding("a complete response was cut off", timing=late)


def fields_of(head):
    """The fields of a client's request that are forwarded; none of a malformed one."""
    try:
        fields = Head(Bytes(head), Notes()).fields
    except (Malformed, Incomplete):
        return []
    options = elements(fields, b"connection")
    return [(name, value) for name, value in fields if name not in options]


def why_unshareable(script):
    """The part of a response's head for which it must not reach another client."""
    _, fields, _ = read_final_head(Bytes(script.response), Notes())
    if values(fields, b"set-cookie"):
        return "Set-Cookie"
    if any(name not in OF_NO_READER for name in map(text, elements(fields, b"vary"))):
        return "Vary"
    private = {text(element).partition("=")[0].strip() for element in elements(fields, b"cache-control")} & {"private", "no-store"}
    return "Cache-Control" if private else None
