"""HAProxy as the balancer of several weir instances."""
import subprocess

from .raw_client import RawClient
from .redis import free_port
from .waiting import eventually

CONFIGURATION = """
global
    maxconn 4000
defaults
    mode http
    timeout connect 10s
    timeout client 10m
    timeout server 10m
frontend clients
    bind 127.0.0.1:{port}
    default_backend weir
backend weir
    balance roundrobin
    option redispatch
    retries 3
{servers}
"""


class HAProxy:
    """Sends each request to the next instance."""

    def __init__(self, folder, proxies):
        folder.mkdir()
        servers = "\n".join(f"    server weir{number} 127.0.0.1:{proxy.port}" for number, proxy in enumerate(proxies))
        file = folder / "haproxy.cfg"
        for _ in range(10):  # another process may take a port that was free
            self.port = free_port()
            file.write_text(CONFIGURATION.format(port=self.port, servers=servers))
            with open(folder / "log", "ab") as log:
                self.process = subprocess.Popen(["haproxy", "-db", "-f", str(file)], stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log)
            if eventually(self._state, "HAProxy listens", within=30) == "listens":
                return
        raise AssertionError((folder / "log").read_text())

    def _state(self):
        if self.process.poll() is not None:
            return "ended"
        try:
            RawClient(self.port).close()
            return "listens"
        except OSError:
            return None

    def stop(self):
        self.process.kill()
        self.process.wait()
