"""Receptive fields, walked along the graph one operation at a time.

An activation at position i sees input pixels `first + i · stride` … `last + i · stride` along an
axis. A window of k positions, `dilation` apart, `step` positions per output and with `padding`
positions added in front, looks from −padding to −padding + (k − 1) · dilation of its input, each
of which sees its own interval (Araujo, Norris and Sim, "Computing receptive fields of
convolutional neural networks", Distill, 2019, derive the same recurrences).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from export.manifest import Pair, ReceptiveField


@dataclass(frozen=True)
class Axis:
    """What position 0 sees along one axis, and how far the next position's view is shifted."""

    first: int
    last: int
    stride: int


View = tuple[Axis, Axis]
"""Rows, columns."""

PICTURE: View = (Axis(0, 0, 1), Axis(0, 0, 1))
"""A pixel sees itself."""


def window(view: View, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair = (1, 1)) -> View:
    """Return what a convolution or pooling sees whose input sees `view`."""
    rows, columns = (
        Axis(
            first=axis.first - axis.stride * padding[i],
            last=axis.last + axis.stride * ((kernel[i] - 1) * dilation[i] - padding[i]),
            stride=axis.stride * stride[i],
        )
        for i, axis in enumerate(view)
    )
    return rows, columns


def union(views: Iterable[View]) -> View:
    """Return what a sum or concatenation sees: everything that any of its inputs sees."""
    rows, columns = (
        Axis(
            first=min(axis.first for axis in axes),
            last=max(axis.last for axis in axes),
            stride=axes[0].stride,
        )
        for axes in zip(*views, strict=True)
    )
    return rows, columns


def receptive_field(view: View) -> ReceptiveField:
    """Return `view` as the manifest tells it."""
    rows, columns = view
    return ReceptiveField(
        size=(rows.last - rows.first + 1, columns.last - columns.first + 1),
        stride=(rows.stride, columns.stride),
        offset=(rows.first, columns.first),
    )
