"""TLS towards clients: certificates, admitted clients, and all that a proxy does with a stream once it is encrypted."""
import datetime
import hashlib
import signal
import socket
import ssl
import threading

import pytest
from cryptography.hazmat.primitives import serialization

from harness.addresses import endless
from harness.certificates import Authority, yaml
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.streams import HeldRecords
from harness.tools import curl
from harness.waiting import eventually, level
from harness.weir import command, route


def ten(peer):
    peer.read_head()
    peer.send(STREAM_HEAD + b"".join(chunk(record(number)) for number in range(1, 11)) + LAST_CHUNK)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def secured(weir, authority):
    """Starts a weir with TLS: secured(route(...), client_ca=..., minimum_version=...)."""
    def start(*routes, top=None, **tls):
        return weir(*routes, **{"tls": yaml(**{**authority.serve(), **tls}), **(top or {})})
    return start


def refuses(connect):
    """Whether weir turns this connection away: in the handshake, or, with TLS 1.3, at the first use of it."""
    try:
        connection = connect()
        connection.ask("/")
        return connection.is_closed()
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
        return True


# What is spoken


def test_a_stream_comes_over_tls(secured, origin, authority):
    proxy = secured(route(origin(ten).url, rate="{ default: 1000/second }"))
    assert proxy.url.startswith("https://")
    answer = curl(proxy.url + "/", "--cacert", str(authority.pem))
    assert (answer.exit_status, answer.status) == (0, 200)
    assert [line["orderId"] for line in answer.lines()] == list(range(1, 11))
    assert proxy.logged(reason="completed")["records"] == 10


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_versions_that_are_good_are_spoken(secured, origin, client, authority, version):
    proxy = secured(route(origin(ten).url))
    wanted = getattr(ssl.TLSVersion, version)
    connection = client(proxy, tls=authority.client(minimum_version=wanted, maximum_version=wanted))
    assert connection.sock.version() == version.replace("_", ".")
    assert connection.sock.selected_alpn_protocol() == "http/1.1"
    assert connection.get("/").status == 200


def test_older_versions_are_refused(secured, origin, client, authority):
    proxy = secured(route(origin(ten).url), minimum_version='"1.3"')
    old = authority.client(maximum_version=ssl.TLSVersion.TLSv1_2)
    assert refuses(lambda: client(proxy, tls=old))
    assert client(proxy, tls=authority.client()).get("/").status == 200


def test_the_whole_chain_is_shown(weir, origin, client, authority, tmp_path):
    between = authority.ca.create_child_ca()
    files = authority.write("leaf", between.issue_cert("localhost"))
    proxy = weir(route(origin(ten).url), tls=yaml(**files))
    assert client(proxy, tls=authority.client()).get("/").status == 200


def test_connections_live_on_and_pipelined_requests_are_answered(secured, origin, client, authority):
    proxy = secured(route(origin(ten).url))
    connection = client(proxy, tls=authority.client())
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
    for _ in range(3):
        response = connection.response()
        assert len(list(response.records())) == 10 and response.complete


def test_a_connection_without_tls_is_closed_and_others_continue(secured, origin, client, authority):
    proxy = secured(route(origin(ten).url), top={"limits": yaml(header_timeout="2s")})
    plain, silent, halfway = client(proxy), client(proxy), client(proxy)
    plain.ask("/")
    halfway.send(b"\x16\x03\x01\x02\x00\x01")  # the begin of a ClientHello
    for stranger in (plain, silent, halfway):
        while stranger.sock.recv(100):
            pass  # an alert
    done = client(proxy, tls=authority.client())
    assert done.is_closed()  # the handshake is done, and no request came
    assert client(proxy, tls=authority.client()).get("/").status == 200


# The files


def check(tmp_path, **tls):
    config = tmp_path / "proxy.conf"
    lines = "".join(f"  {key}: {value}\n" for key, value in tls.items())
    config.write_text(f"tls:\n{lines}routes:\n  - match: /\n    upstream: http://127.0.0.1:9000\n")
    return command("check", "-c", "proxy.conf", cwd=tmp_path)


