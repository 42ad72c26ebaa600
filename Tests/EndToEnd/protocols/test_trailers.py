"""Fields after a body: from the client to the upstream and back, if both sides support them."""
import hashlib
import json

import pytest

from harness.scripted_origin import STREAM_HEAD, LAST_CHUNK, answers, chunk, record
from harness.weir import route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = "POST /v1/trailers HTTP/1.1\r\nHost: orders.example\r\nTransfer-Encoding: chunked\r\n{}\r\n"


def post(*fields):
    return HEAD.format("".join(field + "\r\n" for field in fields)).encode()


def test_they_pass_both_ways(weir, express_app, client):
    connection = client(weir(route(express_app.url)))
    for number in range(3):  # on one connection each, so that nothing of one is left for the next
        connection.send(post("Trailer: X-Sum", "TE: trailers") + chunk(b"hello")
                        + b"0\r\nX-Sum: %d\r\nX-Empty:\r\nAuthorization: Basic eDp5\r\n\r\n" % number)
        response = connection.response()
        assert response.head["Trailer"] == "X-Digest, X-Noted"
        assert response.read() == b"announced X-Sum, asked for trailers\n"
        received = dict(response.trailers)
        assert received["X-Digest"] == hashlib.sha256(b"hello").hexdigest()
        assert json.loads(received["X-Noted"]) == {"x-sum": str(number), "x-empty": ""}


def test_a_client_that_does_not_ask_gets_none(weir, express_app, client):
    connection = client(weir(route(express_app.url)))
    connection.send(post() + chunk(b"hello") + LAST_CHUNK)
    response = connection.response()
    assert "trailer" not in response.head.names
    assert response.read() == b"announced undefined, asked for undefined\n"
    assert (response.complete, response.trailers) == (True, [])


def test_over_http2_they_pass_as_well(weir, express_app, h2):
    connection = h2(weir(route(express_app.url)))
    stream = connection.ask("/v1/trailers", ("te", "trailers"), ("trailer", "x-sum"), method="POST", ends=False)
    connection.send_body(stream, b"hello", ends=False)
    connection.h2.send_headers(stream.id, [("x-sum", "7")], end_stream=True)
    connection.flush()
    stream.finish()
    assert (stream.status, stream.ended) == (200, True)
    assert stream.trailers["x-digest"] == hashlib.sha256(b"hello").hexdigest()
    assert json.loads(stream.trailers["x-noted"]) == {"x-sum": "7"}


def test_a_body_of_known_length_has_none(weir, fastapi_app, h2):
    connection = h2(weir(route(fastapi_app.url)))
    stream = connection.ask("/v1/digest", ("content-length", "5"), method="POST", ends=False)
    connection.send_body(stream, b"hello", ends=False)
    connection.h2.send_headers(stream.id, [("x-sum", "7")], end_stream=True)
    connection.flush()
    assert stream.finish().json()["length"] == 5


@pytest.mark.parametrize("length", [200, 4000])
def test_the_upstream_is_asked_by_te_alone(weir, origin, client, length):
    upstream = origin(answers(STREAM_HEAD + chunk(record(1)) + b"0\r\nX-Long: %b\r\n\r\n" % (b"x" * length)))
    response = client(weir(route(upstream.url))).get("/", "TE: trailers, gzip;q=0.5", "Connection: TE, X-Other", "X-Other: 1")
    assert response.read() == record(1) and dict(response.trailers)["X-Long"] == "x" * length
    head = upstream.heads[0].decode().lower()
    assert "te: trailers\r\n" in head + "\r\n" and "connection: te\r\n" in head + "\r\n"
    assert "gzip" not in head and "x-other" not in head


def test_fields_that_the_route_reads_removes_or_sets_are_not_trailers(weir, express_app, client):
    proxy = weir(route(express_app.url, client_tier="{ header: X-Tier }", tiers="{ gold: {} }",
                       client_key="{ header: X-Api-Key }",
                       headers="{ request: { remove: [X-Debug], set: { X-Role: user } }, response: { remove: [X-Digest] } }"))
    connection = client(proxy)
    connection.send(post("Trailer: X-Sum, X-Tier, X-Role", "TE: trailers") + chunk(b"hello")
                    + b"0\r\nX-Sum: 1\r\nX-TIER: gold\r\nX-Debug: 1\r\nx-role: admin\r\nX-Api-Key: other\r\n\r\n")
    response = connection.response()
    assert response.read() == b"announced X-Sum, asked for trailers\n"
    received = dict(response.trailers)
    assert "X-Digest" not in received and json.loads(received["X-Noted"]) == {"x-sum": "1"}
