"""What the inspector shows of a survey: the channel's own figures and patches, asked for once."""

import io
import json
import re

import numpy as np
import pytest
import surveyed
from accessibility import violations
from explorer import as_number, opened, view_of
from PIL import Image
from serving import serving
from several import MAIN, TWIN
from several import build as build_several

from export.manifest import read_manifest
from precompute.index import read_index
from survey.contract import layer_name, read_survey

LAYER, OTHER, SMALL, DEEP = "layer2.0.conv1", "layer2.0.relu", "conv1", "layer4.1.relu_1"
MISSING = "layer3.0.conv1"
"""Its files are taken away."""
SAME = "maxpool"
"""Has the patches of SMALL."""
CHANNEL = 5
EACH = 3
AUTHOR = "Grace Hopper"
"""Of some of the photos."""


@pytest.fixture(scope="module")
def site(exported, tiles, runtime, tmp_path_factory):
    out = tmp_path_factory.mktemp("surveyed") / "site"
    given = [exported], tiles.parent, runtime, out
    sides = {SMALL: 7, DEEP: 48}
    made = surveyed.build(
        *given, each=EACH, kept=2 * EACH, sides=sides, same={SAME: SMALL}, author=AUTHOR
    )
    (made / "resnet18" / "data" / "survey" / layer_name(MISSING)).unlink()
    return made


@pytest.fixture(scope="module")
def address(site):
    with serving(site) as address:
        yield address


@pytest.fixture(scope="module")
def data(site):
    return site / "resnet18" / "data"


@pytest.fixture(scope="module")
def photo(data):
    """The path of the first photo's page."""
    return f"resnet18/{read_index(data).images[0].id}.html"


@pytest.fixture(scope="module")
def slugs(exported):
    return {layer.name: layer.slug for layer in read_manifest(exported).feature_maps}


@pytest.fixture(scope="module")
def found(site, data, slugs):
    """Return a function that reads what was found of a layer; it has the survey's index."""

    def found(layer):
        return json.loads((data / f"survey/layers/{slugs[layer]}.json").read_bytes())

    found.index = read_survey(site.with_name("surveys") / "resnet18")
    return found


def told(page):
    """Return the rows of the panel, once they are of the channel that the page is at."""
    link = page.locator("survey-panel > a")
    link.get_by_text(re.compile(rf"^Channel {view_of(page)['channel']} among")).wait_for()
    rows = page.locator("survey-panel dt").all_inner_texts()
    return dict(zip(rows, page.locator("survey-panel dd").all_inner_texts(), strict=True))


def asked(watched):
    """Return what was loaded of the survey, in order."""
    part = re.compile(r"/(survey/\w+/[^/]+|_classes\.json|survey-panel\.js)$")
    return [part.search(url)[1] for url in watched.requests if part.search(url)]


def test_nothing_of_it_is_loaded_until_it_is_opened_and_then_once_a_layer(visit, photo, slugs):
    watched = opened(visit, photo, layer=LAYER)
    page = watched.page
    page.locator('channel-grid button[data-channel="3"]').click()
    page.wait_for_load_state("networkidle")
    assert asked(watched) == []
    assert "survey" not in view_of(page)
    page.locator(".survey summary").click()
    told(page)
    page.wait_for_load_state("networkidle")
    first = ["survey-panel.js", "_classes.json"]
    first += [f"survey/layers/{slugs[LAYER]}.json", f"survey/patches/{slugs[LAYER]}.webp"]
    assert sorted(asked(watched)) == sorted(first)
    assert view_of(page)["survey"] == "1"
    page.locator('channel-grid button[data-channel="7"]').click()
    told(page)
    page.locator(f'.layers [data-layer="{OTHER}"]').click()
    page.locator("survey-panel > a", has_text=OTHER).wait_for()
    page.locator(f'.layers [data-layer="{LAYER}"]').click()
    page.locator("survey-panel > a", has_text=LAYER).wait_for()
    page.wait_for_load_state("networkidle")
    second = [f"survey/layers/{slugs[OTHER]}.json", f"survey/patches/{slugs[OTHER]}.webp"]
    assert sorted(asked(watched)) == sorted(first + second)
    page.locator(".survey summary").click()
    page.wait_for_url(lambda url: "survey" not in url)