def test_check_reports_an_invalid_file_at_its_key(authority, tmp_path):
    good, other = authority.serve(), authority.serve("other")
    key = serialization.load_pem_private_key(good["key"].read_bytes(), None)
    (tmp_path / "locked.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")))
    (tmp_path / "noise").write_text("nothing of the kind\n")
    assert check(tmp_path, certificate="server.pem", key="server.key").returncode == 0
    for keys, complaint in [
        ({"certificate": "missing.pem"}, "2:16: `tls.certificate` is `missing.pem`: the file cannot be read: No such file"),
        ({"certificate": "noise"}, "2:16: `tls.certificate` is `noise`: the file holds no certificate in PEM, or"),
        ({"key": "."}, "3:8: `tls.key` is `.`: the file cannot be read: Is a directory"),
        ({"key": "noise"}, "3:8: `tls.key` is `noise`: the file holds no private key in PEM, or a damaged one"),
        ({"key": "locked.key"}, "3:8: `tls.key` is `locked.key`: the key is encrypted; allowed: one without"),
        ({"key": other["key"].name}, "3:8: `tls.key` is `other.key`: the key does not belong to the first certificate"),
        ({"client_ca": "server.key"}, "4:14: `tls.client_ca` is `server.key`: the file holds no certificate in PEM"),
    ]:
        done = check(tmp_path, **{"certificate": "server.pem", "key": "server.key", **keys})
        assert done.returncode == 1
        assert done.stderr.startswith("proxy.conf:" + complaint), done.stderr


def test_an_expired_certificate_is_a_warning(authority, tmp_path):
    authority.serve(not_after=datetime.datetime(2020, 2, 3, tzinfo=datetime.timezone.utc))
    done = check(tmp_path, certificate="server.pem", key="server.key")
    assert done.returncode == 0
    assert "proxy.conf:2:16: warning: `tls.certificate` is `server.pem`: it expired at 2020-02-03T00:00:00" in done.stderr


