"""What the pages are told that compare two surveys of the same photos."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import artifacts
from artifacts import ArtifactError
from export.manifest import Layer, ModelManifest
from site_template.models import SIDE_BY_SIDE, Model
from survey.diff import ranking
from survey.diff.contract import (
    QUANTILES,
    ChangedChannel,
    ClassDifference,
    Difference,
    LayerDifference,
    difference_folder,
    read_difference,
)

LISTED = 24
"""Channels, and classes."""
MOST_BLOCKS = 20
"""Blocks of a network beyond which its stages are compared."""
LEVELS = 10
"""Of the colour of a cell, beside none."""
WIDTH, LEFT, TOP, HIGH = 960, 40, 10, 170
"""Of a plot, in units of its drawing; HIGH from its 1 down to its lowest value."""


def find_differences(
    surveys: Path, described: Sequence[tuple[Path, ModelManifest]]
) -> list[Difference]:
    """Return the comparisons between models of the site, in the order of the models.

    Raises ArtifactError where one is not of these models, or cannot be right.
    """
    found = []
    for path_a, a in described:
        for path_b, b in described:
            folder = difference_folder(surveys, a.model, b.model)
            if a is b or not folder.is_dir():
                continue
            one = read_difference(folder)
            hashes = (one.a.manifest_sha256, one.b.manifest_sha256)
            if hashes != (artifacts.sha256(path_a), artifacts.sha256(path_b)):
                raise ArtifactError(
                    f"{folder} compares other models than {path_a} and {path_b} describe: run make "
                    f"survey for both, then make survey-diff A={a.model} B={b.model}"
                )
            for fault in _faults(one, a, b):
                raise ArtifactError(
                    f"{folder} cannot be right: {fault}; run make survey-diff A={a.model} B={b.model}"
                )
            found.append(one)
    return found


def _faults(one: Difference, a: ModelManifest, b: ModelManifest) -> Iterator[str]:
    shown_a, shown_b = ({m.name: m.channels for m in model.feature_maps} for model in (a, b))
    if (one.a.model, one.b.model) != (a.model, b.model):
        yield "its models have other names"
    if (one.rows, one.columns) != (tuple(shown_a), tuple(shown_b)):
        yield "its layers are not those of the models"
        return
    if [len(row) for row in one.pairs] != [len(one.columns)] * len(one.rows):
        yield "it has not a similarity for each pair of layers"
    for layer in one.layers:
        if (layer.channels_a, layer.channels_b) != (
            shown_a.get(layer.layer),
            shown_b.get(layer.layer),
        ):
            yield f"{layer.layer} is no layer of both, or has other channels"
        elif layer.channels:
            told = layer.channels
            named = [*told.died, *told.revived, *(one.channel for one in told.changed)]
            if max(named, default=0) >= layer.channels_a:
                yield f"{layer.layer} has no such channel as it names"
            if told.quantiles and len(told.quantiles) != len(QUANTILES):
                yield f"{layer.layer} has not {len(QUANTILES)} quantiles"
    for count in (one.a, one.b):
        if (count.top1 is None) != (count.judged == 0) or (count.top1 or 0) > count.judged:
            yield f"{count.model} has more right answers than photos"
    if any(c.top1_a > c.photos_a or c.top1_b > c.photos_b for c in one.classes):
        yield "a class has more right answers than photos"


def difference_path(one: Difference) -> str:
    """Return the path of the page, relative to the site: no page of a photo lies so deep."""
    return f"{SIDE_BY_SIDE}/surveys/{one.a.model}--{one.b.model}.html"


@dataclass(frozen=True)
class Point:
    """A layer in the plots."""

    layer: LayerDifference
    x: float
    similarity: float | None
    """Height of the dot; so are all that follow."""
    error: tuple[float, float] | None
    quantiles: tuple[float, ...] | None


@dataclass(frozen=True)
class Stage:
    """A part of the network below the plots."""

    name: str
    left: float
    right: float


@dataclass(frozen=True)
class Plot:
    """Similarities and correlations by depth."""

    points: tuple[Point, ...]
    stages: tuple[Stage, ...]
    ticks: tuple[tuple[float, float], ...]
    """Value and height."""
    floor: float
    """The lowest height."""


@dataclass(frozen=True)
class Cell:
    """The similarity of a block of A and one of B, as the ends of both have it."""

    similarity: float | None
    level: int
    """Strength of its colour, 0 to LEVELS."""


@dataclass(frozen=True)
class Grid:
    """Every block of A (a row) with every block of B, or every stage."""

    unit: str
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Changed:
    """A channel that changed, and where it can be seen."""

    layer: str
    one: ChangedChannel


@dataclass(frozen=True)
class Page:
    """Everything that the page shows."""

    a: Model
    b: Model
    difference: Difference
    first: LayerDifference | None
    """The first layer that is not alike."""
    least: LayerDifference | None
    """The layer that is least alike."""
    plot: Plot
    grid: Grid
    channels: tuple[Changed, ...]
    died: tuple[tuple[str, tuple[int, ...]], ...]
    revived: tuple[tuple[str, tuple[int, ...]], ...]
    classes: tuple[ClassDifference, ...]

    @property
    def alike(self) -> float:
        return ranking.ALIKE


def difference_page(one: Difference, models: Mapping[str, Model]) -> Page:
    """Return what the page of a comparison shows."""
    a, b = models[one.a.model], models[one.b.model]
    told = [(layer.layer, layer.channels) for layer in one.layers if layer.channels]
    changed = ranking.changed_channels(one)[:LISTED]
    return Page(
        a=a,
        b=b,
        difference=one,
        first=ranking.first_different(one),
        least=next(iter(ranking.least_alike(one)), None),
        plot=_plot(one, a.manifest),
        grid=_grid(one, a.manifest, b.manifest),
        channels=tuple(Changed(layer.layer, channel) for layer, channel in changed),
        died=tuple((name, channels.died) for name, channels in told if channels.died),
        revived=tuple((name, channels.revived) for name, channels in told if channels.revived),
        classes=tuple(ranking.changed_classes(one)[:LISTED]),
    )


def _plot(one: Difference, manifest: ModelManifest) -> Plot:
    step = (WIDTH - LEFT) / max(len(one.layers), 1)
    values = [layer.similarity for layer in one.layers]
    values += [q for m in one.layers if m.channels for q in m.channels.quantiles or ()]
    lowest = min([0.0, *(value for value in values if value is not None)])
    low = next(end for end in (0.0, -0.25, -0.5, -1.0) if lowest >= end)

    def at(value: float) -> float:
        return round(TOP + (1 - min(max(value, low), 1)) / (1 - low) * HIGH, 1)

    points = []
    for place, layer in enumerate(one.layers):
        channels = layer.channels
        known, error = layer.similarity, layer.error
        points.append(
            Point(
                layer,
                round(LEFT + (place + 0.5) * step, 1),
                None if known is None else at(known),
                None
                if known is None or error is None
                else (at(known + 2 * error), at(known - 2 * error)),
                tuple(map(at, channels.quantiles)) if channels and channels.quantiles else None,
            )
        )
    stage_of = {layer.name: layer.stage for layer in manifest.layers}
    stages, place = [], 0
    for stage, group in groupby(one.layers, key=lambda layer: stage_of[layer.layer]):
        count = len(list(group))
        left, right = LEFT + place * step, LEFT + (place + count) * step
        stages.append(Stage(stage, round(left, 1), round(right, 1)))
        place += count
    ticks = [tick for tick in (-1.0, -0.5, 0.0, 0.5, 1.0) if tick >= low]
    return Plot(tuple(points), tuple(stages), tuple((t, at(t)) for t in ticks), TOP + HIGH)


def _grid(one: Difference, a: ModelManifest, b: ModelManifest) -> Grid:
    unit = "block"
    ends = [_ends(model.feature_maps, unit) for model in (a, b)]
    if max(map(len, ends)) > MOST_BLOCKS:
        unit = "stage"
        ends = [_ends(model.feature_maps, unit) for model in (a, b)]
    rows, columns = ends
    return Grid(
        unit,
        tuple(
            (name, tuple(_cell(one.pairs[row][column]) for column in columns.values()))
            for name, row in rows.items()
        ),
        tuple(columns),
    )


def _ends(layers: Sequence[Layer], unit: str) -> dict[str, int]:
    """Return the position of the last layer of each block or stage, by its name."""
    return {getattr(layer, unit): place for place, layer in enumerate(layers)}


def _cell(similarity: float | None) -> Cell:
    return Cell(similarity, round(LEVELS * max(similarity or 0, 0)))
