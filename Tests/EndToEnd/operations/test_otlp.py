"""Traces and metrics as a receiver of OpenTelemetry gets them, and what a bad receiver does to the traffic: nothing."""
import re
import ssl

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from harness.certificates import Authority
from harness.metrics import Metrics
from harness.otlp import OTLPReceiver, accepts, refuses, texts
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.waiting import eventually
from harness.weir import route

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def receiver():
    """Starts a receiver: receiver(answers…)."""
    running = []

    def start(*answers, **options):
        running.append(OTLPReceiver(*answers, **options))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def otlp(receiver, **keys):
    url = receiver if isinstance(receiver, str) else receiver.url
    return "{ " + ", ".join([f"endpoint: {url}", "metrics: off", *(f"{key}: {keys[key]}" for key in keys)]) + " }"


def plain(peer):
    while peer.read_head():
        peer.send(PLAIN)


def of_kind(spans, kind):
    return [span for span in spans if span.kind == kind]


def server(spans):
    [span] = of_kind(spans, Span.SPAN_KIND_SERVER)
    return span


def names(span):
    return [event.name for event in span.events]


def counted(proxy, **labels):
    return Metrics(proxy).total("weir_otlp_spans_total", **labels)


def test_a_stream_is_a_servers_span_with_its_events_and_the_span_of_its_attempt(weir, origin, client, receiver):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(count=20)
        peer.send(LAST_CHUNK)
    collector, upstream = receiver(), origin(script)
    proxy = weir(route(upstream.url, match="/v1", rate="{ default: 100/second }", buffer="{ default: 5 }"),
                 otlp=otlp(collector))
    assert client(proxy).get("/v1/orders?secret=1").read().count(b"\n") == 20
    spans = collector.get(2)
    span, [attempt] = server(spans), of_kind(spans, Span.SPAN_KIND_CLIENT)
    assert span.name == "GET /v1" and attempt.name == "GET"
    assert span.trace_id == attempt.trace_id and attempt.parent_span_id == span.span_id and not span.parent_span_id
    attributes = texts(span.attributes)
    assert attributes["url.path"] == "/v1/orders" and attributes["http.route"] == "/v1"
    assert attributes["http.response.status_code"] == 200 and attributes["weir.records"] == 20
    assert attributes["weir.rate"] == "100/second" and attributes["client.address"] == "127.0.0.1"
    assert attributes["server.address"] and attributes["weir.reason"] == "completed"
    assert "secret" not in str(spans)
    happened = names(span)
    assert happened[:2] == ["head", "first_record"] and happened[-1] == "end" and "pause" in happened
    pause = next(event for event in span.events if event.name == "pause")
    assert texts(pause.attributes)["weir.cause"] == "pace"
    times = [event.time_unix_nano for event in span.events]
    assert times == sorted(times) and span.start_time_unix_nano <= times[0] <= times[-1] <= span.end_time_unix_nano
    assert span.start_time_unix_nano <= attempt.start_time_unix_nano <= attempt.end_time_unix_nano
    assert span.status.code == attempt.status.code == Status.STATUS_CODE_UNSET
    assert texts(attempt.attributes)["url.full"] == f"{upstream.url}/v1/orders"
    # The upstream continues the trace from the attempt's span.
    sent = re.search(rb"(?i)traceparent: (\S+)", upstream.heads[0]).group(1).decode()
    assert sent == f"00-{span.trace_id.hex()}-{attempt.span_id.hex()}-01"
    [resource] = {str(texts(each.resource.attributes)) for message in collector.traces for each in message.resource_spans}
    assert "'service.name': 'weir'" in resource and "service.instance.id" in resource
    assert proxy.logged()["trace_id"] == span.trace_id.hex()
    eventually(lambda: counted(proxy, result="exported") == 2, "both counted")


def test_a_retried_request_has_a_span_for_each_attempt(weir, origin, client, receiver):
    def breaks_off(peer):
        peer.read_head()
        peer.close()
    collector, bad, good = receiver(), origin(breaks_off), origin(plain)
    proxy = weir(route(f"[{bad.url}, {good.url}]", retry="{ attempts: 2 }", balance="round_robin"), otlp=otlp(collector))
    assert client(proxy).get("/").read() == b"ok"
    first, second = sorted(of_kind(collector.get(3), Span.SPAN_KIND_CLIENT), key=lambda span: span.start_time_unix_nano)
    assert first.status.code == Status.STATUS_CODE_ERROR and texts(first.attributes)["error.type"] == "truncated"
    assert second.status.code == Status.STATUS_CODE_UNSET and texts(second.attributes)["http.request.resend_count"] == 1
    assert first.span_id != second.span_id and first.parent_span_id == second.parent_span_id
    parents = [re.search(rb"(?i)traceparent: \S+-(\S+)-01", each.heads[0]).group(1).decode() for each in (bad, good)]
    assert parents == [first.span_id.hex(), second.span_id.hex()]


