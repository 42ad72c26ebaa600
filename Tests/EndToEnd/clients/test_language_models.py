"""Streams of tokens through weir, read by the packages of their services: nothing is lost, and each failure is one they report."""
import re
import signal
import subprocess
import threading
import time
import types

import anthropic
import httpx
import httpx_sse
import openai
import pytest

from harness.scripted_origin import LAST_CHUNK, chunk
from harness.streams import StreamAddress
from harness.waiting import eventually
from harness.weir import BINARY, REPOSITORY, command, route

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
WORDS = ["A ", "stream ", "of ", "tokens."]
TRUNCATED = "(?i)chunked|closed|incomplete|connection"  # as the packages report a body without its last chunk
ASKED = [{"role": "user", "content": "What is this?"}]


def event(text, kind=None):
    return chunk((f"event: {kind}\n" if kind else "").encode() + b"data: " + text.encode() + b"\n\n")


def openai_chunk(choices, usage="null"):
    return event('{"id":"c-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s],"usage":%s}' % (choices, usage))


def openai_events(total=40):
    words = [openai_chunk('{"index":0,"delta":{"content":"%s"},"finish_reason":null}' % word) for word in WORDS]
    return [*words, openai_chunk('{"index":0,"delta":{},"finish_reason":"stop"}'),
            openai_chunk("", '{"prompt_tokens":3,"completion_tokens":%d,"total_tokens":%d}' % (total, total + 3)), event("[DONE]")]


def anthropic_events(total=40):
    def typed(kind, members):
        return event('{"type":"%s"%s}' % (kind, members and "," + members), kind)

    start = typed("message_start", '"message":{"id":"m-1","type":"message","role":"assistant","model":"m","content":[],'
                  '"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}')
    words = [typed("content_block_delta", '"index":0,"delta":{"type":"text_delta","text":"%s"}' % word) for word in WORDS]
    return [start, typed("content_block_start", '"index":0,"content_block":{"type":"text","text":""}'), typed("ping", ""), *words,
            typed("content_block_stop", '"index":0'),
            typed("message_delta", '"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":%d}' % total),
            typed("message_stop", "")]


def serves(events, end=LAST_CHUNK):
    """A script: reads a request with its body, and responds with these events."""
    def script(peer):
        head = peer.read_head()
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        peer.take(length)
        peer.send(HEAD + b"".join(events) + end)
        peer.close()
    return script


def openai_route(url, **keys):
    return route(url, client_key="{ header: Authorization }", end_record='{ data: "[DONE]" }',
                 weight="{ pointer: /usage/completion_tokens, cumulative: true }", **keys)


def anthropic_route(url, **keys):
    return route(url, client_key="{ header: X-Api-Key }", end_record="{ pointer: /type, value: message_stop }",
                 weight="{ pointer: /usage/output_tokens, default: 1, cumulative: true }", **keys)


@pytest.fixture
def gpt():
    """A client of OpenAI's: gpt(url, key)."""
    opened = []

    def connect(url, key="mine"):
        opened.append(openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0, timeout=60))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


@pytest.fixture
def claude():
    """A client of Anthropic's: claude(url, key)."""
    opened = []

    def connect(url, key="mine"):
        opened.append(anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=60))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def completion(client, **options):
    """The text of a completion and its reported tokens."""
    text, tokens = "", None
    for part in client.chat.completions.create(model="m", messages=ASKED, stream=True, stream_options={"include_usage": True},
                                               **options):
        text += "".join(choice.delta.content or "" for choice in part.choices)
        tokens = part.usage.completion_tokens if part.usage else tokens
    return text, tokens


def message(client):
    """The text of a message and its reported tokens."""
    with client.messages.stream(model="m", max_tokens=100, messages=ASKED) as stream:
        text = "".join(stream.text_stream)
        return text, stream.get_final_message().usage.output_tokens


# OpenAI


def test_a_completion_arrives_whole_and_is_charged_by_its_tokens(weir, origin, gpt):
    proxy = weir(openai_route(origin(serves(openai_events(40))).url, rate="{ default: 1000/second }"))
    assert completion(gpt(proxy.url)) == ("".join(WORDS), 40)
    line = proxy.logged(reason="completed")
    assert (line["records"], line["units"]) == (7, 41)


def test_a_key_that_has_used_its_tokens_gets_the_time_to_return(weir, origin, gpt):
    proxy = weir(openai_route(origin(serves(openai_events(300))).url, streams="{ client_records: 10/second }"))
    before = time.monotonic()
    assert completion(gpt(proxy.url)) == ("".join(WORDS), 300)
    with pytest.raises(openai.RateLimitError) as refusal:
        completion(gpt(proxy.url))
    wait = int(refusal.value.response.headers["Retry-After"])
    assert 29 - (time.monotonic() - before) <= wait <= 30
    assert completion(gpt(proxy.url, "another")) == ("".join(WORDS), 300)


@pytest.mark.parametrize("end", [LAST_CHUNK, b""], ids=["complete by its framing", "broken off"])
def test_a_completion_without_its_end_is_an_error(weir, origin, gpt, end):
    proxy = weir(openai_route(origin(serves(openai_events()[:4], end)).url))
    with pytest.raises(Exception, match=TRUNCATED):
        completion(gpt(proxy.url))
    assert proxy.logged(reason="upstream_failed")["records"] == 4


def test_a_model_that_sends_no_token_in_time_is_a_gateway_timeout(weir, origin, gpt):
    def silent(peer):
        peer.read_head()
        peer.send(HEAD + chunk(b": the model is loading\n\n"))
        peer.wait_gone()

    proxy = weir(openai_route(origin(silent).url, timeouts="{ first_record: 300ms }"))
    with pytest.raises(openai.InternalServerError) as failure:
        completion(gpt(proxy.url))
    assert failure.value.status_code == 504


