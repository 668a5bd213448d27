"""Components are scikit-learn's, evidence adds up to the logit, pictures mean what they say."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from precompute.reductions import (
    COMPONENTS,
    Moments,
    channel_mean,
    class_evidence,
    colours,
    principal_components,
    project,
    softmax,
    strip_tile,
)

# Fewer channels than positions, as many, more, and hardly any of either.
SHAPES = [(8, 12, 10), (16, 4, 4), (64, 5, 4), (3, 2, 9), (512, 2, 2)]


def sample(shape, seed=0):
    """Correlated channels, none centred on zero."""
    random = np.random.default_rng(seed)
    channels, height, width = shape
    mixing = random.normal(size=(channels, channels)) * np.geomspace(1, 0.05, channels)
    mixed = mixing @ random.normal(size=(channels, height * width))
    return (mixed + random.normal(size=(channels, 1))).reshape(shape).astype(np.float32)


def vectors(activations):
    return activations.reshape(len(activations), -1).T.astype(np.float64)


def check_against_sklearn(basis, rows):
    expected = PCA(COMPONENTS, svd_solver="full").fit(rows)
    signs = np.sign(np.sum(basis.components * expected.components_, axis=1, keepdims=True))
    np.testing.assert_allclose(basis.components, signs * expected.components_, atol=1e-7)
    np.testing.assert_allclose(basis.explained, expected.explained_variance_ratio_, rtol=1e-7)
    np.testing.assert_allclose(basis.variance, expected.explained_variance_, rtol=1e-7)
    np.testing.assert_allclose(basis.mean, expected.mean_, atol=1e-12)
    return signs * expected.transform(rows).T


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_components_and_scores_are_sklearns_up_to_sign(shape):
    activations = sample(shape)
    basis = principal_components(activations)
    scores = check_against_sklearn(basis, vectors(activations))
    found = project(activations, basis)
    np.testing.assert_allclose(found.reshape(COMPONENTS, -1), scores, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_moments_of_many_photos_are_those_of_all_positions(shape):
    photos = [sample(shape, seed) + seed for seed in range(5)]
    moments = Moments(shape[0])
    for photo in photos:
        moments.add(photo)
    check_against_sklearn(moments.basis(), np.vstack([vectors(photo) for photo in photos]))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_largest_entry_of_a_component_is_positive(shape):
    for components in (
        principal_components(sample(shape)).components,
        principal_components(-sample(shape)).components,
    ):
        assert (components.max(axis=1) == np.abs(components).max(axis=1)).all()
        np.testing.assert_allclose(np.linalg.norm(components, axis=1), 1)


@pytest.mark.parametrize(
    ("shape", "dimensions"), [((8, 1, 1), 0), ((8, 5, 5), 0), ((1, 4, 4), 1), ((20, 3, 1), 2)]
)
def test_missing_dimensions_are_zero(shape, dimensions):
    activations = sample(shape) if dimensions else np.full(shape, 2.5, np.float32)
    moments = Moments(shape[0])
    moments.add(activations)
    for basis in (principal_components(activations), moments.basis()):
        length = np.linalg.norm(basis.components, axis=1)
        np.testing.assert_allclose(length, [1.0] * dimensions + [0.0] * (3 - dimensions))
        assert basis.explained.sum() == pytest.approx(1 if dimensions else 0)
        assert np.isfinite(project(activations, basis)).all()


def test_colours_run_from_low_to_high_and_stop_there():
    scores = np.array([-2.0, -1.0, 0.0, 1.0, 9.0]).reshape(1, 1, 5).repeat(3, axis=0)
    low, high = np.array([-1.0, -2.0, 0.0]), np.array([1.0, 9.0, 0.0])
    red, green, _ = np.moveaxis(colours(scores, low, high)[0], 1, 0)
    assert red.tolist() == [0, 0, 128, 255, 255]
    assert green.tolist() == [0, 23, 46, 70, 255]


def test_evidence_averages_to_the_classifier_without_its_bias():
    random = np.random.default_rng(0)
    features = random.random((16, 7, 7), np.float32)
    weights = random.standard_normal((5, 16), np.float32)
    maps = class_evidence(features, weights)
    assert maps.shape == (5, 7, 7)
    assert maps[3, 2, 6] == pytest.approx(weights[3] @ features[:, 2, 6], rel=1e-5)
    np.testing.assert_allclose(
        maps.mean(axis=(1, 2)), weights @ features.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("shift", [0, 5000, -5000])
def test_probabilities_do_not_change_with_a_shift(shift):
    logits = np.array([0.0, np.log(3), np.log(4)])
    assert softmax(logits + shift) == pytest.approx([1 / 8, 3 / 8, 4 / 8])


@pytest.mark.parametrize(("side", "size"), [(28, 7), (28, 14), (4, 8), (6, 6)])
def test_a_strip_tile_is_the_mean_of_the_absolute_values(side, size):
    activations = sample((5, size, size))
    energy = np.abs(activations).mean(axis=0)
    if size < side:
        energy = energy.repeat(side // size, axis=0).repeat(side // size, axis=1)
    else:
        step = size // side
        energy = energy.reshape(side, step, side, step).mean(axis=(1, 3))
    expected = energy / np.abs(activations).mean(axis=0).max() * 255
    assert np.abs(strip_tile(activations, side) - expected).max() <= 0.51


def test_a_silent_layer_is_black_on_the_strip():
    assert not strip_tile(np.zeros((3, 7, 7), np.float32), 28).any()


def test_means_of_the_largest_numbers_are_finite():
    activations = np.full((64, 3, 4), 3e38, np.float32)
    activations[:, 0, 0] = 1e38
    assert channel_mean(activations) == pytest.approx(activations[0], rel=1e-6)
    strip = strip_tile(activations, 28)
    assert (strip[0, 0], strip[-1, -1]) == (85, 255)
    assert np.isfinite(principal_components(activations).explained).all()


def test_means_are_taken_in_float32_where_that_can_hold_them():
    activations = np.random.default_rng(0).normal(size=(64, 5, 6)).astype(np.float32)
    assert np.array_equal(channel_mean(activations), activations.mean(axis=0))
