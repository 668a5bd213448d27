"""What visitors take along, and the ways to work: keys, fingers, large type, frames elsewhere."""

import html
import re

import numpy as np
import pytest
from explorer import CHANNEL, LAYER, as_number, opened, view_of

from precompute.index import read_entry
from precompute.reader import read_layer

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def image(photo):
    return re.fullmatch(r"resnet18/(.+)\.html", photo)[1]


@pytest.fixture
def clipboard(visit, photo):
    """Open a photo's page with a clipboard that can be read; return the page and a reader."""
    page = opened(visit, photo, options={"permissions": ["clipboard-read", "clipboard-write"]}).page
    return page, lambda: page.evaluate("navigator.clipboard.readText()")


def take(page, name):
    page.locator("view-tools").get_by_role("button", name=name, exact=True).click()
    said = page.locator("view-tools output", has_text=re.compile("copied", re.IGNORECASE))
    said.wait_for()
    button = page.locator("view-tools button").first.bounding_box()
    assert said.bounding_box()["y"] - button["y"] < 200  # where the visitor looks


def test_a_view_is_cited_with_all_that_it_needs(clipboard, tiles, image):
    page, copied = clipboard
    take(page, "Cite")
    text = copied()
    entry = read_entry(tiles, image)
    for part in (f"Channel {CHANNEL} of {LAYER}", entry.title, entry.author, "resnet18", page.url):
        assert part in text
    take(page, "Copy link")
    assert copied() == page.url


def test_an_embedded_map_is_the_map(clipboard, visit, tiles, image):
    page, copied = clipboard
    page.locator('[data-setting="scale"]').select_option("channel")
    take(page, "Embed map")
    frame = copied()
    address = html.unescape(re.search(r'src="([^"]+)"', frame)[1])
    assert frame.startswith("<iframe ")
    host = page.url.split("/resnet18/")[0] + "/"
    embedded = visit(address.removeprefix(host), viewport={"width": 400, "height": 520}).page
    embedded.locator(".stage canvas").wait_for()
    assert image in embedded.locator("a").get_attribute("href")
    values = read_layer(tiles, image, LAYER)[CHANNEL]
    bar = embedded.locator(".colour-bar-numbers span").all_inner_texts()
    assert as_number(bar[-1]) == pytest.approx(float(np.abs(values).max()), rel=6e-3)
    size = embedded.locator("canvas").first.evaluate("one => [one.height, one.width]")
    assert tuple(size) == values.shape
    assert embedded.evaluate("document.documentElement.scrollHeight") <= 520


def test_an_embedded_layer_has_all_its_channels(clipboard, visit, tiles, image):
    page, copied = clipboard
    take(page, "Embed layer")
    address = html.unescape(re.search(r'src="([^"]+)"', copied())[1])
    host = page.url.split("/resnet18/")[0] + "/"
    embedded = visit(address.removeprefix(host), viewport={"width": 400, "height": 640}).page
    embedded.locator("channel-grid button").first.wait_for()
    count = len(read_layer(tiles, image, LAYER))
    assert embedded.locator("channel-grid button").count() == count


def test_an_embedded_photo_that_is_gone_is_said(visit):
    page = visit("resnet18/embed.html#photo=nobody&layer=relu").page
    page.get_by_text("There is no photo “nobody”").wait_for()
    assert page.locator(".stage canvas").is_visible()


def test_a_whole_layer_is_saved_as_numpy_reads_it(visit, photo, tiles, image):
    maps = read_layer(tiles, image, LAYER)
    page = opened(visit, photo).page
    with page.expect_download() as saved:
        page.get_by_role("button", name="NPY of the layer").click()
    assert np.load(saved.value.path()) == pytest.approx(maps, rel=1e-6, abs=1e-6)
    assert saved.value.suggested_filename == f"{LAYER}.npy"
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV of the layer").click()
    table = np.loadtxt(saved.value.path(), delimiter=",", skiprows=1)
    height = maps.shape[1]
    assert table[:, 0].tolist() == np.repeat(np.arange(len(maps)), height).tolist()
    assert table[:, 1].tolist() == np.tile(np.arange(height), len(maps)).tolist()
    assert table[:, 2:].reshape(maps.shape) == pytest.approx(maps, rel=1e-6, abs=1e-6)


def test_single_keys_do_what_the_list_says(visit, photo, exported, site):
    page = opened(visit, photo).page
    press = page.keyboard.press
    press("]")
    page.locator("#layer-title code", has_text="layer2.0.relu").wait_for()
    press("[")
    page.locator("#layer-title code", has_text=LAYER).wait_for()
    press(".")
    assert view_of(page)["channel"] == str(CHANNEL + 1)
    press(",")
    press("s")
    assert view_of(page)["scale"] == "channel"
    press("v")
    assert view_of(page)["view"] == "layer"
    press("o")
    assert view_of(page)["opacity"] == "50"
    press("e")
    assert view_of(page)["answer"] == "0"
    press("/")
    assert page.evaluate("document.activeElement.closest('.jump') !== null")
    page.keyboard.type("r]")  # letters in a text field are letters
    assert page.locator(".jump input").input_value() == "r]"
    page.locator("#layer-title").click()
    first = page.url
    press("n")
    page.wait_for_url(lambda url: url.split("#")[0] != first.split("#")[0])
    page.locator("channel-grid button").first.wait_for()
    assert view_of(page)["view"] == "layer"
    press("p")
    page.wait_for_url(lambda url: url.split("#")[0] == first.split("#")[0])


