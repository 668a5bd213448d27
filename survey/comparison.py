"""How alike two networks are that saw the same photos: channel by channel, and layer by layer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

FEWEST = 10
"""Photos: with fewer nothing can be said."""
_ROUNDING = 2.0**-20
"""What varies by less than this share of its magnitude is float32's rounding, no answer to photos."""
_Z = 1.959963984540054
"""Of a normal distribution 95 % lie within so many standard deviations."""
_CERTAIN = 1 - 2.0**-40
"""What is closer to 1 has no atanh that could be trusted."""
_VANISHED = 1e-12
"""What is left of a sum when it shrinks to this share is rounding."""
_TOGETHER = 32
"""Kernels that are held in memory: 8 MB each for 1024 photos."""


def varies(means: Float64) -> NDArray[np.bool_]:
    """Tell which channels of (n, C) means of n photos tell photos apart: (C,)."""
    low, high = means.min(axis=0), means.max(axis=0)
    found: NDArray[np.bool_] = high - low > _ROUNDING * np.maximum(np.abs(low), np.abs(high))
    return found


def correlations(a: Float64, b: Float64) -> tuple[Float64, Float64, Float64]:
    """Return Pearson's correlation of each channel in two networks, and the ends of its 95 %
    confidence interval: (C,) each.

    `a` and `b` are (n, C) means of the same n photos. NaN where the channel does not vary in one.
    The interval is 1.96 standard errors to either side of Fisher's z = atanh(correlation). The error
    is the jackknife's over photos, not Fisher's 1/√(n − 3), which holds for figures with a normal
    distribution: means of a channel that few photos drive have long tails, and with 300 photos of
    ImageNet, that one was too small by a factor of up to 2.9 in the last layer of ResNet-18. Where
    one photo alone makes the correlation, the interval is all of −1 to 1.
    """
    both = varies(a) & varies(b)
    found = np.full((3, a.shape[1]), np.nan)
    x, y = (_unit(means[:, both] - means[:, both].mean(axis=0)) for means in (a, b))
    correlation = np.clip(np.einsum("nc,nc->c", x, y), -1, 1)
    error = _error(x, y, correlation)
    centre = np.arctanh(np.clip(correlation, -_CERTAIN, _CERTAIN))
    low, high = np.tanh(centre - _Z * error), np.tanh(centre + _Z * error)
    low, high = np.minimum(low, correlation), np.maximum(high, correlation)
    unknown = np.isnan(error)
    found[:, both] = correlation, np.where(unknown, -1, low), np.where(unknown, 1, high)
    return found[0], found[1], found[2]


def _error(x: Float64, y: Float64, correlation: Float64) -> Float64:
    """Return the jackknife's standard error of atanh(correlation): (C,), NaN where leaving out one
    photo leaves nothing that varies. `x` and `y` are (n, C), centred and of length 1.
    """
    count = len(x)
    factor = count / (count - 1)  # without a photo the others have another mean
    left = (1 - factor * x**2) * (1 - factor * y**2)
    less = (correlation - factor * x * y) / np.sqrt(np.where(left > _VANISHED, left, np.nan))
    z = np.arctanh(np.clip(less, -_CERTAIN, _CERTAIN))
    error: Float64 = np.sqrt((count - 1) * z.var(axis=0))
    return error


def _unit(centred: Float64) -> Float64:
    scaled: Float64 = centred / np.abs(centred).max(axis=0)  # so that no square is lost
    scaled /= np.sqrt(np.einsum("nc,nc->c", scaled, scaled))
    return scaled


def kernel(means: Float64) -> Float64:
    """Return which photos are alike in a layer, (n, n), from (n, C) means of n photos.

    This is the linear kernel, the products of all pairs of rows, U-centred: its diagonal is zero,
    and so is the sum of every row. The sum of the products of two such matrices, divided by
    n(n − 3), is the unbiased estimator of HSIC of Song et al., "Feature selection via dependence
    maximization", 2012 (the centring is that of Székely and Rizzo, "Partial distance correlation",
    2014). All of it is zero where no two photos differ from the others.
    """
    kept = means[:, varies(means)]
    kept = kept - kept.mean(axis=0)
    kept /= np.abs(kept).max(initial=np.finfo(np.float64).tiny)
    count = len(kept)
    found: Float64 = kept @ kept.T
    np.fill_diagonal(found, 0)
    largest = np.abs(found).max()
    rows = found.sum(axis=0)
    found -= rows / (count - 2)
    found -= rows[:, None] / (count - 2)
    found += rows.sum() / ((count - 1) * (count - 2))
    np.fill_diagonal(found, 0)
    return found if np.abs(found).max() > _VANISHED * largest else np.zeros_like(found)


def similarity(a: Float64, b: Float64) -> tuple[float, float]:
    """Return linear CKA of two layers with kernels `a` and `b`, (n, n), and its standard error.

    CKA is HSIC(a, b) / √(HSIC(a, a) · HSIC(b, b)) (Kornblith et al., "Similarity of neural network
    representations revisited", 2019): 1 where the layers tell photos apart alike, up to a rotation,
    a scale and a shift of their channels. It is debiased, with the estimator of HSIC of kernel(), as
    Nguyen et al., "Do wide and deep networks learn the same things?", 2021, have it: 0 on average
    where the layers have nothing to do with each other, and then by chance below it. The usual
    estimator is far above 0 as soon as there are about as many channels as photos. The error is the
    jackknife's over photos. NaN where nothing varies.
    """
    count = len(a)
    both, one, other = (np.einsum("ij,ij->i", *pair) for pair in ((a, b), (a, a), (b, b)))
    if not (one.any() and other.any()):
        return np.nan, np.nan
    found = both.sum() / np.sqrt(one.sum() * other.sum())
    less = _without(both) / np.sqrt(_without(one, _VANISHED) * _without(other, _VANISHED))
    return float(np.clip(found, -1, 1)), float(np.sqrt((count - 1) * np.var(np.clip(less, -1, 1))))


def _without(parts: Float64, vanished: float = -np.inf) -> Float64:
    """Return the sum of the products of two kernels without each of n photos: (n,).

    `parts` are the sums of the products of their rows. NaN where no more than the share `vanished`
    remains.
    """
    count, whole = len(parts), parts.sum()
    less = whole - 2 * (count - 2) / (count - 3) * parts
    return np.where(less > vanished * whole, less, np.nan)


def similarities(a: Sequence[Float64], b: Sequence[Float64]) -> Float64:
    """Return debiased linear CKA of every layer of one network with every layer of another.

    `a` and `b` are the (n, C) means of the same n photos, layer by layer. Returns (A, B), NaN where
    nothing varies.
    """
    found = np.empty((len(a), len(b)))
    photos = len(a[0])
    for first in range(0, len(a), _TOGETHER):
        some = a[first : first + _TOGETHER]
        rows = np.empty((len(some), photos * photos))
        for row, means in zip(rows, some, strict=True):
            row[:] = _direction(means)
        for column, means in enumerate(b):
            found[first : first + len(rows), column] = rows @ _direction(means)
    return np.clip(found, -1, 1)


def _direction(means: Float64) -> Float64:
    """Return a layer's kernel as a vector of length 1: CKA is the cosine of two of them."""
    flat = kernel(means).reshape(-1)
    length = np.sqrt(flat @ flat)
    return flat / length if length else np.full_like(flat, np.nan)
