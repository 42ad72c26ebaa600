"""The access log: one JSON object when a request ends; or, where asked, a line of the combined format."""
import datetime
import json
import os
import re
import subprocess

import pytest

from harness.scripted_origin import STREAM_HEAD, answers, chunk, record
from harness.waiting import eventually
from harness.weir import command, route


def test_a_stream_is_logged_in_full(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, match="/v1/orders", rate="{ default: 50/second }", buffer="{ default: 5 }"))
    response = client(proxy).get("/v1/orders/stream?items=50", "X-Api-Key: sesame", "Authorization: Bearer sesame")
    body = response.read()
    line = proxy.logged(event="end")
    assert line["id"] == response.head["X-Stream-Id"]
    assert line["client"].startswith("127.0.0.1")
    expected = {
        "route": "/v1/orders", "method": "GET", "status": 200, "rate": "50/second", "buffer": 5, "records": 50,
        "bytes": len(body), "reason": "completed",
    }
    assert expected.items() <= line.items()
    assert line["path"].startswith("/v1/orders/stream")
    assert line["upstream"].removeprefix("http://") == fastapi_app.url.removeprefix("http://")
    assert line["duration"] > 0.95
    assert abs(line["records_per_second"] - 50 / line["duration"]) < 1
    assert 1 <= line["buffer_peak"] <= 5
    assert line["pauses"] >= 1  # 50 records do not fit into a queue of 5
    assert 0 < line["paused"] < line["duration"] + 0.1
    assert "problem" not in line or line["problem"] is None
    written = datetime.datetime.fromisoformat(line["time"])
    assert abs(datetime.datetime.now(datetime.timezone.utc) - written) < datetime.timedelta(seconds=30)
    assert "sesame" not in proxy.access_log.read_text() + proxy.said()


def test_a_refusal_names_its_problem(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, match="/v1"))
    client(proxy).get("/v1/orders/stream", "X-Stream-Buffer-Size: 0").read()
    line = proxy.logged(reason="refused", status=400)
    assert line["problem"].endswith("invalid-request")
    assert line["route"] == "/v1"
    client(proxy).get("/elsewhere").read()
    assert proxy.logged(reason="refused", status=404)["problem"].endswith("not-found")


def test_each_request_of_a_connection_is_logged_once(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url))
    connection = client(proxy)
    for number in range(20):
        connection.get(f"/v1/orders/{number}").read()
    proxy.logged(path="/v1/orders/19")
    ends = [line for line in proxy.lines() if line["event"] == "end"]
    assert [line["path"] for line in ends] == [f"/v1/orders/{number}" for number in range(20)]
    assert len({line["id"] for line in ends}) == 20


def test_a_response_that_is_no_stream_has_bytes_and_no_terms(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url))
    client(proxy).get("/v1/large?size=1000").read()
    line = proxy.logged(event="end")
    assert (line["status"], line["bytes"], line["reason"]) == (200, 1000, "completed")
    assert not line.get("rate") and not line.get("records")


def test_what_a_client_writes_cannot_break_the_line(weir, origin, client):
    proxy = weir(route(origin(answers(STREAM_HEAD + chunk(record(1)) + b"0\r\n\r\n")).url))
    client(proxy).get('/%22%0a"quoted"\\back?x="', 'User-Agent: "}\\').read()
    assert proxy.logged(event="end")["status"] in (200, 400)
    assert len(proxy.access_log.read_text().splitlines()) == 1


def test_standard_output_is_the_default(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url), access_log='{ path: "-", format: json }')
    client(proxy).get("/v1/orders/1").read()
    proxy.access_log = proxy.folder / "stdout"
    assert proxy.logged(event="end")["status"] == 200


def test_it_can_be_switched_off(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url), access_log="off")
    client(proxy).get("/v1/orders/1").read()
    proxy.stop()
    assert not proxy.access_log.exists()
    assert not re.search(r'"event"', (proxy.folder / "stdout").read_text())


