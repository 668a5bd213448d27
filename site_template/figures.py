"""The numbers of a gallery, for pages that state some of them. Needs no NumPy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import artifacts
from export.manifest import Layer, ModelManifest
from precompute.index import (
    SHARED,
    Contributions,
    GalleryIndex,
    ImageEntry,
    LayerFigures,
    SharedFigures,
    TileSheet,
    figures_name,
    read_entry,
)
from site_template.pages import Card

REMEDY = "make precompute"


@dataclass(frozen=True)
class Numbers:
    """What was computed, read when it is asked for."""

    manifest: ModelManifest
    index: GalleryIndex
    tiles: Path
    """The model's folder of tiles."""
    cards: Sequence[Card]
    """Of every picture, in display order."""

    @property
    def photos(self) -> list[Card]:
        """The photos, without charts; the charts where there is nothing else."""
        return [card for card in self.cards if not card.chart] or list(self.cards)

    def entry(self, card: Card) -> ImageEntry:
        return read_entry(self.tiles, card.id)

    def layer(self, wanted: Callable[[Layer], bool], last: bool = False) -> Layer | None:
        """Return the first or the last layer shown that is `wanted`, or None."""
        found = [layer for layer in self.manifest.feature_maps if wanted(layer)]
        return found[-1 if last else 0] if found else None

    def sheet(self, card: Card, layer: Layer) -> TileSheet:
        return next(sheet for sheet in self.entry(card).sheets if sheet.layer == layer.name)

    def figures(self, card: Card, layer: Layer) -> LayerFigures:
        path = self.tiles / card.id / figures_name(layer.slug)
        return artifacts.decode(path, LayerFigures, REMEDY)

    def shared(self, layer: Layer) -> SharedFigures:
        path = self.tiles / SHARED / figures_name(layer.slug)
        return artifacts.decode(path, SharedFigures, REMEDY)

    def contributions(self, card: Card) -> Contributions | None:
        """Return what each channel adds to the answers, where the model has such a classifier."""
        name = self.entry(card).contributions
        if name is None:
            return None
        return artifacts.decode(self.tiles / card.id / name, Contributions, REMEDY)


def largest(values: Sequence[float]) -> int:
    """Return the position of the largest value; the first where there are several."""
    return max(range(len(values)), key=lambda i: values[i])
