"""What a survey says is what counting by hand over stored activations gives."""

import math
import resource
from dataclasses import fields, replace
from fractions import Fraction
from functools import reduce
from operator import add
from time import process_time

import msgspec
import numpy as np
import pytest
from stored import DEAD, MAPS, SELDOM, network, picture, survey_of
from tallied import Layer, Photo, summary_of, sums_of

from survey import contract, statistics
from survey.contract import CLASS_PHOTOS, QUANTILES, LayerSurvey, SurveyIndex
from survey.errors import SurveyError
from survey.histogram import ERROR
from survey.result import slugs
from survey.sheets import Sheets
from survey.strongest import KEPT
from survey.summary import Summary
from survey.worker import survey_shard

LAYERS = ["first", "first.relu", "second", "second.relu"]
ROUNDED = {"rel": 1e-5, "abs": 1e-7}
"""Six digits, of figures that float32 sums have been divided by."""


@pytest.fixture(scope="module")
def files(stored):
    return stored.files(Sheets())


@pytest.fixture(scope="module")
def index(files) -> SurveyIndex:
    return read(files, "index.json")


def read(files, name):
    kind = SurveyIndex if name == "index.json" else LayerSurvey
    return msgspec.json.decode(files[name], type=kind)


@pytest.fixture(scope="module", params=LAYERS)
def layer(request, files) -> LayerSurvey:
    return read(files, contract.layer_name(request.param))


def test_counts_and_extremes_are_exact(stored, layer):
    maxima = stored.maxima(layer.layer)
    assert list(layer.fires) == (maxima > 0).sum(axis=0).tolist()
    assert np.array(layer.low, np.float32).tolist() == maxima.min(axis=0).tolist()
    assert np.array(layer.high, np.float32).tolist() == maxima.max(axis=0).tolist()


def test_means_and_deviations_are_those_of_all_positions(stored, layer):
    values = stored.activations[layer.layer].astype(np.float64)
    assert list(layer.mean) == pytest.approx(values.mean(axis=(0, 2, 3)), **ROUNDED)
    assert list(layer.deviation) == pytest.approx(values.std(axis=(0, 2, 3)), **ROUNDED)
    of_photos = stored.means(layer.layer).std(axis=0)
    assert list(layer.photo_deviation) == pytest.approx(of_photos, **ROUNDED)


def test_quantiles_are_within_their_error(stored, layer, index):
    sorted_maxima = np.sort(stored.maxima(layer.layer), axis=0).astype(np.float64)
    assert index.quantile_error == ERROR
    for place, share in enumerate(QUANTILES):
        exact = sorted_maxima[math.ceil(share * len(sorted_maxima)) - 1]
        found = np.array([channel[place] for channel in layer.quantiles])
        assert (np.abs(found - exact) <= ERROR * np.abs(exact) * (1 + 1e-5)).all()


def test_the_strongest_are_in_order_with_their_places(stored, layer):
    maps = stored.activations[layer.layer]
    maxima, names = stored.maxima(layer.layer), [item.name for item in stored.data.items]
    for channel, strongest in enumerate(layer.strongest):
        order = sorted(range(len(maps)), key=lambda one: (-maxima[one, channel], stored.keys[one]))
        order = [one for one in order[:KEPT] if maxima[one, channel] > 0]
        if not order:
            assert strongest is None
            continue
        places = [divmod(int(maps[one, channel].argmax()), MAPS) for one in order]
        assert [layer.photos[one].name for one in strongest.photo] == [names[o] for o in order]
        assert np.array(strongest.value, np.float32).tolist() == maxima[order, channel].tolist()
        assert list(zip(strongest.row, strongest.column, strict=True)) == places


def test_photos_are_listed_once_by_name_with_their_class(stored, layer):
    names = [photo.name for photo in layer.photos]
    labels = {item.name: item.label for item in stored.data.items}
    assert names == sorted(set(names))
    assert [photo.label for photo in layer.photos] == [labels[name] for name in names]
    used = {place for one in layer.strongest if one for place in one.photo}
    assert used == set(range(len(names)))


