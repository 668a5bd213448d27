"""What is said over all photos: scales, dead channels, strongest photos, and one common basis.

Everything here is computed from the tile sheets, layer by layer and photo by photo: memory does
not grow with the number of photos, and whoever has the published files can check it.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import artifacts
from export.manifest import Layer
from precompute import index
from precompute.entry import components_of
from precompute.figures import EXACT, number, numbers
from precompute.reader import read_figures, read_sheet, sheet_of
from precompute.reductions import Basis, Float64, Moments, colours, project
from precompute.tiles import png

RANKED = 200
"""Photos that are ranked for each channel, at most."""
PEAKS = 6
"""The first of them, which SharedFigures names."""
COLOUR_RANGE = 3.0
"""Standard deviations to either side of the mean that the shared colours cover."""


def share_layer(
    folder: Path,
    layer: Layer,
    photos: Sequence[str],
    charts: Sequence[str],
    put: Callable[[str, bytes], None],
) -> index.SharedLayer:
    """Hand the files of one layer over all `photos` to `put`, one by one; return the brief.

    Paths are those in the shared folder. `charts` get pictures in the common basis, but have no
    part in making it.
    """
    moments, ranking = Moments(layer.channels), _Ranking(layer)
    low = np.full(layer.channels, np.inf, np.float32)
    high = np.full(layer.channels, -np.inf, np.float32)
    scale = 0.0
    for image, sheet, activations in _sheets(folder, layer, photos):
        figures = read_figures(folder / image, sheet)
        low = np.minimum(low, np.array(figures.low, np.float32))
        high = np.maximum(high, np.array(figures.high, np.float32))
        scale = max(scale, sheet.scale)
        ranking.add(image, figures)
        moments.add(activations)
    basis = moments.basis()
    reach = COLOUR_RANGE * np.sqrt(basis.variance)
    for image, _, activations in _sheets(folder, layer, [*photos, *charts]):
        picture = colours(project(activations, basis), -reach, reach)
        put(index.shared_pca_name(layer.slug, image), png(picture))
    for first in range(0, layer.channels, index.RANKING):
        ranked = ranking.peaks(slice(first, first + index.RANKING), RANKED)
        put(index.ranking_name(layer.slug, first), artifacts.encode(ranked))
    dead = [] if layer.signed else np.flatnonzero(high <= 0).tolist()
    shared = index.SharedFigures(
        layer=layer.name,
        low=numbers(low, EXACT),
        high=numbers(high, EXACT),
        dead=dead,
        peaks=ranking.peaks(slice(None), PEAKS),
        basis=_basis(basis, reach),
    )
    put(index.figures_name(layer.slug), artifacts.encode(shared))
    return index.SharedLayer(
        layer=layer.name,
        figures=f"{index.SHARED}/{index.figures_name(layer.slug)}",
        low=number(float(low.min()), EXACT),
        high=number(float(high.max()), EXACT),
        scale=scale,
        dead=len(dead),
    )


def _sheets(
    folder: Path, layer: Layer, images: Sequence[str]
) -> Iterator[tuple[str, index.TileSheet, np.ndarray]]:
    for image in images:
        sheet = sheet_of(index.read_entry(folder, image), layer.name)
        yield image, sheet, read_sheet(folder / image, sheet)


def _basis(basis: Basis, reach: Float64) -> index.SharedBasis:
    first, second, third = (numbers(component, EXACT) for component in basis.components)
    return index.SharedBasis(
        mean=numbers(basis.mean, EXACT),
        components=(first, second, third),
        range=components_of(-reach, reach, basis.explained),
    )


class _Ranking:
    """The photos with the largest maxima of each channel, largest first; ties in their order."""

    def __init__(self, layer: Layer) -> None:
        self.floor = -np.inf if layer.signed else 0.0
        self.images: list[str] = []
        self.rows: list[NDArray[np.float64]] = []
        """Each (4, channels): value, position in `images`, row, column."""
        self.best = np.empty((4, 0, layer.channels))

    def add(self, image: str, figures: index.LayerFigures) -> None:
        position = np.full(len(figures.high), len(self.images))
        self.images.append(image)
        self.rows.append(np.array([figures.high, position, figures.row, figures.column]))
        if len(self.rows) >= RANKED:
            self._merge()

    def _merge(self) -> None:
        found = np.concatenate([self.best, *(row[:, None] for row in self.rows)], axis=1)
        self.rows = []
        order = np.argsort(-found[0], axis=0, kind="stable")[:RANKED]
        self.best = np.take_along_axis(found, order[None], axis=1)

    def peaks(self, channels: slice, most: int) -> index.Peaks:
        """Return the first `most` photos of some channels."""
        if self.rows:
            self._merge()
        value, position, row, column = self.best[:, :most, channels]
        fires = (value > self.floor).T  # (channels, photos)
        named = np.unique(position.T[fires]).astype(int)
        place = np.searchsorted(named, position).astype(int)
        return index.Peaks(
            images=[self.images[i] for i in named],
            image=_lists(place, fires),
            value=[numbers(v[f], EXACT) for v, f in zip(value.T, fires, strict=True)],
            row=_lists(row, fires),
            column=_lists(column, fires),
        )


def _lists(values: NDArray[Any], fires: NDArray[np.bool_]) -> list[list[int]]:
    return [v[f].astype(int).tolist() for v, f in zip(values.T, fires, strict=True)]
