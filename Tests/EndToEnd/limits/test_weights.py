"""Records that count as many units as they weigh: for the pace, for the budgets of clients, and for their next starts."""
import json
import time

import pytest

from harness.event_stream import SSE_HEAD
from harness.json_seq import RS, SEQ_HEAD
from harness.metrics import Metrics
from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk
from harness.streams import StreamAddress, sends
from harness.waiting import eventually
from harness.weir import route

MINE, THEIRS = "X-Api-Key: mine", "X-Api-Key: theirs"
TOTAL = "{ pointer: /usage/completion_tokens, cumulative: true }"


def line(text):
    return text + b"\n"


def event(text):
    return b": tokens\n\nevent: token\ndata: " + text + b"\n\n"


def element(text):
    return RS + text + b"\n"


FORMATS = [pytest.param(STREAM_HEAD, line, id="lines"), pytest.param(SSE_HEAD, event, id="events"),
           pytest.param(SEQ_HEAD, element, id="texts")]


def completion(total=None, make=event):
    """The records of a completion with three tokens, as services for language models send it."""
    tokens = [make(b'{"choices":[{"delta":{"content":"a"}}],"usage":null}') for _ in range(3)]
    usage = [] if total is None else [make(b'{"choices":[],"usage":{"completion_tokens":%d}}' % total)]
    return [*tokens, *usage, make(b"[DONE]")]


@pytest.mark.parametrize(("head", "make"), FORMATS)
def test_the_pace_counts_units(weir, origin, client, head, make):
    records = [make(b'{"usage":{"completion_tokens":10},"orderId":%d}' % number) for number in range(1, 7)]
    proxy = weir(route(origin(sends(*records, head=head)).url, rate="{ default: 100/second }",
                       weight="{ pointer: /usage/completion_tokens }"))
    response = client(proxy).get("/")
    body, last = b"", None
    for part in response.parts():
        body += part
        if records[-1] in body and last is None:
            last = time.monotonic()
    assert (body, response.complete) == (b"".join(records), True)
    assert '"records";q=100;w=1;qu="units"' in response.head["RateLimit-Policy"].replace(" ", "")
    assert last - response.asked >= 0.95 * 50 * 0.01 - 0.05
    logged = proxy.logged(reason="completed")
    assert (logged["records"], logged["units"]) == (6, 60)
    assert Metrics(proxy).total("weir_units_total", route="/") == 60


@pytest.mark.parametrize("fields", [[], ["X-Stream-Buffer-Size: 1"]], ids=str)
def test_only_the_last_record_does_not_wait(weir, origin, client, fields):
    """Of a stream with running totals, also if the buffer has room for one record only."""
    records = [line(b'{"usage":{"completion_tokens":%d}}' % (10 * number)) for number in range(1, 13)]
    proxy = weir(route(origin(sends(*records)).url, rate="{ default: 100/second }", weight=TOTAL))
    response = client(proxy).get("/", *fields)
    assert response.read() == b"".join(records)
    assert time.monotonic() - response.asked >= 0.8


def test_a_record_waits_for_the_weight_of_the_one_before(weir, origin, client):
    records = [line(b'{"n":%d}' % weight) for weight in (0, 0, 5, 1, 1)]
    proxy = weir(route(origin(sends(*records)).url, rate="{ default: 1/hour }", weight="{ pointer: /n }"))
    response = client(proxy).get("/")
    address, parts = StreamAddress(proxy, response), response.parts()
    body = b""
    while len(body) < len(b"".join(records[:3])):
        body += next(parts)
    state = address.seen(5)
    assert (state["records"], state["queued"]) == (3, 2)
    assert Metrics(proxy).total("weir_units_total", route="/") == 5
    address.feedback(rate="1000/second")
    assert body + b"".join(parts) == b"".join(records)
    assert address.logged("completed")["units"] == 7


@pytest.mark.parametrize(("head", "make"), FORMATS)
def test_a_debt_is_paid_by_the_next_start(weir, origin, client, head, make):
    """The response with its last record is complete before: the client pays later, and gets the exact time."""
    records = completion(300, make)
    proxy = weir(route(origin(sends(*records, head=head)).url, client_key="{ header: X-Api-Key }", weight=TOTAL,
                       streams="{ client_records: 10/second }"))
    before = time.monotonic()
    response = client(proxy).get("/", MINE)
    assert (response.read(), response.complete) == (b"".join(records), True)
    refusal = problem(client(proxy).get("/", MINE), 429, "rate-limit")
    elapsed = time.monotonic() - before
    # 301 units of 10/second, of which the burst of a second is paid already.
    assert 29 - elapsed <= refusal["retryAfter"] <= 30
    assert client(proxy).get("/", THEIRS).status == 200
    logged = proxy.logged(reason="completed")
    assert (logged["records"], logged["units"]) == (5, 301)


