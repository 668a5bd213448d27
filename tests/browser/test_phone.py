"""On a phone nothing overlaps, nor on a desk, and what a thumb shall hit is large enough."""

import pytest
from explorer import opened

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
VIEWS = ["channels", "layer", "origin", "residual", "photos", "compare", "layers"]


@pytest.mark.parametrize("options", [PHONE, {}], ids=["phone", "desk"])
@pytest.mark.parametrize("view", VIEWS)
def test_no_text_of_a_view_runs_into_another(visit, photo, view, options):
    page = opened(visit, photo, layer="layer2.0.add", view=view, options=options).page
    page.wait_for_load_state("networkidle")
    spilt = page.evaluate(
        """[...document.querySelectorAll(".layer :is(p, figcaption, strong, code, td, button, label)")]
            .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1)
            .filter((one) => getComputedStyle(one).display !== "inline")
            .map((one) => one.textContent)"""
    )
    assert spilt == []
    beyond = page.evaluate(
        """[...document.querySelectorAll(".layer figure")]
            .filter((one) => one.checkVisibility())
            .map((one) => one.getBoundingClientRect())
            .filter((box) => box.left < 0 || box.right > innerWidth).length"""
    )
    assert beyond == 0


def test_the_parts_of_a_sum_stand_in_two_columns(visit, photo):
    page = opened(visit, photo, layer="layer2.0.add", view="residual", options=PHONE).page
    page.locator("residual-view figure").nth(3).wait_for()
    tops = page.locator("residual-view figure").evaluate_all("all => all.map(one => one.offsetTop)")
    assert tops[0] == tops[1] < tops[2] == tops[3]


def test_controls_are_large_enough_for_a_thumb(visit, photo):
    page = opened(visit, photo, options=PHONE).page
    small = page.evaluate(
        """[...document.querySelectorAll(
            ".answers button, .toolbar :is(button, input), .views button, .controls :is(select, input)"
        )]
            .filter((one) => one.checkVisibility())
            .filter((one) => one.getBoundingClientRect().height < 44)
            .map((one) => one.outerHTML)"""
    )
    assert small == []


def test_the_chosen_view_can_be_seen_among_the_others(visit, photo):
    page = opened(visit, photo, view="layers", options=PHONE).page
    box = page.locator('.views [data-view="layers"]').bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