def test_its_figures_are_those_that_were_found(visit, photo, found, data, slugs):
    page = opened(visit, photo, layer=OTHER, survey=1).page
    rows = told(page)
    own, photos = found(OTHER), found.index.surveyed
    classes = json.loads((data / "_classes.json").read_bytes())
    assert page.locator(".survey summary").inner_text() == f"Strongest over {photos} photos"
    assert rows["fires on"].startswith(f"{own['fires'][CHANNEL]} of {photos} photos, ")
    assert as_number(rows["largest maximum"]) == pytest.approx(own["high"][CHANNEL], rel=5e-3)
    assert as_number(rows["mean"]) == pytest.approx(own["mean"][CHANNEL], rel=5e-3)
    median, error = rows["median maximum"].split(" ± ")
    assert as_number(median) == pytest.approx(own["quantiles"][CHANNEL][2], rel=5e-3)
    assert error == f"{100 * found.index.quantile_error:g} %"
    kind, separation = rows["largest mean on"].split(", separation ")
    assert kind == classes[own["best"][CHANNEL]]
    assert as_number(separation) == pytest.approx(own["separation"][CHANNEL], rel=5e-3)
    assert (
        page.locator("survey-panel > a")
        .get_attribute("href")
        .endswith(f"/../../survey/layers/{slugs[OTHER]}.html#c{CHANNEL}")
    )
    assert (
        page.locator("survey-panel > a")
        .evaluate("one => one.pathname")
        .endswith(f"/project/survey/layers/{slugs[OTHER]}.html")
    )


def test_photos_stand_in_order_with_values_names_and_owners_as_many_as_have_a_patch(
    visit, photo, found
):
    page = opened(visit, photo, layer=LAYER, survey=1).page
    told(page)
    own, items = found(LAYER), page.locator("survey-panel li")
    top = own["strongest"][CHANNEL]
    values = [as_number(one) for one in items.locator(".number").all_inner_texts()]
    assert len(values) == EACH < len(top["value"])
    assert values == pytest.approx(top["value"][:EACH], rel=5e-3)
    assert values == sorted(values, reverse=True)
    shown = [own["photos"][i] for i in top["photo"][:EACH]]
    names = [one["name"] for one in shown]
    titles = items.evaluate_all("all => all.map((one) => one.title)")
    assert [title.split(":")[0] for title in titles] == names
    labels = items.locator("svg").evaluate_all("all => all.map((one) => one.ariaLabel)")
    assert labels == [f"Part of {title}" for title in titles]
    assert page.locator("survey-panel ol").get_attribute("aria-label") == (
        f"What drives channel {CHANNEL} most, strongest first"
    )
    owners = page.locator("survey-panel .quiet").inner_text()
    assert owners.startswith(f"Photos: {found.index.credit.title}; ")
    for author in (AUTHOR, found.index.credit.author):
        numbers = [
            str(i + 1)
            for i, one in enumerate(shown)
            if (one["author"] or found.index.credit.author) == author
        ]
        alone = len(numbers) == EACH
        assert (f"; {', '.join(numbers)}: {author}, " in owners) == bool(numbers and not alone)
        assert (author in owners) == bool(numbers)


