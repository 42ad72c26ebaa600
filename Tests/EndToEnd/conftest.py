"""Fixtures: weir, its origins, and its clients; each stops all that it started."""
import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from harness.apps import App
from harness.h2_client import H2Client
from harness.raw_client import RawClient
from harness.scripted_origin import ScriptedOrigin
from harness.sockets import ReservedPort
from harness.weir import BINARY, Weir

PAGE_WITHIN = 60_000  # ms for anything that a page is waited for: a snapshot comes once a second


def pytest_sessionstart(session):
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"there is no weir at {BINARY}: build it, or name one in WEIR", returncode=2)


@pytest.fixture
def weir(tmp_path):
    """Starts a weir with these routes: weir(route(...), workers=2, args=["--waking", "aio"])."""
    running = []

    def start(*routes, args=(), environment=None, **top):
        folder = tmp_path / f"weir{len(running)}"
        folder.mkdir()
        running.append(Weir(folder, routes, top, args, environment))
        return running[-1]

    yield start
    faults = []
    for proxy in running:
        try:
            proxy.stop()
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "\n".join(faults)


@pytest.fixture
def origin():
    """Starts a scripted origin: origin(script)."""
    running = []

    def start(script, **options):
        running.append(ScriptedOrigin(script, **options))
        return running[-1]

    yield start
    for scripted in running:
        scripted.stop()


@pytest.fixture
def client():
    """Opens a raw connection to a weir: client(proxy)."""
    opened = []

    def connect(proxy, **options):
        opened.append(RawClient(proxy.port, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def reserved_port():
    """Reserves a port until the end of the test: reserved_port()."""
    reserved = []

    def reserve():
        reserved.append(ReservedPort())
        return reserved[-1]

    yield reserve
    for port in reserved:
        port.close()


@pytest.fixture
def refused(reserved_port):
    """The URL of a port at which nothing listens while the test runs."""
    return f"http://127.0.0.1:{reserved_port().number}"


def _app(name, factory):
    running = App(name, factory.mktemp(name))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def fastapi_app(tmp_path_factory):
    yield from _app("fastapi", tmp_path_factory)


@pytest.fixture(scope="session")
def express_app(tmp_path_factory):
    yield from _app("express", tmp_path_factory)


@pytest.fixture(params=["fastapi", "express"])
def app(request):
    """Two of the real upstreams in turn."""
    return request.getfixturevalue(f"{request.param}_app")


@pytest.fixture(scope="module", params=["fastapi", "express", "django", "django_async", "spring"])
def framework(request, tmp_path_factory):
    """All of them in turn."""
    yield from _app(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def browser():
    """Chromium, without a window."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: scripts/setup test"
    with sync_playwright() as playwright:
        # In a container Chromium cannot make a sandbox of its own, and shared memory is small.
        browser = playwright.chromium.launch(executable_path=chromium, timeout=120_000,
                                             args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def view(browser):
    """view(proxy) opens its live page; what the browser finds wrong with it, the policy included, fails the test."""
    contexts, wrong = [], []

    def view(proxy, fragment="", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PAGE_WITHIN)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
        page.wrong = wrong
        page.goto(proxy.admin + "/" + fragment)
        return page
    expect.set_options(timeout=PAGE_WITHIN)
    yield view
    for context in contexts:
        context.close()
    assert not wrong


@pytest.fixture
def h2():
    """Opens a connection of HTTP/2: h2(proxy, tls=..., window=...)."""
    opened = []

    def connect(proxy, **options):
        opened.append(H2Client(proxy.port, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()
