"""Responses of HTTP/1 from the grammar, and mutations of them."""
import dataclasses

from case import Case, Mutator
from drafts import CRLF, ResponseDraft
from mutations import SHARED, field_of, some

USUAL_LINES = [b"HTTP/1.1 200 OK"] * 3 + [
    b"HTTP/1.1 404 Not Found", b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified", b"HTTP/1.0 200 OK",
]
LINES = [
    b"HTTP/1.0 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1  200 OK", b"HTTP/1.1 200  OK", b"HTTP/1.1 99 X",
    b"HTTP/1.1 600 X", b"HTTP/1.1 999 X", b"HTTP/1.1 000 X", b"HTTP/1.1 2000 X", b"HTTP/1.1 20 X", b"HTTP/1.1 -200 X",
    b"HTTP/1.1 +200 X", b"HTTP/1.1 0x200 X", b"HTTP/1.1 200OK", b"HTTP/1.2 200 OK", b"HTTP/2.0 200 OK",
    b"HTTP/2 200 OK", b"HTTP/0.9 200 OK", b"http/1.1 200 OK", b"ICY 200 OK", b"HTTP/1.1 200 a\rb",
    b"HTTP/1.1 200 a\x00b", b"HTTP/1.1 200 a\x01b", b"HTTP/1.1 200 caf\xe9", b"HTTP/1.1\t200 OK", b"HTTP/1.1 200\tOK",
    b" HTTP/1.1 200 OK", b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 205 Reset Content", b"HTTP/1.1 404 X", b"HTTP/1.1 500 X",
    b"HTTP/1.1 100 Continue", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 417 X", b"HTTP/1.1 408 X", b"HTTP/1.1 2\xb20 X",
    b"", b"<html>", b"HTTP/1.1", b"HTTP/1.1 200 " + b"x" * 9000,
]
INTERIM = [
    b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 199 X\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\nLink: x\n\n", b"HTTP/1.1 103 Early Hints\r\nA b: c\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.0 100 Continue\r\n\r\n",
]
SURPLUS = [
    b"\r\n", b"\n", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nSet-Cookie: a=b\r\n\r\nsmuggled",
    b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", b"smuggled" * 500,
    b"0\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"\x00",
]
FIELDS = [
    b"Connection: close", b"Connection: keep-alive", b"Connection: content-length", b"Connection: x",
    b"Keep-Alive: timeout=5", b"Upgrade: h2c", b"Trailer: X-T", b"Set-Cookie: a=b",
    b"Content-Type: text/event-stream", b"Content-Type: application/x-ndjson", b"Content-Encoding: gzip",
    b"Proxy-Connection: close", b"Location: /x", b"X-Stream-Id: x", b"Date: x", b"Content-Range: bytes 0-1/2",
    b"Retry-After: 1", b"Connection: upgrade", b"Content_Length: 0", b"X-Accel-Buffering: yes", b"Via: 1.1 weir",
    b"Content-Type: multipart/byteranges; boundary=x",
]


@dataclasses.dataclass
class Script:
    """What an origin sends in return for one request, and when."""

    method: str
    response: bytes
    late: bytes = b""  # sent when the client has the response
    closes: bool = False  # after that
    resets: bool = False  # it closes by a reset; only where it closes: the next script would end so
    cuts: list = dataclasses.field(default_factory=list)  # where the response is cut into pieces, each sent by itself
    is_http2: bool = False  # the client speaks that

    @staticmethod
    def loaded(members):
        response, late = (members[name].encode("latin-1") for name in ("response", "late"))
        return Script(members["method"], response, late, members["closes"], members.get("resets", False),
                      members.get("cuts", []), members.get("http2", False))

    @property
    def pieces(self):
        places = [0, *self.cuts, len(self.response)]
        return [self.response[start:end] for start, end in zip(places, places[1:])]


def base(draw, seed):
    """One well-formed response."""
    draft = ResponseDraft([], b"")
    draft.line = draw.choice(USUAL_LINES)
    draft.method = draw.choice([b"GET", b"GET", b"GET", b"HEAD", b"DELETE"])
    content = draw.choice([b"", b"x", b"body%d" % seed, b"z" * 5000, b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"])
    if b" 204 " in draft.line or b" 304 " in draft.line:
        content = b""
    elif draw.random() < 0.2:
        draft.content, draft.closes = content, True  # delimited by the end of the connection
    else:
        draft.frame(content)
        if draw.random() < 0.4 and b"/1.1" in draft.line:
            draft.chunk(draw)
    draft.closes = draft.closes or draw.random() < 0.2 or b"/1.0" in draft.line
    return [draft]


def attribute(name, choices):
    def mutate(drafts, draw):
        setattr(drafts[0], name, draw.choice(choices))
    return mutate


def interim(drafts, draw):
    drafts[0].interim += [draw.choice(INTERIM)] * draw.choice([1, 1, 2, 30])


def field(drafts, draw):
    name, _, value = draw.choice(FIELDS).partition(b": ")
    some(drafts, draw).add(draw, name, value)


def closes(drafts, draw):
    drafts[0].closes = not drafts[0].closes


def resets(drafts, draw):
    drafts[0].closes = drafts[0].resets = True


def kept_1_0(drafts, draw):
    """HTTP/1.0 that keeps the connection."""
    drafts[0].line, drafts[0].closes = b"HTTP/1.0 200 OK", False
    drafts[0].add(draw, b"Connection", draw.choice([b"keep-alive", b"Keep-Alive", b"keep-alive, close"]))


def coding_again(drafts, draw):
    drafts[0].add(draw, b"Transfer-Encoding", draw.choice([b"chunked", b"gzip", b"identity", b""]))


def many_fields(drafts, draw):
    value = b"b" * draw.choice([1, 700])
    drafts[0].fields += [[b"X-A", b": ", value, CRLF] for _ in range(draw.choice([30, 99, 300]))]


def bodiless(drafts, draw):
    """A response that has no body, with one."""
    drafts[0].give_body()
    if draw.random() < 0.3:
        drafts[0].method = b"HEAD"
    else:
        drafts[0].line = draw.choice([b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified"])
    if draw.random() < 0.5:
        drafts[0].late, drafts[0].content = drafts[0].content, b""


MUTATIONS = {
    **SHARED, "line": attribute("line", LINES), "late": attribute("late", SURPLUS), "late again": attribute("late", SURPLUS),
    "early": attribute("after", SURPLUS), "interim": interim, "field": field, "closes": closes, "bodiless": bodiless,
    "resets": resets, "kept 1.0": kept_1_0, "coding again": coding_again, "many fields": many_fields,
    "method": attribute("method", [b"HEAD", b"GET", b"OPTIONS"]),
    "type": field_of(b"Content-Type", [b"text/event-stream", b"application/x-ndjson", b"text/plain\r\n x", b""]),
}


def build(drafts, draw, seed):
    draft = drafts[0]
    # What reads the method is the head alone: HEAD's response has the fields, and no body.
    body = b"" if draft.method == b"HEAD" and draft.raw is None and draw.random() < 0.7 else draft.body
    response = b"".join(draft.interim) + draft.head + body
    script = Script(draft.method.decode(), response, draft.late, draft.closes, draft.resets and draft.closes)
    if draw.random() < 0.3:
        script.cuts = sorted(draw.choices(range(len(response) + 1), k=draw.choice([1, 2, 3])))
    script.is_http2 = draw.random() < 0.3
    return Case(str(seed), "response", script=script)


MUTATOR = Mutator(base, MUTATIONS, build)
