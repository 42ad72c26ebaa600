"""The weirs under test, one for each origin, and their access logs."""
import asyncio
import json
import sys
import time
from pathlib import Path

import routes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))

from harness.weir import Weir, route  # noqa: E402


ENDED = "weir has ended"


def match(path):
    return f"{{ path: {path}, methods: [{', '.join(routes.METHODS)}] }}"


class Proxy:
    """A weir before one origin: all paths below /private go to the other one, some methods nowhere."""

    def __init__(self, folder, origin, private, timeouts=routes.TIMEOUTS, **top):
        options = {"timeouts": timeouts, "upstream_breaker": "off"}
        self.routes = [
            route(f"http://127.0.0.1:{private.port}", match(routes.PRIVATE), **options),
            route(f"http://127.0.0.1:{origin.port}", match(routes.KEYED), **options, **routes.KEYED_OPTIONS),
            route(f"http://127.0.0.1:{origin.port}", match(routes.SHARED), **options, **routes.SHARED_OPTIONS),
            route(f"http://127.0.0.1:{origin.port}", match("/"), **options),
        ]
        self.folder, self.starts, self.top = folder, 0, {"limits": routes.LIMITS, **top}
        self.lines = []  # end lines of the access log
        self._start()

    def _start(self):
        self.starts += 1
        folder = self.folder / str(self.starts)
        folder.mkdir(parents=True)
        self.weir = Weir(folder, self.routes, self.top)
        self.port, self._offset, self._rest = self.weir.port, 0, b""

    async def outlive(self, seconds):
        """Waits for this time, or until weir has ended."""
        deadline = time.monotonic() + seconds
        while self.is_running and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    def revive(self):
        """Starts another weir if this one has ended, and returns how it ended."""
        if self.is_running:
            return []
        said = f"{ENDED}, status {self.weir.process.returncode}: {self.weir.said()[:2000]}"
        self._start()
        return [said]

    def read_log(self):
        """Takes in what the access log has gained."""
        with open(self.weir.access_log, "rb") as log:
            log.seek(self._offset)
            data = log.read()
        self._offset += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        self.lines += [json.loads(line) for line in whole]

    @property
    def is_running(self):
        return self.weir.process.poll() is None

    def stop(self):
        self.weir.stop()
