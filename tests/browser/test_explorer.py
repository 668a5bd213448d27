"""The explorer shows what was computed: its numbers and colours are checked against the tiles."""

import gzip
import json
import re

import numpy as np
import pytest
from explorer import CHANNEL, LAYER, as_number, opened, view_of

from export.manifest import read_manifest
from precompute.index import read_entry, read_index
from precompute.reader import read_figures, read_layer, sheet_of


@pytest.fixture
def image(photo):
    return re.fullmatch(r"resnet18/(.+)\.html", photo)[1]


@pytest.fixture
def maps(tiles, image):
    """(channels, height, width) activations of LAYER, as the tiles hold them."""
    return read_layer(tiles, image, LAYER)


def canvas_pixels(page, selector):
    """Return the (height, width, 3) colours of a canvas, which is painted when it is seen."""
    canvas = page.locator(selector)
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(150)
    width, height, data = canvas.evaluate(
        """canvas => {
            const picture = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return [picture.width, picture.height, Array.from(picture.data)];
        }"""
    )
    return np.array(data, np.uint8).reshape(height, width, 4)[..., :3]


def colour_table(name, site):
    source = (site / "static/colormaps.js").read_text("utf-8")
    digits = re.search(rf'{name}: {{[^}}]*table: "([0-9a-f]+)"', source)[1]
    return np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(256, 3)


