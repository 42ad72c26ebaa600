"""A stream's own address, and origins that send their records when a test is ready for them."""
import json
import threading
import urllib.error
import urllib.request

from .raw_client import Response
from .scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from .waiting import GUARD, eventually


class StreamAddress:
    """`/v1/streams/{id}` of an open stream."""

    def __init__(self, proxy, response):
        self.proxy, self.id = proxy, response.head["X-Stream-Id"]
        self.url = f"{proxy.url}/v1/streams/{self.id}"

    def state(self):
        """Its state; None once there is no such stream."""
        return self._ask("GET", self.url)

    def feedback(self, **members):
        """Gives feedback; the state after it."""
        return self._ask("POST", self.url + "/feedback", json.dumps(members).encode())

    def cancel(self):
        return self._ask("DELETE", self.url)

    def seen(self, count):
        """Waits until weir has sent, queued or dropped this number of records."""
        def has_seen():
            state = self.state()
            return sum(state[name] for name in ("records", "queued", "dropped")) == count and state
        return eventually(has_seen, f"{count} records seen by weir")

    def is_gone(self):
        return self.state() is None

    def logged(self, reason, **options):
        """The stream's own line in the access log, once it has ended so."""
        return self.proxy.logged(id=self.id, reason=reason, **options)

    @staticmethod
    def _ask(method, url, body=None):
        request = urllib.request.Request(url, body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            assert refusal.code == 404, f"{method} {url}: {refusal.code}"
            return None


def sends(*parts, head=STREAM_HEAD, end=LAST_CHUNK):
    """A script: sends a head, each of the parts as a chunk, and an end, and closes the connection."""
    def script(peer):
        peer.read_head()
        peer.send(head + b"".join(chunk(part) for part in parts) + end)
        peer.close()
    return script


class HeldRecords:
    """A script: sends the first record, the others when `go` is set, and the last chunk when `over` is.

    `make(number)` is each record, `head` all bytes before the chunks.
    """

    def __init__(self, count, make=record, head=STREAM_HEAD):
        self.count, self.make, self.head = count, make, head
        self.go, self.over = threading.Event(), threading.Event()
        self.sent = 0  # records

    def __call__(self, peer):
        peer.read_head()
        peer.send(self.head)
        for number in range(1, self.count + 1):
            if number == 2:
                assert self.go.wait(60)
            peer.send(chunk(self.make(number)))
            self.sent = number
        assert self.over.wait(60)
        peer.send(LAST_CHUNK)

    def has_sent_all(self):
        return self.sent == self.count


class BreakingRecords:
    """A script: sends the first record, as many more as `count` when `go` is set, and a reset when `broken` is."""

    def __init__(self, count):
        self.count = count
        self.go, self.broken = threading.Event(), threading.Event()

    def __call__(self, peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(record(1)))
        assert self.go.wait(60)
        peer.send_records(first=2, count=self.count)
        assert self.broken.wait(60)
        peer.reset()


def held(weir_route, weir, origin, client, script, *fields, read=Response.records, **options):
    """Opens a stream on a script's origin and has its client pause it after the first record.

    Returns the response, the iterator of its records as `read` makes it (the first is read) and the stream's address.
    """
    proxy = weir(weir_route(origin(script).url), **options)
    response = client(proxy).get("/", *fields)
    records = read(response)
    assert next(records).number == 1
    address = StreamAddress(proxy, response)
    assert address.feedback(pause=True)["paused"] is True
    return response, records, address


def release(script, records, address):
    """Lets a paused stream come to its end; the records that its client gets after the first one."""
    script.over.set()
    address.feedback(pause=False)
    return list(records)


def read_on(records, until, what, within=2 * GUARD):
    """Reads from the first record on, each the next one, until the condition holds; looks at that every thousand.

    A connection with a small receive buffer that was full for long begins slowly: its sender asks in growing intervals whether
    there is room.
    """
    expected = 0

    def thousand():
        nonlocal expected
        for _ in range(1000):
            expected += 1
            assert next(records).number == expected
        return until()

    eventually(thousand, what, within)
