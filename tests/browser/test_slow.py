"""On a slow network the first view comes in few bytes, and nothing moves while the rest comes."""

import pytest

pytestmark = pytest.mark.built

SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""Milliseconds, bytes a second."""
SHIFTS = """
globalThis.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries()) {
    const moved = sources.map(({ node }) => node?.outerHTML?.slice(0, 80));
    if (!hadRecentInput) shifts.push([value, ...moved]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
IS_COMPLETE = """document.readyState !== "loading" && [...document.images].every((one) => {
    const { top, bottom, width } = one.getBoundingClientRect();
    return one.complete || !width || bottom < 0 || top > innerHeight;
})"""
HOME = 600_000
"""Bytes, nothing compressed on the way, until every picture of the first screen is there."""
PHOTO = 1_000_000
"""The same for a photo's page: half of it are the photos to turn to, a third the programs."""
FIRST_MAPS = 1_500_000
"""The same until the channels of the first layer are there, which come as one sheet."""


@pytest.fixture
def slow(chromium):
    """A page on a slow network, and a function that says how many bytes it got."""
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    context.add_init_script(SHIFTS)
    page = context.new_page()
    page.set_default_timeout(120_000)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)
    parts = []
    session.on("Network.dataReceived", lambda event: parts.append(event["dataLength"]))
    yield page, lambda: sum(parts)
    page.wait_for_timeout(1000)  # shifts are told a while after they happened
    shifts = page.evaluate("shifts")
    context.close()
    assert sum(value for value, *_ in shifts) < 0.02, shifts


def test_the_first_view_of_the_home_page_takes_little(slow, address):
    page, received = slow
    page.goto(f"{address}index.html", wait_until="commit")
    page.locator(".site-footer").wait_for(state="attached")
    while not page.evaluate(IS_COMPLETE):
        page.wait_for_timeout(100)
    assert 20_000 < received() < HOME
    pictures = page.locator(".rows img")
    waiting = pictures.evaluate_all("all => all.filter((one) => one.loading !== 'lazy').length")
    assert waiting == 0


def test_the_maps_of_a_photo_come_in_their_place(slow, address, photo):
    page, received = slow
    page.set_viewport_size({"width": 1280, "height": 1000})  # which shows some of the explorer
    page.goto(address + photo, wait_until="commit")
    page.locator(".site-footer").wait_for(state="attached")
    while not page.evaluate(IS_COMPLETE):
        page.wait_for_timeout(100)
    assert 20_000 < received() < PHOTO
    page.locator("feature-explorer:not([data-stale]) channel-grid button").first.wait_for()
    assert received() < FIRST_MAPS
