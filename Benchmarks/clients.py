"""Clients for the measurements that look at how weir treats those who do not read: many in one process, by epoll."""
import heapq
import json
import math
import re
import select
import socket
import time
from urllib.parse import urlsplit

SMALLEST_BUFFER = 4096  # SO_RCVBUF, which the kernel doubles
CAUGHT_UP = 1  # seconds in which a client that begins to read may still be ended for what it left before
BITE = 1024  # bytes that a slow client reads each second


def request(target, path, key, **headers):
    """The bytes of a GET with a key, by which weir distinguishes its clients."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {target.netloc}", f"X-Api-Key: {key}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def socket_with_smallest_buffer():
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST_BUFFER)
    return connection


class Answer:
    """The head of an answer, and what of its body came with it; `status` is None until the head is whole."""

    def __init__(self):
        self.text = b""
        self.status = None

    def took(self, part):
        self.text += part
        if self.status is None and b"\r\n\r\n" in self.text:
            head, self.body = self.text.split(b"\r\n\r\n", 1)
            self.head = head.decode()
            self.status = int(self.head.split(" ", 2)[1])
        elif self.status is not None:
            self.body += part

    def header(self, name):
        match = re.search(rf"^{name}: *(.*?)\r?$", self.head, re.MULTILINE | re.IGNORECASE)
        return match and match[1]

    @property
    def is_whole(self):
        """Whether an answer that is no stream has come with all its body."""
        return self.status is not None and len(self.body) >= int(self.header("Content-Length") or 0)

    def problem(self):
        """The last part of a problem's type."""
        return json.loads(self.body)["type"].rpartition("/")[2]


class SlowClient:
    """Reads little until it recovers, and comes back whenever its stream has ended or its breaker may let it in.

        asking ──200──▶ streaming ──ended──▶ asking
        asking ──429──▶ waiting ──Retry-After──▶ asking
    """

    def __init__(self, crowd, number):
        self.crowd = crowd
        self.path = f"/slow/{number}"
        self.request = request(crowd.target, self.path, f"slow-{number}", X_Stream_Rate_Limit=f"{crowd.rate:g}/second")
        self.connection = None
        self.is_streaming = False
        self.has_waited = False  # what Retry-After said, since its last stream
        self.begun_as_probe = False
        self.fast_bytes = 0  # of the stream that runs, since it recovered
        self.trips = 0
        self.stamp = 0  # of its next appointment; those that stand in the heap with another are void

    # Asking

    def ask(self, now):
        self.connection = socket_with_smallest_buffer()
        self.connection.connect((self.crowd.target.hostname, self.crowd.target.port))
        self.connection.setblocking(False)
        self.connection.send(self.request)
        self.answer, self.is_streaming, self.fast_bytes = Answer(), False, 0
        self.crowd.watch(self, select.EPOLLIN | select.EPOLLRDHUP)

    def ready(self, events, now):
        if self.is_streaming and not self.crowd.is_fast:
            return self.end(now)  # only its end is watched for
        try:
            part = self.connection.recv(64 << 10 if self.crowd.is_fast else BITE)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        if not part:
            return self.end(now)
        if self.is_streaming:
            return self.took(part)
        self.answer.took(part)
        if self.answer.status == 200:
            self.begin(now)
        elif self.answer.status is not None and self.answer.is_whole:
            self.refused(now)

    def begin(self, now):
        self.is_streaming = True
        self.crowd.count("admitted as a probe" if self.has_waited else "admitted")
        self.begun_as_probe, self.has_waited = self.has_waited, False
        if not self.crowd.is_fast:
            self.crowd.change(self, select.EPOLLRDHUP)
            self.crowd.call(self, now + 1)

    def refused(self, now):
        self.leave()
        retry_after = self.answer.header("Retry-After") or ""
        is_told = self.answer.status == 429 and retry_after.isdigit() and self.answer.problem() == "slow-consumer"
        if not is_told:
            self.crowd.count("answered otherwise")
            return self.crowd.call(self, now + 1)
        if self.has_waited:
            self.crowd.count("refused again after Retry-After")
        else:
            self.crowd.count("refused")
            self.trips += 1
            if self.begun_as_probe:
                self.crowd.count("probes that failed")
        self.begun_as_probe = False
        self.has_waited = True
        self.crowd.waits.append(int(retry_after))
        self.crowd.call(self, now + int(retry_after))

    # Streaming

    def time_came(self, now):
        if self.connection is None:
            return self.ask(now)
        if not self.is_streaming or self.crowd.is_fast:
            return
        try:
            if not self.connection.recv(BITE):
                return self.end(now)
        except BlockingIOError:
            pass
        except OSError:
            return self.end(now)
        self.crowd.call(self, now + 1)

    def took(self, part):
        self.fast_bytes += len(part)

    def recover(self):
        """From now on it reads whatever there is."""
        if self.connection and self.is_streaming:
            self.crowd.change(self, select.EPOLLIN | select.EPOLLRDHUP)

    def end(self, now):
        """Its stream, or its connection, was ended; it comes back at once."""
        self.leave()
        if not self.is_streaming:
            self.crowd.count("closed without an answer")
        elif now > self.crowd.recovered + CAUGHT_UP:
            self.crowd.count("ended although it read")
        else:
            self.crowd.count("ended while it read slowly")
        self.is_streaming = False
        self.ask(now)

    def leave(self):
        self.crowd.forget(self)
        self.connection.close()
        self.connection = None


class Crowd:
    """Slow clients, in one loop; `is_fast` once they have recovered."""

    def __init__(self, url, clients, rate):
        self.target = urlsplit(url)
        self.rate = rate
        self.is_fast = False
        self.recovered = math.inf  # when they began to read
        self.counts = {}
        self.waits = []  # the seconds of each Retry-After
        self.epoll = select.epoll()
        self.open = {}
        self.appointments = []
        self.clients = [SlowClient(self, number) for number in range(clients)]

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def watch(self, client, events):
        self.open[client.connection.fileno()] = client
        self.epoll.register(client.connection, events)

    def change(self, client, events):
        self.epoll.modify(client.connection, events)

    def forget(self, client):
        self.epoll.unregister(client.connection)
        del self.open[client.connection.fileno()]

    def call(self, client, at):
        """Calls its `time_came` then; an earlier appointment is void."""
        client.stamp += 1
        heapq.heappush(self.appointments, (at, client.stamp, id(client), client))

    def run(self, until):
        """Lets the clients do what they do, until an instant of time.monotonic()."""
        while (now := time.monotonic()) < until:
            while self.appointments and self.appointments[0][0] <= now:
                _, stamp, _, client = heapq.heappop(self.appointments)
                if stamp == client.stamp:
                    client.time_came(now)
            next_time = min(until, self.appointments[0][0] if self.appointments else until)
            for descriptor, events in self.epoll.poll(max(0, next_time - time.monotonic())):
                if client := self.open.get(descriptor):
                    client.ready(events, time.monotonic())

    def come(self, ramp):
        """They come one after the other."""
        now = time.monotonic()
        for number, client in enumerate(self.clients):
            self.call(client, now + ramp * number / len(self.clients))

    @property
    def least_trips(self):
        return min(client.trips for client in self.clients)

    @property
    def most_trips(self):
        return max(client.trips for client in self.clients)

    def fast_bytes(self):
        """What each one's present stream has brought since it recovered."""
        return [client.fast_bytes for client in self.clients]

    def recover(self):
        self.is_fast = True
        self.recovered = time.monotonic()
        for client in self.clients:
            client.recover()

    def close(self):
        for client in self.clients:
            if client.connection:
                client.leave()
        self.epoll.close()
