"""Limits are shared over TLS, with a server whose certificate is verified."""
from harness.certificates import Authority
from harness.metrics import Metrics
from harness.replicas import KEY, shares_not
from harness.waiting import eventually


def test_limits_are_shared_over_tls(tls_redis, fleet, client, tmp_path):
    authority = Authority(tmp_path)
    server = tls_redis(authority)
    for host in ("localhost", "127.0.0.1"):
        proxies = fleet(2, f"rediss://{host}:{server.tls_port}", ca_file=authority.pem, per_client=3)
        statuses = [client(proxies[number % 2]).get("/orders", KEY.format(host)).status for number in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        for proxy in proxies:
            proxy.kill()
        eventually(lambda: server.command("CLIENT", "LIST").count("\n") == 1, "no connection but this one")
        server.command("FLUSHALL")
        server.command("SET", "weir:born", 1)


def test_a_server_with_another_certificate_is_not_used(tls_redis, fleet, client, tmp_path):
    server = tls_redis(Authority(tmp_path))
    proxy, = fleet(1, f"rediss://localhost:{server.tls_port}", ca_file=Authority(tmp_path).pem, waits=False, per_client=1)
    eventually(lambda: Metrics(proxy).total("weir_redis_failures_total", cause="unreachable") > 0, "a failure")
    shares_not(proxy)
    assert [client(proxy).get("/orders", KEY.format("k")).status for _ in range(2)] == [200, 429]
