"""Everything that is computed for one photo, as the files of its folder."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

import artifacts
from export.manifest import Layer, ModelManifest, read_manifest
from precompute import index
from precompute.errors import NonFiniteError, PhotoError
from precompute.figures import EXACT, READABLE, in_float32, named, number, numbers, rows
from precompute.model_files import read_arrays, read_file
from precompute.photos import Photo
from precompute.preprocess import crop, geometry, normalise
from precompute.reductions import (
    channel_mean,
    class_evidence,
    colours,
    principal_components,
    project,
    softmax,
    strip_tile,
)
from precompute.session import open_session, run
from precompute.tiles import (
    Float32,
    Pixels,
    Quantised,
    grid,
    png,
    quantise,
    quantise_together,
    scale_of,
    sheet,
)

ANSWERS = 5
STRIP_TILE = 28
"""Pixels; a whole multiple or fraction of the maps of a 224-pixel ResNet."""
LONGEST_PHOTO = 1024
LONGEST_THUMBNAIL = 320

Files = dict[str, bytes]
"""File name to content."""


@dataclass(frozen=True)
class Model:
    """What is needed to compute photos, opened once per process."""

    manifest: ModelManifest
    session: onnxruntime.InferenceSession
    arrays: dict[str, NDArray[np.float32]]
    """The classifier's, as ModelManifest.arrays describes them."""


def open_model(manifest_path: Path, provider: str) -> Model:
    """Return the exported model that a manifest describes, ready to run on `provider`.

    Raises artifacts.ArtifactError, ModelError or ProviderError.
    """
    manifest = read_manifest(manifest_path)
    arrays = read_arrays(manifest_path, manifest, "classifier.") if manifest.classifier else {}
    onnx = read_file(manifest_path, manifest.onnx)
    return Model(manifest, open_session(onnx, manifest, provider), arrays)


def entry_files(photo: Photo, picture: Image.Image, model: Model) -> Files:
    """Return the files of the photo's folder; `index.json` is its ImageEntry. `picture` is RGB.

    Raises PhotoError, without the photo's name, where the picture cannot be used or the network
    gives numbers that are not finite.
    """
    manifest = model.manifest
    pixels = crop(picture, manifest.input)
    activations = run(model.session, manifest, normalise(pixels, manifest.input))
    files: Files = {index.INPUT_NAME: png(pixels)}
    sheets = []
    quantised = [quantise(activations[layer.name], layer.name) for layer in manifest.feature_maps]
    for layer, q, figures in zip(
        manifest.feature_maps, quantised, figure_rows(quantised), strict=True
    ):
        with named(f"layer {layer.name}"):
            sheets.append(sheet_files(layer, activations[layer.name], q, figures, files))
    logits = activations[manifest.logits]
    if not np.isfinite(logits).all():
        channel = int(np.argmin(np.isfinite(logits)))
        raise NonFiniteError(f"layer {manifest.logits}, channel {channel}: NaN or infinity")
    answers = answers_of(logits, manifest)
    evidence = _evidence(activations, answers, model)
    contributions = _contributions(activations, answers, model)
    if contributions is not None:
        files[index.CONTRIBUTIONS_NAME] = artifacts.encode(contributions)
    files[index.STRIP_NAME] = png(
        np.hstack([strip_tile(activations[s.layer], STRIP_TILE) for s in sheets])
    )
    files[index.PHOTO_NAME], photo_size = _jpeg(picture, LONGEST_PHOTO, 85)
    files[index.THUMBNAIL_NAME], thumbnail_size = _jpeg(picture, LONGEST_THUMBNAIL, 80)
    width, height = picture.size
    _check_box(photo, width, height)
    entry = index.ImageEntry(
        schema_version=index.SCHEMA_VERSION,
        id=photo.id,
        title=photo.title,
        author=photo.author,
        licence=photo.licence,
        source=photo.source,
        modified=photo.modified,
        note=photo.note,
        chart=photo.chart,
        width=width,
        height=height,
        true_class=photo.true_class,
        correct=answers[0].name == photo.true_class if photo.true_class else None,
        box=photo.box,
        crop=_rounded(geometry(width, height, manifest.input).box(width, height)),
        input=index.INPUT_NAME,
        photo=index.PHOTO_NAME,
        photo_width=photo_size[0],
        photo_height=photo_size[1],
        thumbnail=index.THUMBNAIL_NAME,
        thumbnail_width=thumbnail_size[0],
        thumbnail_height=thumbnail_size[1],
        answers=answers,
        evidence=evidence,
        contributions=index.CONTRIBUTIONS_NAME if contributions is not None else None,
        strip=index.Strip(index.STRIP_NAME, STRIP_TILE, tuple(s.layer for s in sheets)),
        sheets=tuple(sheets),
    )
    files["index.json"] = artifacts.encode(entry)
    return files


