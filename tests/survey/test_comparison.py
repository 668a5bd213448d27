"""Correlations and similarities against formulas written another way, and against chance."""

from itertools import permutations

import numpy as np
import pytest

from survey import comparison
from survey.comparison import (
    correlations,
    kernel,
    similarities,
    similarity,
    varies,
)


def drawn(seed, photos, channels):
    return np.random.default_rng(seed).normal(size=(photos, channels))


def related(seed, photos=40, channels=7, noise=0.8):
    """Two layers with something in common, in other bases."""
    common, turn = drawn(seed, photos, channels), drawn(seed + 1, channels, channels + 2)
    a = common + noise * drawn(seed + 2, photos, channels)
    return a, common @ turn + noise * drawn(seed + 3, photos, channels + 2)


def cka(a, b):
    return similarity(kernel(a), kernel(b))[0]


def biased_cka(a, b):
    """By double centring, as it is mostly written."""
    n = len(a)
    centring = np.eye(n) - 1 / n

    def hsic(k, m):
        return np.trace(k @ centring @ m @ centring)

    k, m = a @ a.T, b @ b.T
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


def song(a, b):
    """The estimator as Song et al. write it, term by term."""
    n = len(a)
    k, m = a @ a.T, b @ b.T
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    one = np.ones(n)
    whole = np.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    return (whole - 2 / (n - 2) * (one @ k @ m @ one)) / (n * (n - 3))


# Correlations


def test_a_correlation_is_pearson_s():
    a, b = drawn(0, 30, 5) * 3 + 100, drawn(1, 30, 5)
    b[:, 2] += a[:, 2]
    expected = [np.corrcoef(a[:, c], b[:, c])[0, 1] for c in range(5)]
    np.testing.assert_allclose(correlations(a, b)[0], expected, rtol=0, atol=1e-12)


def test_scale_and_place_make_no_difference():
    a = drawn(0, 30, 4)
    np.testing.assert_allclose(correlations(a, a * 1e-30 + 1e-31)[0], 1, rtol=0, atol=1e-12)
    np.testing.assert_allclose(correlations(a, 7 - a * 1e12)[0], -1, rtol=0, atol=1e-12)


def test_a_channel_that_does_not_vary_in_one_has_no_correlation():
    a, b = drawn(0, 30, 4), drawn(1, 30, 4)
    a[:, 0] = 0
    b[:, 1] = 0.1
    b[:, 2] = 1e6 + b[:, 2] * 1e-2  # float32 has steps of 0.06 here
    assert varies(a).tolist() == [False, True, True, True]
    assert varies(b).tolist() == [True, False, False, True]
    assert np.isnan(correlations(a, b)).tolist() == [[True, True, True, False]] * 3


def test_the_error_of_a_correlation_is_that_of_leaving_out_one_photo_after_the_other():
    a, b = drawn(0, 20, 3) ** 3, drawn(1, 20, 3)
    b[:, 1:] += a[:, 1:]
    found, low, high = correlations(a, b)
    less = [correlations(np.delete(a, i, 0), np.delete(b, i, 0))[0] for i in range(20)]
    error = np.sqrt(19 * np.var(np.arctanh(less), axis=0))
    np.testing.assert_allclose(low, np.tanh(np.arctanh(found) - 1.959964 * error), atol=1e-6)
    np.testing.assert_allclose(high, np.tanh(np.arctanh(found) + 1.959964 * error), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "truth", "least"), [(np.asarray, 0.6, 0.935), (np.exp, 0.4796, 0.91)]
)
def test_an_interval_holds_the_truth_in_19_of_20_cases(shape, truth, least):
    """Of figures with long tails in somewhat fewer; 1/√(n − 3) has it in two of three cases."""
    a = drawn(0, 300, 1500)
    b = 0.6 * a + 0.8 * drawn(1, 300, 1500)
    found, low, high = correlations(shape(a), shape(b))
    assert least < ((low < truth) & (truth < high)).mean() < 0.97
    assert ((low <= found) & (found <= high)).all()


def test_what_one_photo_alone_makes_is_not_known():
    a, b = drawn(0, 20, 2), drawn(1, 20, 2)
    a[:, 0] = np.arange(20) == 3
    found, low, high = correlations(a, b)
    assert abs(found[0]) < 1
    assert (low[0], high[0]) == (-1, 1)
    assert -1 < low[1] < high[1] < 1


def test_a_perfect_correlation_is_certain():
    a = drawn(0, 20, 2)
    found, low, high = correlations(a, np.float64([2, -3]) * a)
    assert found == pytest.approx([1, -1], abs=1e-12)
    assert low == pytest.approx([1, -1], abs=1e-5)
    assert high == pytest.approx([1, -1], abs=1e-5)


# Similarity


def test_a_layer_is_like_itself_in_any_order_turn_scale_and_place():
    a = drawn(0, 60, 20)
    turn, _ = np.linalg.qr(drawn(1, 20, 20))
    shuffled = a[:, np.random.default_rng(2).permutation(20)]
    for other in (a, shuffled, a @ turn, a * 1e-20, a * 1e9 - 4e9, np.hstack([a, a])):
        assert cka(a, other) == pytest.approx(1, abs=1e-12)


