"""The metrics: true to what origins sent and clients got, in a form that Prometheus takes."""
import datetime
import os
import re
import subprocess
import threading

import pytest

from harness.addresses import endless
from harness.certificates import Authority, yaml
from harness.metrics import OPEN_METRICS, Metrics, samples, scrape
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD, chunk, record
from harness.waiting import eventually
from harness.weir import REPOSITORY, route

CONTRACT = {
    "weir_active_streams", "weir_streams_total", "weir_stream_duration_seconds", "weir_records_total", "weir_bytes_total",
    "weir_records_failed_total", "weir_client_disconnects_total", "weir_buffer_records", "weir_buffer_records_capacity",
    "weir_buffer_bytes", "weir_buffer_bytes_capacity", "weir_upstream_pauses_total", "weir_upstream_paused_seconds_total",
    "weir_breaker_state", "weir_breaker_trips_total", "weir_refusals_total", "weir_upstream_connections",
    "weir_event_loop_lag_seconds",
}
GAUGES = ("weir_active_streams", "weir_buffer_records", "weir_buffer_bytes", "weir_buffer_records_capacity",
          "weir_buffer_bytes_capacity")


def sends(count, size=0, then=lambda peer: peer.send(LAST_CHUNK)):
    """A script: answers each request with this number of records."""
    def script(peer):
        while peer.read_head():
            peer.send(STREAM_HEAD)
            peer.send_records(size=size, count=count)
            then(peer)
    return script


def at_rest(proxy):
    """The metrics once nothing runs and nothing is held any more."""
    def found():
        metrics = Metrics(proxy)
        return metrics if holds_nothing(metrics) else None
    return eventually(found, "metrics without a stream, its bytes and its connection")


def holds_nothing(metrics):
    return (all(metrics.total(gauge) == 0 for gauge in GAUGES)
            and metrics.total("weir_upstream_connections", state="active") == 0)


def test_promtool_reports_nothing(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, match="/v1"), route(fastapi_app.url))
    client(proxy).get("/v1/orders/stream?items=3").read()
    text, kind = scrape(proxy)
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_open_metrics_are_sent_if_they_are_accepted(weir, fastapi_app):
    proxy = weir(route(fastapi_app.url))
    text, kind = scrape(proxy, OPEN_METRICS + ",text/plain;q=0.5")
    assert kind == f"{OPEN_METRICS}; charset=utf-8"
    assert text.endswith("\n# EOF\n")
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert not [name for name in types if name.endswith("_total")]
    for name, unit in re.findall(r"^# UNIT (\S+) (\S+)$", text, re.MULTILINE):
        assert name.endswith("_" + unit) and name in types
    older, _ = scrape(proxy)
    assert {name for name, _, _ in samples(text.removesuffix("# EOF\n"))} == {name for name, _, _ in samples(older)}


def test_the_page_documents_every_metric(weir, fastapi_app, tmp_path):
    proxy = weir(route(fastapi_app.url, health_check="{ path: / }", streams="{ per_client: 9, scope: replicas }"),
                 replicas="{ redis: 'redis://127.0.0.1:1' }", otlp="{ endpoint: 'http://127.0.0.1:1' }",
                 tls=yaml(**Authority(tmp_path).serve()))
    text, _ = scrape(proxy)
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels = {name: set() for name in types}
    for name, has, _ in samples(text):
        labels[re.sub("_(bucket|sum|count)$", "", name)] |= has.keys() - {"le"}
    page = (REPOSITORY / "docs" / "METRICS.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| \S", page, re.MULTILINE)
    documented = {name: (kind, set(re.findall(r"`(\w+)`", has))) for name, kind, has in rows}
    assert documented == {name: (types[name], labels[name]) for name in types}
    assert CONTRACT <= documented.keys()


