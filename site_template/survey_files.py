"""A survey as it lies in its folder: read, compared with its model, and what of it is published.

Like tiles, a survey can come from anybody. Its names are safe by their types; here everything that
pages look up is known to be there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import artifacts
from artifacts import ArtifactError
from export.manifest import Layer, ModelManifest
from survey.contract import (
    QUANTILES,
    WRONG_NAME,
    LayerReference,
    LayerSurvey,
    Photo,
    Sheet,
    SurveyIndex,
    index_path,
    layer_name,
    patches_name,
    read_layer,
    read_survey,
    survey_folder,
)

PUBLISHED = "survey"
"""Folder of a survey's files in its model's data, and of the pages about it."""


@dataclass(frozen=True)
class Survey:
    """A survey of one model, read and checked."""

    folder: Path
    manifest: ModelManifest
    index: SurveyIndex
    files: dict[str, str]
    """Path in the folder to SHA-256, of everything that is published."""
    bytes: int
    """Of these files."""

    def figures(self, reference: LayerReference) -> LayerSurvey:
        """Return the figures of a layer; raises artifacts.ArtifactError."""
        figures = read_layer(self.folder, reference)
        layer = self.manifest.layer(reference.layer)
        _refuse(self.folder / reference.figures, _faults_of_layer(figures, layer, self.index))
        return figures


def find_survey(surveys: Path, manifest_path: Path, manifest: ModelManifest) -> Survey | None:
    """Return the survey of a model, or None where there is none.

    Raises artifacts.ArtifactError where there is one that is not of this model, or not whole.
    """
    folder = survey_folder(surveys, manifest.model)
    path = index_path(folder)
    if not path.exists():
        return None
    index = read_survey(folder)
    if index.manifest_sha256 != artifacts.sha256(manifest_path):
        raise ArtifactError(
            f"the survey in {folder} is of another model than {manifest_path} describes: run make "
            f"survey with its photos again, or remove {folder}"
        )
    _refuse(path, _faults_of_index(index, manifest))
    names = [layer.figures for layer in index.layers]
    names += [layer.patches.sheet.path for layer in index.layers if layer.patches]
    names += [index.wrong_sheet.path] if index.wrong_sheet else []
    files = {}
    for name in names:
        _check_file(folder, name)
        files[name] = artifacts.sha256(folder / name)
    return Survey(folder, manifest, index, files, sum((folder / n).stat().st_size for n in files))


def _check_file(folder: Path, name: str) -> None:
    """Refuse what is no file of this folder: what is published would be what a link leads to."""
    path = folder / name
    if path.is_symlink() or path.parent.is_symlink():
        raise ArtifactError(f"{path} is a link: remove it, then run make survey")
    if not path.is_file():
        raise ArtifactError(f"{path} does not exist: run make survey")


def _refuse(path: Path, faults: Iterator[str]) -> None:
    for fault in faults:
        raise ArtifactError(f"{path} cannot be right: {fault}; run make survey")


def _faults_of_index(index: SurveyIndex, manifest: ModelManifest) -> Iterator[str]:
    if index.model != manifest.model:
        yield f"it is about '{index.model}', and the manifest about '{manifest.model}'"
    shown = {layer.name: layer for layer in manifest.feature_maps}
    expected = [(layer.name, layer_name(layer.slug)) for layer in shown.values()]
    if [(layer.layer, layer.figures) for layer in index.layers] != expected:
        yield "its layers are not those of the manifest"
        return
    for reference in index.layers:
        layer = shown[reference.layer]
        yield from _faults_of_patches(reference, layer, manifest)
        if reference.dead + reference.sparse > layer.channels:
            yield f"{layer.name} has more dead and sparse channels than channels"
    if index.private and (index.photos or index.faults or _sheets(index)):
        yield "it keeps names and patches back, and has some"
    slugs = {one.slug.casefold() for one in index.classes}
    if len(slugs) < len(index.classes) or "index" in slugs:
        yield "two classes have one address"
    for one in index.classes:
        if one.category is not None and one.category >= len(manifest.categories):
            yield f"a class is category {one.category} of {len(manifest.categories)}"
        if {one.top1 is None, one.top5 is None} != {one.category is None}:
            yield f"the class {one.slug} is judged without a category, or has one and is not"
        if max(one.top1 or 0, one.top5 or 0) > one.photos:
            yield f"the class {one.slug} has more right answers than photos"
        for channel in one.channels:
            if channel.layer not in shown or channel.channel >= shown[channel.layer].channels:
                yield f"'{channel.layer}' with channel {channel.channel} is not shown"
    yield from _faults_of_answers(index, manifest)


def _faults_of_answers(index: SurveyIndex, manifest: ModelManifest) -> Iterator[str]:
    classes = len(index.classes)
    counted = {index.top1 is None, index.top5 is None} == {index.judged == 0}
    if not counted or max(index.top1 or 0, index.top5 or 0) > index.judged:
        yield "it counts other right answers than photos that it judges"
    answers = [(one.label, one.answer) for one in index.confusions]
    answers += [(one.label, one.answer) for one in index.wrong]
    for label, answer in answers:
        if label >= classes or answer >= len(manifest.categories):
            yield "an answer is about a class or a category that there is not"
    if any(one.photo is not None and one.photo >= len(index.photos) for one in index.wrong):
        yield "an answer is about a photo that there is not"
    if any(photo.label is not None and photo.label >= classes for photo in index.photos):
        yield "a photo is of a class that there is not"
    sheet = index.wrong_sheet
    if sheet and (sheet.path != WRONG_NAME or sheet.rows * sheet.columns < len(index.wrong)):
        yield "its sheet is not that of the wrong answers"


def _sheets(index: SurveyIndex) -> list[Sheet]:
    found = [layer.patches.sheet for layer in index.layers if layer.patches]
    return found + ([index.wrong_sheet] if index.wrong_sheet else [])


def _faults_of_patches(
    reference: LayerReference, layer: Layer, manifest: ModelManifest
) -> Iterator[str]:
    if patches := reference.patches:
        sheet = patches.sheet
        cells = sheet.rows * sheet.columns
        known = {patches_name(one.slug) for one in manifest.feature_maps}
        if sheet.path not in known or cells < layer.channels * patches.each:
            yield f"the patches of {layer.name} are not those of its channels"


def _faults_of_layer(figures: LayerSurvey, layer: Layer, index: SurveyIndex) -> Iterator[str]:
    columns: list[Sequence[object]] = [
        *(figures.fires, figures.mean, figures.deviation, figures.photo_deviation),
        *(figures.low, figures.high, figures.quantiles, figures.best),
        *(figures.selectivity, figures.separation, figures.strongest),
    ]
    if figures.layer != layer.name or {len(column) for column in columns} != {layer.channels}:
        yield f"it is not about the {layer.channels} channels of {layer.name}"
        return
    if max(figures.fires) > index.surveyed:
        yield "a channel fires on more photos than there are"
    if any(len(values) != len(QUANTILES) for values in figures.quantiles):
        yield f"a channel has not {len(QUANTILES)} quantiles"
    if any(best is not None and best >= len(index.classes) for best in figures.best):
        yield "a channel has a class that there is not"
    if index.private and figures.photos:
        yield "it names photos, which shall be kept back"
    yield from _faults_of_photos(figures.photos, index)
    for one in filter(None, figures.strongest):
        places = {len(one.value), len(one.row), len(one.column)}
        if len(places | (set() if index.private else {len(one.photo)})) > 1:
            yield "the strongest photos of a channel have not a value and a place each"
        if any(photo >= len(figures.photos) for photo in one.photo):
            yield "a channel has a photo that there is not"


def _faults_of_photos(photos: Sequence[Photo], index: SurveyIndex) -> Iterator[str]:
    if any(photo.label is not None and photo.label >= len(index.classes) for photo in photos):
        yield "a photo is of a class that there is not"
