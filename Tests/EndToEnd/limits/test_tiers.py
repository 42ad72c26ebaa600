"""Tiers: other limits for some clients, by a header of a trusted proxy or by a file of keys."""
import hashlib
import json
import os
import time
import urllib.request

import pytest

from harness.addresses import endless, numbered
from harness.metrics import Metrics
from harness.problems import problem
from harness.scripted_origin import answers
from harness.streams import StreamAddress
from harness.waiting import eventually
from harness.weir import command, route

BY_KEY = {"client_key": "{ header: X-Api-Key }"}
STREAMS = {**BY_KEY, "streams": "{ per_client: 1 }", "tiers": "{ gold: { streams: { per_client: 2 } } }"}


def key(name):
    return f"X-Api-Key: {name}"


@pytest.fixture
def short(origin):
    """An upstream whose streams end at once."""
    return origin(answers(numbered(1)))


@pytest.fixture
def opens(client):
    """Opens a stream that stays open: opens(proxy, *fields); or returns the rejection."""
    return lambda proxy, *fields: client(proxy).get("/orders", *fields)


def test_each_tier_has_its_own_starts_and_retry_after(weir, short, client):
    proxy = weir(route(short.url, **BY_KEY, streams="{ starts: 2/hour, starts_burst: 1 }", client_tier="{ header: X-Tier }",
                       tiers="{ gold: { streams: { starts: 6/hour, starts_burst: 3 } } }"))
    connection = client(proxy)
    for fields, starts, wait in [([key("a")], 1, 1800), ([key("b"), "X-Tier: gold"], 3, 600)]:
        began = time.monotonic()
        for _ in range(starts):
            response = connection.get("/", *fields)
            response.read()
            assert response.status == 200
        refused = problem(connection.get("/", *fields), 429, "rate-limit")
        assert wait - (time.monotonic() - began) <= refused["retryAfter"] <= wait
        assert "gold" not in json.dumps(refused)
    assert "tier" not in proxy.logged(status=429)
    assert proxy.logged(status=429, tier="gold")["problem"] == "rate-limit"


def test_a_client_that_returns_at_the_retry_after_of_its_tier_is_admitted(weir, short, client):
    proxy = weir(route(short.url, **BY_KEY, streams="{ starts: 1/hour, starts_burst: 1 }", client_tier="{ header: X-Tier }",
                       tiers="{ gold: { streams: { starts: 20/minute } } }"))
    connection, fields = client(proxy), [key("a"), "X-Tier: gold"]
    connection.get("/", *fields).read()
    asked = connection.asked
    due = time.monotonic() + problem(connection.get("/", *fields), 429, "rate-limit")["retryAfter"]

    def admitted():
        sent = time.monotonic()
        response = connection.get("/", *fields)
        response.read()
        assert response.status == 200 or sent < due, "a client that returns at its Retry-After is admitted"
        return response.status == 200

    eventually(admitted, "the next start")
    assert time.monotonic() - asked >= 3, "not before the next start"


def test_the_terms_and_the_described_limits_are_the_tiers(weir, short, client):
    proxy = weir(route(short.url, **BY_KEY, rate="{ default: 5/second, max: 10/second }", client_tier="{ header: X-Tier }",
                       streams="{ per_client: 1, client_records: 100/second }",
                       tiers="{ gold: { rate: { max: 1000/second }, streams: { per_client: 7, client_records: 9/second } } }"))
    wanted = "X-Stream-Rate-Limit: 500/second"
    plain = client(proxy).get("/", key("a"), wanted).head
    gold = client(proxy).get("/", key("b"), wanted, "X-Tier: gold").head
    assert (plain["X-Stream-Rate"], gold["X-Stream-Rate"]) == ("10/second", "500/second")
    assert '"streams";q=1;' in plain["RateLimit-Policy"] and '"client-records";q=100;' in plain["RateLimit-Policy"]
    assert '"streams";q=7;' in gold["RateLimit-Policy"] and '"client-records";q=9;' in gold["RateLimit-Policy"]


def test_an_untrusted_peer_cannot_name_its_tier(weir, short, client):
    proxy = weir(route(short.url, streams="{ starts: 1/hour, starts_burst: 1 }",
                       client_tier="{ header: X-Tier }", tiers="{ gold: { streams: off } }"), trusted_proxies="off")
    connection = client(proxy)
    connection.get("/", "X-Tier: gold").read()
    problem(connection.get("/", "X-Tier: gold", "X-Forwarded-For: 127.0.0.1"), 429, "rate-limit")
    assert b"x-tier" not in short.heads[0].lower(), "and the upstream does not see what it claims"
    believing = weir(route(short.url, streams="{ starts: 1/hour, starts_burst: 1 }", client_tier="{ header: X-Tier }",
                           tiers="{ gold: { streams: off } }"))
    connection = client(believing)
    for _ in range(3):
        response = connection.get("/", "X-Tier: gold")
        response.read()
        assert response.status == 200
    assert b"\r\nX-Tier: gold" in short.heads[-1]