def test_a_failing_upstream_is_an_error_and_a_refusal_a_span_without_attempts(weir, refused, client, receiver):
    collector = receiver()
    proxy = weir(route(refused, match="/a"), otlp=otlp(collector))
    assert client(proxy).get("/a").status == 502
    spans = collector.get(2)
    span, [attempt] = server(spans), of_kind(spans, Span.SPAN_KIND_CLIENT)
    for each in (span, attempt):
        assert each.status.code == Status.STATUS_CODE_ERROR
        assert texts(each.attributes)["error.type"] == "connection_refused"
    assert texts(span.attributes)["http.response.status_code"] == 502
    assert client(proxy).get("/elsewhere").status == 404
    span = collector.get(3)[-1]
    assert (span.name, span.status.code) == ("GET", Status.STATUS_CODE_UNSET)
    assert texts(span.attributes)["weir.problem"] == "not-found"


def test_dropped_records_are_events(weir, origin, client, receiver):
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD)
        peer.send_records(count=50)
        peer.send(LAST_CHUNK)
    collector = receiver()
    proxy = weir(route(origin(script).url, rate="{ default: 100/second }", buffer="{ default: 5 }",
                       overflow="drop_oldest"), otlp=otlp(collector))
    received = client(proxy).get("/").read().count(b"\n")
    span = server(collector.get(2))
    dropped = sum(texts(event.attributes)["weir.records"] for event in span.events if event.name == "drop")
    assert received + dropped == 50 and dropped > 0
    assert texts(span.attributes)["weir.dropped"] == dropped


@pytest.mark.parametrize("sample, flags, is_exported", [
    (1, None, True), (0, None, False), (0, "01", True), (1, "00", False), (0.5, "01", True), (0.5, "00", False)])
def test_a_client_decides_about_its_traces_and_the_configuration_about_others(
        weir, origin, client, receiver, sample, flags, is_exported):
    collector, upstream = receiver(), origin(plain)
    proxy = weir(route(upstream.url), otlp=otlp(collector, sample=sample))
    parent = [f"traceparent: 00-{TRACE}-{PARENT}-{flags}"] if flags else []
    assert client(proxy).get("/", *parent).read() == b"ok"
    assert re.search(rb"(?i)traceparent: \S+-(\d\d)\r", upstream.heads[0] + b"\r").group(1) == (
        b"01" if is_exported else b"00")
    spans = collector.get(2) if is_exported else []
    proxy.stop()  # exports what is left
    assert len(collector.spans) == len(spans)
    if is_exported and flags:
        assert {span.trace_id.hex() for span in spans} == {TRACE}
        assert server(spans).parent_span_id.hex() == PARENT and server(spans).flags == 0x301


def test_what_is_left_is_exported_at_the_end(weir, origin, client, receiver):
    """Also the spans of streams that the drain ends."""
    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(record(1)))
        peer.wait_gone()
    collector = receiver()
    proxy = weir(route(origin(script).url), otlp=otlp(collector), shutdown_grace="100ms")
    streams = [client(proxy).get("/").records() for _ in range(3)]
    assert all(next(stream).number == 1 for stream in streams)
    proxy.stop()
    ended = [span for span in of_kind(collector.spans, Span.SPAN_KIND_SERVER)]
    assert [texts(span.attributes)["weir.reason"] for span in ended] == ["drained"] * 3


def test_all_spans_of_many_requests_arrive(weir, origin, client, receiver):
    collector = receiver()
    proxy = weir(route(origin(plain).url), otlp=otlp(collector), workers=2)
    connections = [client(proxy) for _ in range(4)]
    for _ in range(200):
        for connection in connections:
            assert connection.get("/").read() == b"ok"
    spans = collector.get(1600)
    assert len({span.span_id for span in spans}) == 1600
    assert all(len(scope.spans) <= 512 for message in collector.traces for each in message.resource_spans
               for scope in each.scope_spans)


def test_a_receiver_that_is_down_affects_nothing_and_is_reported_once(weir, origin, client, refused):
    proxy = weir(route(origin(plain).url), otlp=otlp(refused))
    connection = client(proxy)
    for _ in range(10):
        assert connection.get("/").read() == b"ok"
    eventually(lambda: Metrics(proxy).total("weir_otlp_exports_total", signal="traces", result="failed") >= 2, "two attempts")
    assert len(proxy.says("telemetry was not exported")) == 1
    assert "Could not connect" in proxy.said()


