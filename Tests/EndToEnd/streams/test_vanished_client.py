"""A client whose network is gone, so that no packet reaches it and none leaves it: the socket takes all of a short response,
and only the acknowledgement that never comes shows that the client does not have it."""
from types import SimpleNamespace

import pytest

from harness.addresses import LOOPS, connect, numbers, state
from harness.certificates import Authority, yaml
from harness.disconnects import FIN_WAIT, rst, tcp_states
from harness.feed import Feed
from harness.metrics import Metrics
from harness.problems import problem
from harness.sockets import vanish
from harness.waiting import eventually
from harness.weir import route

READ, ALL = 10, 50
CONTINUE = {"resume_window": "60s", "on_client_gone": "continue", "buffer": "{ default: 100, max_bytes: 1MiB }"}
both_loops = pytest.mark.parametrize("where", LOOPS)


class OverHTTP1:
    protocols = ("http/1.1",)

    def __init__(self, client, h2, proxy, tls, *fields):
        self.connection = client(proxy, tls=tls)
        response = self.connection.get("/feed", *fields)
        assert response.status == 200
        self.id = response.head["X-Stream-Id"]
        assert numbers(response.records(), READ) == list(range(1, READ + 1))


class OverHTTP2:
    protocols = ("h2",)

    def __init__(self, client, h2, proxy, tls):
        self.connection = h2(proxy, tls=tls)
        stream = self.connection.ask("/feed").head()
        assert stream.status == 200
        self.id = stream.fields["x-stream-id"]
        self.connection.until(lambda: len(stream.lines) == READ)


@pytest.fixture(params=[OverHTTP1, OverHTTP2], ids=["HTTP/1.1", "HTTP/2"])
def version(request):
    return request.param


http1_only = pytest.mark.parametrize("version", [OverHTTP1], ids=["HTTP/1.1"], indirect=True)


@pytest.fixture(params=[False, True], ids=["TCP", "TLS"])
def begin(request, weir, origin, client, h2, version, tmp_path):
    """Opens a stream whose client vanishes after some records; the rest and the end follow, and the sockets take them."""
    def lose(*fields, ends=True, top=None, **keys):
        authority, tls = Authority(tmp_path), request.param
        feed = Feed()
        feed.records(1, READ)
        top = {"workers": 2, "shutdown_grace": "0s", **(top or {})}
        if tls:
            top["tls"] = yaml(**authority.serve())
        proxy = weir(route(origin(feed).url, **{**CONTINUE, **keys}), **top)
        lost = version(client, h2, proxy, authority.client(protocols=version.protocols) if tls else None, *fields)
        again = {"tls": authority.client()} if tls else {}
        beside = connect(client, proxy, "same", beside=lost.connection, **again)
        vanish(lost.connection.sock)
        feed.records(READ + 1, ALL)
        if ends:
            feed.end()
        return SimpleNamespace(proxy=proxy, lost=lost, id=lost.id, beside=beside, again=again, end=feed.end)

    return lose


def all_sent(stream):
    """The socket has taken all records, and the upstream's end has arrived: its connection waits for the next request."""
    eventually(lambda: state(stream.beside, stream.id)["records"] == ALL, "all records at the socket")
    eventually(lambda: Metrics(stream.proxy).total("weir_upstream_connections", state="idle") == 1, "the upstream's end")


@both_loops
def test_it_comes_back_for_what_it_has_not_received(begin, client, where):
    stream = begin()
    all_sent(stream)
    response = connect(client, stream.proxy, where, beside=stream.beside, **stream.again).get(
        "/feed", f"X-Stream-Resume: {stream.id}; after={READ}")
    assert response.status == 200
    assert numbers(response.records()) == list(range(READ + 1, ALL + 1))
    assert response.complete
    line = stream.proxy.logged(id=stream.id)
    assert (line["reason"], line["records"], line["resumptions"]) == ("completed", ALL, 1)


def test_what_a_reset_destroys_is_sent_again(begin, client):
    stream = begin()
    all_sent(stream)
    rst(stream.lost.connection.sock)
    eventually(lambda: state(stream.beside, stream.id)["state"] == "resumable", "a stream without a client")
    response = client(stream.proxy, **stream.again).get("/feed", f"X-Stream-Resume: {stream.id}; after={READ}")
    assert numbers(response.records()) == list(range(READ + 1, ALL + 1))
    assert stream.proxy.logged(id=stream.id)["reason"] == "completed"


def test_one_that_does_not_come_back_is_gone_after_its_window(begin):
    stream = begin(top={"limits": "{ keepalive_timeout: 1s }"}, resume_window="1s")
    assert stream.proxy.logged(id=stream.id)["reason"] == "client_gone"


def test_its_next_start_gets_the_slot_of_the_stream_that_was_sent(begin, client):
    stream = begin(streams="{ per_client: 1 }")
    all_sent(stream)
    response = client(stream.proxy, **stream.again).get("/feed")
    assert response.status == 200
    assert stream.proxy.logged(id=stream.id)["reason"] == "completed"
    late = stream.beside.get("/feed", f"X-Stream-Resume: {stream.id}; after={READ}")
    problem(late, 404, "not-found")


@http1_only
def test_the_close_of_its_connection_does_not_wait_for_it(begin, client):
    stream = begin("Connection: close")
    port = stream.lost.connection.sock.getsockname()[1]
    eventually(lambda: tcp_states(stream.proxy)[port] == FIN_WAIT, "the close sent")
    response = client(stream.proxy, **stream.again).get("/feed", f"X-Stream-Resume: {stream.id}; after={READ}")
    assert numbers(response.records()) == list(range(READ + 1, ALL + 1))
    assert stream.proxy.logged(id=stream.id)["reason"] == "completed"


@http1_only
def test_a_response_on_the_same_connection_does_not_wait_for_it(begin):
    """Its packets still leave: the next request arrives, and acknowledges nothing."""
    stream = begin()
    all_sent(stream)
    stream.lost.connection.ask("/feed")
    assert stream.proxy.logged(id=stream.id)["reason"] == "completed"


@pytest.mark.parametrize("comes", ["before the stop", "during the stop"])
def test_a_stop_does_not_wait_for_it(begin, comes):
    stream = begin(ends=comes == "before the stop", top={"shutdown_grace": "10m"})
    if comes == "before the stop":
        all_sent(stream)
    stream.proxy.terminate()
    if comes == "during the stop":
        stream.proxy.says("draining")
        stream.end()
    assert stream.proxy.ended() == 0
    assert stream.proxy.logged(id=stream.id)["reason"] == "completed"
