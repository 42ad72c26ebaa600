"""The routes of the weir under test, and which requests they take."""
import re

from messages import Duty

# RFC 9110, 9.3, RFC 5789, and extensions, one of which no parser here knows by a list of names.
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "LIST"]
# Requests below this path go elsewhere: none of them may reach the origin of all others.
PRIVATE = "/private"
# Below this path each value of X-Key is a client of its own, and may start one request.
KEYED = "/keyed"
KEYED_OPTIONS = {"client_key": "{ header: X-Key }", "streams": "{ starts: 1/minute, starts_burst: 1 }", "framing": "ndjson"}
# Below this path clients share requests: those of one X-Mark, the only field of theirs that the origin gets.
SHARED = "/shared"
SHARED_OPTIONS = {"shared": "{ key: X-Mark, linger: 50ms }", "rate": "{ default: unlimited }", "retry": "off"}
EARLY = "/early"  # an origin answers before it has read a body
OWN = re.compile(rb"/v1/(streams|health/streaming)(/.*)?")
TIMEOUTS = "{ connect: 2s, first_byte: 4s, body: 700ms }"
LIMITS = "{ header_timeout: 700ms, keepalive_timeout: 900ms }"


def is_private(target):
    return is_below(PRIVATE, target.partition("?")[0])


def is_below(path, target):
    return target == path or target.startswith(path + "/")


def duty(head, notes):
    """What weir owes a well-formed request: (duty, why)."""
    path = head.target.partition(b"?")[0]
    if head.method == b"CONNECT":
        return Duty.NEVER, "CONNECT"
    if head.method.decode("latin-1") not in METHODS:
        return Duty.NEVER, "no route takes the method"
    if OWN.fullmatch(path):
        return Duty.NEVER, "the path is weir's own"
    if head.method in (b"TRACE", b"OPTIONS"):  # RFC 9110, 7.6.2
        limits = [value for name, value in head.fields if name == b"max-forwards"]
        if any(not limit.isdigit() for limit in limits) or len(limits) > 1:
            return Duty.NEVER, "Max-Forwards is no number, and so cannot be counted down"
        if limits and int(limits[0]) == 0:
            return Duty.NEVER, "Max-Forwards is 0"
    if head.method in (b"HEAD", b"TRACE") and (head.chunked or head.length):
        notes.append("a body of HEAD or TRACE")
    if head.target.startswith(EARLY.encode()) and (head.chunked or head.length):
        notes.append("the origin answers before it has the body, and weir closes the connection")
    if is_below(KEYED, path.decode("latin-1")) and len([name for name, _ in head.fields if name == b"x-key"]) != 1:
        notes.append("no key of its own")
    if head.target == b"*":
        notes.append("OPTIONS *")
    return (Duty.MAY, "; ".join(notes)) if notes else (Duty.MUST, "")
