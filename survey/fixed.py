"""Sums that come out the same in any order: integers instead of floating point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey.errors import SurveyError

LARGEST = 2.0**40
"""Numbers beyond this cannot be summed: four million of them would leave 64 bits."""
FRACTION = 53
"""Bits after the binary point: what is smaller than 2⁻⁵³ is rounded, once for each number."""


@dataclass(frozen=True)
class Sums:
    """Sums of real numbers, of any shape, as fixed-point numbers.

    A sum is `parts[0] + parts[1] · 2⁻⁵³` with 0 ≤ parts[1] < 2⁵³, so that equal sums are equal
    bytes, and adding is associative and commutative.
    """

    parts: NDArray[np.int64]
    """(2, …)."""

    @classmethod
    def zeros(cls, *shape: int) -> Sums:
        """Return sums of nothing."""
        return cls(np.zeros((2, *shape), np.int64))

    def __add__(self, other: Sums) -> Sums:
        """Return the sums of both; raises SurveyError where they leave 64 bits."""
        total = _carried(self.parts + other.parts)
        if np.abs(total.parts[0]).max(initial=0) >= 2**62:
            raise SurveyError("the sums leave 64 bits: the activations are too large to be summed")
        return total

    def values(self) -> NDArray[np.float64]:
        """Return the sums as the nearest float64, within one rounding of each part."""
        high, low = self.parts
        result: NDArray[np.float64] = high + low * 2.0**-FRACTION
        return result

    def exact(self) -> list[int]:
        """Return sums of one axis in units of 2⁻⁵³, as Python's integers, which have no end."""
        high, low = self.parts
        return [(h << FRACTION) + rest for h, rest in zip(high.tolist(), low.tolist(), strict=True)]


def _carried(parts: NDArray[np.int64]) -> Sums:
    """Return sums in their one form."""
    parts[0] += parts[1] >> FRACTION
    parts[1] &= 2**FRACTION - 1
    return Sums(parts)
