"""The page of the first filters draws the weights, sorts them, and leads through training."""

import io
import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from export.manifest import read_manifest
from precompute.lessons import read_stem

pytestmark = pytest.mark.built
PAGE = "filters.html"


@pytest.fixture
def stem(tiles):
    return read_stem(tiles)


@pytest.fixture
def linked(stem, exported) -> bool:
    """Whether the gallery shows the channels of these filters."""
    return stem.layer in {layer.name for layer in read_manifest(exported).feature_maps}


@pytest.fixture
def weights(exported):
    with np.load(exported.parent / read_manifest(exported).arrays.name) as arrays:
        return {name: arrays[name] for name in arrays.files if name.startswith("stem")}


def colours(locator, rows, columns, across=1):
    """Return the (rows, columns, 3) colours of a picture, each taken in the middle of its pixel."""
    locator.scroll_into_view_if_needed()
    with Image.open(io.BytesIO(locator.screenshot())) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    width = columns + (across - 1) * (columns + 1)
    y = (np.arange(rows) + 0.5) * pixels.shape[0] / rows
    x = (np.arange(width) + 0.5) * pixels.shape[1] / width
    return pixels[np.ix_(y.astype(int), x.astype(int))].astype(int)


def drawn(weights, scale):
    return np.clip(np.rint(128 + 127 * weights / scale), 1, 255).transpose(1, 2, 0)


def numbers_in(page):
    return [int(item.get_attribute("data-filter")) for item in page.locator(".grid li").all()]