def test_the_class_that_a_channel_answers_to(stored, layer):
    """Photos without a class do not count; a class of four is among the others, but not the best."""
    means, labels = stored.means(layer.layer), stored.labels
    signed = stored.manifest.layer(layer.layer).signed
    sizes = [(labels == label).sum() for label in range(3)]
    assert sizes == [14, 14, 4]
    assert sizes[2] < CLASS_PHOTOS
    residual = np.concatenate(
        [means[labels == label] - means[labels == label].mean(axis=0) for label in range(3)]
    )
    within = np.sqrt((residual**2).sum(axis=0) / (len(residual) - 3))
    for channel, best in enumerate(layer.best):
        of_class = [means[labels == label, channel].mean() for label in range(2)]
        if of_class[0] == of_class[1]:
            assert (best, layer.selectivity[channel], layer.separation[channel]) == (None,) * 3
            continue
        assert best == np.argmax(of_class)
        a, b = of_class[best], means[(labels >= 0) & (labels != best), channel].mean()
        assert layer.separation[channel] == pytest.approx((a - b) / within[channel], rel=1e-4)
        if signed:
            assert layer.selectivity[channel] is None
        else:
            assert layer.selectivity[channel] == pytest.approx((a - b) / (a + b), rel=1e-4)


def test_dead_and_seldom_channels_are_told(stored, index, monkeypatch):
    relu = read(stored.files(), contract.layer_name("first.relu"))
    assert relu.fires[DEAD] == 0
    assert relu.strongest[DEAD] is None
    assert relu.best[DEAD] is None
    assert 0 < relu.fires[SELDOM] < KEPT
    assert len(relu.strongest[SELDOM].value) == relu.fires[SELDOM]
    assert [(one.layer, one.dead, one.sparse) for one in index.layers] == [
        ("first", 1, 0),
        ("first.relu", 1, 0),
        ("second", 0, 0),
        ("second.relu", 0, 0),
    ]
    monkeypatch.setattr(contract, "SPARSE", (relu.fires[SELDOM] + 0.5) / stored.summary.photos)
    assert [one.sparse for one in read(stored.files(), "index.json").layers] == [1, 1, 0, 0]


def test_answers_are_counted(stored, index):
    logits, labels = stored.activations["fc"], stored.labels
    answers, has_class = logits.argmax(axis=1), labels >= 0
    right = has_class & (answers == labels)
    assert 0 < right.sum() < has_class.sum()
    assert (index.surveyed, index.labelled, index.judged) == (38, 32, 32)
    assert (index.top1, index.top5) == (right.sum(), 32)
    assert [(one.name, one.category, one.photos, one.top1, one.top5) for one in index.classes] == [
        (
            name,
            label,
            (labels == label).sum(),
            right[labels == label].sum(),
            (labels == label).sum(),
        )
        for label, name in enumerate(["ash", "birch", "cedar"])
    ]
    pairs = {
        (label, answer): ((labels == label) & (answers == answer)).sum()
        for label in range(3)
        for answer in range(3)
        if label != answer
    }
    expected = sorted((-number, *pair) for pair, number in pairs.items() if number)
    assert len(expected) > 1
    assert [(-one.photos, one.label, one.answer) for one in index.confusions] == expected


def test_the_most_wrong_photos_come_first(stored, index):
    logits, labels = stored.activations["fc"].astype(np.float64), stored.labels
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    answers = logits.argmax(axis=1)
    wrong = [one for one in range(38) if labels[one] >= 0 and answers[one] != labels[one]]
    loss = -np.log(shares[np.arange(38), labels])
    wrong.sort(key=lambda one: -loss[one])
    names = [stored.data.items[one].name for one in wrong]
    assert [index.photos[one.photo].name for one in index.wrong] == names
    assert [one.label for one in index.wrong] == labels[wrong].tolist()
    assert [one.answer for one in index.wrong] == answers[wrong].tolist()
    assert [one.loss for one in index.wrong] == pytest.approx(loss[wrong], rel=1e-4)
    assert [one.probability for one in index.wrong] == pytest.approx(shares.max(1)[wrong], rel=1e-4)