@pytest.mark.parametrize(("layer", "squares"), [(SMALL, True), (SAME, True), (DEEP, False)])
def test_a_patch_shows_its_own_cell_of_the_sheet(visit, photo, data, slugs, layer, squares):
    channel = 13
    page = opened(visit, photo, layer=layer, channel=channel, survey=1).page
    told(page)
    page.wait_for_load_state("networkidle")
    model = json.loads((data / "_layers.json").read_bytes())
    patches = model["survey"]["layers"][layer]["patches"]
    sheet = surveyed.Sheet(**patches["sheet"])
    assert sheet.path == f"patches/{slugs[SMALL if layer == SAME else layer]}.webp"
    cells = surveyed.cells((data / "survey" / sheet.path).read_bytes(), sheet)
    drawn = page.locator("survey-panel svg")
    assert drawn.count() == EACH
    for rank in range(drawn.count()):
        cell = cells[channel * patches["each"] + rank].astype(float)
        opaque = cell[..., 3:] / 255
        expected = cell[..., :3] * opaque + 127 * (1 - opaque)
        shown = Image.open(io.BytesIO(drawn.nth(rank).screenshot())).convert("RGB")
        # A screenshot takes whole pixels, and with them a little of what is beside the patch.
        inner = shown.crop((1, 1, shown.width - 1, shown.height - 1))
        small = np.asarray(inner.resize((7, 7), Image.Resampling.BOX), float)
        wanted = Image.fromarray(expected.astype(np.uint8)).resize((7, 7), Image.Resampling.BOX)
        assert np.abs(small - np.asarray(wanted, float)).mean() < 12, rank
    rendering = drawn.first.locator("image").evaluate("one => getComputedStyle(one).imageRendering")
    assert (rendering == "pixelated") is squares


def test_it_stays_open_on_another_photo_and_when_going_back(visit, photo):
    page = opened(visit, photo, layer=LAYER).page
    page.locator(".survey summary").click()
    told(page)
    before = page.url.split("#")[0]
    page.locator(".filmstrip [data-image]:not([aria-current])").first.click()
    page.wait_for_url(lambda url: url.split("#")[0] != before)
    assert told(page)["fires on"]
    page.go_back()
    page.wait_for_url(lambda url: url.split("#")[0] == before)
    assert told(page)["fires on"]


def test_it_follows_the_pointer_as_the_inspector_does(visit, photo, found):
    page = opened(visit, photo, layer=LAYER, survey=1).page
    told(page)
    page.locator('channel-grid button[data-channel="8"]').hover()
    page.locator("channel-inspector h3", has_text="Channel 8 ").wait_for()
    page.locator("survey-panel > a", has_text="Channel 8 among").wait_for()
    high = page.locator("survey-panel dd").nth(1).inner_text()
    assert as_number(high) == pytest.approx(found(LAYER)["high"][8], rel=5e-3)


