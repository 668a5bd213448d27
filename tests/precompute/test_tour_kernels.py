"""What tours say of kernels agrees with what one would find by trying."""

import numpy as np
import pytest

from precompute.kernel_measures import (
    HUES,
    colour_axis,
    colour_share,
    edge_likeness,
    hue_names,
    most_opposite,
    strength,
)

SIDE = 7
KERNELS = np.random.default_rng(3).normal(size=(20, 3, SIDE, SIDE))


def ideal(angle):
    """The first derivative of a Gaussian, brighter towards `angle` degrees, y downwards."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    towards = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    edge = towards * np.exp(-(x**2 + y**2) / (2 * (SIDE / 4) ** 2))
    return np.broadcast_to(edge, (3, SIDE, SIDE))


def cosine(one, other):
    return (one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other)


def test_likeness_is_the_best_cosine_over_all_angles():
    likeness, angles = edge_likeness(KERNELS)
    tried = np.arange(-180, 180, 0.5)
    for kernel, found, angle in zip(KERNELS, likeness, angles, strict=True):
        cosines = [cosine(kernel, ideal(one)) for one in tried]
        assert found == pytest.approx(max(cosines), abs=1e-4)
        assert abs((angle - tried[np.argmax(cosines)] + 180) % 360 - 180) <= 0.5


@pytest.mark.parametrize("angle", [0, 45, 90, 180, -90])
def test_an_ideal_edge_is_like_one_and_is_positive_where_it_gets_brighter_that_way(angle):
    likeness, angles = edge_likeness(np.array([ideal(angle)]))
    assert likeness == pytest.approx(1)
    assert np.cos(np.radians(angles[0] - angle)) == pytest.approx(1)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    brighter = x * np.cos(np.radians(angles[0])) + y * np.sin(np.radians(angles[0]))
    assert (ideal(angle) * brighter).sum() > 0


def test_colour_share_is_what_the_nearest_grey_kernel_leaves():
    for kernel, share in zip(KERNELS, colour_share(KERNELS), strict=True):
        # The nearest kernel with the same weights for all colours, found by least squares.
        design = np.tile(np.eye(SIDE * SIDE), (3, 1))
        left = np.linalg.lstsq(design, kernel.ravel(), rcond=None)[1][0]
        assert share == pytest.approx(left / (kernel**2).sum())
    assert colour_share(np.array([ideal(10)])) == pytest.approx([0], abs=1e-12)


@pytest.mark.parametrize(
    ("colour", "hue", "names"),
    [
        ((1, 0, 0), 0, ("red", "cyan")),
        ((-1, 0, 0), 0, ("red", "cyan")),
        ((1, 0.5, 0), 30, ("orange", "sky blue")),
        ((0, 0, 1), 60, ("yellow", "blue")),
        ((1, 1, 0), 60, ("yellow", "blue")),
        ((0, 1, 0), 120, ("green", "magenta")),
    ],
)
def test_a_colour_axis_is_called_by_both_ends(colour, hue, names):
    kernel = np.reshape(colour, (3, 1, 1)) * KERNELS[0, 0] + KERNELS[1, 0]  # and some grey
    found, share = colour_axis(kernel)
    assert abs((found - hue + 90) % 180 - 90) < 1
    assert share == pytest.approx(1)
    assert hue_names(found) == names


def test_hues_between_red_and_red_have_names():
    assert hue_names(179) == hue_names(1) == (HUES[0], HUES[6])


def test_the_most_opposite_pair_has_the_smallest_cosine():
    kernels = np.concatenate([KERNELS, -2 * KERNELS[7:8] + 0.1 * KERNELS[3:4]])
    first, second, found = most_opposite(kernels)
    assert {first, second} == {7, 20}
    assert found == pytest.approx(cosine(kernels[7], kernels[20]))
    assert strength(kernels)[20] == pytest.approx(np.linalg.norm(kernels[20]))
