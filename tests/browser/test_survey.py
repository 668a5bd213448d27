"""A survey in a real browser: readable by everybody, on every screen and on paper, without a script."""

import io
from pathlib import Path

import pytest
from a_survey import write_survey
from accessibility import violations
from PIL import Image, ImageChops, ImageStat
from serving import serving
from test_print import A4, printed
from website import read_page

from export.manifest import read_manifest
from site_template.pages import Site
from site_template.render import render
from survey.contract import read_layer, read_survey

LAYER, CHANNELS = "layer2.1.relu_1", 128
"""Large enough for every part of a page, small enough for axe."""
WIDTHS = [320, 390, 768, 1280]


@pytest.fixture(scope="module")
def survey(exported, tmp_path_factory) -> Path:
    """The folder of a survey of all layers of ResNet-18."""
    return write_survey(
        tmp_path_factory.mktemp("surveys"), exported, photos=3000, side=16, author="Grace Hopper"
    )


@pytest.fixture(scope="module")
def site(survey, exported, tiles, runtime, tmp_path_factory):
    out = tmp_path_factory.mktemp("surveyed") / "site"
    given = Site("Feature maps", "", "", "")
    render(given, [exported], tiles.parent, runtime, out, surveys=survey.parent)
    return out


@pytest.fixture(scope="module")
def address(site):
    with serving(site) as address:
        yield address


@pytest.fixture(scope="module")
def of_a_class(survey) -> str:
    return f"survey/classes/{read_survey(survey).classes[0].slug}.html"


@pytest.fixture(params=["index", "layer", "first layer", "classes", "class"])
def path(request, of_a_class) -> str:
    return {
        "index": "survey/index.html",
        "layer": f"survey/layers/{LAYER}.html",
        "first layer": "survey/layers/conv1.html",
        "classes": "survey/classes/index.html",
        "class": of_a_class,
    }[request.param]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_a_page_is_for_everyone(visit, path, scheme, width):
    viewport = {"width": width, "height": 900}
    assert violations(visit(path, color_scheme=scheme, viewport=viewport).page) == []


def test_a_page_is_as_wide_as_the_window_and_asks_no_other_site(visit, path):
    watched = visit(path, java_script_enabled=False)
    found = []
    for width in WIDTHS:
        watched.page.set_viewport_size({"width": width, "height": 800})
        found.append(watched.page.evaluate("document.documentElement.scrollWidth"))
    assert found == WIDTHS
    assert [url for url in watched.requests if not url.startswith(watched.address)] == []
    assert not [url for url in watched.requests if url.endswith(".js")]


def test_a_page_is_printed_whole(visit, path):
    page = visit(path, color_scheme="dark").page
    printed(page)
    assert page.evaluate("document.documentElement.scrollWidth") == A4["width"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for table in page.locator("main table:visible").all():
        box = table.bounding_box()
        assert box["x"] + box["width"] <= A4["width"]


def test_every_row_shows_the_patches_of_its_channel(visit, survey):
    """What is painted is read back: each strip is that part of the sheet, in the sheet's colours."""
    page = visit(f"survey/layers/{LAYER}.html").page
    index = read_survey(survey)
    reference = next(layer for layer in index.layers if layer.layer == LAYER)
    figures = read_layer(survey, reference)
    dead = next(c for c, one in enumerate(figures.strongest) if one is None)
    live = next(c for c in range(40, CHANNELS) if figures.strongest[c])
    assert page.locator(f"#c{dead} svg").count() == 0
    strip = page.locator(f"#c{live} svg")
    strip.scroll_into_view_if_needed()
    shot = _pixels(strip.screenshot())
    side, each = reference.patches.sheet.side, reference.patches.each
    row, column = divmod(live * each, reference.patches.sheet.columns)
    sheet = Image.open(survey / reference.patches.sheet.path).convert("RGB")
    box = (column * side, row * side, (column + each) * side, (row + 1) * side)
    expected = sheet.crop(box).resize(shot.size, Image.Resampling.BILINEAR)
    assert _distance(shot, expected) < 12
    other = sheet.crop((0, row * side + side, each * side, row * side + 2 * side)).resize(shot.size)
    assert _distance(shot, other) > 12, "any strip would do"


def _pixels(png):
    return Image.open(io.BytesIO(png)).convert("RGB")


def _distance(one, other):
    """Return the mean absolute difference of two pictures of one size, in levels."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_a_dot_leads_to_the_row_of_its_channel_and_the_row_to_its_map(visit, survey):
    page = visit(f"survey/layers/{LAYER}.html").page
    dots = page.locator(".plot svg a")
    index = read_survey(survey)
    reference = next(layer for layer in index.layers if layer.layer == LAYER)
    separation = read_layer(survey, reference).separation
    fires = read_layer(survey, reference).fires
    assert dots.count() == sum(
        f > 0 and s is not None for f, s in zip(fires, separation, strict=True)
    )
    best = max((c for c in range(CHANNELS) if fires[c]), key=lambda c: separation[c])
    last = page.locator(f".plot svg a[href='#c{best}']")
    tops = dots.evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert last.evaluate("one => one.getBoundingClientRect().top") == min(tops)
    last.click()
    row = page.locator(f"#c{best}")
    assert row.evaluate("row => row.matches(':target')")
    row.get_by_role("link").click()
    page.wait_for_url(f"**#layer={LAYER}&channel={best}*")
    page.locator(f'channel-grid [data-channel="{best}"][aria-pressed="true"]').wait_for()


def test_the_keyboard_does_not_walk_through_the_dots(visit):
    page = visit(f"survey/layers/{LAYER}.html").page
    reached = page.evaluate(
        """() => [...document.querySelectorAll("main a, main summary, main [tabindex]")]
            .filter(one => one.tabIndex >= 0 && one.closest("svg")).length"""
    )
    assert reached == 0
    scroller = page.get_by_role("region", name="Table of all channels")
    scroller.focus()
    assert scroller.evaluate("one => one === document.activeElement")


def test_every_layer_and_class_can_be_reached(visit, exported, survey):
    page = visit("survey/index.html", java_script_enabled=False).page
    links = page.locator("main a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    for layer in read_manifest(exported).feature_maps:
        assert f"layers/{layer.slug}.html" in links
    for one in read_survey(survey).classes:
        assert f"classes/{one.slug}.html" in links


def test_pages_are_light(site):
    """Of 512 channels, with patches and dots for each."""
    sizes = {path.name: path.stat().st_size for path in (site / "survey").rglob("*.html")}
    assert {name: size for name, size in sizes.items() if size > 300_000} == {}


def test_a_page_has_one_heading_for_each_of_its_parts(site, of_a_class):
    for path in ("survey/index.html", f"survey/layers/{LAYER}.html", of_a_class):
        document = read_page(site / path)
        assert len(document.all("h1")) == 1
        for section in document.all("section"):
            assert section.attributes["aria-labelledby"] in document.ids
