"""What is shared has a ceiling: the records of one client, the streams and the buffers of the whole proxy."""
import threading

import pytest

from harness.problems import problem
from harness.addresses import LOOPS, connect, endless, feedback, numbers, state
from harness.metrics import Metrics
from harness.scripted_origin import STREAM_HEAD, chunk, record
from harness.waiting import eventually
from harness.weir import route

MINE, THEIRS = "X-Api-Key: mine", "X-Api-Key: theirs"
UPSTREAM = {"upstream_receive_buffer": "64KiB", "client_key": "{ header: X-Api-Key }"}
GRANTED = "X-Stream-Buffer-Size"
# Streams that hold some 400 KB each: two of them are over 80 % of the ceiling, three are over it.
HOLDING = {**UPSTREAM, "buffer": "{ default: 1000, max: 1000, max_bytes: 400KiB }", "rate": "{ default: 1/hour }"}
CEILING = {"limits": "{ max_buffer_bytes: 1MiB }", "shutdown_grace": "0s"}
SIZE = 2000


# MARK: The records of one client


class Reader:
    """Reads a stream in a thread of its own and notes when each record came."""

    def __init__(self, response):
        self.response, self.came, self.fault = response, [], None
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for expected, each in enumerate(self.response.records(), 1):
                assert each.number == expected
                self.came.append(each.at)
        except (OSError, ValueError) as fault:  # the test has closed it
            self.fault = fault


@pytest.mark.parametrize("where", [["same"], ["other"], ["same", "other", "other"]],
                         ids=["two on a loop", "two on two loops", "four on two loops"])
def test_the_streams_of_one_client_share_its_records_fairly(weir, origin, client, where):
    rate, gate = 400, threading.Event()
    proxy = weir(route(origin(endless(gate=gate)).url, streams=f"{{ client_records: {rate}/second }}", **UPSTREAM), workers=2,
                 shutdown_grace="0s")
    first = client(proxy)
    connections = [first, *(connect(client, proxy, each, beside=first) for each in where)]
    responses = [connection.get("/orders", MINE) for connection in connections]
    assert [response.status for response in responses] == [200] * len(responses)
    gate.set()
    readers = [Reader(response) for response in responses]
    talking, ids = client(proxy), [response.head["X-Stream-Id"] for response in responses]

    def sent(beyond):
        """What weir has sent of each stream, once that is more than this number of records together."""
        states = [state(talking, each) for each in ids]
        return states if sum(each["records"] for each in states) > beyond else None

    # What one second brings is the burst; the shares count after it.
    before = eventually(lambda: sent(1.5 * rate), "the burst sent")
    after = eventually(lambda: sent(6 * rate), "as much as a few seconds bring")
    assert sum(each["records"] for each in after) <= rate * (1 + max(each["duration"] for each in after)) * 1.05
    # Each state is of another moment, and a loop that had to wait for the machine got less.
    rates = [(each["records"] - earlier["records"]) / (each["duration"] - earlier["duration"]) for earlier, each in zip(before, after)]
    assert min(rates) > 0.5 * max(rates), rates
    assert not any(isinstance(reader.fault, AssertionError) for reader in readers)


def test_a_client_whose_records_are_spent_gets_no_new_stream(weir, origin, client):
    proxy = weir(route(origin(endless()).url, streams="{ client_records: 100/second }", **UPSTREAM), workers=2,
                 shutdown_grace="0s")
    running = client(proxy)
    reader = Reader(running.get("/orders", MINE))
    eventually(lambda: len(reader.came) > 120, "the burst spent")
    for _ in range(6):
        refusal = problem(client(proxy).get("/orders", MINE), 429, "rate-limit")
        assert refusal["retryAfter"] == 1 and "100/second" in refusal["detail"]
    theirs = client(proxy).get("/orders", THEIRS)
    assert theirs.status == 200
    assert numbers(theirs.records(), 50) == list(range(1, 51))
    feedback(client(proxy), running_id(reader), pause=True)
    eventually(lambda: client(proxy).get("/orders", MINE).status == 200, "admitted, now that there are records left")