# What readers of nginx's logs take: every field in its place, and nothing but printable ASCII.
COMBINED = re.compile(
    r'(?P<client>[0-9a-f.:]+) - - \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] '
    r'"(?P<request>(?:[ !#-\[\]-~]|\\x[0-9A-F]{2})*)" (?P<status>\d{3}|-) (?P<bytes>\d+) '
    r'"(?P<referer>(?:[ !#-\[\]-~]|\\x[0-9A-F]{2})*)" "(?P<agent>(?:[ !#-\[\]-~]|\\x[0-9A-F]{2})*)"')

# Bytes that end a line, a string or a terminal's patience, somewhere.
NASTY = [bytes([byte]) for byte in (0x01, 0x08, 0x09, 0x0B, 0x0C, 0x1B, 0x22, 0x27, 0x5C, 0x7F, 0x80, 0xC3, 0xFF)] + [
    "\u0085".encode(), "\u2028".encode(), "\u2029".encode(), "\u202e".encode(), b"\xed\xa0\x80", b"\xf0\x9f", b'" 200 1 "-"',
    b'","event":"end', b"\\x22", b"%0a%22",
]
PLACES = [
    b"GET /a%b/z HTTP/1.1\r\nHost: o\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: o\r\nReferer: http://a%b/\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: o\r\nUser-Agent: a%bz\r\n\r\n",
]
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def send_all_nasty(proxy, client):
    """Each of the nasty bytes in each place, on a connection of its own; returns how many lines that makes."""
    for place in PLACES:
        for nasty in NASTY:
            connection = client(proxy)
            connection.send(place % nasty)
            assert connection.response().status in (200, 400)
            connection.close()
    return len(PLACES) * len(NASTY)


def printable(text):
    return all(character.isprintable() for character in text)


def test_nothing_that_a_client_sends_forges_a_json_line(weir, origin, client):
    proxy = weir(route(origin(answers(PLAIN)).url))
    sent = send_all_nasty(proxy, client)
    eventually(lambda: len(proxy.lines()) == sent, f"{sent} lines")
    # str.splitlines() splits at every character that any reader takes for the end of a line.
    lines = proxy.access_log.read_text().splitlines()
    assert len(lines) == sent
    assert all(printable(line) for line in lines)
    assert all(line["event"] == "end" and line["status"] in (200, 400) for line in proxy.lines())


def test_nothing_that_a_client_sends_forges_a_combined_line(weir, origin, client, tmp_path):
    log = tmp_path / "combined.log"
    proxy = weir(route(origin(answers(PLAIN)).url), access_log=f"{{ path: {log}, format: combined }}")
    sent = send_all_nasty(proxy, client)
    eventually(lambda: log.exists() and log.read_bytes().count(b"\n") == sent, f"{sent} lines")
    lines = log.read_bytes().decode("ascii").splitlines()
    assert len(lines) == sent
    unread = [line for line in lines if not COMBINED.fullmatch(line)]
    assert not unread


def test_combined_has_the_referer_and_the_user_agent(weir, origin, client, tmp_path):
    log = tmp_path / "combined.log"
    records = b"".join(chunk(record(number)) for number in range(3))
    proxy = weir(route(origin(answers(STREAM_HEAD + records + b"0\r\n\r\n")).url),
                 access_log=f"{{ path: {log}, format: combined }}")
    body = client(proxy).get("/orders?x=1", "Referer: https://shop.example/a", "User-Agent: " + "c" * 5000,
                             "Cookie: sesame").read()
    eventually(lambda: log.exists() and log.read_text().endswith("\n"), "a line")
    line = COMBINED.fullmatch(log.read_text().rstrip("\n"))
    assert line["request"] == "GET /orders HTTP/1.1"
    assert (line["status"], line["bytes"]) == ("200", str(len(body)))
    assert line["referer"] == "https://shop.example/a"
    assert line["agent"] == "c" * 1024
    assert "sesame" not in log.read_text()


