"""Responses of feeds that several readers share, and their readers; mutations of both."""
import dataclasses

import response_cases
from case import NONCE, Case, Mutator
from drafts import CRLF, RequestDraft, ResponseDraft
from mutations import MARKS, ODD_BYTES
from response_cases import Script
from routes import SHARED

TARGET = SHARED.encode()  # the bench adds what distinguishes the case
OWNER = b"owner-of-the-response-"  # in the content: the origin replaces it by its request's, of the same length
HEADS_OF_STREAMS = [b"application/x-ndjson", b"text/event-stream"]
VERDICTS = [
    b"Set-Cookie: session=1", b"Vary: *", b"Vary: X-Client", b"vary: x-mark", b"Vary: Accept-Encoding, X-Mark", b"Vary: ,",
    b"Vary: X-Mark\xff", b"Cache-Control: private", b"Cache-Control: no-store", b"Cache-Control: PRIVATE=\"x\"",
    b"Cache-Control: max-age=0,no-store", b"Cache-Control: public", b"Content-Encoding: gzip", b"Trailer: X-T",
    b"Cache-Control: x, ,private", b"Connection: Cache-Control", b"Set-Cookie2: a", b"Age: 1", b"Last-Event-ID: 7",
    b"X-Stream-Id: 0", b"Cache-Status: origin; hit",
]
READER_FIELDS = [
    b"Authorization: Bearer a", b"Cookie: a=b", b"Cookie: ", b"Range: bytes=0-", b"Range: x", b"Prefer: stream-notices",
    b"Prefer: respond-async", b"Prefer: stream-notices, wait=0", b"TE: trailers", b"TE: ", b"Last-Event-ID: 1",
    b"Last-Event-ID: \xff", b"Last-Event-ID: ", b"Last-Event-ID: " + b"9" * 3000, b"X-Stream-Resume: x",
    b"X-Stream-Resume: " + b"0" * 32 + b"; after=1", b"X-Stream-Rate-Limit: 1000/second", b"X-Stream-Rate-Limit: x",
    b"X-Stream-Buffer-Size: 1", b"X-Stream-Buffer-Size: -1", b"Accept-Encoding: gzip", b"Accept: text/html",
    b"Connection: X-Mark", b"Connection: cookie, x-client", b"If-None-Match: *", b"Max-Forwards: 0", b"Via: 1.1 weir",
    b"Cache-Control: no-store", b"Expect: 100-continue", b"X_Mark: a", b"Host: b.example", b"X-Forwarded-For: 192.0.2.1",
    b"Proxy-Authorization: Basic eA==", b"Content-Length: 0", b"Upgrade: h2c",
]


@dataclasses.dataclass
class Reader:
    """A client of the feed: what it sends, and before which piece of the response it comes and leaves."""

    head: bytes
    joins: int = 0
    leaves: int | None = None  # None: it reads to the end
    is_odd: bool = False  # weir may reject it


@dataclasses.dataclass
class Feed(Script):
    """A script whose pieces are sent one after another, with readers that come and leave between them."""

    readers: list = dataclasses.field(default_factory=list)

    def of(self, owner):
        """The script as it is played for a request of that owner."""
        return dataclasses.replace(self, response=self.response.replace(OWNER, owner))

    @staticmethod
    def loaded(members):
        readers = [Reader(reader["head"].encode("latin-1"), reader.get("joins", 0), reader.get("leaves"),
                          reader.get("odd", False)) for reader in members["readers"]]
        return Feed("GET", members["response"].encode("latin-1"), closes=members["closes"],
                    resets=members.get("resets", False), cuts=members.get("cuts", []), readers=readers)


@dataclasses.dataclass
class ReaderDraft(RequestDraft):
    joins: float = 0.0  # a share of the response
    leaves: float | None = None
    is_odd: bool = False


def record(draw, kind, number):
    size = draw.choice([0, 0, 0, 50, 3000, 70_000])
    data = b'{"n":%d,"of":"%b","pad":"%b"}' % (number, OWNER, b"x" * size)
    return b"id: %d\ndata: %b\n\n" % (number, data) if kind == b"text/event-stream" else data + b"\n"


def base(draw, seed):
    """A well-formed feed, and two to five well-formed readers."""
    kind = draw.choice(HEADS_OF_STREAMS)
    feed = ResponseDraft([[b"Content-Type", b": ", kind, CRLF]], b"")
    records = [record(draw, kind, number) for number in range(draw.choice([0, 1, 2, 5, 20]))]
    if draw.random() < 0.3:
        feed.content, feed.closes = b"".join(records), True
    else:
        feed.frame(b"".join(records))
        feed.chunk(draw)
        feed.chunks = [[b"%x" % len(each), CRLF, each, CRLF] for each in records] + [[b"0", CRLF, b"", b""]]
        feed.closes = draw.random() < 0.5
    return [feed, *(reader(draw) for _ in range(draw.choice([2, 3, 5])))]


