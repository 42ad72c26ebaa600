"""Mutations that requests and responses share. Each takes the drafts of a case and a source of randomness."""
from drafts import CRLF
from origins import FORGED

ENDS = [b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b"\x0b\r\n", b" \r\n", b"\x00\r\n", b"\r\n ", b"\x85\r\n"]
LENGTHS = [
    b"%d ", b" %d", b"\t%d\t", b"+%d", b"-%d", b"0%d", b"00000000000000000000000%d", b"%d, %d", b"%d,%d", b"%d,",
    b",%d", b"%d 0", b"%d;", b'"%d"', b"0x%d", b"%d.0", b"%de0", b"%d_0", b"%d\x0b", b"\x0c%d", b"%d\x00", b"\xa0%d",
    b"%d\x85", b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"18446744073709551621",
    b"4294967296", b"99999999999999999999999999", b"", b" ", b"abc", b"\xd9\xa5", b"-1", b"-0", b"%d\r\n ", b"%d, 0",
    b"0, %d",
]
CODINGS = [
    b"chunked", b"Chunked", b"CHUNKED ", b"chunked, chunked", b"xchunked", b"identity", b"\x0bchunked",
    b"chunked\x0b", b"\x0cchunked", b"chunked, identity", b"identity, chunked", b"gzip, chunked", b"chunked;q=1",
    b'"chunked"', b"chunke", b", chunked", b"chunked,", b"", b",", b"chunked\x00", b"\r\n chunked", b"chun\r\n ked",
    b"chunked, ", b"chunk ed", b"chunked\xa0", b"\xffchunked", b"chunked\t", b"x, chunked", b"none",
]
SIZES = [
    b"0x%x", b" %x", b"%x ", b"%x\t", b"%xzz", b"+%x", b"-%x", b"0%x", b"0000000000000000000000%x", b"%x;", b"%x ;x",
    b"%x; x=1", b'%x;x="a;b"', b'%x;x="\r\n"', b"%x;x=\x00", b"%x;x\n", b"%x;x=\xff", b"%x\x0b", b"%x;" + b"e" * 300,
    b"%x;" + b"e" * 5000, b"ffffffffffffffff", b"fffffffffffffffff", b"8000000000000000", b"10000000000000005", b"",
    b";x", b"%x,%x", b"%x_0", b"%x.0", b"%x x", b"%x\r", b"%x\x00", b"%x;a=b;c", b"%x;=", b"\xd9\xa5",
]
MARKS = [
    b"caf\xe9", b"\xff\xfe", b"\xc3\xa9", b"a\tb", b"a\x00b", b"a\x01b", b"a\x7fb", b"a\x0bb", b"", b" ", b"\t x \t",
    b"\x80", b"a\x1bb", b"\"", b"a\r b", b"a\nb", b"x" * 9000, b"a,b", b"\xed\xa0\x80", b"\xef\xbf\xbd", b"a\r\n b",
    b"\xa0x\xa0", b"\x85", b"a\x85X-A: b", b"\xe2\x80\xa8", b"x" * 40000,
]
NAMES = [
    b"X Mark", b"X-Mark ", b"X-Mark\t", b" X-Mark", b"X-M\x00ark", b"X-Mark\xff", b"", b"(X)", b"X-Mark\x0b",
    b"X@Mark", b"X/Mark", b"[X]", b"x-mark", b"X-MARK", b"X_Mark", b"X.Mark", b"X\"", b"X{", b"X-M\rark", b"\xc3\xa4",
    b"|X~", b":X", b"X-Mark\xa0", b"\x85X",
]
ODD_BYTES = b"\x00\x01\t\n\x0b\x0c\r\x1b \",:;\x7f\x80\x85\xa0\xff"
TRAILERS = [
    b"X-T: 1", b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: x", b" x: 1", b"X-T : 1", b"X-T",
    b"X-T: \x00", b"X-Forwarded-For: " + FORGED.encode(), b"X-T: \xff", b"X-T: 1\r\n 2", b"\x00: 1",
    b"Authorization: x", b"X_T: 1",
]


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
        drafts[0].give_body()
    return draw.choice(found or drafts[:1])


def chunked(drafts, draw):
    draft = with_body(drafts, draw)
    if draft.chunks is None:
        draft.chunk(draw)
    return draft


def length(drafts, draw):
    draft = with_body(drafts, draw)
    draft.set(draw, b"Content-Length", fill(draw.choice(LENGTHS), len(draft.content)))


def other_length(drafts, draw):
    draft = with_body(drafts, draw)
    draft.set(draw, b"Content-Length", b"%d" % max(0, len(draft.content) + draw.choice([-1, 1, -2, 2, -5, 5, 1000])))


def coding(drafts, draw):
    draft = chunked(drafts, draw) if draw.random() < 0.7 else with_body(drafts, draw)
    draft.set(draw, b"Transfer-Encoding", draw.choice(CODINGS))


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
    end, last = draw.choice([CRLF, CRLF, b"\n", b"\r"]), draw.choice([CRLF, CRLF, b"\n"])
    chunked(drafts, draw).trailers = draw.choice(TRAILERS) + end + last


def cut(drafts, draw):
    """The sender stops in mid-message."""
    data = drafts[-1].head + drafts[-1].body
    drafts[-1].raw = data[:draw.randrange(len(data) or 1)]


def attribute(name, choices):
    def mutate(drafts, draw):
        setattr(some(drafts, draw), name, draw.choice(choices))
    return mutate


def duplicate(drafts, draw):
    draft = some(drafts, draw)
    if draft.fields:
        draft.fields.insert(draw.randint(0, len(draft.fields)), list(draw.choice(draft.fields)))


def field_of(name, choices):
    def mutate(drafts, draw):
        some(drafts, draw).set(draw, name, draw.choice(choices))
    return mutate


def fold(drafts, draw):
    field = draw.choice(some(drafts, draw).fields or [[b"", b"", b"", b""]])
    if draw.random() < 0.5:
        field[2] = draw.choice([CRLF + b" ", CRLF + b"\t", b"\n "]) + field[2]
    else:
        field[2] += CRLF + b" x"


def field_line(place, choices):
    def mutate(drafts, draw):
        draft = some(drafts, draw)
        if draft.fields:
            draw.choice(draft.fields)[place] = draw.choice(choices)
    return mutate


def insert_byte(drafts, draw):
    """A byte anywhere in a line of the head."""
    draft = some(drafts, draw)
    field = draw.choice(draft.fields or [[b"", b"", b"", b""]])
    place = draw.choice([0, 2])
    at = draw.randint(0, len(field[place]))
    field[place] = field[place][:at] + bytes([draw.choice(ODD_BYTES)]) + field[place][at:]


SHARED = {
    "length": length, "other length": other_length, "coding": coding, "both framings": both_framings, "size": size,
    "chunk end": chunk_end, "trailer": trailer, "cut": cut, "duplicate": duplicate, "mark": field_of(b"X-Mark", MARKS),
    "name": field_line(0, NAMES),
    "colon": field_line(1, [b":", b" : ", b" :", b"\t:", b"", b"=", b":\t ", b"::", b":\x0b", b":\r\n "]),
    "end of field": field_line(3, ENDS), "end of line": attribute("end", ENDS),
    "empty line": attribute("blank", [b"", b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" \r\n"]),
    "before": attribute("before", [CRLF, b"\n", CRLF * 2, b" ", b"\x00", b"\r", b"\xef\xbb\xbf"]),
    "after": attribute("after", [CRLF, b"\n", b"x", b"\x00", CRLF * 3, b"0\r\n\r\n"]), "fold": fold, "byte": insert_byte,
}