@pytest.mark.parametrize("workers", [1, 2])
def test_completed_streams_are_counted_as_origin_client_and_log_count_them(weir, origin, client, workers):
    proxy = weir(route(origin(sends(20, size=100)).url, match="/a"), workers=workers)
    bodies = [client(proxy).get("/a").read() for _ in range(12)]
    proxy_lines = eventually(lambda: len(proxy.lines()) == 12 and proxy.lines(), "twelve lines")
    metrics = at_rest(proxy)
    records = sum(body.count(b"\n") for body in bodies)
    assert records == 240
    assert metrics.total("weir_records_total", route="/a") == records == sum(line["records"] for line in proxy_lines)
    size = sum(map(len, bodies))
    assert metrics.total("weir_bytes_total", route="/a") == size == sum(line["bytes"] for line in proxy_lines)
    assert metrics.total("weir_streams_total", outcome="completed") == 12 == metrics.total("weir_streams_total")
    assert metrics.total("weir_stream_duration_seconds_count") == 12
    assert metrics.total("weir_refusals_total") == metrics.total("weir_client_disconnects_total") == 0


def test_streams_and_plain_requests_are_reported_apart(weir, origin, client):
    """Their durations, the time to the first record or byte, and how late records of a pace were."""
    def script(peer):
        while head := peer.read_head():
            if head.split()[1].startswith(b"/stream"):
                peer.send(STREAM_HEAD)
                peer.send_records(count=20)
                peer.send(LAST_CHUNK)
            else:
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    upstream = origin(script).url
    proxy = weir(route(upstream, match="/stream/paced", rate="{ default: 200/second }"), route(upstream, match="/stream"),
                 route(upstream, match="/"))
    for _ in range(3):
        assert client(proxy).get("/plain").read() == b"ok"
    for path in ("/stream/paced", "/stream"):
        assert client(proxy).get(path).read().count(b"\n") == 20
    metrics = at_rest(proxy)
    for where, streams, requests in [("/stream/paced", 1, 0), ("/stream", 1, 0), ("/", 0, 3)]:
        assert metrics.total("weir_stream_duration_seconds_count", route=where) == streams
        assert metrics.total("weir_stream_first_record_seconds_count", route=where) == streams
        assert metrics.total("weir_request_duration_seconds_count", route=where) == requests
        assert metrics.total("weir_request_first_byte_seconds_count", route=where) == requests
        if where != "/stream/paced":
            assert metrics.total("weir_record_lateness_seconds_count", route=where) == 0
    # Records that become due while the loop is busy leave together.
    assert 1 <= metrics.total("weir_record_lateness_seconds_count", route="/stream/paced") <= 19
    assert metrics.total("weir_record_lateness_seconds_sum", route="/stream/paced") > 0
    first = metrics.total("weir_stream_first_record_seconds_sum", route="/stream/paced")
    assert 0 < first < metrics.total("weir_stream_duration_seconds_sum", route="/stream/paced")


def test_responses_are_counted_by_their_code_of_weir_and_of_upstreams(weir, origin, client):
    def script(peer):
        while head := peer.read_head():
            peer.send(b"HTTP/1.1 %b Chosen\r\nContent-Length: 0\r\n\r\n" % head.split()[1].rpartition(b"/")[2])
    proxy = weir(route(origin(script).url, match="/a"), route("http://127.0.0.1:1", match="/b"))
    for status in (200, 404, 404, 418, 503, 507, 599):
        assert client(proxy).get(f"/a/{status}").status == status
    assert [client(proxy).get(path).status for path in ("/b", "/elsewhere")] == [502, 404]
    assert client(proxy).get("/v1/health/streaming").status == 200
    metrics = at_rest(proxy)
    counted = {(labels["route"], labels["code"]): value for name, labels, value in metrics.samples
               if name == "weir_responses_total" and value}
    assert counted == {("/a", "200"): 1, ("/a", "404"): 2, ("/a", "4xx"): 1, ("/a", "503"): 1, ("/a", "5xx"): 2,
                       ("/b", "502"): 1, ("", "404"): 1, ("", "200"): 1}


def test_a_running_stream_is_seen_while_it_runs(weir, origin, client):
    proxy = weir(route(origin(sends(1000)).url, rate="{ default: 1/hour, burst: 3 }", buffer="{ default: 50 }"))
    records = client(proxy).get("/").records()
    assert [next(records).number for _ in range(3)] == [1, 2, 3]

    def paused():
        metrics = Metrics(proxy)
        return metrics if metrics.total("weir_upstream_pauses_total", cause="pace") else None
    metrics = eventually(paused, "a pause by the pace")
    assert metrics.total("weir_records_total") == 3
    assert metrics.total("weir_active_streams") == metrics.total("weir_upstream_connections", state="active") == 1
    assert metrics.total("weir_buffer_records") >= 50 == metrics.total("weir_buffer_records_capacity")
    assert 0 < metrics.total("weir_buffer_bytes") < metrics.total("weir_buffer_bytes_capacity")
    assert metrics.total("weir_upstream_pauses_total") == 1
    eventually(lambda: Metrics(proxy).total("weir_upstream_paused_seconds_total")
               > metrics.total("weir_upstream_paused_seconds_total"), "paused time that grows")