@pytest.mark.parametrize("most", [1, 2, 12])
def test_each_class_lists_the_channels_that_separate_it_best(stored, monkeypatch, most):
    monkeypatch.setattr(contract, "CLASS_CHANNELS_LAYER", most)
    monkeypatch.setattr(contract, "CLASS_CHANNELS", 2 * most)
    files = stored.files()
    index = read(files, "index.json")
    listed = []
    for label in range(2):
        expected = []
        for number, name in enumerate(LAYERS):
            layer = read(files, contract.layer_name(name))
            here = [
                (-layer.separation[channel], number, channel)
                for channel in range(4)
                if layer.best[channel] == label and layer.separation[channel] > 0
            ]
            expected += sorted(here)[:most]
        found = [(one.layer, one.channel) for one in index.classes[label].channels]
        assert found == [(LAYERS[n], channel) for _, n, channel in sorted(expected)[: 2 * most]]
        listed += found
    assert len(listed) == {1: 3, 2: 5, 12: 14}[most]
    assert index.classes[2].channels == ()


def test_names_are_kept_back_where_that_is_wanted(stored):
    files = stored.files(sheets=None)
    index = read(files, "index.json")
    assert index.private
    assert index.photos == index.faults == ()
    assert index.wrong
    assert [one.photo for one in index.wrong] == [None] * len(index.wrong)
    published = {name: data for name, data in files.items() if name != contract.SUMMARY_NAME}
    for item in stored.data.items:
        name = item.name.rsplit("/")[-1].encode()
        assert [path for path, data in published.items() if name in data] == []
    relu = read(files, contract.layer_name("second.relu"))
    assert {one.photo for one in relu.strongest} == {()}
    assert relu.photos == ()


def test_files_do_not_depend_on_how_photos_were_parted(stored):
    """The stored survey was merged from two halves; this one is made at once."""
    whole = Summary.from_bytes(survey_shard(stored.job, tuple(stored.data.items)))
    assert stored.files(Sheets(), whole) == stored.files(Sheets())


def test_photos_that_cannot_be_used_are_told(stored):
    broken = Summary.unusable(stored.summary.layout, {"a\nb.png": "empty file"})
    index = read(stored.files(Sheets(), stored.summary.merge(broken)), "index.json")
    assert (index.surveyed, index.unreadable) == (38, 1)
    assert index.faults == ("a\\nb.png: empty file",)
    with pytest.raises(SurveyError, match="no photo can be surveyed: empty file"):
        stored.files(Sheets(), broken)


def test_one_photo_without_a_class_is_a_survey(tmp_path):
    picture(tmp_path / "photos" / "only.png", 5, 1)
    alone = survey_of(network(tmp_path / "model"), tmp_path / "photos")
    files = alone.files(Sheets())
    index = read(files, "index.json")
    assert (index.surveyed, index.labelled, index.judged) == (1, 0, 0)
    assert index.top1 is index.top5 is None
    assert index.classes == index.confusions == index.wrong == ()
    layer = read(files, contract.layer_name("second"))
    assert layer.low == layer.high
    assert layer.photo_deviation == (0, 0, 0, 0)
    assert layer.best == layer.selectivity == layer.separation == (None,) * 4
    assert [len(one.value) for one in layer.strongest] == [1] * 4

    unmet = replace(alone, data=replace(alone.data, classes=("ash",), categories=(0,)))
    index = read(unmet.files(Sheets()), "index.json")
    assert index.judged == 0
    assert index.top1 is index.top5 is None
    assert [(one.photos, one.top1) for one in index.classes] == [(0, 0)]


def small(means, labels):
    """The summary of photos of which one channel has these means."""
    nothing = np.zeros(1, np.float32)
    photos = [
        Photo(f"{n}", label, None, (np.full((1, 1), mean, np.float32),), nothing)
        for n, (mean, label) in enumerate(zip(means, labels, strict=True))
    ]
    return summary_of((Layer("one", 1, 1),), photos)


