"""Numbers placed on a drawing: axes with round ticks, as SVG wants them. Needs no NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Distances between ticks, up to a power of ten."""
_HUGE = 1e300
"""What is beyond it is drawn there: its distances would not be numbers."""


@dataclass(frozen=True)
class Axis:
    """One direction of a drawing: `low` to `high` over the units `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return where `value` lies, to a tenth of a unit."""
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def axis(values: Sequence[float], start: float, end: float, most: int = 5) -> Axis:
    """Return an axis that holds zero and all `values`, with about `most` ticks at round numbers.

    It ends in ticks, so that every value stands between two.
    """
    low, high = max(min([0.0, *values]), -_HUGE), min(max([0.0, *values]), _HUGE)
    if high - low < 1 / _HUGE:
        high = 1.0
    least = (high - low) / most
    power = 10.0 ** floor(log10(least))
    step = next(size * power for size in STEPS if size * power >= least * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    ticks = tuple(float(f"{i * step:.12g}") for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], start, end, ticks)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the sorted `values` lie, between two of them linearly."""
    place = share * (len(values) - 1)
    below = floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (place - below) * (values[above] - values[below])