def test_spans_without_room_are_dropped_and_counted(weir, origin, client, receiver):
    """The receiver does not answer."""
    collector = receiver(*[lambda peer: peer.wait_gone()] * 10)
    proxy = weir(route(origin(plain).url), otlp=otlp(collector))
    connection = client(proxy)
    assert connection.get("/").read() == b"ok"
    eventually(lambda: collector.traces, "an export")
    # Two spans each, and nothing is taken from the buffer for the five times that the first are sent.
    for _ in range(1100):
        assert connection.get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="dropped") == 2 * 1100 - 2048, "those without room")


@pytest.mark.parametrize("answer", [
    refuses(429, "Retry-After: 1"), refuses(503), refuses(502),
    # Over by now: what a date means is tested with the answers.
    refuses(503, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT")])
def test_what_a_receiver_cannot_take_now_is_sent_again(weir, origin, client, receiver, answer):
    collector = receiver(answer)
    proxy = weir(route(origin(plain).url), otlp=otlp(collector))
    assert client(proxy).get("/").read() == b"ok"
    eventually(lambda: len(collector.traces) == 2, "a second attempt")
    assert collector.traces[0] == collector.traces[1]
    eventually(lambda: counted(proxy, result="exported") == 2, "accepted")
    assert counted(proxy, result="lost") == 0


@pytest.mark.parametrize("rejected", ["1", 1])
def test_what_a_receiver_accepts_in_part_is_counted_and_not_sent_again(weir, origin, client, receiver, rejected):
    collector = receiver(accepts(rejectedSpans=rejected, errorMessage="too \n old"))
    proxy = weir(route(origin(plain).url), otlp=otlp(collector))
    connection = client(proxy)
    assert connection.get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="rejected") == 1, "the rejected one")
    assert counted(proxy, result="exported") == 1 and counted(proxy, result="lost") == 0
    [line] = proxy.says("telemetry was not accepted completely")
    assert "too" in line and "old" in line and re.search(r"rejected=\"?1\b", line)
    assert connection.get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="exported") == 3, "the next ones")
    first, second = collector.traces
    assert first != second
    assert Metrics(proxy).total("weir_otlp_exports_total", signal="traces", result="accepted") == 2


@pytest.mark.parametrize("rejected", ["9223372036854775808", -1, "many"])
def test_without_a_valid_number_of_rejected_spans_none_counts_as_exported(weir, origin, client, receiver, rejected):
    collector = receiver(accepts(rejectedSpans=rejected))
    proxy = weir(route(origin(plain).url), otlp=otlp(collector))
    connection = client(proxy)
    assert connection.get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="rejected") == 2, "both")
    assert len(proxy.says("number of rejected items is malformed")) == 1
    assert connection.get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="exported") == 2, "the next ones")
    assert len(collector.traces) == 2 and counted(proxy, result="rejected") == 2


def test_a_receivers_warning_is_logged(weir, origin, client, receiver):
    collector = receiver(accepts(errorMessage="deprecated"))
    proxy = weir(route(origin(plain).url), otlp=otlp(collector))
    assert client(proxy).get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="exported") == 2, "all")
    assert "deprecated" in proxy.says("telemetry was not accepted completely")[0] and counted(proxy, result="rejected") == 0


def test_rejected_data_points_are_counted(weir, origin, receiver):
    collector = receiver(metrics=accepts(rejectedDataPoints="5"))
    proxy = weir(route(origin(plain).url), otlp=f"{{ endpoint: {collector.url}, metrics: 1s }}")
    eventually(lambda: Metrics(proxy).total("weir_otlp_data_points_rejected_total") >= 5, "the data points")
    assert counted(proxy, result="rejected") == 0


def test_a_body_is_compressed_if_the_configuration_says_so(weir, origin, client, receiver):
    collector = receiver(refuses(503))
    proxy = weir(route(origin(plain).url), otlp=otlp(collector, compression="gzip"))
    connection = client(proxy)
    for _ in range(20):
        assert connection.get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="exported") == 40, "all, in spite of the first answer")
    assert all("Content-Encoding: gzip" in head for _, head, _ in collector.requests)
    assert collector.traces[0] == collector.traces[1]


def test_what_a_receiver_rejects_is_lost_and_not_sent_again(weir, origin, client, receiver):
    collector = receiver(refuses(400))
    proxy = weir(route(origin(plain).url), otlp=otlp(collector))
    connection = client(proxy)
    assert connection.get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="lost") == 2, "lost")
    assert connection.get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="exported") == 2, "the next ones")
    first, second = collector.traces
    assert first != second


