"""The access log: one JSON object when a request ends."""
import datetime
import re

from harness.scripted_origin import STREAM_HEAD, answers, chunk, record
from harness.weir import route


def test_a_stream_is_told_in_full(weir, fastapi_app, client):
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
    assert 0.95 < line["duration"] < 2
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


def test_each_request_of_a_connection_is_told_once(weir, fastapi_app, client):
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
