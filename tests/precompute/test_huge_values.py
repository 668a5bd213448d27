"""Activations whose squares leave float32, or vanish in it, give the figures that float64 gives."""

import numpy as np
import pytest
import tiny_onnx as tiny
from PIL import Image

from precompute.entry import entry_files, open_model
from precompute.errors import NonFiniteError
from precompute.photos import Photo
from precompute.reductions import (
    Moments,
    channel_mean,
    class_evidence,
    colours,
    principal_components,
    project,
    softmax,
    strip_tile,
)
from precompute.tiles import quantise, scale_of

FACTORS = [1e-30, 1e-22, 1e-18, 1, 1e19, 1e29, 1e37]
"""Powers that decide whether squares fit: float32 holds 1e-38 to 3e38."""
CLOSE = 1e-5


def sample(factor, constant=True, shape=(24, 7, 6)):
    """Channels that differ in size and are not centred on zero, the first of them constant or not."""
    random = np.random.default_rng(3)
    mixing = random.normal(size=(shape[0], shape[0])) * np.geomspace(1, 0.01, shape[0])
    flat = mixing @ random.normal(size=(shape[0], shape[1] * shape[2])) + 0.5
    if constant:
        flat[0] = 0.3
    return (flat.reshape(shape) * factor).astype(np.float32)


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("factor", FACTORS)
def test_figures_of_channels(factor, constant):
    values = sample(factor, constant)
    wide = values.astype(np.float64)
    found = quantise(values, "a")
    size = np.abs(wide).max()
    np.testing.assert_allclose(found.mean, wide.mean(axis=(1, 2)), rtol=CLOSE, atol=CLOSE * size)
    np.testing.assert_allclose(found.std[1:], wide.std(axis=(1, 2))[1:], rtol=CLOSE)
    assert (found.std[0] <= 1e-7 * size) == constant
    low, high = wide.min(axis=(1, 2)), wide.max(axis=(1, 2))
    span = np.where(high > low, high - low, 1)[:, None, None]
    levels = (wide - low[:, None, None]) / span * 255
    assert np.abs(found.pixels - levels).max() <= 0.5001


@pytest.mark.parametrize("factor", FACTORS)
def test_components_scores_and_colours(factor):
    values = sample(factor)
    vectors = values.reshape(len(values), -1).astype(np.float64) / factor
    _, lengths, directions = np.linalg.svd((vectors - vectors.mean(axis=1, keepdims=True)).T)
    moments = Moments(len(values))
    moments.add(values)
    for basis in (principal_components(values), moments.basis()):
        alike = np.abs(np.sum(basis.components * directions[:3], axis=1))
        np.testing.assert_allclose(alike, 1, rtol=CLOSE)
        np.testing.assert_allclose(basis.explained, lengths[:3] ** 2 / (lengths**2).sum())
        scores = project(values, basis)
        spread = lengths[:3] / np.sqrt(vectors.shape[1])
        np.testing.assert_allclose(scores.std(axis=(1, 2)) / factor, spread, rtol=CLOSE)
        low, high = scores.min(axis=(1, 2)), scores.max(axis=(1, 2))
        shown = colours(scores, low, high)
        assert (shown.min(), shown.max()) == (0, 255)


@pytest.mark.parametrize("factor", FACTORS)
def test_means_strips_and_scales(factor):
    values = sample(factor)
    wide = np.abs(values).astype(np.float64)
    energy = wide.mean(axis=0)
    np.testing.assert_allclose(channel_mean(np.abs(values)), energy, rtol=CLOSE)
    strip = strip_tile(values, 42).reshape(7, 6, 6, 7)[:, 0, :, 0]
    assert np.abs(strip - energy / energy.max() * 255).max() <= 0.51
    percentile = np.percentile(wide, 99.5, method="higher")
    assert scale_of(values, float(values.min())) == percentile


@pytest.mark.parametrize("factor", FACTORS)
def test_evidence_and_probabilities(factor):
    values = sample(factor)
    weights = np.random.default_rng(4).normal(size=(3, len(values))).astype(np.float32)
    expected = np.einsum("kc,chw->khw", weights.astype(float), values.astype(float))
    np.testing.assert_allclose(class_evidence(values, weights), expected, rtol=1e-12)
    logits = np.float32([1, 0.5, -1]) * np.float32(factor)
    assert softmax(logits).sum() == pytest.approx(1)
    if factor > 1:
        assert softmax(logits).tolist() == [1, 0, 0]


@pytest.mark.parametrize("value", [0.1, 1e-30, 0.3e29, -3e38])
def test_what_does_not_vary_has_no_components(value):
    """Sums of equal float32 numbers are exact in float64, and in float32 they are not."""
    values = np.full((10, 7, 7), value, np.float32)
    moments = Moments(10)
    for _ in range(3):
        moments.add(values)
    for basis in (principal_components(values), moments.basis()):
        assert basis.explained.tolist() == basis.variance.tolist() == [0, 0, 0]
        assert not basis.components.any()


@pytest.mark.parametrize("constant", [0.1, 1e29])
def test_a_channel_that_varies_is_found_beside_constant_ones_however_large(constant):
    values = np.full((10, 7, 7), constant, np.float32)
    values[4] = np.random.default_rng(5).normal(size=(7, 7))
    moments = Moments(10)
    moments.add(values)
    for basis in (principal_components(values), moments.basis()):
        assert basis.explained == pytest.approx([1, 0, 0], abs=1e-12)
        assert np.flatnonzero(basis.components).tolist() == [4]


def test_channels_that_are_all_alike_have_one_component():
    values = np.repeat(sample(1)[5:6], 30, axis=0)
    basis = principal_components(values)
    assert basis.explained == pytest.approx([1, 0, 0], abs=1e-12)
    assert basis.explained[1:].tolist() == [0, 0]
    assert basis.components[0] == pytest.approx(np.full(30, 30**-0.5))


@pytest.mark.parametrize(
    ("weight", "linear", "problem"),
    [
        (1.6e38, 1e-38, "layer conv: a figure of "),
        (1e30, 4e8, "evidence for answers in layer relu: a figure of "),
    ],
)
def test_figures_that_leave_float32_are_an_error_that_names_the_layer(
    tmp_path, weight, linear, problem
):
    """Four channels near the end of float32 have a score beyond it; evidence can be beyond it at a
    position, and its mean not.
    """
    kernel = np.zeros_like(tiny.WEIGHT)
    kernel[:, 1, 1, 1] = weight
    outer = np.zeros_like(tiny.LINEAR)
    outer[:, 0] = linear
    tensors = [tiny.tensor("w", kernel), tiny.tensor("v", outer), tiny.tensor("b", tiny.BIAS)]
    model = tiny.onnx(tiny.graph(**{**tiny.parts(), "tensors": tensors}))
    held = tiny.arrays() | {"classifier.weight": outer, "conv.weight": kernel, "stem": kernel}
    opened = open_model(tiny.save(tmp_path, model, held), "cpu")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8))
    photo = Photo(tmp_path / "a.png", "a.png", "a", "A")
    with pytest.raises(NonFiniteError) as error:
        entry_files(photo, picture, opened)
    assert str(error.value).startswith(problem)
    assert str(error.value).endswith(" is more than float32 can hold")
