"""The commands of the chapter on sharing, as a reader types them, against `weir demo`."""
import json
import os
import re
import signal
import subprocess

import pytest

from harness.waiting import eventually
from harness.weir import BINARY, REPOSITORY

CHAPTER = REPOSITORY / "docs/SHARING.md"


def commands():
    """Those of `Try it`, in their order."""
    part = CHAPTER.read_text().partition("## Try it\n")[2].partition("\n## ")[0]
    return [line.strip() for line in part.splitlines() if line.startswith("    ")]


@pytest.fixture
def demo(tmp_path):
    """A running demo: what it does with a command of the chapter, whose ports it replaces with its own."""
    output, running = tmp_path / "output", []
    with open(output, "wb") as file:
        process = subprocess.Popen([BINARY, "demo", "--port", "0", "--admin-port", "0"], stdin=subprocess.DEVNULL,
                                   stdout=file, stderr=file)

    def found(what):
        assert process.poll() is None, output.read_text()
        return re.search(rf"{what} http://(127\.0\.0\.1:\d+)", output.read_text())

    def run(command):
        for written, what in (("127.0.0.1:8080", "listening on"), ("127.0.0.1:9090", "admin on")):
            command = command.replace(written, eventually(lambda: found(what), what)[1])
        running.append(subprocess.Popen(["bash", "-c", f"set -o pipefail; {command}"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True))
        return running[-1]

    yield run
    for each in running:
        if each.poll() is None:
            os.killpg(each.pid, signal.SIGKILL)
        each.wait()
        each.stdout.close()
    process.terminate()
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def orders(stream, count):
    """The numbers of the next orders that a curl prints."""
    return [json.loads(stream.readline())["orderId"] for _ in range(count)]


def head(stream):
    """The lines of a response's head that `curl -i` prints."""
    lines = []
    while line := stream.readline().strip().decode():
        lines.append(line)
    return lines


def test_the_commands_of_the_chapter_do_what_it_says(demo):
    first, second, slower, identified, metrics = commands()
    early = demo(first).stdout
    assert orders(early, 5) == [1, 2, 3, 4, 5]
    late = demo(second).stdout
    assert "Cache-Status: weir; fwd=uri-miss; collapsed" in head(late)
    assert orders(late, 1)[0] > 1
    slow = demo(slower).stdout
    lines = [json.loads(slow.readline())]
    while "orderId" in lines[-1]:
        assert len(lines) < 45, lines
        lines.append(json.loads(slow.readline()))
    following = json.loads(slow.readline())["orderId"]
    assert following == lines[-2]["orderId"] + lines[-1]["records"] + 1
    alone = demo(identified).stdout
    assert "Cache-Status: weir; fwd=bypass; detail=authorization" in head(alone)
    assert orders(alone, 1) == [1]

    def counted():
        printed = demo(metrics).communicate(timeout=60)[0].decode()
        found = dict(re.findall(r'^(weir_shared_\w+)\{route="/v1/orders/shared"\} (\d+)$', printed, re.MULTILINE))
        return (found.get("weir_shared_pulls"), found.get("weir_shared_readers")) == ("1", "3")
    eventually(counted, "one request with three readers")
