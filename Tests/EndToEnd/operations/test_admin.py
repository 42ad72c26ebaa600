"""Access to the admin listener."""
import http.client
import json
import socket
import urllib.error
import urllib.request

import pytest

from harness.addresses import endless
from harness.waiting import eventually
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
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read(1)
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


@pytest.fixture
def guarded(weir, fastapi_app):
    return weir(route(fastapi_app.url), admin_token=f'"{TOKEN}"')


@pytest.mark.parametrize("path", GUARDED)
def test_with_a_token_nothing_is_shown_without_it(guarded, path):
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
    connection = Unix("weir", timeout=60)
    connection.request("GET", "/metrics")
    assert connection.getresponse().status == 200
    connection.close()
    proxy.stop()


# What operators do

BREAKER = "{ trips: 1, window: 60s, cooldown: 120s, probes: 1, probe_records: 20 }"


def send(proxy, method, path, body=None, token=TOKEN):
    headers = {"Accept": "application/problem+json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(proxy.admin + path, headers=headers, method=method,
                                     data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def state(proxy):
    return json.loads(send(proxy, "GET", "/v1/admin/state")[1])


@pytest.mark.parametrize("workers", [1, 2])
def test_an_operator_ends_a_stream(weir, origin, client, workers):
    proxy = weir(route(origin(endless()).url, rate="{ default: 100/second }"), admin_token=f'"{TOKEN}"', workers=workers)
    response = client(proxy).get("/one", "Prefer: stream-notices")
    other = client(proxy).get("/other")
    shown = eventually(lambda: next((stream for stream in state(proxy)["slowest"] for report in
                       [json.loads(send(proxy, "GET", "/v1/admin/streams/" + stream["id"])[1])]
                       if report["path"] == "/one"), None), "the stream in a snapshot")
    status, report = send(proxy, "DELETE", "/v1/admin/streams/" + shown["id"])
    assert status == 200 and json.loads(report)["path"] == "/one"
    last = json.loads(response.read().splitlines()[-1])
    assert not response.complete and last["detail"] == "An operator has ended this stream"
    assert proxy.logged(path="/one")["reason"] == "cancelled"
    assert send(proxy, "DELETE", "/v1/admin/streams/" + shown["id"])[0] == 404
    assert not [line for line in proxy.lines() if line["path"] == "/other"] and other.status == 200


def test_an_operator_resets_the_breaker_of_a_client(weir, origin, client):
    upstream = origin(endless(2000), send_buffer=16 << 10)
    proxy = weir(route(upstream.url, rate="{ default: 1000/second }", stall_timeout="300ms", breaker=BREAKER),
                 admin_token=f'"{TOKEN}"', shutdown_grace="0s")
    client(proxy, receive_buffer=4096).ask("/one")
    proxy.logged(reason="slow_consumer")
    assert client(proxy).get("/two").status == 429
    breaker = eventually(lambda: state(proxy)["breakers"], "a breaker in a snapshot")[0]
    assert send(proxy, "POST", "/v1/admin/breakers/reset", {**breaker, "client": "192.0.2.1"})[0] == 404
    assert send(proxy, "POST", "/v1/admin/breakers/reset", {**breaker, "route": "/nothing"})[0] == 404
    assert send(proxy, "POST", "/v1/admin/breakers/reset", breaker)[0] == 204
    # At a pace that does not fill its socket: it must not open the breaker again.
    assert client(proxy).get("/three", "X-Stream-Rate-Limit: 1/hour").status == 200
    eventually(lambda: not state(proxy)["breakers"], "a snapshot without it")
    assert send(proxy, "POST", "/v1/admin/breakers/reset", breaker)[0] == 404


def test_an_operator_resets_the_breaker_of_an_upstream(weir, client):
    proxy = weir(route("http://127.0.0.1:1", upstream_breaker="{ failures: 1, window: 60s, cooldown: 120s }"),
                 admin_token=f'"{TOKEN}"')
    assert client(proxy).get("/").status == 502
    assert client(proxy).get("/").status == 503
    breaker = eventually(lambda: state(proxy)["breakers"], "a breaker in a snapshot")[0]
    assert send(proxy, "POST", "/v1/admin/breakers/reset", breaker)[0] == 204
    assert client(proxy).get("/").status == 502


def test_a_breaker_is_reset_on_each_route_of_its_name(weir, client):
    breaker = "{ failures: 1, window: 60s, cooldown: 120s }"
    proxy = weir(route("http://127.0.0.1:1", "{ path: /, methods: [GET] }", upstream_breaker=breaker),
                 route("http://127.0.0.1:1", "{ path: /, methods: [POST] }", upstream_breaker=breaker),
                 admin_token=f'"{TOKEN}"')
    assert client(proxy).get("/", method="POST").status == 502
    assert client(proxy).get("/", method="POST").status == 503
    open_one = eventually(lambda: state(proxy)["breakers"], "a breaker in a snapshot")[0]
    assert send(proxy, "POST", "/v1/admin/breakers/reset", open_one)[0] == 204
    assert client(proxy).get("/", method="POST").status == 502


def test_a_token_that_is_replaced_gives_no_further_events(weir, fastapi_app):
    proxy = weir(route(fastapi_app.url), admin_token=f'"{TOKEN}"')
    request = urllib.request.Request(proxy.admin + "/v1/admin/events?interval=500ms",
                                     headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as events:
        assert events.readline() == b"event: state\n"
        assert proxy.reload(route(fastapi_app.url), admin_token=f'"{TOKEN[::-1]}"').startswith("reloaded")
        events.read()  # to the end of the response
    assert ask(proxy, "/v1/admin/events", token=TOKEN)[0] == 401


@pytest.mark.parametrize("body", [[], {}, {"route": "/"}, {"route": "/", "kind": "client"}, "x",
                                  {"route": "/", "kind": "neither", "client": "x"}, {"route": 1, "kind": "client", "client": "x"}])
def test_a_breaker_that_is_not_named_is_not_reset(guarded, body):
    status, problem = send(guarded, "POST", "/v1/admin/breakers/reset", body)
    assert status == 400 and json.loads(problem)["type"].endswith("/invalid-request")


def test_a_name_that_never_ends_is_not_read(guarded):
    assert send(guarded, "POST", "/v1/admin/breakers/reset", {"route": "x" * 5000})[0] == 413


def test_without_a_token_nothing_can_be_done(weir, fastapi_app):
    proxy = weir(route(fastapi_app.url))
    assert send(proxy, "DELETE", "/v1/admin/streams/0123456789abcdef", token=None)[0] == 403
    assert send(proxy, "POST", "/v1/admin/breakers/reset", {}, token=None)[0] == 403
    assert json.loads(send(proxy, "GET", "/v1/admin/state", token=None)[1])["actions"] is False


@pytest.mark.parametrize("method, path, allowed", [
    ("PUT", "/v1/admin/streams/0123456789abcdef", "GET, HEAD, DELETE"), ("POST", "/metrics", "GET, HEAD"),
    ("DELETE", "/v1/admin/breakers/reset", "POST")])
def test_other_methods_are_answered_with_the_known_ones(guarded, method, path, allowed):
    status, headers, _ = ask(guarded, path, token=TOKEN, method=method)
    assert (status, headers["Allow"]) == (405, allowed)
