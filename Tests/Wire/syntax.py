"""The parts of RFC 9110 and RFC 9112 that requests and responses share: lines, fields, lengths, codings, chunks, hosts.

This is a reading for tests: it is strict, and where the RFCs leave a recipient the choice between a rejection and one
meaning, it takes the meaning and writes down why (`Notes`), so that a proxy may do either, but nothing else.
"""
import ipaddress
import re

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
REG_NAME = re.compile(rb"(?:[A-Za-z0-9\-._~]|%[0-9A-Fa-f]{2})+")
ODD_REG_NAME = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
AUTHORITY = re.compile(rb"(\[[^\[\]]*\]|[^:\[\]]*)(?::(.*))?", re.DOTALL)
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]+)(.*)", re.DOTALL)
EXTENSIONS = re.compile(rb"""(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[^"\\]*"))?)*""")
LARGEST = (1 << 63) - 1  # a chunk's size that weir and libcurl can hold
LARGEST_LENGTH = 10**18 - 1  # a Content-Length that weir takes


class Malformed(Exception):
    """No recipient may act on this message."""


class Incomplete(Exception):
    """The bytes end before the message does."""


class Notes(list):
    """Why a recipient may reject a message, although it has one meaning."""


class Bytes:
    """A cursor over what a peer sends."""

    def __init__(self, data):
        self.data, self.place = data, 0

    def __bool__(self):
        return self.place < len(self.data)

    def line(self, notes):
        """The next line without its end. RFC 9112, 2.2: a recipient may take a single LF for one; a bare CR is invalid."""
        end = self.data.find(b"\n", self.place)
        if end < 0:
            raise Incomplete("a line")
        line, self.place = self.data[self.place:end], end + 1
        if line.endswith(b"\r"):
            line = line[:-1]
        else:
            notes.append("a line ends with LF alone")
        if b"\r" in line:
            raise Malformed("a bare CR")
        return line

    def take(self, count):
        taken = self.data[self.place:self.place + count]
        self.place += len(taken)
        if len(taken) < count:
            raise Incomplete("a body")
        return taken

    def rest(self):
        return self.take(len(self.data) - self.place)


def read_fields(source, notes):
    """Field lines up to the empty one, as (lower-case name, value). RFC 9112, 5."""
    fields = []
    while line := source.line(notes):
        if line[:1] in (b" ", b"\t"):
            if not fields:
                raise Malformed("white space before the first field")
            notes.append("obs-fold")
            name, value = fields.pop()
            fields.append((name, (value + b" " + line.strip(b" \t")).strip(b" \t")))
            check_value(line)
            continue
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name):
            raise Malformed("a field name")
        check_value(value)
        fields.append((name.lower(), value.strip(b" \t")))
    return fields


def check_value(value):
    if CONTROL.search(value):
        raise Malformed("a control character in a value")


def values(fields, name):
    return [value for other, value in fields if other == name]


def elements(fields, name):
    """The elements of a list, lower-case; empty ones included."""
    return [part.strip(b" \t").lower() for value in values(fields, name) for part in value.split(b",")]


def read_length(fields, notes):
    """Content-Length as a number; None without one. RFC 9110, 8.6."""
    lengths = elements(fields, b"content-length")
    if not lengths:
        return None
    if not all(re.fullmatch(rb"[0-9]+", length) for length in lengths):
        raise Malformed("Content-Length is no number")
    if len(lengths) > 1:
        notes.append("Content-Length is repeated")
    numbers = {int(length) for length in lengths}
    if len(numbers) > 1 or max(numbers) > LARGEST_LENGTH:
        raise Malformed("Content-Length differs or is too large")
    return numbers.pop()


def is_chunked(fields, notes):
    """Whether Transfer-Encoding is `chunked` alone; Malformed for every other coding. RFC 9112, 6.1."""
    if not values(fields, b"transfer-encoding"):
        return False
    codings = elements(fields, b"transfer-encoding")
    if b"" in codings:
        notes.append("an empty element in Transfer-Encoding")
    codings = [coding for coding in codings if coding]
    if codings not in ([], [b"chunked"]):
        raise Malformed("Transfer-Encoding is not chunked alone")
    return codings != []


def read_chunks(source, notes, taken):
    """Appends a chunked body's content to `taken` (a bytearray) and returns its trailers. RFC 9112, 7.1."""
    while True:
        end = source.data.find(b"\n", source.place)
        line = source.data[source.place:] if end < 0 else source.data[source.place:end + 1]
        size = chunk_size(line, notes, whole=end >= 0)
        source.place = end + 1
        if size == 0:
            return read_fields(source, notes)
        taken += source.data[source.place:source.place + size]
        source.take(size)
        if (ending := source.data[source.place:source.place + 2]) != b"\r\n":
            raise Incomplete("a chunk") if b"\r\n".startswith(ending) else Malformed("a chunk's end")
        source.place += 2


def chunk_size(line, notes, whole):
    if not whole:
        raise Incomplete("a chunk's size")
    if not line.endswith(b"\r\n") or CONTROL.search(line[:-2]):
        raise Malformed("the line of a chunk's size")
    if not (found := CHUNK_SIZE.fullmatch(line[:-2])):
        raise Malformed("a chunk's size")
    digits, extensions = found.groups()
    if len(digits) > 16:
        notes.append("a chunk's size has many digits")
    if (size := int(digits, 16)) > LARGEST:
        raise Malformed("a chunk's size is too large")
    if extensions and not extensions.strip(b" \t").startswith(b";"):
        raise Malformed("text after a chunk's size")
    if len(extensions) > 256 or not EXTENSIONS.fullmatch(extensions):
        notes.append("an unusual chunk extension")
    return size


def check_authority(authority, notes):
    """A host and perhaps a port, without user information, of the http scheme. RFC 9110, 4.2.1 and 7.2; RFC 3986, 3.2."""
    found = AUTHORITY.fullmatch(authority)
    if not found or not found[1]:
        raise Malformed("a host")
    host, port = found.groups()
    if host.startswith(b"["):
        check_address(host[1:-1], notes)
    elif not ODD_REG_NAME.fullmatch(host):
        raise Malformed("a host")
    elif not REG_NAME.fullmatch(host):
        notes.append("sub-delims in a host")
    if port is not None and not re.fullmatch(rb"[0-9]*", port):
        raise Malformed("a port")
    if port is not None and (port == b"" or not 0 < int(port) < 65536):
        notes.append("an unusual port")


def check_address(address, notes):
    if re.fullmatch(rb"[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+", address):
        notes.append("a future kind of address")
        return
    try:
        ipaddress.IPv6Address(address.decode("latin-1"))
    except ValueError:
        raise Malformed("an IPv6 address") from None
    if b"%" in address:
        raise Malformed("a zone in an address")
