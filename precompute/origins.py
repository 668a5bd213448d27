"""Where a layer's values come from: its convolution's kernels, for pages that show the sum."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import artifacts
from export.manifest import PICTURE, Layer, ModelManifest, read_manifest
from precompute import index
from precompute.figures import EXACT, numbers
from precompute.model_files import read_arrays

LARGEST_FILE = 16_000
"""Bytes; several output channels share a file up to here, so that there are not too many files."""
STEPS = 2**15 - 1

STEPS_SINCE = {"batch norm", "scale", "relu", "relu6"}
"""What pages can do to a sum: index.Step says how."""

Arrays = Mapping[str, NDArray[np.float32]]


def model_files(manifest_path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of the folder index.MODEL."""
    manifest = read_manifest(manifest_path)
    arrays = read_arrays(manifest_path, manifest)
    stored: dict[str, index.Kernels] = {}
    for layer in manifest.feature_maps:
        chain = chain_of(layer, manifest)
        if chain is None:
            continue
        convolution = chain[0]
        if convolution.name not in stored:
            weight = arrays[f"{convolution.name}.weight"]
            stored[convolution.name], files = _kernels(convolution, weight)
            yield from files
        origin = _origin(layer, chain, stored[convolution.name], arrays)
        yield index.origin_name(layer.slug), artifacts.encode(origin)


def chain_of(layer: Layer, manifest: ModelManifest) -> tuple[Layer, ...] | None:
    """Return the convolution that `layer` comes from and the steps since, `layer` last.

    None where a step lies between that pages cannot take on their own, or where the gallery does
    not show what the convolution reads.
    """
    chain = [layer]
    while chain[0].op in STEPS_SINCE and chain[0].inputs != (PICTURE,):
        chain.insert(0, manifest.layer(chain[0].inputs[0]))
    shown = {PICTURE, *(one.name for one in manifest.feature_maps)}
    convolution = chain[0]
    if convolution.op != "convolution" or convolution.inputs[0] not in shown:
        return None
    return tuple(chain)


def _kernels(
    convolution: Layer, weight: NDArray[np.float32]
) -> tuple[index.Kernels, list[tuple[str, bytes]]]:
    """Return how a (channels, inputs, rows, columns) weight is stored, and its files."""
    channels, inputs, rows, columns = weight.shape
    flat = weight.reshape(channels, -1).astype(np.float64)
    step = (np.abs(flat).max(axis=1, keepdims=True) / STEPS).astype("<f4")
    levels = np.rint(np.divide(flat, step, out=np.zeros_like(flat), where=step > 0))
    levels = np.clip(levels, -STEPS, STEPS).astype("<i2")
    records = [s.tobytes() + q.tobytes() for s, q in zip(step, levels, strict=True)]
    per_file = max(1, LARGEST_FILE // len(records[0]))
    files = [
        (
            index.kernels_name(convolution.slug, first // per_file),
            b"".join(records[first : first + per_file]),
        )
        for first in range(0, channels, per_file)
    ]
    return index.Kernels(convolution.slug, per_file, inputs, rows, columns), files


def _origin(
    layer: Layer, chain: tuple[Layer, ...], kernels: index.Kernels, arrays: Arrays
) -> index.Origin:
    convolution = chain[0]
    assert convolution.stride
    assert convolution.padding
    assert convolution.dilation
    return index.Origin(
        layer=layer.name,
        convolution=convolution.name,
        source=convolution.inputs[0],
        kernels=kernels,
        bias=_listed(arrays, f"{convolution.name}.bias"),
        stride=convolution.stride,
        padding=convolution.padding,
        dilation=convolution.dilation,
        groups=convolution.groups or 1,
        steps=tuple(
            index.Step(
                layer=step.name,
                op=step.op,
                scale=_listed(arrays, f"{step.name}.scale"),
                shift=_listed(arrays, f"{step.name}.shift"),
            )
            for step in chain[1:]
        ),
    )


def _listed(arrays: Arrays, name: str) -> list[float] | None:
    return numbers(arrays[name], EXACT) if name in arrays else None