def test_undelivered_records_are_counted_by_their_cause(weir, origin, client):
    dropping = origin(sends(500, then=lambda peer: peer.wait_gone()))
    oversized = origin(lambda peer: (peer.read_head(), peer.send(STREAM_HEAD + chunk(record(1)) + chunk(b"x" * 3000)),
                                     peer.wait_gone()))
    proxy = weir(route(dropping.url, match="/drops", rate="{ default: 1/hour, burst: 2 }", buffer="{ default: 5 }",
                       overflow="drop_oldest"),
                 route(oversized.url, match="/long", buffer="{ max_bytes: 64KiB, max_record_bytes: 1KiB }"))
    leaving = client(proxy)
    records = leaving.get("/drops").records()
    assert [next(records).number for _ in range(2)] == [1, 2]
    eventually(lambda: Metrics(proxy).total("weir_records_failed_total", route="/drops", cause="dropped") == 493,
               "all but two sent and five queued dropped, while the stream runs")
    leaving.close()
    client(proxy).get("/long").read()
    metrics = at_rest(proxy)
    assert metrics.total("weir_records_failed_total", route="/drops", cause="dropped") == 493
    assert metrics.total("weir_records_failed_total", route="/drops", cause="undelivered") == 5
    assert metrics.total("weir_client_disconnects_total", route="/drops", cause="gone") == 1
    assert metrics.total("weir_streams_total", route="/drops", outcome="client_gone") == 1
    assert metrics.total("weir_records_failed_total", route="/long", cause="oversized") == 1
    assert metrics.total("weir_streams_total", route="/long", outcome="upstream_failed") == 1


def test_refusals_are_counted_by_their_type_and_the_log_agrees(weir, origin, client):
    proxy = weir(route(origin(sends(1)).url, match="/a", streams="{ starts: 1/hour, starts_burst: 1 }"),
                 route("http://127.0.0.1:1", match="/b"))
    client(proxy).get("/a").read()
    for path, status in [("/a", 429), ("/a", 429), ("/b", 502), ("/elsewhere", 404)]:
        assert client(proxy).get(path).status == status
    assert client(proxy).get("/a", "X-Stream-Buffer-Size: 0").status == 400
    lines = eventually(lambda: len(proxy.lines()) == 6 and proxy.lines(), "six lines")
    metrics = at_rest(proxy)
    for where, kind, count in [("/a", "rate-limit", 2), ("/b", "bad-upstream", 1), ("", "not-found", 1),
                               ("/a", "invalid-request", 1)]:
        assert metrics.total("weir_refusals_total", route=where, type=kind) == count
    assert metrics.total("weir_refusals_total") == 5 == sum("problem" in line for line in lines)
    for reason in {line["reason"] for line in lines}:
        logged = [line for line in lines if line["reason"] == reason and "route" in line]
        assert metrics.total("weir_streams_total", outcome=reason) == len(logged)


def test_breakers_are_counted_by_state_and_trips(weir, client):
    proxy = weir(route("http://127.0.0.1:1", upstream_breaker="{ failures: 2, window: 60s, cooldown: 1h }"))
    assert Metrics(proxy).total("weir_breaker_state", kind="upstream", state="closed") == 1
    assert [client(proxy).get("/").status for _ in range(3)] == [502, 502, 503]
    metrics = Metrics(proxy)
    assert metrics.total("weir_breaker_state", kind="upstream", state="open") == 1
    assert metrics.total("weir_breaker_state", kind="upstream", state="closed") == 0
    assert metrics.total("weir_breaker_trips_total", kind="upstream") == 1


def test_open_connections_of_clients_are_counted_and_not_those_of_operators(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url), workers=2)
    assert Metrics(proxy).total("weir_client_connections") == 0
    silent, asking = client(proxy), client(proxy)
    assert asking.get("/v1/health/streaming").status == 200
    eventually(lambda: Metrics(proxy).total("weir_client_connections") == 2, "both connections")
    silent.close()
    eventually(lambda: Metrics(proxy).total("weir_client_connections") == 1, "the closed one removed")


