"""Galleries of one, of charts alone, of random weights: what is said of them is true and reads well."""

import html
import json
import re
from dataclasses import replace

import pytest

import artifacts
from precompute.index import read_entry
from precompute.lessons import MISTAKES, read_tours
from site_template.pages import counted

ONE = re.compile(
    r"\b1 (?:photos|pictures|charts|layers|channels|views|stops|tours|blocks|files|maps|mistakes)\b"
)
ODD = re.compile(r"\bNone\b(?! of| is| was)|\bnan\b|“”|\[\]|\{\{|: \.|, \.|\.\.(?!\.)")


def text_of(path):
    """Return the words of a page, without code, each element on a line of its own."""
    source = re.sub(r"<(pre|svg|script)\b.*?</\1>", "", path.read_text("utf-8"), flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"\s*\n\s*", "\n", source)))


@pytest.mark.built
def test_no_sentence_has_a_hole_or_a_wrong_plural(site, tiles):
    entries = [read_entry(tiles, path.parent.name) for path in tiles.glob("[!_]*/index.json")]
    own = [words for e in entries for words in (e.title, e.author, e.note, e.modified) if words]
    for path in sorted(site.rglob("*.html")):
        text = text_of(path)
        for words in own:  # whatever a person wrote
            text = text.replace(words, "…")
        for pattern in (ONE, ODD):
            found = pattern.search(text)
            assert not found, (path.name, text[max(0, found.start() - 60) : found.end() + 30])


def test_one_is_one_and_many_are_many():
    assert [counted(n, "photo") for n in (0, 1, 2)] == ["0 photos", "1 photo", "2 photos"]
    assert counted(13504, "feature map") == "13\u202f504 feature maps"


def only_first(workshop):
    """Leave nothing but the first photo, and tours of it alone."""
    first = workshop.images[0]
    parts = {name: key for name, key in workshop.index.parts.items() if name != MISTAKES}
    workshop.change_index(images=workshop.index.images[:1], parts=parts)
    workshop.change_tours(
        *(
            replace(tour, stops=stops)
            for tour in read_tours(workshop.tiles).tours
            if (stops := tuple(stop for stop in tour.stops if stop.image == first))
        )
    )


def test_a_gallery_of_one_photo_speaks_of_one(workshop):
    only_first(workshop)
    workshop.change_entry(workshop.images[0], correct=None, true_class=None)
    workshop.render()
    home = text_of(workshop.out / "index.html")
    assert "on 1 picture:" in home
    assert "open the photo below" in home
    for path in workshop.out.rglob("*.html"):
        assert not ONE.search(text_of(path)), path.name
    tours = text_of(workshop.out / "tours.html")
    assert "Of all photos this one" not in tours
    teaching = text_of(workshop.out / "teaching.html")
    assert "on two photos" not in teaching
    assert "In a row the same colour" not in teaching
    assert "a photo that the network gets wrong" not in teaching


def test_a_wrong_answer_is_part_of_the_class(workshop):
    image = workshop.images[1]
    workshop.change_entry(image, correct=False)
    workshop.render()
    source = (workshop.out / "teaching.html").read_text("utf-8")
    assert (
        f'Then <a href="resnet18/{image}.html">a photo</a> that the network gets wrong.' in source
    )


def test_charts_alone_are_not_left_out_of_themselves(workshop):
    left_out = "They are left out of everything that is said over all photos."
    workshop.render()
    before = text_of(workshop.out / "index.html")
    assert left_out in before
    assert before.count("One row a photo") == 1
    for image in workshop.images:
        workshop.change_entry(image, chart=True)
    workshop.render()
    after = text_of(workshop.out / "index.html")
    assert left_out not in after
    assert "what is said over all photos is said over the charts" in after
    assert "One row a chart" in after
    model = (workshop.out / "resnet18/data/_layers.json").read_text("utf-8")
    assert '"charts":0' in model
    assert f'"photos":{len(workshop.images)}' in model


def test_without_a_classifier_nothing_is_said_of_evidence_that_is_not_there(workshop):
    why = "its answers come from 3 linear layers, one after another"
    workshop.change_manifest(lambda manifest: replace(manifest, classifier=None, no_evidence=why))
    for image in workshop.images:
        workshop.change_entry(image, evidence=(), contributions=None)
    workshop.render()
    about = text_of(workshop.out / "about.html")
    assert f"not given here: {why}." in about
    assert "is what “evidence” shows" not in about
    assert f"evidence maps here: {why}." in text_of(workshop.out / "teaching.html")
    assert f"cannot be shown: {why}." in text_of(workshop.out / f"resnet18/{image}.html")


