"""Several upstreams of one route: which gets a request, and which is next; upstreams with TLS or a unix socket."""
import collections
import socket
import ssl
import threading

import pytest

from harness.addresses import endless
from harness.certificates import Authority
from harness.metrics import Metrics
from harness.problems import problem
from harness.waiting import eventually
from harness.weir import command, route


def named(name):
    """A script that answers every request of a connection with its name."""
    def script(peer):
        while peer.read_head():
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))
    return script


def listed(*urls):
    return "[" + ", ".join(urls) + "]"


def answers(client, proxy, count, path="/"):
    connection = client(proxy)
    return collections.Counter(connection.get(path).read() for _ in range(count))


# Balance


@pytest.mark.parametrize("balance", ["least_streams", "round_robin"])
def test_requests_are_shared_out(weir, origin, client, balance):
    urls = [origin(named(name)).url for name in [b"a", b"b", b"c"]]
    proxy = weir(route(listed(*urls), balance=balance))
    assert answers(client, proxy, 30) == {b"a": 10, b"b": 10, b"c": 10}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_upstream_with_the_fewest_streams_gets_the_next(weir, origin, client, workers):
    upstreams = [origin(endless()) for _ in range(3)]
    proxy = weir(route(listed(*(upstream.url for upstream in upstreams)), rate="{ default: 5/second }"), workers=workers)
    clients = [client(proxy) for _ in range(9)]
    for reader in clients:
        assert reader.get("/").status == 200
    assert [len(upstream.heads) for upstream in upstreams] == [3, 3, 3]
    clients.pop().close()
    line = proxy.logged(event="end")
    assert line["upstream"] in [upstream.url for upstream in upstreams] and "attempts" not in line


def test_a_full_upstream_is_passed_over(weir, origin, client):
    upstreams = [origin(endless()) for _ in range(2)]
    proxy = weir(route(listed(*(upstream.url for upstream in upstreams)), upstream_streams=2, rate="{ default: 5/second }"))
    for _ in range(4):
        assert client(proxy).get("/").status == 200
    problem(client(proxy).get("/"), 503, "unavailable")
    assert [len(upstream.heads) for upstream in upstreams] == [2, 2]


# Failing ones


def test_a_request_is_sent_to_another_upstream(weir, origin, client, reserved_port):
    dead, alive = reserved_port().url, origin(named(b"a"))
    proxy = weir(route(listed(dead, alive.url), balance="round_robin", upstream_breaker="off"))
    assert answers(client, proxy, 6) == {b"a": 6}
    entry = proxy.logged(attempts=2)
    assert entry["upstream"] == alive.url and entry["reason"] == "completed"
    # Each in its turn: both get half of the first attempts.
    assert Metrics(proxy).total("weir_upstream_retries_total", route="/") == 3


def test_an_upstream_that_keeps_failing_gets_no_requests(weir, origin, client, reserved_port):
    dead, alive = reserved_port().url, origin(named(b"a"))
    proxy = weir(route(listed(dead, alive.url), balance="round_robin",
                       upstream_breaker="{ failures: 2, window: 60s, cooldown: 600s }"))
    assert answers(client, proxy, 10) == {b"a": 10}
    figures = Metrics(proxy)
    assert figures.total("weir_upstream_retries_total", route="/") == 2
    assert figures.total("weir_breaker_state", route="/", kind="upstream", state="open") == 1
    assert figures.total("weir_breaker_state", route="/", kind="upstream", state="closed") == 1


def test_without_an_available_upstream_no_request_is_sent(weir, client, reserved_port):
    proxy = weir(route(listed(reserved_port().url, reserved_port().url), upstream_breaker="{ failures: 1, window: 60s, cooldown: 30s }"))
    problem(client(proxy).get("/"), 502, "bad-upstream")
    refusal = client(proxy).get("/")
    assert 20 <= int(refusal.head["Retry-After"]) <= 36
    problem(refusal, 503, "unavailable")


@pytest.mark.parametrize("method, asked", [("GET", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)])
def test_only_what_may_be_repeated_is(weir, origin, client, method, asked):
    def hangs_up(peer):
        peer.read_head()
        peer.close()
    upstreams = [origin(hangs_up) for _ in range(3)]
    proxy = weir(route(listed(*(upstream.url for upstream in upstreams))))
    problem(client(proxy).get("/", method=method), 502, "bad-upstream")
    assert sum(len(upstream.heads) for upstream in upstreams) == asked


