"""An origin that runs the scripts of response cases, and sends a well-formed response to other requests."""
import asyncio
import re
import socket
import struct

from messages import Seen, text
from origins import Record, trace_id

DEADLINE = 8.0  # s


class Scene:
    """A script while it runs: the client signals that it has the response, the origin that it has sent all."""

    def __init__(self, script):
        self.script, self.delivered, self.sent = script, asyncio.Event(), asyncio.Event()

    async def play(self, _head, writer):
        """Runs the script."""
        for piece in self.script.pieces:
            await send(piece, writer)
        if self.script.late:
            async with asyncio.timeout(DEADLINE):
                await self.delivered.wait()
            writer.write(self.script.late)
            await writer.drain()
        self.end(writer)

    def end(self, writer):
        if self.script.resets:
            linger = struct.pack("ii", 1, 0)  # then a close is a reset: socket(7)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


class ScriptedOrigin:
    name = "scripted"

    async def start(self):
        self.scenes, self.records, self.faults, self.writers, self.connections = {}, [], [], set(), 0
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader, writer):
        self.connections += 1
        number = self.connections
        self.writers.add(writer)
        try:
            while await self._answer(number, await reader.readuntil(b"\r\n\r\n"), writer):
                pass
        except (ConnectionError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _answer(self, number, head, writer):
        """Whether another request can follow."""
        method, target = head.split(b" ", 2)[:2]
        traceparent = field(head, b"traceparent")
        if scene := self.scene(text(target)):
            try:
                await scene.play(head, writer)
            finally:
                scene.sent.set()  # weir may have closed the connection before
            return not scene.script.closes
        marks = tuple(filter(None, [field(head, b"x-mark")]))
        seen = Seen(text(method), text(target), field(head, b"host"), marks)
        self.records.append(Record(str(number), seen, trace_id(traceparent), field(head, b"x-forwarded-for"), None))
        content = b"" if method == b"HEAD" else b"%s %s\n" % (method, target)
        fields = b"X-Seen: %s\r\nContent-Length: %d\r\n\r\n" % (traceparent.encode("latin-1"), len(content))
        writer.write(b"HTTP/1.1 200 OK\r\n" + fields + content)
        await writer.drain()
        return True

    def scene(self, target):
        return self.scenes.get(target)

    async def stop(self):
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()


async def send(piece, writer):
    writer.write(piece)
    await writer.drain()
    await asyncio.sleep(0)  # with TCP_NODELAY, which asyncio sets, weir can read each by itself


def field(head, name):
    found = re.search(rb"\r\n" + name + rb": *([^\r]*)", head, re.IGNORECASE)
    return found[1].decode("latin-1") if found else ""
