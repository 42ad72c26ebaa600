"""The access log as accounts: each line is checked by itself, and sums are kept of all."""
import collections
import json


class Failure(Exception):
    """What the soak test has found."""


class Ledger:
    def __init__(self, path):
        self.path, self.place, self.rest = path, 0, b""
        self.running = set()  # ids of requests that have begun and not ended
        self.ended = set()
        self.reasons = collections.Counter()  # by route and reason
        self.records, self.bytes, self.resumptions = (collections.Counter() for _ in range(3))  # by route
        self.faults = []

    def read(self):
        """Reads what has been written since the last call."""
        if not self.path.exists():
            return self
        with open(self.path, "rb") as log:
            log.seek(self.place)
            text = log.read()
        self.place += len(text)
        *lines, self.rest = (self.rest + text).split(b"\n")
        for line in lines:
            entry = json.loads(line)
            {"start": self._started, "end": self._ended}[entry["event"]](entry)
        return self

    def _started(self, entry):
        if entry["id"] in self.running or entry["id"] in self.ended:
            self.faults.append(("a second start", entry))
        self.running.add(entry["id"])

    def _ended(self, entry):
        identity = entry["id"]
        if identity in self.ended:
            self.faults.append(("a second end", entry))
        self.running.discard(identity)
        self.ended.add(identity)
        for fault in faults(entry):
            self.faults.append((fault, entry))
        route = entry.get("route")
        self.reasons[route, entry["reason"]] += 1
        self.records[route] += entry.get("records", 0)
        self.bytes[route] += entry["bytes"]
        self.resumptions[route] += entry.get("resumptions", 0)

    def check_all_ended(self):
        if self.running:
            raise Failure(f"{len(self.running)} requests without an end line, such as {min(self.running)}")
        if self.faults:
            raise Failure(f"{len(self.faults)} lines do not add up, such as {self.faults[:3]}")


def faults(entry):
    """What is wrong with one end line."""
    status, reason = entry.get("status"), entry["reason"]
    if entry["duration"] < 0 or entry["bytes"] < 0 or entry["pauses"] < 0:
        yield "a negative number"
    if not 0 <= entry["paused"] <= entry["duration"] + 0.001:
        yield "more time paused than passed"
    if entry.get("records", 0) > entry["bytes"]:
        yield "more records than bytes"
    if reason == "completed" and not (status and 200 <= status < 600):
        yield "completed without a status"
    if reason == "refused" and not (status and status >= 400):
        yield "refused without a problem's status"
    if reason == "refused" and "problem" not in entry:
        yield "refused without a problem"
    if reason in ("upstream_failed", "upstream_timeout") and status is None:
        yield "a failed upstream without a status"