def test_the_package_tries_again_and_gets_another_model(weir, origin):
    def silent(peer):
        peer.read_head()
        peer.send(HEAD + chunk(b": the model is loading\n\n"))
        peer.wait_gone()

    urls = f"[{origin(silent).url}, {origin(serves(openai_events(40))).url}]"
    proxy = weir(openai_route(urls, balance="round_robin", timeouts="{ first_record: 300ms }", upstream_breaker="{ failures: 1, cooldown: 24h }"))
    with openai.OpenAI(base_url=proxy.url + "/v1", api_key="mine", max_retries=5, timeout=60) as client:
        for _ in range(4):
            assert completion(client) == ("".join(WORDS), 40)
    assert proxy.logged(status=504)["problem"] == "upstream-timeout"


def test_a_model_that_sends_no_token_in_time_is_replaced_by_another(weir, origin, gpt):
    attempts = []

    def script(peer):
        attempts.append(peer)
        if len(attempts) > 1:
            return serves(openai_events(40))(peer)
        peer.read_head()
        peer.send(HEAD + chunk(b": the model is loading\n\n"))
        peer.wait_gone()

    proxy = weir(openai_route(f"[{origin(script).url}, {origin(script).url}]", timeouts="{ first_record: 3s }",
                              retry="{ non_idempotent: true, max_body_bytes: 1MiB }"))
    assert completion(gpt(proxy.url)) == ("".join(WORDS), 40)  # whose package does not try again
    line = proxy.logged(reason="completed")
    assert (line["attempts"], line["records"], line["units"]) == (2, 7, 41)


# Anthropic


def test_a_message_arrives_whole_and_is_charged_by_its_tokens(weir, origin, claude):
    proxy = weir(anthropic_route(origin(serves(anthropic_events(40))).url, rate="{ default: 1000/second }", heartbeat="15s"))
    assert message(claude(proxy.url)) == ("".join(WORDS), 40)
    line = proxy.logged(reason="completed")
    assert (line["records"], line["units"]) == (10, 41)


def test_a_key_that_has_used_its_tokens_gets_an_error_of_anthropics_package(weir, origin, claude):
    proxy = weir(anthropic_route(origin(serves(anthropic_events(300))).url, streams="{ client_records: 10/second }"))
    assert message(claude(proxy.url)) == ("".join(WORDS), 300)
    with pytest.raises(anthropic.RateLimitError) as refusal:
        message(claude(proxy.url))
    assert 1 <= int(refusal.value.response.headers["Retry-After"]) <= 30


def test_a_message_without_its_end_is_an_error(weir, origin, claude):
    proxy = weir(anthropic_route(origin(serves(anthropic_events()[:-1])).url))
    with pytest.raises(Exception, match=TRUNCATED):
        message(claude(proxy.url))
    assert proxy.logged(reason="upstream_failed")["records"] == 9


# httpx-sse


def test_httpx_sse_reads_events_among_heartbeats(weir, origin):
    go = threading.Event()
    events = openai_events(5)

    def script(peer):
        peer.read_head()
        peer.send(HEAD + events[0])
        assert go.wait(60)
        peer.send(b"".join(events[1:]) + LAST_CHUNK)

    proxy = weir(openai_route(origin(script).url, heartbeat="100ms", pace="{ smooth: true }"))
    with httpx.Client(timeout=60) as client, httpx_sse.connect_sse(client, "GET", proxy.url + "/v1/chat/completions") as source:
        address = StreamAddress(proxy, types.SimpleNamespace(head=source.response.headers))
        first = len(events[0].partition(b"\r\n")[2]) - 2
        eventually(lambda: address.state()["bytes"] >= first + 3 * len(b":\n\n"), "three heartbeats")
        go.set()
        data = [each.data for each in source.iter_sse()]
    assert len(data) == 7 and data[-1] == "[DONE]"


# docs/LLM.md


def test_the_configuration_of_the_chapter_is_a_good_one(tmp_path):
    shown = re.search(r"```yaml\n(.*?)```", (REPOSITORY / "docs" / "LLM.md").read_text(), re.DOTALL).group(1)
    (tmp_path / "proxy.conf").write_text(shown)
    done = command("check", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def demo(tmp_path):
    """The address of a running demo."""
    with open(tmp_path / "output", "w") as output:
        process = subprocess.Popen([BINARY, "demo", "--port", "0", "--admin-port", "0"], stdout=output, stderr=output,
                                   stdin=subprocess.DEVNULL)
    try:
        said = (tmp_path / "output").read_text
        yield eventually(lambda: re.search(r"listening on (http://\S+)", said()), "the demo's address").group(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, said()
    finally:
        process.kill()
        process.wait()


def test_the_demo_speaks_as_a_service_for_language_models(demo, gpt):
    text, tokens = completion(gpt(demo), extra_query={"tokens": "9"})
    assert (text, tokens) == ("A stream is as fast as its slowest reader. ", 49)


def test_the_demo_charges_each_key_and_shows_failures(demo, gpt):
    assert completion(gpt(demo), extra_query={"tokens": "170"})[1] == 210
    with pytest.raises(openai.RateLimitError):
        completion(gpt(demo))
    with pytest.raises(openai.InternalServerError) as late:
        completion(gpt(demo, "patient"), extra_query={"silent": ""})
    assert late.value.status_code == 504
    with pytest.raises(Exception, match=TRUNCATED):
        completion(gpt(demo, "unlucky"), extra_query={"cut": "", "tokens": "8"})
