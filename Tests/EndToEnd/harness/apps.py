"""The real upstreams, each a process of its own: FastAPI, Express, Django on gunicorn and on uvicorn, Spring WebFlux."""
import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

from .waiting import GUARD, eventually

APPS = Path(__file__).resolve().parent.parent / "apps"
SPRING = APPS.parents[2] / ".build/spring"  # where scripts/setup builds it
COMMANDS = {
    "fastapi": [sys.executable, str(APPS / "fastapi_app.py")],
    "express": ["node", str(APPS / "express_app.js")],
    "http2": ["node", str(APPS / "http2_app.js")],
    "django": [sys.executable, str(APPS / "django_app.py"), "wsgi"],
    "django_async": [sys.executable, str(APPS / "django_app.py"), "asgi"],
    "spring": ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-classpath", f"{SPRING}/classes:{SPRING}/jars/*", "orders.Orders"],
}


class App:
    """A running app, which prints `http://127.0.0.1:PORT` once it listens."""

    def __init__(self, name, folder, environment=None):
        self.name = name
        output = folder / f"{name}.log"
        with open(output, "wb") as log:
            # Debian's packages for Node lie where only Debian's own Node looks by itself.
            self.process = subprocess.Popen(COMMANDS[name], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, "NODE_PATH": "/usr/share/nodejs", **(environment or {})})

        def found():
            text = output.read_text(errors="replace")
            assert self.process.poll() is None, f"{name} ended at its start:\n{text}"
            return re.search(r"http://127\.0\.0\.1:([1-9]\d*)", text)

        self.url = eventually(found, f"{name} listening", within=4 * GUARD).group(0)

    def get(self, path):
        """Asks the app itself, past weir; the JSON that it answers."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.load(answer)

    def made(self, tag):
        """How many records the streams with this tag have made."""
        return self.get(f"/stats?tag={tag}")["made"]

    def begun(self, tag):
        """How many generators with this tag have begun; of FastAPI and Express."""
        return self.get(f"/stats?tag={tag}")["begun"]

    def ended(self, tag):
        """How many generators with this tag have been ended, by themselves or by their reader's leaving."""
        return self.get(f"/stats?tag={tag}")["ended"]

    def stop(self):
        self.process.kill()
        self.process.wait()
