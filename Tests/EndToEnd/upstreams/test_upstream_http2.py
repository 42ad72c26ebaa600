"""HTTP/2 towards upstreams: requests share connections, and one that is not read delays no other."""
import hashlib
import importlib.util
import json
import os
import re

from pathlib import Path

import pytest

from harness.apps import App
from harness.certificates import Authority
from harness.metrics import Metrics
from harness.streams import StreamAddress, read_on
from harness.waiting import eventually, level
from harness.weir import REPOSITORY, command, route

ON = {"upstream_http2": "true"}
RECORD_BYTES = 230  # of a firehose, at the least
HELD = 20 << 20  # what libcurl may hold of a stream
SOCKET_BUFFERS = 1 << 20  # what the kernel and Node hold beside it


def libcurl(environment):
    found = re.search(r"libcurl/(\d+)\.(\d+)", command("--version", env={**os.environ, **environment}).stdout)
    return int(found[1]), int(found[2])


def newer_libcurl():
    """Where the system's libcurl is too old: the one that comes with PycURL, under the name by which weir looks for it."""
    libraries = Path(importlib.util.find_spec("pycurl").origin).parent.with_name("pycurl.libs")
    named = REPOSITORY / ".build/libcurl"
    named.mkdir(parents=True, exist_ok=True)
    for library in libraries.iterdir():
        link = named / ("libcurl.so.4" if library.name.startswith("libcurl-") else library.name)
        if not link.is_symlink() or link.readlink() != library:  # in one step: other processes do the same, or use it
            own = link.with_name(f"{link.name}.{os.getpid()}")
            own.symlink_to(library)
            own.replace(link)
    return {"LD_LIBRARY_PATH": str(named)}


LEAST = (8, 19)
SYSTEM = libcurl({})
ENVIRONMENT = {} if SYSTEM >= LEAST else newer_libcurl()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def app(tmp_path, authority):
    """Starts the app: app(), or app(streams=10) at a time on each connection."""
    running = []

    def start(**options):
        issued = authority.ca.issue_cert("localhost", "127.0.0.1")
        options |= {"certificate": b"".join(part.bytes() for part in issued.cert_chain_pems).decode(),
                    "key": issued.private_key_pem.bytes().decode()}
        running.append(App("http2", tmp_path, {"HTTP2_APP": json.dumps(options)}))
        running[-1].ports = running[-1].get("/")["ports"]
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def before(weir):
    """A weir before an app, without TLS unless there is a `port`."""
    return lambda app, **keys: weir(route(f"http://127.0.0.1:{app.ports['h2c']}", **{**ON, **keys}), environment=ENVIRONMENT)


