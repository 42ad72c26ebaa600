"""How RFC 9110 and RFC 9112 read an origin's bytes: the response to one request, and what the client may see of it."""
import dataclasses
import re

from syntax import Bytes, Incomplete, Malformed, Notes, is_chunked, read_chunks, read_fields, read_length, values

LARGEST_HEAD = 64 << 10  # all of a response's, which weir takes
STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([0-9]{3})(?: ([\t\x20-\x7e\x80-\xff]*))?")


@dataclasses.dataclass
class ExpectedResponse:
    """`status` is None where the head is malformed: then the client gets 502."""

    status: int | None
    body: bytes = b""
    complete: bool = True
    notes: tuple = ()  # why 502 is right too
    ends_with_connection: bool = False


def read_response(script):
    source, notes = Bytes(script.response), Notes()
    try:
        status, fields, is_1_0 = read_final_head(source, notes)
        framing = read_framing(status, fields, is_1_0, script, notes)
    except (Malformed, Incomplete):
        return ExpectedResponse(None)
    body, complete = bytearray(), True
    try:
        if framing == "chunked":
            read_chunks(source, notes, body)
        elif framing == "close":
            body += source.rest() + script.late
            complete = script.closes and not script.resets
        else:
            body += source.data[source.place:source.place + framing]
            complete = len(body) == framing
    except Incomplete:
        complete = False
    except Malformed:
        complete = False
    return ExpectedResponse(status, bytes(body), complete, tuple(notes), framing == "close")


def read_final_head(source, notes):
    """Past the informational responses. RFC 9110, 15.2."""
    while True:
        found = STATUS_LINE.fullmatch(source.line(notes))
        if not found:
            raise Malformed("the status line")
        status = int(found[2])
        if found[3] is None or found[1] > b"1" or status >= 600:
            notes.append("an unusual status line")
        if status < 100 or status == 101:
            raise Malformed("the status")
        fields = read_fields(source, notes)
        if source.place > LARGEST_HEAD:
            notes.append("heads of more than 64 KiB")
        if status >= 200:
            return status, fields, found[1] == b"0"
        notes.append("an informational response")
        if values(fields, b"content-length") or values(fields, b"transfer-encoding"):
            notes.append("an informational response with a length")


def read_framing(status, fields, is_1_0, script, notes):
    """chunked, close, or a length. RFC 9112, 6.3."""
    bodiless = script.method == "HEAD" or status in (204, 304)
    own = Notes()
    try:
        chunked, length = is_chunked(fields, own), read_length(fields, own)
        if values(fields, b"transfer-encoding") and (is_1_0 or length is not None):
            raise Malformed("Transfer-Encoding beside a length or in HTTP/1.0")
    except Malformed:
        if not bodiless:
            raise
        notes.append("its framing is malformed, and it has no body")
        return 0
    notes += own
    if bodiless:
        return 0
    if values(fields, b"transfer-encoding") and not chunked:
        raise Malformed("an empty Transfer-Encoding")
    return "chunked" if chunked else "close" if length is None else length
