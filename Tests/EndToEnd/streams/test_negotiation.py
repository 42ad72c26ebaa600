"""A client asks, the proxy grants: the smaller of asked and allowed, a default where nothing is asked."""
import pytest

from harness.problems import problem
from harness.weir import route

RATES = {"rate": "{ default: 10/second, max: 100/second }", "buffer": "{ default: 100, max: 1000 }"}
PATH = "/v1/orders/stream?items=1"
MALFORMED = [
    "X-Stream-Buffer-Size: 0",
    "X-Stream-Buffer-Size: -5",
    "X-Stream-Buffer-Size: +5",
    "X-Stream-Buffer-Size: 1e3",
    "X-Stream-Buffer-Size: many",
    "X-Stream-Buffer-Size: 1234567890",
    "X-Stream-Buffer-Size:",
    "X-Stream-Rate-Limit: 0/second",
    "X-Stream-Rate-Limit: 10",
    "X-Stream-Rate-Limit: 10/fortnight",
    "X-Stream-Rate-Limit: -10/second",
    "X-Stream-Rate-Limit: ten/second",
    "X-Stream-Rate-Limit: .5/second",
    "X-Stream-Rate-Limit: /second",
    "X-Stream-Rate-Limit: 10 per second",
    "X-Stream-Rate-Limit: 10/second, 20/second",
]


def granted(response):
    return response.head["X-Stream-Rate"], response.head["X-Stream-Buffer-Size"]


@pytest.mark.parametrize(("asked", "expected"), [
    ([], ("10/second", "100")),
    (["X-Stream-Rate-Limit: 50/second"], ("50/second", "100")),
    (["X-Stream-Buffer-Size: 7"], ("10/second", "7")),
    (["x-stream-rate-limit:   3/minute  ", "X-STREAM-BUFFER-SIZE: 1"], ("3/minute", "1")),
    (["X-Stream-Rate-Limit: 2.50/m"], ("2.5/minute", "100")),
    (["X-Stream-Rate-Limit: 101/second", "X-Stream-Buffer-Size: 1001"], ("100/second", "1000")),
    (["X-Stream-Rate-Limit: 999999999/second", "X-Stream-Buffer-Size: 999999999"], ("100/second", "1000")),
    (["X-Stream-Rate-Limit: 5999/minute"], ("5999/minute", "100")),
    (["X-Stream-Rate-Limit: 6001/minute"], ("100/second", "100")),
])
def test_the_smaller_of_asked_and_allowed_is_granted(weir, fastapi_app, client, asked, expected):
    proxy = weir(route(fastapi_app.url, **RATES))
    response = client(proxy).get(PATH, *asked)
    assert (response.status, granted(response)) == (200, expected)


def test_a_malformed_header_is_named(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, **RATES))
    for field in MALFORMED:
        refused = client(proxy).get(PATH, field)
        refusal = problem(refused, 400, "invalid-request")
        assert field.partition(":")[0].lower() in refusal["detail"].lower(), field


@pytest.mark.parametrize("name", ["X-Stream-Buffer-Size: 10", "X-Stream-Rate-Limit: 10/second"])
def test_a_repeated_header_is_malformed(weir, fastapi_app, client, name):
    proxy = weir(route(fastapi_app.url, **RATES))
    assert problem(client(proxy).get(PATH, name, name), 400, "invalid-request")


def test_a_refusal_takes_the_form_that_the_client_asked_for(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url))
    refused = client(proxy).get(PATH, "X-Stream-Buffer-Size: no", "Accept: application/problem+json")
    problem(refused, 400, "invalid-request", media_type="application/problem+json")


def test_a_connection_serves_on_after_a_refusal(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url))
    connection = client(proxy)
    problem(connection.get(PATH, "X-Stream-Buffer-Size: no"), 400, "invalid-request")
    assert connection.get(PATH).read()


def test_a_lenient_route_takes_a_malformed_header_as_not_sent(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, negotiation="lenient", **RATES))
    for field in MALFORMED:
        response = client(proxy).get(PATH, field)
        assert (response.status, granted(response)) == (200, ("10/second", "100")), field


@pytest.mark.parametrize("asked", ["X-Stream-Rate-Limit: 101/second", "X-Stream-Buffer-Size: 1001"])
def test_a_rejecting_route_refuses_what_is_over_the_limit(weir, fastapi_app, client, asked):
    proxy = weir(route(fastapi_app.url, over_limit="reject", **RATES))
    problem(client(proxy).get(PATH, asked), 429, "rate-limit")
    within = client(proxy).get(PATH, "X-Stream-Rate-Limit: 100/second", "X-Stream-Buffer-Size: 1000")
    assert granted(within) == ("100/second", "1000")


@pytest.mark.parametrize(("forwarded", "expected"), [("true", 2), ("false", 0)])
def test_the_route_says_whether_the_upstream_sees_the_headers(weir, fastapi_app, client, forwarded, expected):
    proxy = weir(route(fastapi_app.url, forward_stream_headers=forwarded))
    seen = client(proxy).get("/v1/echo", "X-Stream-Rate-Limit: 1/second", "X-Stream-Buffer-Size: 5").json()
    assert len([name for name, _ in seen["headers"] if name.lower().startswith("x-stream-")]) == expected


def test_too_many_open_streams_of_a_client_are_refused_until_one_ends(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, rate="{ default: 5/second }", streams="{ per_client: 2 }"))
    first, second = client(proxy), client(proxy)
    assert first.get("/v1/orders/stream").status == second.get("/v1/orders/stream").status == 200
    problem(client(proxy).get("/v1/orders/stream"), 429, "too-many-streams")
    first.close()
    proxy.logged(reason="client_gone")
    assert client(proxy).get("/v1/orders/stream").status == 200


def test_too_many_open_streams_of_a_route_are_refused(weir, fastapi_app, client):
    proxy = weir(route(fastapi_app.url, match="/v1/orders", rate="{ default: 5/second }",
                       streams="{ per_client: 10, per_route: 1 }"),
                 route(fastapi_app.url))
    assert client(proxy).get("/v1/orders/stream").status == 200
    problem(client(proxy).get("/v1/orders/stream"), 429, "too-many-streams")
    assert client(proxy).get("/v1/echo").status == 200  # another route
