"""Other people's clients: curl and Node's fetch, as processes."""
import dataclasses
import json
import subprocess
from pathlib import Path

FETCH = Path(__file__).resolve().parent.parent / "clients" / "fetch.mjs"


@dataclasses.dataclass
class CurlResult:
    exit_status: int  # 18: the body ended before its framing said so
    status: int
    fields: dict  # lower-case names
    body: bytes

    def lines(self):
        return [json.loads(line) for line in self.body.splitlines()]


def curl(url, *options, timeout=60):
    """Runs curl without buffering; headers and body apart."""
    done = subprocess.run(["curl", "--silent", "--no-buffer", "--noproxy", "*", "--include", *options, url],
                          capture_output=True, timeout=timeout)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    fields = dict(line.split(": ", 1) for line in rest)
    status = int(first.split()[1]) if first else 0
    return CurlResult(done.returncode, status, {name.lower(): value for name, value in fields.items()}, body)


def fetch(url, headers=None, timeout=60):
    """Runs Node's fetch; see clients/fetch.mjs for the members of what it returns."""
    done = subprocess.run(["node", str(FETCH), url, json.dumps(headers or {})], capture_output=True, timeout=timeout)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
