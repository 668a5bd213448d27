"""The top of a photo's page: what is drawn over the photo lies on the photo, whatever its shape."""

import pytest

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
    for image in read_index(site / "resnet18" / "data").images:
        page.goto(page.url.rsplit("/", 1)[0] + f"/{image.id}.html")
        shown, marks = box_of(page, ".photo"), box_of(page, ".photo-marks")
        if marks != pytest.approx(shown, abs=1):
            off[image.id] = shown, marks
    assert off == {}


def test_the_evidence_lies_on_what_the_network_sees(visit, site):
    """On the photo that is narrowest for its height, which does not fill its column."""
    data = site / "resnet18" / "data"
    entries = [read_entry(data, image.id) for image in read_index(data).images]
    entry = min(entries, key=lambda one: one.width / one.height)
    if not entry.evidence:
        pytest.skip("this network has no class evidence")
    page = visit(f"resnet18/{entry.id}.html#answer=0").page
    page.locator(".evidence-map").wait_for()
    left, top, width, height = box_of(page, ".photo")
    sides = zip(
        entry.crop, [left, top] * 2, [width / entry.width, height / entry.height] * 2, strict=True
    )
    x0, y0, x1, y1 = (start + side * scale for side, start, scale in sides)
    found = box_of(page, ".evidence-map")
    assert found == pytest.approx([x0, y0, x1 - x0, y1 - y0], abs=1)
