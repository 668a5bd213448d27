"""What is compiled: all figures of a channel come from reading its activations once, where NumPy
would read them three times, and what is counted of many photos is counted channel by channel.

C is channels of all layers, n photos. Each process compiles for itself, in a second or two: Numba's
files of compiled code can be old or damaged without its noticing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from survey.fixed import FRACTION, LARGEST

_SCALE, _MASK = 2.0**FRACTION, (1 << FRACTION) - 1
_LOWEST, _HIGHEST = np.int32(-(2**31)), np.int32(2**31 - 1)


class Figures(NamedTuple):
    """Figures of the channels of n photos."""

    maximum: NDArray[np.float32]
    """(n, C)."""
    place: NDArray[np.int32]
    """(n, C), row · width + column of the first position that has the maximum."""
    mean: NDArray[np.float32]
    """(n, C), over all positions."""
    variance: NDArray[np.float64]
    """(n, C), of all positions around the photo's mean."""


class Totals(NamedTuple):
    """What is counted of many photos. Sums are as fixed.Sums has them: two numbers for each."""

    fires: NDArray[np.int64]
    """(C,), photos whose maximum is above zero."""
    low: NDArray[np.float32]
    """(C,), smallest maximum of a photo."""
    high: NDArray[np.float32]
    """(C,), largest maximum."""
    histogram: NDArray[np.uint32]
    """(C, BINS), photos by the bin of their maximum."""
    variance: NDArray[np.int64]
    """(2, C), of the photos' variances."""
    mean_square: NDArray[np.int64]
    """(2, C), of the squares of the photos' means."""
    class_square: NDArray[np.int64]
    """(2, C), the same over photos with a class."""
    label_mean: NDArray[np.int64]
    """(2, L, C), of the photos' means by class."""
    value: NDArray[np.float32]
    """(k, C), the k largest maxima, largest first, equal ones by key."""
    key: NDArray[np.uint64]
    """(k, C), of their photos."""
    place: NDArray[np.int32]
    """(k, C), where they lie."""


# The order in which numbers are added is left to the compiler, so that several are added at once.
# Bit patterns of float32 ascend with the values from zero up, and descend with them below: integers
# have no NaN, which keeps a compiler from comparing several floats at once.
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
def measure(
    values: NDArray[np.float32],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    least: NDArray[np.float32],
    photo: int,
    figures: Figures,
) -> bool:
    """Put the figures of one photo into row `photo` of `figures`; tell whether all mean squares
    are numbers up to fixed.LARGEST.

    `values` holds the activations of all channels: those of channel c are `sizes[c]` numbers from
    `starts[c]` on. The place of a maximum is looked for only where it is at least `least[c]`, and is
    0 elsewhere. The mean is NaN or infinite where activations are.
    """
    patterns = values.view(np.int32)
    maxima = figures.maximum.view(np.int32)
    within = True
    for channel in range(sizes.size):
        start, end = starts[channel], starts[channel] + sizes[channel]
        maps, bits = values[start:end], patterns[start:end]
        total, squares = 0.0, 0.0
        high, low = _LOWEST, _HIGHEST
        for position in range(maps.size):
            value = np.float64(maps[position])
            total += value
            squares += value * value
            pattern = bits[position]
            high = pattern if pattern > high else high
            low = pattern if pattern < low else low
        maxima[photo, channel] = high if high >= 0 else low
        mean = total / maps.size
        figures.mean[photo, channel] = mean
        mean_square = squares / maps.size
        figures.variance[photo, channel] = max(mean_square - mean * mean, 0.0)
        figures.place[photo, channel] = 0
        largest = figures.maximum[photo, channel]
        if not mean_square <= LARGEST:  # NaN is not
            within = False
        if largest >= least[channel]:
            for position in range(maps.size):
                if maps[position] == largest:
                    figures.place[photo, channel] = position
                    break
    return within


@njit(error_model="numpy")
def _split(value: float) -> tuple[np.int64, np.int64]:
    """Return the whole part, and the rest in units of 2⁻⁵³: exact but for the last bit."""
    whole = np.trunc(value)
    return np.int64(whole), np.int64(np.rint((value - whole) * _SCALE))


@njit(error_model="numpy")
def _add(sums: NDArray[np.int64], channel: int, whole: int, rest: int) -> None:
    rest += sums[1, channel]
    sums[0, channel] += whole + (rest >> FRACTION)
    sums[1, channel] = rest & _MASK


@njit(nogil=True, error_model="numpy")
def count(
    figures: Figures,
    bins: NDArray[np.int32],
    keys: NDArray[np.uint64],
    rows: NDArray[np.int64],
    labelled: NDArray[np.bool_],
    totals: Totals,
) -> None:
    """Add n = keys.size photos to `totals`, fewer than 2 ** (63 - FRACTION).

    `bins` are those of their maxima, `keys` theirs, `rows` those of their classes in
    `totals.label_mean`; `labelled` tells which of them have a class. The places of
    figures must be those of their maxima wherever these are at least the last of `totals.value`.
    """
    last = len(totals.value) - 1
    for channel in range(totals.fires.size):
        low, high, fires = totals.low[channel], totals.high[channel], 0
        variance = variance_rest = square = square_rest = classes = classes_rest = 0
        for photo in range(keys.size):
            value = figures.maximum[photo, channel] + np.float32(0)  # −0 is 0
            fires += value > 0
            low, high = min(low, value), max(high, value)
            totals.histogram[channel, bins[photo, channel]] += np.uint32(1)
            whole, rest = _split(figures.variance[photo, channel])
            variance += whole
            variance_rest += rest
            mean = np.float64(figures.mean[photo, channel])
            whole, rest = _split(mean * mean)
            square += whole
            square_rest += rest
            if labelled[photo]:
                classes += whole
                classes_rest += rest
            whole, rest = _split(mean)
            _add(totals.label_mean[:, rows[photo]], channel, whole, rest)
            key = keys[photo]
            row = last + 1
            while row > 0 and (
                value > totals.value[row - 1, channel]
                or (value == totals.value[row - 1, channel] and key < totals.key[row - 1, channel])
            ):
                row -= 1
                if row < last:
                    totals.value[row + 1, channel] = totals.value[row, channel]
                    totals.key[row + 1, channel] = totals.key[row, channel]
                    totals.place[row + 1, channel] = totals.place[row, channel]
            if row <= last:
                totals.value[row, channel] = value
                totals.key[row, channel] = key
                totals.place[row, channel] = figures.place[photo, channel]
        totals.low[channel], totals.high[channel] = low, high
        totals.fires[channel] += fires
        _add(totals.variance, channel, variance, variance_rest)
        _add(totals.mean_square, channel, square, square_rest)
        _add(totals.class_square, channel, classes, classes_rest)
