"""Pages of other origins, and fields that a route sets and removes."""
import socket
import threading
from types import SimpleNamespace

import pytest

from harness.problems import problem
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, answers, chunk, record
from harness.weir import command, route

PAGE = "https://app.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: x\r\nAccess-Control-Allow-Origin: *\r\n\r\nok"
PREFLIGHT = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: prefer"]


def cors(*origins, **more):
    keys = {"origins": "[" + ", ".join(f'"{origin}"' for origin in origins) + "]", **more}
    return "{ " + ", ".join(f"{key}: {keys[key]}" for key in keys) + " }"


def test_a_preflight_is_answered_without_the_upstream(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url, match="{ path: /a, methods: [POST] }", cors=cors(PAGE)),
                 route(upstream.url, match="/b"))
    response = client(proxy).get("/a", f"Origin: {PAGE}", *PREFLIGHT, method="OPTIONS")
    assert (response.head.status, response.head["Access-Control-Allow-Origin"]) == (204, PAGE)
    assert "content-length" not in response.head.names  # RFC 9110, section 8.6
    assert response.head["Access-Control-Allow-Methods"] == "POST"
    assert "Prefer" in response.head["Access-Control-Allow-Headers"].split(", ")
    refused = client(proxy).get("/a", "Origin: https://evil.example", *PREFLIGHT, method="OPTIONS")
    assert refused.head.status == 204 and "access-control-allow-origin" not in refused.head.names
    assert not upstream.heads
    # Without `cors` it is the upstream's, also beside a route with it.
    assert client(proxy).get("/b", f"Origin: {PAGE}", *PREFLIGHT, method="OPTIONS").read() == b"ok"
    assert len(upstream.heads) == 1


def test_a_response_has_the_routes_grant_and_not_the_upstreams(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url, match="/a", cors=cors(PAGE)), route(upstream.url, match="/b"))
    assert client(proxy).get("/a", f"Origin: {PAGE}").head.all("Access-Control-Allow-Origin") == [PAGE]
    other = client(proxy).get("/a", "Origin: https://evil.example").head
    assert other.all("Access-Control-Allow-Origin") == [] and other["Vary"] == "Origin"
    assert client(proxy).get("/b", f"Origin: {PAGE}").head.all("Access-Control-Allow-Origin") == ["*"]


def test_own_addresses_and_problems_have_the_grant(weir, origin, client):
    stream = origin(answers(STREAM_HEAD + chunk(record(1))))
    with socket.socket() as refused:
        refused.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{refused.getsockname()[1]}"
        proxy = weir(route(stream.url, match="/s", cors=cors(PAGE)), route(down, match="/down", cors=cors(PAGE)),
                     shutdown_grace="0s")
        field = f"Origin: {PAGE}"

        def granted(path, *fields, method="GET"):
            response = client(proxy).get(path, field, *fields, method=method)
            assert response.head["Access-Control-Allow-Origin"] == PAGE, response.head
            assert "Retry-After" in response.head["Access-Control-Expose-Headers"]
            return response

        name = granted("/s").head["X-Stream-Id"]
        problem(granted("/down"), 502, "bad-upstream")
        problem(granted("/nowhere"), 404, "not-found")
        problem(granted("/s", "X-Stream-Rate-Limit: x"), 400, "invalid-request")
        assert granted(f"/v1/streams/{name}").head.status == 200
        problem(granted("/v1/streams/unknown"), 404, "not-found")
        assert granted("/v1/health/streaming").head.status in (200, 503)
        preflight = client(proxy).get(f"/v1/streams/{name}/feedback", field, *PREFLIGHT, method="OPTIONS")
        assert preflight.head["Access-Control-Allow-Methods"] == "POST"
        assert granted(f"/v1/streams/{name}", method="DELETE").head.status == 200


def test_fields_are_set_and_removed_in_both_directions(weir, origin, client):
    upstream = origin(answers(OK))
    rules = ("{ request: { set: { Authorization: \"Bearer ${KEY}\", X-New: a b }, remove: [x-debug] },"
             " response: { set: { Cache-Control: no-cache }, remove: [Server] } }")
    proxy = weir(route(upstream.url, headers=rules), environment={"KEY": "s3cret-of-the-upstream"})
    head = client(proxy).get("/", "Authorization: mine", "X-Debug: 1", "X-Kept: 1").head
    sent = upstream.heads[0].decode().lower().split("\r\n")
    assert [line for line in sent if line.startswith("authorization")] == ["authorization: bearer s3cret-of-the-upstream"]
    assert "x-new: a b" in sent and "x-kept: 1" in sent and not [line for line in sent if line.startswith("x-debug")]
    assert head["Cache-Control"] == "no-cache" and "server" not in head.names
    assert "s3cret" not in proxy.said() + proxy.access_log.read_text()


def test_a_secret_field_is_not_shown_in_an_error(tmp_path):
    (tmp_path / "proxy.conf").write_text("routes:\n" + route(
        "http://127.0.0.1:1", headers='{ request: { set: { Authorization: " s3cret" } } }'))
    done = command("check", cwd=tmp_path)
    assert done.returncode == 1 and "s3cret" not in done.stderr


# In a browser


@pytest.fixture
def page(browser, origin):
    """An empty page of an origin of its own."""
    server = origin(answers(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"))
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(server.url + "/")
    yield SimpleNamespace(evaluate=page.evaluate, origin=server.url)
    context.close()


def test_a_page_reads_a_rejection_and_a_stream_and_sends_feedback(weir, origin, page):
    ended = threading.Event()

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(record(1)))
        ended.wait(60)
        peer.send(LAST_CHUNK)

    proxy = weir(route(origin(script).url, match="/s", cors=cors(page.origin), streams="{ per_client: 1 }"),
                 shutdown_grace="0s")
    try:
        result = page.evaluate("""async url => {
            const stream = await fetch(url + '/s', { headers: { 'X-Stream-Rate-Limit': '10/second' } });
            const reader = stream.body.getReader();
            const first = new TextDecoder().decode((await reader.read()).value);
            const refused = await fetch(url + '/s');
            const id = stream.headers.get('x-stream-id');
            const feedback = await fetch(`${url}/v1/streams/${id}/feedback`, {
                method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"rate":"5/second"}' });
            return { first, rate: stream.headers.get('x-stream-rate'), status: refused.status,
                     retryAfter: refused.headers.get('retry-after'), kind: (await refused.json()).type,
                     state: (await feedback.json()).rate };
        }""", proxy.url)
    finally:
        ended.set()
    assert result["first"] == record(1).decode() and result["rate"] == "10/second"
    assert result["status"] == 429 and int(result["retryAfter"]) >= 1 and result["kind"].endswith("too-many-streams")
    assert result["state"] == "5/second"


def test_an_event_source_of_another_origin_reads_events(weir, origin, page):
    body = b"".join(b"data: %d\n\n" % number for number in range(1, 4))
    upstream = origin(answers(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                              b"Content-Length: %d\r\n\r\n%b" % (len(body), body)))
    proxy = weir(route(upstream.url, match="/open", cors=cors(page.origin)), route(upstream.url, match="/closed"))
    script = """url => new Promise(done => {
        const source = new EventSource(url), seen = [];
        source.onmessage = event => { seen.push(event.data); if (seen.length == 3) { source.close(); done(seen); } };
        source.onerror = () => { if (!seen.length) { source.close(); done('refused'); } };
    })"""
    assert page.evaluate(script, proxy.url + "/open") == ["1", "2", "3"]
    assert page.evaluate(script, proxy.url + "/closed") == "refused"
