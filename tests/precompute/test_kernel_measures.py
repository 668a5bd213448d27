"""The measures of kernels, on kernels whose answer is known."""

import numpy as np
import pytest

from precompute.kernel_measures import measure, similarity

GREY, RED_GREEN, RED = (1, 1, 1), (1, -1, 0), (1, 0, 0)
SIZE = 15


def wave(degrees, frequency, phase=0.0, colour=GREY):
    """Return a (1, 3, SIZE, SIZE) kernel of stripes with that orientation and frequency."""
    down, across = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    turned = np.radians(degrees)
    # The wave runs at a right angle to its stripes; rows count downwards.
    along = across * np.sin(turned) + down * np.cos(turned)
    plane = np.cos(2 * np.pi * frequency * along + phase)
    return (np.array(colour)[:, None, None] * plane).astype(np.float32)[None]


@pytest.mark.parametrize("frequency", [0.15, 0.25, 0.4])
@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 135, 160])
@pytest.mark.parametrize("colour", [GREY, RED_GREEN])
def test_stripes_have_their_orientation_and_frequency(degrees, frequency, colour):
    found = measure(wave(degrees, frequency, colour=colour))
    off = (found.orientation[0] - degrees + 90) % 180 - 90
    assert abs(off) < 5
    assert found.frequency[0] == pytest.approx(frequency, abs=0.02)
    assert found.orientation_selectivity[0] > 0.75


def test_stripes_that_rise_to_the_right_are_at_45_degrees():
    rising = np.fliplr(np.eye(7, dtype=np.float32))  # from bottom left to top right
    assert measure(np.stack([rising] * 3)[None]).orientation[0] == pytest.approx(45)


def test_what_looks_the_same_after_a_quarter_turn_prefers_no_orientation():
    blob = np.exp(-((np.mgrid[:7, :7] - 3) ** 2).sum(axis=0) / 4)
    crossed = wave(0, 0.2) + wave(90, 0.2)
    for kernel in (np.stack([blob] * 3)[None].astype(np.float32), crossed):
        assert measure(kernel).orientation_selectivity[0] < 1e-4


@pytest.mark.parametrize(("colour", "share"), [(GREY, 0), (RED_GREEN, 1), (RED, 2 / 3)])
def test_the_share_of_colour(colour, share):
    assert measure(wave(20, 0.2, colour=colour)).colour_share[0] == pytest.approx(share, abs=1e-6)


def test_noise_has_two_thirds_colour_little_flat_half_odd_and_no_orientation():
    found = measure(np.random.default_rng(0).normal(size=(500, 3, 7, 7)).astype(np.float32))
    assert found.colour_share.mean() == pytest.approx(2 / 3, abs=0.01)
    assert found.flat_share.mean() == pytest.approx(1 / 49, abs=0.005)
    assert found.odd_share.mean() == pytest.approx(72 / 147, abs=0.01)  # the centre is even
    assert found.orientation_selectivity.mean() < 0.15
    assert found.concentration.mean() < 0.2


@pytest.mark.parametrize("degrees", [0, 50, 90])
@pytest.mark.parametrize("frequency", [0.2, 0.45])
def test_a_wave_is_concentrated_and_two_are_half_so(degrees, frequency):
    one = wave(degrees, frequency)
    assert measure(one).concentration[0] > 0.75
    both = measure(one + wave(degrees + 90, frequency)).concentration[0]
    assert both == pytest.approx(measure(one).concentration[0] / 2, rel=0.15)


@pytest.mark.parametrize(("phase", "share"), [(0, 0), (np.pi / 2, 1)])
def test_an_edge_is_odd_and_a_bar_is_even(phase, share):
    assert measure(wave(70, 0.2, phase)).odd_share[0] == pytest.approx(share, abs=1e-6)


def test_an_even_colour_is_flat_and_has_neither_orientation_nor_frequency():
    even = np.broadcast_to(np.float32([0.3, -0.1, 0.7])[:, None, None], (1, 3, 7, 7))
    found = measure(even)
    assert found.flat_share[0] == pytest.approx(1)
    assert np.isnan(
        [found.orientation[0], found.frequency[0], found.orientation_selectivity[0]]
    ).all()
    assert measure(wave(0, 1 / SIZE)).flat_share[0] == pytest.approx(0, abs=1e-6)


def test_the_norm_and_the_largest_weight():
    kernel = np.zeros((2, 3, 7, 7), np.float32)
    kernel[0, 0, 0, 0], kernel[0, 2, 6, 6] = 3, -4
    found = measure(kernel)
    assert (found.norm.tolist(), found.largest.tolist()) == ([5, 0], [4, 0])


def test_a_kernel_of_zeros_has_no_shares():
    found = measure(np.zeros((1, 3, 7, 7), np.float32))
    shares = [values for name, values in vars(found).items() if name not in {"norm", "largest"}]
    assert np.isnan(shares).all()


def test_measures_but_the_size_do_not_depend_on_strength_or_sign():
    kernels = np.random.default_rng(1).normal(size=(9, 3, 7, 7)).astype(np.float32)
    before, after = measure(kernels), measure(kernels * -0.25)
    for name, values in vars(before).items():
        factor = 0.25 if name in {"norm", "largest"} else 1
        assert getattr(after, name) == pytest.approx(values * factor), name


def test_similarity_is_the_correlation_of_the_weights():
    one, other = np.random.default_rng(2).normal(size=(2, 5, 3, 7, 7)).astype(np.float32)
    expected = np.corrcoef(one.reshape(5, -1), other.reshape(5, -1))[:5, 5:]
    assert similarity(one, other) == pytest.approx(expected, abs=1e-6)
    assert similarity(one, 0.5 - 2 * one).diagonal() == pytest.approx(-np.ones(5))
    assert similarity(one, np.ones((1, 3, 7, 7))).tolist() == [[0]] * 5
