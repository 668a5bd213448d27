"""What each page is told: the contracts of the earlier stages, arranged for the templates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import log10
from urllib.parse import quote, urlencode

from msgspec import UNSET, UnsetType

from export.manifest import Layer, ModelManifest, ReceptiveField
from precompute.index import (
    MODEL,
    RANKING,
    GalleryIndex,
    ImageEntry,
    SharedLayer,
    TileSheet,
    origin_name,
)
from precompute.lessons import MISTAKES, STEM, TOURS, Stop, Tours
from site_template.browser import BrowserModel, own_photo
from site_template.computed import Text, Words, computed, sources, told
from site_template.drawing import Wiring, shown_sources, wiring
from site_template.residual import Part, Residual, residual_of, residuals
from site_template.survey_panel import Panel

SAMPLES = 6
"""Photos of the gallery that a visitor can try where an own one is asked for."""
STRIP = (700, 76)
"""Width and height, pixels, that a depth strip has room for."""
MOST_ROWS = range(2, 7)
"""Rows that it may have."""
FILMSTRIP = 48
"""Photos offered on a photo's page: the nearest in order, so that pages stay small."""


@dataclass(frozen=True)
class Site:
    """The settings of a site."""

    title: str
    author: str
    repository: str
    """URL of the source, or empty."""
    url: str
    """Absolute address with a final slash, or empty where it is not known."""


@dataclass(frozen=True)
class Card:
    """A photo as other pages show it."""

    id: str
    title: str
    chart: bool
    top1: str
    probability: float
    correct: bool | None
    classes: tuple[str, ...]
    """The first answer and, where it is known and another, the true class."""
    folder: str
    """Of its data, relative to the site."""
    page: str
    photo: str
    thumbnail: str
    thumbnail_width: int
    thumbnail_height: int
    strip: str

    @property
    def data(self) -> str:
        """Folder of its model's data."""
        return self.folder.rpartition("/")[0]

    def seen_from(self, root: str) -> "Card":
        """Return the same with links for a page from which `root` leads to the site."""
        names = ("folder", "page", "photo", "thumbnail", "strip")
        return replace(self, **{name: root + getattr(self, name) for name in names})


@dataclass(frozen=True)
class Tile:
    """A layer on a photo's page."""

    layer: Layer
    sheet: TileSheet
    position: int
    """In the depth strip."""
    label: str
    """Its name without what its block says already, and without what nearly all names begin with."""


@dataclass(frozen=True)
class Block:
    """Layers that belong together."""

    name: str
    stage: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Segment:
    """Neighbouring tiles of the depth strip, and where a page puts them. Units are tiles."""

    first: int
    count: int
    x: float
    y: float


@dataclass(frozen=True)
class Depth:
    """The depth strip arranged by stage and block: stages side by side, their blocks in rows."""

    segments: tuple[Segment, ...]
    width: float
    height: float
    tiles: int


@dataclass(frozen=True)
class ExplorerLayer:
    """A layer as the explorer needs it; what the names mean stands in Layer and SharedLayer. What
    would take knowledge of operations or of the graph is said in words here already.
    """

    name: str
    slug: str
    title: str
    facts: str
    """What it is, in a line."""
    computed: Text
    """How it is computed."""
    sources: tuple[tuple[int, str], ...]
    """Of a concatenation: first channel and name of each layer, empty where that is not shown."""
    residual: tuple[Part, ...]
    """The residual sum that it belongs to; empty where there is none."""
    signed: bool
    channels: int
    height: int
    width: int
    receptive_field: ReceptiveField | None
    """None where it sees the whole picture, or where it is not known how much."""
    sees: str
    """How much of the picture a value sees, in words."""
    figures: str
    """Path of its SharedFigures, relative to the model's data."""
    origin: str
    """Path of its Origin, likewise; empty where it has none."""
    scale: float
    """Over all photos."""


@dataclass(frozen=True)
class ExplorerModel:
    """What the explorer loads about the model, the same for every photo."""

    model: str
    crop: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    photos: int
    """Photos that everything said over all photos is about."""
    charts: int
    """Charts that are left out of it."""
    ranking: int
    """Channels in one file of a ranking of the photos."""
    classifier: str | None
    """The layer whose channels the class evidence is made of."""
    layers: tuple[ExplorerLayer, ...]
    survey: Panel | UnsetType = UNSET
    """Left out where no data set was surveyed."""


@dataclass(frozen=True)
class TourStop:
    """A stop of a tour, as the page of tours shows it."""

    stop: Stop
    id: str
    """Anchor on the page."""
    entry: ImageEntry
    folder: str
    """Of the photo's data, relative to the page."""
    link: str
    """Its view in the explorer, likewise."""


@dataclass(frozen=True)
class TourPart:
    """A guided tour, as the page of tours shows it."""

    id: str
    stops: tuple[TourStop, ...]


def model_data(index: GalleryIndex) -> str:
    """Return where a model's data lies in the site."""
    return f"{index.model}/data"