def sheet_files(
    layer: Layer,
    activations: Float32,
    quantised: Quantised,
    figures: list[list[float]],
    files: Files,
) -> index.TileSheet:
    """Add the files of one layer's (C, height, width) activations; return what describes them.

    `figures` are the layer's part of figure_rows().
    """
    columns, tile_rows = grid(len(activations))
    files[index.sheet_name(layer.slug)] = png(sheet(quantised.pixels))
    summary, ranges = _summary(activations)
    files[index.summary_name(layer.slug)] = png(summary)
    components, shown = _components(activations)
    files[index.pca_name(layer.slug)] = png(components)
    width = activations.shape[2]
    low, high, mean, std, zeros = figures
    layer_figures = index.LayerFigures(
        layer=layer.name,
        low=low,
        high=high,
        mean=mean,
        std=std,
        zeros=zeros,
        row=(quantised.peak // width).tolist(),
        column=(quantised.peak % width).tolist(),
        mean_low=ranges[0],
        mean_high=ranges[1],
        max_low=ranges[2],
        max_high=ranges[3],
        pca=shown,
    )
    files[index.figures_name(layer.slug)] = artifacts.encode(layer_figures)
    return index.TileSheet(
        layer=layer.name,
        path=index.sheet_name(layer.slug),
        figures=index.figures_name(layer.slug),
        summary=index.summary_name(layer.slug),
        pca=index.pca_name(layer.slug),
        columns=columns,
        rows=tile_rows,
        tile_width=width,
        tile_height=activations.shape[1],
        low=number(float(quantised.low.min()), EXACT),
        high=number(float(quantised.high.max()), EXACT),
        scale=number(scale_of(activations, float(quantised.low.min())), EXACT),
    )


def figure_rows(layers: Sequence[Quantised]) -> Iterator[list[list[float]]]:
    """Yield for each layer the low, high, mean, std and zeros of its channels, in the digits of the
    contract. All layers are rounded together, which takes a third of the time.
    """
    figures = [(q.low, q.high, q.mean, q.std, q.zeros) for q in layers]
    together = rows(np.hstack(figures), [EXACT, EXACT, READABLE, READABLE, READABLE])
    first = 0
    for quantised in layers:
        last = first + len(quantised.low)
        yield [row[first:last] for row in together]
        first = last


def _summary(activations: Float32) -> tuple[Pixels, tuple[float, float, float, float]]:
    """Return the channel mean above the channel maximum, and the range of each."""
    mean, mean_low, mean_high = quantise_together(channel_mean(activations))
    largest, max_low, max_high = quantise_together(activations.max(axis=0))
    ranges = tuple(number(value, EXACT) for value in (mean_low, mean_high, max_low, max_high))
    return np.vstack([mean, largest]), ranges  # type: ignore[return-value]


def _components(activations: Float32) -> tuple[Pixels, index.Components]:
    """Return the first three components, each on its own range, in the photo's own basis."""
    basis = principal_components(activations)
    scores = project(activations, basis)
    low, high = scores.min(axis=(1, 2)), scores.max(axis=(1, 2))
    return colours(scores, low, high), components_of(low, high, basis.explained)


def components_of(*triples: NDArray[np.floating[Any]]) -> index.Components:
    """Return low, high and explained variance, each (3,), as the contract has them."""
    return index.Components(*(tuple(numbers(in_float32(triple))) for triple in triples))  # type: ignore[arg-type]


def answers_of(logits: Float32, manifest: ModelManifest) -> tuple[index.Answer, ...]:
    """Return the ANSWERS largest of (categories,) logits."""
    probabilities = softmax(logits)
    best = np.argsort(-logits, kind="stable")[:ANSWERS]
    return tuple(
        index.Answer(
            category=int(position),
            name=manifest.categories[position],
            logit=number(float(logits[position]), EXACT),
            probability=number(float(probabilities[position])),
        )
        for position in best
    )


def _evidence(
    activations: dict[str, Float32], answers: tuple[index.Answer, ...], model: Model
) -> tuple[index.Evidence, ...]:
    classifier = model.manifest.classifier
    if classifier is None:
        return ()
    classes = [answer.category for answer in answers]
    features = activations[classifier.features]
    maps = class_evidence(features, model.arrays["classifier.weight"][classes])
    bias = model.arrays["classifier.bias"]
    with named(f"evidence for answers in layer {classifier.features}"):
        return tuple(
            index.Evidence(
                category=category,
                height=features.shape[1],
                width=features.shape[2],
                bias=number(float(bias[category]), EXACT),
                values=numbers(in_float32(values)),
            )
            for category, values in zip(classes, maps, strict=True)
        )


def _contributions(
    activations: dict[str, Float32], answers: tuple[index.Answer, ...], model: Model
) -> index.Contributions | None:
    classifier = model.manifest.classifier
    if classifier is None:
        return None
    classes = [answer.category for answer in answers]
    means = activations[classifier.features].mean(axis=(1, 2), dtype=np.float64)
    values = model.arrays["classifier.weight"][classes] * means
    with named(f"contributions of layer {classifier.features}"):
        return index.Contributions(classifier.features, rows(in_float32(values), READABLE))


def _jpeg(picture: Image.Image, longest: int, quality: int) -> tuple[bytes, tuple[int, int]]:
    """Return the picture as a JPEG without metadata, no side longer than `longest`, and its size."""
    shrink = min(1.0, longest / max(picture.size))
    size = (max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink)))
    file = io.BytesIO()
    smaller = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
    smaller.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
    return file.getvalue(), size


def _check_box(photo: Photo, width: int, height: int) -> None:
    box = photo.box
    if box and (min(box[:2]) < 0 or box[2] > width or box[3] > height):
        raise PhotoError(f"'box' is {list(box)}, which is not inside its {width}×{height} pixels")


def _rounded(box: index.Box) -> index.Box:
    left, top, right, bottom = (number(edge) for edge in box)
    return left, top, right, bottom
