"""Whether all hops of a connection saw the same requests.

The hops are the client's bytes as the RFCs read them (reference.py), weir as its access log has it, the origin as it
recorded it, and the client again, by the responses. A request is followed through them by its `traceparent`: weir makes it,
logs it, and the origin returns it in X-Seen.
"""
import dataclasses
import re

import routes
from messages import Duty
from origins import FORGED, UNKNOWN_METHODS, rejection

# Fields in which a client could claim another identity, or a length, with `_` for `-` too.
SENSITIVE = re.compile(r"content-length|transfer-encoding|host|forwarded|x-real-ip|x-forwarded-.*")
FRAMING = re.compile(r"content_length|content-length_|transfer_encoding|host_", re.IGNORECASE)


@dataclasses.dataclass
class Finding:
    text: str
    timing: bool = False  # a time limit passed: on a busy machine that can have other causes


@dataclasses.dataclass
class Visit:
    """A case, or the probe after it, on one connection, and what every hop saw of it."""

    case: object
    expected: list  # what the client's bytes hold, as Expected
    exchange: object
    pairs: list  # (Expected, Response or None), as far as it is certain which response is whose
    is_probe: bool = False
    lines: list = dataclasses.field(default_factory=list)  # of the access log
    records: list = dataclasses.field(default_factory=list)  # (origin, Record), in the order of their lines
    findings: list = dataclasses.field(default_factory=list)


def compare(visit, origin_name):
    """All findings of one connection."""
    findings = [Finding(text) for text in (*check_records(visit), *check_expected(visit), *check_fields(visit))]
    findings += check_lines(visit, origin_name)
    findings += check_responses(visit)
    return findings


def forwarded(visit):
    return {line["trace_id"]: line for line in visit.lines if "upstream" in line and line.get("event") == "end"}


def check_records(visit):
    """Each request at an origin is one that weir logged, once, with the same method and path."""
    logged, met = forwarded(visit), set()
    for name, record in visit.records:
        line = logged.get(record.trace)
        if line is None:
            yield f"{name} got a request that weir did not log: {record}"
            continue
        if record.trace in met:
            yield f"{name} got a request twice: {record}"
        met.add(record.trace)
        path = record.seen.target.partition("?")[0]
        if (record.seen.method, path) != (line["method"], line["path"]) and path.isascii():
            yield f"weir logged {line['method']} {line['path']}, {name} got {record.seen.method} {record.seen.target}"
        if routes.is_private(re.sub("#.*", "", record.seen.target)) != (name == "private"):
            yield f"{name} got {record.seen.target}, which is not its own"


def check_expected(visit):
    """The requests at the origins are those in the client's bytes, in their order, and none that had to be there is missing."""
    records, skipped = list(visit.records), False
    for expected in visit.expected:
        if records and (name := records[0][0]) and same(expected.seen, records[0][1].seen, name):
            records.pop(0)
            if expected.duty is Duty.NEVER:
                yield f"{name} got a request that was not to be forwarded ({expected.why}): {expected.seen}"
            skipped = skipped or not expected.seen.complete
        elif expected.duty is Duty.MUST and not skipped:
            if not records:  # whether a time limit ended it is checked by check_responses
                return
            yield f"expected {expected.seen}, {records[0][0]} got {records[0][1].seen}"
            return
        else:
            skipped = True  # weir may have closed the connection
    for name, record in records:
        yield f"{name} got a request that the client did not send: {record}"


def same(expected, seen, name):
    marks, theirs = expected.marks, seen.marks
    if name == "nginx":  # its log has the first of several, and none where that is empty
        marks, theirs = tuple(filter(None, marks[:1])), tuple(filter(None, theirs[:1]))
    return ((expected.method, expected.target) == (seen.method, seen.target)
            and same_host(expected.host, seen.host)
            and [" ".join(mark.split()) for mark in marks] == [" ".join(mark.split()) for mark in theirs]
            and (seen.body is None or not seen.complete or expected.complete and seen.body == expected.body))


def same_host(expected, seen):
    return expected is None or seen is not None and expected.lower() == seen.lower()


def check_fields(visit):
    """Nothing that a client claims in fields about itself arrives, nor a second length by another name."""
    for name, record in visit.records:
        for field, value in record.fields or [("X-Forwarded-For", record.client)]:
            if FORGED in value and SENSITIVE.fullmatch(field.lower().replace("_", "-")) or FRAMING.fullmatch(field):
                yield f"{name} got the client's own {field}: {value}"


def check_lines(visit, origin_name):
    """What weir logged as answered by an origin has reached it."""
    met = {record.trace for _, record in visit.records}
    for trace, line in forwarded(visit).items():
        unknown = line["method"] in UNKNOWN_METHODS.get(origin_name, ()) or rejection(origin_name, line)
        if trace not in met and line["reason"] == "completed" and line.get("status", 0) < 500 and not unknown:
            yield Finding(f"weir logged a response to a request that no origin got: {line}")


def check_responses(visit):
    """Each response is HTTP and belongs to its request, and each valid request was served."""
    result, logged = visit.exchange, forwarded(visit)
    if result.refused:
        yield Finding("weir does not accept")
        return
    if result.fault:
        yield Finding(f"the client got no HTTP: {result.fault}: {result.received[-400:]!r}")
    if result.late:
        yield Finding("the connection was not closed in time", timing=True)
    own = any(expected.duty is Duty.NEVER for expected in visit.expected)  # weir may answer OPTIONS and TRACE itself
    answered = [response.seen for response in result.responses if response.seen]
    order = [record.trace for _, record in visit.records]
    for response in result.responses:
        if response.seen and response.seen not in logged:
            yield Finding(f"the client got the response to a request of another client: {response}")
        if not response.seen and 0 < response.status < 400 and not own:
            yield Finding(f"the client got a response that is not to its request: {response}")
    if len(set(answered)) < len(answered) or answered != [trace for trace in order if trace in answered]:
        yield Finding(f"the responses come in another order than the requests: {answered}, {order}")
    for expected, response in visit.pairs:
        if expected.duty is not Duty.MUST:
            continue
        if response is None or not response.seen or not response.complete:
            timing = response is None or response.status in (408, 502, 504)
            yield Finding(f"not served: {expected.seen}: {response}", timing)
