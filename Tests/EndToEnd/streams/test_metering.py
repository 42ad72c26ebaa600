"""Records leave whole, in order, at the granted pace; what is no stream is not metered."""
import threading

import pytest

from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, record
from harness.weir import route


def stream(*lines):
    """A script's whole response: these lines in one chunk."""
    return STREAM_HEAD + chunk(b"".join(lines)) + LAST_CHUNK


@pytest.mark.parametrize(("asked", "granted", "spacing", "count"), [
    ("10/second", "10/second", 0.1, 21),
    ("40/s", "40/second", 0.025, 41),
    ("2.5/sec", "2.5/second", 0.4, 5),
    ("600/min", "600/minute", 0.1, 11),
    ("36000/h", "36000/hour", 0.1, 11),
])
def test_records_leave_at_the_granted_pace(weir, fastapi_app, client, asked, granted, spacing, count):
    proxy = weir(route(fastapi_app.url))
    response = client(proxy).get(f"/v1/orders/stream?items={count}", f"X-Stream-Rate-Limit: {asked}")
    assert response.head["X-Stream-Rate"] == granted
    records = list(response.records())
    assert response.complete
    assert [record.number for record in records] == list(range(1, count + 1))
    assert response.keeps_pace(records[-1], count - 1, spacing)


def test_a_burst_leaves_at_once_and_the_rest_at_the_pace(weir, origin, client):
    upstream = origin(answers(stream(*(record(number) for number in range(1, 12)))))
    proxy = weir(route(upstream.url, match="/hourly", rate="{ default: 1/hour, max: 1/hour, burst: 5 }"),
                 route(upstream.url, rate="{ default: 5/second, max: 5/second, burst: 5 }"), shutdown_grace="0s")
    burst = client(proxy).get("/hourly").records()
    assert [next(burst).number for _ in range(5)] == [1, 2, 3, 4, 5]  # hours apart without it
    response = client(proxy).get("/")
    records = list(response.records())
    assert len(records) == 11 and response.keeps_pace(records[-1], 6, 0.2)


def test_twenty_streams_at_once_keep_each_its_own_pace(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url))
    results = {}

    def run(number):
        rate = 5 + number
        response = client(proxy).get(f"/v1/orders/stream?items={2 * rate}", f"X-Stream-Rate-Limit: {rate}/second")
        results[rate] = response, list(response.records())

    threads = [threading.Thread(target=run, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 20
    for rate, (response, records) in results.items():
        assert [each.number for each in records] == list(range(1, 2 * rate + 1))
        assert response.keeps_pace(records[-1], len(records) - 1, 1 / rate)


def test_a_record_that_is_due_does_not_wait(weir, origin, client):
    following = threading.Semaphore(0)

    def live(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        for number in range(1, 6):
            assert following.acquire(timeout=60)
            peer.send(chunk(record(number)))
        peer.send(LAST_CHUNK)

    proxy = weir(route(origin(live).url, rate="{ default: 5/second }"))
    response = client(proxy).get("/")
    records = response.records()
    for _ in range(5):
        following.release()  # the next one is made only after this one has come: it waits for the pace alone
        last = next(records)
    assert response.keeps_pace(last, 4, 0.2)


def test_without_a_limit_nothing_waits(weir, app, client):
    proxy = weir(route(app.url))
    response = client(proxy).get("/v1/orders/stream")
    assert response.head["X-Stream-Rate"] == "unlimited"
    records = list(response.records())
    assert [each.number for each in records] == list(range(1, 10_001))


def test_a_record_is_never_cut_wherever_the_upstream_cuts_it(weir, origin, client):
    whole = b"".join(record(number, size=40) for number in range(1, 9))

    def byte_by_byte(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        for at in range(len(whole)):
            peer.send(chunk(whole[at:at + 1]))
        peer.send(LAST_CHUNK)

    proxy = weir(route(origin(byte_by_byte).url, rate="{ default: 50/second }"))
    response = client(proxy).get("/")
    assert response.read() == whole
    end = 0
    for size in response.chunk_sizes:
        end += size
        assert whole[end - 1:end] == b"\n", response.chunk_sizes


@pytest.mark.parametrize("body", [
    b'{"orderId":1}\r\n{"orderId":2}\r\n',
    b'{"orderId":1}\n{"orderId":2}',
    '{"orderId":1,"name":"Zoë 🚀"}\n'.encode(),
    b'{"orderId":1}\n\n\n{"orderId":2}\n',
], ids=["CRLF", "no last newline", "UTF-8", "empty lines"])
def test_bytes_pass_as_they_are(weir, origin, client, body):
    proxy = weir(route(origin(answers(stream(body))).url, rate="{ default: 50/second }"))
    response = client(proxy).get("/")
    assert response.read() == body
    assert response.complete


def test_an_empty_stream_is_complete(weir, origin, client):
    proxy = weir(route(origin(answers(STREAM_HEAD + LAST_CHUNK)).url, rate="{ default: 1/hour }"))
    response = client(proxy).get("/")
    assert response.head["X-Stream-Rate"] == "1/hour"
    assert (response.read(), response.complete) == (b"", True)


LINES = b"".join(record(number) for number in range(1, 6))


@pytest.mark.parametrize(("framing", "content_type", "metered"), [
    ("auto", "application/x-ndjson", True),
    ("auto", "application/x-ndjson; charset=utf-8", True),
    ("auto", "Application/NDJSON", True),
    ("auto", "application/jsonl", True),
    ("auto", "application/x-jsonlines", True),
    ("auto", "application/json", False),
    ("auto", "text/plain", False),
    ("auto", None, False),
    ("ndjson", "application/json", True),
    ("ndjson", None, True),
    ("none", "application/x-ndjson", False),
])
def test_the_framing_says_what_is_a_stream(weir, origin, client, framing, content_type, metered):
    field = f"Content-Type: {content_type}\r\n" if content_type else ""
    response = f"HTTP/1.1 200 OK\r\n{field}Content-Length: {len(LINES)}\r\n\r\n".encode() + LINES
    # What is no stream is not metered: at one record an hour it would not come.
    rate = "20/second" if metered else "1/hour"
    proxy = weir(route(origin(answers(response)).url, framing=framing, rate=f"{{ default: {rate} }}"))
    got = client(proxy).get("/")
    assert got.head["X-Stream-Rate"] == (rate if metered else None)
    assert ("x-stream-id" in got.head.names) is metered
    assert got.head["Content-Type"] == content_type
    records = list(got.records())
    assert [each.number for each in records] == [1, 2, 3, 4, 5]
    if metered:
        assert got.keeps_pace(records[-1], 4, 0.05)


def test_an_error_of_the_upstream_is_no_stream(weir, origin, client):
    response = b"HTTP/1.1 500 Oops\r\nContent-Type: application/x-ndjson\r\nContent-Length: 14\r\n\r\n" + record(1)
    proxy = weir(route(origin(answers(response)).url, rate="{ default: 1/hour }"))
    got = client(proxy).get("/")
    assert (got.status, got.read()) == (500, record(1))
    assert "x-stream-rate" not in got.head.names
