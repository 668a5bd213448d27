"""Every view of the explorer, in whatever gallery was built, at its first and its last layer."""

import json
import re

import pytest
from checked import MODEL

from precompute.index import read_entry, read_index

pytestmark = pytest.mark.built

VIEWS = ("channels", "layer", "origin", "residual", "photos", "compare", "layers")
WIDTHS = (320, 390, 768, 1280)
ODD = re.compile(
    r"\bNaN\b|\bundefined\b|\bInfinity\b|\[object|“”|cannot be shown"
    r"|\b1 (?:photos|channels|pixels lie)\b"
)


@pytest.fixture
def ends(site) -> list[str]:
    """The first and the last layer that the gallery shows."""
    model = json.loads((site / f"{MODEL}/data/_layers.json").read_bytes())
    names = [layer["name"] for layer in model["layers"]]
    return list(dict.fromkeys([names[0], names[-1]]))


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_whole_and_never_wider_than_the_window(visit, photo, ends, view):
    page = visit(photo).page
    for layer in ends:
        page.goto(f"{page.url.split('#')[0]}#layer={layer}&channel=1&view={view}")
        page.locator("feature-explorer:not([data-stale]) channel-grid button").first.wait_for()
        page.wait_for_load_state("networkidle")
        assert not ODD.search(page.inner_text("feature-explorer")), layer
        found = []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            found.append(page.evaluate("document.documentElement.scrollWidth"))
        assert tuple(found) == WIDTHS, layer


def test_charts_are_said_to_be_left_out_where_there_are_some(visit, photo, tiles, ends):
    entries = [read_entry(tiles, image.id) for image in read_index(tiles).images]
    kinds = {entry.chart for entry in entries}
    page = visit(f"{photo}#layer={ends[0]}&view=photos").page
    page.locator("channel-photos li").first.wait_for()
    said = page.locator("channel-photos > p").first.inner_text()
    assert ("Test charts are left out." in said) == (kinds == {True, False})
    assert f" {len([e for e in entries if e.chart is min(kinds)])} photo" in said


def test_few_layers_do_not_blow_up_the_strip_of_a_photo(visit):
    page = visit("index.html").page
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        strip = page.locator(".rows .depth").first.bounding_box()
        assert strip["height"] <= 80, width


LONG = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzesentwurfsfassungen"
RENAME = """([names, long]) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let changed = 0;
  while (walker.nextNode()) {
    const before = walker.currentNode.data;
    for (const name of names) walker.currentNode.data = walker.currentNode.data.replaceAll(name, long);
    changed += walker.currentNode.data !== before;
  }
  return changed;
}"""
VIEWS_OF_A_PHOTO = ("#view=compare", "#view=photos", "#answer=0")


@pytest.mark.parametrize(
    "path", ["index.html", "tours.html", "mistakes.html", "teaching.html", *VIEWS_OF_A_PHOTO]
)
def test_names_of_one_long_word_widen_no_page(visit, photo, site, path):
    if path == "tours.html" and not (site / path).exists():
        pytest.skip("this gallery has no tours")
    page = visit(photo + path if path.startswith("#") else path).page
    if path.startswith("#"):
        page.locator("feature-explorer:not([data-stale]) channel-grid button").first.wait_for()
        page.wait_for_load_state("networkidle")
    entries = [
        json.loads(p.read_bytes()) for p in (site / f"{MODEL}/data").glob("[!_]*/index.json")
    ]
    names = [name for e in entries for name in (e["title"], *(a["name"] for a in e["answers"]))]
    assert page.evaluate(RENAME, [sorted(names, key=len, reverse=True), LONG])
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found.append(page.evaluate("document.documentElement.scrollWidth"))
    assert tuple(found) == WIDTHS
