"""What an upstream may believe: claims of clients do not reach it, and what weir itself claims is well-formed."""
import pytest

from harness.problems import problem
from harness.scripted_origin import answers
from harness.weir import route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

CLAIMS = [
    "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Forwarded-By",
    "X-Forwarded-User", "X-Forwarded-Client-Cert", "X-Forwarded-Anything", "X-Forwarded", "Forwarded-For", "X-Real-IP",
    "X-Client-IP", "Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP", "CF-Connecting-IPv6",
    "Fastly-Client-IP", "X-Original-Forwarded-For", "X-Original-URL", "X-Original-Host", "X-Rewrite-URL", "Client-Cert",
    "Client-Cert-Chain",
]


def names(upstream):
    return [line.partition(":")[0].lower() for line in upstream.heads[-1].decode("latin-1").split("\r\n")[1:]]


def sent(upstream, name):
    lines = upstream.heads[-1].decode("latin-1").split("\r\n")[1:]
    return [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].lower() == name]


def test_claims_pass_from_trusted_peers_alone(weir, origin, client):
    upstream = origin(answers(OK))
    fields = [f"{name}: 6.6.6.6" for name in CLAIMS] + ["X-Forward: 1", "X-Real: 1"]
    claimed = {name.lower() for name in CLAIMS}
    assert client(weir(route(upstream.url), trusted_proxies="off")).get("/", *fields).read() == b"ok"
    assert not claimed & set(names(upstream)) and {"x-forward", "x-real"} <= set(names(upstream))
    assert client(weir(route(upstream.url))).get("/", *fields).read() == b"ok"
    assert claimed <= set(names(upstream))


@pytest.mark.parametrize("trusted", ["off", "127.0.0.1"])
def test_names_that_cgi_takes_for_others_do_not_pass(weir, origin, client, trusted):
    upstream = origin(answers(OK))
    fields = ["X_Forwarded_For: 6.6.6.6", "Content_Length: 5", "Transfer_Encoding: chunked", "X_Own: 1", "X-Own: 2"]
    assert client(weir(route(upstream.url), trusted_proxies=trusted)).get("/", *fields).read() == b"ok"
    assert not [name for name in names(upstream) if "_" in name]
    assert sent(upstream, "x-own") == ["2"]


def test_the_same_holds_for_trailers(weir, origin, client):
    def script(peer):
        peer.read_head()
        while b"X-Sum: 1\r\n\r\n" not in peer.buffer:
            peer.buffer += peer._receive()
        peer.heads.append(peer.buffer)
        peer.send(OK)

    upstream = origin(script)
    connection = client(weir(route(upstream.url)))
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X_Sum, Content-Length\r\n\r\n"
                    b"5\r\nhello\r\n0\r\nX-Real-IP: 6.6.6.6\r\nX_Sum: 1\r\nX-Forwarded-Port: 1\r\nX-Sum: 1\r\n\r\n")
    assert connection.response().read() == b"ok"
    head, rest = upstream.heads
    assert b"\r\ntrailer: x-sum\r\n" in head.lower() + b"\r\n"
    assert b"_" not in rest and b"X-Real-IP" not in rest and b"X-Forwarded" not in rest


CONTROLS = [bytes([byte]) for byte in [*range(0x01, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F]]


def test_control_bytes_are_malformed_over_http1(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url))
    for byte in CONTROLS:
        for head in (b"Host: a\r\nX-A: a%bb" % byte, b"Host: a%bb" % byte, b"Host: a\r\nCookie: a=%b" % byte):
            connection = client(proxy)
            connection.send(b"GET / HTTP/1.1\r\n%b\r\n\r\n" % head)
            problem(connection.response(), 400, "invalid-request")
    assert upstream.heads == []


@pytest.mark.parametrize("name", ["x-a", "cookie", "host", "forwarded"])
def test_control_bytes_and_outer_white_space_are_malformed_over_http2(weir, origin, h2, name):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url))
    for byte in CONTROLS + [b" ", b"\t"]:
        for value in (byte + b"a", b"a" + byte, b"a" + byte + b"b"):
            if byte in b" \t" and value[1:2] == byte and len(value) == 3 and name != "host":
                continue  # white space within a value is part of it
            connection = h2(proxy, validate=False)
            stream = connection.ask("/", (name, value.decode("latin-1")))
            connection.until(lambda: stream.over)
            assert stream.status in (400, None), (byte, value)
            connection.close()
    assert upstream.heads == []


def test_an_open_quote_of_a_client_hides_nothing_that_follows(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url), forwarded_header="forwarded")
    # What the trusted peer passes on of its client, and its own element after it.
    client(proxy).get("/", 'Forwarded: for="6.6.6.6', "Forwarded: for=203.0.113.9").read()
    assert sent(upstream, "forwarded") == ['for=127.0.0.1;host="orders.example";proto=http']
    client(proxy).get("/", 'Forwarded: for=203.0.113.9;host="a,for=6.6.6.6;x="').read()
    assert "6.6.6.6" not in sent(upstream, "x-forwarded-for")[0]


def test_a_host_that_is_none_is_not_reported(weir, origin, client):
    upstream = origin(answers(OK))
    client(weir(route(upstream.url))).get("/", "Host: a", 'X-Forwarded-Host: b";for="6.6.6.6').read()
    assert sent(upstream, "x-forwarded-host") == ["a"]
    assert sent(upstream, "forwarded") == ['for=127.0.0.1;host="a";proto=http']