def test_an_unknown_tier_has_the_limits_of_the_route_and_is_counted(weir, origin, opens):
    proxy = weir(route(origin(endless()).url, **STREAMS, client_tier="{ header: X-Tier }"))
    assert opens(proxy, key("a"), "X-Tier: lead").status == 200
    problem(opens(proxy, key("a"), "X-Tier: lead"), 429, "too-many-streams")
    # Two of them, as a proxy that adds its own to the client's would send.
    problem(opens(proxy, key("a"), "X-Tier: gold", "X-Tier: gold"), 429, "too-many-streams")
    assert Metrics(proxy).total("weir_unknown_tiers_total", route="/") == 3
    assert "lead" not in proxy.says("a client has a tier that the route does not have")[0]


def test_a_file_names_the_tiers_and_is_read_again_on_sighup(weir, origin, opens, tmp_path):
    file = tmp_path / "tiers"
    file.write_text("# first\nalice gold\n")
    served = route(origin(endless()).url, **STREAMS, client_tier=f"{{ file: {file} }}")
    proxy = weir(served)
    alices = [StreamAddress(proxy, opens(proxy, key("alice"))) for _ in range(2)]
    problem(opens(proxy, key("alice")), 429, "too-many-streams")
    assert opens(proxy, key("bob")).status == 200
    problem(opens(proxy, key("bob")), 429, "too-many-streams")

    file.write_text(f"sha256:{hashlib.sha256(b'bob').hexdigest()} gold\n")
    assert proxy.reload(served) == "reloaded generation=2"
    assert opens(proxy, key("bob")).status == 200
    problem(opens(proxy, key("bob")), 429, "too-many-streams")
    assert all(address.state() for address in alices), "open streams stay"
    alices[0].cancel()
    eventually(alices[0].is_gone, "the end of one of alice's streams")
    problem(opens(proxy, key("alice")), 429, "too-many-streams")

    file.write_text("alice gold\nbob\n")
    refused = proxy.reload(served)
    assert refused.startswith("not reloaded") and f"{file}:2:1: " in refused and "bob" not in refused
    alices[1].cancel()
    eventually(alices[1].is_gone, "the end of alice's other stream")
    assert opens(proxy, key("alice")).status == 200
    problem(opens(proxy, key("alice")), 429, "too-many-streams")

    with urllib.request.urlopen(proxy.admin + "/v1/admin/state", timeout=60) as answer:
        tiers = [stream.get("tier") for stream in json.load(answer)["slowest"]]
    # Bob's first stream began before he had a tier.
    assert sorted(tiers, key=str) == [None, None, "gold"]


@pytest.mark.parametrize("content, errors", [
    ("a gold\na gold\nb\n", ["2:1: the client is named in a line above", "3:1: the line is one word"]),
    ("sha256:12 gold\n", ["1:1: the hash is malformed"]),
    (b"\xff gold\n", ["the file is not UTF-8"]),
    (None, ["the file does not exist"]),
    ("pipe", ["this is not a regular file"]),
])
def test_check_reads_the_file(tmp_path, content, errors):
    file = tmp_path / "tiers"
    if content == "pipe":
        os.mkfifo(file)
    elif content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    text = "routes:\n" + route("http://127.0.0.1:9000", **STREAMS, client_tier="{ file: tiers }")
    done = command("check", "-", cwd=tmp_path, input=text)
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and len(lines) == len(errors)
    for line, error in zip(lines, errors):
        assert line.startswith("tiers:" if error[0].isdigit() else "standard input:") and error in line
    report = json.loads(command("check", "--json", "-", cwd=tmp_path, input=text).stdout)
    assert [problem.get("file") for problem in report["problems"]] == \
        ["tiers" if error[0].isdigit() else None for error in errors]


def test_check_warns_of_a_tier_that_the_route_does_not_have(tmp_path):
    (tmp_path / "tiers").write_text("a gold\nb tin\n")
    text = "routes:\n" + route("http://127.0.0.1:9000", **STREAMS, client_tier="{ file: tiers }")
    done = command("check", "-", cwd=tmp_path, input=text)
    assert done.returncode == 0 and done.stderr.startswith("tiers:2:1: warning: ") and "`tin`" in done.stderr
