"""What a client does at a stream's own address, and on which of weir's event loops it does it."""
import json
import os
from pathlib import Path

from .scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from .waiting import eventually

LOOPS = ["same", "other"]
NDJSON = "Accept: application/x-ndjson"


def numbered(count, size=0):
    """A whole response of this number of records, each in a chunk of its own."""
    return STREAM_HEAD + b"".join(chunk(record(number, size)) for number in range(1, count + 1)) + LAST_CHUNK


def endless(size=200, gate=None):
    """A script: answers each request with records without an end, the first once the gate, if any, is open."""
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        if gate:
            gate.wait()
        peer.send_records(size)
    return script


def loop_of(proxy, connection):
    """Which of weir's event loops has this connection, as the descriptor of that loop's epoll set."""
    ours = connection.sock.getsockname()[1]

    def inode():
        for line in Path(f"/proc/{proxy.pid}/net/tcp").read_text().splitlines()[1:]:
            columns = line.split()
            ports = [int(columns[place].rpartition(":")[2], 16) for place in (1, 2)]
            if ports == [proxy.port, ours] and columns[9] != "0":
                return columns[9]
        return None

    def watching():
        wanted, links = f"socket:[{inode()}]", {}
        for fd in os.listdir(f"/proc/{proxy.pid}/fd"):
            try:
                links[fd] = os.readlink(f"/proc/{proxy.pid}/fd/{fd}")
            except FileNotFoundError:
                continue  # closed since
        socket = next((fd for fd, link in links.items() if link == wanted), None)
        for fd, link in links.items():
            if link == "anon_inode:[eventpoll]":
                words = Path(f"/proc/{proxy.pid}/fdinfo/{fd}").read_text().split()
                if socket in [number for name, number in zip(words, words[1:]) if name == "tfd:"]:
                    return fd
        return None

    return eventually(watching, "the connection in an epoll set")


def connect(client, proxy, where, beside, **options):
    """A new connection on the same event loop as the one `beside`, or on another."""
    theirs = loop_of(proxy, beside)
    for _ in range(60):  # by the kernel's hash: never to find it would be a chance of 2^-60
        connection = client(proxy, **options)
        if (loop_of(proxy, connection) == theirs) == (where == "same"):
            return connection
        connection.close()
    raise AssertionError(f"no connection on the {where} loop")


def post(connection, path, body, *fields, length=None):
    """Posts a body and reads the response's head."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = len(body) if length is None else length
    connection.ask(path, f"Content-Length: {length}", *fields, method="POST")
    connection.send(body)
    return connection.response()


def feedback(connection, stream, **members):
    """Gives feedback, which must be taken; returns the stream's state after it."""
    response = post(connection, f"/v1/streams/{stream}/feedback", members)
    answer = response.json()
    assert response.status == 200, answer
    return answer


def state(connection, stream):
    """The stream's state."""
    response = connection.get(f"/v1/streams/{stream}")
    answer = response.json()
    assert response.status in (200, 202), answer
    return answer


def numbers(records, count=None):
    """The numbers of the next `count` records; without a count, of all that come."""
    return [each.number for each in records] if count is None else [next(records).number for _ in range(count)]
