"""Exercises whose answers are read off this gallery's own numbers when the site is made.

Each function returns None where its subject does not exist: one photo, no classifier, no sum.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, combinations
from math import sqrt

from markupsafe import Markup

from export.manifest import Layer, Pair
from precompute.index import ImageEntry
from site_template.figures import Numbers, largest
from site_template.pages import Card, grouped, percent, readable
from site_template.residual import residuals
from site_template.views import view

LEVELS = ("first steps", "looking closer", "with pencil or code")
TOP = 5
"""Channels that two photos are compared by."""
LARGEST_SUBJECT = 0.8
"""Share of the picture above which a subject leaves no room for evidence beside it."""
SMALLEST_MAP = 8
"""How many times smaller than the picture a map may be that is shown as an example."""


@dataclass(frozen=True)
class Exercise:
    """A question to the gallery."""

    key: str
    level: str
    question: Markup
    answer: Markup
    start: str
    """Address of the view to start from, relative to the site."""
    found: tuple[tuple[str, str], ...]
    """Addresses of the views that show the answer, each with what it is."""


def exercises(numbers: Numbers) -> list[Exercise]:
    """Return every exercise that this gallery can answer, from easy to hard."""
    return [made for make in _ALL if (made := make(numbers)) is not None]


def largest_layer(numbers: Numbers) -> Exercise | None:
    """How many numbers a layer holds, against the picture."""
    layers = numbers.manifest.feature_maps
    sizes = [layer.channels * layer.height * layer.width for layer in layers]
    layer, size = layers[largest(sizes)], max(sizes)
    picture = 3 * numbers.manifest.input.crop**2
    equal = sizes.count(size) - 1
    also = f" {equal} other{'s' if equal > 1 else ''} of the same size." if equal else ""
    card = numbers.photos[0]
    return Exercise(
        key="size",
        level=LEVELS[0],
        question=Markup(
            "Which layer shown here holds the most numbers? How many for each number of the picture?"
        ),
        answer=Markup(
            "<code>{}</code>: {} × {} × {} = {} numbers, {} for each of the {} that come in.{}"
        ).format(
            layer.name, layer.channels, layer.height, layer.width, grouped(size),
            readable(size / picture), grouped(picture), also,
        ),
        start=view(card, layers[-1].name, view="layers"),
        found=((view(card, layer.name), layer.name),),
    )  # fmt: skip


def brightest(numbers: Numbers) -> Exercise | None:
    """Which channel of the first convolution has the largest mean."""
    layer = numbers.layer(lambda one: one.op == "convolution")
    if layer is None:
        return None
    card = numbers.photos[0]
    means = numbers.figures(card, layer).mean
    channel = largest(means)
    return Exercise(
        key="mean",
        level=LEVELS[0],
        question=Markup(
            "Which channel of <code>{}</code> has the largest mean on “{}”? "
            "What in the photo does it answer to?"
        ).format(layer.name, card.title),
        answer=Markup("Channel {}, with a mean of {}.").format(channel, readable(means[channel])),
        start=view(card, layer.name),
        found=((view(card, layer.name, channel, sort="mean"), f"channel {channel}"),),
    )


def silent(numbers: Numbers) -> Exercise | None:
    """Channels that are never above zero on one photo."""
    layer = numbers.layer(lambda one: not one.signed, last=True)
    if layer is None:
        return None
    high = {card: numbers.figures(card, layer).high for card in numbers.photos}
    counts = [sum(value <= 0 for value in high[card]) for card in numbers.photos]
    card = numbers.photos[largest(counts)]
    if not max(counts):
        return None
    channel = next(c for c, value in enumerate(high[card]) if value <= 0)
    dead = len(numbers.shared(layer).dead)
    everywhere = (
        f"{dead} of the layer’s channels fire{'s' if dead == 1 else ''} on no photo of this gallery."
        if dead
        else "Every one of them fires on some other photo of this gallery."
    )
    return Exercise(
        key="silent",
        level=LEVELS[0],
        question=Markup(
            "Find a channel of <code>{}</code> that never fires on “{}”. How many are there, and "
            "does that make them dead?"
        ).format(layer.name, card.title),
        answer=Markup("{} of {}; channel {} is the first. {}").format(
            max(counts), layer.channels, channel, everywhere
        ),
        start=view(card, layer.name),
        found=((view(card, layer.name, channel, show="silent"), "the silent ones"),),
    )


def whole_picture(numbers: Numbers) -> Exercise | None:
    """Where the receptive field outgrows the picture."""
    crop = numbers.manifest.input.crop
    layer = numbers.layer(lambda one: not _reach(one) or _reach(one) >= crop)
    if layer is None or not _reach(layer):  # or an earlier one could see all of it by a gate
        return None
    return Exercise(
        key="field",
        level=LEVELS[0],
        question=Markup(
            "From which layer on is the receptive field as large as the picture, {}×{} pixels?"
        ).format(crop, crop),
        answer=Markup(
            "<code>{}</code>: {}×{} pixels. Towards the edges of the map, more and more of that "
            "lies outside the picture."
        ).format(layer.name, _reach(layer), _reach(layer)),
        start=view(numbers.photos[0], numbers.manifest.feature_maps[0].name),
        found=((view(numbers.photos[0], layer.name), layer.name),),
    )


def stretched(numbers: Numbers) -> Exercise | None:
    """What a scale of its own does to a quiet channel."""
    found = quietest(numbers)
    if found is None:
        return None
    card, layer, channel, high = found
    scale = numbers.sheet(card, layer).scale
    if not scale:
        return None
    return Exercise(
        key="scale",
        level=LEVELS[1],
        question=Markup(
            "With “each channel” as its scale, channel {} of <code>{}</code> looks as lively as any "
            "on “{}”. What is its largest value, and how much is that of the scale that all "
            "channels share?"
        ).format(channel, layer.name, card.title),
        answer=Markup("{}, which is {} of {}.").format(
            readable(high), percent(high / scale), readable(scale)
        ),
        start=view(card, layer.name, channel, scale="channel"),
        found=((view(card, layer.name, channel), "the shared scale"),),
    )


def place(numbers: Numbers) -> Exercise | None:
    """Which pixels an activation can depend on."""
    crop = numbers.manifest.input.crop
    layer = numbers.layer(lambda one: not one.signed and 0 < _reach(one) < crop // 2, last=True)
    if layer is None or layer.receptive_field is None:
        return None
    card = numbers.photos[0]
    figures = numbers.figures(card, layer)
    channel = largest(figures.high)
    at = (figures.row[channel], figures.column[channel])
    field = layer.receptive_field
    rows, columns = (
        _seen(position, size, stride, offset, crop)
        for position, size, stride, offset in zip(
            at, field.size, field.stride, field.offset, strict=True
        )
    )
    return Exercise(
        key="place",
        level=LEVELS[1],
        question=Markup(
            "Where on “{}” is channel {} of <code>{}</code> strongest, and which pixels of the "
            "picture can that value depend on?"
        ).format(card.title, channel, layer.name),
        answer=Markup(
            "Row {}, column {} of the map: {}. It sees rows {} to {} and columns {} to {} of "
            "{}×{} pixels."
        ).format(*at, readable(figures.high[channel]), *rows, *columns, crop, crop),
        start=view(card, layer.name),
        found=((view(card, layer.name, channel), "the channel, with its field"),),
    )


def strongest_photo(numbers: Numbers) -> Exercise | None:
    """Which photo drives a channel most."""
    layer = numbers.layer(lambda one: not one.signed, last=True)
    if layer is None or len(numbers.photos) < 2:
        return None
    peaks = numbers.shared(layer).peaks
    channel = largest([values[0] if values else 0.0 for values in peaks.value])
    cards = {card.id: card for card in numbers.cards}
    places = zip(peaks.image[channel], peaks.value[channel], strict=True)
    ranked = [(cards[peaks.images[i]], v) for i, v in places if peaks.images[i] in cards][:2]
    if len(ranked) < 2:
        return None
    (first, most), (second, next_most) = ranked
    return Exercise(
        key="photo",
        level=LEVELS[1],
        question=Markup(
            "Which photo drives channel {} of <code>{}</code> hardest, and which comes second? "
            "What do the places have in common?"
        ).format(channel, layer.name),
        answer=Markup("“{}” with {}, then “{}” with {}.").format(
            first.title, readable(most), second.title, readable(next_most)
        ),
        start=view(numbers.photos[0], layer.name, channel),
        found=tuple((view(card, layer.name, channel), card.title) for card, _ in ranked),
    )


def winner(numbers: Numbers) -> Exercise | None:
    """Which channel adds most to the answer."""
    card = numbers.photos[0]
    added = numbers.contributions(card)
    if added is None:
        return None
    answer = numbers.entry(card).answers[0]
    channel = largest(added.values[0])
    return Exercise(
        key="winner",
        level=LEVELS[1],
        question=Markup(
            "Which channel of <code>{}</code> adds most to the answer “{}” on “{}”?"
        ).format(added.layer, answer.name, card.title),
        answer=Markup("Channel {}: {} of the logit {}.").format(
            channel, readable(added.values[0][channel]), readable(answer.logit)
        ),
        start=view(card, added.layer, answer=0),
        found=((view(card, added.layer, channel, sort="class", answer=0), f"channel {channel}"),),
    )


def how_many(numbers: Numbers) -> Exercise | None:
    """How few channels reach the logit."""
    card = numbers.photos[0]
    added, entry = numbers.contributions(card), numbers.entry(card)
    if added is None or not entry.evidence:
        return None
    answer, bias = entry.answers[0], entry.evidence[0].bias
    sums = list(accumulate(sorted(added.values[0], reverse=True), initial=bias))
    needed = next((n for n, total in enumerate(sums) if total >= answer.logit), None)
    if not needed:
        return None
    taking = sum(value < 0 for value in added.values[0])
    return Exercise(
        key="few",
        level=LEVELS[2],
        question=Markup(
            "Begin with the constant of “{}” and add the channels of <code>{}</code> on “{}”, those "
            "that add most first. After how many is the sum as large as the logit?"
        ).format(answer.name, added.layer, card.title),
        answer=Markup(
            "After {} of {}. The rest add and take away in equal parts: {} channels have a negative "
            "share. All of them and the constant {} give {}, the logit."
        ).format(
            needed, len(added.values[0]), taking, readable(bias),
            readable(bias + sum(added.values[0])),
        ),
        start=view(card, added.layer, sort="class", answer=0),
        found=((f"{card.folder}/{entry.contributions}", "every channel’s share, as JSON"),),
    )  # fmt: skip


def branch_and_shortcut(numbers: Numbers) -> Exercise | None:
    """Where a block changes most of what it is given."""
    card = numbers.photos[0]
    shown = {layer.name: layer for layer in numbers.manifest.feature_maps}
    ratios: dict[str, float] = {}
    for one in residuals(numbers.manifest):
        branch, shortcut = (_power(numbers, card, part) for part in (one.branch, one.shortcut))
        if shortcut:
            ratios[one.total.name] = branch / shortcut
    if len(ratios) < 2:
        return None
    most, least = max(ratios, key=lambda n: ratios[n]), min(ratios, key=lambda n: ratios[n])
    return Exercise(
        key="residual",
        level=LEVELS[2],
        question=Markup(
            "In which residual block does the branch weigh most against the shortcut on “{}”, and in "
            "which least? Compare the root of the mean square of all their values, which follows "
            "from each channel’s mean and standard deviation."
        ).format(card.title),
        answer=Markup(
            "Most in <code>{}</code>, where the branch is {} times the shortcut; least in "
            "<code>{}</code>, with {} times."
        ).format(
            shown[most].block, readable(ratios[most]), shown[least].block, readable(ratios[least])
        ),
        start=view(card, most, view="residual"),
        found=tuple(
            (view(card, name, view="residual"), shown[name].block) for name in (most, least)
        ),
    )


def in_common(numbers: Numbers) -> Exercise | None:
    """What two photos with one answer share."""
    for one, other in combinations(numbers.photos, 2):
        if one.top1 != other.top1:
            continue
        added = numbers.contributions(one), numbers.contributions(other)
        if added[0] is None or added[1] is None:
            return None
        first, second = (_top(shares.values[0]) for shares in added if shares)
        if both := [channel for channel in first if channel in second]:
            layer = added[0].layer
            named = ", ".join(str(channel) for channel in both)
            return Exercise(
                key="common",
                level=LEVELS[2],
                question=Markup(
                    "“{}” and “{}” are both answered with “{}”. Which of the {} channels that add "
                    "most are the same?"
                ).format(one.title, other.title, one.top1, TOP),
                answer=Markup("{} of {}: channel{} {}.").format(
                    len(both), TOP, "s" if len(both) > 1 else "", named
                ),
                start=view(one, layer, sort="class", answer=0),
                found=tuple(
                    (view(card, layer, both[0], sort="class", answer=0), card.title)
                    for card in (one, other)
                ),
            )
    return None


def wrong_answer(numbers: Numbers) -> Exercise | None:
    """Where the evidence for a wrong answer lies: the surest where the subject leaves some room."""
    wrong = [card for card in numbers.photos if card.correct is False]
    if not wrong:
        return None
    inside = {card: share_inside(numbers.entry(card)) for card in wrong}
    telling = [card for card in wrong if (share := inside[card]) and share[1] < LARGEST_SUBJECT]
    card = max(telling or wrong, key=lambda one: one.probability)
    entry, added = numbers.entry(card), numbers.contributions(card)
    if not entry.evidence or added is None:
        return None
    evidence = entry.evidence[0]
    row, column = divmod(largest(evidence.values), evidence.width)
    answer = Markup("Most of it at row {}, column {} of {}×{} places.").format(
        row, column, evidence.height, evidence.width
    )
    if share := inside[card]:
        answer += Markup(
            " {} of what adds to it lies in the subject’s box, which covers {} of the picture."
        ).format(*map(percent, share))
    return Exercise(
        key="wrong",
        level=LEVELS[2],
        question=Markup(
            "The network calls “{}” {}, with {}, and is wrong. Where does it find the evidence: on "
            "the subject or beside it?"
        ).format(card.title, card.top1, percent(card.probability)),
        answer=answer,
        start=card.page,
        found=((view(card, added.layer, answer=0), "the evidence"),),
    )


def quietest(numbers: Numbers) -> tuple[Card, Layer, int, float] | None:
    """Return the channel whose maximum is the smallest share of its layer's scale, and that value.

    Only layers after a ReLU count, and of those the ones with maps large enough to look at, and
    channels that fire at most places: there is something to see in them once they are stretched.
    """
    card, crop = numbers.photos[0], numbers.manifest.input.crop
    found: list[tuple[float, Layer, int, float]] = []
    for layer in numbers.manifest.feature_maps:
        if layer.signed or layer.width * SMALLEST_MAP < crop:
            continue
        scale = numbers.sheet(card, layer).scale
        figures = numbers.figures(card, layer)
        found += [
            (value / scale, layer, channel, value)
            for channel, value in enumerate(figures.high)
            if value > 0 and scale > 0 and figures.zeros[channel] < 0.5
        ]
    if not found:
        return None
    _, layer, channel, value = min(found, key=lambda one: one[0])
    return card, layer, channel, value


def share_inside(entry: ImageEntry) -> tuple[float, float] | None:
    """Return how much of what adds to the answer lies in the subject's box, and the box's area.

    Both are shares of what the network sees; as static/evidence-share.js computes them.
    """
    if entry.box is None or not entry.evidence:
        return None
    evidence = entry.evidence[0]
    left, top, right, bottom = entry.crop
    width, height = (right - left) / evidence.width, (bottom - top) / evidence.height
    inside = area = 0.0
    for i, value in enumerate(evidence.values):
        row, column = divmod(i, evidence.width)
        x, y = left + column * width, top + row * height
        covered = _overlap(x, x + width, entry.box[0], entry.box[2]) / width
        covered *= _overlap(y, y + height, entry.box[1], entry.box[3]) / height
        area += covered / len(evidence.values)
        inside += max(0.0, value) * covered
    adding = sum(max(0.0, value) for value in evidence.values)
    return (inside / adding if adding else 0.0), area


def _overlap(start: float, end: float, low: float, high: float) -> float:
    return max(0.0, min(end, high) - max(start, low))


def _reach(layer: Layer) -> int:
    """Return the larger side of the receptive field, pixels; 0 where it is not known."""
    return max(layer.receptive_field.size) if layer.receptive_field else 0


def _seen(position: int, size: int, stride: int, offset: int, crop: int) -> Pair:
    """Return the first and last pixel of the picture that a position sees along one axis."""
    first = offset + position * stride
    return max(0, first), min(crop - 1, first + size - 1)


def _power(numbers: Numbers, card: Card, layer: Layer) -> float:
    """Return the root of the mean square of all activations of `layer`."""
    figures = numbers.figures(card, layer)
    squares = (m * m + s * s for m, s in zip(figures.mean, figures.std, strict=True))
    return sqrt(sum(squares) / layer.channels)


def _top(shares: list[float]) -> list[int]:
    return sorted(range(len(shares)), key=lambda c: -shares[c])[:TOP]


_ALL: tuple[Callable[[Numbers], Exercise | None], ...] = (
    largest_layer,
    brightest,
    silent,
    whole_picture,
    stretched,
    place,
    strongest_photo,
    winner,
    how_many,
    branch_and_shortcut,
    in_common,
    wrong_answer,
)


def levels(made: list[Exercise]) -> Iterator[tuple[str, list[Exercise]]]:
    """Yield each level that has exercises, with them."""
    for level in LEVELS:
        if mine := [exercise for exercise in made if exercise.level == level]:
            yield level, mine
