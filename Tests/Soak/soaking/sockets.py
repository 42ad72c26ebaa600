"""A connection of either side, and the ways to end it."""
import asyncio
import contextlib
import socket
import struct

WAIT = 3  # s for any one read or write: a client or upstream that waits longer has waited in vain


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, address, tls=None):
        """`address` is a port of 127.0.0.1, or the path of a unix socket."""
        if isinstance(address, int):
            opening = asyncio.open_connection("127.0.0.1", address, ssl=tls, server_hostname="localhost" if tls else None)
        else:
            opening = asyncio.open_unix_connection(address)
        return cls(*await asyncio.wait_for(opening, WAIT))

    @property
    def protocol(self):
        """What TLS has negotiated; None without it."""
        secured = self.writer.get_extra_info("ssl_object")
        return secured and secured.selected_alpn_protocol()

    async def send(self, data):
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), WAIT)

    async def some(self, count=65536):
        """At most this number of bytes; none at the end."""
        return await asyncio.wait_for(self.reader.read(count), WAIT)

    async def line(self):
        return await asyncio.wait_for(self.reader.readuntil(b"\n"), WAIT)

    async def exactly(self, count):
        return await asyncio.wait_for(self.reader.readexactly(count), WAIT)

    async def head(self):
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT)

    def half_close(self):
        if self.writer.can_write_eof():
            self.writer.write_eof()
        else:
            self.close()

    def reset(self):
        """Does nothing where the connection has ended."""
        # asyncio's TLS raises AttributeError then.
        with contextlib.suppress(OSError, AttributeError):
            self.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(AttributeError):
            self.writer.transport.abort()

    def close(self):
        self.writer.close()

    async def end(self, draw):
        """In one of the ways there are."""
        match draw.randrange(3):
            case 0: self.close()
            case 1: self.reset()
            case 2:
                self.half_close()
                while await self.some():
                    pass
                self.close()
