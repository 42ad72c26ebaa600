"""Standard input, output and error in states that a supervisor can leave them in: full, without a reader, closed."""
import contextlib
import fcntl
import itertools
import os
import signal
import subprocess
import urllib.request

import pytest

from harness.raw_client import RawClient
from harness.scripted_origin import answers
from harness.sockets import ReservedPort
from harness.waiting import eventually
from harness.weir import BINARY, EXTRA, route

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Running:
    """A weir whose standard streams are the test's own, so that its ports are chosen before."""

    def __init__(self, folder, *routes, access_log="off", **streams):
        self.reserved = [ReservedPort(), ReservedPort()]
        self.port, self.admin_port = (port.number for port in self.reserved)
        self.config = folder / "proxy.conf"
        self.config.write_text(
            f"listen: 127.0.0.1:{self.port}\nadmin: 127.0.0.1:{self.admin_port}\nworkers: 1\n"
            f"access_log: {access_log}\nshutdown_grace: 1s\nroutes:\n" + "\n".join(routes) + "\n")
        self.process = subprocess.Popen(self.arguments(), **streams)

    def arguments(self):
        return [BINARY, "run", *EXTRA, "-c", str(self.config)]

    def ready(self):
        def answer():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}"
            try:
                return self.page("/readyz") is not None
            except OSError:
                return False
        eventually(answer, "readiness")
        return self

    def page(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=60) as answer:
            return answer.read().decode()

    def get(self, path):
        with RawClient(self.port) as client:
            response = client.get(path)
            response.read()
            return response.status

    def stop(self):
        """Its exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def close(self):
        self.process.kill()
        self.process.wait()
        for port in self.reserved:
            port.close()


@contextlib.contextmanager
def running(*arguments, **options):
    with contextlib.closing(Running(*arguments, **options)) as proxy:
        yield proxy


class Pipe:
    """A small pipe; each end is closed once."""

    def __init__(self):
        self.read, self.write = os.pipe()
        self.open = {self.read, self.write}
        fcntl.fcntl(self.write, fcntl.F_SETPIPE_SZ, 4096)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in list(self.open):
            self.close(end)

    def close(self, end):
        self.open.remove(end)
        os.close(end)


def fill(end):
    """Fills a pipe; its next write waits."""
    os.set_blocking(end, False)
    for size in (4096, 1):
        try:
            while True:
                os.write(end, b"x" * size)
        except BlockingIOError:
            pass
    os.set_blocking(end, True)


def trips(port):
    """A route whose breaker opens with each request: its upstream refuses."""
    return route(port.url, match="/dead",
                 upstream_breaker="{ failures: 1, window: 30s, cooldown: 1s }")


def test_a_full_standard_error_holds_up_no_request_no_reload_and_no_drain(tmp_path, origin, reserved_port):
    with Pipe() as pipe:
        routes = [trips(reserved_port()), route(origin(answers(PLAIN)).url)]
        with running(tmp_path, *routes, stderr=pipe.write) as proxy:
            proxy.ready()
            fill(pipe.write)
            assert proxy.get("/dead") == 502  # opens the breaker, which is a line
            assert [proxy.get("/") for _ in range(5)] == [200] * 5
            proxy.process.send_signal(signal.SIGHUP)
            eventually(lambda: "weir_config_generation 2" in proxy.page("/metrics"), "the reload")
            assert proxy.get("/") == 200
            assert "weir_process_log_lines_lost_total 0" in proxy.page("/metrics")
            assert proxy.stop() == 0


def test_it_starts_with_a_full_standard_error(tmp_path, origin):
    with Pipe() as pipe:
        fill(pipe.write)
        with running(tmp_path, route(origin(answers(PLAIN)).url), stderr=pipe.write) as proxy:
            assert proxy.ready().get("/") == 200
            assert proxy.stop() == 0


def test_pending_lines_of_standard_error_are_written_when_it_is_read(tmp_path, origin):
    with Pipe() as pipe:
        fill(pipe.write)
        with running(tmp_path, route(origin(answers(PLAIN)).url), stderr=pipe.write) as proxy:
            proxy.ready()
            pipe.close(pipe.write)
            read_to_end = subprocess.Popen(["cat"], stdin=pipe.read, stdout=subprocess.PIPE)
            assert proxy.stop() == 0
            said = read_to_end.communicate(timeout=60)[0].decode()
            assert "listening on" in said and said.rstrip().endswith("notice stopped")


def test_a_full_standard_output_holds_up_no_request_and_no_drain(tmp_path, origin):
    with Pipe() as pipe:
        fill(pipe.write)
        with running(tmp_path, route(origin(answers(PLAIN)).url), access_log='{ path: "-" }', stdout=pipe.write,
                     stderr=subprocess.DEVNULL) as proxy:
            proxy.ready()
            assert [proxy.get("/") for _ in range(5)] == [200] * 5
            assert proxy.stop() == 0


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_ends_does_not_end_it(tmp_path, origin, stream):
    with Pipe() as pipe:
        pipe.close(pipe.read)
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: pipe.write}
        with running(tmp_path, route(origin(answers(PLAIN)).url), access_log='{ path: "-" }', **streams) as proxy:
            assert [proxy.ready().get("/") for _ in range(3)] == [200] * 3
            lost = {"stdout": "access", "stderr": "process"}[stream]
            eventually(lambda: f"weir_{lost}_log_lines_lost_total 0\n" not in proxy.page("/metrics"), "lost lines")
            assert proxy.stop() == 0


COMBINATIONS = [closed for count in (1, 2, 3) for closed in itertools.combinations((0, 1, 2), count)]


@pytest.mark.parametrize("closed", COMBINATIONS, ids=lambda closed: "".join(map(str, closed)))
def test_standard_streams_that_are_closed_are_opened_on_the_null_device(tmp_path, origin, closed):
    class Closed(Running):
        def arguments(self):
            words = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in closed)
            return ["bash", "-c", f'exec "$@" {words}', "bash", *super().arguments()]

    with contextlib.closing(Closed(tmp_path, route(origin(answers(PLAIN)).url), access_log='{ path: "-" }')) as proxy:
        assert proxy.ready().get("/") == 200
        opened = {number: os.readlink(f"/proc/{proxy.process.pid}/fd/{number}") for number in closed}
        assert opened == {number: "/dev/null" for number in closed}
        assert proxy.stop() == 0
