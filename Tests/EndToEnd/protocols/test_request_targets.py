"""Which host and path a request is for, and how far it may go."""
import pytest

from harness.problems import problem
from harness.scripted_origin import answers
from harness.waiting import eventually
from harness.weir import command, route

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def sent(upstream, name):
    lines = upstream.heads[-1].decode("latin-1").split("\r\n")[1:]
    return [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].lower() == name]


def request_line(upstream):
    return upstream.heads[-1].decode("latin-1").split("\r\n")[0]


@pytest.mark.parametrize("host", [
    b"a b", b"a/b", b"u@a", b"a?b", b"a#b", b"a\\b", b"[::1", b"::1", b"[::1]x", b"[::g]", b"[fe80::1%25eth0]", b"[v1.a]", b"",
    b" ", b":80", b"a:b", b"a:65536", b"a:-1", b"a:1:2", b"a,b", b"a%", b"a%zz", b"a\xe9", b'"a"', b"<a>",
])
def test_what_is_no_host_is_refused(weir, origin, client, host):
    upstream = origin(answers(OK))
    connection = client(weir(route(upstream.url)))
    connection.send(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
    problem(connection.response(), 400, "invalid-request")
    assert upstream.heads == []


@pytest.mark.parametrize("host", ["example.com", "EXAMPLE.com:8080", "example.com:", "example.com.", "a_b-c~1", "127.0.0.1:80",
                                  "[::1]", "[2001:db8::1]:443", "a%41"])
def test_a_host_passes_as_it_is(weir, origin, client, host):
    upstream = origin(answers(OK))
    assert client(weir(route(upstream.url))).get("/", f"Host: {host}").read() == b"ok"
    assert sent(upstream, "host") == [host]


@pytest.mark.parametrize("host", ["admin.example", "admin.example ", "ADMIN.example:80", "admin.example.", "admin.example.:80"])
def test_a_route_for_a_host_takes_all_its_spellings(weir, origin, client, host):
    special = origin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nspecial"))
    proxy = weir(route(special.url, match="{ host: admin.example }"), route(origin(answers(OK)).url))
    assert client(proxy).get("/", f"Host: {host}").read() == b"special"


@pytest.mark.parametrize("target, line, host", [
    ("http://b/x?y", "/x?y", "b"), ("https://b:444/x", "/x", "b:444"), ("HTTPS://b", "/", "b"), ("hTTp://[::1]:1?q", "/?q", "[::1]:1"),
])
def test_an_absolute_target_of_either_scheme_is_taken_apart(weir, origin, client, target, line, host):
    upstream = origin(answers(OK))
    assert client(weir(route(upstream.url))).get(target, "Host: a").read() == b"ok"
    assert request_line(upstream) == f"GET {line} HTTP/1.1"
    assert sent(upstream, "host") == [host]


@pytest.mark.parametrize("target", [
    "http://u:p@b/x", "http://u@b/", "http://", "http:///x", "http://b:x/", "http://[::1/", "http:b", "http:/b", "ftp://b/", "b/x",
    "b:80", "/admin#x", "/#", "http://b/#x", "http://b#x", "/a\xe9", "*",
])
def test_what_is_no_target_is_refused(weir, origin, client, target):
    upstream = origin(answers(OK))
    problem(client(weir(route(upstream.url))).get(target), 400, "invalid-request")
    assert upstream.heads == []


def test_an_absolute_target_does_not_excuse_a_wrong_host(weir, origin, client):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url))
    for hosts in (b"", b"Host: a\r\nHost: b\r\n", b"Host: a b\r\n"):
        connection = client(proxy)
        connection.send(b"GET http://b/ HTTP/1.1\r\n%b\r\n" % hosts)
        problem(connection.response(), 400, "invalid-request")
    assert upstream.heads == []


@pytest.mark.parametrize("path", ["http://b/x", "//", "x", "*", "/a#b"])
def test_over_http2_a_path_is_a_path(weir, origin, h2, path):
    upstream = origin(answers(OK))
    connection = h2(weir(route(upstream.url)), validate=False)
    stream = connection.ask(path)
    connection.until(lambda: stream.over)
    if path == "//":
        assert (stream.status, request_line(upstream)) == (200, "GET // HTTP/1.1")
    else:
        assert stream.status in (400, None)
        assert upstream.heads == []