def test_the_readout_is_the_stored_value_under_the_pointer(visit, photo, maps):
    page = opened(visit, photo).page
    stage = page.locator(".stage")
    box = stage.bounding_box()
    _, height, width = maps.shape
    for row, column in [(0, 0), (height - 1, width - 1), (height // 2, width // 3)]:
        stage.hover(
            position={
                "x": (column + 0.5) * box["width"] / width,
                "y": (row + 0.5) * box["height"] / height,
            }
        )
        text = page.locator(".readout").inner_text()
        assert f"at row {row}, column {column}" in text
        shown = as_number(text.split()[0])
        assert shown == pytest.approx(float(maps[CHANNEL, row, column]), rel=5e-3, abs=1e-6)


def test_arrow_keys_move_the_cursor(visit, photo, maps):
    page = opened(visit, photo).page
    peak = np.unravel_index(maps[CHANNEL].argmax(), maps[CHANNEL].shape)
    assert f"at row {peak[0]}, column {peak[1]}" in page.locator(".readout").inner_text()
    page.locator(".stage").focus()
    page.keyboard.press("ArrowLeft" if peak[1] else "ArrowRight")
    column = peak[1] - 1 if peak[1] else 1
    assert f"at row {peak[0]}, column {column}" in page.locator(".readout").inner_text()


@pytest.mark.parametrize(
    ("layer", "setting", "colours"),
    [
        ("layer2.0.conv1", "diverging", "RdBu_r"),
        ("layer2.0.conv1", "diverging", "berlin"),
        ("layer2.0.relu", "sequential", "viridis"),
        ("layer2.0.relu", "sequential", "gray"),
    ],
)
@pytest.mark.parametrize("scale", ["layer", "channel", "photos"])
def test_colours_are_the_values_on_the_chosen_scale(
    visit, photo, image, tiles, site, layer, setting, colours, scale
):
    page = opened(visit, photo, layer=layer, scale=scale, **{setting: colours}).page
    values = read_layer(tiles, image, layer)[CHANNEL]
    sheet = sheet_of(read_entry(tiles, image), layer)
    signed = setting == "diverging"
    shared = next(brief for brief in read_index(tiles).layers if brief.layer == layer)
    own = float(np.abs(values).max()) if signed else float(values.max())
    high = {"layer": sheet.scale, "photos": shared.scale, "channel": own or sheet.scale}[scale]
    low = -high if signed else 0.0
    place = np.clip(np.rint((values - low) / (high - low) * 255), 0, 255).astype(int)
    found = canvas_pixels(page, f'channel-grid button[data-channel="{CHANNEL}"] canvas')
    table = colour_table(colours, site)
    # A value that lies between two colours may be rounded to either.
    nearest = np.abs(
        found[None].astype(int) - table[np.clip(place + np.array([[[-1]], [[0]], [[1]]]), 0, 255)]
    )
    assert nearest.sum(axis=-1).min(axis=0).max() == 0
    bar = page.locator("channel-inspector .colour-bar-numbers span").all_inner_texts()
    assert [as_number(text) for text in bar] == pytest.approx(
        [low, 0, high] if signed else [low, high], rel=5e-3
    )


def test_clipped_pixels_are_counted_and_marked(visit, photo, tiles, image):
    layer = "relu"
    figures = read_figures(tiles / image, sheet_of(read_entry(tiles, image), layer))
    channel = int(np.argmax(figures.high))
    page = opened(visit, photo, layer=layer, channel=channel).page
    sheet = sheet_of(read_entry(tiles, image), layer)
    values = read_layer(tiles, image, layer)[channel]
    beyond = int((values > sheet.scale * (1 + 1e-6)).sum())
    assert beyond > 0
    assert f"{beyond} of {values.size} pixels" in page.locator(".clipped").inner_text()
    marked = canvas_pixels(page, ".stage canvas")[values > sheet.scale * (1 + 1e-6)]
    assert (marked == 255).all()


def test_every_channel_is_in_the_grid_with_its_number(visit, photo, maps):
    page = opened(visit, photo).page
    numbers = page.locator("channel-grid button span").all_text_contents()
    assert [int(text.split()[0]) for text in numbers] == list(range(len(maps)))


@pytest.mark.parametrize("sort", ["max", "mean", "std", "zeros"])
def test_channels_are_sorted_by_their_figures(visit, photo, tiles, image, sort):
    layer = "layer3.1.relu_1"
    page = opened(visit, photo, layer=layer, sort=sort).page
    figures = read_figures(tiles / image, sheet_of(read_entry(tiles, image), layer))
    by = {
        "max": figures.high,
        "mean": figures.mean,
        "std": figures.std,
        "zeros": [-z for z in figures.zeros],
    }[sort]
    expected = sorted(range(len(by)), key=lambda channel: (-by[channel], channel))
    buttons = page.locator("channel-grid button")
    shown = buttons.evaluate_all("all => all.map(one => Number(one.dataset.channel))")
    assert shown == expected


def test_a_choice_is_in_the_link_and_survives_a_reload_and_another_photo(visit, photo):
    page = opened(visit, photo).page
    page.locator('channel-grid button[data-channel="17"]').click()
    page.locator('[data-setting="scale"]').select_option("channel")
    page.locator('[data-setting="colour"]').select_option("berlin")
    wanted = {"layer": LAYER, "channel": "17", "scale": "channel", "diverging": "berlin"}
    assert view_of(page) == wanted
    page.reload()
    page.locator('channel-grid button[data-channel="17"][aria-pressed="true"]').wait_for()
    assert page.locator('[data-setting="colour"]').input_value() == "berlin"
    page.locator(".filmstrip .step[rel=next]").click()
    page.locator('channel-grid button[data-channel="17"][aria-pressed="true"]').wait_for()
    assert view_of(page) == wanted
    page.locator('.layers [data-layer="layer1.0.conv1"]').click()
    assert view_of(page) == wanted | {"layer": "layer1.0.conv1"}
    page.go_back()
    page.locator("#layer-title code", has_text=LAYER).wait_for()


def test_a_link_to_what_does_not_exist_opens_the_nearest_and_says_so(visit, photo):
    page = opened(visit, photo, layer="layer2.0.conv9", channel=4000).page
    notice = page.locator(".notice").inner_text()
    assert "no layer “layer2.0.conv9”" in notice
    assert "here is 127 of 0 to 127" in notice
    assert page.locator("#layer-title code").inner_text() in {"layer2.0.conv1", "layer2.0.conv2"}


def test_a_layer_is_loaded_when_it_is_opened(visit, photo, exported):
    watched = opened(visit, photo)
    slugs = {layer.name: layer.slug for layer in read_manifest(exported).feature_maps}

    def loaded():
        names = {url.rsplit("/", 1)[-1] for url in watched.requests}
        return [layer for layer, slug in slugs.items() if f"{slug}.png" in names]

    assert loaded() == [LAYER]
    watched.page.locator('.layers [data-layer="conv1"]').click()
    watched.page.wait_for_load_state("networkidle")
    assert set(loaded()) == {LAYER, "conv1"}


def test_the_first_data_of_a_page_is_small(site, image):
    data = site / "resnet18" / "data"
    sizes = {  # as a server sends them
        path.name: len(gzip.compress(path.read_bytes()))
        for path in (data / "_layers.json", data / image / "index.json")
    }
    assert {name: size for name, size in sizes.items() if size > 10_000} == {}


def test_evidence_adds_up_to_the_logit(visit, photo, tiles, image, site):
    page = opened(visit, photo).page
    page.get_by_role("button", name="Evidence for").first.click()
    entry = read_entry(tiles, image)
    text = page.locator(".evidence-tools p").first.inner_text()
    mean, bias, logit = (as_number(n) for n in re.findall(r"[+−][\d.]*\d", text))
    assert mean + bias == pytest.approx(logit, abs=0.02 * abs(logit))
    assert logit == pytest.approx(entry.answers[0].logit, rel=5e-3)
    values = np.array(entry.evidence[0].values).reshape(entry.evidence[0].height, -1)
    colours = canvas_pixels(page, ".evidence-map")
    reach = max(abs(value) for evidence in entry.evidence for value in evidence.values)
    levels = np.rint((values + reach) / (2 * reach) * 255).astype(int)
    table = colour_table("RdBu_r", site).astype(int)
    assert np.abs(colours.astype(int) - table[levels]).max() <= 4  # a level may round either way
    assert view_of(page)["answer"] == "0"


def test_the_grid_works_by_keyboard(visit, photo):
    page = opened(visit, photo, channel=0).page
    page.locator('channel-grid button[data-channel="0"]').focus()
    page.keyboard.press("ArrowRight")
    assert view_of(page)["channel"] == "1"
    page.keyboard.press("End")
    assert view_of(page)["channel"] == "127"
    focused = page.evaluate("document.activeElement.dataset.channel")
    assert focused == "127"


def test_the_receptive_field_is_drawn_where_the_manifest_says(visit, photo, exported, maps):
    page = opened(visit, photo).page
    layer = read_manifest(exported).layer(LAYER)
    peak = np.unravel_index(maps[CHANNEL].argmax(), maps[CHANNEL].shape)
    field = layer.receptive_field
    top, left = (field.offset[axis] + int(peak[axis]) * field.stride[axis] for axis in (0, 1))
    clipped = [
        max(0, left),
        max(0, top),
        min(224, left + field.size[1]),
        min(224, top + field.size[0]),
    ]
    rect = page.locator(".stage .field")
    x, y, width, height = (
        float(rect.get_attribute(name)) for name in ("x", "y", "width", "height")
    )
    assert [x, y, x + width, y + height] == clipped


def test_noise_on_canvas_reads_is_noticed(chromium, address, photo):
    context = chromium.new_context()
    context.add_init_script(
        """const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
        OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...box) {
            const picture = read.apply(this, box);
            for (let i = 0; i < picture.data.length; i += 97) picture.data[i] ^= 1;
            return picture;
        };"""
    )
    page = context.new_page()
    page.goto(address + photo)
    page.locator(".notice", has_text="values shown here are not exact").wait_for()
    context.close()


def test_a_missing_sheet_is_said_and_the_rest_works(chromium, address, photo):
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/layer2.0.conv1.png", lambda route: route.fulfill(status=404))
    page.goto(f"{address}{photo}#layer={LAYER}")
    page.locator(".notice", has_text="layer2.0.conv1 cannot be shown").wait_for()
    page.locator('.layers [data-layer="conv1"]').click()
    page.locator("channel-grid button").first.wait_for()
    assert page.locator(".notice").is_hidden()
    # What is shown of one layer must not stay under the name of another.
    page.locator('.layers [data-layer="layer2.0.conv1"]').click()
    page.locator(".notice", has_text="layer2.0.conv1 cannot be shown").wait_for()
    assert page.locator("channel-grid").is_hidden()
    assert page.locator("channel-inspector").is_hidden()
    context.close()


def test_without_its_data_the_page_shows_its_plain_layers(chromium, address, photo):
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/_layers.json", lambda route: route.fulfill(status=404))
    page.goto(address + photo)
    page.locator(".notice", has_text="cannot be shown").wait_for()
    assert page.locator(".plain-layers summary").first.is_visible()
    assert page.locator("channel-grid").is_hidden()
    context.close()


def test_hovering_previews_and_leaving_comes_back(visit, photo):
    page = opened(visit, photo).page
    title = page.locator("channel-inspector h3")
    page.locator('channel-grid button[data-channel="2"]').hover()
    assert title.inner_text().startswith("Channel 2 of")
    page.locator("#layer-title").hover()
    assert title.inner_text().startswith(f"Channel {CHANNEL} of")
    peaks = page.locator(".peaks a").evaluate_all("all => all.map(one => one.hash)")
    assert peaks
    assert all(f"layer={LAYER}" in link for link in peaks)
    assert view_of(page)["channel"] == str(CHANNEL)


def test_a_page_that_scrolls_under_the_pointer_previews_nothing(visit, photo):
    page = opened(visit, photo).page
    title = page.locator("channel-inspector h3")
    page.locator('channel-grid button[data-channel="2"]').hover()
    page.locator("#layer-title").hover()
    box = page.locator("channel-grid").bounding_box()
    page.evaluate("document.querySelector('channel-grid').scrollIntoView({block: 'start'})")
    page.evaluate("window.scrollTo(0, 0)")
    page.mouse.move(box["x"] + 40, 300)
    page.evaluate("document.querySelector('channel-grid').scrollIntoView({block: 'start'})")
    page.wait_for_timeout(400)
    under = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('channel-grid') !== null",
        [box["x"] + 40, 300],
    )
    assert under
    assert title.inner_text().startswith(f"Channel {CHANNEL} of")


def test_index_json_is_what_the_stage_wrote(site, tiles):
    published = json.loads((site / "resnet18/data/index.json").read_bytes())
    assert published == json.loads((tiles / "index.json").read_bytes())


def test_the_skip_link_keeps_the_view(visit, photo):
    page = opened(visit, photo).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "=" in url)
    assert view_of(page) == {"layer": LAYER, "channel": str(CHANNEL)}
    assert page.locator("#layer-title code").inner_text() == LAYER


