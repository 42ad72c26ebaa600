"""A client of HTTP/1.1 that does one thing after the other at random, well-behaved or not."""
import asyncio
import json
import re

from .configuration import ROUTES, SHARED
from .sockets import Connection
from .upstream import ACTS, WELL

GARBAGE = [b"\x00\x01\x02", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
           b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"x" * 40000 + b"\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnothing"]


def target(draw):
    return f"{draw.choice(ROUTES)}/{draw.choice(WELL if draw.random() < 0.6 else ACTS)}"


def key(draw):
    return f"key-{draw.randrange(30)}"


class Client:
    def __init__(self, weir, draw, tls):
        self.weir, self.draw = weir, draw
        self.tls = tls if weir.tls else None
        self.connections = []
        self.acts = [self.polite, self.polite, self.leaves, self.leaves, self.stalls, self.floods, self.half_closes,
                     self.sends_half_a_head, self.sends_a_body, self.sends_a_body, self.breaks_a_body, self.resumes,
                     self.joins, self.gives_feedback, self.comes_later, self.sends_garbage, self.is_old]

    async def act(self):
        try:
            await self.draw.choice(self.acts)()
        finally:
            for connection in self.connections:
                connection.reset()

    async def connect(self):
        address = self.weir.port
        if self.weir.unix and self.draw.random() < 0.3:
            address = str(self.weir.unix)
        self.connections.append(await Connection.open(address, self.tls))
        return self.connections[-1]

    def request(self, path, *fields, method="GET", version="1.1"):
        head = [f"{method} {path} HTTP/{version}", "Host: orders.example", f"X-Api-Key: {key(self.draw)}", *fields, "", ""]
        return "\r\n".join(head).encode()

    async def ask(self, path, *fields, **options):
        connection = await self.connect()
        await connection.send(self.request(path, *fields, **options))
        return connection

    async def read(self, connection, method="GET"):
        """Reads one response to its end, however it is delimited; returns the head and the body."""
        while (head := await connection.head()).split(b" ", 2)[1][:1] == b"1":
            pass
        status, body = int(head.split(b" ", 2)[1]), b""
        if method == "HEAD" or status in (204, 304):
            pass
        elif b"\r\ntransfer-encoding: chunked" in head.lower():
            while size := int(await connection.line(), 16):
                body += (await connection.exactly(size + 2))[:-2]
            while (await connection.line()).strip():
                pass
        elif length := re.search(rb"\r\ncontent-length: ([0-9]+)", head.lower()):
            body = await connection.exactly(int(length[1]))
        else:
            while part := await connection.some():
                body += part
        return head, body

    # What it does

    async def polite(self):
        """Some requests on one connection, each read to its end."""
        connection = await self.connect()
        for _ in range(self.draw.randrange(1, 4)):
            method = self.draw.choice(["GET", "GET", "GET", "HEAD", "DELETE"])
            path = target(self.draw)
            if "endless" in path:
                continue
            fields = self.draw.choice([[], ["TE: trailers"], ["X-Stream-Rate-Limit: 500/second"], ["X-Stream-Buffer-Size: 5"],
                                       ["Prefer: stream-notices"], ["X-Stream-Rate-Limit: 0/second"]])
            await connection.send(self.request(path, *fields, method=method))
            await self.read(connection, method)
        connection.close()

    async def leaves(self):
        """In the middle of a response, or before it."""
        connection = await self.ask(target(self.draw))
        left = self.draw.choice([0, 1, 100, 5000, 50000])
        while left > 0 and (part := await connection.some(left)):
            left -= len(part)
        await connection.end(self.draw)

    async def stalls(self):
        connection = await self.ask(self.draw.choice(ROUTES) + "/flood")
        await connection.some(1000)
        await asyncio.sleep(self.draw.random() / 2)
        if self.draw.random() < 0.5:
            while await connection.some():
                pass
        await connection.end(self.draw)

    async def floods(self):
        """Many requests at once, of which it reads some answers."""
        connection = await self.connect()
        count = self.draw.randrange(2, 30)
        await connection.send(b"".join(self.request(target(self.draw)) for _ in range(count)))
        for _ in range(self.draw.randrange(3)):
            await self.read(connection)
        await connection.end(self.draw)

    async def half_closes(self):
        connection = await self.ask(target(self.draw))
        connection.half_close()
        while await connection.some():
            pass
        connection.close()

    async def sends_half_a_head(self):
        connection = await self.connect()
        whole = self.request("/plain/whole")
        await connection.send(whole[:self.draw.randrange(len(whole))])
        await asyncio.sleep(self.draw.random() / 5)
        await connection.end(self.draw)

    async def sends_a_body(self):
        size = self.draw.choice([0, 1, 1000, 100_000])
        fields, body = self._body(b"x" * size)
        connection = await self.connect()
        await connection.send(self.request(target(self.draw), *fields, method="POST"))
        if "Expect: 100-continue" in fields:
            head = await connection.head()
            if not head.startswith(b"HTTP/1.1 100"):
                return await connection.end(self.draw)
        await connection.send(body)
        await self.read(connection)
        connection.close()

    def _body(self, body):
        expect = ["Expect: 100-continue"] if body and self.draw.random() < 0.3 else []
        if self.draw.random() < 0.5:
            return [f"Content-Length: {len(body)}", *expect], body
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in
                          (body[start:start + 3000] for start in range(0, len(body), 3000)))
        return ["Transfer-Encoding: chunked", *expect], chunks + b"0\r\n\r\n"

    async def breaks_a_body(self):
        """Stops in the middle, is too slow, or sends what is no chunk."""
        fields, body = self._body(b"x" * 5000)
        connection = await self.connect()
        await connection.send(self.request(target(self.draw), *fields, method="POST"))
        await connection.send(body[:self.draw.randrange(len(body))])
        match self.draw.randrange(3):
            case 0: await asyncio.sleep(self.draw.random() / 2)
            case 1: await connection.send(b"\r\nzz\r\n")
        await connection.end(self.draw)

    async def sends_garbage(self):
        connection = await self.connect()
        await connection.send(self.draw.choice(GARBAGE))
        while await connection.some():
            pass
        connection.close()

    async def is_old(self):
        """HTTP/1.0."""
        connection = await self.ask(self.draw.choice(ROUTES) + "/stream", version="1.0")
        await self.read(connection)
        await connection.end(self.draw)

    # Streams that have an address

    async def _stream(self, path, *fields):
        """Opens one; returns its connection and id, or nothing where it was refused."""
        connection = await self.ask(path, *fields)
        head = await connection.head()
        found = re.search(rb"\r\nX-Stream-Id: ([^\r]+)", head)
        if found:
            return connection, found[1].decode()
        await connection.end(self.draw)
        return None, None

    async def resumes(self):
        connection, stream = await self._stream("/resume/" + self.draw.choice(["slow", "stream", "flood", "endless"]))
        if not stream:
            return
        for _ in range(self.draw.randrange(1, 4)):
            text = await connection.some(self.draw.choice([10, 1000, 20000]))
            if self.draw.random() < 0.7:
                await connection.end(self.draw)
            after = self.draw.choice([0, 1, text.count(b"\n"), 10**9])
            connection, _ = await self._stream("/resume/slow", f"X-Stream-Resume: {stream};after={after}")
            if connection is None:
                return
        await connection.end(self.draw)

    async def joins(self):
        """Several readers of one request: some stop to read, leave, or come back."""
        path = self.draw.choice(SHARED) + "/" + self.draw.choice(["slow", "stream", "flood", "endless"])
        for _ in range(self.draw.randrange(2, 6)):
            fields = self.draw.choice([[], ["Prefer: stream-notices"], ["X-Stream-Rate-Limit: 500/second"]])
            connection, stream = await self._stream(path, *fields)
            if not stream:
                continue
            text = await connection.some(self.draw.choice([10, 1000, 20000]))
            if self.draw.random() < 0.5:
                await connection.end(self.draw)
            if self.draw.random() < 0.5:
                after = self.draw.choice([0, 1, text.count(b"\n"), 10**9])
                await self._stream(path, self.draw.choice([f"X-Stream-Resume: {stream};after={after}", "Last-Event-ID: 7"]))

    async def gives_feedback(self):
        connection, stream = await self._stream("/metered/" + self.draw.choice(["slow", "endless", "stream"]))
        if not stream:
            return
        for _ in range(self.draw.randrange(4)):
            said = self.draw.choice([{"pause": True}, {"pause": False}, {"rate": "300/second"}, {"request": 10},
                                     {"bufferSize": 3}, {"processingDelay": "5ms"}, {"nothing": 1}])
            await self._tell("POST", f"/v1/streams/{stream}/feedback", json.dumps(said))
            await connection.some()
        if self.draw.random() < 0.3:
            await self._tell("DELETE", f"/v1/streams/{stream}")
        await connection.end(self.draw)

    async def _tell(self, method, path, body=""):
        other = await self.ask(path, f"Content-Length: {len(body)}", method=method)
        await other.send(body.encode())
        await self.read(other)
        other.close()

    async def comes_later(self):
        """Is promised the answer, and comes for it, or does not."""
        connection = await self.ask(target(self.draw), "Prefer: respond-async, wait=0")
        head = await connection.head()
        await connection.end(self.draw)
        place = re.search(rb"\r\nLocation: (/v1/[^\r]+)", head)
        for _ in range(self.draw.randrange(4)):
            if not place:
                return
            fetching = await self.ask(place[1].decode(), "Accept: application/x-ndjson, text/event-stream")
            await fetching.some(self.draw.choice([10, 10000]))
            await fetching.end(self.draw)
            await asyncio.sleep(self.draw.random() / 10)
