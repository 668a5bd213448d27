"""Arrays as lists of numbers that are short in JSON and lose nothing that they should keep."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from precompute.errors import NonFiniteError

EXACT = 9
"""Significant digits after which a decimal number names one float32 and no other."""
READABLE = 6
LARGEST = float(np.finfo(np.float32).max)
"""That float32 can hold."""
_POWERS = np.array([10.0**exponent for exponent in range(23)])


def numbers(values: NDArray[np.floating], digits: int = READABLE) -> list[float]:
    """Return `values`, of any shape, as a flat list rounded to `digits` significant digits."""
    return rows(np.asarray(values).reshape(1, -1), digits)[0]


def rows(values: NDArray[np.floating], digits: int | Sequence[int]) -> list[list[float]]:
    """Return a two-dimensional array as lists of numbers with `digits` significant digits, of which
    there can be one for each row.

    Raises NonFiniteError: nearly every number of the gallery passes here, and JSON has no NaN.
    """
    wanted = np.reshape(digits, (-1, 1))
    wide = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(wide)
    if not finite.all():
        position = int(np.argwhere(~finite)[0, 1])
        raise NonFiniteError(f"NaN or infinity among the figures, at position {position}")
    with np.errstate(divide="ignore"):
        magnitude = np.floor(np.log10(np.abs(wide)))
    places = np.where(np.isfinite(magnitude), wanted - 1 - magnitude, 0).astype(np.int64)
    # A power of ten up to 22 is exact in float64, so the quotient is the nearest number to the
    # decimal that is meant, and prints as that decimal.
    up = _POWERS[np.clip(places, 0, 22)]
    down = _POWERS[np.clip(-places, 0, 22)]
    rounded = np.where(places > 22, wide, np.rint(wide * up / down) * down / up)
    listed: list[list[float]] = (rounded + 0.0).tolist()  # + 0.0 makes −0 a plain 0
    return listed


def in_float32(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return `values`; raises NonFiniteError where one is larger than float32 can hold, with which
    pages compute.
    """
    largest = float(np.abs(values).max(initial=0))
    if largest > LARGEST:
        raise NonFiniteError(f"a figure of {largest:.2g} is more than float32 can hold")
    return values


@contextmanager
def named(what: str) -> Iterator[None]:
    """Say of a number that is not finite that it belongs to `what`."""
    try:
        yield
    except NonFiniteError as error:
        raise NonFiniteError(f"{what}: {error}") from None


def number(value: float, digits: int = READABLE) -> float:
    """Return one value rounded to `digits` significant digits."""
    return numbers(np.array([value]), digits)[0]
