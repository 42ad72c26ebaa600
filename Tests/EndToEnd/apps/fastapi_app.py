"""An orders API as FastAPI's documentation would write it: StreamingResponse over generators.

Beside the orders it has what a proxy's tests need: a stream without end that counts what it makes, one that breaks off,
a slow head, bodies of every kind.
"""
import asyncio
import collections
import gzip
import hashlib
import json

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

app = FastAPI()
NDJSON = "application/x-ndjson"
made = collections.Counter()  # records, by the tag of the request that asked for them
begun = collections.Counter()  # generators
ended = collections.Counter()  # generators that are over


def order(number):
    fields = {"orderId": number, "status": "shipped", "customer": f"Zoë {number}", "total": number * 3}
    return json.dumps(fields) + "\n"


@app.get("/v1/orders/stream")
async def stream_orders(items: int = 10_000):
    async def lines():
        for number in range(1, items + 1):
            yield order(number)

    return StreamingResponse(lines(), media_type=NDJSON, headers={"X-Stream-Total-Items": str(items)})


@app.get("/v1/orders/events")
async def order_events(request: Request, items: int = 10_000, after: int = 0):
    """Server-sent events; with `after`, it breaks off after this number."""
    first = int(request.headers.get("last-event-id", 0)) + 1

    async def blocks():
        yield "retry: 250\r\n\r\n"
        for number in range(first, items + 1):
            if after and number == first + after:
                raise RuntimeError("the database has gone away")
            yield f": order {number}\r\nid: {number}\r\nevent: order\r\ndata: {order(number).strip()}\r\n\r\n"

    return StreamingResponse(blocks(), media_type="text/event-stream")


@app.get("/v1/compressed/events")
async def compressed_events(request: Request, items: int):
    """Compressed for clients that accept it, as by a middleware without support for streams."""
    body = "".join(f"data: {order(number).strip()}\n\n" for number in range(1, items + 1)).encode()
    headers = {}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    return Response(body, media_type="text/event-stream", headers=headers)


@app.api_route("/v1/digest", methods=["POST", "PUT", "PATCH", "DELETE"])
async def digest(request: Request):
    """What came of a body, read as it comes."""
    found, length = hashlib.sha256(), 0
    async for part in request.stream():
        found.update(part)
        length += len(part)
    return {"method": request.method, "sha256": found.hexdigest(), "length": length,
            "declared": request.headers.get("content-length"), "coding": request.headers.get("transfer-encoding")}


@app.get("/v1/orders/sequence")
async def order_sequence(items: int = 10_000):
    async def texts():
        for number in range(1, items + 1):
            yield "\x1e" + json.dumps(json.loads(order(number)), indent=2) + "\n"

    return StreamingResponse(texts(), media_type="application/json-seq")


@app.get("/v1/orders/{number}")
async def one_order(number: int):
    return {"orderId": number, "status": "shipped"}


@app.get("/v1/firehose")
async def firehose(tag: str):
    async def lines():
        number = 0
        begun[tag] += 1
        try:
            while True:
                number += 1
                made[tag] += 1
                yield json.dumps({"orderId": number, "note": "x" * 200}) + "\n"
                await asyncio.sleep(0)  # without it no other request is served, nor a disconnect noticed
        finally:
            ended[tag] += 1

    return StreamingResponse(lines(), media_type=NDJSON)


@app.get("/v1/breaks-off")
async def breaks_off(after: int):
    async def lines():
        for number in range(1, after + 1):
            yield order(number)
        raise RuntimeError("the database has gone away")

    return StreamingResponse(lines(), media_type=NDJSON)


@app.get("/v1/slow")
async def slow(seconds: float):
    await asyncio.sleep(seconds)
    return {"waited": seconds}


@app.get("/v1/nothing", status_code=204)
async def nothing():
    return Response(status_code=204)


@app.get("/v1/cached")
async def cached(request: Request):
    tag = '"v1"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return JSONResponse({"cached": True}, headers={"ETag": tag})


@app.api_route("/v1/large", methods=["GET", "HEAD"])
async def large(size: int):
    return Response(b"y" * size, media_type="application/octet-stream")


@app.api_route("/v1/echo", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def echo(request: Request):
    raw = request.scope["raw_path"].decode()
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers.raw]
    return {"method": request.method, "path": raw, "query": request.url.query, "headers": headers}


@app.get("/stats")
async def stats(tag: str):
    return {"made": made[tag], "begun": begun[tag], "ended": ended[tag]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=0, log_level="info", access_log=False)
