"""Tour: edges and colours, the first convolution."""

from collections.abc import Iterator

import numpy as np

from export.manifest import PICTURE, Layer
from precompute import index
from precompute.kernel_measures import (
    colour_axis,
    colour_share,
    edge_likeness,
    hue_names,
    most_opposite,
    strength,
)
from precompute.origins import chain_of
from precompute.reductions import Float64
from precompute.stem import stem_of
from precompute.tour_source import RELUS, Found, LeftOut, Source, stop

WAYS = ("right", "lower right", "bottom", "lower left", "left", "upper left", "top", "upper right")
"""Where an angle points, 45° apart, from 0° on."""
FAINT = 0.25
"""Kernels shorter than this part of the median hardly do anything, and are passed over."""


def stem_tour(source: Source) -> Iterator[Found]:
    """Yield the kernel most like an edge, the most opponent in colour, the most opposite pair."""
    layer = stem_of(source.manifest)
    if layer is None or layer.inputs != (PICTURE,) or layer.name not in source.layers:
        yield LeftOut("edge, colour, opposite", "the first convolution is not shown")
        return
    kernels = source.arrays["stem"] / np.reshape(source.manifest.input.std, (3, 1, 1))
    kernels = kernels.astype(np.float64)
    length = strength(kernels)
    clear = np.flatnonzero((length > 0) & (length >= FAINT * np.median(length)))
    if not len(clear):
        yield LeftOut("edge, colour, opposite", "all kernels are zero")
        return
    yield _edge(source, layer, kernels, clear)
    yield _colour(source, layer, kernels, clear)
    if len(clear) < 2:
        yield LeftOut("opposite", "there is but one kernel")
        return
    yield from _opposite(source, layer, kernels, clear)


def _edge(source: Source, layer: Layer, kernels: Float64, clear: np.ndarray) -> Found:
    likeness, angles = edge_likeness(kernels[clear])
    best = int(likeness.argmax())
    channel = int(clear[best])
    image, value = source.strongest(layer, channel)  # type: ignore[misc]  # signed: always there
    way = round(angles[best] / 45)
    return stop(
        "edge",
        image,
        layer.name,
        channel,
        [
            source.kernel(kernels[channel], layer.name, channel),
            source.map(image, layer.name, channel),
        ],
        {
            "likeness": likeness[best],
            "angle": angles[best],
            "value": value,
            "channels": layer.channels,
        },
        {"brighter": WAYS[way % 8], "darker": WAYS[(way + 4) % 8]},
    )


def _colour(source: Source, layer: Layer, kernels: Float64, clear: np.ndarray) -> Found:
    share = colour_share(kernels[clear])
    best = int(share.argmax())
    if share[best] <= 0:
        return LeftOut("colour", "all kernels are blind to colour")
    channel = int(clear[best])
    hue, on_axis = colour_axis(kernels[channel])
    image, value = source.strongest(layer, channel)  # type: ignore[misc]
    one, other = hue_names(hue)
    return stop(
        "colour",
        image,
        layer.name,
        channel,
        [
            source.kernel(kernels[channel], layer.name, channel),
            source.map(image, layer.name, channel),
        ],
        {"share": share[best], "hue": hue, "on_axis": on_axis, "value": value},
        {"one": one, "other": other},
    )


def _opposite(source: Source, layer: Layer, kernels: Float64, clear: np.ndarray) -> Iterator[Found]:
    first, second, cosine = most_opposite(kernels[clear])
    if cosine >= 0:
        yield LeftOut("opposite, kept", "no two kernels are opposite")
        return
    channel, other = int(clear[first]), int(clear[second])
    image, _ = source.strongest(layer, channel)  # type: ignore[misc]
    maps = source.maps(image, layer.name).astype(np.float64)
    pair = np.stack([maps[channel].ravel(), maps[other].ravel()])
    pictures = [
        picture
        for one in (channel, other)
        for picture in (
            source.kernel(kernels[one], layer.name, one),
            source.map(image, layer.name, one),
        )
    ]
    numbers = {"cosine": cosine, "other": other}
    if pair.std(axis=1).all():
        numbers["correlation"] = float(np.corrcoef(pair)[0, 1])
    yield stop("opposite", image, layer.name, channel, pictures, numbers)
    after = _relu_after(source, layer)
    if after is None:
        yield LeftOut("kept", f"no ReLU after {layer.name} is shown")
        return
    zeros = source.figures(index.read_entry(source.folder, image), after.name).zeros
    yield stop(
        "kept",
        image,
        after.name,
        channel,
        [source.map(image, after.name, one) for one in (channel, other)],
        {"above": 1 - zeros[channel], "other": other, "other_above": 1 - zeros[other]},
        {"norm": after.inputs[0]} if after.inputs[0] != layer.name else {},
    )


def _relu_after(source: Source, layer: Layer) -> Layer | None:
    for one in source.manifest.feature_maps:
        chain = chain_of(one, source.manifest) if one.op in RELUS else None
        if chain and chain[0] == layer:
            return one
    return None
