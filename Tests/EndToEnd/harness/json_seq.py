"""A reader of JSON text sequences (RFC 7464): elements begin with RS, and a truncated one is reported, not fatal."""
import dataclasses
import json
import time

RS = b"\x1e"
SEQ_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json-seq\r\nTransfer-Encoding: chunked\r\n\r\n"
TRUNCATED = object()


def text(number, size=0, indent=None):
    """An element with an order as its text; padded, where it is shorter than `size`."""
    order = {"orderId": number}
    bare = RS + json.dumps(order, indent=indent).encode() + b"\n"
    if len(bare) >= size:
        return bare
    return RS + json.dumps({**order, "pad": "x" * (size - len(bare))}, indent=indent).encode() + b"\n"


@dataclasses.dataclass
class Element:
    at: float  # time.monotonic() when its last byte was read
    value: object  # TRUNCATED where it is no whole text

    @property
    def number(self):
        return self.value["orderId"]


def parsed(element):
    """The value of the bytes between two RS (RFC 7464, section 2.4)."""
    try:
        value = json.loads(element)
    except ValueError:
        return TRUNCATED
    # A number may have lost digits, and so may a literal: it is whole only if whitespace follows.
    return value if isinstance(value, (dict, list, str)) or element[-1:].isspace() else TRUNCATED


def elements(response):
    """The elements of a response: whole ones as soon as their LF is there."""
    rest, body = b"", bytearray()
    for part in response.parts():
        now = time.monotonic()
        body += part
        *done, rest = (rest + part).split(RS)
        for element in filter(None, done):
            yield Element(now, parsed(element))
        if rest.endswith(b"\n") and (value := parsed(rest)) is not TRUNCATED:
            yield Element(now, value)
            rest = b""
    response.body = bytes(body)
    if rest:
        yield Element(time.monotonic(), parsed(rest))
