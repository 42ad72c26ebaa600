"""Both ways in which libcurl's sockets wake an event loop carry streams: by the kernel's AIO poll, and by a thread."""
import pytest

from harness.waiting import eventually
from harness.weir import route


@pytest.fixture(params=["aio", "thread"])
def waking(request):
    return ["--waking", request.param]


def test_a_metered_stream(weir, app, client, waking):
    proxy = weir(route(app.url, rate="{ default: 50/second }"), args=waking)
    response = client(proxy).get("/v1/orders/stream?items=50")
    records = list(response.records())
    assert [each.number for each in records] == list(range(1, 51))
    assert response.keeps_pace(records[-1], 49, 0.02)


def test_a_stream_at_full_speed(weir, app, client, waking):
    proxy = weir(route(app.url), args=waking)
    response = client(proxy).get("/v1/orders/stream?items=20000")
    assert [each.number for each in response.records()] == list(range(1, 20_001))
    assert response.complete


def test_many_streams_one_after_another_and_side_by_side(weir, fastapi_app, client, waking):
    proxy = weir(route(fastapi_app.url), args=waking)
    connections = [client(proxy) for _ in range(20)]
    for _ in range(5):
        for connection in connections:
            connection.ask("/v1/orders/stream?items=20")
        for connection in connections:
            assert [each.number for each in connection.response().records()] == list(range(1, 21))


def test_a_disconnect(weir, app, client, waking):
    tag = f"waking-{waking[1]}"
    proxy = weir(route(app.url), args=waking)
    leaving = client(proxy)
    next(leaving.get(f"/v1/firehose?tag={tag}").records())
    leaving.close()
    eventually(lambda: app.ended(tag) == 1, "the app's generator stopped")


def test_the_mechanism_is_logged(weir, fastapi_app, waking):
    proxy = weir(route(fastapi_app.url), args=waking, log_level="debug")
    assert proxy.says(f"waking={waking[1]}")


def test_there_is_no_third_mechanism(weir, fastapi_app):
    with pytest.raises(AssertionError, match="ended at its start"):
        weir(route(fastapi_app.url), args=["--waking", "magic"])