def test_the_list_of_keys_opens_and_keys_can_be_switched_off(visit, photo):
    page = opened(visit, photo).page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    assert dialog.is_visible()
    page.get_by_label("single keys work").uncheck()
    page.keyboard.press("Escape")
    assert dialog.is_hidden()
    before = page.url
    page.keyboard.press("]")
    page.keyboard.press("s")
    assert page.url == before
    page.reload()
    page.locator("channel-grid button").first.wait_for()
    page.keyboard.press("]")
    assert page.url == before
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("single keys work").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("]")
    assert page.url != before


def test_large_type_stays_on_from_photo_to_photo(visit, photo):
    page = opened(visit, photo).page
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    normal = page.evaluate(size)
    page.get_by_role("button", name="Large type").click()
    assert page.evaluate(size) == 1.5 * normal
    page.keyboard.press("n")
    page.locator("channel-grid button").first.wait_for()
    assert page.evaluate(size) == 1.5 * normal
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.keyboard.press("g")
    assert page.evaluate(size) == normal


def test_the_map_zooms_by_keyboard_and_the_cursor_stays_right(visit, photo, tiles, image):
    values = read_layer(tiles, image, LAYER)[CHANNEL]
    page = opened(visit, photo).page
    stage = page.locator(".inspector .stage")
    stage.focus()
    for _ in range(3):
        page.keyboard.press("+")
    picture = page.locator(".inspector .picture").bounding_box()
    frame = stage.bounding_box()
    assert picture["width"] == pytest.approx(frame["width"] * 1.5**3, rel=1e-3)
    x, y = frame["x"] + 20, frame["y"] + 30
    page.mouse.move(x, y)
    height, width = values.shape
    row = int((y - picture["y"]) / picture["height"] * height)
    column = int((x - picture["x"]) / picture["width"] * width)
    text = page.locator(".inspector .readout").inner_text()
    assert f"at row {row}, column {column}" in text
    assert as_number(text.split()[0]) == pytest.approx(
        float(values[row, column]), rel=6e-3, abs=1e-6
    )
    stage.focus()
    page.keyboard.press("0")
    assert page.locator(".inspector .picture").bounding_box() == pytest.approx(frame)


def test_a_zoomed_map_is_dragged_and_follows_the_cursor(visit, photo):
    page = opened(visit, photo).page
    stage = page.locator(".inspector .stage")
    picture = page.locator(".inspector .picture")
    stage.focus()
    for _ in range(4):
        page.keyboard.press("+")
    frame, before = stage.bounding_box(), picture.bounding_box()
    x, y = frame["x"] + 100, frame["y"] + 100
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 20, steps=3)
    page.mouse.up()
    after = picture.bounding_box()
    moved = after["x"] - before["x"], after["y"] - before["y"]
    assert moved == pytest.approx((30, 20), abs=1)
    page.mouse.move(x, y)
    assert picture.bounding_box() == after  # once the button is up, it stays
    for _ in range(28):
        page.keyboard.press("ArrowLeft")
    cursor = page.locator(".inspector .cursor").bounding_box()
    middle = cursor["x"] + cursor["width"] / 2
    assert frame["x"] < middle < frame["x"] + frame["width"] / 4


def test_a_refused_copy_is_said(visit, photo):
    page = opened(visit, photo).page
    refuse = "void (navigator.clipboard.writeText = () => Promise.reject(new Error('refused')))"
    page.evaluate(refuse)
    page.get_by_role("button", name="Copy link").click()
    page.locator("view-tools output", has_text="does not let the page copy: refused").wait_for()


def test_back_leads_to_the_view_before(visit, photo):
    page = opened(visit, photo).page
    page.locator('[data-view="residual"]').click()
    page.locator("residual-view figure").first.wait_for()
    page.go_back()
    page.locator("residual-view").wait_for(state="hidden")
    assert view_of(page) == {"layer": LAYER, "channel": str(CHANNEL)}


def fingers(page):
    """Return a function that puts fingers on the screen, moves them and takes them away."""
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        places = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    return touch


def test_two_fingers_zoom_the_map(visit, photo):
    page = opened(visit, photo, options=PHONE).page
    touch = fingers(page)
    stage = page.locator(".inspector .stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch("touchStart", (x - 20, y), (x + 20, y))
    for apart in range(24, 64, 4):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    width = page.locator(".inspector .picture").bounding_box()["width"]
    assert 2 * box["width"] < width < 4 * box["width"]


def test_a_swipe_over_the_photo_turns_to_the_next(visit, photo):
    page = opened(visit, photo, options=PHONE).page
    expected = page.locator(".filmstrip [rel=next]").get_attribute("href").split("#")[0]
    touch = fingers(page)
    frame = page.locator(".photo-frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    y = box["y"] + box["height"] / 2
    touch("touchStart", (300, y))
    for x in range(280, 100, -20):
        touch("touchMove", (x, y))
    touch("touchEnd")
    page.wait_for_url(f"**/{expected.split('/')[-1]}**")
    assert view_of(page) == {"layer": LAYER, "channel": str(CHANNEL)}
