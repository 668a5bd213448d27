"""Several models in a real browser: the picker keeps the view, and all pages serve everybody."""

import pytest
from accessibility import violations
from serving import serving
from several import MAIN, OTHER, TWIN, Made, build
from watched import Watched

from precompute.index import read_index

PAGES = [f"models/{TWIN}/index.html", "compare/index.html", "compare/{photo}.html"]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    return build(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def site(made):
    return made.site


@pytest.fixture(scope="module")
def address(site):
    with serving(site) as address:
        yield address


@pytest.fixture
def photo(made):
    """The id of a photo that all models have seen."""
    return read_index(made.tiles / OTHER).images[0].id


def chosen(page):
    """Return layer and channel that the explorer shows."""
    page.wait_for_selector("channel-grid button[aria-pressed=true]")
    layer = page.locator("#layer-title code").inner_text()
    return layer, page.locator("channel-grid button[aria-pressed=true] span").inner_text()


def test_layer_and_channel_survive_a_change_of_the_model(visit, photo):
    page = visit(f"{MAIN}/{photo}.html#layer=conv&channel=2&sort=max").page
    assert chosen(page) == ("conv", "2")
    picker = page.get_by_role("navigation", name="Models")
    assert picker.locator("[aria-current=page]").inner_text() == MAIN
    picker.get_by_role("link", name=OTHER).click()
    page.wait_for_url(f"**/{OTHER}/{photo}.html#**")
    assert chosen(page) == ("conv", "2")
    assert "sort=max" in page.url
    assert picker.locator("[aria-current=page]").inner_text() == OTHER
    page.locator("channel-grid button").nth(0).click()
    picker.get_by_role("link", name=TWIN).click()
    page.wait_for_url(f"**/{TWIN}/{photo}.html#**")
    assert chosen(page)[0] == "conv"


def test_a_photo_leads_to_its_comparison_and_from_there_to_a_layer(visit, photo):
    page = visit(f"{MAIN}/{photo}.html").page
    page.get_by_role("link", name="This photo in 3 models, side by side").click()
    page.wait_for_url(f"**/compare/{photo}.html")
    page.get_by_role("img", name=f"relu in {TWIN}: the mean of its channels").click()
    page.wait_for_url(f"**/{TWIN}/{photo}.html#layer=relu**")
    assert chosen(page)[0] == "relu"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_accessible_and_fits_without_a_script_too(visit, photo, path, scheme):
    opened = []
    for scripts in (True, False):
        watched: Watched = visit(
            path.format(photo=photo), color_scheme=scheme, java_script_enabled=scripts
        )
        opened.append(watched)
        assert [url for url in watched.requests if not url.startswith(watched.address)] == []
    for width in (320, 1280, 390):
        for watched in opened:
            watched.page.set_viewport_size({"width": width, "height": 800})
            assert watched.page.evaluate("document.documentElement.scrollWidth") == width
    assert violations(opened[0].page) == []


def test_wide_tables_scroll_by_keyboard(visit, photo):
    page = visit(f"compare/{photo}.html", viewport={"width": 320, "height": 800}).page
    region = page.get_by_role("region", name="Models side by side")
    region.focus()
    page.keyboard.press("End")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    for _ in range(40):  # wait_for_function needs what the page's policy forbids
        if region.evaluate("region => region.scrollLeft") > 0:
            break
        page.wait_for_timeout(50)
    assert region.evaluate("region => region.scrollLeft") > 0


def test_every_picture_side_by_side_is_the_mean_alone(visit, photo):
    """The file holds the maximum too, below it."""
    page = visit(f"compare/{photo}.html").page
    boxes = page.locator("img.mean").evaluate_all(
        """pictures => pictures.map(({ clientWidth, clientHeight, naturalWidth, naturalHeight }) =>
          [clientWidth / clientHeight, naturalHeight / naturalWidth])"""
    )
    assert boxes == [[1, 2]] * 4
    style = page.locator("img.mean").first.evaluate(
        "picture => [getComputedStyle(picture).objectFit, getComputedStyle(picture).objectPosition]"
    )
    assert style == ["cover", "50% 0%"]