def reader(draw):
    fields = [(b"Host", b"a.example"), (b"Connection", b"close"), (b"X-Client", NONCE)]
    draft = ReaderDraft([[name, b": ", value, CRLF] for name, value in fields], b"", target=TARGET)
    if draw.random() < 0.3:
        draft.fields.append([b"X-Mark", b": ", draw.choice([b"a", b"b", b""]), CRLF])
    draft.joins = draw.choice([0.0, 0.0, 0.0, draw.random(), 1.0])
    if draw.random() < 0.3:
        draft.leaves = min(1.0, draft.joins + draw.choice([0.0, draw.random(), 1.0]))
    return draft


def of_feed(mutate):
    return lambda drafts, draw: mutate(drafts[:1], draw)


def of_reader(mutate):
    def mutate_one(drafts, draw):
        chosen = draw.choice(drafts[1:])
        chosen.is_odd = True
        mutate(chosen, draw)
    return mutate_one


def verdict(drafts, draw):
    name, _, value = draw.choice(VERDICTS).partition(b": ")
    drafts[0].add(draw, name, value)


def huge(drafts, draw):
    """A record that is longer than the route allows, whole or not."""
    content = b"x" * draw.choice([300_000, 1_000_000]) + draw.choice([b"\n", b"\n\n", b""])
    if drafts[0].chunks is None:
        drafts[0].content += content
    else:
        drafts[0].chunks.insert(draw.randrange(len(drafts[0].chunks)), [b"%x" % len(content), CRLF, content, CRLF])


def silent(drafts, draw):
    """Nothing, or the head alone, and then the end of the connection."""
    drafts[0].raw, drafts[0].closes = draw.choice([b"", drafts[0].head]), True
    drafts[0].resets = draw.random() < 0.5


def together(drafts, draw):
    """All readers come at once, and all but one leave at once."""
    place = draw.random()
    for draft in drafts[1:]:
        draft.joins = place
    for draft in drafts[2:]:
        draft.leaves = min(1.0, place + draw.random())


def none_stays(drafts, draw):
    for draft in drafts[1:]:
        draft.leaves = min(1.0, draft.joins + draw.random())


def reader_field(draft, draw):
    name, _, value = draw.choice(READER_FIELDS).partition(b": ")
    draft.add(draw, name, value)


def reader_mark(draft, draw):
    draft.add(draw, b"X-Mark", draw.choice([mark for mark in MARKS if len(mark) < 100]))


def reader_byte(draft, draw):
    field = draw.choice(draft.fields)
    at = draw.randint(0, len(field[2]))
    field[2] = field[2][:at] + bytes([draw.choice(ODD_BYTES)]) + field[2][at:]


def reader_version(draft, draw):
    draft.version = draw.choice([b"HTTP/1.0", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0"])


def reader_target(draft, draw):
    draft.target = draw.choice([b"http://a.example%b", b"%b?", b"%b?a=b", b"//x%b", b"%b#f", b"%b/", b"%b%%2e"]) % draft.target


def reader_cut(draft, draw):
    """It stops within its head, and leaves."""
    draft.raw = draft.head[:draw.randrange(len(draft.head))]
    draft.leaves = 1.0


OF_RESPONSES = {name: response_cases.MUTATIONS[name] for name in (
    "size", "chunk end", "trailer", "cut", "coding", "both framings", "line", "early", "interim", "field", "closes", "resets",
    "coding again", "type", "byte", "end of field")}
MUTATIONS = {
    **{name: of_feed(mutate) for name, mutate in OF_RESPONSES.items()},
    "verdict": verdict, "verdict again": verdict, "huge": huge, "silent": silent, "together": together, "none stays": none_stays,
    **{name: of_reader(mutate) for name, mutate in {
        "reader field": reader_field, "reader field again": reader_field, "reader mark": reader_mark, "reader byte": reader_byte,
        "reader version": reader_version, "reader target": reader_target, "reader cut": reader_cut}.items()},
}


def build(drafts, draw, seed):
    draft, *readers = drafts
    response = b"".join(draft.interim) + draft.head + draft.body
    cuts = sorted(draw.choices(range(len(response) + 1), k=draw.choice([0, 1, 2, 3])))
    feed = Feed("GET", response, closes=draft.closes, resets=draft.resets and draft.closes, cuts=cuts)
    stages = len(feed.pieces)
    feed.readers = [
        Reader(each.head, round(each.joins * stages), None if each.leaves is None else round(each.leaves * stages), each.is_odd)
        for each in readers]
    return Case(str(seed), "shared", script=feed)


MUTATOR = Mutator(base, MUTATIONS, build)
