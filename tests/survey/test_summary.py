"""A summary is the same, to the byte, however its photos were parted, ordered and merged."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey import fixed, histogram
from survey.contract import WRONG
from survey.errors import SurveyError
from survey.fixed import Sums
from survey.job import key_of
from survey.strongest import KEPT
from survey.summary import FAULTS, Answered, Measured, Summary

LAYOUT = (("one", 3), ("two", 2))
CHANNELS = 5
CATEGORIES = 7


def some_photos(count, seed, ties=False):
    """Return names and figures of photos: with `ties` most values are equal to others."""
    random = np.random.default_rng(seed)
    shape = (count, CHANNELS)
    maximum = random.normal(size=shape) * 10.0 ** random.integers(-6, 6, size=shape)
    if ties:
        maximum = random.integers(-1, 2, size=shape)
    names = [f"{seed}/photo {number}.jpg" for number in range(count)]
    label = random.integers(-1, 4, size=count)
    category = np.argsort(random.normal(size=(count, CATEGORIES)), axis=1)[:, :5]
    loss = random.integers(0, 3, count) if ties else random.exponential(size=count)
    measured = Measured(
        key=np.array([key_of(name) for name in names], np.uint64),
        label=label,
        maximum=maximum.astype(np.float32),
        place=random.integers(0, 100, size=shape).astype(np.int32),
        mean=(random.normal(size=shape) * 10.0 ** random.integers(-9, 9, size=shape)).astype(
            np.float32
        ),
        square=(random.random(size=shape) * 10.0 ** random.integers(-9, 11, size=shape)).astype(
            np.float32
        ),
    )
    answered = Answered(
        category=category,
        true=np.where(label % 2, label, -1),
        probability=random.random(count),
        loss=loss.astype(np.float64),
    )
    return names, measured, answered


def summary_of(photos, rows, sample=2**63):
    names, measured, answered = photos
    return Summary.of(
        LAYOUT,
        [names[row] for row in rows],
        Measured(**{name: array[rows] for name, array in vars(measured).items()}),
        Answered(**{name: array[rows] for name, array in vars(answered).items()}),
        sample,
    )


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
    whole = summary_of(photos, list(range(count))).merge(
        Summary.unusable(LAYOUT, {"b": "no", "a": "no"})
    )
    rows = list(range(count))
    order.shuffle(rows)
    edges = sorted({0, count, *(cut for cut in cuts if cut < count)})
    parts = [summary_of(photos, rows[low:high]) for low, high in itertools.pairwise(edges)]
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
    names, measured, answered = photos = some_photos(count, seed, ties)
    found = merged(
        [summary_of(photos, [row]) for row in np.random.default_rng(seed).permutation(count)]
    )
    maximum = measured.maximum
    assert found.photos == count
    assert found.fires.tolist() == [sum(column > 0) for column in maximum.T]
    assert found.low.tolist() == maximum.min(axis=0).tolist()
    assert found.high.tolist() == maximum.max(axis=0).tolist()
    for channel in range(CHANNELS):
        order = sorted(range(count), key=lambda r: (-maximum[r, channel], measured.key[r]))[:KEPT]
        assert found.strongest.value[channel].tolist() == maximum[order, channel].tolist()
        assert found.strongest.key[channel].tolist() == measured.key[order].tolist()
        assert found.strongest.place[channel].tolist() == measured.place[order, channel].tolist()
        for sums, column in (
            (found.mean, measured.mean[:, channel]),
            (found.square, measured.square[:, channel]),
        ):
            exact = sum(map(Fraction, column.tolist()))
            assert abs(Fraction(sums.exact()[channel], 2**fixed.FRACTION) - exact) <= Fraction(
                count, 2 ** (fixed.FRACTION + 1)
            )
    assert found.histogram.sum(axis=1).tolist() == [count] * CHANNELS
    for position, label in enumerate(found.labels.tolist()):
        rows = measured.label == label
        hits = answered.category[rows] == answered.true[rows][:, None]
        judged = answered.true[rows] >= 0
        assert found.label_photos[position] == rows.sum()
        assert found.label_top[position].tolist() == [
            (hits[:, 0] & judged).sum(),
            (hits.any(axis=1) & judged).sum(),
        ]
        total = measured.mean[rows].astype(np.float64).sum(axis=0)
        assert np.allclose(found.label_mean.values()[position], total, rtol=1e-9, atol=1e-9)
    pairs = list(zip(measured.label.tolist(), answered.category[:, 0].tolist(), strict=True))
    assert found.answers.tolist() == [[*pair, pairs.count(pair)] for pair in sorted(set(pairs))]
    missed = [
        row
        for row in range(count)
        if answered.true[row] >= 0 and answered.category[row, 0] != answered.true[row]
    ]
    missed.sort(key=lambda row: (-answered.loss[row], measured.key[row]))
    assert found.wrong.key.tolist() == measured.key[missed[:WRONG]].tolist()
    sampled = sorted(int(key) for key in measured.key if key <= 2**63)
    assert found.sample_key.tolist() == sampled
    rows = [measured.key.tolist().index(key) for key in sampled]
    assert np.array_equal(found.sample_mean, measured.mean[rows])
    wanted = {*found.strongest.key.reshape(-1).tolist(), *found.wrong.key.tolist()}
    assert found.names == {key_of(name): name for name in names if key_of(name) in wanted}


@given(st.lists(st.floats(-(2**40), 2**40, width=32), min_size=1, max_size=100))
def test_sums_are_exact_but_for_the_rounding_of_each_number(values):
    column = np.array(values, np.float32)[:, None]
    (whole,) = Sums.of(column).exact()
    parts = sum((Sums.of(row[None]) for row in column), Sums.zeros(1))
    assert parts.exact() == [whole]
    error = Fraction(whole, 2**fixed.FRACTION) - sum(map(Fraction, column[:, 0].tolist()))
    assert abs(error) <= Fraction(len(values), 2 ** (fixed.FRACTION + 1))


def test_as_many_numbers_as_allowed_are_summed_without_overflow():
    for value in (fixed.LARGEST, -fixed.LARGEST, 1 - 2**-24):
        column = np.full((fixed.MOST - 1, 1), value, np.float64)
        assert Sums.of(column).values()[0] == value * (fixed.MOST - 1)


def test_sums_that_leave_their_bits_are_an_error():
    much = Sums.of(np.full((1, 1), fixed.LARGEST))
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
    photos[1].maximum[:] = np.where(np.arange(40)[:, None] % 2, 0.0, -0.0)
    found = merged([summary_of(photos, [row]) for row in range(40)])
    assert found.strongest.key[0].tolist() == sorted(photos[1].key.tolist())[:KEPT]
    assert summary_of(photos, list(range(40))).to_bytes() == found.to_bytes()


def test_what_is_written_is_read_again():
    summary = summary_of(some_photos(30, 5), list(range(30)))
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
    data = bytearray(summary_of(some_photos(30, 5), list(range(30))).to_bytes())
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
        summary_of(photos, [0, 1]).merge(summary_of(photos, [1, 2]))


def test_other_layers_are_not_merged():
    with pytest.raises(SurveyError, match="other layers"):
        Summary.nothing(LAYOUT).merge(Summary.nothing((("one", 3), ("three", 2))))