def sections(
    index: GalleryIndex, tours: Tours, browser: BrowserModel | None, home: str, survey: str
) -> list[tuple[str, str]]:
    """Return the path and the name of every page of a model that the header leads to.

    `home` is the folder of its pages, `survey` the first page of its survey, or empty.
    """
    optional = [("filters.html", "Filters", STEM), ("mistakes.html", "Preprocessing", MISTAKES)]
    return [
        (f"{home}index.html#photos", "Photos"),
        *([(own_photo(browser), "Your photo")] if browser else []),
        *([(f"{home}tours.html", "Tours")] if tours.tours else []),
        *([(survey, "Survey")] if survey else []),
        *((home + path, name) for path, name, part in optional if part in index.parts),
        (f"{home}about.html", "How to read this"),
        (f"{home}teaching.html", "Teach with it"),
    ]


def card(entry: ImageEntry, index: GalleryIndex) -> Card:
    """Return `entry` as other pages show it."""
    folder = f"{model_data(index)}/{entry.id}"
    return Card(
        id=entry.id,
        title=entry.title,
        chart=entry.chart,
        top1=entry.answers[0].name,
        probability=entry.answers[0].probability,
        correct=entry.correct,
        classes=tuple(dict.fromkeys(n for n in (entry.answers[0].name, entry.true_class) if n)),
        folder=folder,
        page=f"{index.model}/{entry.id}.html",
        photo=f"{folder}/{entry.photo}",
        thumbnail=f"{folder}/{entry.thumbnail}",
        thumbnail_width=entry.thumbnail_width,
        thumbnail_height=entry.thumbnail_height,
        strip=f"{folder}/{entry.strip.path}",
    )


def blocks(entry: ImageEntry, manifest: ModelManifest) -> list[Block]:
    """Return the layers of `entry` in forward order, those of one block together."""
    by_name = {layer.name: layer for layer in manifest.layers}
    shared = _prefix([sheet.layer for sheet in entry.sheets])
    tiles = [
        Tile(by_name[s.layer], s, i, _label(by_name[s.layer], shared))
        for i, s in enumerate(entry.sheets)
    ]
    return [
        Block(name, members[0].layer.stage, tuple(members))
        for name, group in groupby(tiles, key=lambda tile: tile.layer.block)
        if (members := list(group))
    ]


def _prefix(names: Sequence[str]) -> str:
    """Return the module that holds nearly all layers, with its dot, or an empty string."""
    modules = [name.partition(".")[0] + "." for name in names if "." in name]
    most = max(modules, key=modules.count, default="")
    return most if modules.count(most) > 0.9 * len(names) else ""


def _label(layer: Layer, prefix: str) -> str:
    name = layer.name.removeprefix(prefix)
    own = name.removeprefix(f"{layer.block.removeprefix(prefix)}.")
    return own or layer.name


def wirings(manifest: ModelManifest) -> tuple[Wiring, ...]:
    """Return how the layers of each block are wired, in the order of blocks()."""
    sources = shown_sources(manifest)
    return tuple(
        wiring([layer.name for layer in members], sources)
        for _, members in groupby(manifest.feature_maps, key=lambda layer: layer.block)
    )


def depth(parts: Sequence[Block]) -> Depth:
    """Return how the depth strip of these blocks is laid out: with the largest tiles that fit."""
    layouts = [_depth(parts, rows) for rows in MOST_ROWS]
    return max(layouts, key=lambda one: min(STRIP[0] / one.width, STRIP[1] / one.height))


def _depth(parts: Sequence[Block], most: int, gap: float = 0.6) -> Depth:
    """Return the depth strip with at most so many rows of tiles in each stage, read row by row."""
    segments = []
    left = height = 0.0
    for _, group in groupby(parts, key=lambda block: block.stage):
        rows = _rows([block.tiles for block in group], most)
        for row, tiles in enumerate(rows):
            top = row * 1.12
            segments.append(Segment(tiles[0].position, len(tiles), left, top))
            height = max(height, top + 1)
        left += max(map(len, rows)) + gap
    return Depth(tuple(segments), left - gap, height, sum(len(block.tiles) for block in parts))


def _rows(blocks: Sequence[Sequence[Tile]], most: int) -> list[list[Tile]]:
    """Return the tiles of a stage in rows: a block each, or several where there are too many."""
    enough = 0.0 if len(blocks) <= most else sum(map(len, blocks)) / most
    rows: list[list[Tile]] = []
    for tiles in blocks:
        if rows and len(rows[-1]) < enough:
            rows[-1] += tiles
        else:
            rows.append(list(tiles))
    return rows


def explorer_model(
    manifest: ModelManifest, index: GalleryIndex, cards: Sequence[Card], survey: Panel | None = None
) -> ExplorerModel:
    """Return what the explorer loads about the model and its photos."""
    photographs = sum(not card.chart for card in cards)
    shared = {layer.layer: layer for layer in index.layers}
    words, sums = told(manifest), residuals(manifest)
    return ExplorerModel(
        model=manifest.model,
        crop=manifest.input.crop,
        mean=manifest.input.mean,
        std=manifest.input.std,
        photos=photographs or len(cards),
        charts=len(cards) - photographs if photographs else 0,
        ranking=RANKING,
        classifier=manifest.classifier.features if manifest.classifier else None,
        layers=tuple(
            _explorer_layer(
                layer, shared[layer.name], words, manifest, sums, layer.name in index.origins
            )
            for layer in manifest.feature_maps
        ),
        survey=survey or UNSET,
    )


