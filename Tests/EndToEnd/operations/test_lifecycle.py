"""From the start to the last record: readiness, draining, and the output of the command."""
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from harness.metrics import Metrics
from harness.raw_client import RawClient
from harness.waiting import eventually
from harness.weir import BINARY, command, route


ROUTES = "routes:\n  - match: /\n    upstream: http://127.0.0.1:9000\n"


def test_it_is_ready_and_alive(weir, fastapi_app):
    proxy = weir(route(fastapi_app.url))
    assert (proxy.health("/readyz"), proxy.health("/livez")) == (200, 200)


def test_without_an_admin_listener_it_serves_all_the_same(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url), admin="off")
    assert proxy.admin is None
    assert client(proxy).get("/v1/orders/1").status == 200


def test_a_drain_ends_open_streams_at_a_record_and_exits_with_0(weir, app, client):
    proxy = weir(route(app.url, rate="{ default: 20/second }"), shutdown_grace="1s")
    response = client(proxy).get("/v1/orders/stream")
    records = response.records()
    assert [next(records).number for _ in range(3)] == [1, 2, 3]
    proxy.terminate()
    rest = list(records)
    assert all(each.line.endswith(b"}") for each in rest)
    assert [each.number for each in rest] == list(range(4, 4 + len(rest)))
    assert response.complete is False  # it is not all, and must not look so
    assert proxy.ended() == 0
    line = proxy.logged(reason="drained")
    assert line["records"] == 3 + len(rest)


def test_a_drain_ends_streams_one_by_one_the_oldest_first(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, rate="{ default: 20/second }"), shutdown_grace="4s", workers=1)
    streams = []
    for _ in range(4):
        response = client(proxy).get("/v1/orders/stream")
        records = response.records()
        next(records)
        streams.append((response.head["X-Stream-Id"], records))
    proxy.terminate()
    with ThreadPoolExecutor() as readers:
        list(readers.map(lambda stream: list(stream[1]), streams))
    assert proxy.ended() == 0
    lines = [line for line in proxy.lines() if line["event"] == "end"]
    assert [line["id"] for line in lines] == [stream_id for stream_id, _ in streams]
    assert {line["reason"] for line in lines} == {"drained"}
    ends = [datetime.fromisoformat(line["time"]) for line in lines]
    assert (ends[-1] - ends[0]).total_seconds() > 1.5, "a second between two"


def test_a_drain_lets_a_short_request_finish_and_admits_no_new_one(weir, origin, client):
    finish = threading.Event()

    def script(peer):
        peer.read_head()
        assert finish.wait(60)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    upstream = origin(script)
    proxy = weir(route(upstream.url), shutdown_grace="1h")
    waiting = client(proxy)
    waiting.ask("/")
    eventually(lambda: proxy.health() == 200, "readiness")
    eventually(lambda: upstream.heads, "the request at the origin")
    proxy.terminate()
    eventually(lambda: proxy.health() == 503, "unreadiness while draining")
    assert proxy.health("/livez") == 200
    eventually(lambda: refuses(proxy.port), "new connections refused")
    finish.set()
    response = waiting.response()
    assert response.read() == b"done"
    assert response.head["Connection"].lower() == "close"
    assert proxy.ended() == 0


def refuses(port):
    try:
        with RawClient(port) as late:
            return late.get("/v1/orders/1").status == 503
    except (OSError, EOFError):
        return True


def test_a_drain_does_not_wait_for_idle_connections(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url), shutdown_grace="1h")
    idle = client(proxy)
    idle.get("/v1/orders/1").read()
    client(proxy)  # one that never asked
    proxy.terminate()
    assert proxy.ended() == 0
    assert idle.is_closed()


@pytest.mark.parametrize("signals", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)])
def test_a_second_signal_ends_it_at_once(weir, fastapi_app, client, signals):
    proxy = weir(route(fastapi_app.url), shutdown_grace="1h")
    client(proxy).ask("/v1/slow?seconds=30")
    eventually(lambda: Metrics(proxy).total("weir_active_streams") == 1, "the request")
    proxy.process.send_signal(signals[0])
    eventually(lambda: proxy.health() in (503, None), "draining")
    assert proxy.process.poll() is None
    proxy.process.send_signal(signals[1])
    proxy.ended()


def test_signals_until_its_end_do_no_harm(weir, fastapi_app):
    """A reload or a second stop must not wait for an event loop that has ended."""
    proxy = weir(route(fastapi_app.url), workers=4, shutdown_grace="10ms")
    proxy.terminate()
    for number in itertools.cycle([signal.SIGHUP, signal.SIGTERM]):
        if proxy.process.poll() is not None:
            break
        proxy.process.send_signal(number)
    assert proxy.ended() == 0
    proxy.stop()  # checks what it has reported


def test_sigint_drains_too(weir, fastapi_app):
    proxy = weir(route(fastapi_app.url))
    proxy.process.send_signal(signal.SIGINT)
    assert proxy.ended() == 0


