"""Upstreams that do what the last segment of the path names: well, badly, slowly, or not at all."""
import asyncio
import random
import re

from .sockets import Connection

KINDS = {"/events": b"text/event-stream"}
CHUNKED = b"Transfer-Encoding: chunked\r\n"


class Upstream:
    def __init__(self, seed):
        self.draw, self.tasks = random.Random(seed), set()

    async def start(self):
        self.server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, backlog=512)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def _accepted(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        exchange = Exchange(Connection(reader, writer), self.draw)
        try:
            while await exchange.once():
                pass
            exchange.connection.close()
        # Cancelled by stop() alone, for which the run waits.
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            exchange.connection.reset()
        finally:
            self.tasks.discard(task)

    async def stop(self):
        self.server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Exchange:
    """One request after the other on a connection from weir."""

    def __init__(self, connection, draw):
        self.connection, self.draw = connection, draw

    async def once(self):
        """Answers one request; returns whether another may follow."""
        self.request = await self.connection.head()
        self.method, target, _ = self.request.split(b"\r\n", 1)[0].split(b" ")
        self.route, _, act = target.decode().partition("?")[0].rpartition("/")
        # weir's Expect is not waited for: what comes of the body after an early answer ends the connection.
        if act != "early":
            await self._read_body()
        return await getattr(self, act, self.whole)()

    async def _read_body(self):
        if b"\r\nTransfer-Encoding: chunked" in self.request:
            while size := int(await self.connection.line(), 16):
                await self.connection.exactly(size + 2)
            while (await self.connection.line()).strip():
                pass
        elif length := re.search(rb"\r\nContent-Length: ([0-9]+)", self.request):
            if b"100-continue" in self.request:
                await self.connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self.connection.exactly(int(length[1]))

    # What is sent

    async def _head(self, fields=CHUNKED, status=b"200 OK"):
        kind = KINDS.get(self.route, b"application/x-ndjson")
        await self.connection.send(b"HTTP/1.1 %b\r\nContent-Type: %b\r\n%b\r\n" % (status, kind, fields))

    def _record(self, number, size=0):
        record = b'{"orderId":%d,"pad":"%b"}' % (number % 7, b"x" * size)
        return b"data: %b\n\n" % record if self.route == "/events" else record + b"\n"

    async def _records(self, count, size=0, every=0.0):
        for number in range(count):
            record = self._record(number, size)
            await self.connection.send(b"%x\r\n%b\r\n" % (len(record), record))
            if every:
                await asyncio.sleep(every)

    async def _last(self, trailers=b""):
        await self.connection.send(b"0\r\n%b\r\n" % trailers)
        return True

    async def _gone(self):
        """Waits for weir to close the connection."""
        for _ in range(10):
            if not await self.connection.some():
                break
        return False

    # Well

    async def whole(self):
        body = self._record(1) * self.draw.randrange(20)
        await self._head(b"Content-Length: %d\r\n" % len(body))
        if self.method != b"HEAD":
            await self.connection.send(body)
        return True

    async def stream(self):
        await self._head()
        if self.method == b"HEAD":
            return True
        await self._records(self.draw.randrange(200), self.draw.choice([0, 100, 2000]))
        return await self._last(self.draw.choice([b"", b"X-Sum: 1\r\n"]))

    async def slow(self):
        await self._head()
        await self._records(self.draw.randrange(30), 10, every=self.draw.random() / 50)
        return await self._last()

    async def flood(self):
        await self._head()
        await self._records(2000, 2000)
        return await self._last()

    async def endless(self):
        await self._head()
        await self._records(300, 10, every=0.01)
        return await self._gone()

    async def interim(self):
        await self.connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        return await self.whole()

    async def empty(self):
        await self.connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        return True

    async def error(self):
        await self._head(b"Content-Length: 0\r\n", b"503 Service Unavailable")
        return True

    async def early(self):
        """Answers before the request's body."""
        await self.whole()
        return False

    # Badly

    async def silent(self):
        return await self._gone()

    async def stalled(self):
        await self._head()
        await self._records(3)
        return await self._gone()

    async def broken(self):
        await self._head()
        await self._records(self.draw.randrange(50))
        self.connection.reset()
        return False

    async def refused(self):
        self.connection.reset()
        return False

    async def truncated(self):
        await self._head(b"Content-Length: 1000\r\n")
        await self.connection.send(self._record(1))
        return False

    async def half(self):
        """Closes its sending side in the middle, and reads on."""
        await self._head()
        await self._records(3)
        self.connection.half_close()
        return await self._gone()

    async def malformed(self):
        await self.connection.send(self.draw.choice([
            b"HTTP/1.1 999 What\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            b"\x16\x03\x01garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n folded: a\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]))
        return False

    async def surplus(self):
        await self.whole()
        await asyncio.sleep(self.draw.choice([0, 0.005, 0.05]))
        await self.connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore")
        return True


ACTS = [name for name, act in vars(Exchange).items() if asyncio.iscoroutinefunction(act) and name[0] != "_" and name != "once"]
# Most requests go well.
WELL = ["whole", "stream", "slow", "flood", "endless", "interim", "empty", "early"]
