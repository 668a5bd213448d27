"""The site in Firefox, whose engine shares nothing with Chromium's: what matters most."""

import math
import os
import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from bidi import started
from checked import MODEL
from PIL import Image

from export.manifest import read_manifest
from precompute.decode import open_picture
from precompute.index import read_entry
from precompute.preprocess import crop, normalise
from precompute.reader import read_layer

ROOT = Path(__file__).parents[2]
LAYER = "layer2.0.relu"
LOADED = (
    "document.querySelector('channel-grid canvas')"
    " && !('stale' in document.querySelector('feature-explorer').dataset)"
)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with started(os.environ["FIREFOX"], tmp_path_factory.mktemp("firefox")) as browser:
        yield browser


@pytest.fixture
def firefox(running):
    """The browser; the test fails for any fault of a page that it opened."""
    yield running
    running.ask("1")  # whatever happened before has been told by the time this is answered
    faults, running.faults[:] = list(running.faults), []
    assert faults == []


@pytest.fixture
def image(photo):
    return re.fullmatch(rf"{MODEL}/(.+)\.html", photo)[1]


@pytest.fixture
def maps(tiles, image):
    """(channels, height, width) activations of LAYER, as the tiles hold them."""
    return read_layer(tiles, image, LAYER)


@pytest.fixture
def channel(maps):
    """The channel with the largest value: it has something to show."""
    return int(maps.max(axis=(1, 2)).argmax())


def number(text):
    return float(re.match(r"[+−]?\d+(\.\d+)?", text)[0].replace("−", "-"))


@pytest.mark.built
@pytest.mark.parametrize("path", ["index.html", "about.html", None])
def test_a_page_opens_without_a_fault_and_asks_no_other_site(firefox, address, photo, path):
    firefox.requests.clear()
    firefox.open(address + (path or photo))
    if path is None:
        firefox.wait(LOADED)
    assert firefox.ask("document.querySelector('h1').checkVisibility()")
    width = "document.documentElement.{}Width"
    assert firefox.ask(width.format("scroll")) == firefox.ask(width.format("client"))
    # Firefox reads a font of its own from a data: address.
    asked = [url for url in firefox.requests if not url.startswith("data:")]
    assert asked
    assert [url for url in asked if not url.startswith(address)] == []


def test_the_grid_has_every_channel_in_the_colours_of_its_values(
    firefox, address, photo, maps, channel
):
    view = f"#layer={LAYER}&channel={channel}&scale=channel&sequential=gray"
    firefox.open(address + photo + view)
    firefox.wait(LOADED)
    shown = "[...document.querySelectorAll('channel-grid button')].map(b => +b.dataset.channel)"
    assert firefox.ask(shown) == list(range(len(maps)))
    assert firefox.ask("document.querySelector('.notice').hidden"), "values are not exact"
    tile = f'channel-grid [data-channel="{channel}"]'
    firefox.box(tile)  # it is painted when it is seen
    canvas = f"document.querySelector('{tile} canvas')"
    data = f"{canvas}.getContext('2d').getImageData(0, 0, {canvas}.width, {canvas}.height).data"
    firefox.wait(f"{data}.some(value => value > 0)")
    found = np.array(firefox.ask(f"[...{data}]")).reshape(*maps[channel].shape, 4)
    grey = maps[channel] / maps[channel].max() * 255
    # matplotlib's table has a few greys that are one darker than their place.
    assert np.abs(found[..., :3] - np.rint(grey)[..., None]).max() <= 1


def test_the_readout_is_the_stored_value_and_arrow_keys_move_it(
    firefox, address, photo, maps, channel
):
    values = maps[channel]
    height, width = values.shape
    firefox.open(f"{address}{photo}#layer={LAYER}&channel={channel}")
    firefox.wait(LOADED)

    def check(row, column):
        text = firefox.ask("document.querySelector('.readout').textContent")
        assert f"at row {row}, column {column}" in text
        assert number(text) == pytest.approx(float(values[row, column]), rel=5e-3, abs=1e-6)

    inner = values[1:-1, 1:-1]
    row, column = (int(at) + 1 for at in np.unravel_index(inner.argmax(), inner.shape))
    box = firefox.box(".stage")
    firefox.hover(
        box["x"] + (column + 0.5) * box["width"] / width,
        box["y"] + (row + 0.5) * box["height"] / height,
    )
    check(row, column)
    firefox.ask("document.querySelector('.stage').focus()")
    for key, down, right in [("ArrowRight", 0, 1), ("ArrowDown", 1, 0), ("ArrowUp", -1, 0)]:
        firefox.press(key)
        row, column = row + down, column + right
        check(row, column)


