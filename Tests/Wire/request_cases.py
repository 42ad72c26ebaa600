"""Requests of HTTP/1 from the grammar, and mutations of them."""
import dataclasses

from case import WAIT, Case, Mutator
from origins import FORGED

CRLF = b"\r\n"
ENDS = [b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b"\x0b\r\n", b" \r\n", b"\x00\r\n", b"\r\n ", b"\x85\r\n"]
SPACES = [b"", b"  ", b"\t", b"\x0b", b"\x0c", b" \t", b"\xa0", b"\r\n ", b"\x00"]
LENGTHS = [b"%d ", b" %d", b"\t%d\t", b"+%d", b"-%d", b"0%d", b"00000000000000000000000%d", b"%d, %d", b"%d,%d", b"%d,", b",%d",
           b"%d 0", b"%d;", b'"%d"', b"0x%d", b"%d.0", b"%de0", b"%d_0", b"%d\x0b", b"\x0c%d", b"%d\x00", b"\xa0%d", b"%d\x85",
           b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"18446744073709551621", b"4294967296",
           b"99999999999999999999999999", b"", b" ", b"abc", b"\xd9\xa5", b"-1", b"-0", b"%d\r\n ", b"%d, 0", b"0, %d"]
CODINGS = [b"chunked", b"Chunked", b"CHUNKED ", b"chunked, chunked", b"xchunked", b"identity", b"\x0bchunked", b"chunked\x0b",
           b"\x0cchunked", b"chunked, identity", b"identity, chunked", b"gzip, chunked", b"chunked;q=1", b'"chunked"', b"chunke",
           b", chunked", b"chunked,", b"", b",", b"chunked\x00", b"\r\n chunked", b"chun\r\n ked", b"chunked, ", b"chunk ed",
           b"chunked\xa0", b"\xffchunked", b"chunked\t", b"x, chunked", b"none"]
SIZES = [b"0x%x", b" %x", b"%x ", b"%x\t", b"%xzz", b"+%x", b"-%x", b"0%x", b"0000000000000000000000%x", b"%x;", b"%x ;x", b"%x; x=1",
         b'%x;x="a;b"', b'%x;x="\r\n"', b"%x;x=\x00", b"%x;x\n", b"%x;x=\xff", b"%x\x0b", b"%x;" + b"e" * 300, b"%x;" + b"e" * 5000,
         b"ffffffffffffffff", b"fffffffffffffffff", b"8000000000000000", b"10000000000000005", b"", b";x", b"%x,%x", b"%x_0", b"%x.0", b"%x x",
         b"%x\r", b"%x\x00", b"%x;a=b;c", b"%x;=", b"\xd9\xa5"]
HOSTS = [b"", b" ", b"a b", b"a/b", b"u@a", b"u:p@a", b"a?b", b"a#b", b"a,b", b"[::1", b"[::1]", b"[::1]:80", b"[]", b"::1", b"a:", b"a:x", b"a:80:80",
         b"a:99999", b"a\\b", b"a\xffb", b"a%2fb", b"a%zz", b"a\tb", b"A.Example", b"a.", b"a_b", b"127.0.0.1:1", b"a;b", b"<a>",
         b"a\x00", b"\xc3\xa4", b"[::1%25lo]", b"[v1.x]", b"a^b", b"a|b", b"{a}", b"a\"b", b"*", b"a\x7f", b"0", b"http://a", b"a:-1", b"a: 80"]
TARGETS = [b"http://other.example%s", b"HTTP://other.example%s", b"https://other.example%s", b"http://u:p@other.example%s", b"http://other.example",
           b"http://other.example?q", b"http://%s", b"http:%s", b"ftp://other.example%s", b"%s#f", b"%s#", b"/private#x", b"/private/x#y", b"/private", b"/private?%s",
           b"/private%%2f", b"//private", b"/./private", b"/x/../private", b"/PRIVATE", b"/private;x", b"/private\\x", b"*", b"x%s", b"?%s", b"%s?a b",
           b"%s\t", b"%s\x00", b"%s\xff", b"%s%%", b"%s%%zz", b"%s?\"<>", b"%s\\..\\x", b"//other.example%s", b"%s?q#f", b"http://other.example#f", b"",
           b"other.example:80", b"%s\x0b", b"%s\x7f", b"%s?http://x", b"http://other.example:80%s", b"http://[::1]%s", b"http://a b%s", b"http:///x",
           b"http://:80%s", b"http://other.example\\%s", b"unix:%s", b"%s{}|^`", b"/early%s", b"http://other.example/private", b"/v1/streams%s",
           b"http://other.example:x%s", b"%%2fprivate", b"/private%%00", b"/private%%23x", b"%s%%0d%%0aX:y", b"\xef\xbb\xbf%s"]
