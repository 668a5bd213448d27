"""A survey that follows survey/contract.py, of any manifest: invented figures that fit together, and
patches that are real pictures. The same arguments give the same bytes."""

import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path

from PIL import Image

import artifacts
from export.manifest import Layer, ModelManifest, read_manifest
from survey import contract
from survey.contract import (
    ClassChannel,
    ClassSurvey,
    Confusion,
    Credit,
    LayerReference,
    LayerSurvey,
    Patches,
    Photo,
    Sheet,
    Strongest,
    SurveyIndex,
    Wrong,
)

Cut = Callable[[random.Random, int], Image.Image]
"""Returns a patch of so many pixels a side."""
CREDIT = Credit("Ten kinds of trees", "Ada Lovelace", "CC BY 4.0", "https://example.org/trees")


@dataclass(frozen=True)
class Kind:
    """A class of the data set."""

    name: str
    category: int | None
    slug: str = ""


def kinds(manifest: ModelManifest, number: int = 10) -> tuple[Kind, ...]:
    """Return classes that are categories of the model, sorted by name."""
    count = len(manifest.categories)
    number = min(number, count)
    chosen = [i * count // number for i in range(number)]
    return tuple(sorted((Kind(manifest.categories[i], i) for i in chosen), key=lambda k: k.name))


def drawn(chance: random.Random, side: int) -> Image.Image:
    """Return a patch of two colours."""
    colour = [tuple(chance.randrange(256) for _ in range(4)) for _ in range(2)]
    patch = Image.new("RGBA", (side, side), (*colour[0][:3], 255))
    patch.paste((*colour[1][:3], 255), (0, 0, side, chance.randrange(1, side)))
    return patch


def cut_from(folder: Path) -> Cut:
    """Return what cuts patches out of the photos of a folder."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in {".jpg", ".png"})
    photos = [Image.open(path).convert("RGBA") for path in paths]
    photos = [photo.resize((480, 480 * photo.height // photo.width)) for photo in photos]

    def cut(chance: random.Random, side: int) -> Image.Image:
        photo = chance.choice(photos)
        size = chance.randrange(side, min(photo.size))
        left, top = (chance.randrange(length - size + 1) for length in photo.size)
        return photo.resize((side, side), box=(left, top, left + size, top + size))

    return cut


def six(value: float) -> float:
    return float(f"{value:.6g}")


def write_survey(
    surveys: Path,
    manifest_path: Path,
    *,
    photos: int = 300,
    classes: Sequence[Kind] | None = None,
    private: bool = False,
    silent: bool = False,
    cut: Cut = drawn,
    side: int = 8,
    sides: Mapping[str, int] | None = None,
    each: int = 2,
    kept: int = 4,
    same: Mapping[str, str] | None = None,
    credit: Credit = CREDIT,
    names: Callable[[int], str] = "wood/{:05}.jpg".format,
    faults: Sequence[str] = ("wood/torn.jpg: the file ends too early",),
    author: str = "",
    change: Callable[[SurveyIndex], SurveyIndex] = lambda index: index,
) -> Path:
    """Write a survey of the model that a manifest describes; return its folder.

    `silent` is a network that is never above zero. `classes` are the manifest's own where None.
    Patches have `side` pixels a side, or what `sides` says of their layer. Of each channel `kept`
    photos are known, and `each` of them have a patch. A layer in `same` has the figures and the
    sheet of the earlier one that it names.
    """
    manifest = read_manifest(manifest_path)
    chance = random.Random(f"{manifest.model} {photos}")
    folder = contract.survey_folder(surveys, manifest.model)
    known = kinds(manifest) if classes is None else tuple(classes)
    counts = [photos // len(known) + (i < photos % len(known)) for i in range(len(known))]
    licence = "CC BY 2.0" if author else ""

    def photo(number: int) -> Photo:
        label = number % len(known) if known else None
        own = author if number % 3 == 0 else ""
        return Photo(names(number), label, own, licence if own else "")

    layers: list[LayerReference] = []
    by_name: dict[str, tuple[LayerSurvey, Patches | None]] = {}
    by_class: list[list[ClassChannel]] = [[] for _ in known]
    for depth, layer in enumerate(manifest.feature_maps):
        progress = depth / max(len(manifest.feature_maps) - 1, 1)
        figures = _figures(layer, progress, photos, known, photo, private, silent, kept, chance)
        first = (same or {}).get(layer.name)
        if first:
            figures = replace(by_name[first][0], layer=layer.name)
        artifacts.write(folder / contract.layer_name(layer.slug), artifacts.encode(figures))
        patches = by_name[first][1] if first else None
        if not private and not first:
            filled = [min(len(one.value), each) if one else 0 for one in figures.strongest]
            pixels = (sides or {}).get(layer.name, side)
            sheet = _sheet(contract.patches_name(layer.slug), filled, each, pixels, cut, chance)
            artifacts.write(folder / sheet[0].path, sheet[1])
            patches = Patches(sheet[0], each)
        by_name[layer.name] = figures, patches
        dead = sum(fires == 0 for fires in figures.fires)
        sparse = sum(0 < fires < contract.SPARSE * photos for fires in figures.fires)
        layers.append(
            LayerReference(layer.name, contract.layer_name(layer.slug), patches, dead, sparse)
        )
        for label in range(len(known)):
            own = [c for c in range(layer.channels) if figures.best[c] == label]
            own = sorted(own, key=lambda c: -(figures.separation[c] or 0.0))
            by_class[label] += [
                ClassChannel(layer.name, c, figures.selectivity[c], figures.separation[c])
                for c in own[: contract.CLASS_CHANNELS_LAYER]
                if figures.separation[c] is not None
            ]

    answered = _answers(known, counts, len(manifest.categories), chance)
    confusions = [
        Confusion(label, answer, count)
        for label, given in enumerate(answered)
        for answer, count in given.items()
        if known[label].category not in (None, answer)
    ]
    confusions.sort(key=lambda one: (-one.photos, one.label, one.answer))
    wrong = _wrong(confusions, chance)
    if not private:
        pointed = sorted({photo(i * 7 % max(photos, 1)).name for i in range(len(wrong))})
        wrong = [replace(one, photo=i % len(pointed)) for i, one in enumerate(wrong)]
    wrong_sheet = None
    if wrong and not private:
        wrong_sheet, data = _sheet(contract.WRONG_NAME, [1] * len(wrong), 1, side * 2, cut, chance)
        artifacts.write(folder / wrong_sheet.path, data)
    surveys_of = tuple(
        _class(kind, counts[label], answered[label], by_class[label], chance)
        for label, kind in enumerate(known)
    )
    judged = [one for one in surveys_of if one.top1 is not None]
    index = SurveyIndex(
        schema_version=contract.SCHEMA_VERSION,
        model=manifest.model,
        manifest_sha256=artifacts.sha256(manifest_path),
        data_set="ab" * 32,
        credit=credit,
        surveyed=photos,
        unreadable=len(faults),
        faults=() if private else tuple(faults),
        private=private,
        labelled=photos if known else 0,
        judged=sum(one.photos for one in judged),
        top1=sum(one.top1 or 0 for one in judged) if judged else None,
        top5=sum(one.top5 or 0 for one in judged) if judged else None,
        classes=surveys_of,
        confusions=tuple(confusions[: contract.CONFUSIONS]),
        wrong=tuple(wrong),
        wrong_sheet=wrong_sheet,
        photos=()
        if private or not wrong
        else tuple(replace(photo(i), name=name) for i, name in enumerate(pointed)),
        layers=tuple(layers),
        quantile_error=0.02,
        producers={"onnxruntime": "1.31.0"},
    )
    artifacts.write(contract.index_path(folder), artifacts.encode(change(index)))
    return folder


def _figures(
    layer: Layer,
    progress: float,
    photos: int,
    known: Sequence[Kind],
    photo: Callable[[int], Photo],
    private: bool,
    silent: bool,
    kept: int,
    chance: random.Random,
) -> LayerSurvey:
    """Return figures that grow more selective with depth; some channels are dead or sparse."""
    columns: dict[str, list] = {name: [] for name in LayerSurvey.__annotations__}
    used: dict[str, Photo] = {}
    for _ in range(layer.channels):
        kind = chance.random()
        dead, sparse = silent or kind < 0.02, kind < 0.05
        share = 0.0 if dead else chance.uniform(0.001, 0.009) if sparse else chance.random() ** (
            progress / 2
        )  # fmt: skip
        fires = 0 if dead else max(1, round(share * photos))
        high = -chance.uniform(0, 1) * layer.signed if dead else chance.uniform(0.5, 8)
        low = high - chance.uniform(0, 2) if layer.signed else 0.0 if share < 1 else high / 9
        maxima = sorted(chance.uniform(low, high) for _ in contract.QUANTILES)
        several = len(known) > 1 and not (dead and not layer.signed)
        separation = chance.expovariate(1 / (0.2 + 1.6 * progress)) if several else None
        strongest = None
        if fires:
            shown = [photo(n) for n in chance.sample(range(photos), min(kept, photos, fires))]
            used |= {one.name: one for one in shown}
            values = sorted((chance.uniform(high / 2, high) for _ in shown[1:]), reverse=True)
            strongest = (shown, [high, *values])
        columns["fires"].append(fires)
        columns["mean"].append(six((low + high) / 5))
        columns["deviation"].append(six((high - low) / 4))
        columns["photo_deviation"].append(six((high - low) / 9))
        columns["low"].append(six(low))
        columns["high"].append(six(high))
        columns["quantiles"].append(tuple(map(six, maxima)))
        columns["best"].append(chance.randrange(len(known)) if several else None)
        columns["separation"].append(None if separation is None else six(separation))
        selective = several and not layer.signed and separation is not None
        columns["selectivity"].append(six(separation / (1 + separation)) if selective else None)
        columns["strongest"].append(strongest)
    ordered = [] if private else sorted(used)
    places = {name: position for position, name in enumerate(ordered)}
    columns["photos"] = [used[name] for name in ordered]
    columns["strongest"] = [
        one
        and Strongest(
            tuple(places[shown.name] for shown in one[0]) if not private else (),
            tuple(map(six, one[1])),
            tuple(chance.randrange(layer.height) for _ in one[0]),
            tuple(chance.randrange(layer.width) for _ in one[0]),
        )
        for one in columns["strongest"]
    ]
    columns.pop("layer")
    return LayerSurvey(layer.name, **{name: tuple(values) for name, values in columns.items()})


def _sheet(
    path: str, filled: Sequence[int], each: int, side: int, cut: Cut, chance: random.Random
) -> tuple[Sheet, bytes]:
    """Return a sprite of `each` cells for every entry, of which so many are filled."""
    columns = min(32, len(filled)) * each
    rows = -(-len(filled) * each // columns)
    picture = Image.new("RGBA", (columns * side, rows * side))
    for entry, count in enumerate(filled):
        for j in range(count):
            row, column = divmod(entry * each + j, columns)
            picture.paste(cut(chance, side), (column * side, row * side))
    content = io.BytesIO()
    picture.save(content, "WEBP", quality=70)
    return Sheet(path, side, columns, rows), content.getvalue()


def _answers(
    known: Sequence[Kind], counts: Sequence[int], categories: int, chance: random.Random
) -> list[dict[int, int]]:
    """Return for each class how many of its photos got which category."""
    found = []
    for kind, count in zip(known, counts, strict=True):
        right = round(count * chance.uniform(0.55, 0.98)) if kind.category is not None else 0
        given = {} if kind.category is None else {kind.category: right}
        left = count - right
        while left:
            answer = chance.randrange(categories)
            part = chance.randint(1, left)
            given[answer] = given.get(answer, 0) + part
            left -= part
        found.append(given)
    return found


def _wrong(confusions: Sequence[Confusion], chance: random.Random) -> list[Wrong]:
    several = [one for one in confusions for _ in range(min(one.photos, 8))][: contract.WRONG]
    found = [(one, chance.uniform(0.3, 0.999)) for one in several]
    wrong = [
        Wrong(None, one.label, one.answer, six(p), six(-log((1 - p) * chance.uniform(0.01, 0.9))))
        for one, p in found
    ]
    return sorted(wrong, key=lambda one: -one.loss)


def _class(
    kind: Kind,
    photos: int,
    answered: dict[int, int],
    channels: list[ClassChannel],
    chance: random.Random,
) -> ClassSurvey:
    right = answered.get(kind.category, 0)
    judged = kind.category is not None
    best = sorted(channels, key=lambda one: (-one.separation, one.layer, one.channel))
    return ClassSurvey(
        name=kind.name,
        slug=kind.slug or artifacts.slug(kind.name),
        category=kind.category,
        photos=photos,
        top1=right if judged else None,
        top5=right + round((photos - right) * chance.uniform(0.3, 0.9)) if judged else None,
        channels=tuple(best[: contract.CLASS_CHANNELS]),
    )
