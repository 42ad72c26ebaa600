"""The origins: processes of parsers that are not ours, and what each of them saw."""
import asyncio
import dataclasses
import json
import re
import shutil
import socket
import sys
from pathlib import Path

from messages import Seen, digest

FOLDER = Path(__file__).resolve().parent / "origins"
DEADLINE = 20.0  # s, for a start
# Fields by which a server frames a message or identifies the client; a client's own values must not arrive.
FORGED = "203.0.113.66"


@dataclasses.dataclass
class Record:
    """One request as an origin understood it."""

    connection: str
    seen: Seen
    trace: str  # the trace-id of `traceparent`
    client: str  # X-Forwarded-For
    fields: list | None  # (name, value); None where the origin cannot list them

    def __str__(self):
        return f"connection {self.connection}: {self.seen.method} {self.seen.target} {self.seen} {self.fields}"


class Origin:
    """A running origin. `records` and `faults` grow as it writes its lines."""

    def __init__(self, name):
        self.name, self.records, self.faults, self.port = name, [], [], None

    async def start(self, folder):
        arguments = getattr(self, f"_{self.name}")(folder)
        self.process = await asyncio.create_subprocess_exec(
            *arguments, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, limit=1 << 22)
        if self.port:
            await self._until_it_accepts()
        else:
            line = await asyncio.wait_for(self.process.stdout.readline(), DEADLINE)
            self.port = json.loads(line)["port"]
        self.reading = asyncio.create_task(self._read())
        return self

    def _http_server(self, folder):
        return [sys.executable, FOLDER / "http_server.py"]

    def _h11(self, folder):
        return [sys.executable, FOLDER / "h11_server.py"]

    def _node(self, folder):
        return ["node", FOLDER / "node_http.js"]

    def _nginx(self, folder):
        with socket.socket() as free:  # nginx cannot choose one itself
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "nginx.conf").write_text((FOLDER / "nginx.conf").read_text().replace("PORT", str(self.port))
                                           .replace("answer.sock", f"{folder}/answer.sock"))
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-p", folder, "-c", "nginx.conf", "-e", "stderr"]

    async def _until_it_accepts(self):
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionRefusedError:
                    assert self.process.returncode is None, f"{self.name} ended at its start"
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    return

    async def _read(self):
        while line := await self.process.stdout.readline():
            members = json.loads(line.decode("latin-1"))
            if "fault" in members:
                self.faults.append(members["fault"])
            elif "status" in members:
                self._read_nginx(members)
            else:
                fields = [tuple(field) for field in members["fields"]]
                seen = Seen(members["method"], members["target"], first(fields, "host"), every(fields, "x-mark"),
                            members["body"], members["complete"])
                self.records.append(Record(members["connection"], seen, trace_id(first(fields, "traceparent") or ""),
                                           first(fields, "x-forwarded-for") or "", fields))

    def _read_nginx(self, members):
        status, early = members["status"], members["target"].startswith("/early")
        if status not in (200, 405, 408, 499) and not (status == 400 and members["trace"]):  # a body that is cut is 400
            self.faults.append(f"{status} {members['method']} {members['target']}")
        if not members["trace"] and status != 200:
            return
        unread = early or status == 405
        seen = Seen(members["method"], members["target"], members["host"] or None,
                    (members["mark"],) if members["mark"] else (),
                    None if unread else digest(members["body"].encode("latin-1")), status in (200, 405))
        self.records.append(Record(members["connection"], seen, trace_id(members["trace"]), members["client"], None))

    async def stop(self):
        self.reading.cancel()
        if self.process.returncode is None:
            self.process.kill()  # it has nothing to end
        await self.process.wait()


def every(fields, name):
    return tuple(value for other, value in fields if other.lower() == name)


def first(fields, name):
    return next(iter(every(fields, name)), None)


def trace_id(traceparent):
    parts = traceparent.split("-")
    return parts[1] if len(parts) == 4 else ""


NAMES = ["http_server", "h11", "node", "nginx"]
# Methods that an origin rejects from any sender.
UNKNOWN_METHODS = {"node": {"LIST"}, "nginx": {"TRACE"}}


def rejection(name, line):
    """What an origin records of a request that it rejects for its target, whatever the client; None if it does not.

    nginx decodes the path of a target, and knows no `OPTIONS *`.
    """
    if name != "nginx":
        return None
    if line["path"] == "*":
        return "400  "
    return f"400 {line['method']} " if re.search("%(?![0-9A-Fa-f]{2})", line["path"]) else None