def endless_answer(peer):
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        peer.send(chunk(b"x" * 60000))


@pytest.mark.parametrize("answer", [
    endless_answer,
    b"HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n" + b"x" * 200_000,
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":}}",
])
def test_a_huge_answer_is_not_read(weir, origin, client, receiver, answer):
    collector = receiver(answer)
    proxy = weir(route(origin(plain).url), otlp=otlp(collector))
    assert client(proxy).get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="exported") == 2, "taken by its status")
    assert collector.origin.sent < 20_000_000


@pytest.mark.parametrize("answer", [
    lambda peer: peer.reset(), lambda peer: peer.close(), b"not HTTP at all\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"])
def test_an_answer_that_is_none_is_a_failure(weir, origin, client, receiver, answer):
    collector = receiver(answer)
    proxy = weir(route(origin(plain).url), otlp=otlp(collector))
    assert client(proxy).get("/").read() == b"ok"
    eventually(lambda: counted(proxy, result="exported") == 2, "a second attempt")
    assert Metrics(proxy).total("weir_otlp_exports_total", signal="traces", result="failed") >= 1


def test_a_receiver_that_does_not_answer_does_not_delay_the_end(weir, origin, client, receiver):
    collector = receiver(*[lambda peer: peer.wait_gone()] * 10)
    proxy = weir(route(origin(plain).url), otlp=otlp(collector))
    assert client(proxy).get("/").read() == b"ok"
    proxy.terminate()
    assert proxy.ended() == 0


def test_a_receiver_has_tls_fields_and_a_path(weir, origin, client, receiver, tmp_path):
    authority = Authority(tmp_path)
    collector = receiver(tls=authority.server())
    settings = otlp(f"{collector.url}/base/", ca_file=authority.pem, headers="{ Authorization: 'Bearer ${TOKEN}' }",
                    service_name="edge", instance="edge-1")
    proxy = weir(route(origin(plain).url), otlp=settings, environment={"TOKEN": "s3cret"})
    assert client(proxy).get("/").read() == b"ok"
    collector.get(2)
    path, head, message = collector.requests[0]
    assert path == "/base/v1/traces" and "Authorization: Bearer s3cret" in head
    assert texts(message.resource_spans[0].resource.attributes).items() >= {
        "service.name": "edge", "service.instance.id": "edge-1"}.items()
    assert "s3cret" not in proxy.said()


def test_a_receiver_whose_certificate_is_not_trusted_gets_nothing(weir, origin, client, receiver, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    context = Authority(other).server()
    collector = receiver(tls=context)
    collector.origin.faults = Untrusting()
    proxy = weir(route(origin(plain).url), otlp=otlp(collector, ca_file=Authority(tmp_path).pem))
    assert client(proxy).get("/").read() == b"ok"
    proxy.says("telemetry was not exported")
    assert not collector.requests


class Untrusting(list):
    """The faults of an origin whose client ends the handshake, which it may."""

    def append(self, fault):
        assert isinstance(fault, (ssl.SSLError, OSError)), fault


def test_metrics_are_those_of_the_page(weir, origin, client, receiver):
    collector = receiver()
    proxy = weir(route(origin(plain).url, match="/a"), workers=2,
                 otlp=f"{{ endpoint: {collector.url}, sample: 0, metrics: 1s }}")
    for _ in range(5):
        assert client(proxy).get("/a").read() == b"ok"

    def responses():
        points = collector.metrics["weir_responses"].sum.data_points if collector.metrics else []
        return {texts(point.attributes)["code"]: point.as_int for point in points
                if texts(point.attributes)["route"] == "/a"}.get("200") == 5
    eventually(responses, "five responses")
    exported = collector.metrics
    duration = exported["weir_request_duration_seconds"]
    [point] = duration.histogram.data_points
    assert duration.unit == "s" and duration.histogram.aggregation_temporality == 2
    assert point.count == sum(point.bucket_counts) == 5 and len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert exported["weir_streams"].sum.is_monotonic and exported["weir_build_info"].gauge.data_points
    page = {re.sub("(_bucket|_sum|_count|_total)$", "", name) for name, _, _ in Metrics(proxy).samples}
    assert {re.sub("_(sum|count|total)$", "", name) for name in exported} == page
    assert not collector.traces


def test_without_the_key_nothing_changes(weir, origin, client):
    upstream = origin(plain)
    proxy = weir(route(upstream.url))
    assert client(proxy).get("/").read() == b"ok"
    assert re.search(rb"(?i)traceparent: \S+-00\r", upstream.heads[0] + b"\r")
    names = {name for name, _, _ in Metrics(proxy).samples}
    assert not [name for name in names if "otlp" in name]