def test_the_residual_sum_adds_up(visit, photo, tiles, image):
    page = opened(visit, photo, layer="layer2.0.conv2", view="residual").page
    page.locator("residual-view figure").nth(3).wait_for()
    names = page.locator("residual-view code").all_inner_texts()
    assert names == ["layer2.0.downsample.1", "layer2.0.bn2", "layer2.0.add", "layer2.0.relu_1"]
    maps = [read_layer(tiles, image, name)[CHANNEL] for name in names]
    figures = read_figures(tiles / image, sheet_of(read_entry(tiles, image), names[2]))
    peak = figures.row[CHANNEL], figures.column[CHANNEL]
    shown = [as_number(text) for text in page.locator("residual-view strong").all_inner_texts()]
    assert shown == pytest.approx([float(m[peak]) for m in maps], rel=5e-3, abs=1e-3)
    steps = [float(np.ptp(m)) / 510 for m in maps]
    assert abs(shown[0] + shown[1] - shown[2]) <= sum(steps) + 0.02 * max(map(abs, shown))
    colours = canvas_pixels(page, "residual-view figure:nth-child(3) canvas")
    assert colours.shape == (*maps[2].shape, 3)


def test_a_layer_outside_of_blocks_has_no_residual_sum(visit, photo):
    page = opened(visit, photo, layer="conv1", view="residual").page
    assert "stands in no residual block" in page.locator("residual-view").inner_text()


