"""Requests of HTTP/1 from the grammar, and mutations of them."""
from case import NONCE, WAIT, Case, Mutator
from drafts import CRLF, RequestDraft
from mutations import MARKS, SHARED, attribute, field_of, fill, some, with_body
from origins import FORGED

SPACES = [b"", b"  ", b"\t", b"\x0b", b"\x0c", b" \t", b"\xa0", b"\r\n ", b"\x00"]
HOSTS = [
    b"", b" ", b"a b", b"a/b", b"u@a", b"u:p@a", b"a?b", b"a#b", b"a,b", b"[::1", b"[::1]", b"[::1]:80", b"[]",
    b"::1", b"a:", b"a:x", b"a:80:80", b"a:99999", b"a\\b", b"a\xffb", b"a%2fb", b"a%zz", b"a\tb", b"A.Example",
    b"a.", b"a_b", b"127.0.0.1:1", b"a;b", b"<a>", b"a\x00", b"\xc3\xa4", b"[::1%25lo]", b"[v1.x]", b"a^b", b"a|b",
    b"{a}", b"a\"b", b"*", b"a\x7f", b"0", b"http://a", b"a:-1", b"a: 80",
]
TARGETS = [
    b"http://other.example%s", b"HTTP://other.example%s", b"https://other.example%s", b"http://u:p@other.example%s",
    b"http://other.example", b"http://other.example?q", b"http://%s", b"http:%s", b"ftp://other.example%s", b"%s#f",
    b"%s#", b"/private#x", b"/private/x#y", b"/private", b"/private?%s", b"/private%%2f", b"//private", b"/./private",
    b"/x/../private", b"/PRIVATE", b"/private;x", b"/private\\x", b"*", b"x%s", b"?%s", b"%s?a b", b"%s\t", b"%s\x00",
    b"%s\xff", b"%s%%", b"%s%%zz", b"%s?\"<>", b"%s\\..\\x", b"//other.example%s", b"%s?q#f",
    b"http://other.example#f", b"", b"other.example:80", b"%s\x0b", b"%s\x7f", b"%s?http://x",
    b"http://other.example:80%s", b"http://[::1]%s", b"http://a b%s", b"http:///x", b"http://:80%s",
    b"http://other.example\\%s", b"unix:%s", b"%s{}|^`", b"/early%s", b"http://other.example/private",
    b"/v1/streams%s", b"http://other.example:x%s", b"%%2fprivate", b"/private%%23x", b"%s%%0d%%0aX:y",
    b"\xef\xbb\xbf%s", b"%s?" + b"q" * 3000, b"%s" + b"/p" * 4000, b"%s" + b"/p" * 20000,
]
USUAL_METHODS = [b"GET"] * 2 + [b"POST"] * 3 + [b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH", b"PROPFIND"]
METHODS = [
    b"get", b"GeT", b"GET\t", b" GET", b"G ET", b"G:T", b"GET\x00", b"", b"LIST", b"BAN", b"TRACE", b"OPTIONS",
    b"CONNECT", b"PRI", b"HEAD", b"M-SEARCH", b"GET/", b"\xffGET", b"PATCH", b"DELETE", b"PUT", b"PROPFIND",
    b"POST,GET", b"GET\r", b"(GET)", b"QUERY", b"X" * 300, b"!#$%&'*+-.^_`|~",
]
VERSIONS = [
    b"HTTP/1.0", b"HTTP/1.2", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.01", b"HTTP/01.1", b"http/1.1", b"HTTP/1",
    b"HTTP/1.1 ", b" HTTP/1.1", b"HTTP/1,1", b"HTTPS/1.1", b"", b"HTTP/1.1x", b"HTTP/3.0", b"HTTP/1.9", b"ICY/1.1",
    b"HTTP/ 1.1", b"HTTP/1.\xb2", b"HTTP/1.1\x00", b"HTTP/+1.1",
]
OPTIONS = [
    b"close", b"keep-alive", b"Close", b"close, close", b"content-length", b"close, content-length", b"host",
    b"transfer-encoding", b"x-mark", b"X-Mark, close", b"expect", b"", b",", b"te, upgrade", b"upgrade",
    b"keep-alive, close", b"close;x", b"traceparent", b"x-forwarded-for", b"clo se",
    b"Content-Length, Transfer-Encoding, Host", b"cookie", b"via", b"\x0bclose", b"keep-alive, x-forwarded-host",
]
EXPECTATIONS = [
    b"100-continue", b"100-Continue", b"100-continue, 100-continue", b"x", b"", b"100-continue;x", b"200-ok",
    b" 100-continue ", b"100",
]
FORGERIES = [
    b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"Forwarded", b"X_Forwarded_For",
    b"X-Forwarded_For", b"X-Forwarded-Port", b"X-Forwarded-Prefix", b"X-Forwarded-Server", b"X-Forwarded-Scheme",
    b"X-Forwarded-Ssl", b"X-Forwarded-By", b"X-Forwarded-User", b"X-Real-IP", b"X_Real_IP", b"X_FORWARDED_HOST",
    b"x-forwarded-for", b"X_Forwarded-Proto",
]
SHADOWS = [
    b"Content_Length: 5", b"Transfer_Encoding: chunked", b"Content-Length_: 5", b"Content_Length: 0", b"Host_: x",
    b"Content-Lengt: 5", b"Keep-Alive: timeout=1", b"Proxy-Connection: keep-alive", b"TE: trailers", b"TE: chunked",
    b"Trailer: Content-Length", b"Upgrade: h2c", b"Upgrade: websocket", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    b"Max-Forwards: 0", b"Max-Forwards: 5", b"Max-Forwards: x", b"Range: bytes=0-0", b"X-Mark: second",
    b"Cookie: a=b", b"Content-Type: a/b", b"Via: 1.1 x", b"Via: 1.1 weir",
    b"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"If-Match: *", b"Prefer: respond-async",
    b"Content-Encoding: gzip", b"Sec-WebSocket-Key: x", b"Authorization: x", b"Accept-Encoding: ", b"Host: ",
    b"Date: x",
]


def base(draw, seed):
    """One to three well-formed requests."""
    return [request(draw, seed, number) for number in range(draw.choice([1, 1, 1, 2, 3]))]


def request(draw, seed, number):
    method = draw.choice(USUAL_METHODS)
    target = draw.choice([b"/c%d-%d", b"/a/c%d-%d?q=1", b"/c%d-%d?", b"/%%41/c%d-%d"]) % (seed, number)
    draft = RequestDraft([[b"Host", b": ", b"a.example", CRLF]], b"", method=method, target=target)
    if draw.random() < 0.6:
        draft.fields.append([b"X-Mark", b": ", b"m%d" % number, CRLF])
    if method not in (b"GET", b"HEAD", b"OPTIONS") or draw.random() < 0.1 and method != b"HEAD":
        # What a hop that finds the end of the message elsewhere takes for a request.
        smuggled = b"GET /smuggled%d HTTP/1.1\r\nHost: a\r\n\r\n" % seed
        draft.frame(draw.choice([b"hello", b"x", b"0\r\n\r\n", smuggled, b"z" * 300, b""]))
        if draw.random() < 0.4:
            draft.chunk(draw)
    return draft


def host(drafts, draw):
    some(drafts, draw).set(draw, b"Host", draw.choice(HOSTS))


def no_host(drafts, draw):
    some(drafts, draw).remove(b"Host")


def target(drafts, draw):
    draft = some(drafts, draw)
    draft.target = fill(draw.choice(TARGETS), draft.target)


def space(drafts, draw):
    some(drafts, draw).spaces[draw.randrange(2)] = draw.choice(SPACES)


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


def keys(drafts, draw):
    """Two requests whose keys differ in one byte: two clients."""
    if len(drafts) == 1:
        other = drafts[0].target + b"-other"  # no record would distinguish two equal ones
        drafts.append(RequestDraft([[b"Host", b": ", b"a.example", CRLF]], b"", target=other))
    alike = draw.choice([b"", b"a", b"\xc3"])
    for draft, byte in zip(drafts, draw.sample([b"\xe8", b"\xe9", b"\xa1", b"\xff", b"b", b"c", b"%"], 2)):
        draft.target = b"/keyed" + draft.target
        draft.fields.append([b"X-Key", b": ", NONCE + alike + byte, CRLF])


def many_fields(drafts, draw):
    some(drafts, draw).fields += [[b"X-A", b": ", b"b", CRLF] for _ in range(draw.choice([60, 200, 300]))]


MUTATIONS = {
    **SHARED, "many fields": many_fields, "host": host, "no host": no_host, "target": target, "space": space,
    "method": attribute("method", METHODS), "version": attribute("version", VERSIONS), "mark again": field_of(b"X-Mark", MARKS),
    "connection": field_of(b"Connection", OPTIONS), "shadow": shadow, "upgrade": upgrade, "forge": forge, "expect": expect,
    "early": early, "keys": keys,
}


def is_in_nonce(data, place):
    """Whether a cut there would leave no nonce to be replaced."""
    start = data.rfind(NONCE, 0, place + len(NONCE) - 1)
    return 0 <= start < place < start + len(NONCE)


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
    if drafts[-1].raw is None or draw.random() < 0.5:  # else the client sends nothing more
        data += b"GET /end%s HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n" % str(seed).encode()
    places = sorted(draw.choices(range(len(data) + 1), k=draw.choice([0, 0, 0, 1, 3])))
    places = [0, *(place for place in places if not is_in_nonce(data, place)), len(data)]
    case.pieces += [data[start:end] for start, end in zip(places, places[1:]) if start < end]
    return case


MUTATOR = Mutator(base, MUTATIONS, build)
