"""Requests of HTTP/2 as lists of fields and data, and mutations of them."""
import dataclasses

from case import Case, Mutator
from mutations import LENGTHS, MARKS, fill
from origins import FORGED
from request_cases import FORGERIES, HOSTS, METHODS, SHADOWS, TARGETS

NAMES = [
    b"X-Mark", b"x mark", b"", b"x\x00mark", b"x-mark\r", b"x\nmark", b"x:mark", b"x-m\xffark", b"x_mark", b":x",
    b"x\tmark", b" x-mark", b"x-mark ", b"\x7fx", b"x\"", b"x-mark:",
]
VALUES = [
    b"a\x00b", b"a\rb", b"a\nb", b"a\r\nX-A: b", b"a\x01b", b"a\x7fb", b"a\x1fb", b" a", b"a ", b"\ta", b"a\tb",
    b"\xff", b"", b"caf\xe9", b"\x85", b"a\x0bb", b"\r\n", b"a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
]
CONNECTION_FIELDS = [
    b"connection: close", b"connection: x-mark", b"transfer-encoding: chunked", b"keep-alive: timeout=5",
    b"proxy-connection: close", b"upgrade: h2c", b"te: trailers", b"te: gzip", b"te: trailers, gzip", b"te: ",
    b"http2-settings: AAMAAABk", b"connection: ", b"te:  trailers", b"Transfer-Encoding: chunked",
]
PSEUDO = [
    (b":method", b"GET"), (b":path", b"/other"), (b":scheme", b"https"), (b":authority", b"other.example"),
    (b":status", b"200"), (b":protocol", b"websocket"), (b":x", b"y"), (b":", b"y"), (b":Path", b"/other"),
    (b":path ", b"/other"), (b":host", b"a"),
]
AGAIN = [b":method", b":path", b":scheme", b":authority", b"host", b"content-length", b"x-mark", b"cookie"]
SMUGGLED = b"GET /smuggled%d HTTP/1.1\r\nHost: a\r\n\r\n"
TRAILERS = [
    [], [(b"x-t", b"1")], [(b":path", b"/other")], [(b"X-T", b"1")], [(b"content-length", b"5")], [(b"x-t", b"a\r\nb")],
    [(b"connection", b"close")], [(b"transfer-encoding", b"chunked")], [(b"host", b"x")], [(b"x-t", b"\xff")],
    [(b"x-forwarded-for", FORGED.encode())], [(b"x t", b"1")], [(b"x-t", b"a\x00")],
]
SCHEMES = [b"https", b"ftp", b"", b"HTTP", b"http ", b"ht\x00tp", b"http:", b"http://x", b"h\r\nX: y"]


@dataclasses.dataclass
class Stream:
    fields: list  # (name, value), bytes
    data: list = dataclasses.field(default_factory=list)  # of the DATA frames
    trailers: list | None = None
    ends: bool = True  # the last frame has END_STREAM
    split: int = 0  # each header block goes in this many frames: HEADERS, CONTINUATION …
    padding: int | None = None  # bytes in each DATA frame
    resets: bool = False  # the client ends the stream by a reset in the place of its last frame's END_STREAM

    @staticmethod
    def loaded(members):
        trailers = members.get("trailers")
        return Stream(unpaired(members["fields"]), [data.encode("latin-1") for data in members.get("data", [])],
                      unpaired(trailers) if trailers is not None else None, members.get("ends", True),
                      resets=members.get("resets", False))


def get(path, method=b"GET"):
    return Stream([(b":method", method), (b":scheme", b"http"), (b":authority", b"a.example"), (b":path", path)])


def unpaired(fields):
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]


def base(draw, seed):
    return [request(draw, seed, number) for number in range(draw.choice([1, 1, 2]))]


