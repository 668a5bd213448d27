"""Histograms on bins that are the same for every channel and every network."""

import numpy as np
from numpy.typing import NDArray

_OCTAVES = 20
"""Bins cover magnitudes from 2⁻²⁰ to 2²⁰; what is smaller counts as zero, what is larger as that."""
_STEPS = 3
"""Bits of the mantissa that tell bins apart: eight bins an octave."""
_SHIFT = 23 - _STEPS
_FIRST = (127 - _OCTAVES) << _STEPS
"""Of the bits of a float32, from the exponent to the last of _STEPS, at 2⁻²⁰."""
_SIDE = 2 * _OCTAVES << _STEPS
BINS = 2 * _SIDE + 1
"""Negative ones, zero, positive ones, in the order of their values."""
ERROR = 2.0 ** -(_STEPS + 1)
"""A value is within this share of the middle of its bin."""


def bin_of(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the bin of each value: 0 … BINS − 1."""
    bits = values.view(np.int32)
    magnitude = ((bits & 0x7FFFFFFF) >> _SHIFT) - (_FIRST - 1)
    np.clip(magnitude, 0, _SIDE, out=magnitude)
    return _SIDE + np.where(bits < 0, -magnitude, magnitude)


def middles() -> NDArray[np.float64]:
    """Return the middle of each bin: (BINS,), ascending."""
    codes = np.arange(_FIRST, _FIRST + _SIDE, dtype=np.int32)
    low = (codes << _SHIFT).view(np.float32).astype(np.float64)
    high = ((codes + 1) << _SHIFT).view(np.float32).astype(np.float64)
    positive = (low + high) / 2
    return np.concatenate([-positive[::-1], [0.0], positive])


def quantiles(
    counts: NDArray[np.integer],
    wanted: NDArray[np.float64],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return the quantiles `wanted` (Q,) of (C, BINS) counts: (C, Q).

    The quantile q of n values is the ⌈q · n⌉-th of them, smallest first, as its bin has it: within
    ERROR of its magnitude. None leaves the smallest and largest values `low` and `high`, (C,).
    """
    reached = counts.cumsum(axis=1, dtype=np.int64)
    rank = np.maximum(np.ceil(wanted * reached[:, -1:]), 1).astype(np.int64)
    place = np.stack([(reached < r[:, None]).sum(axis=1) for r in rank.T], axis=1)
    found: NDArray[np.float64] = np.clip(middles()[place], low[:, None], high[:, None])
    return found