@pytest.mark.parametrize("retry, asked", [("off", 1), ("{ attempts: 1 }", 1), ("{ attempts: 3 }", 3), ("{ attempts: 9 }", 3)])
def test_attempts_are_limited_and_no_upstream_is_tried_twice(weir, origin, client, retry, asked):
    def hangs_up(peer):
        peer.read_head()
        peer.close()
    upstreams = [origin(hangs_up) for _ in range(3)]
    proxy = weir(route(listed(*(upstream.url for upstream in upstreams)), retry=retry))
    problem(client(proxy).get("/"), 502, "bad-upstream")
    assert sum(len(upstream.heads) for upstream in upstreams) == asked


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"])
def test_an_answer_is_passed_on_whatever_it_says(weir, origin, client, answer):
    def script(peer):
        peer.read_head()
        peer.send(answer)
        peer.close()
    upstreams = [origin(script) for _ in range(2)]
    proxy = weir(route(listed(*(upstream.url for upstream in upstreams))))
    assert client(proxy).get("/").status == int(answer[9:12])
    assert sum(len(upstream.heads) for upstream in upstreams) == 1


def test_retries_do_not_double_the_load(weir, origin, client):
    def hangs_up(peer):
        peer.read_head()
        peer.close()
    upstreams = [origin(hangs_up) for _ in range(2)]
    proxy = weir(route(listed(*(upstream.url for upstream in upstreams)), upstream_breaker="off"))
    connection = client(proxy)
    for _ in range(200):
        assert connection.get("/").read() and True
    asked = sum(len(upstream.heads) for upstream in upstreams)
    # The burst, a fifth, and one for each second that this took.
    retries = Metrics(proxy).total("weir_upstream_retries_total", route="/")
    assert asked == 200 + retries and 10 <= retries < 200


# A reload


def test_a_reload_takes_upstreams_in_and_out_and_ends_no_stream(weir, origin, client):
    old, new = origin(endless()), origin(endless())
    proxy = weir(route(old.url, rate="{ default: 50/second }"))
    records = client(proxy).get("/").records()
    first = next(records).number
    assert proxy.reload(route(listed(new.url), rate="{ default: 50/second }")).startswith("reloaded")
    assert client(proxy).get("/").status == 200
    assert (len(old.heads), len(new.heads)) == (1, 1)
    assert [next(records).number for _ in range(10)] == list(range(first + 1, first + 11))


# Unix sockets and TLS


def served(listener, name=b"a", wrap=None):
    """Answers every request on a listening socket, until that is closed; returns the heads."""
    heads = []

    def serve(connection):
        try:
            peer = wrap(connection) if wrap else connection
            head = b""
            while True:
                while b"\r\n\r\n" not in head:
                    piece = peer.recv(65536)
                    if not piece:
                        return
                    head += piece
                asked, _, head = head.partition(b"\r\n\r\n")
                heads.append(asked)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=[connection], daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return heads


def test_an_upstream_at_a_unix_socket(weir, client, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "app.sock"))
        listener.listen()
        heads = served(listener)
        proxy = weir(route(f"unix:{tmp_path}/app.sock", host="upstream"))
        assert answers(client, proxy, 3) == {b"a": 3}
        assert b"\r\nhost: localhost\r\n" in heads[0].lower() + b"\r\n"
        assert proxy.logged(event="end")["upstream"] == f"unix:{tmp_path}/app.sock"


def test_a_unix_socket_that_is_not_there(weir, client, tmp_path):
    problem(client(weir(route(f"unix:{tmp_path}/app.sock"))).get("/"), 502, "bad-upstream")