def test_a_stretched_channel_makes_another_layer():
    a = drawn(0, 60, 20)
    assert cka(a, a * np.r_[30, np.ones(19)]) < 0.5


def test_the_sum_of_products_of_kernels_is_the_unbiased_estimator():
    a, b = related(0)
    n = len(a)
    scale = np.abs(a - a.mean(axis=0)).max() ** 2 * np.abs(b - b.mean(axis=0)).max() ** 2
    ours = (kernel(a) * kernel(b)).sum() / (n * (n - 3)) * scale
    assert ours == pytest.approx(song(a, b), rel=1e-10)
    assert ours == pytest.approx(song(a + 3, b - 5), rel=1e-10)


def test_the_estimator_is_the_mean_over_all_quadruples_of_photos():
    """Without any centring: HSIC is E[k l] + E[k] E[l] − 2 E[k l'] over photos that all differ."""
    a, b = drawn(0, 7, 3), drawn(1, 7, 2)
    k, m = a @ a.T, b @ b.T
    terms = [
        k[i, j] * m[i, j] + k[i, j] * m[q, r] - 2 * k[i, j] * m[i, q]
        for i, j, q, r in permutations(range(7), 4)
    ]
    assert song(a, b) == pytest.approx(np.mean(terms), rel=1e-10)


def test_the_similarity_is_the_quotient_of_three_estimators():
    a, b = related(0)
    expected = song(a, b) / np.sqrt(song(a, a) * song(b, b))
    assert 0.2 < expected < 0.9
    assert cka(a, b) == pytest.approx(expected, abs=1e-12)
    assert cka(b, a) == pytest.approx(expected, abs=1e-12)


def test_with_many_photos_the_usual_estimator_agrees():
    a, b = related(0, photos=800, channels=3)
    assert cka(a, b) == pytest.approx(biased_cka(a, b), abs=0.006)


def test_layers_that_have_nothing_in_common_are_at_zero_where_the_usual_estimator_is_not():
    pairs = [(drawn(2 * s, 100, 100), drawn(2 * s + 1, 100, 100)) for s in range(40)]
    ours = [cka(a, b) for a, b in pairs]
    assert abs(np.mean(ours)) < 0.005
    assert min(ours) < 0 < max(ours)
    assert min(biased_cka(a, b) for a, b in pairs[:5]) > 0.45


def test_the_error_is_that_of_leaving_out_one_photo_after_the_other():
    a, b = related(0, photos=25)
    less = [cka(np.delete(a, i, 0), np.delete(b, i, 0)) for i in range(25)]
    expected = np.sqrt(24 / 25 * np.sum((less - np.mean(less)) ** 2))
    assert similarity(kernel(a), kernel(b))[1] == pytest.approx(expected, rel=1e-9)


def test_the_error_is_about_how_far_other_photos_lead():
    values, errors = np.transpose([similarity(*map(kernel, sampled(seed))) for seed in range(150)])
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.25)


def sampled(seed):
    """A sample of the photos of one pair of networks."""
    turn = drawn(99, 5, 6)
    common = drawn(10 * seed, 80, 5)
    return common + drawn(10 * seed + 1, 80, 5), common @ turn + drawn(10 * seed + 2, 80, 6)


def test_where_nothing_varies_nothing_is_said():
    flat = np.full((20, 3), 0.1)
    assert np.isnan(similarity(kernel(flat), kernel(drawn(0, 20, 3)))).all()
    assert np.isnan(similarity(kernel(drawn(0, 20, 3)), kernel(flat))).all()


def test_one_photo_that_differs_from_all_others_says_nothing():
    once = np.zeros((20, 3))
    once[4] = 1
    assert np.isnan(similarity(kernel(once), kernel(drawn(0, 20, 3)))).all()
    assert np.isnan(similarities([once], [once])).all()


def test_two_photos_have_a_similarity_without_an_error():
    twice = np.zeros((20, 3))
    twice[[4, 7]] = drawn(0, 2, 3)
    value, error = similarity(kernel(twice), kernel(twice))
    assert value == pytest.approx(1, abs=1e-9)
    assert np.isnan(error)


def test_all_pairs_are_what_each_pair_is(monkeypatch):
    monkeypatch.setattr(comparison, "_TOGETHER", 2)
    a = [drawn(seed, 30, 4 + seed) for seed in range(5)]
    b = [np.zeros((30, 2)), a[3] + 0.5 * drawn(9, 30, 7), drawn(10, 30, 3)]
    found = similarities(a, b)
    assert found.shape == (5, 3)
    assert np.isnan(found[:, 0]).all()
    expected = [[cka(one, other) for other in b[1:]] for one in a]
    np.testing.assert_allclose(found[:, 1:], expected, rtol=0, atol=1e-12)
