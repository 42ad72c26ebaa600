"""An upstream that sends nothing more does not keep the clients of a shared request."""
import threading

import pytest

from harness.feed import Feed
from harness.problems import problem
from harness.scripted_origin import STREAM_HEAD, chunk, record
from harness.weir import route


def silent_once(feed, sent=b""):
    """A script of one or several origins: the first connection to any of them gets `sent` and then nothing, the others the feed."""
    lock, connections = threading.Lock(), []

    def script(peer):
        with lock:
            connections.append(peer)
        if peer is connections[0]:
            peer.read_head()
            peer.send(sent)
            peer.wait_gone()
        feed(peer)
    return script


# `linger` would keep a request that only its readers could end for the client after them.
LINGERS = {"shared": "{ linger: 1h, join: beginning }"}


@pytest.mark.parametrize("workers", [1, 2])
def test_clients_that_keep_coming_do_not_keep_a_silent_upstream(weir, origin, client, workers):
    feed = Feed()
    upstream = origin(silent_once(feed))
    proxy = weir(route(upstream.url, **LINGERS, timeouts="{ first_byte: 2s }"), workers=workers)
    problem(client(proxy).get("/"), 504, "upstream-timeout")
    response = client(proxy).get("/")
    assert response.status == 200
    feed.records(1, 2)
    feed.end()
    assert [each.number for each in response.records()] == [1, 2] and response.complete
    assert len(upstream.heads) == 2


def test_another_upstream_is_tried_for_all(weir, origin, client):
    feed = Feed()
    script = silent_once(feed)
    upstreams = [origin(script), origin(script)]
    proxy = weir(route("[" + ", ".join(each.url for each in upstreams) + "]", **LINGERS, timeouts="{ first_byte: 2s }"))
    response = client(proxy).get("/")
    assert response.status == 200
    feed.records(1, 2)
    feed.end()
    assert [each.number for each in response.records()] == [1, 2] and response.complete
    assert [len(each.heads) for each in upstreams] == [1, 1]


@pytest.mark.parametrize("timeouts", ["{ idle: 2s }", "{ first_record: 2s }", "{ between_records: 2s }"])
@pytest.mark.parametrize("workers", [1, 2])
def test_an_upstream_that_falls_silent_ends_for_all(weir, origin, client, workers, timeouts):
    feed = Feed()
    has_record = "first" not in timeouts
    upstream = origin(silent_once(feed, STREAM_HEAD + (chunk(record(1)) if has_record else b"")))
    proxy = weir(route(upstream.url, **LINGERS, timeouts=timeouts), workers=workers)
    responses = [client(proxy).get("/")]
    assert [each.number for each in responses[0].records()] == ([1] if has_record else [])
    assert responses[0].complete is False
    line = proxy.logged(id=responses[0].head["X-Stream-Id"])
    assert line["reason"] == "upstream_timeout"
    again = client(proxy).get("/")
    feed.records(1, 2)
    feed.end()
    assert [each.number for each in again.records()] == [1, 2] and again.complete
    assert len(upstream.heads) == 2


def test_a_silent_upstream_opens_its_breaker(weir, origin, client):
    upstream = origin(silent_once(Feed()))
    proxy = weir(route(upstream.url, **LINGERS, timeouts="{ first_byte: 1s }", upstream_breaker="{ failures: 1, cooldown: 1h }"))
    problem(client(proxy).get("/"), 504, "upstream-timeout")
    problem(client(proxy).get("/"), 503, "unavailable")
    assert len(upstream.heads) == 1
