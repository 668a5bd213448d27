"""Activations to tile sheets and figures, and back. One activation is one grey pixel."""

import io
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from precompute.errors import NonFiniteError

Float32 = NDArray[np.float32]
Pixels = NDArray[np.uint8]

PERCENTILE = 99.5
_BLOCK = 131072
"""Activations that are worked on at a time: few enough to stay in a core's own cache."""

_LEAST = np.float32(1e-15)
"""Below this the squares of deviations lose digits in float32, and then vanish."""


@dataclass(frozen=True)
class Quantised:
    """A layer as 8-bit pixels, with what is needed to read them as numbers. C is channels."""

    pixels: Pixels
    """(C, height, width)."""
    low: Float32
    """(C,)."""
    high: Float32
    """(C,)."""
    mean: Float32
    """(C,)."""
    std: Float32
    """(C,)."""
    zeros: Float32
    """(C,), share of positions that are exactly zero."""
    peak: NDArray[np.intp]
    """(C,), index of the first maximum, row · width + column."""


def quantise(activations: Float32, layer: str) -> Quantised:
    """Return (C, height, width) activations as pixels and figures.

    Pixel p of channel c stands for low[c] + p/255 · (high[c] − low[c]) to within half a step. A
    constant channel is pixel 0 throughout. Raises NonFiniteError, which names the first channel
    with NaN or infinity.
    """
    channels, height, width = activations.shape
    flat = activations.reshape(channels, height * width)
    step = min(channels, max(1, _BLOCK // flat.shape[1]))
    scratch = np.empty((step, flat.shape[1]), np.float32)
    blocks = [
        _quantise_block(flat[first : first + step], layer, first, scratch)
        for first in range(0, channels, step)
    ]
    pixels, *figures = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Quantised(pixels.reshape(activations.shape), *figures)


def _quantise_block(
    flat: Float32, layer: str, first: int, scratch: Float32
) -> tuple[np.ndarray, ...]:
    """Return the fields of Quantised for (C, positions) activations, channel `first` and on.

    Overwrites `scratch`, which is at least as large.
    """
    peak = flat.argmax(axis=1)
    high = flat[np.arange(len(flat)), peak]
    low = flat.min(axis=1)
    finite = np.isfinite(low) & np.isfinite(high)
    if not finite.all():
        raise NonFiniteError(
            f"layer {layer}, channel {first + int(np.argmin(finite))}: NaN or infinity: "
            "the weights or the model are broken; check them, or export the model again"
        )
    positions = np.float32(flat.shape[1])
    is_zero = np.packbits(flat == 0, axis=1)  # counting bits takes half the time of counting bools
    zeros = np.bitwise_count(is_zero).sum(axis=1, dtype=np.int64).astype(np.float32) / positions
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = flat.mean(axis=1)
        centred = np.subtract(flat, mean[:, None], out=scratch[: len(flat)])
        std = np.sqrt(np.vecdot(centred, centred) / positions)
        levels_per_unit = np.float32(255) / (high - low)
    exact = np.isfinite(std) & (std > _LEAST) & np.isfinite(levels_per_unit) & (levels_per_unit > 0)
    if exact.all():
        centred *= levels_per_unit[:, None]
        centred += ((mean - low) * levels_per_unit + np.float32(0.5))[:, None]
        pixels = centred.astype(np.uint8)  # rounds down, hence the half
    else:  # constant channels, and ranges whose squares float32 cannot hold
        mean = flat.mean(axis=1, dtype=np.float64).astype(np.float32)
        std = flat.std(axis=1, dtype=np.float64).astype(np.float32)
        pixels = _to_pixels(flat, low, high)
    return pixels, low, high, mean, std, zeros, peak


def quantise_together(values: Float32) -> tuple[Pixels, float, float]:
    """Return an array of any shape as pixels on one scale, with the values of pixel 0 and 255."""
    flat = np.ascontiguousarray(values, dtype=np.float32).reshape(1, -1)
    low, high = flat.min(axis=1), flat.max(axis=1)
    return _to_pixels(flat, low, high).reshape(values.shape), float(low[0]), float(high[0])


def _to_pixels(flat: Float32, low: Float32, high: Float32) -> Pixels:
    """Return (C, positions) values as pixels between each row's low and high, whatever these are."""
    above = flat.astype(np.float64) - low[:, None]
    span = high.astype(np.float64) - low
    levels = above / np.where(span > 0, span, 1)[:, None] * 255
    return np.rint(levels, out=levels).astype(np.uint8)


def dequantise(pixels: Pixels, low: Float32, high: Float32) -> Float32:
    """Return (C, height, width) pixels as activations; `low` and `high` are (C,)."""
    step = (high.astype(np.float64) - low) / 255
    levels = pixels * step[:, None, None]
    levels += low[:, None, None]
    return levels.astype(np.float32)


def scale_of(activations: Float32, lowest: float) -> float:
    """Return the PERCENTILE-th percentile of the absolute values, the nearest one from above.

    `lowest` is the smallest of the values. Equal to np.percentile(…, method="higher"), but only
    the few values that can matter are sorted.
    """
    flat = activations.ravel()
    larger = flat.size - 1 - int(np.ceil((flat.size - 1) * PERCENTILE / 100))
    sample = np.abs(flat[:: 1 + flat.size // 4096])
    rank = int(sample.size * 0.985)  # safely below PERCENTILE, whatever the sample missed
    floor = np.partition(sample, rank)[rank]
    large = flat >= floor
    if lowest <= -floor:
        large |= flat <= -floor
    candidates = np.abs(flat[large])
    if candidates.size <= larger:
        candidates = np.abs(flat)
    return float(np.partition(candidates, candidates.size - 1 - larger)[-1 - larger])


def grid(channels: int) -> tuple[int, int]:
    """Return columns and rows of a sheet: nearly square, wider than high, with no tile left over
    where that is possible.
    """
    columns = next(
        (n for n in range(int(np.ceil(channels**0.5)), channels + 1) if channels % n == 0), 1
    )
    if columns > 4 * np.ceil(channels / columns):
        columns = int(np.ceil(channels**0.5))
    return columns, -(-channels // columns)


def sheet(pixels: Pixels) -> Pixels:
    """Return (C, height, width) tiles side by side: (rows · height, columns · width)."""
    channels, height, width = pixels.shape
    columns, rows = grid(channels)
    if columns * rows > channels:
        empty = np.zeros((columns * rows - channels, height, width), np.uint8)
        pixels = np.concatenate([pixels, empty])
    tiles = pixels.reshape(rows, columns, height, width)
    return tiles.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)


def unsheet(picture: Pixels, channels: int, height: int, width: int) -> Pixels:
    """Return the (C, height, width) tiles of a sheet: the inverse of sheet()."""
    columns, rows = grid(channels)
    tiles = picture.reshape(rows, height, columns, width).transpose(0, 2, 1, 3)
    return tiles.reshape(rows * columns, height, width)[:channels]


def png(pixels: Pixels) -> bytes:
    """Return a (height, width) grey or (height, width, 3) colour picture as PNG.

    Run-length matching is both the fastest and the smallest for feature maps, whose pixels repeat
    in runs (dead areas) or not at all; `make bench` compares it with the other strategies.
    """
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return file.getvalue()
