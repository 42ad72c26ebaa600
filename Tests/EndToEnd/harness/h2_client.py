"""A client of HTTP/2 over a bare socket, which gives credit for what it reads stream by stream, or does not."""
import contextlib
import dataclasses
import json
import socket

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

TIMEOUT = 60  # s for any one read
GOAWAY = 7
LARGEST = (1 << 31) - 1  # a window


@dataclasses.dataclass
class Stream:
    id: int
    client: "H2Client"
    reads: bool = True  # whether it gives credit for what comes
    status: int = None
    fields: dict = None
    pairs: list = None  # (name, value) of each field of the head
    body: bytes = b""
    trailers: dict = None
    ended: bool = False  # by the end of the stream
    frames: list = dataclasses.field(default_factory=list)  # the lengths of its DATA
    reset: int = None  # the code of RST_STREAM
    informational: list = dataclasses.field(default_factory=list)

    @property
    def over(self):
        return self.ended or self.reset is not None or self.client.gone

    @property
    def lines(self):
        return self.body.split(b"\n")[:-1]

    @property
    def numbers(self):
        return [json.loads(line)["orderId"] for line in self.lines]

    def json(self):
        self.client.until(lambda: self.over)
        return json.loads(self.body)

    def head(self):
        """Waits for the status."""
        self.client.until(lambda: self.status or self.over)
        return self

    def finish(self):
        """Waits for the end, whichever it is."""
        self.client.until(lambda: self.over)
        return self

    def read_on(self, credit=1 << 20):
        """Begins to give credit, for what came before as well."""
        self.reads = True
        self.client.h2.increment_flow_control_window(credit, self.id)
        self.client.flush()


class H2Client:
    """One connection; with `tls` by ALPN, else by prior knowledge. With `silent` its windows are as large as can be, and it
    sends nothing while it reads."""

    def __init__(self, port, tls=None, window=None, receive_buffer=None, validate=True, silent=False,
                 encoding="utf-8"):
        self.sock = socket.socket()
        self.sock.settimeout(TIMEOUT)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
            assert self.sock.selected_alpn_protocol() == "h2"
        self.scheme = "https" if tls else "http"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            header_encoding=encoding, validate_outbound_headers=validate, normalize_outbound_headers=validate,
            validate_inbound_headers=True))
        self.silent = silent
        window = LARGEST if silent else window
        if window:  # of each stream, before it is known to weir
            self.h2.local_settings[h2.settings.SettingCodes.INITIAL_WINDOW_SIZE] = window
            self.h2.local_settings.acknowledge()
        self.h2.initiate_connection()
        self.streams = {}
        self.goaways = []  # (error code, last stream) of each GOAWAY
        self.settings = {}  # weir's
        self.raw = b""  # of frames that have not come whole
        self.gone = False
        if silent:
            self.h2.increment_flow_control_window(LARGEST - 65535)
        self.flush()

    def close(self):
        self.sock.close()

    def flush(self):
        self.send(self.h2.data_to_send())

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            self.gone = True

    def ask(self, path, *fields, method="GET", reads=True, ends=True):
        """Sends a request's head; fields are (name, value)."""
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", self.scheme), (":authority", "orders.example"), (":path", path)]
        self.h2.send_headers(stream, head + list(fields), end_stream=ends)
        self.streams[stream] = Stream(stream, self, reads)
        self.flush()
        return self.streams[stream]

    def send_body(self, stream, data, ends=True):
        self.h2.send_data(stream.id, data, end_stream=ends)
        self.flush()

    def cancel(self, stream):
        self.h2.reset_stream(stream.id, h2.errors.ErrorCodes.CANCEL)
        self.flush()

    def until(self, condition):
        """Reads until the condition holds; a closed connection ends it as well."""
        while not condition() and not self.gone:
            self.read_once()
        return condition()

    def read_once(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.gone = True
            return
        self.raw += data
        while len(self.raw) >= 9 and len(self.raw) >= (size := 9 + int.from_bytes(self.raw[:3], "big")):
            frame, self.raw = self.raw[:size], self.raw[size:]
            if frame[3] == GOAWAY:  # the library would take nothing more after it, and open streams continue
                self.goaways.append((int.from_bytes(frame[13:17], "big"), int.from_bytes(frame[9:13], "big")))
                continue
            for event in self.h2.receive_data(frame):
                self._happened(event)
        self.flush()

    def _happened(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        match event:
            case h2.events.ResponseReceived():
                # Without an encoding, the library returns bytes.
                fields = {name if isinstance(name, str) else name.decode(): value for name, value in event.headers}
                stream.status, stream.fields = int(fields.pop(":status")), fields
                stream.pairs = event.headers[1:]
            case h2.events.InformationalResponseReceived():
                stream.informational.append(dict(event.headers)[":status"])
            case h2.events.DataReceived():
                stream.body += event.data
                stream.frames.append(len(event.data))
                credit = 0 if self.silent else event.flow_controlled_length
                if credit:  # the connection's is given in any case: other streams must not wait for this one
                    self.h2.increment_flow_control_window(credit)
                if credit and stream.reads and not event.stream_ended:
                    with contextlib.suppress(h2.exceptions.StreamClosedError):
                        self.h2.increment_flow_control_window(credit, stream.id)
            case h2.events.TrailersReceived():
                stream.trailers = dict(event.headers)
            case h2.events.StreamEnded():
                stream.ended = True
            case h2.events.StreamReset():
                stream.reset = int(event.error_code)
            case h2.events.RemoteSettingsChanged():
                self.settings.update({code: change.new_value for code, change in event.changed_settings.items()})