def test_it_opens_by_keyboard(visit, photo):
    page = opened(visit, photo, layer=LAYER).page
    page.locator(".survey summary").focus()
    page.keyboard.press("Enter")
    told(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('survey-panel > a')")


def test_a_dead_channel_says_so(visit, photo, found):
    watched = opened(visit, photo, layer=OTHER, channel=found(OTHER)["fires"].index(0), survey=1)
    rows = told(watched.page)
    said = watched.page.locator("survey-panel > p").inner_text()
    assert said == "Dead: never above zero on any of these photos."
    assert rows["fires on"].startswith("0 of ")
    assert "largest mean on" not in rows
    assert watched.page.locator("survey-panel svg").count() == 0


def change(page, name, make):
    """Let a file of the survey come changed: `make` is told what it says, and returns another."""

    def changed(route):
        route.fulfill(json=make(route.fetch().json()))

    page.route(f"**/{name}", changed)


def test_a_private_survey_shows_figures_and_no_photo(visit, photo, found, slugs):
    watched = visit("about.html")
    page = watched.page

    def keep_back(model):
        model["survey"]["private"] = True
        for layer in model["survey"]["layers"].values():
            layer["patches"] = None
        return model

    def anonymous(layer):
        layer["photos"] = []
        for one in layer["strongest"]:
            if one:
                one["photo"] = []
        return layer

    change(page, "_layers.json", keep_back)
    change(page, f"survey/layers/{slugs[LAYER]}.json", anonymous)
    watched.open(f"{photo}#layer={LAYER}&channel={CHANNEL}&survey=1")
    rows = told(page)
    said = page.locator("survey-panel > p").inner_text()
    assert said == "Figures only: the photos are kept back."
    assert as_number(rows["largest maximum"]) == pytest.approx(found(LAYER)["high"][5], rel=5e-3)
    assert page.locator("survey-panel li").count() == 0
    assert not [one for one in asked(watched) if one.endswith(".webp")]


def test_without_patches_every_photo_that_is_known_is_named_with_its_value(visit, photo, found):
    watched = visit("about.html")
    page, top = watched.page, found(LAYER)["strongest"][CHANNEL]

    def unpictured(model):
        model["survey"]["layers"][LAYER]["patches"] = None
        return model

    change(page, "_layers.json", unpictured)
    watched.open(f"{photo}#layer={LAYER}&channel={CHANNEL}&survey=1")
    told(page)
    items = page.locator("survey-panel li")
    values = [as_number(one) for one in items.locator(".number").all_inner_texts()]
    assert len(values) == 2 * EACH
    assert values == pytest.approx(top["value"], rel=5e-3)
    assert items.locator("svg").count() == 0


def test_a_photo_without_a_class_is_called_by_its_name(visit, photo, slugs):
    watched = visit("about.html")
    page = watched.page

    def unlabelled(layer):
        layer["photos"] = [one | {"label": None} for one in layer["photos"]]
        return layer | {"best": [None] * len(layer["best"])}

    change(page, f"survey/layers/{slugs[LAYER]}.json", unlabelled)
    watched.open(f"{photo}#layer={LAYER}&channel={CHANNEL}&survey=1")
    assert "largest mean on" not in told(page)
    titles = page.locator("survey-panel li").evaluate_all("all => all.map((one) => one.title)")
    names = page.locator("survey-panel li small").all_inner_texts()
    assert names == [title.removeprefix("wood/") for title in titles]


def test_a_layer_that_comes_late_stands_neither_under_nor_over_another(visit, photo, slugs):
    page, waiting = opened(visit, photo, layer=DEEP, survey=1).page, []
    told(page)
    page.route(f"**/survey/layers/{slugs[LAYER]}.json", lambda route: waiting.append(route))
    page.locator(f'.layers [data-layer="{LAYER}"]').click()
    page.locator("channel-inspector h3", has_text=f" of {LAYER} ").wait_for()
    page.wait_for_function("!document.querySelector('survey-panel').firstChild")
    page.locator(f'.layers [data-layer="{OTHER}"]').click()
    page.locator("survey-panel > a", has_text=OTHER).wait_for()
    with page.expect_response("**/survey/layers/*"):
        waiting[0].continue_()
    page.wait_for_load_state("networkidle")
    assert (
        page.locator("survey-panel > a").inner_text() == f"Channel {CHANNEL} among all of {OTHER}"
    )


@pytest.fixture
def damaged(chromium, address, photo):
    """Return a function that opens the panel while a file is missing; fails for uncaught errors."""
    context, errors = chromium.new_context(viewport={"width": 1280, "height": 900}), []

    def open_(missing, layer=LAYER):
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.route(missing, lambda route: route.fulfill(status=404))
        page.goto(f"{address}{photo}#layer={layer}&channel={CHANNEL}&survey=1")
        return page

    yield open_
    context.close()
    assert errors == []


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("**/nothing", "This cannot be shown: .*/survey/layers/.* is missing \\(404\\)"),
        ("**/_classes.json", "This cannot be shown: .*/_classes.json is missing \\(404\\)"),
        ("**/survey-panel.js", "This cannot be shown: .*survey-panel.js"),
    ],
)
def test_what_cannot_be_had_is_told_in_its_place_and_all_else_is_shown(damaged, missing, says):
    page = damaged(missing, MISSING if missing == "**/nothing" else LAYER)
    message = page.locator("survey-panel > p")
    message.wait_for()
    assert re.match(says, message.inner_text())
    assert page.locator(".peaks svg").count() > 0
    assert page.locator(".notice").is_hidden()
    if missing == "**/nothing":  # the next layer is there
        page.locator(f'.layers [data-layer="{LAYER}"]').click()
        page.locator("survey-panel dl").wait_for()
        assert message.inner_text().startswith("Photos: ")


