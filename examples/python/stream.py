"""Writes each record of a stream to standard output: python3 stream.py URL. The exit status is 0 only if all arrived."""
import sys
import time

import httpx

RETRIES = 10  # without a new record in between


def fail(reason):
    sys.exit(f"stream: {reason}")


def wait(response):
    """A rejection says when the next attempt can succeed: an earlier one would be rejected as well."""
    seconds = int(response.headers.get("Retry-After", "1"))
    print(f"stream: {response.status_code}, next attempt in {seconds} s", file=sys.stderr)
    time.sleep(seconds)


def follow(client, url, process):
    """Calls `process` with each record, once and in order, over as many connections as it takes."""
    stream, received, retries = None, 0, 0
    while retries <= RETRIES:
        retries += 1
        headers = {"X-Stream-Rate-Limit": "50/second"}
        if stream:
            headers["X-Stream-Resume"] = f"{stream}; after={received}"
        try:
            with client.stream("GET", url, headers=headers) as response:
                if response.status_code in (429, 503):
                    wait(response)
                    continue
                if response.status_code != 200:
                    fail(f"truncated after {received} records" if stream else f"status {response.status_code}")
                is_new, stream = not stream, response.headers.get("X-Stream-Id")
                for line in response.iter_lines():
                    if not line:
                        continue  # a heartbeat is no record
                    process(line)
                    received, retries = received + 1, 0
                    if is_new and stream:  # weir then sends at most one record in this time
                        is_new = False
                        client.post(f"/v1/streams/{stream}/feedback", json={"processingDelay": "5ms"})
                return received  # httpx raises an error unless the response was complete
        except httpx.TransportError as error:
            print(f"stream: {error!r} after {received} records", file=sys.stderr)
            if received and not stream:
                fail(f"truncated after {received} records")
            time.sleep(0.1)
    fail(f"gave up after {received} records")


if __name__ == "__main__":
    url = httpx.URL(sys.argv[1])
    with httpx.Client(base_url=url.copy_with(raw_path=b"/"), timeout=httpx.Timeout(10, read=60)) as client:
        total = follow(client, url, lambda record: print(record, flush=True))
    print(f"stream: complete, {total} records", file=sys.stderr)