METHODS = [b"get", b"GeT", b"GET\t", b" GET", b"G ET", b"G:T", b"GET\x00", b"", b"LIST", b"BAN", b"TRACE", b"OPTIONS", b"CONNECT", b"PRI", b"HEAD",
           b"M-SEARCH", b"GET/", b"\xffGET", b"PATCH", b"DELETE", b"PUT", b"PROPFIND", b"POST,GET", b"GET\r", b"(GET)", b"QUERY", b"X" * 300, b"!#$%&'*+-.^_`|~"]
VERSIONS = [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.01", b"HTTP/01.1", b"http/1.1", b"HTTP/1", b"HTTP/1.1 ", b" HTTP/1.1", b"HTTP/1,1",
            b"HTTPS/1.1", b"", b"HTTP/1.1x", b"HTTP/3.0", b"HTTP/1.9", b"ICY/1.1", b"HTTP/ 1.1", b"HTTP/1.\xb2", b"HTTP/1.1\x00", b"HTTP/+1.1"]
MARKS = [b"caf\xe9", b"\xff\xfe", b"\xc3\xa9", b"a\tb", b"a\x00b", b"a\x01b", b"a\x7fb", b"a\x0bb", b"", b" ", b"\t x \t", b"\x80", b"a\x1bb", b"\"", b"a\r b", b"a\nb",
         b"x" * 9000, b"a,b", b"\xed\xa0\x80", b"\xef\xbf\xbd", b"a\r\n b", b"\xa0x\xa0", b"\x85", b"a\x85X-A: b", b"\xe2\x80\xa8", b"x" * 40000]
NAMES = [b"X Mark", b"X-Mark ", b"X-Mark\t", b" X-Mark", b"X-M\x00ark", b"X-Mark\xff", b"", b"(X)", b"X-Mark\x0b", b"X@Mark", b"X/Mark", b"[X]", b"x-mark", b"X-MARK",
         b"X_Mark", b"X.Mark", b"X\"", b"X{", b"X-M\rark", b"\xc3\xa4", b"|X~", b":X", b"X-Mark\xa0", b"\x85X"]
OPTIONS = [b"close", b"keep-alive", b"Close", b"close, close", b"content-length", b"close, content-length", b"host", b"transfer-encoding",
           b"x-mark", b"X-Mark, close", b"expect", b"", b",", b"te, upgrade", b"upgrade", b"keep-alive, close", b"close;x", b"traceparent",
           b"x-forwarded-for", b"clo se", b"Content-Length, Transfer-Encoding, Host", b"cookie", b"via", b"\x0bclose", b"keep-alive, x-forwarded-host"]
EXPECTATIONS = [b"100-continue", b"100-Continue", b"100-continue, 100-continue", b"x", b"", b"100-continue;x", b"200-ok", b" 100-continue ", b"100"]
FORGERIES = [b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"Forwarded", b"X_Forwarded_For", b"X-Forwarded_For", b"X-Forwarded-Port",
             b"X-Forwarded-Prefix", b"X-Forwarded-Server", b"X-Forwarded-Scheme", b"X-Forwarded-Ssl", b"X-Forwarded-By", b"X-Forwarded-User", b"X-Real-IP",
             b"X_Real_IP", b"X_FORWARDED_HOST", b"x-forwarded-for", b"X_Forwarded-Proto"]
