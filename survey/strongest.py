"""The photos with the largest values of every channel: the same ones in whatever order they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

    @classmethod
    def of(
        cls,
        value: NDArray[np.float32],
        key: NDArray[np.uint64],
        place: NDArray[np.int32],
    ) -> Strongest:
        """Return the strongest of (n, C) values of n photos with (n,) keys and (n, C) places."""
        order = np.argsort(key)
        count = min(KEPT, len(key))
        # One number that sorts as value and then key do: partitioning it is faster than any sort.
        rank = np.arange(len(key), dtype=np.uint64)
        composite = np.ascontiguousarray(
            (_descending(value[order]).astype(np.uint64) << np.uint64(32) | rank[:, None]).T
        )
        if count < len(key):
            composite.partition(count - 1, axis=1)
        best = np.sort(composite[:, :count], axis=1)
        rows = order[(best & np.uint64(0xFFFFFFFF)).astype(np.intp)]
        channels = np.arange(value.shape[1])[:, None]
        return cls(value[rows, channels], key[rows], place[rows, channels])

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
        merged = []
        for mine, both in ((self.value, value), (self.key, key), (self.place, place)):
            whole = (
                mine.copy() if mine.shape[1] == count else np.empty((len(mine), count), mine.dtype)
            )
            whole[changed] = both[rows, order]
            merged.append(whole)
        return Strongest(*merged)


def _beats(one: Strongest, i: int, other: Strongest, j: int) -> NDArray[np.bool_]:
    """Tell for each channel whether the i-th of `one` comes before the j-th of `other`."""
    mine, theirs = one.value[:, i], other.value[:, j]
    return (mine > theirs) | ((mine == theirs) & (one.key[:, i] < other.key[:, j]))


def _descending(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return numbers that ascend as the values descend; −0 and 0 give one number."""
    bits = (values + np.float32(0)).view(np.uint32)
    ascending = np.where(bits >> 31, ~bits, bits | np.uint32(0x80000000))
    return ~ascending
