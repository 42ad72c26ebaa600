"""`weir check`: its warnings, and the forms in which it takes a file and reports on it."""
import json

import pytest

from harness.weir import command, route

PLAIN = "routes:\n" + route("http://127.0.0.1:9000") + "\n"

WARNINGS = {
    "log folder": ("access_log: { path: missing/access.log }\n" + PLAIN, 1, "the folder `missing` does not exist"),
    "wildcard": ("routes:\n" + route("http://127.0.0.1:9000", match="/v1/orders/*"), 2,
                 "`/v1/orders` matches that path and all below it"),
    "itself": ("listen: 0.0.0.0:8080\nroutes:\n" + route("http://localhost:8080"), 4, "weir itself listens there"),
    "its own socket": ("listen: unix:/tmp/a.sock\nroutes:\n" + route("unix:/tmp/a.sock"), 4, "weir itself listens there"),
    "slow rate": ("routes:\n" + route("http://127.0.0.1:9000", rate="1/hour", timeouts="{ pause: 10m }"), 4,
                  "`timeouts.pause` ends a stream after a pause of 10m"),
    "more retained than there is memory": (
        "limits: { max_buffer_bytes: 2MiB }\nroutes:\n" + route("http://127.0.0.1:9000", shared="{ join: last }"), 5,
        "`routes.shared` retains up to 4MiB, and `limits.max_buffer_bytes` is 2MiB"),
    "records larger than what is retained": (
        "routes:\n" + route("http://127.0.0.1:9000", shared="{ join: beginning, retain: { bytes: 64KiB } }"), 4,
        "`routes.shared.retain.bytes` retains up to 64KiB, and a record may have 256KiB"),
    "a field of the key that is removed": (
        "routes:\n" + route("http://127.0.0.1:9000", shared="{ key: [Accept, X-Tenant] }",
                            headers="{ request: { remove: [x-tenant] } }"), 4,
        "`routes.shared.key` is `X-Tenant`: `headers.request` replaces or removes this field"),
    "nothing to continue": ("routes:\n" + route("http://127.0.0.1:9000", on_client_gone="continue"), 4,
                            "`routes.on_client_gone` is `continue`, and has no effect without a `resume_window`"),
    "a window without effect": (
        "routes:\n" + route("http://127.0.0.1:9000", resume_window="5s", on_client_gone="cancel"), 4,
        "`routes.resume_window` has no effect here: `on_client_gone: cancel`"),
    "records that are dropped meanwhile": (
        "routes:\n" + route("http://127.0.0.1:9000", resume_window="5s", on_client_gone="continue", overflow="drop_oldest"), 5,
        "`overflow: drop_oldest` drops records"),
    "a shared request that is read on": (
        "routes:\n" + route("http://127.0.0.1:9000", resume_window="5s", on_client_gone="continue", shared="{}"), 5,
        "has no effect on shared requests"),
    "a match that excludes sharing": (
        "routes:\n" + route("http://127.0.0.1:9000", match='{ path: /, headers: { Authorization: "Bearer a" } }', shared="{}"),
        4, "all requests of this route have `Authorization`"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_a_probable_mistake_is_a_warning_at_its_position(tmp_path, name):
    text, line, message = WARNINGS[name]
    (tmp_path / "proxy.conf").write_text(text)
    done = command("check", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"./proxy.conf:{line}:") and ": warning: " in done.stderr
    assert message in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("text", [
    "access_log: { path: logs/access.log }\n" + PLAIN,
    "listen: 127.0.0.1:8080\nroutes:\n" + route("http://127.0.0.1:8081"),
    "routes:\n" + route("http://127.0.0.1:9000", rate="1/hour", timeouts="{ pause: off }"),
    "routes:\n" + route("http://127.0.0.1:9000", rate="1/hour", overflow="drop_oldest"),
    "routes:\n" + route("http://127.0.0.1:9000", resume_window="5s", on_client_gone="continue"),
    "routes:\n" + route("http://127.0.0.1:9000", on_client_gone="cancel"),
    "routes:\n" + route("http://127.0.0.1:9000", shared="{ retain: { bytes: 64KiB } }", headers="{ request: { remove: [a] } }"),
    "routes:\n" + route("http://127.0.0.1:9000", match='{ path: /, headers: { Authorization: "Bearer a" } }',
                        shared="{ key: authorization }"),
])
def test_what_is_meant_gets_no_warning(tmp_path, text):
    (tmp_path / "logs").mkdir()
    (tmp_path / "proxy.conf").write_text(text)
    done = command("check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_file_is_an_argument_or_standard_input(tmp_path):
    (tmp_path / "edge.conf").write_text(PLAIN)
    done = command("check", "edge.conf", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "edge.conf is valid: 1 route\n")
    done = command("check", "-", cwd=tmp_path, input=PLAIN)
    assert (done.returncode, done.stdout) == (0, "standard input is valid: 1 route\n")
    done = command("check", "-", cwd=tmp_path, input="workerz: 2\n" + PLAIN)
    assert done.returncode == 1 and done.stderr.startswith("standard input:1:1: unknown key")


def test_json_reports_errors_and_warnings_alike(tmp_path):
    done = command("check", "--json", "-", input="workerz: 2\n" + PLAIN)
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr, report["valid"]) == (1, "", False)
    assert report["problems"] == [{"severity": "error", "line": 1, "column": 1,
                                   "message": "unknown key `workerz`: did you mean `workers`?"}]
    report = json.loads(command("check", "--json", "-", input=WARNINGS["wildcard"][0]).stdout)
    assert (report["valid"], report["routes"], report["problems"][0]["severity"]) == (True, 1, "warning")
    missing = command("check", "--json", "missing.conf", cwd=tmp_path)
    assert missing.returncode == 1 and "does not exist" in json.loads(missing.stdout)["problems"][0]["message"]


def test_the_effective_configuration_is_printed_and_has_the_same_effect():
    printed = command("check", "--print", "-", input="limits: { max_streams: \"${COUNT}\" }\n" + PLAIN, env={"COUNT": "50"})
    assert printed.returncode == 0 and "max_streams: 50\n" in printed.stdout and "connect: 5s\n" in printed.stdout
    again = command("check", "--print", "-", input=printed.stdout)
    assert (again.returncode, again.stdout, again.stderr) == (0, printed.stdout, "")


def test_an_invalid_configuration_and_secrets_are_not_printed():
    secret = "admin_token: ${TOKEN}\n" + PLAIN
    printed = command("check", "--print", "-", input=secret, env={"TOKEN": "0123456789abcdef"})
    assert "admin_token: secret-not-shown\n" in printed.stdout and "0123456789abcdef" not in printed.stdout
    wrong = command("check", "--print", "-", input="workerz: 2\n" + secret, env={"TOKEN": "0123456789abcdef"})
    assert (wrong.returncode, wrong.stdout) == (1, "") and "unknown key `workerz`" in wrong.stderr
    warned = command("check", "--print", "-", input=WARNINGS["wildcard"][0])
    assert warned.returncode == 0 and ": warning: " in warned.stderr and warned.stdout.startswith("listen:\n")
    assert command("check", "--print", "--json", "-", input=PLAIN).returncode == 64


@pytest.mark.parametrize("content, words", [
    (None, "cannot be read"), ("no certificate", "certificate")])
def test_the_authority_of_redis_is_read(tmp_path, content, words):
    if content:
        (tmp_path / "redis-ca.pem").write_text(content)
    (tmp_path / "proxy.conf").write_text(
        "replicas: { redis: 'rediss://127.0.0.1', ca_file: redis-ca.pem }\nroutes:\n"
        + route("http://127.0.0.1:9000", streams="{ per_client: 1, scope: replicas }") + "\n")
    done = command("check", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("./proxy.conf:1:") and "`replicas.ca_file` is `redis-ca.pem`: " in done.stderr
    assert words in done.stderr
