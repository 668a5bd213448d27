"""What the pages are told that show one photo in several models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from statistics import fmean

import artifacts
from export.manifest import Layer, ModelManifest
from precompute.index import ImageEntry, LayerFigures, TileSheet
from site_template.figures import REMEDY
from site_template.models import Model
from site_template.pages import Card, Tile, stages


@dataclass(frozen=True)
class Column:
    """A photo in one model."""

    model: Model
    card: Card
    entry: ImageEntry
    folder: Path
    """Of its tiles."""

    @property
    def stages(self) -> list[Tile]:
        return stages(self.entry, self.model.manifest)


@dataclass(frozen=True)
class Cell:
    """A layer in one model: its mean over channels, and what is said of it."""

    sheet: TileSheet
    low: float
    """What black stands for."""
    high: float
    zeros: float | None
    """Share of all values that are exactly zero, between 0 and 1; None where the layer is signed."""


@dataclass(frozen=True)
class Row:
    """A layer in all models that have the same layers."""

    layer: Layer
    cells: tuple[Cell, ...]
    """One for each column."""


@dataclass(frozen=True)
class Alike:
    """Models of the same layers, which differ in nothing but their weights."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def id(self) -> str:
        """Of the part of the page."""
        return f"layers-{self.columns[0].model.id}"

    @property
    def trained(self) -> list[str]:
        """Names of the models whose weights were trained."""
        return [one.model.id for one in self.columns if not _random(one.model)]

    @property
    def untrained(self) -> list[str]:
        return [one.model.id for one in self.columns if _random(one.model)]

    @property
    def blocks(self) -> list[tuple[str, list[Row]]]:
        """The rows of each block, under its name."""
        return [(name, list(rows)) for name, rows in groupby(self.rows, lambda r: r.layer.block)]

    @property
    def last(self) -> Row | None:
        """The last layer that cannot be negative."""
        return next((row for row in reversed(self.rows) if not row.layer.signed), None)


def alike(columns: Sequence[Column]) -> list[Alike]:
    """Return those of `columns` that have the same layers, where they are two or more."""
    groups: dict[object, list[Column]] = {}
    for one in columns:
        groups.setdefault(_structure(one.model.manifest), []).append(one)
    return [Alike(tuple(group), tuple(_rows(group))) for group in groups.values() if len(group) > 1]


def _structure(manifest: ModelManifest) -> object:
    """Return what two models have in common that differ in their weights only."""
    return replace(manifest.input, name=""), tuple(
        (
            *(one.name, one.op, one.inputs, one.channels, one.height, one.width),
            *(one.kernel, one.stride, one.padding, one.dilation, one.groups),
        )
        for one in manifest.layers
    )


def _rows(columns: Sequence[Column]) -> Iterator[Row]:
    """Yield the layers that all of these models show."""
    sheets = [{sheet.layer: sheet for sheet in one.entry.sheets} for one in columns]
    for layer in columns[0].model.manifest.feature_maps:
        if all(layer.name in shown for shown in sheets):
            cells = (
                _cell(layer, one, shown[layer.name])
                for one, shown in zip(columns, sheets, strict=True)
            )
            yield Row(layer, tuple(cells))


def _cell(layer: Layer, column: Column, sheet: TileSheet) -> Cell:
    path = column.folder / sheet.figures
    figures = artifacts.decode(path, LayerFigures, REMEDY)
    if len(figures.zeros) != layer.channels:
        raise artifacts.ArtifactError(
            f"{path} is about {len(figures.zeros)} channels instead of {layer.channels}: run {REMEDY}"
        )
    zeros = None if layer.signed else fmean(figures.zeros)
    return Cell(sheet, figures.mean_low, figures.mean_high, zeros)


def _random(model: Model) -> bool:
    return model.manifest.weights.source == "random"