def request(draw, seed, number):
    method = draw.choice([b"GET", b"GET", b"POST", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS"])
    fields = get(b"/h%d-%d" % (seed, number), method).fields
    if draw.random() < 0.6:
        fields.append((b"x-mark", b"m%d" % number))
    data = []
    if method in (b"POST", b"PUT"):
        data = draw.choice([[b"hello"], [b"he", b"llo"], [], [SMUGGLED % seed], [b"", b"x", b""]])
        if draw.random() < 0.6:
            fields.append((b"content-length", b"%d" % sum(map(len, data))))
    return Stream(fields, data, split=draw.choice([0, 0, 0, 2, 5]))


def place(stream, draw, name, value):
    stream.fields.insert(draw.randint(min(4, len(stream.fields)), len(stream.fields)), (name, value))


def replace(stream, draw, name, value):
    """Gives the field another value, or adds it."""
    if any(other == name for other, _ in stream.fields):
        stream.fields = [(other, value if other == name else old) for other, old in stream.fields]
    else:
        place(stream, draw, name, value)


def pseudo_value(name, choices):
    def mutate(streams, draw):
        stream = draw.choice(streams)
        old = next((value for other, value in stream.fields if other == name), b"")
        replace(stream, draw, name, fill(draw.choice(choices), old))
    return mutate


def extra(choices):
    def mutate(streams, draw):
        name, _, value = draw.choice(choices).partition(b": ")
        place(draw.choice(streams), draw, name, value)
    return mutate


def pseudo(streams, draw):
    """Another pseudo-field, before or after the regular ones."""
    stream = draw.choice(streams)
    stream.fields.insert(draw.randint(0, len(stream.fields)), draw.choice(PSEUDO))


def again(streams, draw):
    """A field twice, with the same value or another."""
    stream, name = draw.choice(streams), draw.choice(AGAIN)
    old = next((value for other, value in stream.fields if other == name), b"1")
    stream.fields.insert(draw.randint(0, len(stream.fields)), (name, draw.choice([old, old + b"1", b"x"])))


def missing(streams, draw):
    stream = draw.choice(streams)
    if stream.fields:
        del stream.fields[draw.randrange(min(4, len(stream.fields)))]


def moved(streams, draw):
    stream = draw.choice(streams)
    if stream.fields:
        stream.fields.append(stream.fields.pop(draw.randrange(len(stream.fields))))


def upper(streams, draw):
    stream = draw.choice(streams)
    at = draw.randrange(len(stream.fields)) if stream.fields else 0
    stream.fields[at:at + 1] = [(name.upper(), value) for name, value in stream.fields[at:at + 1]]


def host(streams, draw):
    stream = draw.choice(streams)
    if draw.random() < 0.5:
        stream.fields = [(name, value) for name, value in stream.fields if name != b":authority"]
    place(stream, draw, b"host", draw.choice([b"a.example", b"A.EXAMPLE", b"other.example", *HOSTS]))


def length(streams, draw):
    stream = draw.choice(streams)
    real = sum(map(len, stream.data))
    others = [b"%d" % other for other in (real + 1, max(0, real - 1), real + 1000)]
    replace(stream, draw, b"content-length", draw.choice([fill(draw.choice(LENGTHS), real), *others]))


def body(streams, draw):
    draw.choice(streams).data = draw.choice([[b"x" * 20000], [b"", b""], [b"0\r\n\r\n"], [b"x"] * 20])


def trailers(streams, draw):
    draw.choice(streams).trailers = draw.choice(TRAILERS)


def open_end(streams, draw):
    """The client does not end its request."""
    draw.choice(streams).ends = False


def resets(streams, draw):
    """The client breaks its request off."""
    stream = draw.choice(streams)
    stream.ends, stream.resets = False, True


def padded(streams, draw):
    draw.choice(streams).padding = draw.choice([0, 1, 255])


def many_fields(streams, draw):
    draw.choice(streams).fields += [(b"x-a", b"b")] * draw.choice([60, 300, 1100])


def field_name(streams, draw):
    place(draw.choice(streams), draw, draw.choice(NAMES), b"x")


def mark(streams, draw):
    replace(draw.choice(streams), draw, b"x-mark", draw.choice([*VALUES, *MARKS]))


def forge(streams, draw):
    name = draw.choice(FORGERIES).lower()
    place(draw.choice(streams), draw, name, FORGED.encode() if name != b"forwarded" else b"for=" + FORGED.encode())


def cookies(streams, draw):
    for value in draw.choice([[b"a=b", b"c=d"], [b"", b"a=b"], [b"a=b; ", b";"], [b"a=\xe9"], [b"a=b\r\n"]]):
        place(draw.choice(streams), draw, b"cookie", value)


MUTATIONS = {
    "method": pseudo_value(b":method", METHODS), "path": pseudo_value(b":path", TARGETS),
    "authority": pseudo_value(b":authority", HOSTS), "scheme": pseudo_value(b":scheme", SCHEMES),
    "pseudo": pseudo, "again": again, "missing": missing, "moved": moved, "upper case": upper, "host": host,
    "length": length, "body": body, "trailers": trailers, "open end": open_end, "resets": resets, "padded": padded,
    "many fields": many_fields, "name": field_name, "mark": mark,
    "mark again": mark, "connection": extra(CONNECTION_FIELDS), "shadow": extra([line.lower() for line in SHADOWS]),
    "forge": forge, "cookies": cookies, "expect": extra([b"expect: 100-continue", b"expect: x"]),
}


def build(streams, draw, seed):
    return Case(str(seed), "http2", streams=streams)


MUTATOR = Mutator(base, MUTATIONS, build)