def test_only_a_gallery_of_all_parts_says_that_it_shows_them(workshop):
    claim = "This gallery shows 8 such sums with both inputs, and what the ReLU after it leaves"
    workshop.render()
    assert claim in text_of(workshop.out / "about.html")
    assert 'data-view="residual"' in (workshop.out / workshop_page(workshop)).read_text("utf-8")
    workshop.change_manifest(
        lambda manifest: replace(
            manifest,
            architecture=None,
            layers=tuple(
                replace(layer, op="minimum") if layer.op == "add" else layer
                for layer in manifest.layers
            ),
        )
    )
    workshop.render()
    about = text_of(workshop.out / "about.html")
    for word in ("such sum", "residual", "PyTorch"):
        assert word not in about
    assert 'data-view="residual"' not in (workshop.out / workshop_page(workshop)).read_text("utf-8")
    assert not (workshop.out / "snippets" / "with_pytorch.py").exists()
    assert "with_pytorch.py" not in (workshop.out / "teaching.html").read_text("utf-8")


def workshop_page(workshop):
    """Return the path of the first photo's page."""
    return f"resnet18/{workshop.images[0]}.html"


def test_a_gallery_of_one_layer_speaks_of_one(workshop):
    def first_alone(manifest):
        first = manifest.feature_maps[0].name
        kept = {first, manifest.logits}
        layers = [replace(layer, exported=layer.name in kept) for layer in manifest.layers]
        return replace(manifest, layers=tuple(layers), classifier=None)

    workshop.change_manifest(first_alone)
    layer = workshop.index.layers[0].layer
    for image in workshop.images:
        entry = read_entry(workshop.tiles, image)
        sheets = tuple(sheet for sheet in entry.sheets if sheet.layer == layer)
        strip = replace(entry.strip, layers=(layer,))
        workshop.change_entry(image, sheets=sheets, strip=strip, evidence=(), contributions=None)
    workshop.change_tours()
    tried = workshop.tiles / "_mistakes" / "index.json"
    mistakes = json.loads(tried.read_bytes())
    for preparation in mistakes["preparations"]:
        del preparation["layers"][1:]
        preparation["layers"][0]["layer"] = layer
    artifacts.write(tried, artifacts.encode(mistakes))
    workshop.render()
    home = text_of(workshop.out / "index.html")
    assert "1 layer of resnet18, every channel of it, on" in home
    assert "two rows of tiles" not in home
    teaching = text_of(workshop.out / "teaching.html")
    assert "in the one stage that is shown" in teaching
    assert "Down a column" not in teaching
    for path in workshop.out.rglob("*.html"):
        assert not ONE.search(text_of(path)), path.name


def test_random_weights_are_not_said_to_answer_to_anything(workshop):
    random = "The weights of this gallery are random."
    workshop.render()
    assert random not in text_of(workshop.out / "about.html")

    def untrained(manifest):
        return replace(manifest, weights=replace(manifest.weights, source="random"))

    workshop.change_manifest(untrained)
    workshop.render()
    assert random in text_of(workshop.out / "about.html")


ALONE = {
    "dead": ({"dead": 1, "photos": 1}, ["zero everywhere on the only photo, alone", "this photo, not"]),
    "colour": ({"share": 0.8}, ["heeds brightness least: a grey picture meets 20 %"]),
    "most": ({"blocks": 1}, ["is shown with all its parts. Compare its branch with its shortcut: "]),
    "adds": ({"half": 1}, ["It alone makes at least half"]),
    "silent": ({"silent": 1}, ["is zero everywhere, alone among the"]),
    "stage": ({"loud": 1}, ["and no other channel is at least as active as the average"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(ALONE))
def test_what_stands_alone_is_said_to(workshop, kind):
    changes, said = ALONE[kind]
    tours = read_tours(workshop.tiles).tours
    stop = next((s for t in tours for s in t.stops if s.kind == kind), None)
    assert stop, "not in the example gallery"
    changed = replace(stop, numbers=stop.numbers | changes)
    tour = next(t for t in tours if stop in t.stops)
    workshop.change_tours(replace(tour, stops=(changed,)))
    workshop.render()
    page = text_of(workshop.out / "tours.html")
    assert "A view that is worth a look. It was not picked by hand" in page
    for words in said:
        assert words in page
    assert not ODD.search(page)
