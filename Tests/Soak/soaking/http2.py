"""A client of HTTP/2, by ALPN or by prior knowledge, with several streams at a time."""
import asyncio

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from .http1 import key, target
from .sockets import Connection


class Client:
    """One connection: opens streams, then does some acts in a random order, then ends in some way."""

    def __init__(self, weir, draw, tls):
        self.weir, self.draw = weir, draw
        self.tls = tls if weir.tls else None
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            header_encoding=None, validate_inbound_headers=False, validate_outbound_headers=False))
        self.open = {}  # stream: whether its request's body continues
        # Without credit the window of a stream closes, and so does that of the connection.
        self.gives_credit = draw.random() < 0.7

    async def act(self):
        self.connection = await Connection.open(self.weir.port, self.tls)
        try:
            await self._act()
        finally:
            self.connection.reset()

    async def _act(self):
        if self.tls and self.connection.protocol != "h2":
            return
        if self.draw.random() < 0.05:
            await self.connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[:self.draw.randrange(25)])
            return await self.connection.end(self.draw)
        self.h2.initiate_connection()
        acts = [self.ask, self.ask, self.ask, self.read, self.read, self.read, self.send_body, self.cancel, self.pings,
                self.stalls]
        await self.ask()
        for _ in range(self.draw.randrange(12)):
            await self.draw.choice(acts)()
            await self.flush()
        if self.draw.random() < 0.2:
            self.h2.close_connection()
            await self.flush()
        await self.connection.end(self.draw)

    async def flush(self):
        await self.connection.send(self.h2.data_to_send())

    async def ask(self):
        stream = self.h2.get_next_available_stream_id()
        has_body = self.draw.random() < 0.3
        head = [(":method", "POST" if has_body else "GET"), (":scheme", "https" if self.tls else "http"),
                (":authority", "orders.example"), (":path", target(self.draw)), ("x-api-key", key(self.draw))]
        if self.draw.random() < 0.2:
            head.append(("te", "trailers"))
        self.h2.send_headers(stream, head, end_stream=not has_body)
        self.open[stream] = has_body
        await self.flush()

    async def send_body(self):
        for stream, goes_on in list(self.open.items()):
            if goes_on and (room := self.h2.local_flow_control_window(stream)) > 0:
                ends = self.draw.random() < 0.5
                self.h2.send_data(stream, b"x" * min(room, self.draw.choice([0, 10, 16000])), end_stream=ends)
                self.open[stream] = not ends

    async def cancel(self):
        if self.open:
            stream = self.draw.choice(list(self.open))
            self.open.pop(stream)
            self.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)

    async def pings(self):
        self.h2.ping(b"12345678")

    async def stalls(self):
        await asyncio.sleep(self.draw.random() / 4)

    async def read(self):
        """What has come, if anything comes soon."""
        try:
            data = await asyncio.wait_for(self.connection.reader.read(65536), 0.2)
        except TimeoutError:
            return
        if not data:
            raise EOFError
        for event in self.h2.receive_data(data):
            match event:
                case h2.events.DataReceived() if self.gives_credit and event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.StreamEnded() | h2.events.StreamReset():
                    self.open.pop(event.stream_id, None)
