"""The views beside the channels: sums that close, photos in their order, two maps on one scale."""

import re

import numpy as np
import pytest
from convolution_by_hand import convolved, kernel_of, origins_of, source_of
from explorer import CHANNEL, as_number, opened, view_of

from export.manifest import read_manifest
from precompute.index import read_entry, read_index
from precompute.reader import read_figures, read_layer, sheet_of


@pytest.fixture
def image(photo):
    return re.fullmatch(r"resnet18/(.+)\.html", photo)[1]


def numbers_of(page, selector):
    return [as_number(text) for text in page.locator(selector).all_inner_texts()]


@pytest.mark.parametrize(
    ("layer", "steps"),
    [("conv1", 0), ("layer2.0.relu", 2), ("layer2.0.downsample.0", 0), ("layer4.1.bn2", 1)],
)
def test_where_a_map_comes_from_is_a_sum_that_closes(
    visit, photo, image, tiles, exported, layer, steps
):
    manifest = read_manifest(exported)
    origin = origins_of(tiles, manifest)[layer]
    page = opened(visit, photo, layer=layer, view="origin").page
    page.locator("origin-view .origin-check").wait_for()
    stored = read_layer(tiles, image, layer)[CHANNEL]
    peak = np.unravel_index(stored.argmax(), stored.shape)
    source, _ = source_of(tiles, manifest, image, origin)
    kernel, _ = kernel_of(tiles, origin, CHANNEL)
    each = [convolved(source[i : i + 1], kernel[i : i + 1], origin) for i in range(len(kernel))]
    order = np.argsort([-np.abs(one).mean() for one in each], kind="stable")
    strongest, others = order[:8], order[8:]
    expected = [float(each[i][peak]) for i in strongest]
    if len(others):
        expected.append(float(sum(each[i][peak] for i in others)))
    shown = numbers_of(page, "origin-view .terms:not(.results) strong")
    scale = max(map(abs, expected))
    assert shown == pytest.approx(expected, rel=6e-3, abs=1e-4 * scale)
    names = page.locator("origin-view .terms:not(.results) figcaption").all_inner_texts()
    called = ["red", "green", "blue"] if layer == "conv1" else [f"channel {i}" for i in strongest]
    if layer != "conv1":
        assert [name for name, text in zip(called, names, strict=False) if name in text] == called
    results = numbers_of(page, "origin-view .results strong")
    assert len(results) == 2 + bool(steps)
    assert results[0] == pytest.approx(sum(expected), rel=6e-3, abs=1e-3 * scale)
    assert results[-1] == pytest.approx(float(stored[peak]), rel=6e-3, abs=1e-6)
    text = page.locator(".origin-check").inner_text()
    assert f"At row {peak[0]}, column {peak[1]}" in text
    assert "The sum closes everywhere" in text


def test_the_numbers_of_the_sum_follow_the_cursor(visit, photo, image, tiles):
    page = opened(visit, photo, view="origin").page
    page.locator("origin-view .origin-check").wait_for()
    stored = read_layer(tiles, image, "layer2.0.conv1")[CHANNEL]
    page.locator(".inspector .stage").focus()
    row, column = np.unravel_index(stored.argmax(), stored.shape)
    key, row = ("ArrowUp", row - 1) if row else ("ArrowDown", row + 1)
    page.keyboard.press(key)
    assert f"At row {row}, column {column}" in page.locator(".origin-check").inner_text()
    results = numbers_of(page, "origin-view .results strong")
    assert results[-1] == pytest.approx(float(stored[row, column]), rel=6e-3, abs=1e-6)


def test_the_arithmetic_of_a_term_is_its_number(visit, photo):
    page = opened(visit, photo, view="origin").page
    page.get_by_role("button", name="Arithmetic of").nth(2).click()
    tables = page.locator("origin-view .tables table").all()
    seen, weights, products = (
        [as_number(t) if t != "·" else 0.0 for t in table.locator("td").all_inner_texts()]
        for table in tables
    )
    # Who multiplies what is shown gets what is shown, but for the rounding of the three numbers.
    apart = np.abs(np.multiply(seen, weights) - products)
    assert (apart <= 0.0051 * np.abs(weights) + 0.00051 * np.abs(seen) + 0.00051).all()
    third = numbers_of(page, "origin-view .terms:not(.results) strong")[2]
    caption = tables[2].locator("caption").inner_text()
    assert as_number(caption.split()[-1]) == pytest.approx(third, rel=1e-2, abs=1e-4)
    assert sum(products) == pytest.approx(third, abs=0.05)


def test_kernels_of_another_model_do_not_close_the_sum(chromium, address, photo, site):
    """The page notices files that do not belong together: the sum is computed, not asserted."""
    data = bytearray((site / "resnet18/data/_model/layer2.0.conv1/0.bin").read_bytes())
    context = chromium.new_context()
    page = context.new_page()
    page.route(
        "**/_model/layer2.0.conv1/0.bin",
        lambda route: route.fulfill(body=bytes(data[:4]) + bytes(reversed(data[4:]))),
    )
    page.goto(f"{address}{photo}#layer=layer2.0.conv1&channel=0&view=origin")
    page.locator(".origin-check", has_text="does not close").wait_for()
    context.close()


