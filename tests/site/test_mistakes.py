"""The page on preprocessing mistakes: each claim follows from the numbers, and holds of the pictures."""

from dataclasses import replace

import numpy as np
import pytest
from checked import MODEL
from website import read_page

import artifacts
from precompute.index import Answer, index_path, read_entry
from precompute.lessons import MISTAKES, Deviation, read_mistakes
from precompute.mistakes import CORRECT, prepare
from precompute.reader import read_pixels
from site_template import mistakes as words
from site_template.mistakes import decimal, effect, lessons, loudest, moved, rows, sign, unusual


@pytest.fixture(scope="session")
def manifest(exported):
    from export.manifest import read_manifest

    return read_manifest(exported)


@pytest.fixture(scope="session")
def found(tiles):
    return read_mistakes(tiles)


@pytest.fixture(scope="session")
def shown(tiles, found):
    """The input of each preparation as the page shows it."""
    return {
        run.id: read_pixels(tiles / MISTAKES / run.picture).astype(int)
        for run in found.preparations
    }


def texts(document) -> str:
    return " ".join(" ".join(element.text.split()) for element in document.elements)


# What is said of any gallery's mistakes


@pytest.mark.built
def test_every_mistake_has_its_words_and_the_words_their_mistake(manifest):
    from PIL import Image

    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)
    made = prepare(Image.fromarray(noise), manifest.input)
    assert [lesson.id for lesson in lessons(manifest.input)] == [n for n in made if n != CORRECT]


@pytest.mark.built
def test_what_is_said_of_a_picture_is_so(found, shown):
    correct = shown[CORRECT]
    runs = {run.id: run for run in found.preparations}
    if "not-normalised" in runs:  # pale, and nothing below zero
        assert shown["not-normalised"].std() < 0.5 * correct.std()
        assert runs["not-normalised"].low >= 0
    if "not-scaled" in runs:  # white, nearly all of it beyond
        assert (shown["not-scaled"] == 255).mean() > 0.9
        assert runs["not-scaled"].beyond > 0.9
    if "scaled-twice" in runs:  # black
        assert shown["scaled-twice"].max() <= 1
        assert max(runs["scaled-twice"].std) < 0.05
    if "bgr" in runs:  # red for blue
        assert np.array_equal(shown["bgr"], correct[..., ::-1])
    if "turned" in runs:  # the same on its side, up to where the crop is rounded to
        upright = np.rot90(shown["turned"], -1)
        assert (
            np.abs(upright[1:-1, 1:-1] - correct[1:-1, 1:-1]).mean()
            < 0.5 * np.abs(shown["turned"] - correct).mean()
        )
    if "reshaped" in runs:  # the same numbers in the same order under other names
        assert np.array_equal(shown["reshaped"].transpose(2, 0, 1).ravel(), correct.ravel())


@pytest.mark.built
def test_the_page_shows_every_run_with_its_answers_and_numbers(pages, found, tiles):
    page, text = pages["mistakes.html"], texts(pages["mistakes.html"])
    entry = read_entry(tiles, found.image)
    assert page.all("a", href=f"{MODEL}/{found.image}.html")[0].text == entry.title
    sources = [image.attributes["src"] for image in page.all("img")]
    for run in found.preparations:
        for picture in (run.picture, *(layer.picture for layer in run.layers)):
            assert f"{MODEL}/data/{MISTAKES}/{picture}" in sources
        for answer in run.answers:
            assert answer.name in text
        if run.id != CORRECT:
            for layer in run.layers:
                assert any(span.text == decimal(layer.distance) for span in page.all("span"))
        for value in (*run.mean, *run.std, run.low, run.high):
            assert any(span.text == decimal(value) for span in page.all("span"))
    assert {run.id for run in found.preparations} - {CORRECT} <= page.ids


@pytest.mark.built
def test_the_page_needs_no_script(pages):
    assert pages["mistakes.html"].all("script") == []


# Sentences


def run_of(found, **changes):
    return replace(found.preparations[1], **changes)


def answer(category, probability, name="x"):
    return Answer(category, f"{name}{category}", 1.0, probability)


@pytest.mark.parametrize(
    ("first", "left", "said"),
    [
        (answer(2, 0.99), 0.0001, "changes from x1 (70 %) to x2 (99 %); x1 is left with < 0.1 %."),
        (answer(1, 0.66), 0.66, "stays x1, 70 % before and 66 % now: it hardly matters here."),
        (answer(1, 0.74), 0.74, "stays x1, 70 % before and 74 % now: it hardly matters here."),
        (answer(1, 0.30), 0.30, "stays x1, but its probability falls from 70 % to 30 %."),
        (answer(1, 0.90), 0.90, "stays x1, but its probability rises from 70 % to 90 %."),
    ],
)  # fmt: skip
def test_what_becomes_of_the_answer_follows_from_the_numbers(found, first, left, said):
    correct = run_of(found, answers=(answer(1, 0.7),), probability=0.7)
    run = run_of(found, answers=(first,), probability=left)
    assert effect(run, correct) == f"The answer {said}"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((400, 300), "1.33 times too tall"),
        ((300, 400), "1.33 times too wide"),
        ((500, 500), "nothing is stretched"),
        ((500, 497), "nothing is stretched"),
    ],
)
def test_stretching_follows_from_the_size(found, tiles, size, said):
    entry = replace(read_entry(tiles, found.image), width=size[0], height=size[1])
    assert said in sign(run_of(found, id="squashed"), entry)