def test_the_expiry_of_the_certificate_is_reported_and_follows_a_reload(weir, fastapi_app, tmp_path):
    authority = Authority(tmp_path)
    first, second = (datetime.datetime(year, 2, 3, tzinfo=datetime.timezone.utc) for year in (2040, 2041))
    files = authority.serve(not_after=first)
    proxy = weir(route(fastapi_app.url), tls=yaml(**files))

    def expiry():
        return Metrics(proxy).total("weir_certificate_expiry_timestamp_seconds", certificate=str(files["certificate"]))
    assert expiry() == first.timestamp()
    authority.serve(not_after=second)
    assert proxy.reload(route(fastapi_app.url)).startswith("reloaded")
    assert expiry() == second.timestamp()


def test_the_process_reports_its_use_of_the_machine(weir, fastapi_app):
    proxy = weir(route(fastapi_app.url))
    metrics = Metrics(proxy)
    soft = int(re.search(r"Max open files +(\d+)", open(f"/proc/{proxy.pid}/limits").read()).group(1))
    assert metrics.total("process_max_fds") == soft
    # Each scrape has a connection, which is closed some time after it.
    eventually(lambda: abs(Metrics(proxy).total("process_open_fds") - len(os.listdir(f"/proc/{proxy.pid}/fd"))) <= 2,
               "the number of its descriptors")
    assert metrics.total("process_resident_memory_bytes") > 1 << 20
    assert metrics.total("process_virtual_memory_bytes") >= metrics.total("process_resident_memory_bytes")
    before = metrics.total("process_cpu_seconds_total")
    eventually(lambda: Metrics(proxy).total("process_cpu_seconds_total") > before, "processor time that grows")


def test_the_lag_of_every_loop_is_watched(weir, fastapi_app):
    proxy = weir(route(fastapi_app.url), workers=2)
    eventually(lambda: Metrics(proxy).total("weir_event_loop_lag_seconds_count") >= 4, "some looks at the lag")


def test_a_pause_and_a_disconnect_have_the_cause_that_they_had(weir, origin, client):
    more = {path: threading.Event() for path in ("/whole", "/left")}

    def waits(peer):
        path = peer.read_head().split()[1].decode()
        peer.send(STREAM_HEAD + chunk(record(1)))
        more[path].wait(60)
        peer.send_records(first=2, count=500)
        peer.wait_gone()
    proxy = weir(route(origin(waits).url, resume_window="1m"))

    def pauses(cause):
        return Metrics(proxy).total("weir_upstream_pauses_total", cause=cause)
    reading, left = client(proxy), client(proxy)
    stream = reading.get("/whole")
    next(stream.records())
    body = b'{"pause":true}'
    speaking = client(proxy)
    speaking.send(b"POST /v1/streams/%b/feedback HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b"
                  % (stream.head["X-Stream-Id"].encode(), len(body), body))
    assert speaking.response("POST").status == 200
    more["/whole"].set()
    eventually(lambda: pauses("feedback") == 1, "a pause that the client asked for")
    next(left.get("/left").records())
    left.close()
    eventually(lambda: Metrics(proxy).total("weir_client_disconnects_total", cause="resumable") == 1, "a lost connection")
    more["/left"].set()
    eventually(lambda: pauses("detached") == 1, "a pause while no client reads")
    assert pauses("pace") == pauses("client") == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_connections_to_the_upstream_are_active_or_idle_until_they_are_closed(weir, origin, client, workers):
    go_on, over = threading.Event(), threading.Event()

    def script(peer):
        for _ in range(2):
            peer.read_head()
            peer.send(STREAM_HEAD + chunk(record(1)))
            go_on.wait(60)
            peer.send(LAST_CHUNK)
        over.wait(60)
    proxy = weir(route(origin(script).url, match="/a"), route("http://127.0.0.1:1", match="/b"), workers=workers)

    def has(active, idle):
        metrics = Metrics(proxy)
        assert metrics.total("weir_upstream_connections", route="/b") == 0
        return [metrics.total("weir_upstream_connections", state=state) for state in ("active", "idle")] == [active, idle]
    first, second = client(proxy), client(proxy)
    responses = [connection.get("/a") for connection in (first, second)]
    eventually(lambda: has(2, 0), "two active connections")
    go_on.set()
    assert all(response.read() for response in responses)
    eventually(lambda: has(0, 2), "two idle connections")
    go_on.clear()
    again = first.get("/a")  # on the same event loop as before
    eventually(lambda: has(1, 1), "one active and one idle connection")
    go_on.set()
    assert again.read()
    eventually(lambda: has(0, 2), "two idle connections")
    over.set()
    eventually(lambda: has(0, 1), "the closed one removed")