@pytest.mark.parametrize("target, line", [("*", "*"), ("http://b", "*"), ("http://b/", "/"), ("http://b?q", "/?q")])
def test_options_of_a_host_is_options_of_the_whole_server(weir, origin, client, target, line):
    upstream = origin(answers(OK))
    assert client(weir(route(upstream.url))).get(target, method="OPTIONS").read() == b"ok"
    assert request_line(upstream) == f"OPTIONS {line} HTTP/1.1"


# How far it may go (RFC 9110, section 7.6.2)


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
@pytest.mark.parametrize("received, forwarded", [("1", "0"), ("10 ", "9"), ("0070", "69"), ("9" * 30, "999999999999999998")])
def test_max_forwards_is_counted_down(weir, origin, client, method, received, forwarded):
    upstream = origin(answers(OK))
    assert client(weir(route(upstream.url))).get("/", f"Max-Forwards: {received}", method=method).read() == b"ok"
    assert sent(upstream, "max-forwards") == [forwarded]


def test_a_request_that_may_go_no_further_is_answered(weir, origin, client):
    upstream = origin(answers(OK))
    connection = client(weir(route(upstream.url, match="{ path: /, methods: [GET, OPTIONS, TRACE] }")))
    response = connection.get("/", "Max-Forwards: 0", method="OPTIONS")
    assert (response.status, response.head["Allow"], response.read()) == (200, "GET, OPTIONS", b"")
    refused = connection.get("/", "Max-Forwards: 0", "Cookie: secret", method="TRACE")
    assert refused.head["Allow"] == "GET, OPTIONS"
    problem(refused, 405, "invalid-request")
    assert upstream.heads == []


@pytest.mark.parametrize("value", ["-1", "+1", "1.0", "x", "", "1, 1"])
def test_what_is_no_number_of_forwards_is_refused(weir, origin, client, value):
    upstream = origin(answers(OK))
    problem(client(weir(route(upstream.url))).get("/", f"Max-Forwards: {value}", method="OPTIONS"), 400, "invalid-request")
    assert upstream.heads == []


def test_max_forwards_of_other_methods_passes(weir, origin, client):
    upstream = origin(answers(OK))
    assert client(weir(route(upstream.url))).get("/", "Max-Forwards: x").read() == b"ok"
    assert sent(upstream, "max-forwards") == ["x"]


# Methods


@pytest.mark.parametrize("method", ["QUERY", "LIST", "VERSION-CONTROL", "x-Own!"])
def test_over_http2_any_method_passes_where_a_route_allows_it(weir, origin, h2, method):
    upstream = origin(answers(OK))
    proxy = weir(route(upstream.url, match=f"{{ path: /a, methods: [\"{method}\"] }}"), route(upstream.url, match="/b"))
    connection = h2(proxy)
    for path in ("/a", "/b"):
        stream = connection.ask(path, method=method)
        connection.until(lambda: stream.over)
        assert (stream.status, request_line(upstream)) == (200, f"{method} {path} HTTP/1.1")


def test_check_reports_a_standard_method_in_another_case(tmp_path):
    configuration = tmp_path / "proxy.conf"
    configuration.write_text("listen: 127.0.0.1:0\nroutes:\n" + route("http://127.0.0.1:1", match="{ path: /, methods: [get] }"))
    checked = command("check", "-c", str(configuration))
    assert checked.returncode != 0 and "case-sensitive; allowed: `GET`" in checked.stderr + checked.stdout


# The client


@pytest.fixture
def one_stream_each(weir, origin, client):
    """A proxy that admits one stream of each client, by the named field; the client of this line has its one."""
    def start(field, value):
        def script(peer):
            peer.read_head()
            peer.wait_gone()

        upstream = origin(script)
        proxy = weir(route(upstream.url, client_key=f"{{ header: {field} }}", streams="{ per_client: 1 }"))
        client(proxy).ask("/", f"{field}: {value}")
        eventually(lambda: upstream.heads, "the first request at the upstream")
        return proxy
    return start


def test_one_key_is_one_client_whatever_surrounds_it(one_stream_each, client):
    proxy = one_stream_each("X-Api-Key", "k")
    for value in ("k", "k ", "  k\t", "k   "):
        problem(client(proxy).get("/", f"X-Api-Key: {value}"), 429, "too-many-streams")
    problem(client(proxy).get("/", "X-Api-Key: k", "X-Api-Key: other"), 400, "invalid-request")


def test_one_credential_is_one_client_however_it_is_spelled(one_stream_each, client):
    proxy = one_stream_each("Authorization", "Bearer abc")
    for value in ("bearer abc", "BEARER  abc ", "Bearer\tabc"):
        problem(client(proxy).get("/", f"Authorization: {value}"), 429, "too-many-streams")
