"""Traces: what the upstream gets of one, and where its id is reported."""
import json
import re

import pytest

from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD
from harness.weir import route

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def traced(weir, origin):
    """traced(**top) is a weir, and the heads of the requests that its upstream has got."""
    heads = []

    def script(peer):
        heads.append(peer.read_head())
        peer.send(STREAM_HEAD)
        peer.send_records(count=2)
        peer.send(LAST_CHUNK)

    def start(**top):
        return weir(route(origin(script).url), **top), heads
    return start


def fields(head, name):
    text = head.decode() if isinstance(head, bytes) else str(head)
    return re.findall(rf"(?im)^{name}: *(.*?)\r?$", text)


def test_a_trace_continues_with_weirs_span(traced, client):
    proxy, heads = traced()
    response = client(proxy).get("/", f"traceparent: {PARENT}", "tracestate: vendor=1")
    assert response.status == 200 and response.read()
    assert len(fields(heads[0], "traceparent")) == 1
    version, trace, span, flags = fields(heads[0], "traceparent")[0].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01") and span != "00f067aa0ba902b7"
    assert fields(heads[0], "tracestate") == ["vendor=1"]
    assert proxy.logged(event="end")["trace_id"] == TRACE


def test_without_one_a_trace_begins(traced, client):
    proxy, heads = traced()
    client(proxy).get("/", "traceparent: garbage", "tracestate: vendor=1").read()
    version, trace, span, flags = fields(heads[0], "traceparent")[0].split("-")
    assert (version, flags) == ("00", "00") and re.fullmatch("[0-9a-f]{32}", trace)
    assert not fields(heads[0], "tracestate")
    assert proxy.logged(event="end")["trace_id"] == trace
    client(proxy).get("/").read()
    assert fields(heads[1], "traceparent")[0].split("-")[1] != trace


def test_off_passes_both_unchanged(traced, client):
    proxy, heads = traced(trace_context="false")
    client(proxy).get("/", "traceparent: garbage", "tracestate: vendor=1").read()
    assert fields(heads[0], "traceparent") == ["garbage"] and fields(heads[0], "tracestate") == ["vendor=1"]
    assert "trace_id" not in proxy.logged(event="end")


def test_a_problem_names_its_trace(weir, origin, client):
    proxy = weir(route("http://127.0.0.1:1", match="/down"))
    for path, status in [("/down", 502), ("/nowhere", 404)]:
        response = client(proxy).get(path, f"traceparent: {PARENT}")
        assert response.status == status
        assert json.loads(response.read())["traceId"] == TRACE
    assert proxy.logged(problem="bad-upstream")["trace_id"] == TRACE
    assert proxy.logged(problem="not-found")["trace_id"] == TRACE
