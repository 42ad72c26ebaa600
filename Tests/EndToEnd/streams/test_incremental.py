"""Nothing between an upstream and a client is silent or waits for more: `Incremental` (RFC 10036), and heartbeats of lines."""
import threading

import pytest

from harness.event_stream import SSE_HEAD, event
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, record
from harness.streams import HeldRecords, StreamAddress
from harness.weir import route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nIncremental: ?0\r\n\r\nok"


# --- Incremental


@pytest.mark.parametrize("own", [b"", b"Incremental: ?0\r\n", b"incremental: ?1;x=1\r\nIncremental: ?0\r\n"])
def test_a_stream_asks_for_incremental_forwarding(weir, origin, client, own):
    head = STREAM_HEAD.replace(b"Transfer-Encoding", own + b"Transfer-Encoding")
    proxy = weir(route(origin(answers(head + chunk(record(1)) + LAST_CHUNK)).url))
    response = client(proxy).get("/")
    assert (response.head.all("Incremental"), response.read()) == (["?1"], record(1))


def test_the_field_of_another_response_is_the_upstreams(weir, origin, client):
    proxy = weir(route(origin(answers(OK)).url))
    assert client(proxy).get("/").head.all("Incremental") == ["?0"]


@pytest.mark.parametrize("framing", ["Content-Length: 6", "Transfer-Encoding: chunked"])
def test_an_incremental_request_is_forwarded_as_it_arrives(weir, origin, client, framing):
    """Each side sends its next part only after it has the other's last one."""
    def piece(data):
        return chunk(data) if "chunked" in framing else data

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        for number in range(1, 4):
            while b"%d\n" % number not in peer.buffer:
                peer.buffer += peer._receive()
            peer.send(chunk(record(number)))
        peer.send(LAST_CHUNK)

    running = origin(script)
    connection = client(weir(route(running.url)))
    connection.ask("/", framing, "Incremental: ?1", method="POST")
    connection.send(piece(b"1\n"))
    response = connection.response("POST")
    records = response.records()
    for number in range(1, 4):
        assert next(records).number == number
        if number < 3:
            connection.send(piece(b"%d\n" % (number + 1)))
    if "chunked" in framing:
        connection.send(LAST_CHUNK)
    assert not list(records) and response.complete
    assert b"\r\nIncremental: ?1" in running.heads[0]


# --- heartbeats


def test_a_quiet_stream_of_lines_gets_blank_ones_that_count_for_nothing(weir, origin, client):
    script = HeldRecords(2)
    proxy = weir(route(origin(script).url, heartbeat="100ms"))
    response = client(proxy).get("/", "TE: trailers")
    parts, body = response.parts(), b""
    while record(1) not in body or body.count(b"\n") < 4:
        body += next(parts)
    assert body.strip(b"\n") + b"\n" == record(1)
    script.go.set()
    script.over.set()
    body += b"".join(parts)
    assert [line for line in body.splitlines(keepends=True) if line != b"\n"] == [record(1), record(2)]
    assert ("X-Stream-Items", "2") in response.trailers
    line = proxy.logged(reason="completed")
    assert (line["records"], line["bytes"]) == (2, len(body))


def test_a_blank_line_is_never_within_a_record(weir, origin, client):
    go = threading.Event()

    def slowly(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(record(1)[:5]))
        assert go.wait(60)
        peer.send(chunk(record(1)[5:]) + LAST_CHUNK)

    response = client(weir(route(origin(slowly).url, heartbeat="100ms"))).get("/")
    parts = response.parts()
    assert next(parts).strip(b"\n") == b""
    go.set()
    assert b"".join(parts).strip(b"\n") + b"\n" == record(1)
    assert response.complete


@pytest.mark.parametrize(("head", "make", "beat"), [(STREAM_HEAD, record, b"\n"), (SSE_HEAD, event, b":\n\n")])
def test_a_client_whose_records_wait_for_their_pace_is_sent_heartbeats(weir, origin, client, head, make, beat):
    script = HeldRecords(3, make, head=head)
    proxy = weir(route(origin(script).url, heartbeat="100ms", rate="{ default: 1/hour }"))
    response = client(proxy).get("/")
    script.go.set()
    address = StreamAddress(proxy, response)
    address.seen(3)
    parts, body = response.parts(), b""
    while body.partition(make(1))[2].count(beat) < 3:
        body += next(parts)
    assert not body.replace(make(1), b"").replace(beat, b"")
    state = address.state()
    assert (state["records"], state["queued"]) == (1, 2)
    script.over.set()
    address.feedback(rate="1000/second")
    rest = b"".join(parts)
    assert make(2) in rest and make(3) in rest and response.complete