def test_an_input_is_unusual_where_a_correct_one_never_is(found):
    ranged = replace(found, mean=(-1.0, 1.0), std=(0.5, 1.5))
    usual = run_of(found, mean=(-1.0, 0.0, 1.0), std=(0.5, 1.0, 1.5))
    assert not unusual(usual, ranged)
    assert unusual(replace(usual, mean=(-1.1, 0.0, 0.0)), ranged)
    assert unusual(replace(usual, mean=(0.0, 0.0, 1.1)), ranged)
    assert unusual(replace(usual, std=(0.4, 1.0, 1.0)), ranged)
    assert unusual(replace(usual, std=(1.0, 1.0, 1.6)), ranged)


def changed_row(found, tiles, manifest, position, **changes):
    made = rows(found, read_entry(tiles, found.image), manifest)
    run = replace(made[position].run, **changes)
    same = run.answers[0].category == made[0].run.answers[0].category
    return [*made[:position], replace(made[position], run=run, same_answer=same)]


def test_only_an_answer_that_is_another_and_surer_is_called_so(found, tiles, manifest):
    own = found.preparations[0].answers[0]
    surer = min(1.0, own.probability + 0.1)
    other = own.category + 1
    assert loudest(changed_row(found, tiles, manifest, 1, answers=(answer(other, surer),)))
    assert not loudest(changed_row(found, tiles, manifest, 1, answers=(answer(other, 0.001),)))
    stays = (Answer(own.category, own.name, 1.0, surer),)
    assert not loudest(changed_row(found, tiles, manifest, 1, answers=stays))


def test_only_what_moves_the_picture_is_said_to(found, tiles, manifest):
    position = [run.id for run in found.preparations].index("turned")

    def first_layer(distance, of_means):
        layers = (Deviation("conv1", "x.png", 0.0, distance, of_means),)
        made = changed_row(found, tiles, manifest, position, layers=layers)
        return [row.run.id for row in moved([made[0], made[-1]])]

    assert first_layer(0.8, 0.1) == ["turned"]
    assert first_layer(0.8, 0.5) == []
    assert first_layer(None, None) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (-0.001, "0.00"), (-0.5, "−0.50"), (99.99, "99.99"), (99.996, "100"),
     (-535.05, "−535"), (1107.05, "1107")],
)  # fmt: skip
def test_numbers_stand_in_columns(value, text):
    assert decimal(value) == text


# Other galleries


def page_of(workshop, **changes):
    found = replace(read_mistakes(workshop.tiles), **changes)
    artifacts.write(index_path(workshop.tiles / MISTAKES), artifacts.encode(found))
    workshop.render()
    return texts(read_page(workshop.out / "mistakes.html"))


def test_few_photos_give_no_range_to_compare_with(workshop):
    few = page_of(workshop, photos=words.MANY - 1)
    assert "nothing unusual" not in few
    assert "have means from" not in few
    many = page_of(workshop, photos=words.MANY)
    assert "nothing unusual" in many
    assert f"Correctly prepared, the channels of the {words.MANY} pictures" in many


def test_a_single_photo_is_not_called_the_one_of_many(workshop):
    assert "loses the most probability" not in page_of(workshop, photos=1)
    assert "loses the most probability" in page_of(workshop, photos=2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"correct": True}, "with the most confident right answers"),
        ({"correct": None, "true_class": None}, "among those whose class is not known"),
        ({"correct": False}, "none of which is right"),
        ({"correct": None, "true_class": None, "chart": True}, "charts with the most confident"),
    ],
)
def test_the_page_says_why_this_photo(workshop, changes, said):
    workshop.change_entry(read_mistakes(workshop.tiles).image, **changes)
    assert said in page_of(workshop)


def test_what_cannot_be_shown_is_named(workshop):
    kept = read_mistakes(workshop.tiles).preparations
    left = tuple(run for run in kept if run.id not in {"bgr", "not-scaled"})
    text = page_of(workshop, preparations=left, same=("bgr",), not_finite=("not-scaled",))
    assert "the input comes out the same: red and blue swapped." in text
    assert "no finite numbers then: not scaled." in text
    assert f"in {len(left) - 1} wrong ways" in text


def test_a_dead_stage_has_no_distance(workshop):
    runs = read_mistakes(workshop.tiles).preparations
    dead = tuple(
        replace(run, layers=tuple(replace(a, distance=None, distance_of_means=None) for a in run.layers))
        for run in runs
    )  # fmt: skip
    assert "–" in page_of(workshop, preparations=dead)


def test_tiles_without_mistakes_are_made_again(workshop):
    index_path(workshop.tiles / MISTAKES).unlink()
    with pytest.raises(artifacts.ArtifactError, match="run make precompute"):
        workshop.render()
