"""The central exchange of weir, header for header, and its refusal, member for member."""
import math
import re
import time

import httpx
import pytest

from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, record
from harness.tools import curl, fetch
from harness.waiting import eventually
from harness.weir import route

SEED = ("Accept: application/x-ndjson", "Prefer: respond-async", "X-Stream-Buffer-Size: 100",
        "X-Stream-Rate-Limit: 10/second")


def test_the_seed_exchange_header_for_header(weir, app, client):
    proxy = weir(route(app.url, match="/v1/orders/stream", rate="{ default: 2/second, max: 100/second }",
                       buffer="{ default: 50, max: 1000 }"))
    response = client(proxy).get("/v1/orders/stream", *SEED)
    head = response.head
    assert (head.version, head.status, head.reason) == ("HTTP/1.1", 200, "OK")
    assert head["Content-Type"] == "application/x-ndjson"
    assert head["X-Stream-Rate"] == "10/second"
    assert head["X-Stream-Buffer-Size"] == "100"
    assert head["X-Stream-Total-Items"] == "10000"
    assert (head["X-Accel-Buffering"], head["Incremental"]) == ("no", "?1")
    assert "q=10;w=1" in head["RateLimit-Policy"].replace(" ", "")
    assert re.search(r";\s*r=\d+", head["RateLimit"])

    records = [record for record, _ in zip(response.records(), range(16))]
    assert [record.number for record in records] == list(range(1, 17))
    assert response.keeps_pace(records[-1], 15, 0.1)


def test_each_stream_has_an_id_that_cannot_be_guessed(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url))
    ids = {client(proxy).get("/v1/orders/stream?items=1").head["X-Stream-Id"] for _ in range(20)}
    assert len(ids) == 20
    # 128 bits take 22 characters of base64url, and more of anything plainer.
    assert all(re.fullmatch(r"[0-9A-Za-z_-]{22,}", each) for each in ids), ids


def test_the_seed_refusal_member_for_member_and_its_retry_after_is_true(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, match="/v1/orders/stream", streams="{ starts: 12/minute, starts_burst: 1 }"))
    path = "/v1/orders/stream?items=1"
    asked = time.monotonic()
    assert client(proxy).get(path, *SEED).status == 200

    # A client that prefers to wait is promised the stream instead: test_async.py.
    refused = client(proxy).get(path, *(header for header in SEED if not header.startswith("Prefer")))
    assert (refused.head.version, refused.head.reason) == ("HTTP/1.1", "Too Many Requests")
    refusal = problem(refused, 429, "rate-limit")
    wait = refusal["retryAfter"]
    # One start in 5 s, of which the two requests have taken a part.
    assert math.ceil(5 - (time.monotonic() - asked)) <= wait <= 5
    assert refused.head["Retry-After"] == str(wait)
    refusal.pop("instance", None)
    assert refusal == {
        "type": "https://example.com/problems/rate-limit",
        "title": "Rate Limit Exceeded",
        "status": 429,
        "detail": "Stream rate limit of 12/minute exceeded",
        "retryAfter": wait,
    }

    due = time.monotonic() + wait
    connection = client(proxy)

    def admitted():
        sent = time.monotonic()
        response = connection.get(path)
        response.read()
        assert response.status == 200 or sent < due, "a client that returns at its Retry-After is admitted"
        return response.status == 200

    eventually(admitted, "the next start")
    assert time.monotonic() - asked >= 5, "not before the next start"


def with_curl(url):
    got = curl(url)
    assert (got.exit_status, got.status) == (0, 200)
    return got.fields, got.body


def with_httpx(url):
    got = httpx.get(url, trust_env=False)
    assert got.status_code == 200
    return got.headers, got.content


def with_fetch(url):
    got = fetch(url)
    assert (got["status"], got["error"]) == (200, None)
    return got["headers"], "".join(line["text"] + "\n" for line in got["lines"]).encode()


@pytest.mark.parametrize("get", [with_curl, with_httpx, with_fetch])
def test_every_byte_and_header_of_the_upstream_reaches_each_client(weir, app, get):
    proxy = weir(route(app.url))
    path = "/v1/orders/stream?items=500"
    direct = httpx.get(app.url + path, trust_env=False)
    fields, body = get(proxy.url + path)
    assert body == direct.content
    assert fields["x-stream-total-items"] == "500"
    assert fields["x-stream-rate"] == "unlimited"
    ours = {"connection", "keep-alive", "date", "transfer-encoding"}
    kept = {name: value for name, value in direct.headers.items() if name not in ours}
    assert kept.items() <= dict(fields).items()


def test_an_express_app_that_ignores_drain_loses_nothing(weir, express_app, client):
    proxy = weir(route(express_app.url))
    response = client(proxy).get("/v1/orders/flood?items=20000")
    assert [record.number for record in response.records()] == list(range(1, 20001))
    assert response.complete


def test_the_upstream_total_may_come_in_another_header(weir, origin, client):
    head = STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nX-Total-Count: 77\r\n\r\n")
    upstream = origin(answers(head + chunk(record(1)) + LAST_CHUNK))
    proxy = weir(route(upstream.url, total_items_header="X-Total-Count"))
    assert client(proxy).get("/").head["X-Stream-Total-Items"] == "77"