SHADOWS = [b"Content_Length: 5", b"Transfer_Encoding: chunked", b"Content-Length_: 5", b"Content_Length: 0", b"Host_: x", b"Content-Lengt: 5", b"Keep-Alive: timeout=1",
           b"Proxy-Connection: keep-alive", b"TE: trailers", b"TE: chunked", b"Trailer: Content-Length", b"Upgrade: h2c", b"Upgrade: websocket",
           b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", b"Max-Forwards: 0", b"Max-Forwards: 5", b"Max-Forwards: x", b"Range: bytes=0-0", b"X-Mark: second",
           b"Cookie: a=b", b"Content-Type: a/b", b"Via: 1.1 x", b"Via: 1.1 weir", b"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"If-Match: *",
           b"Prefer: respond-async", b"Content-Encoding: gzip", b"Sec-WebSocket-Key: x", b"Authorization: x", b"Accept-Encoding: ", b"Host: ", b"Date: x"]
TRAILERS = [b"X-T: 1", b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: x", b" x: 1", b"X-T : 1", b"X-T", b"X-T: \x00", b"X-Forwarded-For: " + FORGED.encode(), b"X-T: \xff",
            b"X-T: 1\r\n 2", b"\x00: 1", b"Authorization: x", b"X_T: 1"]


@dataclasses.dataclass
class Draft:
    """A request as it will be written. Lines carry their own ends, so that each can be mutated."""

    method: bytes
    target: bytes
    fields: list  # [name, separator, value, end]
    content: bytes
    version: bytes = b"HTTP/1.1"
    spaces: list = dataclasses.field(default_factory=lambda: [b" ", b" "])
    end: bytes = CRLF
    blank: bytes = CRLF
    before: bytes = b""
    chunks: list | None = None  # [size, its line's end, content, end]; None: no chunked body
    trailers: bytes = CRLF
    after: bytes = b""
    stops: bool = False  # the client sends nothing of the body until it has been answered

    @property
    def head(self):
        line = self.method + self.spaces[0] + self.target + self.spaces[1] + self.version + self.end
        return self.before + line + b"".join(b"".join(field) for field in self.fields) + self.blank

    @property
    def body(self):
        if self.chunks is None:
            return self.content + self.after
        return b"".join(b"".join(chunk) for chunk in self.chunks) + self.trailers + self.after

    def find(self, name):
        return next((field for field in self.fields if field[0].lower() == name.lower()), None)

    def add(self, draw, name, value, separator=b": "):
        self.fields.insert(draw.randint(0, len(self.fields)), [name, separator, value, CRLF])

    def chunk(self, draw):
        """Frames the content in chunks."""
        self.fields = [field for field in self.fields if field[0] != b"Content-Length"]
        cut = draw.randint(1, max(1, len(self.content)))
        parts = [part for part in (self.content[:cut], self.content[cut:]) if part]
        self.chunks = [[b"%x" % len(part), CRLF, part, CRLF] for part in parts] + [[b"0", CRLF, b"", b""]]


def base(draw, seed):
    """One to three well-formed requests."""
    return [request(draw, seed, number) for number in range(draw.choice([1, 1, 1, 2, 3]))]


