"""Addresses of `listen` with and without TLS, and several certificates at one address: seen by curl and openssl."""
import datetime
import re
import subprocess

import pytest

from harness.certificates import Authority, yaml
from harness.raw_client import RawClient
from harness.scripted_origin import answers
from harness.tools import curl
from harness.weir import command, route

OK = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def addresses(proxy):
    """The scheme and the port of each address of `listen`, in the order in which they were opened."""
    return [(scheme, int(port)) for scheme, port in re.findall(r"listening on (https?)://[0-9.]+:([0-9]+)", proxy.said())]


def echo(peer):
    """A script: answers with the method and the body of the request."""
    head = peer.read_head()
    length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head + b"\r\ncontent-length: 0").group(1))
    body = head.split()[0] + b" " + peer.take(length)
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


# Addresses


@pytest.fixture
def three(weir, origin, authority, reserved_port):
    """Starts a weir with an address that has TLS, one that redirects to it, and one without TLS."""
    def start(script=OK, redirect="true"):
        port = reserved_port().number
        proxy = weir(route(origin(script).url), tls=yaml(**authority.serve()), listen=(
            f"[127.0.0.1:{port}, {{ address: 127.0.0.1:0, redirect: {redirect} }}, {{ address: 127.0.0.1:0, tls: false }}]"))
        (first, proxy.secure), (second, proxy.redirecting), (third, proxy.plain) = addresses(proxy)
        assert (first, second, third, proxy.secure) == ("https", "http", "http", port)
        return proxy
    return start


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_curl_follows_the_redirect_with_its_method_and_body(three, authority, method):
    proxy = three(echo)
    body = [] if method == "GET" else ["--data", "a=1"]
    options = ["--cacert", str(authority.pem), "--request", method, "--http1.1", *body]
    for name in ("localhost", "127.0.0.1"):
        url = f"http://{name}:{proxy.redirecting}/orders/1?x=%20"
        first = curl(url, "--resolve", f"localhost:{proxy.redirecting}:127.0.0.1", *options)
        assert (first.status, first.body) == (308, b"")
        assert first.fields["location"] == f"https://{name}:{proxy.secure}/orders/1?x=%20"
        followed = curl(url, "--location", "--ipv4", *options)
        assert followed.body.startswith(b"HTTP/1.1 200") and b"strict-transport-security" not in followed.body.lower()
        assert followed.body.endswith(method.encode() + (b" " if method == "GET" else b" a=1"))
    assert proxy.logged(status=308)["path"] == "/orders/1"


def test_an_address_without_tls_serves_requests(three, authority):
    proxy = three()
    assert curl(f"http://127.0.0.1:{proxy.plain}/").status == 200
    assert curl(f"https://127.0.0.1:{proxy.secure}/", "--cacert", str(authority.pem)).status == 200


def test_the_port_of_the_redirect_can_be_another_one(three):
    proxy = three(redirect="443")
    assert curl(f"http://127.0.0.1:{proxy.redirecting}/a").fields["location"] == "https://127.0.0.1/a"
    proxy = three(redirect="8443")
    assert curl(f"http://127.0.0.1:{proxy.redirecting}/a").fields["location"] == "https://127.0.0.1:8443/a"


def test_http2_without_tls_is_redirected_too(three):
    proxy = three()
    answer = curl(f"http://127.0.0.1:{proxy.redirecting}/a", "--http2-prior-knowledge")
    assert (answer.status, answer.fields["location"]) == (308, f"https://127.0.0.1:{proxy.secure}/a")


@pytest.mark.parametrize("request_line, host, location", [
    ("GET /a HTTP/1.1", "Host: [::1]:80\r\n", "https://[::1]:PORT/a"),
    ("GET http://other.example:81/b HTTP/1.1", "Host: weir.example\r\n", "https://other.example:PORT/b"),
    ("OPTIONS * HTTP/1.1", "Host: weir.example\r\n", "https://weir.example:PORT"),
    ("GET /v1/health/streaming HTTP/1.1", "Host: weir.example\r\n", "https://weir.example:PORT/v1/health/streaming"),
    ("GET /a HTTP/1.1", "", None), ("GET /a HTTP/1.1", "Host: a/b\r\n", None), ("GET /a HTTP/1.1", "Host: u@a\r\n", None),
    # Without a host there is only a path, which would lead back to the same address.
    ("GET /a HTTP/1.0", "", None),
])
def test_the_host_of_the_redirect_is_checked(three, request_line, host, location):
    proxy = three()
    with RawClient(proxy.redirecting) as client:
        client.send(f"{request_line}\r\n{host}\r\n".encode())
        head = client.response().head
        expected = (308, location.replace("PORT", str(proxy.secure))) if location else (400, None)
        assert (head.status, head["Location"]) == expected


# Certificates


