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
TICKS = (-1.0, -0.5, 0.0, 0.5, 1.0)
WIDTH, LEFT, TOP, HIGH = 960, 40, 10, 170
"""Of a plot, in units of its drawing; HIGH from its 1 down to its lowest value."""
Marks = tuple[float, tuple[float, float] | None, tuple[float, float] | None]
"""A value, and the ends of a thin and a thick line through it."""


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
            if not folder.is_dir():
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
    """A layer in a plot: the heights of its dot, and of the lines through it from end to end."""

    layer: str
    value: float
    x: float
    dot: float
    thin: tuple[float, float] | None
    thick: tuple[float, float] | None


@dataclass(frozen=True)
class Stage:
    """A part of the network below the plots."""

    name: str
    left: float
    right: float


@dataclass(frozen=True)
class Plot:
    """One number of each layer, by depth."""

    title: str
    points: tuple[Point, ...]
    stages: tuple[Stage, ...]
    ticks: tuple[tuple[str, float], ...]
    """Value and height."""


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
class Dead:
    """Channels of one layer, or of several after each other that have the same ones."""

    layers: tuple[str, ...]
    channels: tuple[int, ...]


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
    plots: tuple[Plot, ...]
    grid: Grid
    channels: tuple[Changed, ...]
    died: tuple[Dead, ...]
    revived: tuple[Dead, ...]
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
        plots=tuple(_plots(one, a.manifest)),
        grid=_grid(one, a.manifest, b.manifest),
        channels=tuple(Changed(layer.layer, channel) for layer, channel in changed),
        died=_dead([(name, channels.died) for name, channels in told]),
        revived=_dead([(name, channels.revived) for name, channels in told]),
        classes=tuple(ranking.changed_classes(one)[:LISTED]),
    )


def _dead(layers: Sequence[tuple[str, tuple[int, ...]]]) -> tuple[Dead, ...]:
    groups = groupby((one for one in layers if one[1]), key=lambda one: one[1])
    return tuple(Dead(tuple(name for name, _ in group), dead) for dead, group in groups)


def _plots(one: Difference, manifest: ModelManifest) -> Iterator[Plot]:
    """Yield the plot of similarities and that of correlations, where there are any."""
    similarities = [
        None
        if layer.similarity is None
        else (layer.similarity, _around(layer.similarity, layer.error), None)
        for layer in one.layers
    ]
    correlations = [
        (q[2], (q[0], q[4]), (q[1], q[3])) if m.channels and (q := m.channels.quantiles) else None
        for m in one.layers
    ]
    for title, values in (
        ("Similarity of the layer (CKA)", similarities),
        ("Correlation of its channels", correlations),
    ):
        if any(values):
            yield _plot(title, [layer.layer for layer in one.layers], values, manifest)


def _around(value: float, error: float | None) -> tuple[float, float] | None:
    """Return the ends of two standard errors to either side."""
    return None if error is None else (value - 2 * error, value + 2 * error)


def _plot(
    title: str, layers: Sequence[str], values: Sequence[Marks | None], manifest: ModelManifest
) -> Plot:
    """Return the plot of values of layers: the value itself, and the ends of two lines."""
    step = (WIDTH - LEFT) / len(layers)
    lowest = min(min(one[0], *(one[1] or ())) for one in values if one)
    low = next(end for end in (0.0, -0.5, -1.0) if lowest >= end - 0.05 or end == -1)

    def at(value: float) -> float:
        return round(TOP + (1 - min(max(value, low), 1)) / (1 - low) * HIGH, 1)

    def line(ends: tuple[float, float] | None) -> tuple[float, float] | None:
        return None if ends is None else (at(ends[0]), at(ends[1]))

    points = tuple(
        Point(
            name, one[0], round(LEFT + (i + 0.5) * step, 1), at(one[0]), line(one[1]), line(one[2])
        )
        for i, (name, one) in enumerate(zip(layers, values, strict=True))
        if one
    )
    stage_of = {layer.name: layer.stage for layer in manifest.layers}
    stages, place = [], 0
    for stage, group in groupby(layers, key=lambda name: stage_of[name]):
        left, place = LEFT + place * step, place + len(list(group))
        stages.append(Stage(stage, round(left, 1), round(LEFT + place * step, 1)))
    ticks = tuple((f"{t:g}".replace("-", "−"), at(t)) for t in TICKS if t >= low)
    return Plot(title, points, tuple(stages), ticks)


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
