"""The live view: what the admin listener shows operators while streams run."""
import http.client
import json
import urllib.error
import urllib.request
from itertools import islice

import pytest

from harness.addresses import endless
from harness.scripted_origin import LAST_CHUNK, STREAM_HEAD
from harness.waiting import eventually
from harness.weir import route

VIEWERS = 16


def state(proxy):
    with urllib.request.urlopen(proxy.admin + "/v1/admin/state", timeout=60) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        return json.load(answer)


def follow(proxy, query="?interval=500ms"):
    return urllib.request.urlopen(proxy.admin + "/v1/admin/events" + query, timeout=60)


def snapshots(events):
    """The snapshots of an event stream, as they come."""
    while line := events.readline():
        assert line == b"event: state\n"
        name, _, data = events.readline().partition(b" ")
        assert (name, events.readline()) == (b"data:", b"\n")
        yield json.loads(data)


@pytest.fixture
def held(weir, origin, client):
    """A weir with a stream whose client does not read, so that its queue is full."""
    upstream = origin(endless(2000), send_buffer=16 << 10)
    proxy = weir(route(upstream.url, rate="{ default: 1000/second }", buffer="{ default: 50, max: 50 }",
                       stall_timeout="off"), workers=2, shutdown_grace="0s")
    reader = client(proxy, receive_buffer=4096)
    reader.ask("/orders")
    return proxy


def test_the_snapshot_shows_a_stream_without_its_id(held):
    def slow():
        # Its upstream waits until the queue is half empty, which it never is again.
        return next((stream for stream in state(held)["slowest"]
                     if stream["state"] == "slow" and stream["bufferRecords"] > 25), None)
    stream = eventually(slow, "a client that is slow")
    assert (stream["route"], stream["client"], stream["buffer"]) == ("/", "127.0.0.1", 50)
    assert stream["rate"] == "1000/second"
    now = state(held)
    assert now["state"] == "ready" and now["version"] and now["uptime"] > 0
    assert now["totals"]["activeStreams"] == now["routes"][0]["activeStreams"] == 1
    assert now["totals"]["bufferRecords"] > 25 and now["totals"]["bufferBytes"] > 25 * 2000
    assert now["totals"]["bufferCapacityBytes"] > 0
    # The name that is shown does not open the stream's own address.
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{held.url}/v1/streams/{stream['id']}", timeout=60)
    assert refusal.value.code == 404


def look(proxy, handle):
    with urllib.request.urlopen(f"{proxy.admin}/v1/admin/streams/{handle}", timeout=60) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        return json.load(answer)


def test_a_stream_shows_why_its_upstream_is_paused(held):
    stream = eventually(lambda: (state(held)["slowest"] or [None])[0], "a stream")

    def waits():
        seen = look(held, stream["id"])
        return seen if seen["pauses"] and seen["pauses"][-1]["cause"] == "client" else None
    seen = eventually(waits, "a pause because of the client")
    assert (seen["id"], seen["client"], seen["path"]) == (stream["id"], "127.0.0.1", "/orders")
    assert seen["pauseCount"] >= 1 and seen["upstream"].startswith("http://127.0.0.1:")
    last = seen["pauses"][-1]
    assert last["running"] and 0 <= last["start"] and last["start"] + last["seconds"] <= seen["duration"]
    later = eventually(lambda: (lambda now: now if now["pauses"][-1]["seconds"] > last["seconds"] else None)(
        look(held, stream["id"])), "a pause that continues")
    assert later["pauses"][-1]["start"] == last["start"]


def test_a_metered_stream_waits_for_its_pace(weir, origin, client):
    proxy = weir(route(origin(endless(8000)).url, rate="{ default: 100/second }", buffer="{ default: 4, max: 4 }"),
                 shutdown_grace="0s")
    records = client(proxy).get("/orders").records()
    stream = eventually(lambda: (state(proxy)["slowest"] or [None])[0], "a stream")

    def paced():
        next(records)
        seen = look(proxy, stream["id"])
        return seen if seen["pauseCount"] > 3 else None
    seen = eventually(paced, "pauses")
    assert {pause["cause"] for pause in seen["pauses"]} == {"pace"}
    # The logged pauses add up to the counted time, except for gaps of less than a millisecond.
    logged, pauses = sum(pause["seconds"] for pause in seen["pauses"]), seen["pauseCount"]
    assert seen["paused"] - 0.001 <= logged <= seen["paused"] + 0.001 * (pauses + 1)


@pytest.mark.parametrize("handle", ["0000000000000000", "nothing", "", "..%2Fstate", "0" * 32])
def test_what_names_no_open_stream_is_not_found(held, handle):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        look(held, handle)
    assert refusal.value.code == 404
    assert json.load(refusal.value)["type"].endswith("not-found")


