"""What weir is started by where it really runs: systemd's sockets and units, container probes, Kubernetes' manifest."""
import os
import re
import shutil
import socket
import subprocess

import pytest
import yaml

from harness.scripted_origin import answers
from harness.waiting import eventually
from harness.weir import BINARY, REPOSITORY, command, route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PACKAGING = REPOSITORY / "packaging"


# Sockets that were opened by another process


def handed(sockets, *arguments, **options):
    """Starts weir as systemd would: with these sockets at 3 and on, and their number in the environment."""
    numbers = [each.fileno() for each in sockets]

    def child():
        copies = [os.dup2(number, 100 + place) for place, number in enumerate(numbers)]
        for place, copy in enumerate(copies):
            os.dup2(copy, 3 + place)
            os.close(copy)
        os.environ["LISTEN_FDS"] = str(len(numbers))
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.execv(BINARY, [BINARY, *arguments])

    # The descriptors have to be at their places after the fork, hence the detour; 100 and on are closed by then.
    return subprocess.Popen(["true"], preexec_fn=child, close_fds=False, **options)


def configuration(folder, upstream, **top):
    (folder / "proxy.conf").write_text(
        "".join(f"{key}: {value}\n" for key, value in {"access_log": "off", "shutdown_grace": "0s", **top}.items())
        + "routes:\n" + route(upstream) + "\n")
    return str(folder / "proxy.conf")


def get(address, family=socket.AF_INET):
    with socket.socket(family) as client:
        client.settimeout(60)
        client.connect(address)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("workers", [1, 3])
def test_sockets_that_are_handed_over_outlive_it(origin, tmp_path, workers):
    upstream = origin(answers(OK))
    path = str(tmp_path / "weir.sock")
    with socket.create_server(("127.0.0.1", 0)) as public, socket.create_server(("127.0.0.1", 0)) as admin, \
            socket.socket(socket.AF_UNIX) as local:
        local.bind(path)
        local.listen()
        config = configuration(
            tmp_path, upstream.url, workers=workers, listen=f'["127.0.0.1:{public.getsockname()[1]}", "unix:{path}"]',
            admin=f"127.0.0.1:{admin.getsockname()[1]}")
        for _ in range(2):
            process = handed([admin, public, local], "run", "-c", config, stderr=subprocess.PIPE)
            try:
                for _ in range(3 * workers):  # at whichever loop
                    assert get(public.getsockname()).endswith(b"\r\n\r\nok")
                    assert get(path, socket.AF_UNIX).endswith(b"\r\n\r\nok")
                assert b" 200 " in get(admin.getsockname()).splitlines()[0]
            finally:
                process.terminate()
                _, said = process.communicate(timeout=60)
            assert process.returncode == 0 and said.count(b"socket=inherited") == 2, said
        # No process accepts now, and no connection is refused: new ones wait for the next process.
        with socket.create_connection(public.getsockname(), timeout=60):
            pass


def test_what_is_handed_over_and_not_wanted_is_an_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as stray:
        config = configuration(tmp_path, "http://127.0.0.1:1", listen="127.0.0.1:0", admin="off")
        process = handed([stray], "run", "-c", config, stderr=subprocess.PIPE)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and b"neither in `listen` nor `admin`" in said


def test_what_is_handed_over_and_no_listening_socket_is_an_error(tmp_path):
    with socket.socket() as idle:
        config = configuration(tmp_path, "http://127.0.0.1:1", listen="127.0.0.1:0", admin="off")
        process = handed([idle], "run", "-c", config, stderr=subprocess.PIPE)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and b"descriptor 3" in said


def test_descriptors_for_another_process_are_not_touched(weir, origin, monkeypatch):
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", "1")
    assert weir(route(origin(answers(OK)).url)).health() == 200


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="this machine has no systemd")
def test_systemds_own_tool_starts_it(origin, tmp_path, reserved_port):
    port = reserved_port().number
    config = configuration(tmp_path, origin(answers(OK)).url, listen=f"127.0.0.1:{port}", admin="off")
    process = subprocess.Popen(["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", BINARY, "run", "-c", config],
                               stderr=subprocess.DEVNULL)
    try:
        def answered():
            try:
                return get(("127.0.0.1", port))
            except ConnectionRefusedError:
                return None
        assert eventually(answered, "a socket").endswith(b"\r\n\r\nok")
    finally:
        process.terminate()
        assert process.wait(60) == 0


# Probes