def test_all_layers_are_shown_at_a_glance(visit, photo, exported):
    page = opened(visit, photo).page
    page.locator('[data-view="layers"]').click()
    page.locator("all-layers img[src]").last.wait_for()
    names = page.locator("all-layers code").all_inner_texts()
    assert names == [layer.name for layer in read_manifest(exported).feature_maps]
    page.get_by_role("button", name="one basis for all photos").click()
    page.locator('all-layers img[src*="/_shared/"]').last.wait_for()
    sources = page.locator("all-layers img").evaluate_all("all => all.map(one => one.src)")
    assert len(sources) == len(names)
    assert all("/_shared/" in source for source in sources)
    page.locator('all-layers a[href*="layer4.1.relu_1"]').click()
    page.locator("#layer-title code", has_text="layer4.1.relu_1").wait_for()


def test_the_channels_that_make_the_answer_are_those_of_the_classifier(
    visit, photo, tiles, image, exported
):
    manifest = read_manifest(exported)
    layer = manifest.classifier.features
    page = opened(visit, photo, layer=layer, answer=0, sort="class").page
    page.locator(".contributions li").first.wait_for()
    with np.load(exported.parent / manifest.arrays.name) as arrays:
        weight = arrays["classifier.weight"]
    answer = read_entry(tiles, image).answers[0]
    means = np.array(read_figures(tiles / image, sheet_of(read_entry(tiles, image), layer)).mean)
    added = weight[answer.category] * means
    expected = np.argsort(-added, kind="stable")
    texts = page.locator(".contributions a").all_inner_texts()
    assert [int(text.split()[1]) for text in texts[:5]] == expected[:5].tolist()
    numbers = [as_number(t) for t in page.locator(".contributions .number").all_inner_texts()]
    assert numbers[:5] == pytest.approx(added[expected[:5]].tolist(), rel=1e-2)
    assert min(numbers) == pytest.approx(float(added.min()), rel=1e-2)
    grid = page.locator("channel-grid button").evaluate_all(
        "all => all.slice(0, 5).map(one => Number(one.dataset.channel))"
    )
    assert grid == expected[:5].tolist()


