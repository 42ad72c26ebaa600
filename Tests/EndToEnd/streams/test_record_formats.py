"""Server-sent events and the texts of a JSON sequence in common: keys in their data, and resumption."""
import dataclasses
import itertools
import json
from collections.abc import Callable

import pytest

from harness.addresses import numbers
from harness.event_stream import SSE_HEAD, event, events
from harness.json_seq import RS, SEQ_HEAD, elements, text
from harness.streams import HeldRecords, StreamAddress, held, release
from harness.weir import route


@dataclasses.dataclass
class Format:
    accept: str
    head: bytes
    make: Callable  # the record with a number
    read: Callable  # the records of a response


SSE = Format("Accept: text/event-stream", SSE_HEAD, event, events)
SEQUENCE = Format("Accept: application/json-seq", SEQ_HEAD, text, elements)


def keyed(number, indent):
    return json.dumps({"orderId": number, "k": number % 5}, indent=indent)


def keyed_event(indent):
    """An event for each number; with an indent its data has several lines."""
    def make(number):
        lines = keyed(number, indent).encode().split(b"\n")
        return b"id: %d\n" % number + b"".join(b"data: %b\n" % line for line in lines) + b"\n"
    return make


def keyed_text(indent):
    return lambda number: RS + keyed(number, indent).encode() + b"\n"


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(("form", "make"), [(SSE, keyed_event), (SEQUENCE, keyed_text)], ids=["sse", "json-seq"])
def test_latest_goes_by_a_key_in_the_data(weir, origin, client, form, make, indent):
    script = HeldRecords(1001, make(indent), head=form.head)
    response, records, address = held(
        lambda url: route(url, overflow="latest", key="/k", buffer="{ default: 10 }", upstream_receive_buffer="32KiB"),
        weir, origin, client, script, form.accept, read=form.read)
    script.go.set()
    address.seen(1001)
    got = numbers(release(script, records, address))
    assert set(range(997, 1002)) <= set(got)
    assert len(got) <= 10 and got == sorted(got)
    assert response.complete


@pytest.mark.parametrize("form", [SSE, SEQUENCE], ids=["sse", "json-seq"])
def test_a_client_that_returns_gets_the_rest(weir, origin, client, form):
    script = HeldRecords(40, form.make, head=form.head)
    proxy = weir(route(origin(script).url, resume_window="20s", buffer="{ default: 100 }"))
    first = client(proxy)
    response = first.get("/", form.accept)
    script.go.set()
    got = list(itertools.islice(form.read(response), 25))
    address = StreamAddress(proxy, response)
    first.close()
    again = client(proxy).get("/", form.accept, f"X-Stream-Resume: {address.id}; after=20")
    assert again.status == 200
    script.over.set()
    assert numbers(form.read(again)) == list(range(21, 41))
    assert numbers(got) == list(range(1, 26))
    assert address.logged("completed")["records"] == 40
