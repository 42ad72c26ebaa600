"""HTTP/1.1 downstream, well-formed and malformed."""
import pytest

from harness.problems import problem
from harness.scripted_origin import answers
from harness.tools import curl
from harness.weir import route


@pytest.fixture
def proxy(weir, fastapi_app):
    return weir(route(fastapi_app.url), limits="{ max_header_bytes: 8KiB }")


@pytest.fixture
def impatient(weir, fastapi_app):
    return weir(route(fastapi_app.url), limits="{ header_timeout: 1s, keepalive_timeout: 2s }")


def test_a_connection_is_kept_alive(proxy, client):
    connection = client(proxy)
    for number in range(10):
        assert connection.get(f"/v1/orders/{number}").json()["orderId"] == number
        response = connection.get("/v1/orders/stream?items=3")
        assert [each.number for each in response.records()] == [1, 2, 3]


def test_connection_close_is_honoured(proxy, client):
    connection = client(proxy)
    response = connection.get("/v1/orders/stream?items=3", "Connection: close")
    assert len(list(response.records())) == 3
    assert response.complete
    assert response.head["Connection"].lower() == "close"
    assert connection.is_closed()


def test_an_idle_connection_is_closed_after_the_keepalive_timeout(impatient, client):
    connection = client(impatient)
    connection.get("/v1/orders/1").read()
    assert connection.is_closed()


def test_pipelined_requests_are_answered_in_order(proxy, client):
    connection = client(proxy)
    paths = ["/v1/orders/1", "/v1/orders/stream?items=50", "/v1/slow?seconds=0.2", "/v1/nothing", "/v1/orders/2"]
    connection.send(b"".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in paths))
    assert connection.response().json()["orderId"] == 1
    assert [each.number for each in connection.response().records()] == list(range(1, 51))
    assert connection.response().json() == {"waited": 0.2}
    assert connection.response().status == 204
    assert connection.response().json()["orderId"] == 2


def test_an_http_1_0_client_gets_a_body_that_ends_with_the_connection(proxy, client):
    connection = client(proxy)
    response = connection.get("/v1/orders/stream?items=100", version="1.0")
    assert response.status == 200
    assert "transfer-encoding" not in response.head.names
    assert [each.number for each in response.records()] == list(range(1, 101))
    assert response.head["X-Stream-Total-Items"] == "100"


def test_curl_speaks_1_0_too(proxy):
    got = curl(proxy.url + "/v1/orders/stream?items=10", "--http1.0")
    assert (got.exit_status, len(got.lines())) == (0, 10)


def test_head_has_the_headers_and_no_body(weir, express_app, client):
    connection = client(weir(route(express_app.url)))
    response = connection.get("/v1/large?size=5000", method="HEAD")
    assert (response.status, response.head["Content-Length"]) == (200, "5000")
    stream = connection.get("/v1/orders/stream?items=5", method="HEAD")
    assert stream.head["Content-Type"] == "application/x-ndjson"
    assert connection.get("/v1/orders/7").json()["orderId"] == 7  # and no byte of a body came between


def test_no_content_has_none(weir, app, client):
    connection = client(weir(route(app.url)))
    response = connection.get("/v1/nothing")
    assert response.status == 204
    assert not {"content-length", "transfer-encoding"} & response.head.names
    assert connection.get("/v1/orders/7").json()["orderId"] == 7


def test_not_modified_has_no_body(weir, app, client):
    connection = client(weir(route(app.url)))
    first = connection.get("/v1/cached")
    assert first.json() == {"cached": True}
    again = connection.get("/v1/cached", f"If-None-Match: {first.head['ETag']}")
    assert (again.status, again.head["ETag"]) == (304, first.head["ETag"])
    assert connection.get("/v1/orders/7").json()["orderId"] == 7


def test_a_large_body_passes_whole(weir, app, client):
    size = 8 << 20
    response = client(weir(route(app.url))).get(f"/v1/large?size={size}")
    assert response.head["Content-Length"] == str(size)
    assert response.read() == b"y" * size


def test_end_to_end_fields_pass_and_hop_by_hop_fields_do_not(weir, app, client):
    proxy = weir(route(app.url))
    seen = client(proxy).get(
        "/v1/echo?a=1&b=%20x", "X-Kept: yes", "X-Kept: twice", "Connection: keep-alive, X-Hop", "X-Hop: no",
        "TE: trailers", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "Accept-Encoding: br", "Host: api.example:81").json()
    fields = [(name.lower(), value) for name, value in seen["headers"]]
    assert [value for name, value in fields if name == "x-kept"] in (["yes", "twice"], ["yes, twice"])
    assert ("accept-encoding", "br") in fields
    assert ("host", "api.example:81") in fields
    names = {name for name, _ in fields}
    assert "x-hop" not in names and "expect" not in names
    assert not names & {"keep-alive", "proxy-connection", "upgrade", "transfer-encoding"}
    assert seen["query"] == "a=1&b=%20x"


