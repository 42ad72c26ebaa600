"""A client of HTTP/1 that sends any bytes, and reads the responses with h11, which is strict."""
import asyncio
import contextlib
import dataclasses
import socket

import h11

from case import WAIT

DEADLINE = 8.0  # s, for all that happens on one connection; longer than every time limit of the weir under test


@dataclasses.dataclass
class Response:
    status: int
    seen: str = ""  # X-Seen: the trace-id that the origin got
    fields: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    complete: bool = False
    reset: int | None = None  # HTTP/2: the code of RST_STREAM


@dataclasses.dataclass
class Exchange:
    """What a client sent and got on one connection."""

    address: str
    sent: bytes = b""
    responses: list = dataclasses.field(default_factory=list)
    received: bytes = b""
    fault: str = ""  # why the responses are no HTTP
    late: bool = False  # the deadline passed
    refused: bool = False  # weir does not accept


async def exchange(port, address, case_pieces, methods=None):
    """Sends the pieces and reads until weir closes. `methods` returns those of the requests in the bytes that were sent."""
    result = Exchange(address)
    try:
        async with asyncio.timeout(DEADLINE):
            first, *others = case_pieces or [b""]
            reader, writer = await connect(port, address, first)
            result.sent = first
            try:
                await _send(others, reader, writer, result)
                while data := await reader.read(65536):
                    result.received += data
            except ConnectionError:
                pass  # the bytes before it count
            finally:
                writer.transport.abort()
    except TimeoutError:
        result.late = True
    except ConnectionError:
        result.refused = True
    parse(result, methods(result.sent) if methods else [])
    return result


async def connect(port, address, data):
    """A connection on which the data is sent at once: on a busy machine much time may pass before this process runs again,
    and weir does not wait for long."""
    with contextlib.ExitStack() as stack:
        connected = stack.enter_context(socket.create_connection(("127.0.0.1", port), source_address=(address, 0)))
        with contextlib.suppress(ConnectionError):  # the reader gets it too
            connected.sendall(data)  # less than the buffers hold
        connected.setblocking(False)
        stack.pop_all()
    return await asyncio.open_connection(sock=connected)


async def _send(pieces, reader, writer, result):
    for piece in pieces:
        if piece is WAIT:
            data = await reader.read(65536)
            result.received += data
            if not data.startswith(b"HTTP/1.1 100 "):
                return
        else:
            writer.write(piece)
            result.sent += piece
            await writer.drain()
            await asyncio.sleep(0)  # weir can read each piece by itself


def parse(result, methods):
    """Reads the responses, each with the method of its request."""
    result.responses = []
    data, number = result.received, 0
    while data:
        method = methods[number] if number < len(methods) else "GET"
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        connection.send(h11.Request(method="HEAD" if method == "HEAD" else "GET", target="/", headers=[("Host", "a")]))
        connection.send(h11.EndOfMessage())
        connection.receive_data(data)
        connection.receive_data(b"")
        response = None
        try:
            while not isinstance(event := connection.next_event(), (h11.EndOfMessage, h11.ConnectionClosed)):
                if isinstance(event, h11.Response):
                    response = Response(event.status_code, fields=list(event.headers))
                    response.seen = next((text for text in (seen_of(event.headers),) if text), "")
                    result.responses.append(response)
                elif isinstance(event, h11.Data):
                    response.body += event.data
                elif event is h11.NEED_DATA:
                    return
        except h11.RemoteProtocolError as fault:
            if response is None or not str(fault).startswith("peer closed connection"):
                result.fault = str(fault)
            return
        if response is None:
            return
        response.complete = True
        if method == "HEAD" and response.status >= 400 and (b"connection", b"close") in response.fields:
            return  # weir has rejected the head and does not know its method: there may be a body, and nothing follows it
        data, number = connection.trailing_data[0], number + 1


def seen_of(headers):
    from origins import trace_id
    return next((trace_id(value.decode("latin-1")) for name, value in headers if name == b"x-seen"), "")
