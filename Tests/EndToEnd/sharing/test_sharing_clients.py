"""Every kind of client of one shared request gets the same bytes, whether they are sent as they were framed or copied."""
import random
import threading

import pytest

from harness.certificates import Authority, yaml
from harness.feed import Feed
from harness.metrics import Metrics
from harness.scripted_origin import record
from harness.waiting import eventually
from harness.weir import route

RECORDS = 600


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("is_secured", [False, True])
def test_every_kind_of_client_gets_all_bytes(weir, origin, client, h2, tmp_path, is_secured, workers):
    draw = random.Random(7)
    feed = Feed()
    upstream = origin(feed)
    authority = Authority(tmp_path) if is_secured else None
    options = {"tls": yaml(**authority.serve())} if is_secured else {}
    proxy = weir(route(upstream.url, shared="{ lag: wait, retain: { records: 500, bytes: 256KiB } }",
                       rate="{ default: unlimited }"), workers=workers, **options)
    tls = authority.client() if is_secured else None
    asked = [("1.1", []), ("1.0", []), ("1.1", ["X-Stream-Rate-Limit: 100000/second"]), ("1.1", ["Prefer: stream-notices"]),
             ("1.1", ["X-Stream-Buffer-Size: 3"])]
    responses = [client(proxy, tls=tls, receive_buffer=receive).get("/", *fields, version=version)
                 for version, fields in asked for receive in (None, 16 << 10)]
    assert {response.status for response in responses} == {200}
    bodies = [None] * len(responses)

    def read(number):
        bodies[number] = b"".join(responses[number].parts())
    threads = [threading.Thread(target=read, args=[number]) for number in range(len(responses))]
    for thread in threads:
        thread.start()
    connection = h2(proxy, tls=authority.client(protocols=("h2",)) if is_secured else None)
    stream = connection.ask("/").head()
    eventually(lambda: Metrics(proxy).total("weir_shared_readers", route="/") == len(responses) + 1, "all readers")
    sizes = [draw.choice([20, 200, 3000, 70_000 if number % 100 == 0 else 20]) for number in range(RECORDS)]
    for number, size in enumerate(sizes, 1):
        feed.records(number, number, size=size)
    feed.end()
    whole = b"".join(record(number + 1, size=size) for number, size in enumerate(sizes))
    connection.until(lambda: stream.over)
    assert stream.ended and stream.numbers == list(range(1, RECORDS + 1))
    for thread in threads:
        thread.join(120)
    assert all(body == whole for body in bodies)
    assert all(response.complete for response in responses)
    assert len(upstream.heads) == 1