@pytest.mark.parametrize("rate", ["unlimited", "10/second"])
def test_a_disconnect_ends_the_upstreams_generator(weir, app, client, rate):
    tag = f"leaves-{rate}"
    proxy = weir(route(app.url, rate=f"{{ default: {rate} }}"))
    leaving = client(proxy)
    records = leaving.get(f"/v1/firehose?tag={tag}").records()
    assert [next(records).number for _ in range(3)] == [1, 2, 3]
    assert app.ended(tag) == 0
    leaving.close()
    eventually(lambda: app.ended(tag) == 1, "the app's generator stopped")
    assert proxy.logged(reason="client_gone")


def test_a_disconnect_before_the_head_ends_the_request(weir, origin, client):
    def silent(peer):
        peer.read_head()
        peer.wait_gone()

    upstream = origin(silent)
    proxy = weir(route(upstream.url))
    leaving = client(proxy)
    leaving.ask("/")
    eventually(lambda: upstream.heads, "the request at the origin")
    leaving.close()
    eventually(lambda: upstream.peers[0].gone, "the origin's connection closed")
    assert proxy.logged(reason="client_gone")


def test_a_port_in_use_is_reported(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = tmp_path / "proxy.conf"
        config.write_text(f"listen: 127.0.0.1:{port}\nadmin: off\n" + ROUTES)
        done = command("run", "-c", str(config))
    assert done.returncode != 0
    assert str(port) in done.stderr


def test_the_version_names_libcurl(tmp_path):
    done = command("--version")
    assert done.returncode == 0
    assert re.search(r"\d+\.\d+", done.stdout)
    assert re.search(r"libcurl.\d+\.\d+\.\d+", done.stdout)


def test_check_accepts_a_good_file(tmp_path):
    config = tmp_path / "good.conf"
    config.write_text(ROUTES)
    assert command("check", "-c", str(config)).returncode == 0


def test_check_reports_every_error_with_its_position(tmp_path):
    config = tmp_path / "bad.conf"
    config.write_text("listen: nowhere\nworkerz: 2\n" + ROUTES + "    rate: { default: fast }\n")
    done = command("check", "-c", str(config))
    assert done.returncode == 1
    output = done.stdout + done.stderr
    places = re.findall(re.escape(config.name) + r":(\d+):(\d+): \S", output)
    assert ("1", "9") in places  # the value
    assert ("2", "1") in places and "workers" in output  # the key, and the similar known one
    assert ("6", "22") in places
    assert len(places) == 3


def test_run_refuses_a_bad_file(tmp_path):
    config = tmp_path / "bad.conf"
    config.write_text("workerz: 2\n" + ROUTES)
    done = command("run", "-c", str(config))
    assert done.returncode == 1
    assert f"{config.name}:1:1:" in done.stderr


@pytest.mark.parametrize("word", ["run", "check"])
def test_the_reason_why_a_file_cannot_be_read_is_reported(tmp_path, word):
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.conf").write_bytes(b"via: \xe9\n")
    for path, reason in [("missing.conf", "the file does not exist"), ("folder", "this is a directory, not a file"),
                         ("latin.conf/x", "the file cannot be opened: Not a directory"),
                         ("latin.conf", "the file is not UTF-8")]:
        done = command(word, "-c", path, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, f"{path}: {reason}\n")


@pytest.mark.skipif(not os.path.exists("/usr/bin/setpriv"), reason="setpriv is not installed")
def test_a_file_without_permission_is_reported(tmp_path):
    secret = tmp_path / "secret.conf"
    secret.write_text(ROUTES)
    secret.chmod(0)
    # Without the capability that lets root read everything.
    done = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", BINARY, "check", "-c", str(secret)],
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, f"{secret}: there is no permission to read the file\n")


@pytest.mark.parametrize("word", ["run", "check"])
def test_without_a_file_the_ways_to_begin_are_named(tmp_path, word):
    done = command(word, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("./proxy.conf: the file does not exist; ")
    assert "-c" in done.stderr and "weir demo" in done.stderr


def test_the_file_in_the_folder_is_taken_without_an_argument(tmp_path):
    (tmp_path / "proxy.conf").write_text(ROUTES)
    assert command("check", cwd=tmp_path).returncode == 0


def test_the_demo_streams_what_its_curl_line_says(tmp_path):
    ports = ["--port", "0", "--admin-port", "0"]
    with open(tmp_path / "output", "w") as output:
        demo = subprocess.Popen([BINARY, "demo", *ports], stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        said = (tmp_path / "output").read_text
        eventually(lambda: "listening on" in said() and "curl -N" in said(), "the demo's curl line")
        line = re.search(r"curl -N .*", said()).group(0)
        curl = subprocess.Popen(["bash", "-c", f"exec {line} --silent"], stdout=subprocess.PIPE)
        try:
            first = [json.loads(curl.stdout.readline()) for _ in range(3)]
        finally:
            curl.kill()
            curl.wait()
        assert len(first) == 3
        view = re.search(r"live view, in a browser:\n *(http://\S+)", said()).group(1)
        assert command("health", "--admin", view).returncode == 0
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 0
    finally:
        demo.kill()
        demo.wait()
