"""Fixtures: Redis, and several weir instances that share limits through it."""
import pytest

from harness.addresses import endless
from harness.haproxy import HAProxy
from harness.redis import RedisServer, Sentinel, SlowPath, TLSRedisServer
from harness.replicas import shares
from harness.weir import route


@pytest.fixture
def started(tmp_path):
    """Servers that the test has started; each is stopped at its end."""
    running = []
    yield running
    for server in running:
        (server.kill if hasattr(server, "kill") else server.stop)()


@pytest.fixture
def redis(tmp_path, started):
    """Starts a Redis server that has had its data for longer than weir distrusts an empty one: redis()."""
    def start(*options):
        server = RedisServer(tmp_path / f"redis{len(started)}", *options)
        started.append(server)
        if not options:
            server.command("SET", "weir:born", 1)
        return server
    return start


@pytest.fixture
def tls_redis(tmp_path, started):
    """Starts a Redis server that has had its data for some time, with TLS: tls_redis(authority)."""
    def start(authority):
        server = TLSRedisServer(tmp_path / f"redis{len(started)}", **authority.serve("redis"))
        started.append(server)
        server.command("SET", "weir:born", 1)
        return server
    return start


@pytest.fixture
def sentinel(tmp_path, started):
    """Starts a Sentinel: sentinel(master)."""
    def start(master):
        started.append(Sentinel(tmp_path / f"sentinel{len(started)}", master))
        return started[-1]
    return start


@pytest.fixture
def slow_path(started):
    """Starts a relay to a server: slow_path(server)."""
    def start(server):
        started.append(SlowPath(server))
        return started[-1]
    return start


@pytest.fixture
def balancer(tmp_path, started):
    """Starts HAProxy before these instances: balancer(proxies)."""
    def start(proxies):
        started.append(HAProxy(tmp_path / "haproxy", proxies))
        return started[-1]
    return start


@pytest.fixture
def fleet(weir, origin):
    """Starts instances that share limits: fleet(3, "redis://…", per_client=10); waits until they have counted each other."""
    def start(count, address, patience="1s", waits=True, master=None, ca_file=None, script=None, keys={},
              **limits):
        # The scope of client_records is its own.
        scope = {} if set(limits) == {"client_records"} else {"scope": "replicas"}
        text = ", ".join(f"{key}: {value}" for key, value in {**limits, **scope}.items())
        streams = f"{{ {text} }}" if limits else "off"
        upstream = origin(script or endless())
        # Most tests hold streams that they do not read, for as long as a store needs to fail over or to come back.
        keys = {"breaker": "off", "stall_timeout": "off", **keys}
        paths = route(upstream.url, client_key="{ header: X-Api-Key }", streams=streams, **keys)
        given = {"redis": f"'{address}'", "patience": patience, "master": master, "ca_file": ca_file}
        replicas = "{ " + ", ".join(f"{key}: {value}" for key, value in given.items() if value) + " }"
        proxies = [weir(paths, replicas=replicas, shutdown_grace="0s") for _ in range(count)]
        if waits:
            for proxy in proxies:
                shares(proxy, count)
        return proxies
    return start