def test_layers_without_a_convolution_say_why(visit, photo):
    page = opened(visit, photo, layer="layer2.0.add", view="origin").page
    assert (
        "the sum of layer2.0.bn2 and layer2.0.downsample.1, value by value"
        in page.locator("origin-view").inner_text()
    )


def test_a_kernel_is_loaded_when_it_is_asked_for(visit, photo):
    watched = opened(visit, photo)

    def kernels():
        return [url for url in watched.requests if url.endswith(".bin")]

    assert kernels() == []
    watched.page.locator('[data-view="origin"]').click()
    watched.page.locator("origin-view .origin-check").wait_for()
    assert len(kernels()) == 1


@pytest.mark.parametrize(("layer", "channel"), [("layer3.1.relu_1", 30), ("layer2.0.conv1", 17)])
def test_a_channel_is_shown_on_all_photos_in_their_order(
    visit, photo, tiles, exported, layer, channel
):
    floor = -np.inf if read_manifest(exported).layer(layer).signed else 0
    page = opened(visit, photo, layer=layer, channel=channel, view="photos").page
    page.locator("channel-photos li").first.wait_for()
    entries = [read_entry(tiles, reference.id) for reference in read_index(tiles).images]
    high = {
        entry.id: read_figures(tiles / entry.id, sheet_of(entry, layer)).high[channel]
        for entry in entries
        if not entry.chart
    }
    expected = sorted((id_ for id_ in high if high[id_] > floor), key=lambda id_: -high[id_])
    items = page.locator("channel-photos li")
    assert items.evaluate_all("all => all.map(one => one.dataset.photo)") == expected
    shown = numbers_of(page, "channel-photos li strong")
    assert shown == pytest.approx([high[id_] for id_ in expected], rel=6e-3)
    silent = len(high) - len(expected)
    text = page.locator("channel-photos").inner_text()
    assert f"on {len(expected)} of {len(high)} photos" in text
    assert (f"on the other {silent}" in text) == bool(silent)
    items.first.locator("a").click()
    page.wait_for_url(f"**/{expected[0]}.html**")
    assert view_of(page) == {"layer": layer, "channel": str(channel), "view": "photos"}


def test_two_photos_are_compared_with_one_cursor(visit, photo, image, tiles):
    layer = "layer3.1.relu_1"
    other = next(reference.id for reference in read_index(tiles).images if reference.id != image)
    page = opened(visit, photo, layer=layer, view="compare").page
    page.locator('compare-view [data-setting="with"]').select_option(other)
    title = read_entry(tiles, other).title
    page.locator("compare-view figcaption strong", has_text=title).wait_for()
    assert view_of(page)["with"] == other
    maps = [read_layer(tiles, one, layer)[CHANNEL] for one in (image, other)]
    stages = page.locator("compare-view .stage")
    box = stages.nth(1).bounding_box()
    height, width = maps[0].shape
    row, column = height // 2, width // 4
    stages.nth(1).hover(
        position={
            "x": (column + 0.5) * box["width"] / width,
            "y": (row + 0.5) * box["height"] / height,
        }
    )
    readouts = page.locator("compare-view .readout").all_inner_texts()
    assert [text.split(" ", 1)[1] for text in readouts] == [f"at row {row}, column {column}"] * 2
    assert [as_number(text.split()[0]) for text in readouts] == pytest.approx(
        [float(one[row, column]) for one in maps], rel=6e-3, abs=1e-6
    )
    high = max(sheet_of(read_entry(tiles, one), layer).scale for one in (image, other))
    bar = numbers_of(page, "compare-view colour-bar .colour-bar-numbers span")
    assert bar == pytest.approx([0, high], rel=6e-3)
    means = [
        np.array(read_figures(tiles / one, sheet_of(read_entry(tiles, one), layer)).mean)
        for one in (image, other)
    ]
    first = page.locator(".telling p").first.locator("a").first.inner_text()
    assert int(first) == int(np.argmax(means[0] - means[1]))


def test_two_layers_are_compared(visit, photo, image, tiles):
    page = opened(visit, photo, layer="layer2.0.relu", view="compare").page
    page.locator('compare-view [data-setting="against"]').select_option("layer3.0.conv1")
    page.locator("compare-view figcaption", has_text="layer3.0.conv1").wait_for()
    page.locator("compare-view .stage").first.focus()
    page.keyboard.press("ArrowLeft")
    maps = [read_layer(tiles, image, name)[CHANNEL] for name in ("layer2.0.relu", "layer3.0.conv1")]
    for text, values in zip(
        page.locator("compare-view .readout").all_inner_texts(), maps, strict=True
    ):
        value, row, column = re.fullmatch(r"(\S+) at row (\d+), column (\d+)", text).groups()
        stored = float(values[int(row), int(column)])
        assert as_number(value) == pytest.approx(stored, rel=6e-3, abs=1e-6)
    bar = numbers_of(page, "compare-view colour-bar .colour-bar-numbers span")
    assert bar[0] == -bar[-1]
    page.reload()
    page.locator("compare-view figcaption", has_text="layer3.0.conv1").wait_for()


def test_a_link_to_compare_with_what_does_not_exist_says_so(visit, photo):
    page = opened(visit, photo, view="compare", against="layer9").page
    assert "no layer “layer9” to compare with" in page.locator(".notice").inner_text()