def test_arrow_keys_choose_the_next_channel(firefox, address, photo, maps):
    firefox.open(f"{address}{photo}#layer={LAYER}&channel=4")
    firefox.wait(LOADED)
    firefox.ask("document.querySelector('channel-grid [aria-pressed=true]').focus()")
    firefox.press("ArrowRight")
    assert firefox.ask("document.activeElement.dataset.channel") == "5"
    assert "channel=5" in firefox.ask("location.hash")
    assert "Channel 5 of" in firefox.ask("document.querySelector('.inspector h3').textContent")


def test_evidence_is_shown_with_the_logit_that_it_adds_up_to(firefox, address, photo, tiles, image):
    firefox.open(address + photo)
    firefox.wait("document.querySelector('.answers button')")
    firefox.click("[data-answer='0'] button")
    firefox.wait("document.querySelector('.evidence-map').checkVisibility()")
    text = firefox.ask("document.querySelector('.evidence-tools p').textContent")
    logit = read_entry(tiles, image).answers[0].logit
    assert number(text.split("is the logit ")[1]) == pytest.approx(logit, rel=5e-3)


SHOWN = """void customElements.whenDefined("feature-explorer").then(() => {
  const { prototype } = customElements.get("feature-explorer");
  const { open } = prototype;
  prototype.open = function (data) {
    window.shown = data;
    return open.call(this, data);
  };
})"""
"""Keeps what the explorer is given to show."""


def test_an_own_photo_gives_what_python_computes(firefox, address, exported, tmp_path):
    turned = tmp_path / "turned.jpg"
    with Image.open(ROOT / "examples" / "panda.jpg") as picture:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.resize((301, 205)).save(turned, exif=exif)
    manifest = read_manifest(exported)
    copy = exported.parent / manifest.browser.file.name
    session = onnxruntime.InferenceSession(copy, providers=["CPUExecutionProvider"])
    seen = normalise(crop(open_picture(turned), manifest.input), manifest.input)
    (values,), (logits,) = session.run([LAYER, manifest.logits], {manifest.input.name: seen})

    firefox.open(f"{address}{MODEL}/your-photo.html#layer={LAYER}&channel=1")
    firefox.ask(SHOWN)
    firefox.give(".own-ways input", turned)
    firefox.wait(f"document.querySelector('.own').dataset.state === 'shown' && {LOADED}")
    best = np.argsort(-logits, kind="stable")[:5]
    answers = firefox.ask("shown.entry().then(entry => entry.answers)")
    assert [answer["category"] for answer in answers] == best.tolist()
    assert [answer["logit"] for answer in answers] == pytest.approx(logits[best], abs=1e-3)
    names = firefox.ask(
        "[...document.querySelectorAll('.answers .answer-name')].map(name => name.textContent)"
    )
    assert names == [manifest.categories[i] for i in best]
    sheet = f"{{ layer: '{LAYER}' }}"
    figures = firefox.ask(f"shown.figures({sheet})")
    low, high = (np.array(figures[end])[:, None, None] for end in ("low", "high"))
    channels, height, width = values.shape
    pixels = np.array(firefox.ask(f"shown.sheet({sheet}).then(grey => [...grey])"))
    columns = next(c for c in range(math.isqrt(channels - 1) + 1, channels + 1) if not channels % c)
    tiles = pixels.reshape(-1, height, columns, width).swapaxes(1, 2).reshape(values.shape)
    found = low + tiles / 255 * (high - low)
    assert (np.abs(found - values) <= (high - low) / 510 + 1e-4 * values.max()).all()
