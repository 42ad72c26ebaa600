"""The orders API as Django's documentation would write it: StreamingHttpResponse over a generator; django_app.py wsgi|asgi.

On gunicorn with threads (WSGI) or on uvicorn (ASGI), where the generator has to be an asynchronous one.
"""
import asyncio
import collections
import json
import os
import sys

import django
import gunicorn.app.base
import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path

IS_ASYNC = sys.argv[1] == "asgi"
NDJSON = "application/x-ndjson"
made = collections.Counter()  # records, by the tag of the request that asked for them
ended = collections.Counter()  # generators that are over


def order(number):
    fields = {"orderId": number, "status": "shipped", "customer": f"Zoë {number}", "total": number * 3}
    return json.dumps(fields) + "\n"


def note(number, tag):
    made[tag] += 1
    return json.dumps({"orderId": number, "note": "x" * 200}) + "\n"


def streamed(lines, content_type=NDJSON):
    """The lines, as the server likes to have them."""
    async def asynchronous():
        try:
            for line in lines:
                yield line
                await asyncio.sleep(0)  # without it no other request is served, nor a disconnect noticed
        finally:
            lines.close()

    return StreamingHttpResponse(asynchronous() if IS_ASYNC else lines, content_type=content_type)


def stream_orders(request):
    return streamed(order(number) for number in range(1, int(request.GET.get("items", 10_000)) + 1))


def order_events(request):
    items = int(request.GET.get("items", 10_000))
    return streamed((f"data: {order(number)}\n" for number in range(1, items + 1)), "text/event-stream")


def firehose(request):
    """Without an end; counts what it makes."""
    tag = request.GET["tag"]

    def lines():
        number = 0
        try:
            while True:
                number += 1
                yield note(number, tag)
        finally:
            ended[tag] += 1

    return streamed(lines())


def breaks_off(request):
    def lines():
        for number in range(1, int(request.GET["after"]) + 1):
            yield order(number)
        raise RuntimeError("the database has gone away")

    return streamed(lines())


def stats(request):
    tag = request.GET["tag"]
    return JsonResponse({"made": made[tag], "ended": ended[tag]})


settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of no use here", USE_TZ=True)
django.setup()
urlpatterns = [
    path("v1/orders/stream", stream_orders), path("v1/orders/events", order_events), path("v1/firehose", firehose),
    path("v1/breaks-off", breaks_off), path("stats", stats),
]


class Gunicorn(gunicorn.app.base.BaseApplication):
    """One worker, so that the counters are those of all requests."""

    def load_config(self):
        for name, value in {"bind": "127.0.0.1:0", "workers": 1, "threads": 8, "control_socket_disable": True}.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self):
        return get_wsgi_application()


if __name__ == "__main__":
    if IS_ASYNC:
        uvicorn.run(get_asgi_application(), host="127.0.0.1", port=0, lifespan="off", access_log=False)
    else:
        os.environ.pop("GUNICORN_CMD_ARGS", None)
        Gunicorn().run()
