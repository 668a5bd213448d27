"""What is said over all photos: scales, dead channels, strongest photos, and one common basis.

Everything here is computed from the tile sheets, layer by layer and photo by photo: memory does
not grow with the number of photos, and whoever has the published files can check it.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

import artifacts
from export.manifest import Layer
from precompute import index
from precompute.entry import components_of
from precompute.figures import EXACT, number, numbers
from precompute.reader import read_figures, read_sheet, sheet_of
from precompute.reductions import Basis, Float64, Moments, colours, project
from precompute.tiles import png

PEAKS = 6
"""Photos that are named for each channel."""
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
    moments, peaks = Moments(layer.channels), _Peaks(layer)
    low = np.full(layer.channels, np.inf, np.float32)
    high = np.full(layer.channels, -np.inf, np.float32)
    scale = 0.0
    for image, sheet, activations in _sheets(folder, layer, photos):
        figures = read_figures(folder / image, sheet)
        low = np.minimum(low, np.array(figures.low, np.float32))
        high = np.maximum(high, np.array(figures.high, np.float32))
        scale = max(scale, sheet.scale)
        peaks.add(image, figures)
        moments.add(activations)
    basis = moments.basis()
    reach = COLOUR_RANGE * np.sqrt(basis.variance)
    for image, _, activations in _sheets(folder, layer, [*photos, *charts]):
        picture = colours(project(activations, basis), -reach, reach)
        put(index.shared_pca_name(layer.slug, image), png(picture))
    dead = [] if layer.signed else np.flatnonzero(high <= 0).tolist()
    shared = index.SharedFigures(
        layer=layer.name,
        low=numbers(low, EXACT),
        high=numbers(high, EXACT),
        dead=dead,
        peaks=peaks.ranked(),
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


class _Peaks:
    """The largest maxima of each channel, at most one per photo."""

    def __init__(self, layer: Layer) -> None:
        self.signed = layer.signed
        self.images: list[str] = []
        self.best: list[list[tuple[float, int, int, int]]] = [[] for _ in range(layer.channels)]

    def add(self, image: str, figures: index.LayerFigures) -> None:
        position = len(self.images)
        self.images.append(image)
        rows = zip(self.best, figures.high, figures.row, figures.column, strict=True)
        for best, value, row, column in rows:
            if value <= 0 and not self.signed:
                continue
            if len(best) < PEAKS or value > best[-1][0]:
                best.append((value, position, row, column))
                best.sort(key=lambda peak: -peak[0])  # stable: the earlier photo wins a tie
                del best[PEAKS:]

    def ranked(self) -> index.Peaks:
        named = sorted({position for best in self.best for _, position, _, _ in best})
        new = {position: i for i, position in enumerate(named)}
        return index.Peaks(
            images=[self.images[position] for position in named],
            image=[[new[position] for _, position, _, _ in best] for best in self.best],
            value=[[value for value, _, _, _ in best] for best in self.best],
            row=[[row for _, _, row, _ in best] for best in self.best],
            column=[[column for _, _, _, column in best] for best in self.best],
        )
