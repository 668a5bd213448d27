"""What the pages of a survey are told. Needs no NumPy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from math import exp, sqrt
from statistics import NormalDist

from export.manifest import Layer
from site_template.plots import Axis, axis, quantile
from site_template.survey_files import PUBLISHED, Survey
from survey.contract import (
    CONFUSIONS,
    QUANTILES,
    SPARSE,
    ClassChannel,
    ClassSurvey,
    Confusion,
    LayerReference,
    LayerSurvey,
    Patches,
    Photo,
    Sheet,
    Wrong,
)

NORMAL = 1.959964
"""Standard deviations within which 95 % of a normal distribution lie."""
HARDEST = 20
"""Classes that the first page of a survey lists."""
RANKED = 24
"""Channels in a ranking."""
EXCEPTIONS = 8
PATCHED = 512
"""Channels up to which the table of all of them has patches."""
LINKED = 600
"""Dots of a drawing that lead to their row; more are drawn alike, and lead nowhere."""
NAMED = 8
"""Dots that have their number beside them."""
SHEETS = 4_000_000
"""Bytes of patches that the page of a class may load; each layer's are one picture."""


Shown = tuple[tuple[Photo, float], ...]
"""The photos that the patches of a channel are cut from, with the maximum of each."""
Credits = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Author and licence of photos that have their own, and the names of these photos."""


def survey_path(home: str) -> str:
    """Return the first page of a survey; `home` is the folder of the model's pages."""
    return f"{home}{PUBLISHED}/index.html"


def classes_path(home: str) -> str:
    """Return the page that lists all classes of a survey."""
    return f"{home}{PUBLISHED}/classes/index.html"


def class_path(home: str, one: ClassSurvey) -> str:
    """Return the page about one class of a survey."""
    return f"{home}{PUBLISHED}/classes/{one.slug}.html"


def layer_path(home: str, layer: Layer) -> str:
    """Return the page about one layer in a survey."""
    return f"{home}{PUBLISHED}/layers/{layer.slug}.html"


def paths(survey: Survey, home: str) -> Iterator[str]:
    """Yield the path of every page about a survey."""
    yield survey_path(home)
    if survey.index.classes:
        yield classes_path(home)
    yield from (class_path(home, one) for one in survey.index.classes)
    yield from (layer_path(home, layer) for layer in survey.manifest.feature_maps)


@dataclass(frozen=True)
class Rate:
    """How many of some photos were answered rightly."""

    right: int
    of: int

    @property
    def share(self) -> float:
        return self.right / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies with a confidence of 95 %, by E. B. Wilson's interval (1927), for
        photos drawn independently from what shall be judged.
        """
        if not self.of:
            return 0.0, 1.0
        weight = NORMAL**2 / self.of
        centre = (self.share + weight / 2) / (1 + weight)
        half = sqrt(self.share * (1 - self.share) / self.of + weight / (4 * self.of)) * NORMAL
        half /= 1 + weight
        return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True)
class Mistake:
    """How often a class got a wrong answer."""

    one: ClassSurvey
    answer: str
    answered: ClassSurvey | None
    """The class that the answer is, where the data set has it."""
    photos: int


@dataclass(frozen=True)
class Outcome:
    """A class and how it was answered."""

    one: ClassSurvey
    top1: Rate | None
    top5: Rate | None
    mistake: Mistake | None
    """The most frequent that is known."""


@dataclass(frozen=True)
class WrongPhoto:
    """A photo that the network is wrong about."""

    wrong: Wrong
    cell: int
    label: ClassSurvey
    answer: str
    own: float
    """Probability of the true class."""
    right: bool
    photo: Photo | None


@dataclass(frozen=True)
class Spread:
    """A figure over the channels of a layer: its 5 %, 50 % and 95 % quantile."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class LayerRow:
    """A layer in the table of all of them."""

    layer: Layer
    reference: LayerReference
    fires: Spread
    """Shares of the photos on which its channels fire."""
    separation: Spread | None
    best: int | None
    """The channel with the largest separation."""
    clearest: float | None
    """Its separation."""
    label: ClassSurvey | None
    """And its class."""


