"""What the page on the first convolution's filters is told."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from export.manifest import Layer, ModelManifest
from precompute.index import GalleryIndex
from precompute.lessons import STEM, FilterMeasures, StemFilters, StemMoment
from site_template.pages import model_data, readable

HALF = 0.5
"""Share from which a filter is said to be this or that."""
FAINT = 0.1
"""Of the median norm: filters below it are called faint."""
WAVES = 1.5
"""Waves in the window from which there is more than one stripe."""


@dataclass(frozen=True)
class Measure:
    """A measure as the page names it."""

    key: str
    """Field of FilterMeasures."""
    name: str
    show: Callable[[float], str]
    compared: bool
    """Whether training is judged by it."""


def share(value: float) -> str:
    """Return a share in whole per cent."""
    return f"{100 * value:.0f} %"


def hundredths(value: float) -> str:
    """Return a number around 1 with two decimals and a true minus sign."""
    return f"{value:.2f}".replace("-", "−")


def degrees(value: float) -> str:
    """Return an orientation in whole degrees below 180."""
    return f"{round(value) % 180}°"


MEASURES = (
    Measure("norm", "norm", readable, True),
    Measure("colour_share", "colour", share, True),
    Measure("flat_share", "flat", share, True),
    Measure("odd_share", "odd", share, False),
    Measure("orientation_selectivity", "oriented", share, True),
    Measure("concentration", "concentrated", share, True),
    Measure("orientation", "orientation", degrees, False),
    Measure("frequency", "cycles/pixel", hundredths, True),
)


@dataclass(frozen=True)
class Filter:
    """One kernel."""

    number: int
    values: dict[str, float | None]
    """Field of FilterMeasures to value."""
    magnified: float
    """How many times its own scale is finer than the common one."""
    alike: tuple[tuple[int, float], ...]
    """Filters that make a pair with it, and their similarity; the closest first."""

    @property
    def marks(self) -> list[tuple[str, str, int]]:
        """Sign, its name and the filter: the closest that is alike, and that is opposite."""
        alike = [other for other, similarity in self.alike if similarity > 0]
        opposite = [other for other, similarity in self.alike if similarity < 0]
        return [("≈", "alike", other) for other in alike[:1]] + [
            ("±", "opposite", other) for other in opposite[:1]
        ]


@dataclass(frozen=True)
class Kind:
    """Filters that look for the same sort of thing; every filter is of one kind."""

    name: str
    text: str
    rule: str
    filters: tuple[Filter, ...]
    """The clearest examples first."""


@dataclass(frozen=True)
class Compared:
    """A measure of the filters, and of as many before training: medians."""

    name: str
    these: str
    untrained: str


@dataclass(frozen=True)
class Moment:
    """A moment of training."""

    moment: StemMoment
    to_final: float
    """Median over filters."""


@dataclass(frozen=True)
class FilterPage:
    """Everything that the page shows."""

    stem: StemFilters
    layer: Layer
    folder: str
    """Of the pictures, relative to the site."""
    measures: tuple[Measure, ...]
    filters: tuple[Filter, ...]
    kinds: tuple[Kind, ...]
    compared: tuple[Compared, ...]
    moments: tuple[Moment, ...]
    changed: tuple[tuple[int, float], ...]
    """The filters least like their beginning, and how alike; empty without a history."""
    faint: tuple[Filter, ...]
    normalised: bool
    """Whether a batch norm follows, which gives every channel a strength of its own."""
    linked: bool
    """Whether the gallery shows the channels of these filters."""

    @property
    def mosaic_rows(self) -> int:
        """Rows of a mosaic of all filters."""
        return -(-len(self.filters) // self.stem.mosaic_columns)

    def window(self, cells: int, of: int) -> float:
        """Return how long `cells` cells are without the last gap; `of` weights make a cell."""
        return cells - 1 / (of + 1)


def filter_page(stem: StemFilters, manifest: ModelManifest, index: GalleryIndex) -> FilterPage:
    """Return what the page on these filters shows."""
    filters = _filters(stem)
    norms = [norm for norm in stem.measures.norm if norm is not None]
    return FilterPage(
        stem=stem,
        layer=manifest.layer(stem.layer),
        folder=f"{model_data(index)}/{STEM}",
        measures=MEASURES,
        filters=filters,
        kinds=_kinds(filters, stem),
        compared=_compared(stem),
        moments=tuple(
            Moment(moment, median(moment.to_final))
            for moment in (stem.history.moments if stem.history else ())
        ),
        changed=_changed(stem),
        faint=tuple(one for one in filters if (one.values["norm"] or 0) < FAINT * median(norms)),
        normalised=any(
            layer.op == "batch norm" and layer.inputs == (stem.layer,) for layer in manifest.layers
        ),
        linked=stem.layer in {layer.name for layer in manifest.feature_maps},
    )


def _filters(stem: StemFilters) -> tuple[Filter, ...]:
    partners: dict[int, list[tuple[int, float]]] = {}
    for pair in stem.pairs:
        partners.setdefault(pair.first, []).append((pair.second, pair.similarity))
        partners.setdefault(pair.second, []).append((pair.first, pair.similarity))
    return tuple(
        Filter(
            number=number,
            values={m.key: _values(stem.measures, m)[number] for m in MEASURES},
            magnified=stem.scale / largest if largest else 1.0,
            alike=tuple(partners.get(number, ())),
        )
        for number, largest in enumerate(stem.measures.largest)
    )


def _values(measures: FilterMeasures, measure: Measure) -> list[float | None]:
    values: list[float | None] = getattr(measures, measure.key)
    return values


def _kinds(filters: tuple[Filter, ...], stem: StemFilters) -> tuple[Kind, ...]:
    """Return the kinds that there are, with their filters."""
    chance = max(value or 0.0 for value in stem.untrained.measures.concentration)

    def of(key: str) -> Callable[[Filter], float]:
        return lambda one: one.values[key] or 0.0

    colour, flat, odd, norm = map(of, ("colour_share", "flat_share", "odd_share", "norm"))
    oriented, frequency = of("orientation_selectivity"), of("frequency")
    concentrated = of("concentration")
    left = list(filters)

    def take(
        name: str, text: str, rule: str, fits: Callable[[Filter], bool], best: Callable[..., float]
    ) -> Kind:
        found = sorted(filter(fits, left), key=lambda one: (-best(one), one.number))
        left[:] = [one for one in left if one not in found]
        return Kind(name, text, rule, tuple(found))

    kinds = (
        take(
            "Noise",
            "No pattern: what filters are before they are trained.",
            f"flat less than half, concentrated at most {share(chance)}, like an untrained filter",
            lambda one: flat(one) < HALF and concentrated(one) <= chance,
            norm,
        ),
        take(
            "Even colours",
            "One mixture of colours over the whole window: how much orange or green there is here.",
            "colour and flat at least half",
            lambda one: colour(one) >= HALF and flat(one) >= HALF,
            norm,
        ),
        take(
            "Colour opponents",
            "One colour beside its opposite. Blind to grey edges, however strong.",
            "colour at least half, flat less",
            lambda one: colour(one) >= HALF,
            norm,
        ),
        take(
            "Stripes",
            "Several lines side by side in one direction: fine texture.",
            "colour less than half, oriented at least half, 1.5 waves or more in the window",
            lambda one: oriented(one) >= HALF and frequency(one) * stem.columns >= WAVES,
            oriented,
        ),
        take(
            "Edges",
            "Light on one side and dark on the other, in one direction.",
            "colour less than half, oriented and odd at least half, fewer waves",
            lambda one: oriented(one) >= HALF and odd(one) >= HALF,
            oriented,
        ),
        take(
            "Bars",
            "One line, light or dark, in one direction: the same after half a turn.",
            "colour and odd less than half, oriented at least half, fewer waves",
            lambda one: oriented(one) >= HALF,
            oriented,
        ),
        take(
            "Everything else",
            "Grey, and of no one direction: spots, corners, brightness, and what has no clear form.",
            "colour and oriented less than half",
            lambda one: True,
            norm,
        ),
    )
    return tuple(kind for kind in kinds if kind.filters)


def _changed(stem: StemFilters, number: int = 3) -> tuple[tuple[int, float], ...]:
    if not stem.history:
        return ()
    likeness = enumerate(stem.history.moments[0].to_final)
    return tuple(sorted(likeness, key=lambda one: one[1])[:number])


def _compared(stem: StemFilters) -> tuple[Compared, ...]:
    def middle(measures: FilterMeasures, measure: Measure) -> str:
        known = [value for value in _values(measures, measure) if value is not None]
        return measure.show(median(known)) if known else "?"

    return tuple(
        Compared(m.name, middle(stem.measures, m), middle(stem.untrained.measures, m))
        for m in MEASURES
        if m.compared
    )
