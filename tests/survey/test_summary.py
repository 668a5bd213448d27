"""A summary is the same, to the byte, however its photos were parted, ordered and merged."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tallied import Layer, Photo, summary_of

from survey import fixed, histogram
from survey.answers import TOP
from survey.contract import WRONG
from survey.errors import SurveyError
from survey.fixed import Sums
from survey.strongest import KEPT
from survey.summary import FAULTS, Summary
from survey.tally import WAITING

LAYERS = (Layer("one", 3, 4), Layer("two", 2, 1))
LAYOUT = tuple((layer.name, layer.channels) for layer in LAYERS)
CHANNELS = 5
CATEGORIES = 7


def some_photos(count, seed, ties=False):
    """Return photos: with `ties` most values are equal to others. Sums of their activations are exact
    in float64.
    """
    random = np.random.default_rng(seed)
    photos = []
    for number in range(count):
        label = int(random.integers(-1, 4))
        photos.append(
            Photo(
                name=f"{seed}/photo {number}.jpg",
                label=None if label < 0 else label,
                true=label if label > 0 and label % 2 else None,
                maps=tuple(
                    some_values(random, (layer.channels, layer.positions), ties) for layer in LAYERS
                ),
                logits=random.integers(-1, 2, CATEGORIES).astype(np.float32)
                if ties
                else random.normal(size=CATEGORIES).astype(np.float32),
            )
        )
    return photos


def some_values(random, shape, ties):
    if ties:
        return random.choice(np.array([-1, -0.0, 0, 1], np.float32), shape)
    values = random.normal(size=shape) * 10.0 ** random.integers(-5, 5, size=shape)
    return (np.rint(values * 2**20) / 2**20).astype(np.float32)


def column(photos, channel):
    """The maps of one of all channels: (n, positions)."""
    layer, place = (0, channel) if channel < 3 else (1, channel - 3)
    return np.array([photo.maps[layer][place] for photo in photos])


def some(photos, rows):
    return summary_of(LAYERS, [photos[row] for row in rows])


def merged(parts):
    whole, *others = parts
    for other in others:
        whole = whole.merge(other)
    return whole


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 60),
    seed=st.integers(0, 10**6),
    ties=st.booleans(),
    order=st.randoms(use_true_random=False),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_any_parts_in_any_order_give_the_same_bytes(count, seed, ties, order, cuts):
    photos = some_photos(count, seed, ties)
    whole = some(photos, range(count)).merge(Summary.unusable(LAYOUT, {"b": "no", "a": "no"}))
    rows = list(range(count))
    order.shuffle(rows)
    edges = sorted({0, count, *(cut for cut in cuts if cut < count)})
    parts = [some(photos, rows[low:high]) for low, high in itertools.pairwise(edges)]
    parts += [
        Summary.nothing(LAYOUT),
        Summary.unusable(LAYOUT, {"a": "no"}),
        Summary.unusable(LAYOUT, {"b": "no"}),
    ]
    order.shuffle(parts)
    assert merged(parts).to_bytes() == whole.to_bytes()
    assert merged(parts[::-1]).to_bytes() == whole.to_bytes()
    half = len(parts) // 2
    assert merged(parts[:half]).merge(merged(parts[half:])).to_bytes() == whole.to_bytes()


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 40), seed=st.integers(0, 10**6), ties=st.booleans())
def test_a_summary_is_what_counting_photo_by_photo_gives(count, seed, ties):
    photos = some_photos(count, seed, ties)
    parts = [[photo] for photo in photos]
    if seed % 2:
        parts = [photos[: count // 2], photos[count // 2 :]]
    np.random.default_rng(seed).shuffle(parts)
    found = merged([summary_of(LAYERS, part) for part in parts if part])
    keys = [photo.key for photo in photos]
    assert found.photos == count
    for channel in range(CHANNELS):
        maps = column(photos, channel)
        maximum = maps.max(axis=1)
        assert found.fires[channel] == (maximum > 0).sum()
        assert found.low[channel] == maximum.min()
        assert found.high[channel] == maximum.max()
        order = sorted(range(count), key=lambda r: (-maximum[r], keys[r]))[:KEPT]
        assert found.strongest.value[channel].tolist() == maximum[order].tolist()
        assert found.strongest.key[channel].tolist() == [keys[row] for row in order]
        assert found.strongest.place[channel].tolist() == maps[order].argmax(axis=1).tolist()
        bins = np.bincount(histogram.bin_of(maximum), minlength=histogram.BINS)
        assert found.histogram[channel].tolist() == bins.tolist()
        mean = maps.mean(axis=1, dtype=np.float64).astype(np.float32).tolist()
        labelled = [m for m, photo in zip(mean, photos, strict=True) if photo.label is not None]
        for sums, terms in (
            (found.mean, map(Fraction, mean)),
            (found.mean_square, (Fraction(one) ** 2 for one in mean)),
            (found.class_square, (Fraction(one) ** 2 for one in labelled)),
        ):
            error = Fraction(sums.exact()[channel], 2**fixed.FRACTION) - sum(terms)
            assert abs(error) <= Fraction(count, 2 ** (fixed.FRACTION + 1))
        variance = maps.astype(np.float64).var(axis=1).sum()
        size = (maps.astype(np.float64) ** 2).mean(axis=1).sum()
        assert abs(found.variance.values()[channel] - variance) <= 1e-14 * size + count * 2.0**-53
    labels = [-1 if photo.label is None else photo.label for photo in photos]
    answers = [(-photo.logits).argsort(kind="stable")[:TOP].tolist() for photo in photos]
    assert found.labels.tolist() == sorted(set(labels))
    for position, label in enumerate(found.labels.tolist()):
        rows = [row for row in range(count) if labels[row] == label]
        assert found.label_photos[position] == len(rows)
        assert found.label_top[position].tolist() == [
            sum(photos[row].true == answers[row][0] for row in rows),
            sum(photos[row].true in answers[row] for row in rows),
        ]
        for channel in range(CHANNELS):
            mean = column(photos, channel)[rows].mean(axis=1, dtype=np.float64).astype(np.float32)
            total = found.label_mean.values()[position, channel]
            assert total == pytest.approx(math.fsum(mean.tolist()), rel=1e-12, abs=1e-12)
    pairs = [(label, answer[0]) for label, answer in zip(labels, answers, strict=True)]
    assert found.answers.tolist() == [[*pair, pairs.count(pair)] for pair in sorted(set(pairs))]
    missed = {
        photo.key: -log_share(photo.logits, photo.true)
        for photo, answer in zip(photos, answers, strict=True)
        if photo.true is not None and answer[0] != photo.true
    }
    assert sorted(found.wrong.key.tolist()) == sorted(missed)  # fewer than are kept
    assert len(missed) <= WRONG
    assert found.wrong.loss.tolist() == pytest.approx([missed[k] for k in found.wrong.key.tolist()])
    order = list(zip(-found.wrong.loss, found.wrong.key, strict=True))
    assert order == sorted(order)
    sampled = sorted(key for key in keys if key <= 2**63)
    assert found.sample_key.tolist() == sampled
    rows = [keys.index(key) for key in sampled]
    for channel in range(CHANNELS):
        mean = column(photos, channel)[rows].mean(axis=1, dtype=np.float64).astype(np.float32)
        assert found.sample_mean[:, channel].tolist() == mean.tolist()
    wanted = {*found.strongest.key.reshape(-1).tolist(), *found.wrong.key.tolist()}
    assert found.names == {photo.key: photo.name for photo in photos if photo.key in wanted}


def log_share(logits, category):
    wide = logits.astype(np.float64)
    return wide[category] - np.log(np.exp(wide).sum())


@given(st.lists(st.floats(-(2**20), 2**20, width=32), min_size=1, max_size=100))
def test_sums_are_exact_but_for_the_rounding_of_each_number(values):
    photos = [
        Photo(f"{n}", None, None, (np.full((1, 1), value, np.float32),), np.zeros(1, np.float32))
        for n, value in enumerate(values)
    ]
    layers = (Layer("one", 1, 1),)
    whole = summary_of(layers, photos)
    parts = merged([summary_of(layers, [photo]) for photo in photos])
    for sums, other, terms in (
        (whole.mean, parts.mean, map(Fraction, values)),
        (whole.mean_square, parts.mean_square, (Fraction(one) ** 2 for one in values)),
    ):
        assert sums.exact() == other.exact()
        error = Fraction(sums.exact()[0], 2**fixed.FRACTION) - sum(terms)
        assert abs(error) <= Fraction(len(values), 2 ** (fixed.FRACTION + 1))


def test_what_waits_can_be_summed_without_overflow():
    assert WAITING < 2 ** (63 - fixed.FRACTION)
    most = 2.0**20 * (1 - 2.0**-24)
    photos = [
        Photo(f"{n}", 0, None, (np.full((1, 1), value, np.float32),), np.zeros(1, np.float32))
        for n, value in enumerate([most] * 4 * WAITING + [1 - 2**-24] * 4 * WAITING)
    ]
    found = summary_of((Layer("one", 1, 1),), photos)
    exact = [4 * WAITING * (Fraction(most) ** n + Fraction(1 - 2**-24) ** n) for n in (1, 2)]
    assert found.mean.exact() == [exact[0] * 2**fixed.FRACTION]
    assert found.mean_square.exact() == [exact[1] * 2**fixed.FRACTION]
    assert found.class_square.exact() == found.mean_square.exact()


def test_sums_that_leave_their_bits_are_an_error():
    much = Sums(np.array([[2**40], [0]]))
    for _ in range(21):
        much += much
    with pytest.raises(SurveyError, match="too large"):
        much + much


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.floats(-(2**19), 2**19, width=32).filter(lambda v: v == 0 or abs(v) > 2**-20),
        min_size=1,
        max_size=50,
    )
)
def test_quantiles_are_within_the_stated_error(values):
    column = np.array(values, np.float32)
    counts = np.bincount(histogram.bin_of(column), minlength=histogram.BINS)[None]
    wanted = np.array([0.0, 0.05, 0.5, 0.75, 0.99, 1.0])
    found = histogram.quantiles(counts, wanted, column.min()[None], column.max()[None])[0]
    exact = np.quantile(column.astype(np.float64), wanted, method="inverted_cdf")
    assert (np.abs(found - exact) <= histogram.ERROR * np.abs(exact)).all()


def test_bins_ascend_with_the_values():
    values = np.array(
        [-1e30, -(2.0**20), -1.125, -1.1, -1, -1e-9, -0.0, 0, 1e-9, 1, 1.1, 1.125, 1e30], np.float32
    )
    bins = histogram.bin_of(values)
    assert (np.diff(bins) >= 0).all()
    assert bins[0] == 0
    assert bins[-1] == histogram.BINS - 1
    assert len({*bins[5:9].tolist()}) == 1
    assert bins[9] == bins[10] != bins[11]


def test_equal_values_stand_in_the_order_of_their_keys():
    photos = some_photos(40, 3)
    for row, photo in enumerate(photos):
        for maps in photo.maps:
            maps[:] = 0.0 if row % 2 else -0.0
    found = merged([some(photos, [row]) for row in range(40)])
    assert found.strongest.key[0].tolist() == sorted(photo.key for photo in photos)[:KEPT]
    assert some(photos, range(40)).to_bytes() == found.to_bytes()


def test_what_is_written_is_read_again():
    summary = summary_of(LAYERS, some_photos(30, 5))
    odd = Summary.unusable(LAYOUT, {"a\nb \udcff.jpg": "because\n"})
    data = summary.merge(odd).to_bytes()
    assert Summary.from_bytes(data).to_bytes() == data
    assert Summary.from_bytes(data).faults == {"a\nb \udcff.jpg": "because\n"}


@pytest.mark.parametrize("damage", [lambda d: d[:-40], lambda d: b"", lambda d: b"PK" + d[:9]])
def test_what_is_damaged_is_no_summary(damage):
    data = Summary.nothing(LAYOUT).to_bytes()
    with pytest.raises(SurveyError, match="not a summary"):
        Summary.from_bytes(damage(data))


def test_a_changed_byte_is_noticed():
    data = bytearray(summary_of(LAYERS, some_photos(30, 5)).to_bytes())
    data[len(data) // 2] ^= 1
    with pytest.raises(SurveyError, match="not a summary"):
        Summary.from_bytes(bytes(data))


def test_unusable_photos_are_all_counted_and_the_first_are_named():
    faults = {f"{number:05}": "no" for number in range(3 * FAULTS)}
    halves = [dict(list(faults.items())[start::2]) for start in (1, 0)]
    found = merged([Summary.unusable(LAYOUT, half) for half in halves])
    assert found.unreadable == 3 * FAULTS
    assert list(found.faults) == list(faults)[:FAULTS]


def test_a_photo_is_in_one_shard_only():
    photos = some_photos(10, 1)
    with pytest.raises(SurveyError, match="in two shards"):
        some(photos, [0, 1]).merge(some(photos, [1, 2]))


def test_other_layers_are_not_merged():
    with pytest.raises(SurveyError, match="other layers"):
        Summary.nothing(LAYOUT).merge(Summary.nothing((("one", 3), ("three", 2))))
