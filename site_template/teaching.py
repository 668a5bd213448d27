"""What the page for teaching is told: programs, stages, mistakes and exercises of this gallery."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from export.manifest import Layer, ModelManifest
from precompute.index import SHARED, TileSheet, shared_pca_name
from site_template.exercises import Exercise, exercises, levels, quietest
from site_template.figures import Numbers, largest
from site_template.pages import Card
from site_template.residual import residuals
from site_template.snippets import Overwritten, Subject, overwritten, programs, subject

COLUMNS = 4
"""Photos that the stages are shown on."""
REACHES = ((0.1, "strokes"), (0.25, "textures"), (0.5, "parts"), (1.0, "things"))
"""What a stage can hold, by the share of the picture's side that its last layer sees."""
WHOLE = "whole"
UNKNOWN = "unknown"
"""Where the receptive field is not given: behind gates, or steps that nothing is known of."""


@dataclass(frozen=True)
class Stage:
    """Stages that see about as much of the picture, told as one."""

    names: tuple[str, ...]
    last: Layer
    total: Layer | None
    """Its last residual sum, where it has one."""
    reach: str
    zeros: float | None
    """Share of the last layer's values that are zero on the first photo; None where it is signed."""
    pictures: tuple[tuple[Card, str], ...]
    """The last layer on some photos, in the basis that all photos share: photo and path."""


@dataclass(frozen=True)
class Window:
    """One channel of a tile sheet: where its tile lies, in pixels of the sheet."""

    url: str
    sheet: TileSheet
    channel: int
    low: float
    high: float

    @property
    def x(self) -> int:
        return self.channel % self.sheet.columns * self.sheet.tile_width

    @property
    def y(self) -> int:
        return self.channel // self.sheet.columns * self.sheet.tile_height

    @property
    def whole(self) -> tuple[int, int]:
        """Width and height of the sheet."""
        return (
            self.sheet.columns * self.sheet.tile_width,
            self.sheet.rows * self.sheet.tile_height,
        )


@dataclass(frozen=True)
class Pair:
    """Two maps to compare, on the same photo."""

    card: Card
    left: Window
    right: Window


@dataclass(frozen=True)
class Lesson:
    """Everything that the page shows and that depends on this gallery."""

    programs: dict[str, str]
    subject: Subject
    hooked: Overwritten | None
    hooked_maps: Pair | None
    """What a hook should keep and what it keeps without a copy: the same channel."""
    stretched: Pair | None
    """A quiet and a loud channel of one layer, each on its own scale."""
    photos: tuple[Card, ...]
    """Those that the stages are shown on."""
    stages: tuple[Stage, ...]
    levels: tuple[tuple[str, list[Exercise]], ...]
    relu: Layer | None
    """The first ReLU shown."""
    chart: Card | None
    wrong: Card | None
    """The first photo whose answer is wrong."""


def lesson(numbers: Numbers) -> Lesson:
    """Gather what the page shows."""
    hooked = overwritten(numbers)
    chosen = subject(numbers, hooked)
    photos = tuple(numbers.photos[:COLUMNS])
    return Lesson(
        programs=programs(numbers, chosen, hooked),
        subject=chosen,
        hooked=hooked,
        hooked_maps=_hooked_maps(numbers, hooked) if hooked else None,
        stretched=_stretched(numbers),
        photos=photos,
        stages=tuple(_stages(numbers, photos)),
        levels=tuple(levels(exercises(numbers))),
        relu=numbers.layer(lambda one: one.op == "relu"),
        chart=next((card for card in numbers.cards if card.chart), None),
        wrong=next((card for card in numbers.photos if card.correct is False), None),
    )


def reach(layer: Layer, manifest: ModelManifest) -> str:
    """Return what a layer can hold, by how much of the picture one activation sees."""
    if layer.receptive_field is None:
        return UNKNOWN
    share = max(layer.receptive_field.size) / manifest.input.crop
    return next((name for limit, name in REACHES if share <= limit), WHOLE)


def _stages(numbers: Numbers, photos: Sequence[Card]) -> list[Stage]:
    manifest = numbers.manifest
    by_stage = {
        name: list(group)
        for name, group in groupby(manifest.feature_maps, key=lambda layer: layer.stage)
    }
    found = []

    def key(name: str) -> tuple[str, str]:
        kind = reach(by_stage[name][-1], manifest)
        return kind, name if kind == UNKNOWN else ""

    sums = {one.total.name: one.total for one in residuals(manifest)}
    for (kind, _), group in groupby(by_stage, key=key):
        names = tuple(group)
        layers = [layer for name in names for layer in by_stage[name]]
        last = layers[-1]
        totals = [layer for layer in layers if layer.name in sums]
        pictures = tuple(
            (card, f"{card.data}/{SHARED}/{shared_pca_name(last.slug, card.id)}") for card in photos
        )
        zeros = None if last.signed else fmean(numbers.figures(photos[0], last).zeros)
        found.append(Stage(names, last, totals[-1] if totals else None, kind, zeros, pictures))
    return found


def _window(numbers: Numbers, card: Card, layer: Layer, channel: int) -> Window:
    sheet, figures = numbers.sheet(card, layer), numbers.figures(card, layer)
    url = f"{card.folder}/{sheet.path}"
    return Window(url, sheet, channel, figures.low[channel], figures.high[channel])


def _hooked_maps(numbers: Numbers, hooked: Overwritten) -> Pair:
    right, wrong = (
        _window(numbers, hooked.card, layer, hooked.channel)
        for layer in (hooked.layer, hooked.becomes)
    )
    return Pair(hooked.card, right, wrong)


def _stretched(numbers: Numbers) -> Pair | None:
    found = quietest(numbers)
    if found is None:
        return None
    card, layer, channel, _ = found
    loud = largest(numbers.figures(card, layer).high)
    return Pair(card, _window(numbers, card, layer, channel), _window(numbers, card, layer, loud))
