"""What is compiled counts as NumPy does, and as onnxruntime's own outputs say."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from small_survey import a_survey
from tallied import Layer, Photo, begin, summary_of

from export.manifest import read_manifest
from precompute.decode import open_picture
from precompute.entry import open_model
from precompute.errors import ModelError, NonFiniteError, PhotoError
from precompute.preprocess import crop, normalise
from precompute.session import run
from survey.activations import Activations, Network
from survey.compiled import Figures, measure
from survey.errors import SurveyError
from survey.job import Job
from survey.statistics import spread
from survey.strongest import KEPT
from survey.tally import WAITING
from survey.worker import survey_shard

PLAIN = np.zeros(3, np.float32)
FINITE = st.floats(-(2**20), 2**20, width=32)
ANY = st.floats(width=32, allow_nan=True, allow_infinity=True)


def figures_of(maps, least=-np.inf):
    """Measure (channels, positions) maps as the one layer there is."""
    activations = Activations([maps.shape], 1)
    activations.values[: maps.size] = maps.reshape(-1)
    shape = (1, len(maps))
    found = Figures(
        np.full(shape, np.nan, np.float32),
        np.full(shape, -1, np.int32),
        np.full(shape, np.nan, np.float32),
        np.full(shape, np.nan),
    )
    bound = np.full(len(maps), least, np.float32)
    within = measure(activations.values, activations.starts, activations.sizes, bound, 0, found)
    return within, *(one[0] for one in found)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 200).flatmap(
        lambda positions: arrays(np.float32, (2, positions), elements=FINITE)
    )
)
@example(np.full((2, 5), -0.0, np.float32))
@example(np.array([[-0.0, 0.0, -0.0], [-1, -2, -1]], np.float32))
def test_figures_are_those_of_numpy(maps):
    within, maximum, place, mean, variance = figures_of(maps)
    wide = maps.astype(np.float64)
    assert within
    assert maximum.tolist() == maps.max(axis=1).tolist()
    assert place.tolist() == maps.argmax(axis=1).tolist()
    scale = np.abs(wide).max(axis=1)
    assert (np.abs(mean - wide.mean(axis=1)) <= 1e-7 * scale + 1e-45).all()
    assert (np.abs(variance - wide.var(axis=1)) <= 1e-13 * scale**2).all()


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 70).flatmap(lambda n: arrays(np.float32, (1, n), elements=ANY)))
@example(np.full((1, 1), -np.nan, np.float32))
@example(np.array([[np.inf, -np.inf]], np.float32))
@example(np.array([[3, -np.nan, 1]], np.float32))
def test_what_cannot_be_summed_is_told_wherever_it_stands(maps):
    wide = maps.astype(np.float64)
    with np.errstate(all="ignore"):
        sound = np.isfinite(wide).all() and (wide**2).mean() <= 2**40 * (1 - 1e-9)
        beyond = not np.isfinite(wide).all() or (wide**2).mean() > 2**40 * (1 + 1e-9)
    within, _, _, mean, _ = figures_of(maps)
    assert within or not sound
    assert not (within and beyond)
    assert np.isfinite(mean[0]) or not np.isfinite(wide).all()


def test_the_place_is_looked_for_where_it_can_count():
    maps = np.array([[1, 5], [1, 4]], np.float32)
    assert figures_of(maps, least=5)[2].tolist() == [1, 0]


@pytest.mark.parametrize(("inside", "between"), [(1, 0), (0, 1), (1, 1), (0.1, 1)])
@pytest.mark.parametrize("count", [2, 20, 300])
def test_a_mean_a_thousand_times_as_large_leaves_four_digits(inside, between, count):
    """As the contract says of deviations."""
    random = np.random.default_rng(count)
    photos = []
    for number in range(count):
        maps = 1000 + between * random.normal(size=(50, 1)) + inside * random.normal(size=(50, 40))
        photos.append(Photo(f"{number}", None, None, (maps.astype(np.float32),), PLAIN))
    found = spread(summary_of((Layer("one", 50, 40),), photos), slice(0, 50))
    whole = np.array([photo.maps[0] for photo in photos], np.float64)
    for figures, exact in (
        (found.deviation, whole.std(axis=(0, 2))),
        (found.photo_deviation, whole.mean(axis=2).std(axis=0)),
    ):
        assert (np.abs(np.array(figures) - exact) <= 1e-7 * 1000).all()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return a_survey(tmp_path_factory.mktemp("survey"), 6)


def test_bound_memory_holds_what_a_run_returns(small):
    model = open_model(small.manifest, "cpu")
    network = Network(model)
    for item in small.data.items:
        if item.size < 20:
            continue
        spec = model.manifest.input
        picture = normalise(crop(open_picture(item.path), spec), spec)
        expected = run(model.session, model.manifest, picture)
        found = network.compute(picture)
        assert found.logits.tolist() == expected[model.manifest.logits].tolist()
        for layer, part in zip(model.manifest.feature_maps, found.layers, strict=True):
            assert found.values[part].tolist() == expected[layer.name].reshape(-1).tolist()


def test_layers_begin_where_vectors_of_numbers_may():
    activations = Activations([(3, 5), (2, 49), (1, 1)], 2)
    addresses = [activations.values[part].ctypes.data for part in activations.layers]
    assert [address % 64 for address in addresses] == [0, 0, 0]
    assert activations.sizes.tolist() == [5, 5, 5, 49, 49, 1]
    assert [part.stop - part.start for part in activations.layers] == [15, 98, 1]
    firsts = [activations.layers[0].start, activations.layers[1].start, activations.layers[2].start]
    assert activations.starts[[0, 3, 5]].tolist() == firsts
    assert np.diff(activations.starts[3:5]).tolist() == [49]


def test_a_picture_of_another_size_is_the_models_fault(small):
    network = Network(open_model(small.manifest, "cpu"))
    side = read_manifest(small.manifest).input.crop
    with pytest.raises(ModelError, match="cannot be run"):
        network.compute(np.zeros((1, 3, side + 2, side + 2), np.float32))


LAYERS = (Layer("first", 2, 3), Layer("second", 3, 4))


def a_photo(number, second=1.0, logits=PLAIN):
    random = np.random.default_rng(number)
    maps = [
        random.normal(size=(layer.channels, layer.positions)).astype(np.float32) for layer in LAYERS
    ]
    maps[1][1, 2] = second
    return Photo(f"{number}.png", 0, 0, tuple(maps), np.asarray(logits, np.float32))


@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf])
def test_a_photo_that_gives_no_numbers_is_named_with_its_channel(value):
    with pytest.raises(NonFiniteError, match=r"^layer second, channel 1: NaN or infinity$"):
        summary_of(LAYERS, [a_photo(1, value)])
    with pytest.raises(NonFiniteError, match=r"^the answers, category 2: NaN or infinity$"):
        summary_of(LAYERS, [a_photo(1, logits=[0, 0, value])])


def test_a_photo_that_is_too_large_to_be_summed_is_refused():
    with pytest.raises(PhotoError, match="beyond a million"):
        summary_of(LAYERS, [a_photo(1, 3e6)])


@pytest.mark.parametrize("where", [0, 5, WAITING - 1, WAITING, 2 * WAITING + 3])
def test_a_refused_photo_counts_nothing(where):
    photos = [a_photo(number) for number in range(2 * WAITING + 3)]
    begun = begin(LAYERS, [*photos, replace(a_photo(99), label=7)])
    for photo in photos[:where]:
        begun.add(photo)
    with pytest.raises(NonFiniteError):
        begun.add(replace(a_photo(99, np.nan), label=7))
    for photo in photos[where:]:
        begun.add(photo)
    assert begun.tally.summary().to_bytes() == summary_of(LAYERS, photos).to_bytes()


def test_maps_of_one_value_do_not_vary():
    """Rounding takes the mean of squares below the square of the mean for many of these."""
    values = np.random.default_rng(0).normal(size=200)
    maps = np.repeat(values.astype(np.float32)[:, None], 7, axis=1)
    _, _, _, _, variance = figures_of(maps)
    assert (variance >= 0).all()
    assert (variance <= 1e-14 * values**2).all()


def test_places_are_right_long_after_the_first_photos():
    """Most maxima are no longer looked for then."""
    photos = [a_photo(number) for number in range(20 * WAITING)]
    found = summary_of(LAYERS, photos)
    maps = np.array([photo.maps[1] for photo in photos])
    by_key = {photo.key: row for row, photo in enumerate(photos)}
    for channel in range(3):
        order = np.argsort(-maps[:, channel].max(axis=1))[:KEPT].tolist()
        assert [by_key[key] for key in found.strongest.key[2 + channel].tolist()] == order
        expected = maps[order, channel].argmax(axis=1).tolist()
        assert found.strongest.place[2 + channel].tolist() == expected


def test_two_photos_of_one_key_are_an_error():
    with pytest.raises(SurveyError, match="two photos have one key"):
        summary_of(LAYERS, [a_photo(1), a_photo(1)])


def test_without_the_compiler_it_is_said_what_to_run(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in ("survey.compiled", "survey.tally"):
        monkeypatch.delitem(sys.modules, name)
    job = Job(small.manifest, "cpu", None, (), 0)
    with pytest.raises(SurveyError, match=r"^numba is not installed on .*: run make survey"):
        survey_shard(job, small.shards(2)[0])
