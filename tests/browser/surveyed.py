"""A site with a survey of its own gallery's photos: what drives each channel most is true of them."""

import io
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import artifacts
from export.manifest import Layer, ModelManifest, read_manifest
from precompute.index import SHARED, SharedFigures, figures_name, read_entry, read_index
from site_template import render as rendering
from survey import contract
from survey.contract import (
    ClassSurvey,
    Credit,
    LayerReference,
    LayerSurvey,
    Patches,
    Photo,
    Sheet,
    Strongest,
    SurveyIndex,
)

CREDIT = Credit("Photos of a gallery", "Ada Lovelace", "CC BY 4.0", "")
OWN = ("Grace Hopper", "CC0")
"""Author and licence of the first photo."""
EACH = 5
DEAD = 0
"""A channel of every layer that this survey calls dead."""
SMALL = 64
"""Pixels of a patch's side at most."""


def survey_of(
    tiles: Path,
    manifest_path: Path,
    write: Callable[[str, bytes], object],
    *,
    layers: Collection[str],
    private: bool = False,
    patches: bool = True,
    credit: Credit = CREDIT,
    surveyed: int | None = None,
) -> SurveyIndex:
    """Hand the files of a survey to `write`; those of `layers` only, though all are in its index."""
    manifest = read_manifest(manifest_path)
    entries = {one.id: read_entry(tiles, one.id) for one in read_index(tiles).images}
    classes = sorted({entry.true_class or "nothing known" for entry in entries.values()})
    photos = tuple(
        Photo(
            f"album/{image}.jpg",
            classes.index(entry.true_class or "nothing known"),
            *(OWN if image == min(entries) else ("", "")),
        )
        for image, entry in sorted(entries.items())
    )
    references = []
    for layer in manifest.feature_maps:
        sheet = None if private or not patches else _sheet(layer)
        references.append(
            LayerReference(
                layer.name,
                contract.layer_name(layer.slug),
                sheet and Patches(sheet, EACH),
                dead=1,
                sparse=0,
            )
        )
        if layer.name not in layers:
            continue
        path = tiles / SHARED / figures_name(layer.slug)
        shared = artifacts.decode(path, SharedFigures, "make precompute")
        found = _figures(layer, shared, sorted(entries), photos, surveyed or len(photos), private)
        write(contract.layer_name(layer.slug), artifacts.encode(found))
        if sheet:
            write(sheet.path, _drawn(sheet, layer, shared, tiles, manifest))
    return SurveyIndex(
        schema_version=contract.SCHEMA_VERSION,
        model=manifest.model,
        manifest_sha256=artifacts.sha256(manifest_path),
        data_set="ab" * 32,
        credit=credit,
        surveyed=surveyed or len(photos),
        unreadable=0,
        faults=(),
        private=private,
        labelled=len(photos),
        judged=0,
        top1=None,
        top5=None,
        classes=tuple(
            ClassSurvey(name, artifacts.slug(name), None, 1, None, None, ()) for name in classes
        ),
        confusions=(),
        wrong=(),
        wrong_sheet=None,
        photos=(),
        layers=tuple(references),
        quantile_error=0.01,
        producers={},
    )


