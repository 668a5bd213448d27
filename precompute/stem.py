"""The first convolution's kernels as pictures and in numbers: trained, untrained, and on the way."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import artifacts
from export.manifest import PLANES, Layer, ModelManifest, read_manifest, weight_shape
from precompute import lessons
from precompute.figures import numbers
from precompute.kernel_measures import KernelMeasures, measure, similarity
from precompute.model_files import read_arrays
from precompute.tiles import PERCENTILE, Float32, Pixels, png

ALIKE = 0.5**0.5
"""Similarity from which two kernels make a pair: each accounts for half of the other's variation."""
COLUMNS = 8
"""Kernels in a row of a mosaic."""
PREVIEW = 8
"""Pixels for each weight in the preview."""
ZERO, STEPS = 128, 127
"""Zero is mid-grey; the end of the scale is this many levels from it on either side."""

Arrays = Mapping[str, NDArray[np.float32]]


def stem_of(manifest: ModelManifest) -> Layer | None:
    """Return the first convolution, or None where its kernels are no pictures in colour."""
    stem = next((layer for layer in manifest.layers if layer.op == "convolution"), None)
    return stem if stem and weight_shape(manifest, stem)[1] == PLANES else None


def stem_files(manifest_path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of the folder lessons.STEM."""
    manifest = read_manifest(manifest_path)
    stem = stem_of(manifest)
    assert stem is not None
    arrays = read_arrays(manifest_path, manifest, "stem")
    kernels, untrained = arrays["stem"], arrays["stem.untrained"]
    scale = _scale(kernels)
    yield "views.png", png(_sheet(*_views(kernels, scale)))
    yield "trained.png", png(_mosaic(kernels, scale))
    yield "untrained.png", png(_mosaic(untrained, _scale(untrained)))
    large = _mosaic(kernels, scale)[:, : COLUMNS * (kernels.shape[3] + 1)]
    yield "preview.png", png(_on_white(large.repeat(PREVIEW, axis=0).repeat(PREVIEW, axis=1)))
    history = None
    if "stem.history" in arrays:
        history = _history(arrays)
        moments = arrays["stem.history"]
        yield history.strips, png(_sheet(*_strips(moments, scale)))
        for moment, weights in zip(history.moments, moments, strict=True):
            yield moment.mosaic, png(_mosaic(weights, scale))
    filters = lessons.StemFilters(
        layer=stem.name,
        rows=kernels.shape[2],
        columns=kernels.shape[3],
        views="views.png",
        mosaic="trained.png",
        mosaic_columns=COLUMNS,
        preview="preview.png",
        scale=scale,
        beyond=int((np.abs(kernels) > scale).sum()),
        measures=_listed(measure(kernels)),
        alike=ALIKE,
        pairs=_pairs(kernels),
        untrained=lessons.UntrainedFilters(
            mosaic="untrained.png",
            scale=_scale(untrained),
            measures=_listed(measure(untrained)),
            most_alike=_most_alike(untrained),
        ),
        history=history,
    )
    yield lessons.STEM_NAME, artifacts.encode(filters)


def _scale(kernels: Float32) -> float:
    """Return the absolute weight at the end of a scale for all kernels."""
    highest = float(np.percentile(np.abs(kernels), PERCENTILE, method="higher"))
    return numbers(np.array([highest]))[0] or 1.0


def _own(kernels: Float32) -> NDArray[np.float32]:
    """Return each kernel's largest absolute weight, 1 for a kernel of zeros."""
    largest = np.abs(kernels).max(axis=(-3, -2, -1))
    return np.where(largest > 0, largest, 1).astype(np.float32)


def _views(kernels: Float32, scale: float) -> tuple[Float32, Float32]:
    """Return a row for each kernel: colour, red, green, blue on one scale, then on its own."""
    planes = [kernels[:, [plane] * PLANES] for plane in range(PLANES)]
    views = np.stack([kernels, *planes] * 2, axis=1)
    own = np.repeat(_own(kernels)[:, None], views.shape[1] // 2, axis=1)
    return views, np.concatenate([np.full_like(own, scale), own], axis=1)


def _strips(moments: Float32, scale: float) -> tuple[Float32, Float32]:
    """Return a row for each kernel: all moments on one scale, then each on its own."""
    rows = moments.swapaxes(0, 1)
    own = _own(rows)
    scales = np.concatenate([np.full_like(own, scale), own], axis=1)
    return np.concatenate([rows, rows], axis=1), scales


def _mosaic(kernels: Float32, scale: float) -> Pixels:
    """Return all kernels side by side on one scale, and right of them each on its own."""
    missing = -len(kernels) % COLUMNS
    padded = np.concatenate([kernels, np.full((missing, *kernels.shape[1:]), np.nan, np.float32)])
    cells = padded.reshape(-1, COLUMNS, *kernels.shape[1:])
    own = np.concatenate([_own(kernels), np.ones(missing, np.float32)]).reshape(-1, COLUMNS)
    scales = np.concatenate([np.full_like(own, scale), own], axis=1)
    return _sheet(np.concatenate([cells, cells], axis=1), scales)


def _sheet(cells: Float32, scales: Float32) -> Pixels:
    """Return (rows, columns, 3, height, width) weights as a picture with transparency.

    A weight w is level 128 + 127 · w/scale, with one of (rows, columns) scales. Cells are a weight
    a pixel, with one transparent pixel to the right and below; cells of NaN are transparent.
    """
    rows, columns, _, height, width = cells.shape
    levels = ZERO + STEPS * cells / scales[:, :, None, None, None]
    levels = np.clip(np.rint(levels), ZERO - STEPS, ZERO + STEPS)
    sheet = np.zeros((rows, height + 1, columns, width + 1, PLANES + 1), np.uint8)
    inside = sheet[:, :height, :, :width]
    inside[..., :PLANES] = np.nan_to_num(levels).transpose(0, 3, 1, 4, 2)
    inside[..., PLANES] = np.where(np.isnan(cells[:, :, 0]), 0, 255).transpose(0, 2, 1, 3)
    return sheet.reshape(rows * (height + 1), columns * (width + 1), PLANES + 1)


def _on_white(picture: Pixels) -> Pixels:
    """Return an opaque picture: what shows previews puts anything behind a transparent one."""
    return np.where(picture[..., PLANES:] > 0, picture[..., :PLANES], 255).astype(np.uint8)


def _listed(measures: KernelMeasures) -> lessons.FilterMeasures:
    def listed(values: NDArray[np.float64]) -> list[float | None]:
        found = numbers(np.nan_to_num(values))
        known = np.isfinite(values)
        return [value if is_known else None for value, is_known in zip(found, known, strict=True)]

    return lessons.FilterMeasures(
        **{name: listed(values) for name, values in vars(measures).items()}
    )


def _pairs(kernels: Float32) -> tuple[lessons.AlikeFilters, ...]:
    """Return the pairs that are as alike, or as opposite, as ALIKE; the closest first."""
    similarities = similarity(kernels, kernels)
    found = [
        lessons.AlikeFilters(int(one), int(other), numbers(similarities[one, other])[0])
        for one, other in np.argwhere(np.triu(np.abs(similarities) >= ALIKE, 1))
    ]
    return tuple(sorted(found, key=lambda pair: (-abs(pair.similarity), pair.first, pair.second)))


def _most_alike(kernels: Float32) -> float:
    """Return the largest absolute similarity of two kernels."""
    return numbers(np.abs(np.triu(similarity(kernels, kernels), 1)).max())[0]


def _history(arrays: Arrays) -> lessons.StemHistory:
    kernels, moments = arrays["stem"], arrays["stem.history"]
    to_final = [np.diagonal(similarity(weights, kernels)) for weights in moments]
    top1 = arrays["stem.history.top1"]
    return lessons.StemHistory(
        strips="history.png",
        moments=tuple(
            lessons.StemMoment(
                step=int(step),
                pixels=int(pixels),
                top1=numbers(top1[moment])[0] if np.isfinite(top1[moment]) else None,
                mosaic=f"moment-{moment}.png",
                to_final=numbers(to_final[moment]),
            )
            for moment, (step, pixels) in enumerate(
                zip(arrays["stem.history.step"], arrays["stem.history.pixels"], strict=True)
            )
        ),
    )
