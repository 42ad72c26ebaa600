"""What upstream and client see of the fields that a proxy has to add, to take away, and to leave."""
import re

import pytest

from harness.problems import problem
from harness.scripted_origin import answers
from harness.weir import route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def fields(head):
    """The fields of a request as the origin got it, names in lower case."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    return [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def sent(upstream, name):
    return [value for field, value in fields(upstream.heads[-1]) if field == name]


def test_an_untrusted_peer_is_forwarded_by_its_own_address(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url), trusted_proxies="off")
    client(proxy).get("/", "Host: shop.example", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https",
                      "X-Forwarded-Host: evil.example", "Forwarded: for=192.0.2.1", "Via: 1.0 fred").read()
    assert sent(upstream, "x-forwarded-for") == ["127.0.0.1"]
    assert sent(upstream, "x-forwarded-proto") == ["http"]
    assert sent(upstream, "x-forwarded-host") == ["shop.example"]
    assert sent(upstream, "forwarded") == ['for=127.0.0.1;host="shop.example";proto=http']
    assert sent(upstream, "via") == ["1.0 fred", "1.1 weir"]
    assert proxy.logged()["client"] == "127.0.0.1"


def test_a_trusted_proxy_is_believed_in_one_field_alone(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url))
    client(proxy).get("/", "X-Forwarded-For: 203.0.113.1", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.1").read()
    assert sent(upstream, "x-forwarded-for") == ["203.0.113.1, 127.0.0.1"]
    assert sent(upstream, "x-forwarded-proto") == ["https"]
    assert "192.0.2.1" not in sent(upstream, "forwarded")[0]
    assert proxy.logged()["client"] == "203.0.113.1"


def test_forwarded_is_believed_where_the_configuration_says_so(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url), forwarded_header="forwarded")
    client(proxy).get("/", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=203.0.113.1;proto=https").read()
    assert sent(upstream, "forwarded") == ["for=203.0.113.1;proto=https, for=127.0.0.1"]
    assert sent(upstream, "x-forwarded-for") == ["203.0.113.1, 127.0.0.1"]
    assert proxy.logged()["client"] == "203.0.113.1"


def test_connection_cannot_take_away_what_weir_says_of_the_client(weir, origin, client):
    upstream = origin(answers(OK))
    client(weir(route(upstream.url))).get("/", "Connection: keep-alive, X-Forwarded-For, Via").read()
    assert sent(upstream, "x-forwarded-for") == ["127.0.0.1"]
    assert sent(upstream, "via") == ["1.1 weir"]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_via_has_the_version_of_the_received_message(weir, origin, client, version):
    answer = f"HTTP/{version} 200 OK\r\nVia: 1.1 inner\r\nContent-Length: 2\r\n\r\nok".encode()
    upstream = origin(answers(answer))
    response = client(weir(route(upstream.url), via="edge-1")).get("/", version=version)
    assert response.head.all("Via") == ["1.1 inner", f"{version} edge-1"]
    assert sent(upstream, "via") == [f"{version} edge-1"]


def test_via_can_be_switched_off(weir, origin, client):
    upstream = origin(answers(OK))
    response = client(weir(route(upstream.url), via="off")).get("/")
    assert "via" not in response.head.names
    assert sent(upstream, "via") == []


def test_a_date_is_added_where_the_upstream_has_none(weir, origin, client):
    response = client(weir(route(origin(answers(OK)).url))).get("/")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", response.head["Date"])
    dated = OK.replace(b"\r\nContent", b"\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent", 1)
    response = client(weir(route(origin(answers(dated)).url))).get("/")
    assert response.head["Date"] == "Mon, 02 Jan 2006 15:04:05 GMT"


def test_repeated_fields_stay_as_many_as_they_are_both_ways(weir, origin, client):
    upstream = origin(answers(OK.replace(b"\r\nContent", b"\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent", 1)))
    response = client(weir(route(upstream.url))).get("/", "X-Tag: 1", "X-Other: o", "x-tag: 2")
    assert response.head.all("Set-Cookie") == ["a=1", "b=2"]
    assert sent(upstream, "x-tag") == ["1", "2"]


@pytest.mark.parametrize("value, host", [("preserve", "shop.example"), ("upstream", None), ("fixed.example:81", "fixed.example:81")])
def test_the_host_is_what_the_route_says(weir, origin, client, value, host):
    upstream = origin(answers(OK))
    client(weir(route(upstream.url, host=value))).get("/", "Host: shop.example").read()
    assert sent(upstream, "host") == [host or upstream.url.removeprefix("http://")]
    assert sent(upstream, "x-forwarded-host") == ["shop.example"]


def test_the_prefix_is_taken_off(weir, origin, client):
    upstream = origin(answers(OK))
    client(weir(route(upstream.url, match="/api", strip_prefix="true"))).get("/api/a?b=/api").read()
    assert upstream.heads[-1].startswith(b"GET /a?b=/api HTTP/1.1\r\n")


@pytest.mark.parametrize("head", ["204 No Content\r\n", "304 Not Modified\r\nContent-Length: 5\r\n"])
def test_answers_without_a_body_have_none(weir, origin, client, head):
    connection = client(weir(route(origin(answers(f"HTTP/1.1 {head}\r\n".encode())).url)))
    for _ in range(2):  # the second finds the connection where it should be
        response = connection.get("/")
        assert response.status == int(head[:3])
        assert "transfer-encoding" not in response.head.names


def test_head_keeps_the_length_and_has_no_body(weir, origin, client):
    connection = client(weir(route(origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")).url)))
    for _ in range(2):
        assert connection.get("/", method="HEAD").head["Content-Length"] == "500"


def test_a_malformed_answer_is_no_answer(weir, origin, client):
    upstream = origin(answers(b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n"))
    problem(client(weir(route(upstream.url))).get("/"), 502, "bad-upstream")
