"""Two processes at one address: the second one reports the conflict, unless both were asked to share."""
import re
import socket
import subprocess

import pytest

from harness.scripted_origin import answers
from harness.waiting import eventually
from harness.weir import BINARY, EXTRA, command, route

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
INTERNALS = re.compile(r"descriptor:|errno|IOError|\(error")


def configuration(folder, listen, admin="off", workers=1, **top):
    file = folder / "second.conf"
    keys = {"listen": listen, "admin": admin, "workers": workers, "access_log": "off", **top}
    file.write_text("".join(f"{key}: {value}\n" for key, value in keys.items())
                    + "routes:\n" + route("http://127.0.0.1:9") + "\n")
    return str(file)


def conflict(done, address):
    """The one line with the reason why it does not start."""
    assert done.returncode == 1, done.stderr
    line = done.stderr.splitlines()[-1]
    assert f"cannot listen on {address}: another process listens there" in line
    assert not INTERNALS.search(line), line
    return True


@pytest.mark.parametrize("first, second", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_a_second_process_at_the_public_address_is_an_error(weir, origin, client, tmp_path, first, second):
    proxy = weir(route(origin(answers(PLAIN)).url), workers=first)
    config = configuration(tmp_path, f"127.0.0.1:{proxy.port}", workers=second)
    assert conflict(command("run", *EXTRA, "-c", config), f"127.0.0.1:{proxy.port}")
    assert all(client(proxy).get("/").read() == b"ok" for _ in range(8))


@pytest.mark.parametrize("address", ["0.0.0.0", "[::]"])
def test_a_wider_address_meets_a_narrower_one(weir, origin, tmp_path, address):
    proxy = weir(route(origin(answers(PLAIN)).url), workers=2)
    config = configuration(tmp_path, f'"{address}:{proxy.port}"', workers=2)
    assert conflict(command("run", *EXTRA, "-c", config), f"{address}:{proxy.port}")


def test_one_process_may_listen_at_overlapping_addresses(weir, origin, reserved_port):
    port = reserved_port().number
    proxy = weir(route(origin(answers(PLAIN)).url), workers=2, listen=f'["127.0.0.1:{port}", "0.0.0.0:{port}", "[::]:{port}"]')
    for address in ("127.0.0.1", "127.0.0.2", "::1"):
        with socket.create_connection((address, port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert connection.makefile("rb").read().endswith(b"ok")
    assert proxy.health() == 200


def test_the_admin_address_is_never_shared(weir, origin, tmp_path):
    proxy = weir(route(origin(answers(PLAIN)).url), reuse_port="true")
    admin = proxy.admin.removeprefix("http://")
    config = configuration(tmp_path, "127.0.0.1:0", admin=admin, reuse_port="true")
    assert conflict(command("run", *EXTRA, "-c", config), admin)


def test_processes_that_are_asked_to_share_an_address_serve_it_together(weir, origin, client):
    first = weir(route(origin(answers(PLAIN)).url), workers=2, reuse_port="true")
    second = weir(route(origin(answers(PLAIN)).url), workers=2, reuse_port="true", listen=f"127.0.0.1:{first.port}")
    assert second.port == first.port

    def both_served():
        assert client(first).get("/").read() == b"ok"
        return first.lines() and second.lines()
    eventually(both_served, "a request at each process")
    first.stop()
    assert all(client(second).get("/").read() == b"ok" for _ in range(8))


def test_sharing_needs_both_processes(weir, origin, tmp_path):
    proxy = weir(route(origin(answers(PLAIN)).url), workers=2, reuse_port="true")
    config = configuration(tmp_path, f"127.0.0.1:{proxy.port}", workers=2)
    assert conflict(command("run", *EXTRA, "-c", config), f"127.0.0.1:{proxy.port}")


def test_of_many_processes_that_start_at_once_one_gets_the_address(tmp_path, reserved_port):
    port = reserved_port().number
    config = configuration(tmp_path, f"127.0.0.1:{port}", workers=2)
    processes = [subprocess.Popen([BINARY, "run", *EXTRA, "-c", config], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True) for _ in range(6)]
    try:
        eventually(lambda: sum(process.poll() is None for process in processes) == 1, "one that is left")
        for process in processes:
            if process.poll() is not None:
                assert f"cannot listen on 127.0.0.1:{port}: " in process.stderr.read()
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stderr.close()


@pytest.mark.parametrize("kind", ["public", "admin"])
def test_a_unix_socket_that_is_in_use_is_a_conflict_and_a_stale_one_is_replaced(weir, origin, tmp_path, kind):
    path = tmp_path / "weir.sock"
    upstream = origin(answers(PLAIN)).url
    top = {"listen": f'["127.0.0.1:0", "unix:{path}"]'} if kind == "public" else {"admin": f"unix:{path}"}
    second = {"listen": f"unix:{path}"} if kind == "public" else {"listen": "127.0.0.1:0", "admin": f"unix:{path}"}
    first = weir(route(upstream), **top)
    assert conflict(command("run", *EXTRA, "-c", configuration(tmp_path, **second)), f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))  # the first one still has it
    first.kill()
    assert path.exists()
    successor = weir(route(upstream), **top)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 200 OK\r\n")
    successor.stop()


def test_a_file_that_is_no_socket_is_not_removed(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    done = command("run", *EXTRA, "-c", configuration(tmp_path, f"unix:{path}"))
    assert done.returncode == 1
    assert f"cannot listen on unix:{path}: a file is there that is no socket" in done.stderr
    assert path.read_text() == "data"


def test_an_address_that_this_machine_does_not_have_is_named(tmp_path):
    done = command("run", *EXTRA, "-c", configuration(tmp_path, "192.0.2.1:8080"))
    assert done.returncode == 1
    assert "cannot listen on 192.0.2.1:8080: no network interface of this machine has this address" in done.stderr
    assert not INTERNALS.search(done.stderr)
