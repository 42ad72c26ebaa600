"""An origin that sends exactly the bytes of a test, well-formed or not, and counts what was taken.

A test gives it a script, a function of one Peer; it runs in a thread of its own for each connection:

    def breaks_off(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(b'{"orderId":1}\n') + b"40\r\n{")
        peer.reset()
"""
import contextlib
import socket
import struct
import threading

from .waiting import GUARD

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def chunk(data):
    """One chunk of chunked coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def record(number, size=0):
    """One NDJSON record; padded to `size` bytes, the newline included, where that is more."""
    bare = b'{"orderId":%d}\n' % number
    room = size - len(bare) - len(b',"pad":""')
    return bare if room < 0 else b'{"orderId":%d,"pad":"%b"}\n' % (number, b"x" * room)


def answers(response, after=None):
    """A script: answers each request on a connection with these bytes, then does `after(peer)`, if given."""
    def script(peer):
        while peer.read_head():
            peer.send(response)
            if after:
                after(peer)
    return script


def falls_silent(peer):
    """A script: sends a stream's head and its first record, and then nothing."""
    peer.read_head()
    peer.send(STREAM_HEAD + chunk(record(1)))
    peer.wait_gone()


class PeerGone(Exception):
    """weir has closed the connection, or the test is over."""


class Peer:
    """One connection from weir, as its script sees it."""

    def __init__(self, sock):
        self.sock = sock
        self.sent = 0  # bytes of responses that the system has taken
        self.gone = False  # weir closed it, or it broke
        self.heads = []  # the request heads so far, as bytes
        self.buffer = b""

    def read_head(self):
        """The next request's head, as bytes."""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self._receive()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.heads.append(head)
        return head

    def take(self, count):
        """The next bytes of a request's body."""
        while len(self.buffer) < count:
            self.buffer += self._receive()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def line(self):
        """The next line, without its end."""
        while b"\r\n" not in self.buffer:
            self.buffer += self._receive()
        text, _, self.buffer = self.buffer.partition(b"\r\n")
        return text

    def chunked_body(self):
        """A body in chunks that no trailers follow."""
        body = b""
        while size := int(self.line(), 16):
            body += self.take(size)
            assert self.line() == b"", "a chunk that does not end as announced"
        assert self.line() == b"", "trailers"
        return body

    def send(self, data):
        """Sends all of it, however long it takes."""
        view = memoryview(data)
        try:
            while view:
                taken = self.sock.send(view)
                self.sent += taken
                view = view[taken:]
        except OSError:
            self._lost()

    def send_records(self, size=200, first=1, count=None):
        """Sends records, each in a chunk of its own, numbered from `first`; without a count, for ever."""
        number = first
        while count is None or number < first + count:
            self.send(chunk(record(number, size)))
            number += 1

    def wait_gone(self):
        """Waits until weir closes the connection."""
        while True:
            self._receive()

    def reset(self):
        """Ends the connection by a reset; what has not been read by then is lost."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.sock.close()
        raise PeerGone

    def _receive(self):
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        return data or self._lost()

    def _lost(self):
        self.gone = True
        raise PeerGone


class ScriptedOrigin:
    """Listens on a free port and runs the script on each connection; stop() ends them all."""

    def __init__(self, script, send_buffer=None, tls=None):
        self.script, self.send_buffer, self.tls = script, send_buffer, tls
        self.peers = []
        self.faults = []  # errors in scripts: a test's own mistakes
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        if send_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)  # accepted ones inherit it
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    @property
    def sent(self):
        """Bytes of responses sent on all connections."""
        return sum(peer.sent for peer in self.peers)

    @property
    def heads(self):
        """All request heads, connection by connection."""
        return [head for peer in self.peers for head in peer.heads]

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(sock)
            self.peers.append(peer)
            self.threads.append(threading.Thread(target=self._run, args=[peer], daemon=True))
            self.threads[-1].start()

    def _run(self, peer):
        try:
            if self.tls:
                peer.sock = self.tls.wrap_socket(peer.sock, server_side=True)
            with peer.sock:
                self.script(peer)
        except PeerGone:
            pass
        except Exception as fault:  # raised at the end, in the test's own thread
            self.faults.append(fault)

    def stop(self):
        self._end(self.listener)
        self.threads[0].join(GUARD)  # no peer is added after it
        for peer in self.peers:
            self._end(peer.sock)
        self.listener.close()
        for thread in self.threads:
            thread.join(GUARD)
        assert not any(thread.is_alive() for thread in self.threads), "a script does not end"
        if self.faults:
            raise self.faults[0]

    @staticmethod
    def _end(sock):
        with contextlib.suppress(OSError):  # closed by its script
            sock.shutdown(socket.SHUT_RDWR)
