"""How RFC 9113 reads a stream: the request in it, and what a proxy owes it."""
import re

import routes
from messages import Expected, Seen, digest, text
from reference import LARGEST_HEAD, MOST_FIELDS, UNUSUAL
from syntax import CONTROL, TOKEN, Malformed, Notes, check_authority, read_length, values

PSEUDO = {b":method", b":scheme", b":authority", b":path"}
# RFC 9113, 8.2.2.
FIELD_OVERHEAD = 32  # what a field counts beyond its bytes: 6.5.2
CONNECTION_FIELDS = {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"}


def read_stream(stream):
    """The request; None where it is malformed (RFC 9113, 8.1.1)."""
    notes = Notes()
    try:
        head = Head(stream.fields, notes)
    except Malformed:
        return None
    content = b"".join(stream.data)
    complete = stream.ends
    head.length = head.declared if head.declared is not None else len(content)
    if head.declared not in (None, len(content)):
        complete, content = False, b""
        notes.append("content-length differs")
    try:
        check_trailers(stream.trailers or [], notes)
    except Malformed as fault:
        complete = False
        notes.append(str(fault))
    if head.declared == 0:
        # A request that announces no content is whole with its head, and may be forwarded before the stream ends.
        complete, content = True, b""
    if head.method == b"HEAD" and (stream.data or stream.trailers is not None):
        notes.append("HEAD does not end with its fields")
    if not stream.ends:
        notes.append("it does not end")
    host = text(head.host) if head.host is not None else None
    seen = Seen(text(head.method), text(head.target), host, tuple(map(text, values(head.fields, b"x-mark"))),
                digest(content) if complete else None, complete)
    return Expected(seen, *routes.duty(head, notes))


def check_trailers(fields, notes):
    for name, value in fields:
        check_field(name, value, notes)
        if name.startswith(b":"):
            raise Malformed("a pseudo-field in trailers")
        if name in (b"content-length", b"host"):
            notes.append("a field that trailers must not have")  # RFC 9110, 6.5.1: dropped or refused


def check_field(name, value, notes):
    """RFC 9113, 8.2.1 and 8.2.2."""
    if not TOKEN.fullmatch(name.removeprefix(b":")) or name != name.lower():
        raise Malformed("a name")
    if CONTROL.search(value):
        raise Malformed("a value")
    if value != value.strip(b" \t"):
        notes.append("white space around a value")  # malformed by 8.2.1; to take it off is harmless
    if name in CONNECTION_FIELDS or name == b"te" and value.strip().lower() != b"trailers":
        raise Malformed("a field of the connection")


class Head:
    chunked = False

    def __init__(self, fields, notes):
        pseudo = {}
        self.fields = []
        size = 0
        for name, value in fields:
            size += len(name) + len(value) + FIELD_OVERHEAD
            check_field(name, value, notes)
            if not name.startswith(b":"):
                self.fields.append((name, value.strip(b" \t")))
            elif name not in PSEUDO or name in pseudo or self.fields:
                raise Malformed("a pseudo-field")
            else:
                pseudo[name] = value
        if not pseudo.get(b":method") or b":path" not in pseudo and pseudo[b":method"] != b"CONNECT":
            raise Malformed("a pseudo-field is missing")
        if size > LARGEST_HEAD:
            notes.append("a head of more than max_header_bytes")
        if len(self.fields) + 1 > MOST_FIELDS:  # with Host
            notes.append("too many fields")
        self.method, self.target = pseudo[b":method"], pseudo.get(b":path", b"")
        if not TOKEN.fullmatch(self.method):
            raise Malformed("the method")
        if self.method != b"CONNECT":
            self._check_target(pseudo, notes)
        self._read_host(pseudo, notes)
        self.declared = read_length(self.fields, notes)
        if any(value.lower() != b"100-continue" for value in values(self.fields, b"expect")):
            notes.append("an unknown expectation")

    def _check_target(self, pseudo, notes):
        if b":scheme" not in pseudo or not re.fullmatch(rb"[A-Za-z][A-Za-z0-9+.\-]*", pseudo[b":scheme"]):
            raise Malformed("the scheme")
        if pseudo[b":scheme"] not in (b"http", b"https"):
            notes.append("another scheme")
        target = self.target
        if not target.startswith(b"/") and (target != b"*" or self.method != b"OPTIONS"):
            raise Malformed("the path")
        if CONTROL.search(target) or b"#" in target or b" " in target or b"\t" in target:
            raise Malformed("the path")
        if UNUSUAL.search(target):
            notes.append("characters in the path that RFC 3986 has only in percent-encoding")

    def _read_host(self, pseudo, notes):
        """RFC 9113, 8.3.1: host may be present beside :authority with the same value."""
        hosts = values(self.fields, b"host")
        if len(hosts) > 1:
            raise Malformed("host")
        self.host = pseudo.get(b":authority", hosts[0] if hosts else None)
        if self.host is None:
            raise Malformed("no authority")
        for host in {self.host, *hosts}:
            check_authority(host, notes)
        if hosts and hosts[0].lower() != self.host.lower():
            raise Malformed("host and :authority differ")
        if hosts and b":authority" in pseudo:
            notes.append("host beside :authority")
