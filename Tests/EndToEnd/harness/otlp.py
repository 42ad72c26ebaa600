"""A receiver of OTLP/HTTP with JSON, which reads what it gets with OpenTelemetry's own messages."""
import base64
import gzip
import json
import re
import threading

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .scripted_origin import ScriptedOrigin
from .waiting import eventually

ACCEPTED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
SIGNALS = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}
# Of 64 bits: text in JSON. Of an enum: a number.
LONG = {"startTimeUnixNano", "timeUnixNano", "endTimeUnixNano", "intValue", "asInt", "count"}
ENUMS = {"kind", "code", "aggregationTemporality"}


def accepts(**partial):
    """An answer with this `partialSuccess`."""
    body = json.dumps({"partialSuccess": partial}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def refuses(status, *fields):
    lines = [f"HTTP/1.1 {status} No", "Content-Length: 0", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def checked(value, key=None):
    """The JSON rules of OTLP, and the text as Protocol Buffers' own rules have it: there ids are base64."""
    if isinstance(value, dict):
        return {name: checked(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [checked(each, key) for each in value]
    if key in ("traceId", "spanId", "parentSpanId"):
        assert re.fullmatch("[0-9a-f]{32}" if key == "traceId" else "[0-9a-f]{16}", value), value
        return base64.b64encode(bytes.fromhex(value)).decode()
    if key in LONG:
        assert isinstance(value, str) and re.fullmatch("-?[0-9]+", value), (key, value)
    if key in ENUMS:
        assert isinstance(value, int), (key, value)
    return value


def texts(attributes):
    """Attributes as a dictionary."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


class OTLPReceiver:
    """Answers each export with the next of `answers`, later ones with 200; an answer is bytes, or a function of the peer."""

    def __init__(self, *answers, tls=None, metrics=ACCEPTED):
        self.answers, self.metrics_answer = list(answers), metrics
        self.requests = []  # (path, head, message or None)
        self.lock = threading.Lock()
        self.origin = ScriptedOrigin(self._serve, tls=tls)
        self.url, self.stop = self.origin.url, self.origin.stop

    def _serve(self, peer):
        while head := peer.read_head().decode():
            length = int(re.search(r"(?im)^content-length: *(\d+)\r?$", head).group(1))
            body = peer.take(length)
            assert re.search(r"(?im)^content-type: application/json\r?$", head), head
            if re.search(r"(?im)^content-encoding: gzip\r?$", head):
                body = gzip.decompress(body)
            path = head.split()[1]
            kind = next(message for end, message in SIGNALS.items() if path.endswith(end))
            text = json.dumps(checked(json.loads(body)))
            message = json_format.Parse(text, kind(), ignore_unknown_fields=False)
            with self.lock:
                self.requests.append((path, head, message))
                if path.endswith("/v1/metrics"):
                    answer = self.metrics_answer
                else:
                    answer = self.answers.pop(0) if self.answers else ACCEPTED
            if callable(answer):
                answer(peer)
            else:
                peer.send(answer)

    @property
    def traces(self):
        with self.lock:
            return [message for path, _, message in self.requests if path.endswith("/v1/traces")]

    @property
    def metrics(self):
        """The last metrics by their names."""
        with self.lock:
            messages = [message for path, _, message in self.requests if path.endswith("/v1/metrics")]
        return {metric.name: metric for resource in messages[-1].resource_metrics for scope in resource.scope_metrics
                for metric in scope.metrics} if messages else {}

    @property
    def spans(self):
        return [span for message in self.traces for resource in message.resource_spans
                for scope in resource.scope_spans for span in scope.spans]

    def get(self, count):
        """The spans, once there are that many."""
        eventually(lambda: len(self.spans) >= count, f"{count} spans")
        spans = self.spans
        assert len(spans) == count, spans
        return spans
