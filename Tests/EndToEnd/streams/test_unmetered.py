"""A rate that is not applied is reported: once a minute in weir's own log, in the access log and in the metrics."""
import gzip

import pytest

from harness.metrics import Metrics
from harness.scripted_origin import LAST_CHUNK, answers, chunk, record
from harness.weir import route

RATE = {"rate": "1000/second"}
WARNING = "the rate is not applied"
LINES = b"".join(map(record, range(1, 4)))


def head(kind, *fields):
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Type: " + kind, *fields]) + b"\r\n\r\n"


def chunked(kind, *fields, body=LINES):
    return head(kind, b"Transfer-Encoding: chunked", *fields) + chunk(body) + LAST_CHUNK


def fixed(kind, size):
    return head(kind, b"Content-Length: %d" % size) + b"x" * size


def unmetered(proxy, cause):
    return Metrics(proxy).total("weir_unmetered_responses_total", route="/", cause=cause)


@pytest.mark.parametrize(("response", "keys", "fields"), [
    (chunked(b"application/json"), RATE, []),
    (chunked(b"application/json"), {}, ["X-Stream-Rate-Limit: 5/second"]),
    (chunked(b"application/json"), {"streams": "{ client_records: 5/second }"}, []),
    (chunked(b"text/plain"), RATE, []),
    (fixed(b"application/json", (1 << 20) + 1), RATE, []),
    (chunked(b"application/vnd.acme+lines"), RATE, []),
])
def test_a_rate_that_is_not_applied_is_reported(weir, origin, client, response, keys, fields):
    upstream = origin(answers(response))
    proxy = weir(route(upstream.url, **keys))
    connection = client(proxy)
    for _ in range(2):
        answer = connection.get("/", *fields)
        assert answer.head["X-Stream-Rate"] is None
        answer.read()
    assert "rate" not in proxy.logged(event="end", unmetered="content_type")
    warnings = proxy.says(WARNING)
    assert len(warnings) == 1 and "framing" in warnings[0] and "route=/" in warnings[0]
    assert unmetered(proxy, "content_type") == 2


@pytest.mark.parametrize(("response", "keys"), [
    (chunked(b"application/json"), {}),
    (chunked(b"application/json"), {"framing": "none", **RATE}),
    (fixed(b"application/json", 1 << 20), RATE),
    (chunked(b"application/x-ndjson"), RATE),
    (chunked(b"application/json").replace(b"200 OK", b"404 Not Found"), RATE),
])
def test_nothing_is_reported_without_a_rate_or_for_a_document(weir, origin, client, response, keys):
    upstream = origin(answers(response))
    proxy = weir(route(upstream.url, **keys))
    client(proxy).get("/").read()
    assert "unmetered" not in proxy.logged(event="end")
    assert WARNING not in proxy.said()
    assert unmetered(proxy, "content_type") == unmetered(proxy, "content_encoding") == 0


def test_a_compressed_stream_is_counted_by_its_cause(weir, origin, client):
    body = gzip.compress(LINES)
    upstream = origin(answers(chunked(b"application/x-ndjson", b"Content-Encoding: gzip", body=body)))
    proxy = weir(route(upstream.url))
    assert gzip.decompress(client(proxy).get("/").read()) == LINES
    assert proxy.logged(event="end")["unmetered"] == "content_encoding"
    assert unmetered(proxy, "content_encoding") == 1


@pytest.mark.parametrize("kind", [
    b"application/stream+json", b"application/json-lines", b"application/jsonlines", b"text/x-ndjson",
    b"application/x-json-stream", b"application/vnd.acme.order+ndjson", b"application/json;stream=watch",
])
def test_further_types_are_streams_of_lines(weir, origin, client, kind):
    upstream = origin(answers(chunked(kind)))
    response = client(weir(route(upstream.url, **RATE))).get("/")
    assert response.head["X-Stream-Rate"] == "1000/second"
    assert [each.number for each in response.records()] == [1, 2, 3]


def test_a_route_adds_types(weir, origin, client):
    upstream = origin(answers(chunked(b"Application/Vnd.Acme+Lines;v=2")))
    types = "{ ndjson: [application/vnd.acme+lines], sse: [application/x-events] }"
    proxy = weir(route(upstream.url, types=types, **RATE))
    response = client(proxy).get("/", "Accept: application/vnd.acme+lines")
    assert response.head["X-Stream-Rate"] == "1000/second"
    assert [each.number for each in response.records()] == [1, 2, 3]
    assert proxy.logged(event="end")["records"] == 3
