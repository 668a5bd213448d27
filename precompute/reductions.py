"""Many channels to few: mean, maximum, principal components, and the evidence for a class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from precompute.tiles import Float32, Pixels

Float64 = NDArray[np.float64]
COMPONENTS = 3


@dataclass(frozen=True)
class Basis:
    """A mean and the directions of largest variance around it. C is channels."""

    mean: Float64
    """(C,)."""
    components: Float64
    """(3, C), unit vectors, largest variance first; zero where the data has fewer dimensions."""
    variance: Float64
    """(3,), along each component."""
    explained: Float64
    """(3,), share of the whole variance; zero where nothing varies."""


class Moments:
    """Count, mean and scatter of channel vectors, gathered one photo after the other.

    Photos are merged with the pairwise update of Chan, Golub and LeVeque ("Updating formulae and
    a pairwise algorithm for computing sample variances", 1979), which does not cancel.
    """

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.mean: Float64 = np.zeros(channels)
        self.scatter: Float64 = np.zeros((channels, channels))

    def add(self, activations: Float32) -> None:
        """Take in every position of (C, height, width) activations."""
        vectors = activations.reshape(len(activations), -1).astype(np.float64)
        count = vectors.shape[1]
        mean = vectors.mean(axis=1)
        vectors -= mean[:, None]
        shift = mean - self.mean
        total = self.count + count
        self.scatter += vectors @ vectors.T
        self.scatter += np.outer(shift, shift) * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total

    def basis(self) -> Basis:
        """Return the principal components of everything taken in."""
        values, vectors = np.linalg.eigh(self.scatter)
        return _basis(self.mean, vectors.T[::-1], values[::-1], self.scatter.trace(), self.count)


def principal_components(activations: Float32) -> Basis:
    """Return the basis of the channel vectors at all positions of (C, height, width) activations.

    Equal to scikit-learn's PCA up to sign. Where positions are fewer than channels, the
    eigenvectors of the smaller Gram matrix are used, which span the same directions.
    """
    vectors = activations.reshape(len(activations), -1).astype(np.float64)
    channels, positions = vectors.shape
    mean = vectors.mean(axis=1)
    vectors -= mean[:, None]
    if channels <= positions:
        values, directions = np.linalg.eigh(vectors @ vectors.T)
        rows = directions.T[::-1]
    else:
        values, directions = np.linalg.eigh(vectors.T @ vectors)
        rows = directions.T[::-1][:COMPONENTS] @ vectors.T
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    total = float(np.einsum("cp,cp->", vectors, vectors))
    return _basis(mean, rows, values[::-1], total, positions)


def _basis(mean: Float64, rows: Float64, values: Float64, total: float, count: int) -> Basis:
    """Return the first COMPONENTS rows as a basis; `values` are their squared singular values."""
    channels = len(mean)
    components = np.zeros((COMPONENTS, channels))
    variance = np.zeros(COMPONENTS)
    found = min(COMPONENTS, channels, len(rows))
    components[:found] = rows[:found]
    variance[:found] = np.maximum(values[:found], 0)
    # Below this the directions are rounding noise: call it no variance at all.
    noise = variance <= 1e-12 * total
    components[noise], variance[noise] = 0, 0
    largest = np.abs(components).argmax(axis=1)
    components[components[np.arange(COMPONENTS), largest] < 0] *= -1
    explained = variance / total if total > 0 else np.zeros(COMPONENTS)
    return Basis(mean, components, variance / max(count - 1, 1), explained)


def project(activations: Float32, basis: Basis) -> Float64:
    """Return the (3, height, width) scores of (C, height, width) activations."""
    channels, height, width = activations.shape
    flat = activations.reshape(channels, -1)
    scores = basis.components @ flat - (basis.components @ basis.mean)[:, None]
    return scores.reshape(COMPONENTS, height, width)


def colours(scores: Float64, low: Float64, high: Float64) -> Pixels:
    """Return (3, height, width) scores as (height, width, 3) pixels; `low` is 0, `high` is 255."""
    span = np.where(high > low, high - low, 1)[:, None, None]
    levels = np.rint((scores - low[:, None, None]) / span * 255)
    return np.clip(levels, 0, 255).astype(np.uint8).transpose(1, 2, 0)


def class_evidence(features: Float32, weights: Float32) -> Float64:
    """Return (classes, height, width) maps from (C, height, width) and (classes, C).

    The mean of a map plus the class's bias is its logit, because averaging over positions and the
    linear layer can change places (Zhou et al., "Learning deep features for discriminative
    localization", 2016).
    """
    evidence: Float64 = np.tensordot(
        weights.astype(np.float64), features.astype(np.float64), axes=1
    )
    return evidence


def softmax(logits: NDArray[np.floating]) -> Float64:
    """Return the probabilities of (classes,) logits."""
    shifted: Float64 = np.exp(logits.astype(np.float64) - logits.max())
    shifted /= shifted.sum()
    return shifted


def channel_mean(activations: Float32) -> Float32:
    """Return the mean of (C, height, width) activations over channels, (height, width).

    In float32, as browsers do it for visitors' photos; where the sum leaves it, in float64.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean: Float32 = activations.mean(axis=0)
    if not np.isfinite(mean).all():
        mean = activations.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def strip_tile(activations: Float32, side: int) -> Pixels:
    """Return the mean absolute activation of (C, height, width) as a `side` × `side` picture."""
    energy = channel_mean(np.abs(activations))
    peak = energy.max()
    picture = Image.fromarray(energy / peak if peak > 0 else energy)
    smaller = picture.width < side or picture.height < side
    filter_ = Image.Resampling.NEAREST if smaller else Image.Resampling.BOX
    levels = np.rint(np.asarray(picture.resize((side, side), filter_)) * 255)
    pixels: Pixels = np.clip(levels, 0, 255).astype(np.uint8)
    return pixels