def test_an_ended_stream_leaves_the_list_and_is_an_outcome(weir, origin, client):
    def script(peer):
        while peer.read_head():
            peer.send(STREAM_HEAD)
            peer.send_records(count=20)
            peer.send(LAST_CHUNK)
    proxy = weir(route(origin(script).url))
    client(proxy).get("/orders").read()
    now = eventually(lambda: (lambda seen: seen if seen["routes"][0]["outcomes"] else None)(state(proxy)), "an outcome")
    assert now["routes"][0]["outcomes"] == {"completed": 1}
    assert now["slowest"] == [] and now["totals"]["activeStreams"] == 0


def test_an_open_breaker_is_shown_and_its_secret_key_is_not(weir, origin, client):
    upstream = origin(endless(2000), send_buffer=16 << 10)
    proxy = weir(route(upstream.url, stall_timeout="300ms", client_key="{ header: X-Api-Key }",
                       rate="{ default: 1000/second }",
                       breaker="{ trips: 1, window: 60s, cooldown: 60s, probes: 1, probe_records: 20 }"),
                 shutdown_grace="0s")
    client(proxy, receive_buffer=4096).ask("/orders", "X-Api-Key: a-secret")
    breakers = eventually(lambda: state(proxy)["breakers"], "an open breaker")
    assert [(each["kind"], each["route"], each["state"]) for each in breakers] == [("client", "/", "open")]
    assert 0 < breakers[0]["retryAfter"] <= 72
    assert len(breakers[0]["client"]) == 9 and "secret" not in json.dumps(state(proxy))
    assert client(proxy).get("/orders", "X-Api-Key: a-secret").status == 429
    now = eventually(lambda: (lambda seen: seen if seen["totals"]["refusals"] else None)(state(proxy)), "a refusal")
    assert now["routes"][0]["refused"] == {"slow-consumer": 1}


def test_events_continue_and_are_the_same_for_all_viewers(held):
    with follow(held) as one, follow(held) as other:
        assert one.headers["Content-Type"] == "text/event-stream"
        mine, theirs = ((seen["time"] for seen in snapshots(events)) for events in (one, other))
        times = [list(islice(mine, 4)), list(islice(theirs, 4))]
        while not set(times[0]) & set(times[1]):  # the later viewer may be some snapshots behind
            times[0].append(next(mine))
            times[1].append(next(theirs))
            assert len(times[0]) < 100
    for each in times:
        assert each == sorted(each) and len(set(each)) >= 3


def follow_from(proxy, address, **fields):
    """Follows the events from an address of this machine; the answer's head has come."""
    host, _, port = proxy.admin.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60, source_address=(address, 0))
    connection.request("GET", "/v1/admin/events?interval=500ms", headers=fields)
    answer = connection.getresponse()
    if answer.status != 200:
        refusal = json.load(answer)
        assert answer.headers["Retry-After"] == "1" and refusal["retryAfter"] == 1
        connection.close()
    return answer


def test_viewers_are_limited_to_sixteen_and_a_slot_is_released(held):
    viewers = [follow_from(held, f"127.0.0.{1 + number // 8}") for number in range(VIEWERS)]
    for viewer in viewers:
        assert viewer.status == 200
        next(snapshots(viewer))
    assert follow_from(held, "127.0.0.3").status == 503
    viewers.pop().close()
    viewers.append(eventually(lambda: next((seen for seen in [follow_from(held, "127.0.0.3")] if seen.status == 200), None),
                              "a free place"))
    for viewer in viewers:
        viewer.close()


def test_one_address_cannot_take_the_places_of_others(held):
    viewers = [follow_from(held, "127.0.0.1") for _ in range(8)]
    assert {viewer.status for viewer in viewers} == {200}
    assert follow_from(held, "127.0.0.1").status == 429
    other = follow_from(held, "127.0.0.2")
    assert other.status == 200 and next(snapshots(other))["totals"]
    for viewer in [*viewers, other]:
        viewer.close()


@pytest.mark.parametrize("fields", [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"},
    {"Origin": "null"}], ids=str)
def test_a_web_page_of_another_origin_gets_no_place(held, fields):
    for path in ("/v1/admin/events", "/v1/admin/state", "/metrics"):
        asked = urllib.request.Request(held.admin + path, headers=fields)
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(asked, timeout=60)
        assert refusal.value.code == 403
        assert json.load(refusal.value)["type"].endswith("/forbidden")
    with urllib.request.urlopen(urllib.request.Request(held.admin + "/", headers=fields), timeout=60) as page:
        assert page.status == 200


@pytest.mark.parametrize("interval", ["499ms", "61s", "1", "", "off"])
def test_an_interval_that_makes_no_sense_is_refused(held, interval):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        follow(held, f"?interval={interval}")
    assert refusal.value.code == 400
