"""What the tiles say, compared with the model and with each other, before pages are made of it.

Tiles can come from anybody. Their names are safe by their types; here everything that pages look up
is known to be there.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from artifacts import ArtifactError
from export.manifest import Layer, ModelManifest
from precompute import index as contract
from precompute.index import GalleryIndex, ImageEntry
from precompute.lessons import Mistakes, Tours
from site_template.browser import BROWSER, RUNTIME
from site_template.models import MODELS, SIDE_BY_SIDE
from site_template.survey_files import PUBLISHED

TAKEN = {"static", "snippets", RUNTIME.partition("/")[0], MODELS, SIDE_BY_SIDE, PUBLISHED}
"""Folders of the site that are no model's."""


def check_names(models: Sequence[str]) -> None:
    """Compare the names of the models with each other and with those of other parts of the site.

    Raises ArtifactError.
    """
    for position, name in enumerate(models):
        if name.casefold() in TAKEN or name.casefold().endswith(".html"):
            raise ArtifactError(
                f"a model cannot be called '{name}', which is another part of the site: give it "
                "another name with python -m export --name"
            )
        if name.casefold() in [other.casefold() for other in models[:position]]:
            raise ArtifactError(
                f"two models are called '{name}', which is part of their links: give each once, "
                "or another name with python -m export --name"
            )


def check_index(tiles: Path, index: GalleryIndex, manifest: ModelManifest) -> None:
    """Compare an index with the manifest; raises ArtifactError."""
    _refuse(contract.index_path(tiles), _faults_of_index(index, manifest))


def check_entry(tiles: Path, entry: ImageEntry, manifest: ModelManifest) -> None:
    """Compare what is said of a photo with the manifest; raises ArtifactError."""
    _refuse(contract.index_path(tiles / entry.id), _faults_of_entry(entry, manifest))


def check_tours(tiles: Path, tours: Tours, index: GalleryIndex, manifest: ModelManifest) -> None:
    """Compare tours with what there is to visit; raises ArtifactError."""
    _refuse(tiles / "_tours", _faults_of_tours(tours, index, manifest))


def check_mistakes(
    tiles: Path, mistakes: Mistakes, index: GalleryIndex, manifest: ModelManifest
) -> None:
    """Compare the lesson on mistakes with the gallery; raises ArtifactError."""
    _refuse(tiles / "_mistakes", _faults_of_mistakes(mistakes, index, manifest))


def regular_files(folder: Path) -> Iterator[Path]:
    """Yield every file below `folder`, in order; raises ArtifactError at a link, pipe or device.

    What is published would otherwise be what a link leads to.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise ArtifactError(f"{folder} is no folder: remove it, then run make precompute")
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from regular_files(path)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            raise ArtifactError(f"{path} is no file: remove it, then run make precompute")


def _refuse(path: Path, faults: Iterator[str]) -> None:
    for fault in faults:
        raise ArtifactError(f"{path} cannot be right: {fault}; run make precompute")


def _faults_of_index(index: GalleryIndex, manifest: ModelManifest) -> Iterator[str]:
    if index.model != manifest.model:
        yield f"it is about '{index.model}', and the manifest about '{manifest.model}'"
    if BROWSER in index.parts:
        yield f"{BROWSER} is not made from tiles"
    found = {layer.layer: layer.figures for layer in index.layers}
    for layer in manifest.feature_maps:
        if found.get(layer.name) != f"{contract.SHARED}/{contract.figures_name(layer.slug)}":
            yield f"it has not the figures of '{layer.name}'"


def _faults_of_entry(entry: ImageEntry, manifest: ModelManifest) -> Iterator[str]:
    layers = manifest.feature_maps
    found = [(s.layer, s.path, s.figures, s.summary, s.pca) for s in entry.sheets]
    expected = [(layer.name, *(name(layer.slug) for name in _NAMES)) for layer in layers]
    if found != expected or list(entry.strip.layers) != [layer.name for layer in layers]:
        yield "its layers are not those of the manifest"
        return
    for layer, sheet in zip(layers, entry.sheets, strict=True):
        shape = (sheet.tile_height, sheet.tile_width)
        if shape != (layer.height, layer.width) or sheet.columns * sheet.rows < layer.channels:
            yield f"the sheet of {layer.name} has not the shape of the layer"
    answers = [answer.category for answer in entry.answers]
    if max(answers) >= len(manifest.categories):
        yield f"an answer is category {max(answers)} of {len(manifest.categories)}"
    if entry.evidence and [one.category for one in entry.evidence] != answers:
        yield "its evidence is not that for its answers"
    if any(len(one.values) != one.height * one.width for one in entry.evidence):
        yield "its evidence has not the shape that it says"


_NAMES = (
    contract.sheet_name,
    contract.figures_name,
    contract.summary_name,
    contract.pca_name,
)


def _faults_of_tours(tours: Tours, index: GalleryIndex, manifest: ModelManifest) -> Iterator[str]:
    images = {image.id for image in index.images}
    layers = {layer.name: layer for layer in manifest.feature_maps}
    for stop in (stop for tour in tours.tours for stop in tour.stops):
        if stop.image not in images:
            yield f"no photo has the id '{stop.image}'"
        elif stop.layer not in layers or stop.channel >= layers[stop.layer].channels:
            yield f"'{stop.layer}' with channel {stop.channel} is not shown"


def _faults_of_mistakes(
    mistakes: Mistakes, index: GalleryIndex, manifest: ModelManifest
) -> Iterator[str]:
    last: dict[str, Layer] = {layer.stage: layer for layer in manifest.feature_maps}
    if mistakes.image not in {image.id for image in index.images}:
        yield f"no photo has the id '{mistakes.image}'"
    for run in mistakes.preparations:
        if [layer.layer for layer in run.layers] != [layer.name for layer in last.values()]:
            yield f"the layers of '{run.id}' are not the last of each stage"