def test_an_older_libcurl_is_refused_at_the_place_that_asks(tmp_path):
    if SYSTEM >= LEAST:
        pytest.skip("this machine has none")
    (tmp_path / "proxy.conf").write_text("routes:\n  - match: /\n    upstream: http://o\n    upstream_http2: true\n")
    done = command("check", cwd=tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(r"\./proxy\.conf:4:21: `routes\.upstream_http2` needs libcurl 8\.19 or newer, with HTTP/2; this is libcurl/\S+\n",
                        done.stderr)
    assert command("check", cwd=tmp_path, env={**os.environ, **ENVIRONMENT}).returncode == 0


def test_requests_and_answers_are_as_over_http1(before, app, client):
    connection = client(before(app()))
    answer = connection.get("/v1/echo?a=%20b", "X-Field: x", "Cookie: a=b", "Connection: X-Hop", "X-Hop: y")
    seen = answer.json()
    assert (seen["version"], seen["method"], seen["path"], seen["authority"]) == ("2.0", "GET", "/v1/echo?a=%20b", "orders.example")
    assert seen["headers"]["x-field"] == "x" and seen["headers"]["cookie"] == "a=b" and seen["headers"]["via"] == "1.1 weir"
    assert not {"x-hop", "connection", "host", "transfer-encoding"} & seen["headers"].keys()
    assert answer.head["Via"] == "2.0 weir"
    assert connection.get("/v1/nothing").status == 204
    assert connection.get("/v1/echo", method="HEAD").head["Content-Type"] == "application/json"


def test_orders_arrive_whole_and_at_their_pace(before, app, client):
    response = client(before(app())).get("/v1/orders/stream?items=300", "X-Stream-Rate-Limit: 1000/second",
                                         "X-Stream-Buffer-Size: 50", "TE: trailers")
    assert [record.number for record in response.records()] == list(range(1, 301))
    assert dict(response.trailers) == {"X-Stream-Status": "complete", "X-Stream-Items": "300"}


def test_requests_share_a_connection_up_to_the_upstreams_limit(before, app, client, request):
    for upstream, connections in [(app(), 1), (app(streams=10), 3)]:
        proxy, tag = before(upstream, stall_timeout="off"), request.node.name
        assert client(proxy).get("/v1/nothing").status == 204
        clients = [client(proxy, receive_buffer=4096) for _ in range(25)]
        for one in clients:  # one after another: the limit of a connection is known once it has brought a response
            assert next(one.get(f"/v1/firehose?tag={tag}").records()).number == 1
        assert upstream.get("/")["sessions"] == connections
        for one in clients:
            one.close()
        eventually(lambda: upstream.ended(tag) == 25, "the end of all")


def test_one_that_is_not_read_waits_alone(before, app, client, request):
    tag, upstream = request.node.name, app()
    proxy = before(upstream, stall_timeout="off")
    slow = client(proxy, receive_buffer=4096)
    slow.ask(f"/v1/firehose?tag={tag}")
    eventually(lambda: upstream.made(tag), "a first record")
    level(lambda: upstream.made(tag), "what the app has made", still=1.5)
    # What others read of the connection brings the rest of its window, and no more.
    for _ in range(3):
        response = client(proxy).get("/v1/orders/stream?items=20000")
        assert sum(1 for _ in response.records()) == 20000 and response.complete
    paused_at = level(lambda: upstream.made(tag), "what the app has made", still=1.5)
    assert paused_at * RECORD_BYTES < HELD + 4 * SOCKET_BUFFERS

    read_on(slow.response().records(), lambda: upstream.made(tag) > paused_at, "the app continuing once its client reads")
    assert upstream.ended(tag) == 0
    slow.close()
    eventually(lambda: upstream.ended(tag) == 1, "the app's generator stopped after its client has left")
    assert upstream.get("/")["sessions"] == 1


def test_bodies_and_trailers_pass(before, app, client):
    proxy, body = before(app()), os.urandom(3 << 20)
    for announced in [[f"Content-Length: {len(body)}"], ["Transfer-Encoding: chunked"]]:
        connection = client(proxy)
        connection.ask("/v1/digest", *announced, method="POST")
        connection.send(body if "Content" in announced[0] else b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
        seen = connection.response().json()
        assert (seen["sha256"], seen["length"]) == (hashlib.sha256(body).hexdigest(), len(body))
        assert seen["declared"] == (str(len(body)) if "Content" in announced[0] else None)
    response = client(proxy).get("/v1/trailers", "TE: trailers")
    assert response.read() == b"asked for trailers\n" and ("x-sum", "7") in response.trailers


def test_hints_pass(before, app, client):
    connection = client(before(app()))
    connection.ask("/v1/hints")
    early = connection.head()
    assert (early.status, early["Link"]) == (103, "</style.css>; rel=preload")
    assert connection.response().json() == {"hinted": True}


def test_a_stream_that_is_reset_never_looks_complete(before, app, client):
    proxy = before(app())
    response = client(proxy).get("/v1/breaks-off?after=25", "Accept: application/x-ndjson")
    assert [record.number for record in response.records()] == list(range(1, 26))
    assert not response.complete
    assert proxy.logged(reason="upstream_failed")["records"] == 25


def test_goaway_ends_no_stream_and_the_next_request_gets_a_connection(before, app, client):
    upstream = app()
    proxy = before(upstream)
    response = client(proxy).get("/v1/orders/stream?items=300", "X-Stream-Rate-Limit: 1/hour")
    records = response.records()
    assert next(records).number == 1
    upstream.get("/goodbye")
    assert client(proxy).get("/v1/echo").status == 200
    assert upstream.get("/")["sessions"] == 2
    StreamAddress(proxy, response).feedback(rate="1000/second")
    assert [record.number for record in records] == list(range(2, 301))


def test_over_tls_the_upstream_chooses(weir, app, authority, client):
    upstream = app()
    trust = {**ON, "upstream_tls": f"{{ ca_file: {authority.pem} }}"}
    proxy = weir(route(f"https://127.0.0.1:{upstream.ports['h2']}", match="/v1", **trust),
                 route(f"https://127.0.0.1:{upstream.ports['http1']}", match="/old", strip_prefix="true", **trust),
                 environment=ENVIRONMENT)
    for path, version in [("/v1/echo", "2.0"), ("/old/v1/echo", "1.1"), ("/v1/echo", "2.0"), ("/old/v1/echo", "1.1")]:
        answer = client(proxy).get(path)
        assert answer.json()["version"] == version and answer.head["Via"] == f"{version} weir"


def test_unused_connections_are_idle(before, app, client):
    upstream = app()
    proxy = before(upstream)
    assert client(proxy).get("/v1/echo").status == 200
    eventually(lambda: Metrics(proxy).total("weir_upstream_connections", state="idle") == 1, "an idle connection")
