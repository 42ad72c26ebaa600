"""A client over a bare socket: sends exactly the bytes of a test, reads at any pace, and reports the framing: whether the
last chunk arrived, and when each record did."""
import dataclasses
import json
import socket
import time

TIMEOUT = 60  # s for any one read: far beyond what a test expects, so that a hang is reported as one


@dataclasses.dataclass
class Head:
    status: int
    reason: str
    version: str
    fields: list  # of (name, value), in order

    def __getitem__(self, name):
        """The one value of a field; None where there is none."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {self.fields}"
        return values[0] if values else None

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    @property
    def names(self):
        return {field.lower() for field, _ in self.fields}


@dataclasses.dataclass
class Record:
    at: float  # time.monotonic() when its newline was read
    line: bytes

    @property
    def number(self):
        return json.loads(self.line)["orderId"]


class Response:
    """A response whose head has been read; the body is read by parts(), records() or read()."""

    def __init__(self, client, head, method):
        self.client, self.head, self.status = client, head, head.status
        self.asked = client.asked  # time.monotonic() before the request was sent
        self.trailers = []
        self.complete = None  # whether the framing said that all had come; None before the end
        self.bodiless = method == "HEAD" or head.status in (204, 304) or head.status < 200
        self.chunk_sizes = []

    def parts(self):
        """The body's bytes as they come; sets `complete` at the end."""
        try:
            yield from self._framed()
            self.complete = True
        except EOFError:
            self.complete = False

    def _framed(self):
        if self.bodiless:
            return
        if "transfer-encoding" in self.head.names:
            assert self.head["Transfer-Encoding"] == "chunked"
            yield from self._chunked()
        elif self.head["Content-Length"] is not None:
            yield from self.client.some(int(self.head["Content-Length"]))
        else:
            yield from self.client.until_close()

    def _chunked(self):
        while size := int(self.client.line(), 16):
            self.chunk_sizes.append(size)
            yield from self.client.some(size)
            assert self.client.line() == b""
        while line := self.client.line():
            name, _, value = line.decode().partition(":")
            self.trailers.append((name, value.strip()))

    def read(self):
        return b"".join(self.parts())

    def json(self):
        return json.loads(self.read())

    def keeps_pace(self, last, spacings, spacing):
        """Whether the last item did not come before its time; weir makes up for delays of up to 50 ms.

        It is counted from the request: the time between two items is also shorter if a busy client reads the first one late.
        How late items are is measured by Benchmarks/pace.
        """
        return last.at - self.asked >= 0.95 * spacings * spacing - 0.05

    def records(self):
        """Each line of the body as a Record, a last one without a newline too."""
        rest = b""
        for part in self.parts():
            now = time.monotonic()
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                yield Record(now, line)
        if rest:
            yield Record(time.monotonic(), rest)


class RawClient:
    """One connection to weir; over TLS where a context for that is given."""

    def __init__(self, port, receive_buffer=None, tls=None, session=None):
        self.sock = socket.socket()
        self.sock.settimeout(TIMEOUT)
        if receive_buffer:  # before connect, or the window is already larger
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost", session=session)
        self.buffer = b""
        self.asked = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def ask(self, path, *fields, method="GET", version="1.1"):
        """Sends a request without a body; fields are `Name: value`, and replace a Host of ours with one of theirs."""
        self.asked = time.monotonic()
        host = [] if any(field.lower().startswith("host:") for field in fields) else ["Host: orders.example"]
        self.send("\r\n".join([f"{method} {path} HTTP/{version}", *host, *fields, "", ""]).encode("latin-1"))

    def get(self, path, *fields, method="GET", version="1.1"):
        """Asks and reads the response's head."""
        self.ask(path, *fields, method=method, version=version)
        return self.response(method)

    def response(self, method="GET"):
        """The next final response; informational ones before it are read over."""
        while (head := self.head()).status < 200:
            pass
        return Response(self, head, method)

    def head(self):
        version, status, reason = self.line().decode("latin-1").split(" ", 2)
        fields = []
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            fields.append((name, value.strip()))
        return Head(int(status), reason, version, fields)

    def line(self):
        """The bytes up to the next CRLF, without it; EOFError where the connection ends before."""
        while b"\r\n" not in self.buffer:
            self._fill()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def some(self, count):
        """This number of bytes, in parts as they arrive."""
        while count:
            if not self.buffer:
                self._fill()
            part, self.buffer = self.buffer[:count], self.buffer[count:]
            count -= len(part)
            yield part

    def until_close(self):
        """Everything up to the end of the connection; EOFError where that is a reset."""
        while True:
            part, self.buffer = self.buffer, b""
            if part:
                yield part
            if not (data := self.sock.recv(65536)):
                return
            self.buffer = data

    def is_closed(self):
        """Waits for weir to close the connection without another byte; False where a byte comes."""
        try:
            return not self.buffer and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def _fill(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError as error:
            raise EOFError("reset") from error
        if not data:
            raise EOFError("closed")
        self.buffer += data
