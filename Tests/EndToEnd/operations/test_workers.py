"""With several workers every event loop takes its share, and what must hold across them does."""
import collections
import os
import re
from pathlib import Path

import pytest

from harness.problems import problem
from harness.waiting import eventually
from harness.weir import route


def sockets_by_epoll(pid, port):
    """For each epoll set of the process, how many established connections on the port it watches."""
    inodes = set()
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if int(columns[1].rpartition(":")[2], 16) == port and columns[3] == "01":
            inodes.add(columns[9])
    links = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            links[fd] = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue  # closed since
    clients = {fd for fd, link in links.items() if link.startswith("socket:[") and link[8:-1] in inodes}
    shares = collections.Counter()
    for fd, link in links.items():
        if link == "anon_inode:[eventpoll]":
            watched = re.findall(r"^tfd:\s*(\d+)", Path(f"/proc/{pid}/fdinfo/{fd}").read_text(), re.MULTILINE)
            shares[fd] += len(clients & set(watched))
    return {fd: share for fd, share in shares.items() if share}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_loop_takes_connections(weir, fastapi_app, client, workers):
    connections = 40
    proxy = weir(route(fastapi_app.url), workers=workers)
    opened = [client(proxy) for _ in range(connections)]
    for number, connection in enumerate(opened):
        assert connection.get(f"/v1/orders/{number}").json()["orderId"] == number
    shares = eventually(lambda: sockets_by_epoll(proxy.pid, proxy.port), "the connections in the epoll sets")
    assert sum(shares.values()) == connections
    assert len(shares) == workers, shares  # by the kernel's hash: all on one of two would be a chance of 2^-39


def test_streams_of_both_loops_are_metered_alike(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, rate="{ default: 20/second }"), workers=2)
    responses = [client(proxy).get("/v1/orders/stream?items=21") for _ in range(16)]
    for response in responses:
        records = list(response.records())
        assert [each.number for each in records] == list(range(1, 22))
    durations = [line["duration"] for line in eventually(
        lambda: len(proxy.lines()) == 16 and proxy.lines(), "every stream's end logged")]
    assert all(duration > 0.95 for duration in durations), durations  # lateness is for the benchmarks


def test_a_clients_limit_holds_across_the_loops(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, rate="{ default: 1/second }", streams="{ per_client: 5 }"), workers=2)
    responses = [client(proxy).get("/v1/orders/stream") for _ in range(30)]
    open_streams = [response for response in responses if response.status == 200]
    assert len(open_streams) == 5
    for response in responses:
        if response.status != 200:
            problem(response, 429, "too-many-streams")
