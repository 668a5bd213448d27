"""On paper a page holds what was chosen, and nothing that only a screen can use."""

import pytest

pytestmark = pytest.mark.built

CONTROLS = "button:visible, select:visible, input:visible, .filmstrip:visible, .layers:visible"
TILES = "channel-grid > button"
A4 = {"width": 680, "height": 1009}
"""What margins of 15 mm leave of it, CSS pixels."""


def printed(page):
    """Print the page, and show it as paper does."""
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print")
    page.set_viewport_size(A4)


def test_a_photo_is_printed_with_every_channel_and_no_controls(visit, photo):
    page = visit(f"{photo}#channel=1&answer=0", color_scheme="dark").page
    page.locator("channel-grid canvas").first.wait_for()
    page.wait_for_load_state("networkidle")
    blank = f"""() => [...document.querySelectorAll("{TILES} canvas")].filter((canvas) => {{
        const copy = new OffscreenCanvas(1, 1).getContext("2d", {{ willReadFrequently: true }});
        copy.drawImage(canvas, 0, 0);
        return copy.getImageData(0, 0, 1, 1).data[3] === 0;
    }}).length"""
    assert page.evaluate(blank) > 0, "every tile was in view: nothing is tested"
    printed(page)
    assert page.evaluate(blank) == 0
    controls = page.locator(CONTROLS)
    assert [one.get_attribute("data-channel") for one in controls.all()] == [
        tile.get_attribute("data-channel") for tile in page.locator(TILES).all()
    ]
    for shown in (
        ".photo",
        ".answers",
        "#layer-title",
        ".stage",
        ".readout",
        ".controls colour-bar",
    ):
        assert page.locator(shown).is_visible(), shown
    assert page.evaluate("document.documentElement.scrollWidth") == A4["width"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".inspector").evaluate("e => getComputedStyle(e).position") == "static"


def test_the_front_page_is_printed_with_one_line_a_photo(visit):
    page = visit("index.html").page
    printed(page)
    assert page.locator(CONTROLS).count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == A4["width"]
    for row in page.locator(".rows .row").all():
        assert row.bounding_box()["height"] < 70
