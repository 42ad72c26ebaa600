"""A client of HTTP/2 that sends any fields: frames by hyperframe, header blocks by hpack."""
import asyncio

import hpack
import hpack.exceptions
from hyperframe.frame import (ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame,
                              SettingsFrame, WindowUpdateFrame)

from http1_client import DEADLINE, Exchange, Response, connect
from http2_cases import get
from origins import trace_id

LARGEST_PIECE = 16384 - 256  # of a frame that may be padded
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


async def exchange(port, address, streams, last_path):
    """Sends the streams one after the other, then a well-formed one; reads until all are over or weir closes."""
    async def talk(connection):
        for stream in [*streams, get(last_path)]:
            await connection.run(stream)
    result = Exchange(address)
    await converse(port, result, talk)
    return result


async def converse(port, result, talk):
    """Has `talk` use a connection, whose responses then are those of the exchange."""
    connection = Connection()
    try:
        async with asyncio.timeout(DEADLINE):
            preface = PREFACE + SettingsFrame(0).serialize()
            connection.reader, connection.writer = await connect(port, result.address, preface)
            try:
                await talk(connection)
            except (ConnectionError, EOFError):
                pass
            finally:
                connection.writer.transport.abort()
    except TimeoutError:
        result.late = True
    except ConnectionError:
        result.refused = True
    except (hpack.exceptions.HPACKError, ValueError) as fault:
        result.fault = repr(fault)
    result.responses = [response for response in connection.responses if response.status or response.reset is not None]


class Connection:
    def __init__(self):
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder(max_header_list_size=1 << 20)
        self.responses, self.number, self.block, self.ends = [], -1, b"", False

    async def run(self, stream):
        """One stream, to its end."""
        self.number += 2
        self.is_head = (b":method", b"HEAD") in stream.fields
        self.response = Response(0)
        self.responses.append(self.response)
        for frame in self._frames(stream):
            self.writer.write(frame.serialize())
        await self.writer.drain()
        if stream.resets:
            self.response.reset = 8
        while not self.response.complete and self.response.reset is None:
            await self._read_frame()

    def _frames(self, stream):
        ends = stream.ends and not stream.data and stream.trailers is None
        yield from self._block(stream.fields, ends, stream.split)
        for place, data in enumerate(stream.data):
            ends = stream.ends and place == len(stream.data) - 1 and stream.trailers is None
            for at in range(0, len(data) or 1, LARGEST_PIECE):
                piece = data[at:at + LARGEST_PIECE]
                flags = ["END_STREAM"] if ends and at + len(piece) >= len(data) else []
                if stream.padding is not None:
                    flags.append("PADDED")
                yield DataFrame(self.number, piece, pad_length=stream.padding or 0, flags=flags)
        if stream.trailers is not None:
            yield from self._block(stream.trailers, stream.ends, stream.split)
        if stream.resets:
            yield RstStreamFrame(self.number, error_code=8)

    def _block(self, fields, ends, split):
        # hpack takes a second to compress a value of 40 KB, in which no other client of this process sends anything.
        block = self.encoder.encode(fields, huffman=sum(len(value) for _, value in fields) < 4096)
        size = max(1, min(16384, len(block) // split if split else 16384))
        pieces = [block[at:at + size] for at in range(0, len(block), size)] or [b""]
        for place, piece in enumerate(pieces):
            frame = ContinuationFrame(self.number, piece) if place else HeadersFrame(self.number, piece)
            if place == len(pieces) - 1:
                frame.flags.add("END_HEADERS")
            if ends and not place:
                frame.flags.add("END_STREAM")
            yield frame

    async def _read_frame(self):
        head = await self.reader.readexactly(9)
        frame, length = Frame.parse_frame_header(memoryview(head))
        frame.parse_body(memoryview(await self.reader.readexactly(length)))
        ours = frame.stream_id == self.number
        match frame:
            case SettingsFrame() if "ACK" not in frame.flags:
                self.writer.write(SettingsFrame(0, flags=["ACK"]).serialize())
            case PingFrame() if "ACK" not in frame.flags:
                self.writer.write(PingFrame(0, frame.opaque_data, flags=["ACK"]).serialize())
            case GoAwayFrame() if frame.error_code:
                raise EOFError
            case RstStreamFrame() if ours:
                self.response.reset = frame.error_code
            case HeadersFrame() | ContinuationFrame():
                self.block += frame.data
                if isinstance(frame, HeadersFrame):
                    self.ends = "END_STREAM" in frame.flags
                if "END_HEADERS" in frame.flags:
                    fields, self.block = self.decoder.decode(self.block, raw=True), b""
                    if ours:
                        self._head(fields)
            case DataFrame():
                if size := frame.flow_controlled_length:
                    for stream in (0, frame.stream_id):
                        self.writer.write(WindowUpdateFrame(stream, window_increment=size).serialize())
                if ours:
                    if self.is_head and frame.data:
                        raise ValueError("content in a response to HEAD")
                    self.response.body += frame.data
                    self.response.complete = "END_STREAM" in frame.flags

    def _head(self, fields):
        status = next((int(value) for name, value in fields if name == b":status"), None)
        if status is not None and status >= 200:
            self.response.status, self.response.fields = status, fields
            self.response.seen = next((trace_id(value.decode("latin-1")) for name, value in fields if name == b"x-seen"), "")
        self.response.complete = self.ends and (status is None or status >= 200)
