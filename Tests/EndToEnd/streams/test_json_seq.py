"""The texts of a JSON sequence (RFC 7464) are records: metered, queued, dropped, counted and logged like lines."""
import functools

import pytest

from harness.addresses import numbers
from harness.json_seq import RS, SEQ_HEAD, TRUNCATED, elements, text
from harness.streams import HeldRecords, held, release, sends
from harness.weir import route

ACCEPT = "Accept: application/json-seq"


sends_texts = functools.partial(sends, head=SEQ_HEAD)


def held_stream(weir, origin, client, script, *fields, **keys):
    """Opens a sequence that its client pauses after the first record."""
    return held(lambda url: route(url, upstream_receive_buffer="32KiB", **keys), weir, origin, client, script,
                ACCEPT, *fields, read=elements)


def test_every_text_of_a_real_server_arrives(weir, client, app):
    proxy = weir(route(app.url))
    response = client(proxy).get("/v1/orders/sequence?items=3000", ACCEPT, "TE: trailers")
    assert (response.status, response.head["Content-Type"]) == (200, "application/json-seq")
    assert response.head["X-Stream-Rate"] == "unlimited"
    assert numbers(elements(response)) == list(range(1, 3001))
    assert ("X-Stream-Items", "3000") in response.trailers
    line = proxy.logged(reason="completed")
    assert (line["records"], line["bytes"]) == (3000, len(response.body))


def test_texts_leave_at_the_granted_pace(weir, client, app):
    proxy = weir(route(app.url, rate="{ default: 20/second }"))
    response = client(proxy).get("/v1/orders/sequence?items=12", ACCEPT)
    got = list(elements(response))
    assert numbers(got) == list(range(1, 13))
    assert response.keeps_pace(got[-1], 11, 0.05)


PECULIAR = [
    RS + b'{"a":1}\n', RS + b'{\n "a": [\n1\n]\n}\n', RS * 3 + b'"x\\"{["\n', RS + b"12\n\r\n", RS + b"true\r\n",
    RS + b'{"cut":', RS + b"[]\n", RS + b"tru", RS + b'"\0\xff\xc3("\n', RS + b"[1,\n\n2]\n", RS + b"null",
]


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("framing", ["auto", "json-seq"])
def test_bytes_pass_as_they_are_however_they_are_cut(weir, origin, client, size, framing):
    body = b"".join(PECULIAR)
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    proxy = weir(route(origin(sends_texts(*parts)).url, framing=framing))
    response = client(proxy).get("/", ACCEPT)
    assert (response.read(), response.complete) == (body, True)
    line = proxy.logged(reason="completed")
    assert (line["records"], line["bytes"]) == (len(PECULIAR), len(body))


def test_a_truncated_text_passes_unchanged(weir, origin, client):
    proxy = weir(route(origin(sends_texts(RS + b'{"a":', text(2))).url, rate="{ default: 20/second }"))
    response = client(proxy).get("/", ACCEPT)
    truncated, whole = elements(response)
    assert (truncated.value, whole.number, response.complete) == (TRUNCATED, 2, True)
    assert proxy.logged(reason="completed")["records"] == 2


def test_a_text_leaves_with_its_line_feed_and_not_with_the_next(weir, origin, client):
    script = HeldRecords(2, lambda number: text(number, indent=2), head=SEQ_HEAD)
    proxy = weir(route(origin(script).url))
    response = client(proxy).get("/", ACCEPT)
    incoming = elements(response)
    assert next(incoming).number == 1  # the second is not there yet
    script.go.set()
    assert next(incoming).number == 2  # nor is the end
    script.over.set()
    assert not list(incoming) and response.complete


def test_an_unfinished_text_of_a_sequence_that_broke_off_does_not_pass(weir, origin, client):
    proxy = weir(route(origin(sends_texts(text(1), RS + b'{"orderId"', end=b"")).url))
    response = client(proxy).get("/", ACCEPT)
    assert (response.read(), response.complete) == (text(1), False)
    assert proxy.logged(reason="upstream_failed")["records"] == 1


def test_a_failure_is_reported_as_one_more_text(weir, origin, client):
    proxy = weir(route(origin(sends_texts(text(1), RS + b'{"orderId"', end=b"")).url))
    response = client(proxy).get("/", ACCEPT, "Prefer: stream-notices")
    first, notice = elements(response)
    assert first.number == 1
    assert (notice.value["type"].rpartition("/")[2], notice.value["records"]) == ("bad-upstream", 0)
    assert response.complete is False
    line = proxy.logged(reason="upstream_failed")
    assert (line["records"], line["bytes"]) == (1, len(response.body))


def test_a_text_larger_than_allowed_is_the_upstreams_error(weir, origin, client):
    proxy = weir(route(origin(sends_texts(text(1), text(2, 5000, indent=1), text(3))).url, buffer="{ max_record_bytes: 4KiB }"))
    response = client(proxy).get("/", ACCEPT)
    assert (numbers(elements(response)), response.complete) == ([1], False)
    assert proxy.logged(reason="upstream_failed")["problem"] == "bad-upstream"


@pytest.mark.parametrize(("policy", "kept"), [("drop_oldest", range(1992, 2002)), ("drop_newest", range(2, 12))])
def test_a_full_queue_drops_texts_as_it_drops_lines(weir, origin, client, policy, kept):
    script = HeldRecords(2001, lambda number: text(number, 500, indent=2), head=SEQ_HEAD)
    response, incoming, address = held_stream(
        weir, origin, client, script, "Prefer: stream-notices", overflow=policy, buffer="{ default: 10 }")
    script.go.set()
    assert address.seen(2001)["dropped"] == 1990
    got = [each.value for each in release(script, incoming, address)]
    assert [value["orderId"] for value in got if "orderId" in value] == list(kept)
    assert sum(value["records"] for value in got if "orderId" not in value) == 1990
    assert response.complete
