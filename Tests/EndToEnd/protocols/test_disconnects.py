"""Clients that disconnect, in every state of a connection and in every way; weir lives on when its timers have expired."""
import ssl

import pytest

from harness.certificates import Authority, yaml
from harness.disconnects import LIMITS, connections, fin, rst, survives
from harness.raw_client import RawClient
from harness.scripted_origin import STREAM_HEAD, chunk, record
from harness.waiting import eventually, level
from harness.weir import route

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
WINDOW = 65535  # of a stream whose client gives no credit
ENDS = {"FIN": fin, "RST": rst}


def script(peer):
    while True:
        path = peer.read_head().split()[1]
        if path == b"/short":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            continue
        if path == b"/endless":
            peer.send(STREAM_HEAD + chunk(record(1)))
        if path == b"/flood":
            peer.send(STREAM_HEAD)
            peer.send_records(1000)
        peer.wait_gone()


class Place:
    """A weir with its origin, in cleartext or over TLS, and the clients of one test."""

    def __init__(self, weir, origin, tmp_path, secure, **top):
        self.origin, self.secure = origin(script), secure
        self.authority = Authority(tmp_path) if secure else None
        if secure:
            top["tls"] = yaml(**self.authority.serve())
        self.weir = weir(route(self.origin.url, stall_timeout="off"), limits=LIMITS, **top)

    def tls(self, *protocols):
        return self.authority.client(protocols=protocols) if self.secure else None

    def bare(self):
        """A connection of TCP alone."""
        return RawClient(self.weir.port)

    def http1(self, **options):
        return RawClient(self.weir.port, tls=self.tls("http/1.1"), **options)

    def http2_bare(self):
        """A connection over which the client may speak HTTP/2."""
        return RawClient(self.weir.port, tls=self.tls("h2"))

    def arrived(self, path):
        """Waits until the origin has the request."""
        eventually(lambda: any(path in head for head in self.origin.heads), f"a request for {path!r} at the origin")


@pytest.fixture(params=[False, True], ids=["cleartext", "TLS"])
def place(request, weir, origin, tmp_path):
    return Place(weir, origin, tmp_path, request.param)


# HTTP/2: each brings a connection to one state, and returns it with the stream that is open then


def before_the_head(place, h2):
    connection = h2(place.weir, tls=place.tls("h2"))
    stream = connection.ask("/held")
    place.arrived(b"/held")
    return connection, stream


def in_the_response(place, h2):
    connection = h2(place.weir, tls=place.tls("h2"))
    stream = connection.ask("/endless")
    connection.until(lambda: stream.body)
    return connection, stream


def in_the_request(place, h2):
    connection = h2(place.weir, tls=place.tls("h2"))
    stream = connection.ask("/held", method="POST", ends=False)
    connection.send_body(stream, b"x" * 1000, ends=False)
    place.arrived(b"/held")
    return connection, stream


def behind_a_closed_window(place, h2):
    connection = h2(place.weir, tls=place.tls("h2"))
    stream = connection.ask("/flood", reads=False)
    connection.until(lambda: len(stream.body) == WINDOW)
    level(lambda: place.origin.sent, "what the origin sends", still=0.2)
    return connection, stream


def after_the_end(place, h2):
    connection = h2(place.weir, tls=place.tls("h2"))
    assert connection.ask("/short").finish().status == 200
    return connection, None


def with_many_streams(place, h2):
    connection = h2(place.weir, tls=place.tls("h2"))
    streams = [connection.ask(path) for path in ("/held", "/endless", "/short", "/endless")]
    connection.until(lambda: streams[3].body and streams[2].ended)
    return connection, streams[1]


def after_the_preface(place, h2):
    connection = place.http2_bare()
    connection.send(PREFACE)
    return connection, None


def in_the_preface(place, h2):
    connection = place.http2_bare()
    connection.send(PREFACE[:10])
    return connection, None


