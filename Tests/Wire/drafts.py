"""Messages of HTTP/1 as they will be written: each part keeps its own bytes, so that it can be mutated."""
import dataclasses

CRLF = b"\r\n"


@dataclasses.dataclass
class Draft:
    """The parts that requests and responses share."""

    fields: list  # [name, separator, value, end]
    content: bytes
    end: bytes = CRLF  # of the first line
    blank: bytes = CRLF
    before: bytes = b""
    chunks: list | None = None  # [size, its line's end, content, end]; None: no chunked body
    trailers: bytes = CRLF
    after: bytes = b""
    raw: bytes | None = None  # replaces all of it

    @property
    def head(self):
        if self.raw is not None:
            return self.raw
        return self.before + self.first_line() + self.end + b"".join(b"".join(field) for field in self.fields) + self.blank

    @property
    def body(self):
        if self.raw is not None:
            return b""
        if self.chunks is None:
            return self.content + self.after
        return b"".join(b"".join(chunk) for chunk in self.chunks) + self.trailers + self.after

    def find(self, name):
        return next((field for field in self.fields if field[0].lower() == name.lower()), None)

    def remove(self, name):
        self.fields = [field for field in self.fields if field[0] != name]

    def add(self, draw, name, value, separator=b": "):
        self.fields.insert(draw.randint(0, len(self.fields)), [name, separator, value, CRLF])

    def set(self, draw, name, value):
        """Gives a field a value, or adds a second one with it."""
        field = self.find(name)
        if field and draw.random() < 0.75:
            field[2] = value
        else:
            self.add(draw, name, value)

    def frame(self, content):
        """Gives it this content, with a length."""
        self.content = content
        self.remove(b"Content-Length")
        self.fields.append([b"Content-Length", b": ", b"%d" % len(content), CRLF])

    def chunk(self, draw):
        """Frames the content in chunks."""
        self.remove(b"Content-Length")
        self.fields.append([b"Transfer-Encoding", b": ", b"chunked", CRLF])
        cut = draw.randint(1, max(1, len(self.content)))
        parts = [part for part in (self.content[:cut], self.content[cut:]) if part]
        self.chunks = [[b"%x" % len(part), CRLF, part, CRLF] for part in parts] + [[b"0", CRLF, b"", b""]]


@dataclasses.dataclass
class RequestDraft(Draft):
    method: bytes = b"GET"
    target: bytes = b"/"
    version: bytes = b"HTTP/1.1"
    spaces: list = dataclasses.field(default_factory=lambda: [b" ", b" "])
    stops: bool = False  # the client sends nothing of the body until it has been answered

    def first_line(self):
        return self.method + self.spaces[0] + self.target + self.spaces[1] + self.version

    def give_body(self):
        self.method = b"POST"
        self.frame(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")


@dataclasses.dataclass
class ResponseDraft(Draft):
    line: bytes = b"HTTP/1.1 200 OK"
    interim: list = dataclasses.field(default_factory=list)  # responses before it
    late: bytes = b""  # sent when the client has the response
    closes: bool = False
    resets: bool = False
    method: bytes = b"GET"  # of the request

    def first_line(self):
        return self.line

    def give_body(self):
        self.frame(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled")
