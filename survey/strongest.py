"""The photos with the largest values of every channel: the same ones in whatever order they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = TypeVar("Array", NDArray[np.float32], NDArray[np.uint64], NDArray[np.int32])

KEPT = 9
"""Photos a channel."""


@dataclass(frozen=True)
class Strongest:
    """For every channel up to KEPT photos, largest value first, equal ones by key."""

    value: NDArray[np.float32]
    """(C, n) with n ≤ KEPT the same for all channels: the number of photos, up to KEPT."""
    key: NDArray[np.uint64]
    """(C, n), the photos' keys."""
    place: NDArray[np.int32]
    """(C, n), row · width + column of the first position that has the value."""

    def merge(self, other: Strongest) -> Strongest:
        """Return the strongest of both."""
        if not self.key.shape[1] or not other.key.shape[1]:
            return self if self.key.shape[1] else other
        count = min(KEPT, self.key.shape[1] + other.key.shape[1])
        if self.key.shape[1] == count:
            # Most channels keep what they have: nothing of the other reaches their last value.
            (changed,) = np.nonzero(_beats(other, 0, self, -1))
        else:
            changed = np.arange(len(self.key))
        value = np.hstack([self.value[changed], other.value[changed]])
        key = np.hstack([self.key[changed], other.key[changed]])
        place = np.hstack([self.place[changed], other.place[changed]])
        order = np.lexsort((key, -value), axis=1)[:, :count]
        rows = np.arange(len(changed))[:, None]

        def put(mine: Array, both: Array) -> Array:
            whole = mine if mine.shape[1] == count else np.empty((len(mine), count), mine.dtype)
            whole = whole.copy()
            whole[changed] = both[rows, order]
            return whole

        return Strongest(put(self.value, value), put(self.key, key), put(self.place, place))


def _beats(one: Strongest, i: int, other: Strongest, j: int) -> NDArray[np.bool_]:
    """Tell for each channel whether the i-th of `one` comes before the j-th of `other`."""
    mine, theirs = one.value[:, i], other.value[:, j]
    beats: NDArray[np.bool_] = (mine > theirs) | (
        (mine == theirs) & (one.key[:, i] < other.key[:, j])
    )
    return beats
