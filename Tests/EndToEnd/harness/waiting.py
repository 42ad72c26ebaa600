"""Waiting for a counted condition, never for a time; the limits only guard against a hang."""
import time

POLL = 0.01  # s
GUARD = 30.0  # s; far beyond what a wait takes on a busy machine


def eventually(condition, what, within=GUARD):
    """Waits until condition() is truthy and returns what it gave; fails, saying `what`, after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, f"within {within} s: not {what}; last seen {found!r}"
        time.sleep(POLL)


def level(reading, what, still=1.0, within=2 * GUARD):
    """Waits until reading() has not changed for `still` seconds and returns it: a paused sender's count."""
    deadline = time.monotonic() + within
    last, since = reading(), time.monotonic()
    while time.monotonic() - since < still:
        assert time.monotonic() < deadline, f"{what} still moves after {within} s: {last}"
        time.sleep(POLL)
        if (now := reading()) != last:
            last, since = now, time.monotonic()
    return last
