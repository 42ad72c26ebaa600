"""`weir plan`: its tables, its JSON, and what it says about values that it cannot use."""
import json

import pytest

from harness.weir import command, route

ONE = "routes:\n" + route("http://127.0.0.1:9000", streams="{ per_route: 40 }", client_tier="{ header: X-Tier }",
                          tiers="{ gold: { rate: 5/second } }") + "\n"
TWO = "routes:\n" + route("http://127.0.0.1:9000", match="/a") + "\n" + route("http://127.0.0.1:9000", match="/b", framing="none")
LOAD = ["--clients", "50", "--rate", "20/second"]


def plan(*arguments, text=ONE):
    return command("plan", "-c", "-", *arguments, input=text)


def test_the_first_limit_is_named_with_its_time():
    done = plan(*LOAD, "--starts", "10/second")
    assert (done.returncode, done.stderr) == (0, "")
    assert "40 streams admitted, 10 rejected" in done.stdout
    assert "First: streams.per_route." in done.stdout.splitlines()
    report = json.loads(plan(*LOAD, "--starts", "10/second", "--json").stdout)
    assert (report["first"], report["admitted"], report["rejected"]) == ("streams.per_route", 40, 10)
    assert report["reached"][0] == {"limit": "streams.per_route", "effect": "rejects", "after": 4.0, "count": 10}
    assert report["openStreams"]["peak"] == 40 and report["cpuCores"]["peak"] > 0 < report["memoryBytes"]["peak"]


def test_a_tier_and_a_pace_are_those_of_the_route():
    report = json.loads(plan(*LOAD, "--tier", "gold", "--json").stdout)
    assert report["rate"] == "5/second"
    assert {each["limit"] for each in report["reached"]} == {"streams.per_route", "rate", "buffer"}


@pytest.mark.parametrize("arguments, fault", [
    (["--rate", "20/second"], "--clients"),
    (["--clients", "0", "--rate", "20/second"], "--clients must be from 1"),
    (["--clients", "50", "--rate", "20"], "allowed: a rate such as 20/second"),
    ([*LOAD, "--slow", "1.5"], "allowed: a percentage such as 10%"),
    ([*LOAD, "--record-size", "1"], "--record-size must be from 2 to 16MiB"),
    ([*LOAD, "--duration", "25h"], "--duration must be from 1s to 24h"),
    ([*LOAD, "--streams", "101"], "--streams must be from 1 to 100"),
    ([*LOAD, "--route", "/c"], "there is no route /c; the routes are /"),
    ([*LOAD, "--tier", "tin"], "the route has no tier tin; its tiers are gold"),
])
def test_what_it_cannot_use_is_an_error(arguments, fault):
    done = plan(*arguments)
    assert done.returncode == 64 and fault in done.stderr and done.stdout == ""


def test_the_route_is_named_if_there_are_several():
    done = plan(*LOAD, text=TWO)
    assert done.returncode == 64 and "--route is missing; the routes are /a, /b" in done.stderr
    assert plan(*LOAD, "--route", "/a", text=TWO).returncode == 0
    done = plan(*LOAD, "--route", "/b", text=TWO)
    assert done.returncode == 64 and "no streams" in done.stderr


def test_an_invalid_configuration_has_no_plan():
    done = plan(*LOAD, text="workerz: 1\n" + ONE)
    assert done.returncode == 1 and "standard input:1:1: unknown key" in done.stderr
