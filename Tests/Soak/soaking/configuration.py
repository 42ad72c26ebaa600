"""weir's configuration in the soak test: every time is a hundredth of its default, or the least that is allowed."""
SHARED = ("/shared", "/shared-gap", "/shared-wait", "/shared-keys")
ROUTES = ("/plain", "/metered", "/fast", "/drop", "/latest", "/resume", "/events", *SHARED, "/breaker")

TOP = """\
listen: [127.0.0.1:0{unix}]
admin: 127.0.0.1:0
workers: 2
access_log: {{ path: {log}, format: json, start: true }}
log_level: info
shutdown_grace: 300ms
limits: {{ header_timeout: 100ms, keepalive_timeout: 750ms }}
{tls}routes:
"""

# The largest share of what the upstreams do is a fault: only one route has a breaker for them.
ROUTE = """\
  - match: {match}
    upstream: [{upstreams}]
    client_key: {{ header: X-Api-Key }}
    streams: {{ per_client: 20, per_route: 500, starts: off }}
    stall_timeout: 100ms
    breaker: {{ trips: 3, window: 1s, cooldown: 1s }}
    timeouts: {{ connect: 50ms, first_byte: 300ms, idle: 3s, pause: 6s, body: 300ms }}
    async_wait: 20ms
    async: {{ per_client: 10, expiry: 1s }}
"""

KEYS = {
    "/plain": "    framing: none\n",
    "/metered": "    rate: { default: 100/second, max: 1000/second }\n",
    "/fast": "    rate: { default: unlimited }\n",
    "/drop": "    rate: { default: 200/second, max: 1000/second }\n    overflow: drop_oldest\n",
    "/latest": "    rate: { default: 200/second, max: 1000/second }\n    overflow: latest\n    key: /orderId\n",
    "/resume": "    rate: { default: 500/second, max: 1000/second }\n    resume_window: 1s\n",
    "/events": "    heartbeat: 1s\n",
    "/shared": "    shared: { linger: 50ms, join: beginning, max_readers: 10,"
               " retain: { records: 100, bytes: 64KiB, age: 300ms } }\n",
    "/shared-gap": "    shared: { linger: 0s, max_readers: 10, retain: { records: 20, bytes: 16KiB, age: 100ms } }\n",
    "/shared-wait": "    shared: { linger: 50ms, join: last, lag: wait, max_readers: 10, retain: { records: 20, bytes: 16KiB } }\n",
    "/shared-keys": "    shared: { linger: 50ms, join: keys, lag: end, max_readers: 10, retain: { records: 5, bytes: 16KiB } }\n"
                    "    key: /orderId\n",
    "/breaker": "    upstream_breaker: { failures: 5, window: 1s, cooldown: 1s }\n",
}


def configuration(log, upstreams, unix=None, tls=None, generation=0):
    """The text of the file; with each generation, that is, each reload, some limits are others."""
    text = TOP.format(
        log=log, unix=f", unix:{unix}" if unix else "",
        tls=f"tls: {{ certificate: {tls['certificate']}, key: {tls['key']} }}\n" if tls else "")
    for match in ROUTES:
        text += ROUTE.format(match=match, upstreams=", ".join(upstreams)) + KEYS[match]
        if match != "/breaker":
            text += "    upstream_breaker: off\n"
        text += f"    buffer: {{ default: {(100, 20, 300)[generation % 3]}, max: 1000, max_bytes: 256KiB }}\n"
    return text