def _figures(
    layer: Layer,
    shared: SharedFigures,
    ids: Sequence[str],
    photos: tuple[Photo, ...],
    surveyed: int,
    private: bool,
) -> LayerSurvey:
    peaks, channels = shared.peaks, range(layer.channels)
    high = [shared.high[c] if c != DEAD else min(0.0, shared.low[c]) for c in channels]
    driven = [() if c == DEAD else peaks.value[c][:EACH] for c in channels]
    classes = [
        photos[ids.index(peaks.images[one[0]])].label if one else None for one in peaks.image
    ]
    selective = [None if layer.signed or classes[c] is None else c % 10 / 10 for c in channels]
    return LayerSurvey(
        layer=layer.name,
        fires=tuple(surveyed * (c % 9 + 1) // 9 if driven[c] else 0 for c in channels),
        mean=tuple(value / 9 for value in high),
        deviation=tuple(abs(value) / 7 for value in high),
        photo_deviation=tuple(abs(value) / 8 for value in high),
        low=tuple(min(0.0, value / 10) for value in high),
        high=tuple(high),
        quantiles=tuple(tuple(value * q for q in contract.QUANTILES) for value in high),
        best=tuple(classes),
        selectivity=tuple(selective),
        separation=tuple(None if label is None else label / 3 for label in classes),
        strongest=tuple(
            Strongest(
                ()
                if private
                else tuple(ids.index(peaks.images[i]) for i in peaks.image[c][: len(driven[c])]),
                tuple(driven[c]),
                tuple(peaks.row[c][: len(driven[c])]),
                tuple(peaks.column[c][: len(driven[c])]),
            )
            if driven[c]
            else None
            for c in channels
        ),
        photos=() if private else photos,
    )


def _sheet(layer: Layer) -> Sheet:
    field = layer.receptive_field
    side = min(SMALL, max(field.size)) if field else SMALL
    cells = layer.channels * EACH
    columns = min(cells, 32 * EACH, 4096 // side)
    return Sheet(contract.patches_name(layer.slug), side, columns, -(-cells // columns))


def _drawn(
    sheet: Sheet, layer: Layer, shared: SharedFigures, tiles: Path, manifest: ModelManifest
) -> bytes:
    """Return the strongest patches of a layer, cut from what the network saw."""
    peaks, crop = shared.peaks, manifest.input.crop
    seen = {one: Image.open(tiles / one / "_input.png").convert("RGBA") for one in peaks.images}
    picture = Image.new("RGBA", (sheet.columns * sheet.side, sheet.rows * sheet.side))
    for channel in range(DEAD + 1, layer.channels):
        for j, position in enumerate(peaks.image[channel][:EACH]):
            box = (0, 0, crop, crop)
            if field := layer.receptive_field:
                at = (peaks.row[channel][j], peaks.column[channel][j])
                top, left = (field.offset[i] + at[i] * field.stride[i] for i in (0, 1))
                box = (left, top, left + field.size[1], top + field.size[0])
            patch = seen[peaks.images[position]].crop(box)
            row, column = divmod(channel * EACH + j, sheet.columns)
            small = patch.resize((sheet.side, sheet.side), Image.Resampling.BILINEAR)
            picture.paste(small, (column * sheet.side, row * sheet.side))
    content = io.BytesIO()
    picture.save(content, "WEBP", quality=80)
    return content.getvalue()


def render_with(surveys: dict[str, SurveyIndex], *arguments: object) -> None:
    """Render a site whose models have these surveys."""
    read = rendering._read_gallery

    def with_survey(*given: object) -> rendering.Gallery:
        gallery = read(*given)
        return replace(gallery, survey=surveys.get(gallery.manifest.model))

    rendering._read_gallery = with_survey
    try:
        rendering.render(*arguments)
    finally:
        rendering._read_gallery = read


def writer(folder: Path) -> Callable[[str, bytes], None]:
    """Return what writes files into a folder."""

    def write(path: str, content: bytes) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)

    return write


def build(
    site: object,
    manifests: Sequence[Path],
    tiles: Path,
    runtime: Path,
    out: Path,
    **more: object,
) -> Path:
    """Render the site of these models in `out`, each with a survey of its own photos."""
    files = out.parent / "surveys"
    surveys = {}
    for path in manifests:
        model = read_manifest(path).model
        surveys[model] = survey_of(tiles / model, path, writer(files / model), **more)
    render_with(surveys, site, list(manifests), tiles, runtime, out)
    for model in surveys:
        shutil.copytree(files / model, out / model / "data" / "survey")
    return out


def cells(content: bytes, sheet: Sheet) -> np.ndarray:
    """Return the patches of a sheet: number × side × side × 4 values from 0 to 255."""
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))
    side = sheet.side
    grid = picture.reshape(sheet.rows, side, sheet.columns, side, 4)
    return grid.swapaxes(1, 2).reshape(-1, side, side, 4)
