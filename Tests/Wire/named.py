"""The named cases: inputs that were found, kept with what is right for them."""
import json
from pathlib import Path

from case import WAIT, Case
from http2_cases import Stream
from messages import Duty
from reference import read_requests
from reference_http2 import read_stream
from reference_response import read_response
from response_cases import Script
from shared_cases import Feed

CASES = Path(__file__).resolve().parent / "cases"


def load(path):
    """Text in a file is ISO-8859-1, so that every byte can be written."""
    members = json.loads(path.read_text())
    case = Case(path.stem, members["kind"], reason=members["reason"], verdict=members["verdict"])
    if case.kind == "http1":
        case.pieces = [WAIT if piece is None else piece.encode("latin-1") for piece in members["send"]]
    elif case.kind == "http2":
        case.streams = [Stream.loaded(stream) for stream in members["streams"]]
    else:
        case.script = (Feed if case.kind == "shared" else Script).loaded(members)
    return case


def all_cases():
    return [load(path) for path in sorted(CASES.glob("*.json"))]


def verdict(case):
    """The verdict of the reference on a case: so no change of it is unnoticed."""
    if case.kind in ("response", "shared"):
        return verdict_of_response(read_response(case.script))
    if case.kind == "http2":
        expected = [read_stream(stream) for stream in case.streams]
    else:
        sent = case.pieces[:case.pieces.index(WAIT)] if WAIT in case.pieces else case.pieces
        expected = [request for request in read_requests(b"".join(sent)) if not request.seen.target.startswith("/end")]
    duties = {request.duty for request in expected if request}
    if not duties - {Duty.NEVER}:
        return "rejected"
    return "forwarded" if duties == {Duty.MUST} and None not in expected else "either"


def verdict_of_response(expected):
    if expected.status is None:
        return "bad gateway"
    if not expected.complete:
        return "truncated"
    return "either" if expected.notes else "delivered"
