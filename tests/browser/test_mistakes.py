"""The page on preprocessing mistakes: the eye can compare, and every mistake can be linked to."""

import pytest

pytestmark = pytest.mark.built

COLUMNS = """rows => rows.map(row => [...row.querySelectorAll("img")].map(image => {
  const { left, right } = image.getBoundingClientRect();
  return [Math.round(left), Math.round(right)];
}))"""


@pytest.mark.parametrize("width", [1280, 1800])
def test_steps_stand_below_each_other_and_below_their_name(visit, width):
    page = visit("mistakes.html", viewport={"width": width, "height": 900}).page
    rows = page.locator(".preparations > li").evaluate_all(COLUMNS)
    assert len(rows) > 1
    assert all(row == rows[0] for row in rows)
    edges = [left for left, _ in rows[0]]
    assert edges == sorted(set(edges)), "no picture covers another"
    heads = page.locator(".steps > span:nth-child(2), .steps .maps span").evaluate_all(
        "spans => spans.map(span => Math.round(span.getBoundingClientRect().left))"
    )
    assert heads == edges


@pytest.mark.parametrize("width", [320, 390, 800])
def test_a_card_holds_input_answer_and_maps_without_overlap(visit, width):
    page = visit("mistakes.html", viewport={"width": width, "height": 800}).page
    overlaps = page.locator(".preparations > li").evaluate_all(
        """rows => rows.flatMap(row => {
          const parts = [...row.querySelectorAll(".preparation-name, .given, .preparation-answers li,"
            + " .preparation-answers p, figure img, figcaption .stage-name, figcaption .number")];
          const boxes = parts.map(part => part.getBoundingClientRect()).filter(b => b.width && b.height);
          return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
            a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
          ).map(b => [a.left, a.top, b.left, b.top]));
        })"""
    )
    assert overlaps == []


def test_every_picture_loads_at_its_own_size(visit):
    page = visit("mistakes.html").page
    found = page.locator("main img").evaluate_all(
        """async images => Promise.all(images.map(async image => {
          image.loading = "eager"; await image.decode();
          const said = [Number(image.getAttribute("width")), Number(image.getAttribute("height"))];
          return [said, [image.naturalWidth, image.naturalHeight]];
        }))"""
    )
    assert len(found) > 10
    assert [pair for pair in found if pair[0] != pair[1]] == []


def test_each_name_leads_to_its_mistake(visit):
    page = visit("mistakes.html", java_script_enabled=True).page
    links = page.locator(".preparation-name a").all()
    assert len(links) == page.locator(".mistake").count()
    for link in links:
        link.click()
        place = page.locator(".mistake:target")
        assert place.locator("h3").inner_text() == link.inner_text()
        assert place.locator(".makes").inner_text() != place.locator(".mends").inner_text()


def test_it_prints_with_every_row_and_no_row_cut_in_two(visit):
    page = visit("mistakes.html").page
    page.emulate_media(media="print")
    rows = page.locator(".preparations > li, .mistake")
    found = rows.evaluate_all("rows => rows.map(row => getComputedStyle(row).breakInside)")
    assert set(found) == {"avoid"}
