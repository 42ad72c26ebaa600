"""The causes of upstream failures, as operators and clients get them: both logs, and `Proxy-Status`."""
import re
import socket
import ssl

import pytest

from harness.certificates import Authority
from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, falls_silent, record
from harness.waiting import eventually
from harness.weir import route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def resets(peer):
    peer.read_head()
    peer.reset()


def closes(peer):
    peer.read_head()
    peer.send(STREAM_HEAD + chunk(record(1)))
    peer.close()


def speaks_no_tls(peer):
    peer.send(OK)
    peer.wait_gone()


def silent(peer):
    peer.read_head()
    peer.wait_gone()


def failure(proxy, cause, **wanted):
    line = proxy.logged(cause=cause, **wanted)
    assert line["upstream_error"] and not re.search(r'[(][":]|Error[(]|Optional', line["upstream_error"]), line
    return line


def test_a_refused_connection_has_its_cause_in_both_logs_once_a_minute(weir, client, refused):
    proxy = weir(route(refused, retry="off", upstream_breaker="off"))
    for path in ["/1", "/2", "/3"]:
        problem(client(proxy).get(path), 502, "bad-upstream")
        assert "onnect" in failure(proxy, "connection_refused", path=path)["upstream_error"]
    lines = [line for line in proxy.says("an upstream has failed") if "connection_refused" in line]
    assert len(lines) == 1 and refused in lines[0] and "info" in lines[0].lower()


@pytest.mark.parametrize("script, cause", [(resets, "reset"), (answers(b"HTTP/1.1 999999 no\r\n\r\n"), "malformed")])
def test_a_failure_before_the_head_is_logged_with_its_cause(weir, origin, client, script, cause):
    proxy = weir(route(origin(script).url, retry="off"))
    problem(client(proxy).get("/"), 502, "bad-upstream")
    failure(proxy, cause, status=502)


def test_a_response_that_ends_early_is_truncated(weir, origin, client):
    proxy = weir(route(origin(closes).url))
    client(proxy).ask("/")
    failure(proxy, "truncated", status=200, reason="upstream_failed", records=1)


@pytest.mark.parametrize("script, limit", [(silent, "first_byte"), (falls_silent, "idle")])
def test_a_timeout_is_logged_with_the_limit_that_ended_it(weir, origin, client, script, limit):
    proxy = weir(route(origin(script).url, timeouts=f"{{ {limit}: 200ms }}", retry="off"))
    client(proxy).ask("/")
    assert f"timeouts.{limit}" in failure(proxy, "timeout", reason="upstream_timeout")["upstream_error"]
    proxy.says("an upstream has failed")


def test_a_name_without_an_address_is_unresolved(weir, client):
    # RFC 6761, section 6.4: never resolves; a name server that does not respond is asked once, for a second.
    proxy = weir(route("http://weir.invalid", retry="off", timeouts="{ connect: 60s }"),
                 environment={"RES_OPTIONS": "attempts:1 timeout:1"})
    client(proxy).ask("/")
    assert "weir.invalid" in failure(proxy, "unresolved", within=60)["upstream_error"]


def test_tls_that_is_not_agreed_on_differs_from_a_certificate_that_is_not_trusted(weir, origin, client, tmp_path):
    plain = origin(speaks_no_tls)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Authority(tmp_path).ca.issue_cert("localhost").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = weir(route(f"https://127.0.0.1:{plain.port}", match="/plain", retry="off"),
                     route(f"https://127.0.0.1:{listener.getsockname()[1]}", match="/untrusted", retry="off"))
        connection = client(proxy)
        connection.ask("/untrusted")
        peer, _ = listener.accept()
        with peer, pytest.raises(OSError):
            context.wrap_socket(peer, server_side=True)
        failure(proxy, "tls_certificate", path="/untrusted")
    client(proxy).ask("/plain")
    failure(proxy, "tls_handshake", path="/plain")


def test_proxy_status_names_the_error(weir, origin, client, refused):
    proxy = weir(route(refused, match="/refused", retry="off"), route(origin(answers(OK)).url, match="/good"),
                 proxy_name="edge-1")
    for path, error in [("/refused", "connection_refused"), ("/nowhere", "destination_not_found")]:
        field = client(proxy).get(path).head["Proxy-Status"]
        assert field.startswith(f'edge-1; error={error}; details="') and refused.removeprefix("http://") not in field
    assert "proxy-status" not in client(proxy).get("/good").head.names
    assert "proxy-status" not in client(weir(route(refused))).get("/").head.names


def test_proxy_status_is_a_trailer_of_a_complete_stream(weir, origin, client):
    proxy = weir(route(origin(answers(STREAM_HEAD + chunk(record(1)) + LAST_CHUNK)).url), proxy_name="edge-1")
    connection = client(proxy)
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n")
    whole = b"".join(connection.until_close())
    assert b"Proxy-Status" in whole.partition(b"\r\n\r\n")[0]
    assert b"Proxy-Status: edge-1; received-status=200\r\n" in whole.rpartition(b"\r\n0\r\n")[2]


@pytest.mark.parametrize("via, passes", [("weir", 3), ("edge-1", 1)])
def test_a_request_that_comes_back_is_a_loop(weir, client, refused, via, passes):
    proxy = weir(route(refused, match="/first"), via=via)
    proxy.reload(route(proxy.url), via=via)
    problem(client(proxy).get("/"), 508, "loop-detected")
    eventually(lambda: len(proxy.lines()) == passes + 1, "a line for each pass")
    assert [line["status"] for line in proxy.lines()] == [508] * (passes + 1)
