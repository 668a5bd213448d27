"""Sums that come out the same in any order: integers instead of floating point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey.errors import SurveyError

LARGEST = 2.0**40
"""Numbers beyond this cannot be summed: four million of them would leave 64 bits."""
FRACTION = 62
"""Bits after the binary point: what is smaller than 2⁻⁶² is rounded, once for each number."""
_HALF = FRACTION // 2
_MASK = (1 << FRACTION) - 1


@dataclass(frozen=True)
class Sums:
    """Sums of real numbers, of any shape, as fixed-point numbers of 126 bits.

    A sum is `parts[0] + parts[1] · 2⁻⁶²` with 0 ≤ parts[1] < 2⁶², so that equal sums are equal
    bytes, and adding is associative and commutative.
    """

    parts: NDArray[np.int64]
    """(2, …)."""

    @classmethod
    def zeros(cls, *shape: int) -> Sums:
        """Return sums of nothing."""
        return cls(np.zeros((2, *shape), np.int64))

    @classmethod
    def of(cls, values: NDArray[np.floating], starts: NDArray[np.intp] | None = None) -> Sums:
        """Return the sums of (n, C) values over n: (C,), or (groups, C) where `starts` has the first
        row of each group of consecutive rows, with n at most 2²⁰.

        The values must be finite and within ±LARGEST.
        """
        groups = np.zeros(1, np.intp) if starts is None else starts
        rest = values.astype(np.float64)
        limbs = []
        for scale in (1.0, 2.0**_HALF, 2.0**_HALF):
            rest *= scale
            # Towards zero, the rest is exact; the last limb is rounded.
            whole = np.trunc(rest) if len(limbs) < 2 else np.rint(rest)
            limbs.append(np.add.reduceat(whole.astype(np.int64), groups, axis=0))
            rest -= whole
        above = limbs[1] + (limbs[2] >> _HALF)
        low = (above & ((1 << _HALF) - 1)) << _HALF | limbs[2] & ((1 << _HALF) - 1)
        parts = np.stack([limbs[0] + (above >> _HALF), low])
        return cls(parts[:, 0] if starts is None else parts)

    def __add__(self, other: Sums) -> Sums:
        """Return the sums of both; raises SurveyError where they leave 64 bits."""
        high, low = self.parts + other.parts
        high += low >> FRACTION
        if np.abs(high).max(initial=0) >= 2**62:
            raise SurveyError("the sums leave 64 bits: the activations are too large to be summed")
        return Sums(np.stack([high, low & _MASK]))

    def values(self) -> NDArray[np.float64]:
        """Return the sums as the nearest float64, within one rounding of each part."""
        high, low = self.parts
        result: NDArray[np.float64] = high + low * 2.0**-FRACTION
        return result

    def exact(self) -> list[int]:
        """Return sums of one axis in units of 2⁻⁶², as Python's integers, which have no end."""
        high, low = self.parts
        return [(h << FRACTION) + rest for h, rest in zip(high.tolist(), low.tolist(), strict=True)]