HTTP2 = [before_the_head, in_the_response, in_the_request, behind_a_closed_window, after_the_end, with_many_streams,
         after_the_preface, in_the_preface]


@pytest.mark.parametrize("state", HTTP2, ids=lambda state: state.__name__)
def test_clients_of_http2_may_disconnect(place, h2, state):
    for end in ENDS.values():
        connection, _ = state(place, h2)
        end(connection.sock)
    connection, stream = state(place, h2)
    if stream:
        connection.cancel(stream)
        fin(connection.sock)
    survives(place.weir, lambda: after_the_end(place, h2)[0])
    assert h2(place.weir, tls=place.tls("h2")).ask("/short").finish().body == b"ok"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("state", [in_the_response, behind_a_closed_window, in_the_request],
                         ids=lambda state: state.__name__)
def test_clients_of_http2_may_disconnect_in_a_drain(weir, origin, tmp_path, h2, state, end):
    place = Place(weir, origin, tmp_path, True, shutdown_grace="1h")
    connection, stream = state(place, h2)
    place.weir.terminate()
    connection.until(lambda: connection.goaways)
    ENDS[end](connection.sock)
    assert place.weir.ended() == 0, "the last stream ends the drain"


# HTTP/1.1


def with_nothing(place):
    return place.http1()


def in_the_head(place):
    connection = place.http1()
    connection.send(b"GET /short HTTP/1.1\r\nHos")
    return connection


def before_the_answer(place):
    connection = place.http1()
    connection.ask("/held")
    place.arrived(b"/held")
    return connection


def in_the_answer(place):
    connection = place.http1()
    assert next(connection.get("/endless").records()).number == 1
    return connection


def in_the_body(place):
    connection = place.http1()
    connection.ask("/held", "Content-Length: 1000", method="POST")
    connection.send(b"x" * 10)
    place.arrived(b"/held")
    return connection


def without_reading(place):
    connection = place.http1(receive_buffer=4096)
    connection.ask("/flood")
    place.arrived(b"/flood")
    level(lambda: place.origin.sent, "what the origin sends", still=0.2)
    return connection


def with_another_request_behind(place):
    connection = place.http1()
    connection.ask("/endless")
    connection.ask("/short")
    place.arrived(b"/endless")
    return connection


def between_requests(place):
    connection = place.http1()
    assert connection.get("/short").read() == b"ok"
    return connection


def after_a_refusal(place):
    """weir has answered, and reads on what the client still sends."""
    connection = place.http1()
    connection.ask("/short", "Content-Length: 1000", "X-Stream-Buffer-Size: none", method="POST")
    assert connection.response().status == 400
    return connection


HTTP1 = [with_nothing, in_the_head, before_the_answer, in_the_answer, in_the_body, without_reading,
         with_another_request_behind, between_requests, after_a_refusal]


@pytest.mark.parametrize("state", HTTP1, ids=lambda state: state.__name__)
def test_clients_of_http1_may_disconnect(place, state):
    kept = []
    for end in ENDS.values():
        connection = state(place)
        end(connection.sock)
        kept.append(connection)
    survives(place.weir, lambda: between_requests(place))
    assert place.http1().get("/short").read() == b"ok"


# TLS


@pytest.mark.parametrize("sent", [0, 1, 100, None], ids=["nothing", "a byte", "a part of the hello", "the hello"])
def test_clients_may_disconnect_in_the_handshake(weir, origin, tmp_path, sent):
    place = Place(weir, origin, tmp_path, True)
    kept = []
    for end in ENDS.values():
        hello = ssl.MemoryBIO()
        client = place.tls("h2").wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        connection = place.bare()
        connection.send(hello.read()[:sent])
        if sent is None:
            next(connection.some(1))  # the answer to it
        else:
            eventually(lambda: connections(place.weir) > 0, "an accepted connection")
        end(connection.sock)
        kept.append(connection)
    survives(place.weir, lambda: between_requests(place))
    assert place.http1().get("/short").read() == b"ok"