def _explorer_layer(
    layer: Layer,
    shared: SharedLayer,
    words: Words,
    manifest: ModelManifest,
    sums: tuple[Residual, ...],
    has_origin: bool,
) -> ExplorerLayer:
    residual = residual_of(layer, sums)
    return ExplorerLayer(
        name=layer.name,
        slug=layer.slug,
        title=layer.title,
        facts=_facts(layer, shared, words),
        computed=computed(layer, manifest),
        sources=sources(layer, manifest),
        residual=residual.parts if residual else (),
        signed=layer.signed,
        channels=layer.channels,
        height=layer.height,
        width=layer.width,
        receptive_field=layer.receptive_field,
        sees=words.sees[layer.name],
        figures=shared.figures,
        origin=f"{MODEL}/{origin_name(layer.slug)}" if has_origin else "",
        scale=shared.scale,
    )


def _facts(layer: Layer, shared: SharedLayer, words: Words) -> str:
    facts = (
        f"{counted(layer.channels, 'channel')} of {layer.height}×{layer.width}",
        f"each value {words.sees[layer.name]}",
        "signed" if layer.signed else "zero or more",
        f"{grouped(layer.parameters)} parameters" if layer.parameters else "",
        f"from {words.reads[layer.name]}",
        f"{counted(shared.dead, 'channel')} never above zero on any photo of the gallery"
        if shared.dead
        else "",
    )
    return " · ".join(fact for fact in facts if fact)


def tour_parts(
    tours: Tours, index: GalleryIndex, entry_of: Callable[[str], ImageEntry], root: str
) -> list[TourPart]:
    """Return the tours with the photo, the link and the anchor of each stop.

    `root` leads from the page of tours to the site.
    """
    return [
        TourPart(
            tour.id,
            tuple(
                TourStop(
                    stop,
                    f"{tour.id}-{number}",
                    entry_of(stop.image),
                    f"{root}{model_data(index)}/{stop.image}",
                    f"{root}{index.model}/{stop.image}.html#{_view(stop, tour.id, number)}",
                )
                for number, stop in enumerate(tour.stops, start=1)
            ),
        )
        for tour in tours.tours
    ]


def _view(stop: Stop, tour: str, number: int) -> str:
    """Return the fragment that opens a stop in the explorer."""
    view = {"layer": stop.layer, "channel": stop.channel, **stop.settings}
    return urlencode({**view, "tour": tour, "stop": number})


def tour_data(index: GalleryIndex) -> str:
    """Return where the pictures of the tours lie in the site."""
    return f"{model_data(index)}/{TOURS}"


def nearest(cards: Sequence[Card], position: int) -> Sequence[Card]:
    """Return at most FILMSTRIP cards around `position`."""
    first = max(0, min(position - FILMSTRIP // 2, len(cards) - FILMSTRIP))
    return cards[first : first + FILMSTRIP]


def samples(cards: Sequence[Card]) -> Sequence[Card]:
    """Return some of the photos, far apart in display order; charts where there are no photos."""
    photos = [card for card in cards if not card.chart] or list(cards)
    return photos[:: -(-len(photos) // SAMPLES)]


def stages(entry: ImageEntry, manifest: ModelManifest) -> list[Tile]:
    """Return the last layer of each stage: the way of a photo through the network in brief."""
    last = {block.stage: block.tiles[-1] for block in blocks(entry, manifest)}
    return list(last.values())


def percent(share: float) -> str:
    """Return a probability in per cent: whole numbers, more digits only for the small."""
    value = share * 100
    if value >= 1:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value >= 0.1 else "< 0.1 %"


def readable(value: float) -> str:
    """Return a number with three significant digits and a true minus sign, as numbers.js does."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent):+d}".replace("-", "−")
    rounded = float(f"{abs(value):.2e}")  # 9.996 is 10.0, not 10.00
    places = max(0, 2 - int(log10(rounded) // 1))
    return f"{value:.{places}f}".replace("-", "−")


def part(share: float) -> str:
    """Return a share in per cent that is only called all or nothing where it is."""
    if 0.995 <= share < 1:
        return "> 99 %"
    return "0 %" if share == 0 else percent(share)


def counted(number: int, noun: str) -> str:
    """Return how many there are of something: "1 photo", "2 photos"."""
    return f"{grouped(number)} {noun}{'' if number == 1 else 's'}"


def address(url: str) -> str:
    """Return an address that a person wrote with nothing in it that a link would have to escape."""
    return quote(url, safe=":/?#[]@!$&()*+,;=%~")


def grouped(value: int) -> str:
    """Return a whole number with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")
