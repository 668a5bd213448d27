"""A real Chromium, and the site behind a plain static server, under a sub-path."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from serving import serving

FLAGS = [
    "--no-sandbox",  # Chromium refuses to run as root with one, and CI often is root
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP plain.test 127.0.0.1",  # without https, and not this machine's name
    "--no-first-run",
]


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    with serving(site) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page whose every fault is written down: script errors, refused and failed requests."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.address = address
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    def _console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text}")

    def _failed(self, request) -> None:
        if "ERR_ABORTED" not in request.failure:  # that is the browser's own, on leaving a page
            self.faults.append(f"failed: {request.url}: {request.failure}")

    def _response(self, response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle")
        return self.page


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator:
    """Return a function that opens a path of the site; fails the test for any fault on the way."""
    opened: list[Watched] = []
    contexts = []

    def open_(path: str, **options) -> Watched:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        contexts.append(chromium.new_context(**options))
        opened.append(Watched(contexts[-1], address))
        opened[-1].open(path)
        return opened[-1]

    yield open_
    faults = [fault for watched in opened for fault in watched.faults]
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def photo(site: Path) -> str:
    """The path of the first photo's page."""
    from precompute.index import read_index

    return f"resnet18/{read_index(site / 'resnet18' / 'data').images[0].id}.html"