def test_a_client_is_admitted_when_its_debt_is_paid(weir, origin, client):
    proxy = weir(route(origin(sends(*completion(120), head=SSE_HEAD)).url, weight=TOTAL,
                       streams="{ client_records: 100/second }"))
    assert client(proxy).get("/").read().endswith(b"[DONE]\n\n")
    eventually(lambda: client(proxy).get("/").status == 200, "admitted")


def test_a_total_below_what_was_counted_is_given_back(weir, origin, client):
    records = [line(b"{}") for _ in range(50)] + [line(b'{"usage":{"completion_tokens":5}}')]
    proxy = weir(route(origin(sends(*records)).url, weight=TOTAL,
                       streams="{ client_records: { quota: { records: 51, per: day } } }"))
    response = client(proxy).get("/")
    assert (response.read(), response.complete) == (b"".join(records), True)
    proxy.logged(reason="completed", units=5)
    assert Metrics(proxy).total("weir_units_total", route="/") == 5
    again = client(proxy).get("/")
    assert '"client-quota";r=46;' in again.head["RateLimit"].replace(" ", "")


def test_a_client_that_leaves_is_charged_for_what_was_counted(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.send(SSE_HEAD + b"".join(chunk(token) for token in completion(None)[:3]))
        peer.wait_gone()

    proxy = weir(route(origin(script).url, weight=TOTAL, streams="{ client_records: { quota: { records: 10, per: day } } }"))
    connection = client(proxy)
    parts, body = connection.get("/").parts(), b""
    while body.count(b'"content"') < 3:
        body += next(parts)
    # A total may follow that settles less, and a counter does not fall.
    assert Metrics(proxy).total("weir_units_total", route="/") == 0
    connection.close()
    assert proxy.logged(reason="client_gone")["units"] == 3
    assert Metrics(proxy).total("weir_units_total", route="/") == 3
    assert '"client-quota";r=7;' in client(proxy).get("/").head["RateLimit"].replace(" ", "")


HOSTILE = [b'{"n":-1}', b'{"n":1.5}', b'{"n":1e3}', b'{"n":9223372036854775808}', b'{"n":18446744073709551616}',
           b'{"n":1000000000}', b'{"n":"7"}', b'{"n":null}', b'{"n":{}}', b"{}", b'{"n":7', b"no JSON", b"[DONE]", b"\xff\x00",
           b'{"n":' * 5000, b"[" * 20000]


@pytest.mark.parametrize(("head", "make"), FORMATS)
def test_what_is_no_weight_weighs_the_default(weir, origin, client, head, make):
    records = [make(text) for text in HOSTILE]
    proxy = weir(route(origin(sends(*records, head=head)).url, weight="{ pointer: /n, default: 3 }"))
    response = client(proxy).get("/")
    assert (response.read(), response.complete) == (b"".join(records), True)
    logged = proxy.logged(reason="completed")
    assert (logged["records"], logged["units"]) == (len(HOSTILE), 3 * len(HOSTILE))


@pytest.mark.parametrize("overflow", ["pause", "drop_oldest", "drop_newest", "disconnect"])
def test_many_heavy_records_in_one_piece_pass_a_small_buffer(weir, origin, client, overflow):
    body = b"".join(line(b'{"orderId":%d,"n":%d}' % (number, number)) for number in range(1, 301))
    proxy = weir(route(origin(sends(body)).url, overflow=overflow, buffer="{ default: 3 }", weight="{ pointer: /n }"))
    response = client(proxy).get("/")
    assert (response.read(), response.complete) == (body, True)
    logged = proxy.logged(reason="completed")
    assert (logged["records"], logged["units"]) == (300, 300 * 301 // 2)


def test_readers_of_a_shared_response_are_charged_each(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        eventually(lambda: len(readers) == 2, "both readers")
        peer.send(b"".join(chunk(line(json.dumps({"n": 4}).encode())) for _ in range(5)) + LAST_CHUNK)

    readers = []
    proxy = weir(route(origin(script).url, shared="{}", weight="{ pointer: /n }"))
    for _ in range(2):
        readers.append(client(proxy).get("/"))
    assert [len(response.read().splitlines()) for response in readers] == [5, 5]
    eventually(lambda: [entry["units"] for entry in proxy.lines()] == [20, 20], "both charged")