@dataclass(frozen=True)
class Depth:
    """The layers side by side, each as the range of a figure over its channels."""

    separation: bool
    """Whether it shows separations, and not the shares of photos on which channels fire."""
    y: Axis
    bars: tuple[tuple[float, Spread, LayerRow], ...]
    """Place on the drawing, what is drawn there, and of which layer."""
    stages: tuple[tuple[float, float, str], ...]
    """Where each stage begins and ends, and its name."""
    width: float


@dataclass(frozen=True)
class Overview:
    """The first page of a survey."""

    top1: Rate | None
    top5: Rate | None
    hardest: tuple[Outcome, ...]
    """Classes with the smallest shares of right answers first; all of them where they are few."""
    mistakes: tuple[Mistake, ...]
    wrong: tuple[WrongPhoto, ...]
    layers: tuple[LayerRow, ...]
    depth: Depth
    channels: int
    unsigned: int
    """Channels of layers that cannot go below zero."""
    dead: int
    """Those of them that are above zero on no photo."""
    below: int
    """Channels of other layers that are above zero on no photo."""
    sparse: int
    clearest: LayerRow | None
    """That with the channel of the largest separation."""
    chance: tuple[float, float] | None
    """Separations that come about by chance: see _chance."""
    deadest: LayerRow | None
    """That with the most dead channels; None where none is dead."""
    judged_classes: int
    smallest: int | None
    """Photos of the smallest class that has any."""
    each: int
    """Patches of a channel; 0 where there are none."""


@dataclass(frozen=True)
class Channel:
    """A channel of a layer."""

    number: int
    fires: int
    share: float
    """Of the photos, on which it fires."""
    mean: float
    deviation: float
    high: float
    middle: float
    """Median of the photos' maxima."""
    label: ClassSurvey | None
    selectivity: float | None
    separation: float | None
    photos: Shown


@dataclass(frozen=True)
class Ranking:
    """Channels that have something in common."""

    id: str
    title: str
    text: str
    hint: str
    """What to look for in the patches."""
    channels: tuple[Channel, ...]
    left: int
    """Channels of the kind that are not listed."""


@dataclass(frozen=True)
class Dot:
    """A channel on a drawing."""

    channel: Channel
    x: float
    y: float
    side: str
    """Where its number stands: `right`, `left`, or empty where there is no room."""


@dataclass(frozen=True)
class Plot:
    """All channels of a layer, two figures of each against each other."""

    strength: bool
    """Whether x is the median of the photos' maxima, and not the share on which it fires."""
    separation: bool
    """Whether y is the separation, and not the largest maximum."""
    x: Axis
    y: Axis
    dots: tuple[Dot, ...]
    rest: tuple[tuple[float, float], ...]
    """Places of channels that lead nowhere."""
    left_out: int
    """Channels that have no place: dead ones, and those of which nothing can be said."""


@dataclass(frozen=True)
class LayerPage:
    """The page about one layer."""

    layer: Layer
    reference: LayerReference
    channels: tuple[Channel, ...]
    dead: tuple[int, ...]
    rankings: tuple[Ranking, ...]
    plot: Plot
    shown: Patches | None
    """The patches, where the table of all channels has them."""
    credits: Credits
    before: Layer | None
    after: Layer | None


@dataclass(frozen=True)
class Driven:
    """The channels of a layer that answer to a class, largest separation first."""

    layer: Layer
    patches: Patches | None
    """None where they would make the page too heavy, or are kept back."""
    channels: tuple[tuple[ClassChannel, Shown], ...]
    """Each with its strongest photos, where there are patches."""


@dataclass(frozen=True)
class ClassPage:
    """The page about one class."""

    outcome: Outcome
    taken_for: tuple[Mistake, ...]
    mistaken: tuple[Mistake, ...]
    """Other classes that got this one as answer."""
    wrong: tuple[WrongPhoto, ...]
    groups: tuple[Driven, ...]
    """The layer with the clearest channel first."""
    sheets: tuple[Sheet, ...]
    """Those that the page shows, each once: layers may share one."""
    credits: Credits
    before: ClassSurvey | None
    after: ClassSurvey | None