def test_health_is_reported_by_the_exit_status(weir, origin, client):
    upstream = origin(lambda peer: (peer.read_head(), peer.wait_gone()))
    proxy = weir(route(upstream.url), shutdown_grace="30s",
                 admin_token='"a-token-of-an-operator-0123456789"')
    address = ("--admin", proxy.admin)
    for arguments in [(), ("--live",)]:
        done = command("health", *address, *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    client(proxy).ask("/")  # keeps it draining
    eventually(lambda: upstream.heads, "the request at the upstream")
    assert command("health", *address).returncode == 0
    proxy.terminate()
    eventually(lambda: command("health", *address).returncode == 1, "not ready any more")
    assert "503" in command("health", *address).stderr
    assert command("health", *address, "--live").returncode == 0
    proxy.terminate()
    proxy.ended()
    gone = command("health", *address, "--live")
    assert gone.returncode == 1 and gone.stderr.startswith("weir health: no answer from")


# Files


def test_the_unit_and_the_socket_are_such(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("this machine has no systemd")
    for name in ["weir.service", "weir.socket"]:
        text = (PACKAGING / "systemd" / name).read_text()
        # What it starts is not installed here.
        (tmp_path / name).write_text(text.replace("/usr/local/bin/weir", BINARY).replace("=weir\n", "=daemon\n"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / "weir.service", tmp_path / "weir.socket"],
                          capture_output=True, text=True, timeout=60)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "weir" in line]
    assert not ours, ours


def test_its_timeouts_leave_room_for_the_drain():
    unit = (PACKAGING / "systemd/weir.service").read_text()
    grace = re.search(r"^shutdown_grace: (\d+)s$", (PACKAGING / "systemd/proxy.conf").read_text(), re.MULTILINE)
    stop = int(re.search(r"^TimeoutStopSec=(\d+)s$", unit, re.MULTILINE)[1])
    default = re.search(r"^shutdown_grace: (\d+)s$", (REPOSITORY / "proxy.conf.example").read_text(), re.MULTILINE)
    assert stop > int(grace[1]) + 8 and stop > int(default[1]) + 8
    manifest = (PACKAGING / "kubernetes/weir.yaml").read_text()
    period, wait, drain = (int(re.search(pattern, manifest)[1]) for pattern in (
        r"terminationGracePeriodSeconds: (\d+)", r'"sleep", "(\d+)"', r"shutdown_grace: (\d+)s"))
    assert period > wait + drain + 5


@pytest.mark.parametrize("name", ["systemd/proxy.conf", "kubernetes/weir.yaml"])
def test_the_configurations_are_right(tmp_path, name):
    text = (PACKAGING / name).read_text()
    if name.endswith(".yaml"):
        text = re.search(r"^  proxy\.conf: \|\n((?:    .*\n|\n)+)", text, re.MULTILINE)[1]
        text = re.sub(r"^    ", "", text, flags=re.MULTILINE)
    (tmp_path / "proxy.conf").write_text(text)
    done = command("check", cwd=tmp_path, env={**os.environ, "WEIR_ADMIN_TOKEN": "x" * 32})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_manifest_has_what_the_guide_says():
    documents = list(yaml.safe_load_all((PACKAGING / "kubernetes/weir.yaml").read_text()))
    assert [document["kind"] for document in documents] == ["ConfigMap", "Deployment", "Service", "PodDisruptionBudget"]
    pod = documents[1]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] and pod["securityContext"]["runAsNonRoot"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe, path in [("readinessProbe", "/readyz"), ("livenessProbe", "/livez")]:
        assert container[probe]["httpGet"]["path"] == path and container[probe]["httpGet"]["port"] in ports


# systemd's notifications


def test_readiness_reloads_and_drains_are_reported(weir, origin, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        proxy = weir(route(origin(answers(OK)).url), environment={"NOTIFY_SOCKET": str(tmp_path / "notify")},
                     shutdown_grace="40s")
        assert manager.recv(4096) == b"READY=1"
        proxy.reload(text=proxy.config.read_text())
        assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", manager.recv(4096))
        assert manager.recv(4096) == b"READY=1"
        proxy.terminate()
        # The grace, and eight seconds for connections and logs.
        assert manager.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=49000000"
        assert proxy.ended() == 0


def test_a_service_manager_that_cannot_be_reached_is_logged(weir, origin):
    proxy = weir(route(origin(answers(OK)).url), environment={"NOTIFY_SOCKET": "/nowhere/notify"})
    proxy.says("the service manager was not notified")
    assert proxy.health() == 200


# The Debian package


@pytest.mark.timeout(900)  # it strips and compresses a binary of 70 MB, which takes ten seconds
def test_the_package_has_its_files_and_dependencies(tmp_path):
    built = subprocess.run([PACKAGING / "debian/build", BINARY, tmp_path], capture_output=True, text=True, timeout=600)
    assert built.returncode == 0, built.stderr
    package = built.stdout.strip()

    def listed(*options):
        return subprocess.run(["dpkg-deb", *options, package], capture_output=True, text=True, check=True, timeout=300).stdout

    depends = listed("--show", "--showformat=${Depends}")
    assert re.search(r"libcurl4\w* \(>= 8\.14\)", depends) and "adduser" in depends
    files = {line.split()[-1] for line in listed("--contents").splitlines()}
    assert {"./usr/bin/weir", "./etc/weir/proxy.conf", "./etc/logrotate.d/weir", "./lib/systemd/system/weir.service",
            "./usr/share/man/man1/weir.1.gz", "./usr/share/man/man5/weir-proxy.conf.5.gz",
            "./usr/share/bash-completion/completions/weir"} <= files
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path / "root"], check=True, timeout=300)
    unit = (tmp_path / "root/lib/systemd/system/weir.service").read_text()
    assert "ExecStart=/usr/bin/weir run" in unit and "/usr/local" not in unit
    page = subprocess.run(["gzip", "-dc", tmp_path / "root/usr/share/man/man1/weir.1.gz"], capture_output=True, text=True,
                          check=True, timeout=300).stdout
    assert all(rf".SS weir {name}" in page for name in ("run", "check", "demo", "logs", "top", "health"))