def test_channels_are_filtered(visit, photo, tiles, image):
    layer = "layer4.1.relu_1"
    page = opened(visit, photo, layer=layer).page
    high = np.array(read_figures(tiles / image, sheet_of(read_entry(tiles, image), layer)).high)

    def shown():
        buttons = page.locator("channel-grid button")
        return set(buttons.evaluate_all("all => all.map(one => Number(one.dataset.channel))"))

    page.locator('[data-setting="show"]').select_option("silent")
    assert shown() == set(np.flatnonzero(high <= 0).tolist())
    page.locator('[data-setting="show"]').select_option("strongest")
    assert shown() == set(np.argsort(-high, kind="stable")[:16].tolist())
    page.locator('[data-setting="show"]').select_option("all")
    limit = float(np.round(np.median(high), 2))
    page.locator('[data-setting="above"]').fill(str(limit))
    assert shown() == set(np.flatnonzero(high >= limit).tolist())
    assert page.locator(".count").inner_text() == f"{int((high >= limit).sum())} of {len(high)}"


def test_the_most_alike_channels_come_first(visit, photo, maps):
    page = opened(visit, photo, sort="like").page
    flat = maps.reshape(len(maps), -1)
    alike = np.corrcoef(flat)[CHANNEL]
    first = page.locator("channel-grid button").evaluate_all(
        "all => all.slice(0, 4).map(one => Number(one.dataset.channel))"
    )
    assert first == np.argsort(-alike, kind="stable")[:4].tolist()


@pytest.mark.parametrize(
    ("text", "layer", "channel"),
    [("layer3.0.conv1:117", "layer3.0.conv1", "117"), ("relu", "relu", "5"), ("63", LAYER, "63")],
)
def test_the_jump_box_goes_there(visit, photo, text, layer, channel):
    page = opened(visit, photo).page
    page.locator(".jump input").fill(text)
    page.keyboard.press("Enter")
    page.locator("#layer-title code", has_text=layer).wait_for()
    assert view_of(page) == {"layer": layer, "channel": channel}


def test_the_jump_box_finds_a_class(visit, photo, tiles, image):
    page = opened(visit, photo).page
    entry = read_entry(tiles, image)
    page.locator(".jump input").fill(entry.answers[2].name.upper())
    page.keyboard.press("Enter")
    page.locator(".evidence-tools", has_text=f"Evidence for {entry.answers[2].name}").wait_for()
    assert view_of(page)["answer"] == "2"
    names = {answer.name for answer in entry.answers}
    others = [read_entry(tiles, one.id) for one in read_index(tiles).images if one.id != image]
    other = next(one for one in others if one.answers[0].name not in names)
    page.locator(".jump input").fill(other.answers[0].name)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: f"/{image}.html" not in url)


def test_values_are_saved_as_numpy_reads_them(visit, photo, maps):
    page = opened(visit, photo).page
    with page.expect_download() as saved:
        page.get_by_role("button", name="NPY of this map").click()
    assert np.load(saved.value.path()) == pytest.approx(maps[CHANNEL], rel=1e-6, abs=1e-6)
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV of this map").click()
    read = np.loadtxt(saved.value.path(), delimiter=",", dtype=np.float32)
    assert read == pytest.approx(maps[CHANNEL], rel=1e-6, abs=1e-6)
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG").click()
    assert saved.value.suggested_filename == f"{LAYER}-{CHANNEL}.png"


def test_norms_change_the_colours_and_the_numbers_of_the_bar(
    visit, photo, maps, site, tiles, image
):
    page = opened(visit, photo, norm="symlog").page
    high = sheet_of(read_entry(tiles, image), LAYER).scale
    shape = np.sign(maps[CHANNEL]) * np.log1p(np.abs(maps[CHANNEL]) / (0.01 * high))
    place = np.clip((shape / np.log1p(100) + 1) / 2, 0, 1) * 255
    found = canvas_pixels(page, f'channel-grid button[data-channel="{CHANNEL}"] canvas')
    table = colour_table("RdBu_r", site).astype(int)
    near = [table[np.clip(np.rint(place).astype(int) + d, 0, 255)] for d in (-1, 0, 1)]
    assert np.abs(np.array(near) - found).sum(axis=-1).min(axis=0).max() == 0
    page.locator('[data-setting="norm"]').select_option("log")
    bar = page.locator("channel-inspector .colour-bar-numbers span").all_inner_texts()
    assert [as_number(t) for t in bar] == pytest.approx(
        [high / 1000, high / 1000**0.5, high], rel=1e-2
    )
