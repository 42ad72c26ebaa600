"""Routes that are selected by the query and by header fields, and the names of routes."""
from harness.problems import problem
from harness.scripted_origin import answers
from harness.weir import route


def named(origin, name):
    return origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name))).url


def test_the_query_and_the_fields_select_the_route(weir, origin, client):
    proxy = weir(route(named(origin, b"gold"), match="{ path: /v1, headers: { X-Tier: gold } }", name="gold"),
                 route(named(origin, b"watch"), match='{ path: /v1, query: { watch: "true" } }', name="watch/all"),
                 route(named(origin, b"rest"), match="/v1"))
    for target, fields, expected in [
            ("/v1", [], b"rest"), ("/v1/a?watch=true", [], b"watch"), ("/v1?x=1&watch=true&watch=false", [], b"watch"),
            ("/v1?watch=TRUE", [], b"rest"), ("/v1?watch=%74rue", [], b"watch"), ("/v1", ["x-tier: gold"], b"gold"),
            ("/v1?watch=true", ["X-Tier: gold"], b"gold"), ("/v1", ["X-Tier: silver"], b"rest"),
            ("/v1", ["X-Tier: gold", "X-Tier: gold"], b"rest")]:
        assert client(proxy).get(target, *fields).read() == expected, target
    for name in ["gold", "watch/all", "/v1"]:
        proxy.logged(route=name)


def test_without_a_route_for_other_requests_they_get_404(weir, origin, client):
    proxy = weir(route(named(origin, b"watch"), match='{ path: /, query: { watch: "true" } }'))
    assert client(proxy).get("/?watch=true").read() == b"watch"
    problem(client(proxy).get("/"), 404, "not-found")


def test_a_reload_keeps_routes_of_one_path_apart(weir, origin, client):
    one, other = named(origin, b"one"), named(origin, b"other")
    first = route(one, match='{ path: /, query: { a: "1" } }')
    proxy = weir(first, route(other))
    assert proxy.reload(first, route(other)).startswith("reloaded")
    assert client(proxy).get("/?a=1").read() == b"one" and client(proxy).get("/").read() == b"other"