@pytest.fixture
def secure():
    """secure(authority, *names) listens with a certificate for those names; returns its port and the heads."""
    listeners = []

    def start(authority, *names, client_ca=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.ca.issue_cert(*names).configure_cert(context)
        names_asked = []
        context.sni_callback = lambda _, name, __: names_asked.append(name)
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        heads = served(listener, wrap=lambda peer: context.wrap_socket(peer, server_side=True))
        return listener.getsockname()[1], heads, names_asked
    yield start
    for listener in listeners:
        listener.close()


def test_an_upstream_with_tls_gets_requests_if_its_certificate_is_trusted(weir, client, tmp_path, secure):
    authority = Authority(tmp_path)
    port, heads, _ = secure(authority, "localhost", "127.0.0.1")
    proxy = weir(route(f"https://localhost:{port}", match="/name", upstream_tls=f"{{ ca_file: {authority.pem} }}"),
                 route(f"https://127.0.0.1:{port}", match="/address", upstream_tls=f"{{ ca_file: {authority.pem} }}"),
                 route(f"https://127.0.0.1:{port}", match="/any", upstream_tls="{ insecure: true }"),
                 route(f"https://127.0.0.1:{port}", match="/system"))
    for path in ["/name", "/address", "/any"]:
        assert client(proxy).get(path).read() == b"a"
    assert len(heads) == 3
    problem(client(proxy).get("/system"), 502, "bad-upstream")
    assert len(heads) == 3
    assert eventually(lambda: "no trusted connection to an upstream" in proxy.said(), "a word to the operator")
    # What one route trusts is not trusted by another, in whichever order they come.
    assert client(proxy).get("/any").read() == b"a"
    problem(client(proxy).get("/system"), 502, "bad-upstream")


def test_a_certificate_for_another_name_is_not_trusted(weir, client, tmp_path, secure):
    authority = Authority(tmp_path)
    port, heads, asked = secure(authority, "orders.internal")
    trust = f"ca_file: {authority.pem}"
    proxy = weir(route(f"https://127.0.0.1:{port}", match="/wrong", upstream_tls=f"{{ {trust} }}"),
                 route(f"https://127.0.0.1:{port}", match="/named",
                       upstream_tls=f"{{ {trust}, server_name: orders.internal }}"))
    problem(client(proxy).get("/wrong"), 502, "bad-upstream")
    assert not heads
    assert client(proxy).get("/named").read() == b"a"
    assert asked[-1] == "orders.internal"


def test_a_missing_file_of_authorities_is_reported_at_once(tmp_path):
    (tmp_path / "proxy.conf").write_text(
        "routes:\n  - match: /\n    upstream: https://127.0.0.1:1\n    upstream_tls: { ca_file: missing.pem }\n")
    done = command("check", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("./proxy.conf:4:30: `upstream_tls.ca_file` is `missing.pem`: the file cannot be read: No such")


# Health checks


class Patient:
    """An origin whose answer to health checks can be changed, and which counts them."""

    def __init__(self, origin, name):
        self.status, self.asked, self.heads = b"200 OK", 0, []

        def script(peer):
            while head := peer.read_head():
                if head.startswith(b"GET /healthz "):
                    self.heads.append(head)
                    self.asked += 1
                    if self.status:
                        peer.send(b"HTTP/1.1 %b\r\nContent-Length: 2\r\n\r\nno" % self.status)
                else:
                    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))
        self.url = origin(script).url


CHECK = "{ path: /healthz, interval: 100ms, timeout: 2s, rise: 2, fall: 2 }"


def states(proxy, url):
    return [line.split("state=")[1].split()[0] for line in proxy.said().splitlines() if "health check" in line and url in line]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("bad", [b"503 Service Unavailable", b"404 Not Found", None])
def test_an_upstream_that_fails_its_health_checks_gets_nothing_until_it_is_back(weir, origin, client, bad, workers):
    one, other = Patient(origin, b"a"), Patient(origin, b"b")
    proxy = weir(route(listed(one.url, other.url), balance="round_robin", health_check=CHECK),
                 workers=workers)
    eventually(lambda: one.asked > 1 and other.asked > 1, "questions")
    assert b"\r\nhost: " + one.url.removeprefix("http://").encode() in one.heads[0].lower()
    assert answers(client, proxy, 10) == {b"a": 5, b"b": 5}
    one.status = bad
    eventually(lambda: Metrics(proxy).total("weir_upstream_up", route="/", upstream=one.url) == 0, "it is down")
    assert answers(client, proxy, 10) == {b"b": 10}
    assert proxy.health() == 200 and Metrics(proxy).total("weir_upstream_up", upstream=other.url) == 1
    one.status = b"204 No Content"
    eventually(lambda: answers(client, proxy, 10) == {b"a": 5, b"b": 5}, "it is back")
    eventually(lambda: states(proxy, one.url) == ["down", "up"], "both changes logged")
    assert states(proxy, other.url) == []


def test_where_all_are_down_requests_are_refused(weir, client, reserved_port):
    proxy = weir(route(listed(reserved_port().url, reserved_port().url), health_check=CHECK, upstream_breaker="off"))
    eventually(lambda: Metrics(proxy).total("weir_upstream_up", route="/") == 0, "both are down")
    refusal = problem(client(proxy).get("/"), 503, "unavailable")
    assert "health checks" in refusal["detail"]
    assert client(proxy).get("/v1/health/streaming").status == 503


def test_reloads_neither_forget_nor_put_off_health_checks(weir, origin, client):
    patient = Patient(origin, b"a")
    routes = [route(patient.url, health_check=CHECK)]
    proxy = weir(*routes)
    patient.status = b"500 Internal Server Error"
    eventually(lambda: states(proxy, patient.url) == ["down"], "it is down")
    for number in range(20):
        assert proxy.reload(*routes, shutdown_grace=f"{number}s").startswith("reloaded")
    problem(client(proxy).get("/"), 503, "unavailable")
    asked = patient.asked
    eventually(lambda: patient.asked > asked + 3, "further questions")
    # Without checks it is asked by clients alone.
    proxy.reload(route(patient.url))
    assert client(proxy).get("/").read() == b"a"
    assert not any(name == "weir_upstream_up" for name, _, _ in Metrics(proxy).samples)
