"""weir itself, as an operator runs it: a process, a configuration file, signals, an access log."""
import json
import os
import re
import shlex
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from .waiting import GUARD, eventually

REPOSITORY = Path(__file__).resolve().parents[3]
BINARY = str((REPOSITORY / os.environ.get("WEIR", ".build/debug/weir")).resolve())
# Arguments for every `weir run`, to put the whole suite on another way of waking: WEIR_ARGS="--waking thread".
EXTRA = shlex.split(os.environ.get("WEIR_ARGS", ""))
REPORT = re.compile(r"(WARNING|ERROR): \w+Sanitizer|Fatal error|Precondition failed|runtime error:"
                    r"|already shut down")


def route(upstream, match="/", **keys):
    """One route of the configuration; the values are YAML as an operator writes it: rate="{ default: 10/second }"."""
    lines = [f"  - match: {match}", f"    upstream: {upstream}", *(f"    {key}: {keys[key]}" for key in keys)]
    return "\n".join(lines)


def command(*arguments, **options):
    """Runs weir to its end and returns what subprocess.run does."""
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=120, **options)


class Weir:
    """A running weir; `url` and `admin` are where it listens."""

    def __init__(self, folder, routes, top, args=(), environment=None):
        self.folder = folder
        self.access_log = folder / "access.log"
        self.stderr = folder / "stderr"
        # The fixed part: free ports, everything logged to a file, a short grace time.
        self.settings = settings = {
            "listen": "127.0.0.1:0",
            "admin": "127.0.0.1:0",
            "workers": 1,
            "access_log": f"{{ path: {self.access_log}, format: json }}",
            "shutdown_grace": "1s",
            **top,
        }
        self.config = folder / "proxy.conf"
        self._write(routes, settings)
        with open(self.stderr, "wb") as stderr, open(folder / "stdout", "wb") as stdout:
            self.process = subprocess.Popen([BINARY, "run", *EXTRA, *args, "-c", str(self.config)],
                                            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=folder,
                                            env={**os.environ, **(environment or {})})
        try:
            self.url = self._logged_match("listening on (https?://[0-9.]+:[0-9]+)")
            self.admin = None if settings["admin"] == "off" else self._logged_match("admin on (http://[0-9.]+:[0-9]+|unix:.+)")
        except BaseException:
            self.kill()
            raise
        self.port = int(self.url.rpartition(":")[2])

    def _write(self, routes, settings):
        self.config.write_text("".join(f"{key}: {value}\n" for key, value in settings.items())
                               + "routes:\n" + "\n".join(routes) + "\n")

    def reload(self, *routes, **top):
        """Gives it another configuration and SIGHUP; returns its report: "reloaded ..." or "not reloaded ...".

        `routes` may be the text of the whole file instead: reload(text="...").
        """
        before = len(self.reloads())
        if "text" in top:
            self.config.write_text(top["text"])
        else:
            self._write(routes, {**self.settings, **top})
        self.process.send_signal(signal.SIGHUP)
        return eventually(lambda: self.reloads()[before:], "the report on the reload")[0]

    def reloads(self):
        return re.findall(r"\b(?:not )?reloaded .*", self.said())

    def _logged_match(self, pattern):
        """The first match of the pattern on standard error; waits for it."""
        def found():
            match = re.search(pattern, self.said())
            assert match or self.process.poll() is None, f"weir ended at its start:\n{self.said()}"
            return match
        return eventually(found, f"{pattern!r} on standard error").group(1)

    def says(self, text):
        """The lines of the process log that have this text, once there is one: another thread writes them."""
        return eventually(lambda: [line for line in self.said().splitlines() if text in line], f"{text!r} in the process log")

    def said(self):
        return self.stderr.read_text(errors="replace")

    @property
    def pid(self):
        return self.process.pid

    def logged(self, what="an end line in the access log", within=GUARD, **wanted):
        """The first line of the access log that has these values; waits for it."""
        def found():
            return next((line for line in self.lines() if wanted.items() <= line.items()), None)
        return eventually(found, f"{what} with {wanted}, but {self.lines()}", within)

    def lines(self):
        """The access log's whole lines so far."""
        if not self.access_log.exists():
            return []
        whole, _, _ = self.access_log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def health(self, path="/readyz"):
        """The status of a health endpoint; None if there is no answer."""
        try:
            with urllib.request.urlopen(self.admin + path, timeout=120) as answer:
                return answer.status
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return None

    def resident(self):
        """Its resident memory, in bytes."""
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def ended(self, within=2 * GUARD):
        """Waits for its end and returns the exit status."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"weir has not ended within {within} s:\n{self.said()}") from None

    def stop(self):
        """Drains it as an operator would; it must end well, and nothing must have been reported."""
        if self.process.poll() is None:
            self.terminate()
            try:
                status = self.ended()
            finally:
                self.kill()
            assert status == 0, f"exit status {status}:\n{self.said()}"
        assert not REPORT.search(self.said()), self.said()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
