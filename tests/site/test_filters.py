"""The page of the first filters says what was measured, and leaves out what is not known."""

import re
from dataclasses import replace
from statistics import median

import pytest
from checked import MODEL
from website import read_page

import artifacts
from export.manifest import read_manifest
from precompute.index import read_index
from precompute.lessons import STEM, STEM_NAME, read_stem
from site_template.filters import filter_page, hundredths


@pytest.fixture
def page(pages):
    return pages["filters.html"]


def change_stem(workshop, **changes):
    stem = replace(read_stem(workshop.tiles), **changes)
    artifacts.write(workshop.tiles / STEM / STEM_NAME, artifacts.encode(stem))
    workshop.render()
    return read_page(workshop.out / "filters.html")


def pictures(document):
    return {image.attributes["href"].rpartition("/")[2] for image in document.all("image")}


@pytest.mark.built
def test_every_filter_has_a_picture_a_row_and_where_it_is_shown_its_channel(page, tiles):
    stem = read_stem(tiles)
    count = len(stem.measures.norm)
    assert [item.attributes["data-filter"] for item in page.all("li") if item.attributes] == [
        str(number) for number in range(count)
    ]
    assert {f"filter-{number}" for number in range(count)} <= page.ids
    first = read_index(tiles).images[0].id
    links = {link.attributes["href"] for link in page.all("a")}
    shown = stem.layer in {layer.layer for layer in read_index(tiles).layers}
    for number in range(count):
        assert (f"{MODEL}/{first}.html#layer={stem.layer}&channel={number}" in links) == shown


@pytest.mark.built
def test_every_picture_of_the_page_is_published(page, site):
    folder = site / MODEL / "data" / STEM
    assert pictures(page) <= {path.name for path in folder.iterdir()}


@pytest.mark.built
def test_the_table_holds_every_measure(page, tiles):
    stem = read_stem(tiles)
    keys = [
        cell.attributes["data-measure"]
        for cell in page.all("th")
        if "data-measure" in cell.attributes
    ]
    assert set(keys) == set(vars(stem.measures)) - {"largest"}
    shown = [float(data.attributes["value"]) for data in page.all("data")]
    expected = zip(*(getattr(stem.measures, key) for key in keys), strict=True)
    assert shown == [value for row in expected for value in row if value is not None]


@pytest.mark.built
def test_every_filter_is_of_one_kind(exported, tiles):
    filters = filter_page(read_stem(tiles), read_manifest(exported), read_index(tiles))
    numbers = [one.number for kind in filters.kinds for one in kind.filters]
    assert sorted(numbers) == list(range(len(filters.filters)))
    for kind in filters.kinds:
        if kind.name == "Noise":
            continue
        colour = [one.values["colour_share"] >= 0.5 for one in kind.filters]
        assert all(colour) or not any(colour)


def test_untrained_filters_are_called_noise_and_trained_ones_are_not(exported, tiles):
    stem, manifest = read_stem(tiles), read_manifest(exported)
    names = {kind.name for kind in filter_page(stem, manifest, read_index(tiles)).kinds}
    assert "Noise" not in names
    untrained = replace(stem, measures=stem.untrained.measures)
    kinds = filter_page(untrained, manifest, read_index(tiles)).kinds
    assert [kind.name for kind in kinds] == ["Noise"]


@pytest.mark.built
def test_pairs_are_linked_to_each_other(page, tiles):
    stem = read_stem(tiles)
    links = [link.attributes["href"] for link in page.all("a", **{"class": "reference"})]
    numbers = [int(link.removeprefix("#filter-")) for link in links]
    tail = numbers[len(numbers) - 2 * len(stem.pairs) :]  # there may be no pairs
    shown = set(zip(tail[::2], tail[1::2], strict=True))
    assert shown == {(pair.first, pair.second) for pair in stem.pairs}
    texts = {span.text for span in page.all("span", **{"class": "number"})}
    assert {hundredths(pair.similarity) for pair in stem.pairs} <= texts


@pytest.mark.built
def test_the_closest_partners_are_marked(page, tiles):
    stem = read_stem(tiles)
    labels = [link.attributes.get("aria-label", "") for link in page.all("a")]
    for pair in stem.pairs[:1]:
        word = "alike" if pair.similarity > 0 else "opposite"
        for one, other in [(pair.first, pair.second), (pair.second, pair.first)]:
            label = next(label for label in labels if re.match(rf"Filter {one}\b", label))
            assert f", {word} {other}" in label


def test_training_is_told_in_the_words_of_the_weights(page, tiles, exported):
    words = read_manifest(exported).weights.stem_history
    assert "k-means" in words
    assert any(words in paragraph.text for paragraph in page.all("p"))
    moments = read_stem(tiles).history.moments
    steps = [s.text for s in page.all("strong") if s.text.startswith("step ")]
    assert steps == [f"step {moment.step:,}".replace(",", "\u202f") for moment in moments]
    texts = [span.text for span in page.all("span")]
    for moment in moments:
        assert f"similarity to the end {median(moment.to_final):.2f}" in texts
        if moment.top1 is not None:
            assert f"{100 * moment.top1:.1f} % right" in texts
    assert texts.count("before training") == 1


def test_without_a_history_nothing_is_said_of_training(workshop):
    page = change_stem(workshop, history=None)
    assert page.all("training-history") == []
    assert "training" not in page.ids
    assert "data-strips" not in page.all("filter-detail")[0].attributes
    assert pictures(page) == {"views.png", "trained.png", "untrained.png"}


def test_without_pairs_and_with_a_dead_filter_the_page_says_so(workshop):
    measures = read_stem(workshop.tiles).measures
    dead = {name: [None, *values[1:]] for name, values in vars(measures).items()}
    dead |= {"norm": [0.0, *measures.norm[1:]], "largest": [0.0, *measures.largest[1:]]}
    page = change_stem(workshop, pairs=(), measures=type(measures)(**dead))
    texts = " ".join(paragraph.text for paragraph in page.all("p"))
    assert "No two of these filters are." in texts
    assert re.search(r"1 of them is nearly dead", texts)
    row = page.elements.index(
        next(e for e in page.all("tr") if e.attributes.get("id") == "filter-0")
    )
    cells = [e.text for e in page.elements[row:] if e.tag == "td"][: len(vars(measures))]
    assert cells.count("–") == len(vars(measures)) - 2


def test_where_the_layer_is_not_shown_its_channels_are_not_linked(workshop):
    def hide(manifest):
        layers = (
            replace(one, exported=one.exported and one.name != "conv1") for one in manifest.layers
        )
        return replace(manifest, layers=tuple(layers))

    stem, manifest = read_stem(workshop.tiles), read_manifest(workshop.manifest_path)
    assert filter_page(stem, manifest, workshop.index).linked
    assert not filter_page(stem, hide(manifest), workshop.index).linked


def test_without_the_part_there_is_no_page_and_no_link_to_one(workshop):
    index = workshop.index
    workshop.change_index(parts={name: key for name, key in index.parts.items() if name != STEM})
    workshop.render()
    assert not (workshop.out / "filters.html").exists()
    assert "filters.html" not in (workshop.out / "index.html").read_text("utf-8")


@pytest.mark.parametrize(("value", "text"), [(0.806, "0.81"), (-0.955, "−0.95"), (1, "1.00")])
def test_hundredths(value, text):
    assert hundredths(value) == text
