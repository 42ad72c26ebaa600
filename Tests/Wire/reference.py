"""How RFC 9110 and RFC 9112 read a client's bytes: the requests in them, and what a proxy owes each."""
import re

import routes
from messages import Expected, Seen, digest, text
from syntax import (CONTROL, TOKEN, Bytes, Incomplete, Malformed, Notes, check_authority, elements, is_chunked, read_chunks,
                    read_fields, read_length, values)

REQUEST_LINE = re.compile(rb"([^ ]+)( +)([^ ]+)( +)HTTP/([0-9])\.([0-9])")
ABSOLUTE = re.compile(rb"https?://([^/?#]*)([^#]*)", re.IGNORECASE | re.DOTALL)
# weir's default.
LARGEST_HEAD = 32 << 10
MOST_FIELDS = 256
UNUSUAL = re.compile(rb'["<>\\^`{|}\[\]\x80-\xff]|%(?![0-9A-Fa-f]{2})')


def read_requests(data):
    """The requests of one connection in their order, up to the first malformed or incomplete one."""
    source, expected, keys = Bytes(data), [], set()
    while source:
        try:
            request, ends = read_request(source, keys)
        except (Malformed, Incomplete):
            break
        expected.append(request)
        if ends or not request.seen.complete:
            break
    return expected


def read_request(source, keys):
    """The next request, and whether nothing can follow it."""
    notes = Notes()
    skip_empty_lines(source, notes)
    start = source.place
    head = Head(source, notes)
    if source.place - start > LARGEST_HEAD:
        notes.append("a head of more than max_header_bytes")
    body, complete = bytearray(), True
    try:
        if head.chunked:
            read_chunks(source, notes, body)
        else:
            body += source.take(head.length or 0)
    except Incomplete:
        complete = False
    except Malformed as fault:
        complete = False
        notes.append(str(fault))
    if not complete:
        notes.append("its body does not end")
    key = tuple(values(head.fields, b"x-key"))
    if key and key in keys:
        notes.append("a key a second time")
    keys.add(key)
    seen = Seen(text(head.method), text(head.target), text(head.host) if head.host is not None else None, head.marks,
                digest(bytes(body)) if complete else None, complete)
    return Expected(seen, *routes.duty(head, notes)), head.closes


def skip_empty_lines(source, notes):
    """RFC 9112, 2.2: a server should ignore at least one. llhttp ignores every CR and LF here, which changes no meaning."""
    start = source.place
    while source.data[source.place:source.place + 1] in (b"\r", b"\n"):
        source.place += 1
    if source.data[start:source.place] not in (b"", b"\r\n"):
        notes.append("empty lines before the request")


class Head:
    """The request line and the fields, read and checked."""

    def __init__(self, source, notes):
        line = source.line(notes)
        found = REQUEST_LINE.fullmatch(line)
        if not found or not TOKEN.fullmatch(found[1]):
            raise Malformed("the request line")
        self.method, before, target, after, major, minor = found.groups()
        if len(before) > 1 or len(after) > 1:
            notes.append("several spaces in the request line")  # RFC 9112, 3: a recipient may
        if major != b"1":
            raise Malformed("the version")
        if minor > b"1":
            notes.append("a later version")
        self.is_1_0 = minor == b"0"
        self.fields = read_fields(source, notes)
        if len(self.fields) > MOST_FIELDS:
            notes.append("too many fields")
        self._read_target(target, notes)
        self._read_connection()
        self._read_framing(notes)
        if any(value.lower() != b"100-continue" for value in values(self.fields, b"expect")):
            notes.append("an unknown expectation")

    def _read_target(self, target, notes):
        """RFC 9112, 3.2 and 3.2.2: the authority of an absolute target replaces Host, which has to be sent all the same."""
        hosts = values(self.fields, b"host")
        if len(hosts) > 1 or not hosts and not self.is_1_0:
            raise Malformed("Host")
        for host in hosts:
            check_authority(host, notes)
        self.host = hosts[0] if hosts else None
        if CONTROL.search(target) or b"\t" in target or b"#" in target:
            raise Malformed("the target")
        if UNUSUAL.search(target):
            notes.append("characters in the target that RFC 3986 has only in percent-encoding")
        self.target = target
        if self.method == b"CONNECT" or target.startswith(b"/"):
            return
        if target == b"*" and self.method == b"OPTIONS":
            return
        if not (found := ABSOLUTE.fullmatch(target)):
            raise Malformed("the target")
        check_authority(found[1], notes)
        self.host = found[1]
        if not found[2]:
            self.target = b"*" if self.method == b"OPTIONS" else b"/"
        else:
            self.target = found[2] if found[2].startswith(b"/") else b"/" + found[2]

    def _read_connection(self):
        options = elements(self.fields, b"connection")
        self.closes = b"close" in options or self.is_1_0 and b"keep-alive" not in options
        marks = values(self.fields, b"x-mark")
        self.marks = () if b"x-mark" in options else tuple(map(text, marks))

    def _read_framing(self, notes):
        self.chunked, self.length = is_chunked(self.fields, notes), read_length(self.fields, notes)
        if values(self.fields, b"transfer-encoding") and (self.is_1_0 or self.length is not None):
            raise Malformed("Transfer-Encoding beside a length or in HTTP/1.0")