def overview(survey: Survey) -> Overview:
    """Return what the first page of a survey shows; reads the figures of every layer once."""
    index = survey.index
    found = sorted(
        outcomes(survey), key=lambda one: one.top1.share if one.top1 and one.one.photos else 2.0
    )
    layers = tuple(_row(survey, reference) for reference in index.layers)
    photos = [one.photos for one in index.classes if one.photos]
    return Overview(
        top1=None if index.top1 is None else Rate(index.top1, index.judged),
        top5=None if index.top5 is None else Rate(index.top5, index.judged),
        hardest=tuple(found[:HARDEST]),
        mistakes=_mistakes(survey, index.confusions),
        wrong=wrong_photos(survey),
        layers=layers,
        depth=_depth(layers),
        channels=sum(row.layer.channels for row in layers),
        unsigned=sum(row.layer.channels for row in layers if not row.layer.signed),
        dead=sum(row.reference.dead for row in layers if not row.layer.signed),
        below=sum(row.reference.dead for row in layers if row.layer.signed),
        sparse=sum(row.reference.sparse for row in layers),
        clearest=max(
            (row for row in layers if row.clearest),
            key=lambda row: row.clearest or 0.0,
            default=None,
        ),
        deadest=max(
            (row for row in layers if row.reference.dead and not row.layer.signed),
            key=lambda row: row.reference.dead,
            default=None,
        ),
        chance=_chance(photos),
        judged_classes=sum(one.top1 is not None and one.photos > 0 for one in index.classes),
        smallest=min(photos, default=None),
        each=max((one.patches.each for one in index.layers if one.patches), default=0),
    )


def _chance(photos: Sequence[int]) -> tuple[float, float] | None:
    """Return the separation that the best of classes with so many photos reaches by chance, in half
    of all channels and in one of a hundred; None for fewer than two classes.

    The mean of n photos scatters by 1 / √n deviations; the largest of k such differences is below
    the normal quantile of q^(1/k) with probability q.
    """
    if len(photos) < 2:
        return None
    scatter = sqrt(1 / min(photos) + 1 / max(1, sum(photos) - min(photos)))
    half, rare = (
        NormalDist().inv_cdf(share ** (1 / len(photos))) * scatter for share in (0.5, 0.99)
    )
    return half, rare


def outcomes(survey: Survey) -> list[Outcome]:
    """Return how each class was answered, in the order of the classes."""
    most: dict[int, Confusion] = {}
    for confusion in survey.index.confusions:  # the most frequent first
        most.setdefault(confusion.label, confusion)
    found = []
    for label, one in enumerate(survey.index.classes):
        mistake = _mistakes(survey, [most[label]])[0] if label in most else None
        top1, top5 = (
            None if right is None else Rate(right, one.photos) for right in (one.top1, one.top5)
        )
        found.append(Outcome(one, top1, top5, mistake))
    return found


def fewest(survey: Survey) -> int:
    """Return how many photos a confusion has at least that is known; 1 where all are."""
    known = survey.index.confusions
    return known[-1].photos if len(known) >= CONFUSIONS else 1


def wrong_photos(survey: Survey) -> tuple[WrongPhoto, ...]:
    """Return the photos that the network is most wrong about."""
    index, names = survey.index, survey.manifest.categories
    return tuple(
        WrongPhoto(
            wrong=one,
            cell=cell,
            label=index.classes[one.label],
            answer=names[one.answer],
            own=exp(-one.loss),
            right=index.classes[one.label].category == one.answer,
            photo=None if one.photo is None else index.photos[one.photo],
        )
        for cell, one in enumerate(index.wrong)
    )


