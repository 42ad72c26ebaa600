"""Who may ask the admin listener for what."""
import http.client
import json
import socket
import urllib.error
import urllib.request

import pytest

from harness.weir import command, route

TOKEN = "a-token-of-23-letters-!"
GUARDED = ["/metrics", "/v1/admin/state", "/v1/admin/events", "/v1/health/streaming", "/nothing"]


def ask(proxy, path, host=None, token=None, method="GET"):
    headers = {"Accept": "application/problem+json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if host:
        headers["Host"] = host
    request = urllib.request.Request(proxy.admin + path, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, answer.headers, answer.read(1)
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


@pytest.fixture
def guarded(weir, fastapi_app):
    return weir(route(fastapi_app.url), admin_token=f'"{TOKEN}"')


@pytest.mark.parametrize("path", GUARDED)
def test_with_a_token_nothing_is_told_without_it(guarded, path):
    status, headers, body = ask(guarded, path)
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="weir"')
    problem = json.loads(body)
    assert headers["Content-Type"] == "application/problem+json"
    assert problem["type"].endswith("/unauthorized") and problem["status"] == 401
    status, headers, _ = ask(guarded, path, token=TOKEN + "x")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="weir", error="invalid_token"')
    assert ask(guarded, path, token=TOKEN)[0] == (404 if path == "/nothing" else 200)


@pytest.mark.parametrize("method", ["DELETE", "POST", "PUT"])
def test_the_token_comes_before_the_method(guarded, method):
    assert ask(guarded, "/v1/admin/state", method=method)[0] == 401


def test_balancers_need_no_token(guarded):
    assert ask(guarded, "/livez")[0] == ask(guarded, "/readyz")[0] == 200


def test_a_reload_takes_another_token_at_once(guarded, fastapi_app):
    assert guarded.reload(route(fastapi_app.url), admin_token='"another-token-of-weir"').startswith("reloaded")
    assert ask(guarded, "/metrics", token=TOKEN)[0] == 401
    assert ask(guarded, "/metrics", token="another-token-of-weir")[0] == 200


def test_the_token_is_nowhere_to_be_read(guarded):
    ask(guarded, "/metrics", token=TOKEN)
    guarded.stop()
    assert TOKEN not in guarded.said() and TOKEN not in guarded.access_log.read_text()


def test_without_a_token_a_name_is_refused(weir, fastapi_app):
    proxy = weir(route(fastapi_app.url))
    for path in GUARDED:
        status, _, body = ask(proxy, path, host="rebound.example:9090")
        assert status == 403 and json.loads(body)["type"].endswith("/forbidden")
    assert ask(proxy, "/metrics", host="localhost")[0] == 200
    assert ask(proxy, "/livez", host="rebound.example")[0] == 200


def test_a_listener_that_others_reach_needs_a_token(tmp_path):
    (tmp_path / "proxy.conf").write_text("admin: 0.0.0.0:0\nroutes: [{ match: /, upstream: \"http://127.0.0.1:1\" }]\n")
    done = command("check", cwd=tmp_path)
    assert done.returncode == 1 and "admin_token" in done.stderr and "1:8" in done.stderr


def test_a_token_that_is_too_short_is_not_shown(tmp_path):
    (tmp_path / "proxy.conf").write_text(
        "admin_token: hunter2\nroutes: [{ match: /, upstream: \"http://127.0.0.1:1\" }]\n")
    done = command("check", cwd=tmp_path)
    assert done.returncode == 1 and "`admin_token`" in done.stderr and "hunter2" not in done.stderr + done.stdout


def test_a_unix_socket_answers_to_any_name(weir, fastapi_app, tmp_path):
    path = tmp_path / "admin.sock"
    proxy = weir(route(fastapi_app.url), admin=f"unix:{path}")

    class Unix(http.client.HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(str(path))
    connection = Unix("weir", timeout=15)
    connection.request("GET", "/metrics")
    assert connection.getresponse().status == 200
    connection.close()
    proxy.stop()