def query(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


@pytest.mark.parametrize("scripts", [True, False])
def test_what_is_seen_is_the_weights_on_every_scale_and_plane(visit, stem, weights, scripts):
    page = visit(PAGE, java_script_enabled=scripts).page
    kernels = weights["stem"]
    number = int(np.argmax(np.abs(kernels).max(axis=(1, 2, 3))))
    picture = page.locator(f'.grid li[data-filter="{number}"] .kernel')
    for scale in ("one", "own"):
        page.locator(f'[name="scale"][value="{scale}"]').check()
        end = stem.scale if scale == "one" else np.abs(kernels[number]).max()
        for plane, name in enumerate(["red", "green", "blue", "colour"]):
            page.locator(f'[name="plane"][value="{name}"]').check()
            shown = kernels[number] if name == "colour" else kernels[number][[plane] * 3]
            found = colours(picture, stem.rows, stem.columns)
            assert np.abs(found - drawn(shown, end)).max() <= 1, (scale, name)
    assert page.locator(".when-own").first.is_visible()
    assert not page.locator(".when-one").first.is_visible()


def test_the_order_is_that_of_the_measure_and_is_kept_in_the_address(visit, stem):
    page = visit(PAGE).page
    assert numbers_in(page) == list(range(len(stem.measures.norm)))
    for measure in ("norm", "colour_share", "orientation_selectivity"):
        page.locator('[name="order"]').select_option(measure)
        measured = getattr(stem.measures, measure)
        values = [-np.inf if value is None else value for value in measured]
        assert numbers_in(page) == sorted(range(len(values)), key=lambda n: (-values[n], n))
        assert query(page) == {"order": measure}
        text = page.locator(".grid li .sorted-by").first.inner_text()
        top = max(values) * (1 if measure == "norm" else 100)
        assert float(re.sub(r"[^\d.]", "", text)) == pytest.approx(top, abs=0.51)
    page.reload()
    assert page.locator('[name="order"]').input_value() == "orientation_selectivity"
    assert numbers_in(page)[0] == int(np.argmax(values))


def test_a_chosen_filter_is_shown_large_with_its_planes_and_partners(visit, stem, weights, linked):
    page = visit(PAGE).page
    number = stem.pairs[0].first if stem.pairs else 0
    page.locator(f'.grid li[data-filter="{number}"] a').click()
    detail = page.locator("filter-detail")
    assert detail.locator("h3").inner_text() == f"Filter {number}"
    assert page.url.endswith(f"#filter-{number}")
    kernel = weights["stem"][number]
    found = colours(detail.locator(".kernel"), stem.rows, stem.columns)
    assert np.abs(found - drawn(kernel, stem.scale)).max() <= 1
    planes = colours(detail.locator(".planes"), stem.rows, stem.columns, across=3)
    for plane in range(3):
        first = plane * (stem.columns + 1)
        expected = drawn(kernel[[plane] * 3], stem.scale)
        assert np.abs(planes[:, first : first + stem.columns] - expected).max() <= 1
    links = [a.get_attribute("href") for a in detail.locator('a[href*="channel="]').all()]
    assert len(links) == linked
    assert all(link.endswith(f"#layer={stem.layer}&channel={number}") for link in links)
    for pair in stem.pairs[:1]:
        detail.locator(f'a[href="#filter-{pair.second}"]').click()
        assert detail.locator("h3").inner_text() == f"Filter {pair.second}"
        current = page.locator('.grid [aria-current="true"]')
        assert current.get_attribute("href") == f"#filter-{pair.second}"


def test_the_link_to_a_channel_opens_that_channel(visit, linked):
    if not linked:
        pytest.skip("the gallery does not show the layer of these filters")
    page = visit(PAGE + "#filter-7").page
    assert page.locator("filter-detail h3").inner_text() == "Filter 7"
    page.locator('filter-detail a[href*="channel="]').click()
    page.locator("channel-inspector h3").get_by_text(re.compile(r"\b7\b")).wait_for()


def test_a_pair_further_down_shows_its_filter_and_back_returns(visit, stem):
    if not stem.pairs:
        pytest.skip("no two of these filters are alike")
    page = visit(PAGE).page
    reference = page.locator(".pairs .reference").first
    number = reference.inner_text().strip()
    reference.click()
    shown = page.locator("filter-detail h3")
    assert shown.inner_text() == f"Filter {number}"
    place = "document.querySelector('filter-detail h3').getBoundingClientRect().top / innerHeight"
    for _ in range(40):  # wait_for_function needs what the page's policy forbids
        if 0 <= page.evaluate(place) < 1:
            break
        page.wait_for_timeout(100)
    assert 0 <= page.evaluate(place) < 1
    page.go_back()
    assert urlsplit(page.url).fragment == ""


def test_the_slider_leads_through_training_by_keyboard(visit, stem, weights):
    page = visit(PAGE).page
    if stem.history is None:
        assert page.locator("training-history").count() == 0
        return
    slider, said = page.get_by_role("slider"), page.locator("training-history output")
    stage = page.locator(".stage-of-training svg")
    last = len(stem.history.moments) - 1
    assert slider.input_value() == str(last)
    slider.focus()
    page.keyboard.press("Home")
    for position, moment in enumerate(stem.history.moments):
        step = f"step {moment.step:,}".replace(",", "\u202f")
        assert slider.get_attribute("aria-valuetext") == step
        text = said.inner_text()
        assert step in text
        assert f"{moment.pixels} pixels" in text
        right = "before training" if moment.top1 is None else f"{100 * moment.top1:.1f} % right"
        assert right in text
        assert stage.locator("image").get_attribute("href").endswith(moment.mosaic)
        assert query(page) == ({} if position == last else {"moment": str(position)})
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    count = stem.mosaic_columns
    with Image.open(io.BytesIO(stage.screenshot())) as picture:
        cell = picture.width / (count - 1 / (stem.columns + 1))
        x, y = (
            cell * 0.5 * stem.columns / (stem.columns + 1),
            cell * 0.5 * stem.rows / (stem.rows + 1),
        )
        centre = picture.convert("RGB").getpixel((int(x + 3 * cell), int(y)))
    expected = drawn(weights["stem.history"][0][3], stem.scale)[stem.rows // 2, stem.columns // 2]
    assert np.abs(np.array(centre) - expected).max() <= 1
    page.reload()
    assert slider.input_value() == "0"


def test_without_a_script_a_link_leads_to_the_row_and_every_moment_is_there(visit, stem):
    page = visit(PAGE, java_script_enabled=False).page
    page.locator('.grid a[href="#filter-9"]').click()
    row = page.locator("#filter-9")
    assert row.evaluate("row => row.getBoundingClientRect().top < innerHeight")
    assert page.locator('[name="order"]').is_hidden()
    moments = stem.history.moments if stem.history else ()
    assert page.locator(".moments .mosaic").count() == len(moments)
    for picture in page.locator(".moments .mosaic").all():
        assert picture.is_visible()


def test_an_address_that_names_nothing_opens_the_page_as_it_is(visit):
    page = visit(PAGE + "?order=size&scale=huge&moment=-3#filter-9999").page
    assert page.locator('[name="order"]').input_value() == "number"
    assert page.locator('[name="scale"][value="one"]').is_checked()
    assert re.fullmatch(r"Filter \d+", page.locator("filter-detail h3").inner_text())