def test_a_quota_is_sent_at_any_pace_and_then_no_more_until_its_window_ends(weir, origin, client):
    quota = "{ client_records: { quota: { records: 40, per: hour } } }"
    proxy = weir(route(origin(endless()).url, streams=quota, **UPSTREAM), workers=2, shutdown_grace="0s")
    reader = Reader(client(proxy).get("/orders", MINE))
    policy, state_of = (reader.response.head[name].replace(" ", "") for name in ["RateLimit-Policy", "RateLimit"])
    assert '"client-quota";q=40;w=3600;qu="records"' in policy
    assert '"client-quota";r=40;t=0' in state_of
    eventually(lambda: len(reader.came) == 40, "the quota sent")
    for _ in range(3):
        refusal = problem(client(proxy).get("/orders", MINE), 429, "rate-limit")
        assert 0 < refusal["retryAfter"] <= 3600 and "40/hour" in refusal["detail"]
    theirs = client(proxy).get("/orders", THEIRS)
    assert numbers(theirs.records(), 40) == list(range(1, 41))
    assert state(client(proxy), running_id(reader))["records"] == len(reader.came) == 40


def running_id(reader):
    return reader.response.head["X-Stream-Id"]


# MARK: All streams


@pytest.mark.parametrize("workers", [1, 2])
def test_streams_are_limited_and_each_slot_is_released(weir, origin, client, workers):
    proxy = weir(route(origin(endless()).url, **UPSTREAM), workers=workers, limits="{ max_streams: 4 }",
                 shutdown_grace="0s")

    def fill():
        """Opens streams until all are refused, on each loop."""
        opened, refused = [], 0
        while refused < 12:
            response = client(proxy).get("/orders")
            if response.status == 200:
                opened.append(response)
            else:
                assert problem(response, 503, "unavailable")["retryAfter"] == 1
                refused += 1
        return opened

    for _ in range(3):
        before = len([line for line in proxy.lines() if line["reason"] == "client_gone"])
        opened = fill()
        assert len(opened) == 4
        for response in opened:
            response.client.close()
        eventually(lambda: len([line for line in proxy.lines() if line["reason"] == "client_gone"]) == before + 4,
                   "their ends logged")
    assert proxy.logged(reason="refused")["problem"] == "unavailable"


def test_in_a_dry_run_the_ceiling_of_streams_only_reports(weir, origin, client):
    proxy = weir(route(origin(endless()).url, **UPSTREAM), workers=1, limits="{ max_streams: 1, dry_run: true }",
                 shutdown_grace="0s")
    responses = [client(proxy).get("/orders") for _ in range(3)]
    assert [response.status for response in responses] == [200] * 3
    for response in responses:
        response.client.close()
    lines = eventually(lambda: len(proxy.lines()) == 3 and proxy.lines(), "their ends logged")
    trials = {line["id"]: line.get("dry_run") for line in lines}
    assert [trials[response.head["X-Stream-Id"]] for response in responses] == [None, "unavailable", "unavailable"]


@pytest.mark.parametrize("limits, kind", [
    ("per_client: 1", "too-many-streams"), ("per_route: 1", "too-many-streams"),
    ("starts: 1/hour, starts_burst: 1", "rate-limit"), ("client_records: 1/hour", "rate-limit")])
def test_in_a_dry_run_the_limits_of_a_route_only_report(weir, origin, client, limits, kind):
    proxy = weir(route(origin(endless()).url, streams=f"{{ {limits}, dry_run: true }}", **UPSTREAM), workers=2,
                 shutdown_grace="0s")
    first = client(proxy).get("/orders", MINE)
    assert numbers(first.records(), 3) == [1, 2, 3]
    second = client(proxy).get("/orders", MINE)
    assert (first.status, second.status) == (200, 200)
    for response in [first, second]:
        response.client.close()
    assert proxy.logged(id=second.head["X-Stream-Id"])["dry_run"] == kind
    slowed = limits.startswith("client_records")  # which slows those that run, too
    assert proxy.logged(id=first.head["X-Stream-Id"]).get("dry_run") == (kind if slowed else None)


