"""Real frameworks as upstreams, run as in production: Express, FastAPI, Django, Spring WebFlux.

Each makes records in a generator of its own language; what has to reach it through the framework and its server is that its
reader is slow, or gone.
"""
import json

from harness.streams import read_on
from harness.waiting import eventually, level
from harness.weir import route


def test_a_real_upstream_is_paused_resumed_and_cancelled(weir, framework, client, request):
    tag = request.node.name
    proxy = weir(route(framework.url, stall_timeout="off"))
    slow = client(proxy, receive_buffer=4096)
    slow.ask(f"/v1/firehose?tag={tag}")
    eventually(lambda: framework.made(tag), "a first record")
    paused_at = level(lambda: framework.made(tag), "what the app has made", still=1.5)

    read_on(slow.response().records(), lambda: framework.made(tag) > paused_at, "the app continuing once its client reads")
    assert framework.ended(tag) == 0
    slow.close()
    eventually(lambda: framework.ended(tag) == 1, "the app's generator stopped after its client has left")


def test_orders_arrive_whole_and_at_their_pace(weir, framework, client):
    proxy = weir(route(framework.url))
    response = client(proxy).get("/v1/orders/stream?items=300", "Accept: application/x-ndjson", "X-Stream-Rate-Limit: 1000/second",
                                 "X-Stream-Buffer-Size: 50", "TE: trailers")
    assert response.head["X-Stream-Rate"] == "1000/second" and response.head["X-Stream-Buffer-Size"] == "50"
    orders = [json.loads(record.line) for record in response.records()]
    assert [order["orderId"] for order in orders] == list(range(1, 301))
    assert orders[299] == {"orderId": 300, "status": "shipped", "customer": "Zoë 300", "total": 900}
    assert dict(response.trailers) == {"X-Stream-Status": "complete", "X-Stream-Items": "300"}


def test_events_are_records_too(weir, framework, client):
    response = client(weir(route(framework.url))).get("/v1/orders/events?items=30", "Accept: text/event-stream", "TE: trailers")
    blocks = [block for block in response.read().replace(b"\r\n", b"\n").split(b"\n\n") if b"data:" in block]
    assert len(blocks) == 30 and ("X-Stream-Items", "30") in response.trailers


def test_a_generator_that_breaks_off_never_looks_complete(weir, framework, client):
    response = client(weir(route(framework.url))).get("/v1/breaks-off?after=25", "Accept: application/x-ndjson")
    assert [record.number for record in response.records()] == list(range(1, 26))
    assert not response.complete
