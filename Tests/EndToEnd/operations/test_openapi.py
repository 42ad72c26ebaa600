"""The OpenAPI document describes what weir does: schemathesis generates requests from it, and checks every response."""
import json
import re
import subprocess
import sys
import urllib.request

import pytest

from harness.addresses import endless
from harness.scripted_origin import answers
from harness.waiting import eventually
from harness.weir import REPOSITORY, route

TOKEN = "a-token-of-23-letters-!"
STREAMS = "^/v1/streams"
SLOW = {"rate": "{ default: 10/second }", "stall_timeout": "off"}
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
pytestmark = pytest.mark.timeout(1500)
WITHIN = 600  # s for a run of the tool, which takes ten
# Its response does not end.
EXCLUDED = ["--exclude-operation-id", "followState"]


def describe(proxy):
    request = urllib.request.Request(proxy.admin + "/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        return json.load(answer)


def schemathesis(folder, document, url, *options):
    """Runs the tool on a document, with the same generated requests in each run; it must report nothing."""
    (folder / "openapi.json").write_text(json.dumps(document))
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", "--url", url, "--checks", "all", "--no-color",
         "--generation-deterministic", "--max-examples", "20", "--phases", "coverage,fuzzing", "--request-timeout", "60",
         "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all", *EXCLUDED, *options],
        cwd=folder, capture_output=True, text=True, timeout=WITHIN)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def with_ids(document, **ids):
    """The document with these values as the only ones of the parameter `id`, by the beginning of the path."""
    document = json.loads(json.dumps(document))
    for path, item in document["paths"].items():
        for beginning, value in ids.items():
            if path.startswith(f"/v1/{beginning.replace('_', '/')}/"):
                item["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": {"const": value}}]
    return document


@pytest.fixture
def proxy(weir, origin):
    upstream = origin(endless(), send_buffer=16 << 10)
    failing = origin(answers(BAD_GATEWAY))
    return weir(route(failing.url, match="/failing", upstream_breaker="{ failures: 1, cooldown: 120s }"),
                route(upstream.url, match="/orders", **SLOW), admin_token=f'"{TOKEN}"', shutdown_grace="0s")


def test_schemathesis_finds_nothing_in_the_admin_api(proxy, client, tmp_path):
    document = describe(proxy)
    token = ["--header", f"Authorization: Bearer {TOKEN}"]
    client(proxy).get("/failing").read()
    client(proxy).get("/orders")
    state = eventually(lambda: snapshot(proxy)["slowest"], "a stream in the snapshot")
    schemathesis(tmp_path, document, proxy.admin, *token, "--exclude-path-regex", STREAMS)
    # The same with an open stream.
    schemathesis(tmp_path, with_ids(document, admin_streams=state[0]["id"]), proxy.admin, *token,
                 "--include-operation-id", "readStreamAsOperator")


def test_schemathesis_finds_nothing_in_the_addresses_of_streams(proxy, client, tmp_path):
    document = describe(proxy)
    schemathesis(tmp_path, document, proxy.url, "--include-path-regex", f"{STREAMS}|^/v1/health")
    stream = client(proxy).get("/orders").head["X-Stream-Id"]
    schemathesis(tmp_path, with_ids(document, streams=stream), proxy.url, "--include-path-regex", STREAMS,
                 "--exclude-method", "DELETE")


def snapshot(proxy):
    request = urllib.request.Request(proxy.admin + "/v1/admin/state", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_the_document_has_every_request_of_the_guide(proxy):
    page = (REPOSITORY / "docs/ADMIN.md").read_text()
    requests = re.findall(r"^\| `(GET|POST|DELETE) (/\S*)` \|", page, re.MULTILINE)
    paths = describe(proxy)["paths"]
    assert len(requests) >= 7
    assert all(method.lower() in paths[path] for method, path in requests)


def members(node):
    """The members of all objects that a schema describes."""
    for name, value in node.get("properties", {}).items():
        yield name
        yield from members(value)
    for part in [*([node["items"]] if "items" in node else []), *node.get("allOf", []), *node.get("oneOf", [])]:
        yield from members(part)


def test_the_guide_names_every_member_of_the_responses(proxy):
    schemas = describe(proxy)["components"]["schemas"]
    named = set(re.findall(r"`(\w+)`", (REPOSITORY / "docs/ADMIN.md").read_text()))
    for schema in ("Snapshot", "Sample", "Upstream", "Breaker", "BreakerName", "StreamSummary", "StreamReport", "SharedRequest"):
        missing = set(members(schemas[schema])) - named
        assert not missing, f"{schema}: {sorted(missing)}"
    assert len(set(members(schemas["Snapshot"]))) > 20


def test_the_events_are_as_described(proxy, tmp_path):
    """The one operation that the tool cannot test, because it does not end."""
    described = describe(proxy)["paths"]["/v1/admin/events"]["get"]["responses"]
    request = urllib.request.Request(proxy.admin + "/v1/admin/events", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.headers["Content-Type"] in described["200"]["content"]
        assert answer.readline() == b"event: state\n"
