"""The exchange that weir exists for, header for header, and its refusal, member for member."""
import re
import time

import httpx
import pytest

from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, record
from harness.tools import curl, fetch
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
    assert head["X-Accel-Buffering"] == "no"
    assert "q=10;w=1" in head["RateLimit-Policy"].replace(" ", "")
    assert re.search(r";\s*r=\d+", head["RateLimit"])

    records = [record for record, _ in zip(response.records(), range(16))]
    assert [record.number for record in records] == list(range(1, 17))
    assert records[-1].at - records[0].at > 1.4  # 15 spaces of 100 ms


def test_each_stream_has_an_id_that_cannot_be_guessed(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url))
    ids = {client(proxy).get("/v1/orders/stream?items=1").head["X-Stream-Id"] for _ in range(20)}
    assert len(ids) == 20
    # 128 bits take 22 characters of base64url, and more of anything plainer.
    assert all(re.fullmatch(r"[0-9A-Za-z_-]{22,}", each) for each in ids), ids


def test_the_seed_refusal_member_for_member_and_its_retry_after_is_true(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, match="/v1/orders/stream", streams="{ starts: 12/minute, starts_burst: 1 }"))
    path = "/v1/orders/stream?items=1"
    began = time.monotonic()
    assert client(proxy).get(path, *SEED).status == 200

    # Who prefers to wait is promised the stream instead: test_async.py.
    refused = client(proxy).get(path, *(header for header in SEED if not header.startswith("Prefer")))
    assert (refused.head.version, refused.head.reason) == ("HTTP/1.1", "Too Many Requests")
    assert refused.head["Retry-After"] == "5"  # one start in 5 s, and next to none of them gone
    told = problem(refused, 429, "rate-limit")
    told.pop("instance", None)
    assert told == {
        "type": "https://example.com/problems/rate-limit",
        "title": "Rate Limit Exceeded",
        "status": 429,
        "detail": "Stream rate limit of 12/minute exceeded",
        "retryAfter": 5,
    }

    time.sleep(began + 2.5 - time.monotonic())  # the bucket's own time, which nothing can hurry
    early = client(proxy).get(path)
    # The next start, in 2.5 s, was announced to the request that was refused before; the one after it is 5 s later.
    assert early.head["Retry-After"] == "8"
    assert early.status == 429
    time.sleep(3)
    assert client(proxy).get(path, *SEED).status == 200


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