@pytest.mark.parametrize("path", ["/v1/echo/../echo", "//v1/echo", "/v1/%2e%2e/echo?q=%2F", "/v1/a;b=c?d&&e"])
def test_the_path_is_forwarded_unchanged(weir, origin, client, path):
    upstream = origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    proxy = weir(route(upstream.url))
    response = client(proxy).get(path)
    if response.status == 200:
        assert upstream.heads[0].startswith(b"GET %b HTTP/1.1\r\n" % path.encode("latin-1"))
    else:  # refused, never guessed at
        assert response.status == 400 and not upstream.heads


def test_hop_by_hop_fields_of_the_upstream_stay_there(weir, origin, client):
    upstream = origin(answers(
        b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nConnection: X-Secret\r\nX-Secret: s\r\nKeep-Alive: timeout=9\r\n"
        b"Proxy-Authenticate: Basic\r\nX-Kept: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok"))
    response = client(weir(route(upstream.url))).get("/")
    assert response.read() == b"ok"
    assert not response.head.names & {"x-secret", "keep-alive"}
    assert response.head["X-Kept"] == "1"
    assert response.head.all("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PATCH"])
def test_any_method_without_a_body_passes(weir, app, client, method):
    seen = client(weir(route(app.url))).get("/v1/echo", method=method).json()
    assert seen["method"] == method


@pytest.mark.parametrize("fields", [[f"X-Large: {'h' * 9000}"], [f"X-{number}: {'h' * 90}" for number in range(100)]],
                         ids=["one large", "many small"])
def test_headers_over_the_limit_are_refused(proxy, client, fields):
    refused = client(proxy).get("/v1/orders/1", *fields)
    problem(refused, 431, "too-large")


def test_headers_within_the_limit_pass(proxy, client):
    assert client(proxy).get("/v1/orders/1", f"X-Large: {'h' * 7000}").status == 200


@pytest.mark.parametrize("begun", [b"", b"GET /v1/orders/1 HTTP/1.1\r\nHost: a\r\nX-Slow: "], ids=["nothing", "half"])
def test_a_slow_sender_is_disconnected(impatient, client, begun):
    connection = client(impatient)
    connection.send(begun)
    try:
        response = connection.response()
        assert response.status == 408
        response.read()
    except EOFError:
        return  # closed without an answer, which RFC 9110 allows as well
    assert connection.is_closed()


def test_a_trickle_does_not_prolong_the_header_time(impatient, client):
    connection = client(impatient)
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    connection.sock.settimeout(0.1)
    for _ in range(100):  # 10 s at most; the limit is 1 s
        try:
            connection.send(b"a")
            if not connection.sock.recv(4096):
                return
        except TimeoutError:
            continue
        except OSError:
            return  # reset, as it was still sending
    pytest.fail("it may send its head for ever")


def test_no_route_is_404(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, match="/v1/orders"))
    connection = client(proxy)
    for path in ["/", "/v2", "/v1/ordersabc", "/v1"]:
        problem(connection.get(path), 404, "not-found")
    assert connection.get("/v1/orders/1").json()["orderId"] == 1


def test_the_first_route_that_matches_wins(weir, origin, client):
    def named(name):
        return origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name))).url

    proxy = weir(route(named(b"special"), match="/v1/orders/special"), route(named(b"orders"), match="/v1/orders"),
                 route(named(b"rest")))
    connection = client(proxy)
    expected = {"/v1/orders/special": b"special", "/v1/orders/special/1": b"special", "/v1/orders/specially": b"orders",
                "/v1/orders": b"orders", "/v1/orders?a": b"orders", "/v1/ordersabc": b"rest", "/": b"rest"}
    assert {path: connection.get(path).read() for path in expected} == expected


@pytest.mark.parametrize("request_bytes", [
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX-Name : value\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
], ids=["garbage", "no host", "two hosts", "two lengths", "length and chunked", "space before the colon", "version"])
def test_a_malformed_request_is_refused_and_does_not_reach_the_upstream(weir, origin, client, request_bytes):
    upstream = origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    connection.send(request_bytes)
    assert connection.response().status in (400, 411, 501, 505)
    assert not upstream.heads
    assert client(proxy).get("/").status == 200


def test_an_absolute_target_is_taken_apart(weir, origin, client):
    upstream = origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    proxy = weir(route(upstream.url, match="/v1"))
    connection = client(proxy)
    connection.send(b"GET HTTP://orders.example:81/v1/x?y=1 HTTP/1.1\r\nHost: other\r\n\r\n")
    assert connection.response().status == 200
    head = upstream.heads[0]
    assert head.startswith(b"GET /v1/x?y=1 HTTP/1.1\r\n")
    assert b"\r\nhost: orders.example:81\r\n" in head.lower() + b"\r\n"


def test_weir_is_no_tunnel(weir, origin, client):
    upstream = origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    proxy = weir(route(upstream.url))
    connection = client(proxy)
    connection.send(b"CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n")
    problem(connection.response(), 501, "not-implemented")
    assert not upstream.heads