def shown(client, proxy):
    """The hash of the certificate that weir shows to a new connection."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return hashlib.sha256(client(proxy, tls=trusting).sock.getpeercert(binary_form=True)).hexdigest()


def test_sighup_reads_the_certificates_again_and_ends_no_stream(secured, origin, client, authority):
    script = HeldRecords(3)
    proxy = secured(route(origin(script).url), top={"workers": 2})
    stream = client(proxy, tls=authority.client()).get("/")
    records = stream.records()
    assert next(records).number == 1
    before = shown(client, proxy)
    authority.serve()
    assert shown(client, proxy) == before
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: shown(client, proxy) != before, "another certificate")
    current = shown(client, proxy)
    (authority.folder / "server.key").write_text("damaged")
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: "`tls.key`" in proxy.said().partition("not reloaded")[2], "the error reported")
    assert shown(client, proxy) == current
    script.go.set()
    script.over.set()
    assert [entry.number for entry in records] == [2, 3] and stream.complete


# Clients with certificates


def test_clients_must_show_a_certificate_where_that_is_required(secured, origin, client, authority, tmp_path):
    guests, strangers = Authority(tmp_path), Authority(tmp_path)
    proxy = secured(route(origin(ten).url), client_ca=guests.pem)
    assert client(proxy, tls=authority.client("ann", by=guests)).get("/").status == 200
    assert refuses(lambda: client(proxy, tls=authority.client()))
    assert refuses(lambda: client(proxy, tls=authority.client("eve", by=strangers)))


def test_clients_may_show_a_certificate_where_that_is_optional(secured, origin, client, authority, tmp_path):
    guests, strangers = Authority(tmp_path), Authority(tmp_path)
    proxy = secured(route(origin(ten).url), client_ca=guests.pem, client_certificates="optional")
    assert client(proxy, tls=authority.client("ann", by=guests)).get("/").status == 200
    assert client(proxy, tls=authority.client()).get("/").status == 200
    assert refuses(lambda: client(proxy, tls=authority.client("eve", by=strangers)))


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_certificate_identifies_the_client_in_a_resumed_session_too(
        secured, origin, client, authority, tmp_path, version):
    guests = Authority(tmp_path)
    script = HeldRecords(2)
    proxy = secured(route(origin(script).url, client_key="certificate", streams="{ per_client: 1 }"),
                    client_ca=guests.pem, client_certificates="optional")
    wanted = getattr(ssl.TLSVersion, version)
    ann, bob, without = (authority.client(name, by=guests, minimum_version=wanted, maximum_version=wanted)
                        for name in ("ann", "bob", None))
    first = client(proxy, tls=ann)
    streams = [first.get("/"), client(proxy, tls=bob).get("/"), client(proxy, tls=without).get("/")]
    assert [stream.status for stream in streams] == [200, 200, 200]
    assert next(streams[0].records()).number == 1  # by now the ticket for a resumption has come
    again = client(proxy, tls=ann, session=first.sock.session)
    assert again.sock.session_reused
    for connection in (again, client(proxy, tls=ann), client(proxy, tls=without)):
        assert connection.get("/").status == 429
    script.go.set()
    script.over.set()


# Streams that do not end well


def test_a_client_that_does_not_read_is_found_and_reset(secured, origin, client, authority):
    upstream = origin(endless(1024), send_buffer=16 << 10)
    proxy = secured(route(upstream.url, stall_timeout="500ms", breaker="off", upstream_receive_buffer="32KiB"))
    connection = client(proxy, tls=authority.client(), receive_buffer=4096)
    connection.get("/")
    ended = proxy.logged(reason="slow_consumer")
    # The batch, the queue, the kernel's buffers and the origin's: not the megabytes that a kernel takes by itself.
    assert ended["bytes"] < 1 << 20
    # Beneath TLS, where Python takes a reset for an end.
    with socket.socket(fileno=connection.sock.detach()) as bare, pytest.raises(ConnectionResetError):
        while True:
            assert bare.recv(65536)


def test_a_client_that_reads_slowly_is_seen_to_read(secured, origin, client, authority):
    """What the kernel has not sent is counted as TLS made it: were it not, progress would not show, or go backwards."""
    upstream = origin(endless(1024), send_buffer=16 << 10)
    proxy = secured(
        route(upstream.url, match="/witness", stall_timeout="2s", breaker="off"),
        route(upstream.url, stall_timeout="2s", breaker="off", overflow="drop_newest", buffer="{ default: 20 }"))
    slow, witness = (client(proxy, tls=authority.client(), receive_buffer=4096) for _ in range(2))
    slow.get("/")
    witness.get("/witness")
    over = threading.Event()

    def wait():
        proxy.logged(path="/witness", reason="slow_consumer")
        over.set()
    waiting = threading.Thread(target=wait)
    waiting.start()
    got = 0
    while not over.wait(0.05):
        got += len(slow.sock.recv(4096))
    waiting.join()
    assert got > 4096
    assert slow.sock.recv(4096)
    slow.close()
    assert proxy.logged(path="/")["reason"] == "client_gone"


def test_the_upstream_of_a_client_that_does_not_read_is_paused(secured, origin, client, authority):
    upstream = origin(endless(1024), send_buffer=16 << 10)
    proxy = secured(route(upstream.url, stall_timeout="off", upstream_receive_buffer="32KiB",
                          buffer="{ default: 100, max: 100 }"))
    connection = client(proxy, tls=authority.client(), receive_buffer=4096)
    connection.get("/")
    sent = level(lambda: upstream.peers[0].sent, "what the origin got rid of")
    assert sent < 2 << 20
    connection.close()
    proxy.logged(reason="client_gone")


def breaks_off(peer):
    peer.read_head()
    peer.send(STREAM_HEAD + chunk(record(1)) + b"40\r\n{")
    peer.reset()


@pytest.mark.parametrize("script, reason", [(ten, "completed"), (breaks_off, "upstream_failed")])
def test_a_body_delimited_by_the_close_ends_with_close_notify_only_if_it_is_whole(
        secured, origin, authority, script, reason):
    proxy = secured(route(origin(script).url))
    with socket.create_connection(("127.0.0.1", proxy.port)) as sock:
        with authority.client().wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False) as tls:
            tls.settimeout(60)
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            got = b""
            try:
                while data := tls.recv(65536):
                    got += data
                close_notify = True
            except ssl.SSLEOFError:
                close_notify = False
    assert b'"orderId":1' in got.replace(b" ", b"")
    assert close_notify == (reason == "completed")
    proxy.logged(reason=reason)


def test_a_broken_off_stream_lacks_its_last_chunk(secured, origin, client, authority):
    proxy = secured(route(origin(breaks_off).url))
    response = client(proxy, tls=authority.client()).get("/")
    assert len(list(response.records())) == 1 and response.complete is False


def test_a_drain_ends_streams_and_idle_connections(secured, origin, client, authority):
    script = HeldRecords(2)
    proxy = secured(route(origin(script).url), top={"shutdown_grace": "300ms"})
    idle, stream = client(proxy, tls=authority.client()), client(proxy, tls=authority.client()).get("/")
    records = stream.records()
    assert next(records).number == 1
    proxy.terminate()
    assert idle.is_closed()
    assert list(records) == [] and stream.complete is False
    assert proxy.ended() == 0
    script.go.set()
    script.over.set()
