"""The weirs under test, one for each origin, and their access logs."""
import json
import sys
from pathlib import Path

import routes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))

from harness.weir import Weir, route  # noqa: E402


class Proxy:
    """A weir in front of one origin: all paths below /private go to the other one, some methods nowhere."""

    def __init__(self, folder, origin, private):
        self.origin, self.private = origin, private
        options = {"timeouts": routes.TIMEOUTS, "upstream_breaker": "off"}
        folder.mkdir()
        self.weir = Weir(folder, [
            route(f"http://127.0.0.1:{private.port}", routes.PRIVATE, **options),
            route(f"http://127.0.0.1:{origin.port}", f"{{ path: /, methods: [{', '.join(routes.METHODS)}] }}", **options),
        ], {"limits": routes.LIMITS})
        self.port, self._offset = self.weir.port, 0
        self.lines = []  # end lines of the access log
        self._rest = b""

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
