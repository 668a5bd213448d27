"""The top of a photo's page: what is drawn over the photo lies on the photo, whatever its shape."""

import pytest
from accessibility import violations
from checked import MODEL

from precompute.index import read_entry, read_index

pytestmark = pytest.mark.built


def box_of(page, selector):
    """Return the left, top, width and height of an element, in CSS pixels."""
    box = page.locator(selector).bounding_box()
    return [box[side] for side in ("x", "y", "width", "height")]


@pytest.mark.parametrize("width", [320, 1280])
def test_the_marks_of_every_photo_lie_on_it(visit, photo, site, width):
    page = visit(photo, viewport={"width": width, "height": 900}, java_script_enabled=False).page
    off = {}
    for image in read_index(site / MODEL / "data").images:
        page.goto(page.url.rsplit("/", 1)[0] + f"/{image.id}.html")
        shown, marks = box_of(page, ".photo"), box_of(page, ".photo-marks")
        if marks != pytest.approx(shown, abs=1):
            off[image.id] = shown, marks
    assert off == {}


def test_the_evidence_lies_on_what_the_network_sees(visit, site):
    """On the photo that is narrowest for its height, which does not fill its column."""
    data = site / MODEL / "data"
    entries = [read_entry(data, image.id) for image in read_index(data).images]
    entry = min(entries, key=lambda one: one.width / one.height)
    if not entry.evidence:
        pytest.skip("this network has no class evidence")
    page = visit(f"{MODEL}/{entry.id}.html#answer=0").page
    page.locator(".evidence-map").wait_for()
    left, top, width, height = box_of(page, ".photo")
    sides = zip(
        entry.crop, [left, top] * 2, [width / entry.width, height / entry.height] * 2, strict=True
    )
    x0, y0, x1, y1 = (start + side * scale for side, start, scale in sides)
    found = box_of(page, ".evidence-map")
    assert found == pytest.approx([x0, y0, x1 - x0, y1 - y0], abs=1)


def explorer_top(page):
    return page.evaluate("document.querySelector('feature-explorer').getBoundingClientRect().top")


def turned(page, press):
    """Do what leads to another photo's page, and wait until its channels are there."""
    before = page.url.split("#")[0]
    press()
    page.wait_for_url(lambda url: url.split("#")[0] != before)
    page.locator("channel-grid button").first.wait_for()
    page.wait_for_load_state("networkidle")


@pytest.fixture
def several(site):
    if len(read_index(site / MODEL / "data").images) < 2:
        pytest.skip("there is no other photo")


@pytest.mark.parametrize("scrolled", [0, 300])
def test_the_next_photo_opens_at_the_same_place_of_its_maps(visit, photo, several, scrolled):
    page = visit(photo).page
    page.locator("channel-grid button").first.wait_for()
    page.evaluate("document.querySelector('.explorer').scrollIntoView()")
    page.evaluate(f"scrollBy(0, {scrolled})")
    before = explorer_top(page)
    turned(page, lambda: page.keyboard.press("n"))
    assert explorer_top(page) == pytest.approx(before, abs=2)


def test_who_looks_at_the_photo_sees_the_top_of_the_next(visit, photo, several):
    page = visit(photo).page
    page.locator("channel-grid button").first.wait_for()
    page.evaluate("document.querySelector('.explorer').scrollIntoView()")
    turned(page, lambda: page.keyboard.press("n"))
    page.evaluate("scrollTo(0, 0)")
    turned(page, lambda: page.locator(".filmstrip [rel=prev]").click())
    assert page.evaluate("scrollY") == 0


def test_a_channel_of_the_evidence_is_shown(visit, photo, site):
    """It is below the window when its link is clicked, and what was chosen before is kept."""
    page = visit(f"{photo}#answer=0&scale=channel", viewport={"width": 1280, "height": 700}).page
    if not page.locator(".answers button").count():
        pytest.skip("this network has no class evidence")
    link = page.locator(".contributions a").first
    channel = link.inner_text().removeprefix("channel ")
    link.click()
    shown = page.locator("channel-inspector h3")
    shown.get_by_text(f"Channel {channel} of ").wait_for()
    assert shown.evaluate("one => one.getBoundingClientRect().top") < 700
    assert "scale=channel" in page.url
    page.go_back()
    shown.get_by_text(f"Channel {channel} of ").wait_for(state="detached")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_no_channel_passes_is_said(visit, photo, scheme):
    page = visit(photo, color_scheme=scheme).page
    page.locator('[data-setting="above"]').fill("1e9")
    page.locator("channel-grid p").wait_for()
    assert "No channel" in page.locator("channel-grid").inner_text()
    assert page.locator(".count").inner_text().startswith("0 of")
    assert violations(page) == []
    page.locator('[data-setting="above"]').fill("")
    page.locator("channel-grid button").first.wait_for()
    assert page.locator("channel-grid p").count() == 0