# MARK: All buffers


@pytest.fixture
def holding(weir, origin, client):
    """A weir of two loops under a ceiling of 1 MiB, and streams that hold what their buffers take, once the gate, if any, is open."""
    def run(gate=None, **top):
        proxy = weir(route(origin(endless(SIZE, gate), send_buffer=16 << 10).url, **HOLDING), workers=2,
                     **{**CEILING, **top})

        def hold(*fields, on=None):
            """One more stream, whose queue has been filled as far as its grant goes."""
            response = (on or client(proxy)).get("/orders", MINE, *fields)
            assert response.status == 200, response.read()
            wanted = min(int(response.head[GRANTED]), (400 << 10) // SIZE)
            talking = client(proxy)
            eventually(lambda: state(talking, response.head["X-Stream-Id"])["queued"] >= 0.6 * wanted, "a filled queue")
            return response
        return proxy, hold
    return run


def granted(response):
    assert response.status == 200, response.read()
    return int(response.head[GRANTED])


@pytest.mark.parametrize("where", LOOPS)
def test_near_the_ceiling_new_streams_get_less_and_afterwards_all_again(holding, client, where):
    proxy, hold = holding()
    first = client(proxy)
    held = [hold(on=first), hold(on=connect(client, proxy, where, beside=first))]
    assert [granted(response) for response in held] == [1000, 1000]
    # 800 KiB is a little below four fifths of the ceiling; a third stream takes it above.
    held.append(hold("X-Stream-Buffer-Size: 60"))
    assert granted(held[-1]) == 60
    talking = client(proxy)
    eventually(lambda: sum(state(talking, each.head["X-Stream-Id"])["queued"] for each in held) * SIZE > 0.82 * (1 << 20),
               "more than four fifths of the ceiling held")
    for _ in range(4):
        response = client(proxy).get("/orders", MINE, "X-Stream-Buffer-Size: 20")
        assert 1 <= granted(response) < 20
        response.client.close()
    for response in held:
        response.client.close()
    eventually(lambda: grants_all(client(proxy)), "all again")
    assert {line["reason"] for line in proxy.lines() if "records" in line} == {"client_gone"}


def test_over_the_ceiling_those_that_hold_most_end_first(holding, client):
    gate = threading.Event()
    proxy, _ = holding(gate)
    small = client(proxy).get("/orders", MINE, "X-Stream-Buffer-Size: 20")
    # Each of them gets all that it requests, because none has filled its queue.
    large = [client(proxy).get("/orders", MINE) for _ in range(6)]
    assert [granted(response) for response in [small, *large]] == [20, *[1000] * 6]
    gate.set()
    eventually(lambda: any(line["reason"] == "cancelled" for line in proxy.lines()), "a stream ended")
    ended = [line for line in proxy.lines() if line["reason"] == "cancelled"]
    assert {line["problem"] for line in ended} == {"unavailable"}
    assert small.head["X-Stream-Id"] not in {line["id"] for line in ended}
    for response in large:
        if response.head["X-Stream-Id"] in {line["id"] for line in ended}:
            response.read()
            assert response.complete is False
    talking = client(proxy)
    eventually(lambda: state(talking, small.head["X-Stream-Id"])["queued"] >= 10, "the queue of the smallest filled")
    for response in [small, *large]:
        response.client.close()
    eventually(lambda: grants_all(client(proxy)), "all again")


def grants_all(connection):
    """Whether a new stream gets all that it requests; it ends at once, and holds nothing while this is asked again."""
    response = connection.get("/orders", MINE)
    connection.close()
    return response.status == 200 and int(response.head[GRANTED]) == 1000


def test_at_the_ceiling_new_streams_are_refused(weir, origin, client):
    # One record, larger than its queue, passes alone: so a stream can hold more than it was granted.
    upstream = origin(endless(1200 << 10))
    proxy = weir(route(upstream.url, client_key="{ header: X-Api-Key }", rate="{ default: 1/hour }",
                       buffer="{ default: 10, max_bytes: 1MiB, max_record_bytes: 2MiB }"), workers=2,
                 limits="{ max_buffer_bytes: 1MiB, dry_run: false }", shutdown_grace="0s")
    seen = set()
    for _ in range(40):
        response = client(proxy).get("/orders", MINE)
        seen.add(response.status)
        if response.status == 503:
            assert problem(response, 503, "unavailable")["retryAfter"] == 1
            break
    assert 503 in seen


def test_in_a_dry_run_the_ceiling_of_buffers_only_reports(holding, client):
    proxy, hold = holding(limits="{ max_buffer_bytes: 1MiB, dry_run: true }")
    held = [hold() for _ in range(5)]
    assert [granted(response) for response in held] == [1000] * 5
    eventually(lambda: "limits.max_buffer_bytes is exceeded" in proxy.said(), "the excess logged")
    for response in held:
        assert state(client(proxy), response.head["X-Stream-Id"])["state"] == "streaming"
        response.client.close()
    eventually(lambda: len([line for line in proxy.lines() if "records" in line]) == 5, "their ends logged")
    assert proxy.logged(id=held[-1].head["X-Stream-Id"])["dry_run"] == "unavailable"


@pytest.mark.parametrize("overflow, window, waves", [
    ("pause", "1s", 3), ("latest", "1s", 3), ("pause", "off", 5), ("drop_oldest", "off", 5), ("disconnect", "off", 60)])
def test_buffered_bytes_are_released_however_streams_end(weir, origin, client, overflow, window, waves):
    proxy = weir(route(origin(endless(16 << 10), send_buffer=64 << 10).url, client_key="{ header: X-Api-Key }",
                       breaker="off", overflow=overflow, stall_timeout="200ms", resume_window=window,
                       buffer="{ default: 1000, max: 1000, max_bytes: 180KiB }"), workers=2, **CEILING)
    for wave in range(1, waves + 1):
        connections = [client(proxy, receive_buffer=4096) for _ in range(4)]
        for connection in connections:
            connection.ask("/orders", MINE)
        for connection in connections[:2]:
            assert granted(connection.response()) == 1000
            connection.close()  # the others stall
        eventually(lambda: len(proxy.lines()) == 4 * wave, "their ends logged")
    # Together more than the ceiling: had each kept some of it, less would be granted, or nothing.
    eventually(lambda: grants_all(client(proxy)), "all granted")


def test_a_record_that_its_client_has_not_taken_counts_as_held(weir, origin, client):
    size = 6 << 20

    def script(peer):
        peer.read_head()
        peer.send(STREAM_HEAD + chunk(record(1, size)))
        peer.wait_gone()

    proxy = weir(route(origin(script).url, stall_timeout="off", buffer="{ max_record_bytes: 8MiB }"))
    slow = client(proxy, receive_buffer=4096)
    slow.ask("/")
    eventually(lambda: Metrics(proxy).total("weir_records_total") == 1, "the record handed over")
    eventually(lambda: size / 2 < Metrics(proxy).total("weir_buffer_bytes") <= size, "what is left of it counted")
    slow.close()
    eventually(lambda: Metrics(proxy).total("weir_buffer_bytes") == 0, "all given back")


def test_clients_that_are_refused_together_get_different_times(weir, origin, client):
    """Each gets the time at which the allowance admits it, if all return when they may; half a minute lies between two."""
    proxy = weir(route(origin(endless()).url, streams="{ starts: 2/minute, starts_burst: 4 }"), shutdown_grace="0s")
    for _ in range(4):
        assert client(proxy).get("/orders").status == 200
    asking = client(proxy)
    times = [problem(asking.get("/orders"), 429, "rate-limit")["retryAfter"] for _ in range(30)]
    assert len(set(times)) == 30 and times == sorted(times)
    assert times[-1] > 28 * 30
