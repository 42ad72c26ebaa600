"""The limits of connections: what is beyond them is closed, what is open continues, and what ends makes room."""
import http.client
import re
import signal
import socket
import subprocess

from harness.metrics import Metrics
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, record
from harness.waiting import eventually
from harness.weir import BINARY, route

FINE = STREAM_HEAD + chunk(record(1)) + LAST_CHUNK
REQUEST = b"GET / HTTP/1.1\r\nHost: orders.example\r\n\r\n"


class Connection:
    """A connection from a given address; `works()` sends a request and returns whether it is answered."""

    def __init__(self, proxy, address="127.0.0.1"):
        self.sock = socket.create_connection(("127.0.0.1", proxy.port), timeout=60, source_address=(address, 0))

    def works(self):
        received = b""
        try:
            self.sock.sendall(REQUEST)
            while not received.endswith(LAST_CHUNK):
                if not (part := self.sock.recv(4096)):
                    return False
                received += part
        except ConnectionError:
            return False
        return received.startswith(b"HTTP/1.1 200 OK\r\n")

    def close(self):
        self.sock.close()


def works(proxy, address="127.0.0.1"):
    connection = Connection(proxy, address)
    try:
        return connection.works()
    finally:
        connection.close()


def test_a_connection_beyond_the_limit_is_closed(weir, origin):
    proxy = weir(route(origin(answers(FINE)).url), limits="{ max_connections: 3 }", workers=2)
    opened = [Connection(proxy, address) for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3")]
    assert all(connection.works() for connection in opened)
    for _ in range(3):
        assert not works(proxy, "127.0.0.4")
    assert Metrics(proxy).total("weir_connections_rejected_total", limit="max_connections") == 3
    warnings = proxy.says("a connection was closed as soon as it was accepted")
    assert len(warnings) == 1 and "limit=max_connections" in warnings[0]
    assert all(connection.works() for connection in opened), "those that are open continue"
    opened.pop().close()
    eventually(lambda: works(proxy, "127.0.0.4"), "room for another connection")
    for connection in opened:
        connection.close()


def test_connections_of_one_address_are_limited(weir, origin):
    proxy = weir(route(origin(answers(FINE)).url), limits="{ connections_per_address: 2 }", workers=2)
    opened = [Connection(proxy) for _ in range(2)]
    assert all(connection.works() for connection in opened)
    assert not works(proxy)
    assert Metrics(proxy).total("weir_connections_rejected_total", limit="connections_per_address") == 1
    assert works(proxy, "127.0.0.2"), "another address has connections of its own"
    assert all(connection.works() for connection in opened), "those that are open continue"
    opened.pop().close()
    eventually(lambda: works(proxy), "room for another connection of this address")
    for connection in opened:
        connection.close()


def test_connections_are_limited_to_what_the_descriptors_allow(tmp_path):
    config = tmp_path / "proxy.conf"
    config.write_text("listen: 127.0.0.1:0\nadmin: off\nworkers: 1\naccess_log: off\n" + "routes:\n" + route("http://127.0.0.1:9"))
    with open(tmp_path / "stderr", "w") as stderr:
        proxy = subprocess.Popen(["sh", "-c", 'ulimit -n 178 && exec "$0" run -c "$1"', BINARY, str(config)], stderr=stderr)
    try:
        said = (tmp_path / "stderr").read_text
        notice = eventually(lambda: re.search(r"fewer connections than configured.*", said()), "a notice").group()
        assert "allowed=25" in notice and "max_connections=20000" in notice
        eventually(lambda: "listening on" in said(), "the listener")
        proxy.send_signal(signal.SIGTERM)
        assert proxy.wait(60) == 0
    finally:
        proxy.kill()
        proxy.wait()


def test_a_health_check_does_not_read_an_endless_body(weir, origin):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records()

    upstream = origin(script)
    proxy = weir(route(upstream.url, health_check="{ path: /healthz, interval: 100ms, timeout: 10s, fall: 1 }"))
    eventually(lambda: sum(peer.gone for peer in upstream.peers) > 2, "the ends of three checks")
    assert Metrics(proxy).total("weir_upstream_up", route="/", upstream=upstream.url) == 1, "the status decides"


def test_a_field_larger_than_64_kib_over_http2_ends_its_connection_alone(weir, origin, h2):
    """64 KiB in the coding of HPACK, in which this letter has 5 bits."""
    proxy = weir(route(origin(answers(FINE)).url))
    greedy, beside = h2(proxy), h2(proxy)
    assert beside.ask("/").finish().status == 200
    greedy.ask("/", ("x", "a" * 110_000))
    assert greedy.until(lambda: greedy.gone)
    assert beside.ask("/").finish().status == 200


def admin_is_alive(proxy, address):
    """Whether a request on a new connection to the admin listener is answered."""
    host, _, port = proxy.admin.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60, source_address=(address, 0))
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (ConnectionError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def test_the_connections_of_the_admin_listener_are_limited(weir):
    proxy = weir(route("http://127.0.0.1:1"), limits="{ header_timeout: 60s }")
    host, _, port = proxy.admin.removeprefix("http://").partition(":")
    idle = [socket.create_connection((host, int(port)), timeout=60, source_address=("127.0.0.1", 0)) for _ in range(32)]
    eventually(lambda: not admin_is_alive(proxy, "127.0.0.1"), "an address with all its connections")
    assert admin_is_alive(proxy, "127.0.0.2")
    idle += [socket.create_connection((host, int(port)), timeout=60, source_address=("127.0.0.3", 0)) for _ in range(32)]
    eventually(lambda: not admin_is_alive(proxy, "127.0.0.2"), "a listener with all its connections")
    for connection in idle:
        connection.close()
    eventually(lambda: admin_is_alive(proxy, "127.0.0.1"), "room for another connection")
    # The second limit is reached within a minute of the first, or has a warning of its own.
    assert "limit=admin_connections_per_address" in proxy.says("a connection was closed as soon as it was accepted")[0]