def test_connections_outlive_a_reload(weir, origin, client):
    upstream = origin(sends(1))
    proxy = weir(route(upstream.url))
    assert client(proxy).get("/").read()
    eventually(lambda: Metrics(proxy).total("weir_upstream_connections", state="idle") == 1, "one that waits")
    assert proxy.reload(route(upstream.url, buffer="{ default: 7 }")).startswith("reloaded")
    assert Metrics(proxy).total("weir_upstream_connections", state="idle") == 1
    assert client(proxy).get("/").head["X-Stream-Buffer-Size"] == "7"
    assert len(upstream.peers) == 1


def test_a_connection_that_the_upstream_closes_after_its_answer_is_never_idle(weir, origin, client):
    def script(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        peer.wait_gone()
    proxy = weir(route(origin(script).url))
    for _ in range(3):
        assert client(proxy).get("/").read() == b"ok"
    assert at_rest(proxy).total("weir_upstream_connections") == 0


def test_a_client_that_does_not_read_is_counted_by_its_pause_its_end_and_its_breaker(weir, origin, client):
    proxy = weir(route(origin(endless(2000), send_buffer=16 << 10).url, stall_timeout="1s", upstream_breaker="off",
                       breaker="{ trips: 2, window: 60s, cooldown: 1s, probe_records: 5 }"), workers=2)
    for number in (1, 2):
        client(proxy, receive_buffer=4096).ask("/")
        eventually(lambda: Metrics(proxy).total("weir_upstream_pauses_total", cause="client") >= number, "a pause")
        eventually(lambda: Metrics(proxy).total("weir_client_disconnects_total", cause="slow_consumer") == number,
                   "its end")
    metrics = Metrics(proxy)
    assert metrics.total("weir_streams_total", outcome="slow_consumer") == 2
    assert metrics.total("weir_client_disconnects_total") == 2
    assert metrics.total("weir_upstream_pauses_total") == metrics.total("weir_upstream_pauses_total", cause="client")
    assert metrics.total("weir_breaker_trips_total", kind="client") == 1
    assert metrics.total("weir_breaker_trips_total", kind="upstream") == 0

    def clients(**states):
        metrics = Metrics(proxy)
        return {state: metrics.total("weir_breaker_state", kind="client", state=state)
                for state in ("open", "half-open")} == {"open": 0, "half-open": 0} | states
    eventually(lambda: clients(**{"half-open": 1}), "a breaker that would let a probe through")
    good = client(proxy).get("/").records()
    for _ in range(5):
        next(good)
    eventually(lambda: next(good) and clients(), "a breaker that has closed")
    assert Metrics(proxy).total("weir_refusals_total") == 0


def test_clients_with_an_open_breaker_and_their_refusals_are_counted(weir, origin, client):
    proxy = weir(route(origin(endless(2000), send_buffer=16 << 10).url, stall_timeout="300ms", upstream_breaker="off",
                       client_key="{ header: X-Api-Key }", breaker="{ trips: 1, window: 60s, cooldown: 1h }"), workers=2)
    for number in (1, 2, 3):
        client(proxy, receive_buffer=4096).ask("/", f"X-Api-Key: {number}")
        eventually(lambda: Metrics(proxy).total("weir_breaker_state", kind="client", state="open") == number, "it opens")
    for number in (1, 2, 3, 3):
        assert client(proxy).get("/", f"X-Api-Key: {number}").status == 429
    metrics = Metrics(proxy)
    assert metrics.total("weir_refusals_total", route="/", type="slow-consumer") == 4
    assert metrics.total("weir_breaker_trips_total", kind="client") == 3
    assert metrics.total("weir_breaker_state", kind="client", state="half-open") == 0
