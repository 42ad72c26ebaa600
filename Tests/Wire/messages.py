"""What the hops of a case are compared by: requests as each of them understands them."""
import dataclasses
import enum
import hashlib


class Duty(enum.Enum):
    """What a proxy owes a request."""

    MUST = "must forward"
    MAY = "may forward"  # or reject; RFC 9110 and 9112 leave the choice
    NEVER = "must not forward"


@dataclasses.dataclass(frozen=True)
class Seen:
    """A request as one hop understands it. Text is ISO-8859-1, so that it is bytes."""

    method: str
    target: str
    host: str | None
    marks: tuple = ()  # the values of X-Mark
    body: str | None = None  # a digest; None where the hop did not read it
    complete: bool = True


@dataclasses.dataclass(frozen=True)
class Expected:
    """A request in the bytes of a client, and what is to become of it."""

    seen: Seen
    duty: Duty
    why: str = ""  # for MAY and NEVER


def digest(body):
    return hashlib.sha256(body).hexdigest()[:16]


def text(data):
    return data.decode("latin-1")
