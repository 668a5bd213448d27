"""From a summary's sums to the figures of the channels of one layer, without cancellation.

Sums are integers here, in units of the last bit of fixed.Sums: a difference of two that are nearly
equal is exact, and only the last division rounds. C is channels of the layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from survey.contract import CLASS_PHOTOS, QUANTILES
from survey.fixed import FRACTION, Sums
from survey.histogram import quantiles
from survey.summary import Summary

_UNIT = 1 << FRACTION
"""What 1 is; a product of two sums has its square."""


@dataclass(frozen=True)
class Spread:
    """The figures of every channel over all photos."""

    mean: list[float]
    deviation: list[float]
    photo_deviation: list[float]
    quantiles: NDArray[np.float64]
    """(C, len(QUANTILES)), of the photos' maxima."""


@dataclass(frozen=True)
class Preference:
    """How much one channel answers to its best class; see contract.LayerSurvey."""

    best: int
    """Position of the class in the data set."""
    selectivity: float | None
    separation: float | None


def spread(summary: Summary, channels: slice) -> Spread:
    """Return the figures of `channels`, counted over all layers. There must be photos."""
    count = summary.photos
    sums = _part(summary.mean, channels).exact()
    squares = _part(summary.mean_square, channels).exact()
    # n² times a variance, in units of the last bit of a product. Of all positions it is that of the
    # photos' means and the mean of the photos' variances: nothing of either cancels.
    of_means = [
        max(
            square * count * _UNIT - total * total, 0
        )  # rounding of single photos can take it below
        for total, square in zip(sums, squares, strict=True)
    ]
    of_all = [
        one + inside * count * _UNIT
        for one, inside in zip(of_means, _part(summary.variance, channels).exact(), strict=True)
    ]
    return Spread(
        mean=[total / (count * _UNIT) for total in sums],
        deviation=[sqrt(one / (count * count * _UNIT * _UNIT)) for one in of_all],
        photo_deviation=[sqrt(one / (count * count * _UNIT * _UNIT)) for one in of_means],
        quantiles=quantiles(
            summary.histogram[channels],
            np.array(QUANTILES),
            summary.low[channels],
            summary.high[channels],
        ),
    )


def preferences(summary: Summary, channels: slice, signed: bool) -> list[Preference | None]:
    """Return for each of `channels` the class that it answers to, None where there is none.

    `signed` tells whether the layer can go below zero.
    """
    named = summary.labels >= 0
    labels, photos = summary.labels[named], summary.label_photos[named]
    large = np.nonzero(photos >= CLASS_PHOTOS)[0]
    if len(large) < 2:
        return [None] * (channels.stop - channels.start)
    high, low = summary.label_mean.parts[:, named, channels].astype(object)
    sums = (high << FRACTION) + low
    means = sums[large] // photos[large, None].astype(object)
    best = large[means.argmax(axis=0)]
    differ = means.max(axis=0) > means.min(axis=0)
    scatter = [square << FRACTION for square in _part(summary.class_square, channels).exact()]
    within = scatter - (sums * sums // photos[:, None].astype(object)).sum(axis=0)
    total, count = sums.sum(axis=0), int(photos.sum())
    found: list[Preference | None] = []
    for channel, label in enumerate(best.tolist()):
        if not differ[channel]:
            found.append(None)
            continue
        inside = int(photos[label])
        outside = count - inside
        # Multiples of the means over the photos of the class and over all others.
        a = sums[label, channel] * outside
        b = (total[channel] - sums[label, channel]) * inside
        found.append(
            Preference(
                best=int(labels[label]),
                selectivity=None if signed or a + b == 0 else (a - b) / (a + b),
                separation=_separation(
                    (a - b) / (inside * outside * _UNIT), within[channel], count, len(labels)
                ),
            )
        )
    return found


def _separation(difference: float, within: int, count: int, classes: int) -> float | None:
    """Return the difference of means in standard deviations within classes. `within` is the sum of
    squared distances from the means of the classes; None where it is no more than the rounding of
    `count` squares.
    """
    if within <= count * _UNIT or count <= classes:
        return None
    return difference / sqrt(within / ((count - classes) * _UNIT * _UNIT))


def _part(sums: Sums, channels: slice) -> Sums:
    return Sums(sums.parts[..., channels])
