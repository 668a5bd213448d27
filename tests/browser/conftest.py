"""A real Chromium, and the site behind a plain static server, under a sub-path."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from checked import MODEL
from playwright.sync_api import Browser, sync_playwright
from serving import serving
from watched import Watched

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

    return f"{MODEL}/{read_index(site / MODEL / 'data').images[0].id}.html"