def test_goaccess_reads_every_combined_line(weir, origin, client, tmp_path):
    log, report = tmp_path / "combined.log", tmp_path / "report.json"
    proxy = weir(route(origin(answers(PLAIN)).url), access_log=f"{{ path: {log}, format: combined }}")
    connection = client(proxy)
    for path in ["/a", "/b?c=d", "/a"]:
        assert connection.get(path, "Referer: https://shop.example/", 'User-Agent: Mozilla/5.0 (X "11"; Linux)').status == 200
    eventually(lambda: log.exists() and log.read_bytes().count(b"\n") == 3, "three lines")
    subprocess.run(["goaccess", log, "--no-global-config", "--log-format=COMBINED", "--ignore-crawlers", "-o", report],
                   check=True, capture_output=True, timeout=60)
    result = json.loads(report.read_text())
    assert {name: result["general"][f"{name}_requests"] for name in ("total", "valid", "failed")} == {
        "total": 3, "valid": 3, "failed": 0}
    assert {row["data"]: row["hits"]["count"] for row in result["requests"]["data"]} == {"/a": 2, "/b": 1}


def test_the_start_is_logged_if_configured(weir, origin, client):
    def holds(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(record(1)))
        peer.wait_gone()

    proxy = weir(route(origin(holds).url))
    unwanted = client(proxy)
    unwanted.get("/a")
    unwanted.close()
    proxy.logged(event="end")
    assert [line["event"] for line in proxy.lines()] == ["end"]
    path = proxy.folder / "started.log"
    proxy = weir(route(origin(holds).url), access_log=f"{{ path: {path}, start: true }}")
    proxy.access_log = path
    response = client(proxy).get("/a")
    line = proxy.logged(event="start", path="/a", method="GET")
    assert line["id"] == response.head["X-Stream-Id"]
    assert "status" not in line and "reason" not in line


def test_running_streams_are_logged_at_an_interval(weir, origin, client):
    def holds(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(record(1)))
        peer.wait_gone()

    proxy = weir(route(origin(holds).url), access_log="{ path: progress.log, every: 1s }")
    proxy.access_log = proxy.folder / "progress.log"
    responses = [client(proxy).get(f"/{number}") for number in range(5)]
    ids = {response.head["X-Stream-Id"] for response in responses}

    def told_twice():
        reported = [line["id"] for line in proxy.lines() if line["event"] == "progress"]
        return all(reported.count(known) >= 2 for known in ids)

    eventually(told_twice, "two lines for each stream")
    line = proxy.logged(event="progress", records=1, status=200)
    assert line["duration"] >= 1 and "reason" not in line
    for response in responses:
        response.client.close()
    eventually(lambda: len([line for line in proxy.lines() if line["event"] == "end"]) == 5, "five ends")


def test_a_log_that_is_not_read_delays_no_request(weir, origin, client, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        proxy = weir(route(origin(answers(PLAIN)).url), access_log=f"{{ path: {fifo} }}")
        connection = client(proxy)
        path = "/" + "x" * 4000
        for _ in range(40):  # more than twice what a pipe holds
            assert connection.get(path).read() == b"ok"
        assert len(os.read(reader, 1000)) == 1000  # it was written to, as far as it took
    finally:
        os.close(reader)  # lets go of what waits to be written


@pytest.mark.parametrize("top", ['{ path: "%s" }', '{ path: "%s", format: combined }'])
def test_a_pipe_without_a_reader_is_reported_at_the_start(tmp_path, top):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    config = tmp_path / "proxy.conf"
    config.write_text(f"listen: 127.0.0.1:0\nadmin: off\naccess_log: {top % fifo}\n"
                      "routes:\n" + route("http://127.0.0.1:9"))
    done = command("run", "-c", str(config))
    assert done.returncode == 1
    assert "cannot start" in done.stderr