def request(draw, seed, number):
    method = draw.choice([b"GET", b"GET", b"POST", b"POST", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH", b"PROPFIND"])
    target = draw.choice([b"/c%s-%d", b"/a/c%s-%d?q=1", b"/c%s-%d?", b"/%%41/c%s-%d"]) % (str(seed).encode(), number)
    draft = Draft(method, target, [[b"Host", b": ", b"a.example", CRLF]], b"")
    if draw.random() < 0.6:
        draft.fields.append([b"X-Mark", b": ", b"m%d" % number, CRLF])
    if method not in (b"GET", b"HEAD", b"OPTIONS") or draw.random() < 0.1 and method != b"HEAD":
        # What a hop that finds the end of the message elsewhere takes for a request.
        draft.content = draw.choice([b"hello", b"x", b"0\r\n\r\n", b"GET /smuggled%s HTTP/1.1\r\nHost: a\r\nX-A: " % str(seed).encode() + b"\r\n\r\n",
                                     b"z" * 300, b""])
        draft.fields.append([b"Content-Length", b": ", b"%d" % len(draft.content), CRLF])
        if draw.random() < 0.4:
            draft.chunk(draw)
            draft.fields.append([b"Transfer-Encoding", b": ", b"chunked", CRLF])
    return draft


def fill(pattern, *arguments):
    """The pattern with the number or text in each of its places; `%%` beside these is a percent sign."""
    places = sum(pattern.count(kind) for kind in (b"%s", b"%d", b"%x"))
    return pattern % (arguments * places) if places else pattern.replace(b"%%", b"%")


def some(drafts, draw):
    return draw.choice(drafts)


def with_body(drafts, draw):
    """One with a body; the first is given one where none has any."""
    found = [draft for draft in drafts if draft.content]
    if not found:
        draft = drafts[0]
        draft.method, draft.content = b"POST", b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        draft.fields = [field for field in draft.fields if field[0] != b"Content-Length"]
        draft.fields.append([b"Content-Length", b": ", b"%d" % len(draft.content), CRLF])
        return draft
    return draw.choice(found)


def chunked(drafts, draw):
    draft = with_body(drafts, draw)
    if draft.chunks is None:
        draft.chunk(draw)
        draft.fields.append([b"Transfer-Encoding", b": ", b"chunked", CRLF])
    return draft


def set_field(draft, draw, name, value):
    """Gives a field a value, or adds a second one with it."""
    field = draft.find(name)
    if field and draw.random() < 0.75:
        field[2] = value
    else:
        draft.add(draw, name, value)


def length(drafts, draw):
    draft = with_body(drafts, draw)
    set_field(draft, draw, b"Content-Length", fill(draw.choice(LENGTHS), len(draft.content)))


def other_length(drafts, draw):
    draft = with_body(drafts, draw)
    set_field(draft, draw, b"Content-Length", b"%d" % max(0, len(draft.content) + draw.choice([-1, 1, -2, 2, -5, 5, 1000])))


def coding(drafts, draw):
    draft = chunked(drafts, draw) if draw.random() < 0.7 else with_body(drafts, draw)
    set_field(draft, draw, b"Transfer-Encoding", draw.choice(CODINGS))


def both_framings(drafts, draw):
    draft = chunked(drafts, draw)
    draft.add(draw, b"Content-Length", draw.choice([b"0", b"5", b"%d" % len(draft.body)]))


def size(drafts, draw):
    chunk = draw.choice(chunked(drafts, draw).chunks)
    chunk[0] = fill(draw.choice(SIZES), len(chunk[2]))


def chunk_end(drafts, draw):
    chunk = draw.choice(chunked(drafts, draw).chunks)
    chunk[draw.choice([1, 3])] = draw.choice([b"", b"\n", b"\r", b"x\r\n", b"\r\nx", *ENDS])


def trailer(drafts, draw):
    chunked(drafts, draw).trailers = draw.choice(TRAILERS) + draw.choice([CRLF, CRLF, b"\n", b"\r"]) + draw.choice([CRLF, CRLF, b"\n"])


def cut(drafts, draw):
    """The client stops in mid-message."""
    draft = drafts.pop()
    data = draft.head + draft.body
    drafts.append(Draft(b"", b"", [], b"", version=b"", spaces=[b"", b""], end=b"", blank=b"", before=data[:draw.randrange(len(data))]))


def host(drafts, draw):
    set_field(some(drafts, draw), draw, b"Host", draw.choice(HOSTS))


def no_host(drafts, draw):
    draft = some(drafts, draw)
    draft.fields = [field for field in draft.fields if field[0] != b"Host"]


def target(drafts, draw):
    draft = some(drafts, draw)
    draft.target = fill(draw.choice(TARGETS), draft.target)


def attribute(name, choices):
    def mutate(drafts, draw):
        setattr(some(drafts, draw), name, draw.choice(choices))
    return mutate


def space(drafts, draw):
    some(drafts, draw).spaces[draw.randrange(2)] = draw.choice(SPACES)


def duplicate(drafts, draw):
    draft = some(drafts, draw)
    draft.fields.insert(draw.randint(0, len(draft.fields)), list(draw.choice(draft.fields)) if draft.fields else [b"X", b":", b"", CRLF])


def field_of(name, choices):
    def mutate(drafts, draw):
        set_field(some(drafts, draw), draw, name, draw.choice(choices))
    return mutate


def shadow(drafts, draw):
    name, _, value = draw.choice(SHADOWS).partition(b": ")
    some(drafts, draw).add(draw, name, value)


def upgrade(drafts, draw):
    draft = some(drafts, draw)
    draft.add(draw, b"Upgrade", draw.choice([b"h2c", b"websocket", b"TLS/1.0", b"h2c, x"]))
    draft.add(draw, b"Connection", draw.choice([b"Upgrade", b"Upgrade, HTTP2-Settings", b"upgrade, close"]))


def forge(drafts, draw):
    name = draw.choice(FORGERIES)
    some(drafts, draw).add(draw, name, FORGED.encode() if name != b"Forwarded" else b"for=" + FORGED.encode())


def fold(drafts, draw):
    field = draw.choice(some(drafts, draw).fields or [[b"", b"", b"", b""]])
    field[2] = draw.choice([CRLF + b" ", CRLF + b"\t", b"\n "]) + field[2] if draw.random() < 0.5 else field[2] + CRLF + b" x"


def field_line(place, choices):
    def mutate(drafts, draw):
        draft = some(drafts, draw)
        if draft.fields:
            draw.choice(draft.fields)[place] = draw.choice(choices)
    return mutate


def expect(drafts, draw):
    """The client waits for the answer before it sends the body."""
    draft = drafts[-1] if drafts[-1].content else with_body(drafts[-1:], draw)
    draft.add(draw, b"Expect", draw.choice([b"100-continue", b"100-continue", *EXPECTATIONS]))
    draft.stops = draw.random() < 0.7
    if draw.random() < 0.5:
        draft.target = b"/early" + draft.target


def early(drafts, draw):
    draft = with_body(drafts, draw)
    draft.target = b"/early" + draft.target


def insert_byte(drafts, draw):
    """A byte anywhere in a line of the head."""
    draft = some(drafts, draw)
    field = draw.choice(draft.fields or [[b"", b"", b"", b""]])
    place = draw.choice([0, 2])
    at = draw.randint(0, len(field[place]))
    field[place] = field[place][:at] + bytes([draw.choice([0, 1, 9, 10, 11, 12, 13, 27, 32, 34, 44, 58, 59, 127, 128, 133, 160, 255])]) + field[place][at:]


MUTATIONS = {
    "length": length, "other length": other_length, "coding": coding, "both framings": both_framings, "size": size, "chunk end": chunk_end,
    "trailer": trailer, "cut": cut, "host": host, "no host": no_host, "target": target, "space": space, "duplicate": duplicate,
    "method": attribute("method", METHODS), "version": attribute("version", VERSIONS), "end of line": attribute("end", ENDS),
    "empty line": attribute("blank", [b"", b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" \r\n"]), "before": attribute("before", [CRLF, b"\n", CRLF * 2, b" ", b"\x00", b"\r", b"\xef\xbb\xbf"]),
    "after": attribute("after", [CRLF, b"\n", b"x", b"\x00", CRLF * 3, b"0\r\n\r\n"]),
    "mark": field_of(b"X-Mark", MARKS), "mark again": field_of(b"X-Mark", MARKS), "name": field_line(0, NAMES), "colon": field_line(1, [b":", b" : ", b" :", b"\t:", b"", b"=", b":\t ", b"::", b":\x0b", b":\r\n "]),
    "end of field": field_line(3, ENDS), "connection": field_of(b"Connection", OPTIONS), "shadow": shadow, "upgrade": upgrade, "forge": forge,
    "fold": fold, "expect": expect, "early": early, "byte": insert_byte,
}


def build(drafts, draw, seed):
    """The bytes, with a last request that has weir close: its response shows where the ones before it ended."""
    case = Case(str(seed), "http1")
    data = b""
    for draft in drafts:
        data += draft.head
        if draft.stops:
            case.pieces += [data, WAIT]
            data = b""
        data += draft.body
    data += b"GET /end%s HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n" % str(seed).encode()
    split = draw.randrange(len(data)) if draw.random() < 0.2 else 0
    case.pieces += [piece for piece in (data[:split], data[split:]) if piece]
    return case


MUTATOR = Mutator(base, MUTATIONS, build)