class Named:
    """A weir with certificates for three names; `names` are those in the certificate that a client gets."""

    def __init__(self, weir, origin, authority):
        self.authority = authority
        self.first = authority.serve("first")
        self.pairs = [authority.write(name.replace("*", "any"), authority.ca.issue_cert(name))
                      for name in ("api.weir.example", "*.weir.example")]
        self.route = route(origin(OK).url)
        self.proxy = weir(self.route, tls=self.tls())

    def tls(self):
        return yaml(**self.first, certificates="[" + ", ".join(yaml(**pair) for pair in self.pairs) + "]")

    def names(self, name=None, *options):
        requested = ["-servername", name] if name else ["-noservername"]
        shaken = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.proxy.port}", "-CAfile", str(self.authority.pem),
             "-verify_return_error", *requested, *options],
            input=b"", capture_output=True, timeout=60)
        assert shaken.returncode == 0, shaken.stderr
        shown = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=shaken.stdout,
                               capture_output=True, timeout=60, check=True)
        return shown.stdout.decode().splitlines()[-1].strip()


@pytest.fixture
def named(weir, origin, authority):
    return Named(weir, origin, authority)


STANDARD = "DNS:localhost, IP Address:127.0.0.1"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_client_gets_the_certificate_of_the_name_that_it_requests(named, version):
    assert named.names("api.weir.example", version) == "DNS:api.weir.example"
    assert named.names("API.Weir.example", version) == "DNS:api.weir.example"
    assert named.names("other.weir.example", version) == "DNS:*.weir.example"
    for name in ("a.b.weir.example", "weir.example", "localhost", "unknown", None):
        assert named.names(name, version) == STANDARD, name


def test_curl_accepts_the_certificate_of_each_name_over_http2(named):
    for name in ("api.weir.example", "other.weir.example", "localhost"):
        answer = curl(f"https://{name}:{named.proxy.port}/", "--cacert", str(named.authority.pem), "--http2",
                      "--resolve", f"{name}:{named.proxy.port}:127.0.0.1")
        assert (answer.exit_status, answer.status, answer.body) == (0, 200, b"ok")


def test_a_name_of_the_first_certificate_precedes_that_of_a_later_one(weir, origin, authority):
    named = Named.__new__(Named)
    named.authority, named.pairs = authority, [authority.write("late", authority.ca.issue_cert("*.example", "localhost"))]
    named.first = authority.write("first", authority.ca.issue_cert("a.example", "localhost"))
    named.proxy = weir(route(origin(OK).url), tls=named.tls())
    assert named.names("a.example") == named.names("localhost") == "DNS:a.example, DNS:localhost"
    assert named.names("b.example") == "DNS:*.example, DNS:localhost"


def test_sighup_replaces_the_certificate_of_a_name_or_nothing(named):
    renewed = named.authority.ca.issue_cert("api.weir.example", "new.weir.example")
    named.authority.write("api.weir.example", renewed)
    assert named.names("api.weir.example") == "DNS:api.weir.example"
    assert named.proxy.reload(named.route).startswith("reloaded")
    for name in ("api.weir.example", "new.weir.example"):
        assert named.names(name) == "DNS:api.weir.example, DNS:new.weir.example"
    named.pairs[0]["key"].write_text("damaged")
    assert "`tls.certificates.key` is" in named.proxy.reload(named.route)
    assert named.names("api.weir.example") == "DNS:api.weir.example, DNS:new.weir.example"
    named.pairs.pop(0)
    assert named.proxy.reload(named.route, tls=named.tls()).startswith("reloaded")
    assert named.names("api.weir.example") == "DNS:*.weir.example"


def check(authority, tmp_path, *pairs):
    listed = ", ".join(yaml(**pair) for pair in pairs)
    (tmp_path / "proxy.conf").write_text(f"tls: {yaml(**authority.serve(), certificates=f'[{listed}]')}\n"
                                         "routes: [{ match: /, upstream: http://127.0.0.1:9000 }]\n")
    return command("check", "-c", "proxy.conf", cwd=tmp_path)


def test_check_reports_a_further_certificate_that_does_not_fit(authority, tmp_path):
    one, other = (authority.write(name, authority.ca.issue_cert(f"{name}.example")) for name in ("one", "other"))
    old = authority.write("old", authority.ca.issue_cert(
        "old.example", not_after=datetime.datetime(2020, 2, 3, tzinfo=datetime.timezone.utc)))
    done = check(authority, tmp_path, one, other, old)
    assert done.returncode == 0 and done.stderr.count("warning") == 1
    assert f"warning: `tls.certificates.certificate` is `{str(old['certificate'])[:50]}" in done.stderr
    done = check(authority, tmp_path, one, {**other, "key": one["key"]})
    assert done.returncode == 1 and "`tls.certificates.key` is" in done.stderr
    assert "the key does not belong to the first certificate of its `certificate`" in done.stderr
    done = check(authority, tmp_path, {**one, "certificate": one["key"]})
    assert done.returncode == 1 and "the file holds no certificate in PEM" in done.stderr
