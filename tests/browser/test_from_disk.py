"""Opened from a disk, without a server, every page can be read, with scripts allowed or not."""

import re
from urllib.parse import unquote, urlsplit

import pytest
from checked import MODEL

pytestmark = pytest.mark.built

BLOCKED = re.compile(
    r"from origin 'null' has been blocked by CORS|Failed to load resource: net::ERR_FAILED"
)


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def from_disk(request, chromium, site):
    """Return a function that opens a path of the site as a file, and its faults."""
    context = chromium.new_context(
        java_script_enabled=request.param, viewport={"width": 1280, "height": 900}
    )
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))

    def open_(path):
        page.goto((site.resolve() / path).as_uri())
        return page

    yield open_, faults
    context.close()
    assert [fault for fault in faults if not BLOCKED.search(fault)] == [], (
        "a policy refused something"
    )


def test_every_page_shows_its_words_and_pictures_and_its_links_lead_to_pages(
    from_disk, site, photo
):
    open_, _ = from_disk
    paths = [path.name for path in sorted(site.glob("*.html")) if path.name != "404.html"]
    own = f"{MODEL}/your-photo.html"
    for path in [*paths, photo, f"{MODEL}/embed.html", *([own] if (site / own).is_file() else [])]:
        page = open_(path)
        assert page.locator("h1").first.is_visible(), path
        assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px", "has its style"
        broken = page.evaluate(
            "[...document.images].filter((one) => one.getAttribute('src') && one.complete"
            " && !one.naturalWidth).map((one) => one.src)"
        )
        assert broken == [], path
        links = page.evaluate("[...document.links].map((one) => one.href)")
        assert links
        folder = site.resolve()
        for link in links:
            parts = urlsplit(link)
            if parts.scheme == "file":
                target = unquote(parts.path)
                assert target.startswith(str(folder)), link
                assert (folder / target).is_file(), f"{link} is no file: no server names an index"
            else:
                assert parts.scheme == "https", link


def test_a_photo_has_all_its_layers_and_says_what_the_explorer_needs(from_disk, photo):
    open_, _ = from_disk
    page = open_(photo)
    plain = page.locator(".plain-layers")
    plain.wait_for()
    assert page.locator(".answers li").count() == 5
    first, last = plain.locator("summary").first, plain.locator("summary").last
    overview = page.locator(".overview").bounding_box()
    gap = plain.bounding_box()["y"] - overview["y"] - overview["height"]
    assert gap < 250, "an empty screen waits for a program that never comes"
    for summary in (first, last):
        summary.click()
    assert page.locator(".sheet").first.is_visible()
    assert plain.locator("p", has_text="make serve").is_visible()
    before = page.locator("h1").inner_text()
    page.locator(".filmstrip [data-image]:not([aria-current])").first.click()
    page.locator(".plain-layers").wait_for()
    assert page.locator("h1").inner_text() != before


def test_the_page_of_own_photos_says_what_it_needs_and_offers_nothing_that_does_nothing(
    from_disk, site
):
    if not (site / f"{MODEL}/your-photo.html").is_file():
        pytest.skip("this model has no copy for browsers")
    open_, _ = from_disk
    page = open_(f"{MODEL}/your-photo.html")
    page.locator(".own-needs", has_text="make serve").wait_for()
    assert page.locator(".own-give").is_hidden()
    assert page.locator(".own-explored").is_hidden()
