"""A reader of server-sent events by HTML, section 9.2.6: the events that an EventSource dispatches."""
import dataclasses
import json
import time

SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(number, size=0, ends=b"\n"):
    """An event with an id and an order as its data; padded, where it is shorter than `size`."""
    order = {"orderId": number}
    bare = b"id: %d%bdata: %b%b%b" % (number, ends, json.dumps(order).encode(), ends, ends)
    if len(bare) >= size:
        return bare
    order["pad"] = "x" * (size - len(bare))
    return b"id: %d%bdata: %b%b%b" % (number, ends, json.dumps(order).encode(), ends, ends)


@dataclasses.dataclass
class Event:
    at: float  # time.monotonic() when its empty line was read
    data: str
    type: str
    last_id: str

    @property
    def number(self):
        return json.loads(self.data)["orderId"]


class EventReader:
    """Takes a body's bytes in any split and yields the events that they complete; `comments` counts the comments."""

    def __init__(self):
        self.body = bytearray()  # all of it
        self.last_id, self.retry, self.comments = "", None, 0
        self._line, self._is_behind_cr = bytearray(), False
        self._data, self._type, self._id = [], "", ""

    def feed(self, part):
        for byte in part:
            self.body.append(byte)
            if len(self.body) == 3 and self.body == b"\xef\xbb\xbf":
                self._line.clear()
            elif byte == 10 and self._is_behind_cr:
                self._is_behind_cr = False
            elif byte in (10, 13):
                self._is_behind_cr = byte == 13
                yield from self._line_ended()
            else:
                self._is_behind_cr = False
                self._line.append(byte)

    def _line_ended(self):
        line, self._line = self._line.decode(errors="replace"), bytearray()
        if not line:
            self.last_id = self._id
            if self._data:
                yield Event(time.monotonic(), "\n".join(self._data), self._type or "message", self.last_id)
            self._data, self._type = [], ""
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            self.comments += 1
        elif name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isdecimal():
            self.retry = int(value)


def events(response, reader=None):
    """The events of a response, as they come."""
    reader = reader or EventReader()
    for part in response.parts():
        yield from reader.feed(part)


class EventSource:
    """Asks again, with the last id that it got, whenever a stream breaks off, as a browser does."""

    def __init__(self, connect, path, *fields):
        self.connect, self.path, self.fields = connect, path, fields
        self.asked = 0

    def __iter__(self):
        last_id = ""
        while True:
            self.asked += 1
            fields = [*self.fields, "Accept: text/event-stream", *([f"Last-Event-ID: {last_id}"] if last_id else [])]
            response = self.connect().get(self.path, *fields)
            assert response.status == 200
            for each in events(response):
                last_id = each.last_id
                yield each
            if response.complete:
                return