def test_nothing_cancels():
    """Differences in the last bits of a large number count in full."""
    step = 2.0**-13  # of a float32 around 1000
    means = [1000 + step * one for one in (0, 1, 2, 1, 0, 3, 4, 3, 5, 4)]
    summary = small(means, [0] * 5 + [1] * 5)
    exact = [Fraction(one) for one in np.array(means, np.float32).tolist()]
    a, b = sum(exact[5:]) / 5, sum(exact[:5]) / 5
    within = sum((x - b) ** 2 for x in exact[:5]) + sum((x - a) ** 2 for x in exact[5:])
    (found,) = statistics.preferences(summary, slice(0, 1), signed=False)
    assert found.best == 1
    assert found.separation == pytest.approx(float(a - b) / math.sqrt(within / 8), rel=1e-12)
    assert found.selectivity == float((a - b) / (a + b))
    of_photos = sum((x - sum(exact) / 10) ** 2 for x in exact) / 10
    spread = statistics.spread(summary, slice(0, 1))
    assert spread.photo_deviation == [pytest.approx(math.sqrt(of_photos), rel=1e-12)]
    assert spread.mean == [float(sum(exact) / 10)]


@pytest.mark.parametrize(
    ("means", "labels", "best"),
    [
        ([1.0] * 5 + [2.0] * 4, [0] * 5 + [1] * 4, None),  # one class is large enough
        ([1.0] * 5 + [2.0] * 5, [0] * 5 + [1] * 5, 1),
        ([1.0] * 10, [0] * 5 + [1] * 5, None),  # no class stands out
        ([1.0] * 5 + [2.0] * 5, [None] * 5 + [1] * 5, None),  # no class is no class
        ([1.0] * 5 + [2.0] * 5 + [9.0], [0] * 5 + [1] * 5 + [2], 1),
    ],
)
def test_what_it_takes_to_be_the_best_class(means, labels, best):
    (found,) = statistics.preferences(small(means, labels), slice(0, 1), signed=False)
    assert (found.best if found else None) == best
    if found:
        assert found.separation is None  # nothing varies within classes


def test_figures_that_rounding_alone_would_give_are_left_out():
    """Squares of small numbers end beyond the last bit of a sum: equal ones do not vary by that."""
    for number in range(20):
        means = np.array([0.001 + number / 1e4] * 5 + [0.003 + number / 1e4] * 5, np.float32)
        summary = small(means, [0] * 5 + [1] * 5)
        (found,) = statistics.preferences(summary, slice(0, 1), signed=True)
        assert found == statistics.Preference(1, None, None)


def test_a_thousand_classes_take_no_gigabyte(stored):
    """As many classes as ImageNet has, for the channels of one wide layer."""
    classes, channels = 1000, 512
    random = np.random.default_rng(0)
    nothing = Summary.nothing((("wide", channels),))
    means = random.random((classes, 10, channels)).astype(np.float32)
    summary = replace(
        nothing,
        photos=classes * 10,
        labels=np.arange(classes),
        label_photos=np.full(classes, 10),
        label_mean=sums_of(means.transpose(1, 0, 2)),
        class_square=reduce(add, (sums_of(some.astype(np.float64) ** 2) for some in means)),
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = process_time()
    found = statistics.preferences(summary, slice(0, channels), signed=False)
    took = process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    exact = means.mean(axis=1, dtype=np.float64)
    assert [one.best for one in found] == exact.argmax(axis=0).tolist()
    within = ((means - exact[:, None]) ** 2).sum(axis=(0, 1)) / (classes * 9)
    others = (exact.sum(axis=0) - exact.max(axis=0)) / (classes - 1)
    separation = (exact.max(axis=0) - others) / np.sqrt(within)
    assert [one.separation for one in found] == pytest.approx(separation, rel=1e-6)
    assert took < 5
    assert grown < 500e6


def test_slugs_differ_where_case_does_not_count():
    found = slugs(["Cat", "cat", "dog", "golden retriever"])
    assert found[2] == "dog"
    assert len({slug.casefold() for slug in found}) == 4


def test_the_schema_is_that_of_the_contract():
    assert contract.SCHEMA_PATH.read_bytes() == contract.schema()
    assert {field.name for field in fields(SurveyIndex)} >= {"layers", "classes", "wrong"}