def _mistakes(survey: Survey, confusions: Sequence[Confusion]) -> tuple[Mistake, ...]:
    classes = survey.index.classes
    by_category = {one.category: one for one in classes if one.category is not None}
    return tuple(
        Mistake(
            classes[one.label],
            survey.manifest.categories[one.answer],
            by_category.get(one.answer),
            one.photos,
        )
        for one in confusions
    )


def _row(survey: Survey, reference: LayerReference) -> LayerRow:
    figures, photos = survey.figures(reference), survey.index.surveyed
    known = [(value, c) for c, value in enumerate(figures.separation) if value is not None]
    best = max(known, key=lambda one: (one[0], -one[1]))[1] if known else None
    label = None if best is None else figures.best[best]
    return LayerRow(
        layer=survey.manifest.layer(reference.layer),
        reference=reference,
        fires=_spread([fires / max(photos, 1) for fires in figures.fires]),
        separation=_spread([value for value, _ in known]) if known else None,
        best=best,
        clearest=None if best is None else figures.separation[best],
        label=None if label is None else survey.index.classes[label],
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(*map(partial(quantile, sorted(values)), (0.05, 0.5, 0.95)))


def _depth(layers: Sequence[LayerRow], left: float = 34, width: float = 640) -> Depth:
    """Return the drawing of all layers: each has a place of its own, stages stand apart."""
    separated = any(row.separation for row in layers)
    drawn = [row.separation if separated else row.fires for row in layers]
    stages = [
        (name, len(list(rows))) for name, rows in groupby(layers, lambda row: row.layer.stage)
    ]
    step = (width - left) / (len(layers) + len(stages))
    bars, places = [], []
    position, x = 0, left + step / 2
    for name, count in stages:
        start = x
        for _ in range(count):
            spread = drawn[position]
            if spread:
                bars.append((round(x + step / 2, 1), spread, layers[position]))
            x += step
            position += 1
        places.append((round(start, 1), round(x, 1), name))
        x += step
    y = axis([spread.high for _, spread, _ in bars] if separated else [0.0, 1.0], 190, 10, 4)
    return Depth(separated, y, tuple(bars), tuple(places), width)


def layer_page(survey: Survey, position: int) -> LayerPage:
    """Return what the page about the layer at `position` shows."""
    reference = survey.index.layers[position]
    figures = survey.figures(reference)
    channels = tuple(_channels(survey, figures, reference.patches))
    layers = [survey.manifest.layer(one.layer) for one in survey.index.layers]
    rankings = tuple(_rankings(channels, figures, survey.index.surveyed))
    patches = reference.patches if len(channels) <= PATCHED else None
    pictured = channels if patches else [one for ranking in rankings for one in ranking.channels]
    seen = [photo for one in pictured for photo, _ in one.photos]
    return LayerPage(
        layer=layers[position],
        reference=reference,
        channels=channels,
        dead=tuple(one.number for one in channels if not one.fires),
        rankings=rankings,
        plot=_plot(channels),
        shown=patches,
        credits=credited(seen),
        before=layers[position - 1] if position else None,
        after=layers[position + 1] if position + 1 < len(layers) else None,
    )


def _channels(survey: Survey, figures: LayerSurvey, patches: Patches | None) -> Iterator[Channel]:
    classes = survey.index.classes
    middle = QUANTILES.index(0.5)
    for c, best in enumerate(figures.best):
        yield Channel(
            number=c,
            fires=figures.fires[c],
            share=figures.fires[c] / max(survey.index.surveyed, 1),
            mean=figures.mean[c],
            deviation=figures.deviation[c],
            high=figures.high[c],
            middle=figures.quantiles[c][middle],
            label=None if best is None else classes[best],
            selectivity=figures.selectivity[c],
            separation=figures.separation[c],
            photos=_shown(figures, c, patches) if patches else (),
        )


def _shown(figures: LayerSurvey, channel: int, patches: Patches) -> Shown:
    strongest = figures.strongest[channel]
    if not strongest:
        return ()
    named = [figures.photos[one] for one in strongest.photo]
    # More photos may be known than have a patch.
    return tuple(zip(named, strongest.value, strict=True))[: patches.each]


def _rankings(
    channels: Sequence[Channel], figures: LayerSurvey, surveyed: int
) -> Iterator[Ranking]:
    """Yield the rankings of a layer that are not empty."""
    live = [one for one in channels if one.fires]
    separating = sorted(
        (one for one in live if one.separation), key=lambda one: -(one.separation or 0.0)
    )
    strongest = sorted(live, key=lambda one: -one.high)
    sparse = [one for one in strongest if one.fires < SPARSE * surveyed]
    last = len(QUANTILES) - 1
    beyond = {one.number: figures.quantiles[one.number][last] for one in live}
    apart = [one for one in live if 0 < beyond[one.number] < one.high and one not in sparse]
    apart.sort(key=lambda one: -one.high / beyond[one.number])
    kinds = (
        (
            "classes",
            "Differs most between classes",
            "The mean over the named class’s photos lies furthest above that over all others, measured "
            "in standard deviations within classes.",
            "Patches show the largest single activations, which may be of other classes. Look "
            "whether they show the thing itself, or what comes with it: a background, a pose.",
            separating,
            RANKED,
        ),
        (
            "strongest",
            "Largest activations",
            "The photos have no classes that could be told apart: these are the channels that come "
            "to the largest values.",
            "",
            [] if separating else strongest,
            RANKED,
        ),
        (
            "sparse",
            "Hardly ever fires",
            f"Above zero on fewer than {SPARSE:.0%} of the photos: rare things, or channels that "
            "training has all but given up.".replace("%", " %"),
            "",
            sparse,
            RANKED,
        ),
        (
            "exceptions",
            "Driven by exceptions",
            "The strongest photo lies furthest above what 99 % of the photos come to, as a multiple "
            "of it.",
            "It can be something that the data set hardly has: letters, a frame, a chart.",
            apart[:EXCEPTIONS],
            EXCEPTIONS,
        ),
    )
    for name, title, text, hint, found, most in kinds:
        if found:
            yield Ranking(name, title, text, hint, tuple(found[:most]), max(0, len(found) - most))


def _plot(channels: Sequence[Channel]) -> Plot:
    live = [one for one in channels if one.fires]
    separation = any(one.separation is not None for one in live)
    placed = [one for one in live if one.separation is not None] if separation else live
    # Before the last layers, most channels fire on every photo: that share tells nothing then.
    varied = sum(one.share < 0.99 for one in placed) * 10 >= len(placed)
    points = [
        (
            100 * one.share if varied else one.middle,
            (one.separation or 0.0) if separation else one.high,
        )
        for one in placed
    ]
    x = axis([0.0, 100.0] if varied else [point[0] for point in points], 44, 456)
    y = axis([point[1] for point in points], 250, 12)
    order = sorted(range(len(placed)), key=lambda i: (-points[i][1], i))
    places = [(x.at(points[i][0]), y.at(points[i][1])) for i in order]
    sides = _sides(places, [str(placed[i].number) for i in order])
    dots = tuple(
        Dot(placed[i], *place, side)
        for i, place, side in zip(order[:LINKED], places, sides, strict=False)
    )
    left_out = len(channels) - len(placed)
    return Plot(not varied, separation, x, y, dots, tuple(places[LINKED:]), left_out)


def _sides(places: Sequence[tuple[float, float]], names: Sequence[str]) -> Iterator[str]:
    """Yield for each dot on which side its name stands; the first NAMED that have room have one."""
    taken: list[tuple[float, float, float]] = []
    for (x, y), name in zip(places, names, strict=True):
        width = 4 + 8 * len(name)
        sides = {"right": (x + 4, x + 4 + width), "left": (x - 4 - width, x - 4)}
        found = ""
        for side, (left, right) in sides.items():
            inside = (left - 3 < a < right + 3 and abs(y - b) < 9 for a, b in places)
            apart = all(right < a or b < left or abs(y - c) > 12 for a, b, c in taken)
            if len(taken) < NAMED and apart and left > 44 and right < 472 and not any(inside):
                found = side
                taken.append((left, right, y))
                break
        yield found


def credited(photos: Iterable[Photo]) -> Credits:
    """Return who made those of `photos` that have an author or a licence of their own."""
    groups: dict[tuple[str, str], set[str]] = {}
    for photo in photos:
        if photo.author or photo.licence:
            groups.setdefault((photo.author, photo.licence), set()).add(photo.name)
    return tuple((*whose, tuple(sorted(names))) for whose, names in sorted(groups.items()))


def driving(survey: Survey) -> Mapping[tuple[str, int], Shown]:
    """Return the strongest photos of every channel that a class is shown with."""
    wanted: dict[str, set[int]] = {}
    for one in survey.index.classes:
        for channel in one.channels:
            wanted.setdefault(channel.layer, set()).add(channel.channel)
    found: dict[tuple[str, int], Shown] = {}
    for reference in survey.index.layers:
        if reference.patches and reference.layer in wanted:
            figures = survey.figures(reference)
            for c in wanted[reference.layer]:
                found[reference.layer, c] = _shown(figures, c, reference.patches)
    return found


def class_page(
    survey: Survey,
    label: int,
    found: Sequence[Outcome],
    strongest: Mapping[tuple[str, int], Shown],
) -> ClassPage:
    """Return what the page about the class at `label` shows, from outcomes() and driving()."""
    index = survey.index
    one = index.classes[label]
    references = {reference.layer: reference for reference in index.layers}
    groups: dict[str, list[ClassChannel]] = {}
    allowed: dict[str, Patches] = {}
    size = 0
    for channel in one.channels:  # the clearest first
        groups.setdefault(channel.layer, []).append(channel)
        patches = references[channel.layer].patches
        if patches and len(groups[channel.layer]) == 1:
            # Layers that share a sheet have the same strips: once is enough.
            shown = any(patches.sheet == other.sheet for other in allowed.values())
            more = (survey.folder / patches.sheet.path).stat().st_size
            if not shown and (size + more <= SHEETS or not allowed):
                allowed[channel.layer] = patches
                size += more
    confusions = [other for other in index.confusions if other.label == label]
    mistaken = [
        other
        for other in index.confusions
        if one.category is not None and other.answer == one.category
    ]
    return ClassPage(
        outcome=found[label],
        taken_for=_mistakes(survey, confusions),
        mistaken=_mistakes(survey, mistaken),
        wrong=tuple(photo for photo in wrong_photos(survey) if photo.wrong.label == label),
        groups=tuple(
            Driven(
                survey.manifest.layer(layer),
                allowed.get(layer),
                tuple((c, strongest.get((layer, c.channel), ())) for c in channels),
            )
            for layer, channels in groups.items()
        ),
        sheets=tuple({one.sheet.path: one.sheet for one in allowed.values()}.values()),
        credits=credited(
            photo
            for channel in one.channels
            if channel.layer in allowed
            for photo, _ in strongest[channel.layer, channel.channel]
        ),
        before=index.classes[label - 1] if label else None,
        after=index.classes[label + 1] if label + 1 < len(index.classes) else None,
    )


def strip(patches: Patches, channel: int) -> list[tuple[int, int, int]]:
    """Return where the patches of a channel lie on their sheet: column, row and length of each run."""
    runs: list[tuple[int, int, int]] = []
    for cell in range(channel * patches.each, (channel + 1) * patches.each):
        row, column = divmod(cell, patches.sheet.columns)
        if runs and runs[-1][1] == row:
            runs[-1] = (runs[-1][0], row, runs[-1][2] + 1)
        else:
            runs.append((column, row, 1))
    return runs


def tenths(share: float) -> str:
    """Return a share in per cent with one decimal."""
    return f"{100 * share:.1f} %"


def ticked(value: float) -> str:
    """Return a round number as it stands beside a tick, with a true minus sign."""
    return f"{value:g}".replace("-", "−")
