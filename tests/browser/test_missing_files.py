"""Whatever file is missing or damaged: its place stays, a sentence names it, the rest works."""

import re

import pytest

from precompute.index import figures_name, read_entry, read_index, sheet_name

LAYER = "layer2.0.conv1"
OTHER = "layer2.0.relu"
DAMAGES = {
    "missing": {"status": 404, "body": "<!doctype html><title>404</title>"},
    "empty": {"status": 200, "body": ""},
    "a page": {
        "status": 200,
        "body": "<!doctype html><title>Hello</title>",
        "content_type": "text/html",
    },
    "cut": None,
}
REMEDY = "Reload the page; if that does not help, the site has to be published again."


@pytest.fixture
def opened(chromium, address):
    """Return a function that opens a path while a file comes damaged; fails for uncaught errors."""
    contexts, errors = [], []

    def open_(path, damage, damaged, **options):
        contexts.append(chromium.new_context(viewport={"width": 1280, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.route(damaged, lambda route: damage_(route, damage))
        page.goto(address + path)
        return page

    def damage_(route, damage):
        if damage == "cut":
            response = route.fetch()
            body = response.body()
            route.fulfill(response=response, body=body[: len(body) // 2])
        else:
            route.fulfill(**DAMAGES[damage])

    yield open_, errors
    for context in contexts:
        context.close()
    assert errors == []


def show(page, layer):
    page.locator(f'.layers [data-layer="{layer}"]').click()
    page.locator("#layer-title code", has_text=re.compile(f"^{re.escape(layer)}$")).wait_for()


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((sheet_name(LAYER), damage) for damage in DAMAGES),
        *((figures_name(LAYER), damage) for damage in DAMAGES),
        (f"_shared/{figures_name(LAYER)}", "missing"),
    ],
)
def test_a_layer_that_cannot_be_had_is_named_and_all_else_can_be_seen(opened, photo, name, damage):
    open_, _ = opened
    image = re.fullmatch(r"resnet18/(.+)\.html", photo)[1]
    file = name if name.startswith("_") else f"{image}/{name}"
    page = open_(f"{photo}#layer={LAYER}&channel=3", damage, f"**/data/{file}")
    notice = page.locator(".notice", has_text="cannot be shown")
    notice.wait_for()
    fault = "is missing (404)" if damage == "missing" else "is damaged"
    assert notice.inner_text() == (
        f"{LAYER} cannot be shown: ../resnet18/data/{file} {fault}. {REMEDY}"
    )
    assert page.locator("channel-grid").is_hidden(), "or the maps of another layer stand there"
    show(page, OTHER)
    page.locator("feature-explorer:not([data-stale]) channel-grid button").first.wait_for()
    assert page.locator(".notice").is_hidden()
    assert page.locator(".answers button").count() == 5
    page.locator(".filmstrip [data-image]:not([aria-current])").first.click()
    page.locator("feature-explorer:not([data-stale]) channel-grid button").first.wait_for()
    assert page.locator(".notice").is_hidden()


@pytest.mark.parametrize(
    ("name", "damage"),
    [("{image}/index.json", "missing"), ("{image}/index.json", "cut"), ("_layers.json", "a page")],
)
def test_without_the_data_of_a_photo_the_plain_page_takes_over(opened, photo, site, name, damage):
    open_, _ = opened
    image = re.fullmatch(r"resnet18/(.+)\.html", photo)[1]
    file = name.format(image=image)
    page = open_(photo, damage, f"**/data/{file}")
    page.locator("feature-explorer[data-failed]").wait_for()
    said = page.locator(".notice").inner_text()
    assert said.startswith("The feature maps cannot be shown: ")
    assert f"data/{file} is " in said
    assert REMEDY in said
    assert page.locator(".explorer").is_hidden()
    page.locator(".plain-layers summary").first.click()
    assert page.locator(".plain-layers .sheet").first.is_visible()
    layers = len(read_entry(site / "resnet18" / "data", image).sheets)
    assert page.locator(".plain-layers summary").count() == layers


@pytest.mark.parametrize(("suffix", "damage"), [("summary", "empty"), ("pca", "missing")])
def test_a_view_that_cannot_be_had_says_so_and_the_maps_stay(opened, photo, suffix, damage):
    open_, _ = opened
    page = open_(f"{photo}#layer={LAYER}&view=layer", damage, f"**/{LAYER}.{suffix}.png")
    page.locator("layer-summary > p").wait_for()
    said = page.locator("layer-summary > p").inner_text()
    assert said.startswith("This cannot be shown: ")
    assert f"{LAYER}.{suffix}.png is " in said
    assert REMEDY in said
    assert page.locator("channel-grid button").first.is_visible()
    show(page, OTHER)
    page.locator("layer-summary figure").first.wait_for()


def test_a_view_whose_program_is_missing_says_so_and_the_maps_stay(opened, photo):
    open_, _ = opened
    page = open_(f"{photo}#layer={LAYER}&view=residual", "missing", "**/residual-view.js")
    page.locator("residual-view > p", has_text="residual-view.js").wait_for()
    assert page.locator("channel-grid button").first.is_visible()


@pytest.mark.parametrize(
    ("module", "damage"),
    [
        ("photo-page.js", "missing"),
        ("photo-page.js", "empty"),
        ("norms.js", "a page"),
        ("norms.js", "cut"),
    ],
)
def test_without_its_program_the_plain_page_takes_over(opened, photo, module, damage):
    open_, errors = opened
    page = open_(photo, damage, f"**/{module}")
    if damage == "cut":  # the browser itself tells of what is no program
        assert len(errors) == 1
        errors.clear()
    assert "could not be loaded" in page.locator(".notice").inner_text()
    plain = page.locator("#plain-title")
    gap = plain.bounding_box()["y"] - page.locator(".overview").bounding_box()["y"]
    assert gap < page.locator(".overview").bounding_box()["height"] + 250, "an empty screen"
    page.locator(".plain-layers summary").first.click()
    assert page.locator(".plain-layers .sheet").first.is_visible()
    assert page.locator(".answers li").count() == 5


@pytest.mark.parametrize("path", ["index.html", None])
def test_without_its_style_a_page_is_plain_and_works(opened, photo, path):
    open_, _ = opened
    page = open_(path or photo, "missing", "**/gallery.css")
    assert page.locator("h1").is_visible()
    if path is None:
        page.locator("channel-grid button").first.wait_for()
    else:
        page.locator(".row").first.click()
        page.locator(".answers li").first.wait_for()


@pytest.fixture(scope="session")
def widest(site):
    """The page of the photo that is widest for its height, and fills the room that it has."""
    data = site / "resnet18" / "data"
    entries = [read_entry(data, image.id) for image in read_index(data).images]
    return f"resnet18/{max(entries, key=lambda one: one.photo_width / one.photo_height).id}.html"


SIZES = """[...document.querySelectorAll("main img, main svg:not([hidden]), main section, main figure")]
    .map((one) => [one.className?.baseVal ?? one.className, one.getBoundingClientRect()])
    .map(([name, { x, y, width, height }]) => [name, ...[x, y, width, height].map(Math.round)])"""


@pytest.mark.parametrize(("width", "scripts"), [(390, False), (1280, True)])
@pytest.mark.parametrize(
    "path", ["index.html", "tours.html", "mistakes.html", "filters.html", "teaching.html", None]
)
def test_missing_pictures_move_nothing_and_have_their_texts(
    opened, site, widest, path, width, scripts
):
    if not (site / (path or widest)).is_file():
        pytest.skip("this gallery has no such page")
    open_, _ = opened
    found = []
    for damaged in ("**/nothing", re.compile(r"\.(png|jpg)$")):
        page = open_(path or widest, "missing", damaged, java_script_enabled=scripts)
        page.set_viewport_size({"width": width, "height": 900})
        selected = SIZES.replace("main ", ".overview ") if path is None else SIZES
        found.append(page.evaluate(selected))
        assert (
            page.evaluate("[...document.images].filter((one) => !one.hasAttribute('alt')).length")
            == 0
        )
    whole, missing = found
    assert len(whole) > 1
    moved = [
        (there, gone)
        for there, gone in zip(whole, missing, strict=True)
        if max(abs(a - b) for a, b in zip(there[1:], gone[1:], strict=True)) > 1
    ]
    assert moved == []


def test_a_missing_sheet_is_named_in_its_place_without_a_script(opened, photo, site):
    open_, _ = opened
    image = re.fullmatch(r"resnet18/(.+)\.html", photo)[1]
    sheets = read_entry(site / "resnet18" / "data", image).sheets
    page = open_(photo, "missing", f"**/{sheets[0].path}", java_script_enabled=False)
    boxes = []
    for position, sheet in enumerate(sheets[:2]):
        page.locator(".plain-layers summary").nth(position).click()
        shown = page.locator(f".sheet-{position}")
        said = shown.evaluate("(one) => getComputedStyle(one, '::before').content")
        assert f'"{sheet.path}' in said
        boxes.append(shown.bounding_box())
        assert sheet.layer in shown.get_attribute("aria-label")
    page.wait_for_load_state("networkidle")
    assert boxes[0]["width"] > 100
    ratio = sheets[0].columns * sheets[0].tile_width / (sheets[0].rows * sheets[0].tile_height)
    assert boxes[0]["width"] / boxes[0]["height"] == pytest.approx(ratio, rel=0.02)
    ground = page.locator(".sheet-0").screenshot()
    assert ground != page.locator(".sheet-1").screenshot()
