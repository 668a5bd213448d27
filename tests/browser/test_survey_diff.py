"""The page that compares two surveys, in a real browser: it serves everybody."""

import pytest
from accessibility import violations
from compared_models import survey_all
from serving import serving
from several import MAIN, NAMES, TWIN, build

PAGE = f"compare/surveys/{MAIN}--{TWIN}.html"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("compared")
    made = build(home / "models")
    survey_all(made, home / "surveys")
    made.render(*NAMES, out=home / "site", surveys=home / "surveys")
    with serving(home / "site") as address:
        yield address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scripts", [True, False])
def test_it_opens_without_a_fault(visit, scheme, scripts):
    page = visit(PAGE, color_scheme=scheme, java_script_enabled=scripts).page
    assert page.get_by_role("heading", level=1).inner_text() == f"{MAIN} and {TWIN}"
    assert page.locator("svg.plot circle").count() == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_everybody_can_use_it(visit, scheme, width):
    page = visit(PAGE, color_scheme=scheme, viewport={"width": width, "height": 800}).page
    page.locator("summary").first.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_stronger_colour_is_a_larger_number(visit):
    page = visit(PAGE).page
    page.evaluate("""() => {
        const row = document.querySelector(".pairs tbody tr");
        for (let level = 0; level <= 10; level++) {
            const cell = row.insertCell();
            cell.className = `number s${level}`;
            cell.dataset.level = level;
        }
    }""")
    colours = page.locator("[data-level]").evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell).backgroundColor)"
    )
    assert len(set(colours)) == 11


def test_a_channel_opens_in_the_explorer_of_the_other_model(visit):
    page = visit(PAGE).page
    page.locator("td.seen").first.get_by_role("link", name=TWIN, exact=True).click()
    page.wait_for_url(f"**/{TWIN}/*.html#layer=relu&channel=2**")
    page.wait_for_selector("channel-grid button[aria-pressed=true]")
    assert page.locator("channel-grid button[aria-pressed=true] span").inner_text() == "2"
