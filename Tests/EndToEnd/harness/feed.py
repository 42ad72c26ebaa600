"""An origin's script that sends what the test says, to each request from its beginning, and sees who leaves."""
import select
import threading

from .scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record

RESET = object()


class Feed:
    """feed.records(1, 5) sends five records on every connection that sent a request; feed.end() ends the response.

    The head is sent when `ready` is set, which it is unless `waits`.
    """

    def __init__(self, head=STREAM_HEAD, make=record, waits=False):
        self.head, self.make = head, make
        self.parts, self.ready = [], threading.Event()
        if not waits:
            self.ready.set()

    def records(self, first, last, **options):
        self.parts.append(b"".join(chunk(self.make(number, **options)) for number in range(first, last + 1)))

    def raw(self, data):
        self.parts.append(chunk(data))

    def end(self):
        self.parts.append(LAST_CHUNK)

    def reset(self):
        self.parts.append(RESET)

    def __call__(self, peer):
        while peer.read_head():
            self._await(peer, self.ready.is_set)
            peer.send(self.head)
            sent = 0
            while True:
                self._await(peer, lambda: len(self.parts) > sent)
                part = self.parts[sent]
                sent += 1
                if part is RESET:
                    peer.reset()
                peer.send(part)
                if part is LAST_CHUNK:
                    break

    @staticmethod
    def _await(peer, condition):
        while not condition():
            if select.select([peer.sock], [], [], 0.005)[0]:
                peer.buffer += peer._receive()