def test_missing_patches_are_named_and_their_values_stay(damaged):
    page = damaged("**/survey/patches/*")
    message = page.locator("survey-panel > p", has_text="cannot be shown")
    message.wait_for()
    assert f"survey/patches/{LAYER}.webp cannot be shown" in message.inner_text()
    assert page.locator("survey-panel li .number").count() > 1
    assert page.locator("survey-panel dd").count() == 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_serves_everybody(visit, photo, scheme, width):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = opened(visit, photo, layer=LAYER, survey=1, options=options).page
    told(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert violations(page) == []


def test_on_paper_it_is_there_where_it_was_opened(visit, photo):
    page = opened(visit, photo, layer=LAYER).page
    page.emulate_media(media="print")
    assert page.locator(".survey").is_hidden()
    page.emulate_media(media="screen")
    page.locator(".survey summary").click()
    told(page)
    page.emulate_media(media="print")
    assert page.locator("survey-panel svg").first.is_visible()


def test_without_a_script_a_layer_leads_to_its_ranking(visit, photo, slugs):
    page = visit(photo, java_script_enabled=False).page
    assert page.locator(".survey").is_hidden()
    page.locator(".plain-layers summary", has_text=OTHER).first.click()
    link = page.locator(f'.plain-layers a[href$="survey/layers/{slugs[OTHER]}.html"]')
    assert link.is_visible()
    assert link.inner_text().startswith("its channels over ")


def test_it_stands_beside_an_own_photo_too(visit, found):
    watched = visit(f"resnet18/your-photo.html#layer={LAYER}&channel={CHANNEL}&survey=1")
    page = watched.page
    assert asked(watched) == []
    page.locator("[data-sample]").first.click()
    rows = told(page)
    assert as_number(rows["largest maximum"]) == pytest.approx(found(LAYER)["high"][5], rel=5e-3)
    page.wait_for_load_state("networkidle")
    assert len([one for one in asked(watched) if one.endswith(".webp")]) == 1


def test_each_model_has_its_own(tmp_path_factory, chromium):
    made = build_several(tmp_path_factory.mktemp("models"))
    manifests = [path for path in made.manifests if path.parent.name in (MAIN, TWIN)]
    out = made.site.with_name("surveyed")
    surveyed.build(manifests, made.tiles, made.tiles.with_name("none"), out)
    image = read_index(made.tiles / TWIN).images[0].id
    page = chromium.new_page()
    with serving(out) as address:
        page.goto(f"{address}{MAIN}/{image}.html#layer=conv&channel=2&survey=1")
        highs = [told(page)["largest maximum"]]
        page.get_by_role("navigation", name="Models").get_by_role("link", name=TWIN).click()
        page.wait_for_url(f"**/{TWIN}/{image}.html#**")
        highs.append(told(page)["largest maximum"])
        link = page.locator("survey-panel > a").evaluate("one => one.href")
    page.close()
    assert link == f"{address}models/{TWIN}/survey/layers/conv.html#c2"
    for model, high in zip((MAIN, TWIN), highs, strict=True):
        own = json.loads((out / model / "data" / "survey" / "layers" / "conv.json").read_bytes())
        assert as_number(high) == pytest.approx(own["high"][2], rel=5e-3)
    assert highs[0] != highs[1]
