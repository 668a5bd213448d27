"""A comparison of two surveys in a few lines of text."""

from collections.abc import Iterator

from survey.diff.contract import QUANTILES, Difference, Surveyed
from survey.diff.ranking import (
    ALIKE,
    changed_channels,
    changed_classes,
    counterparts,
    first_different,
    least_alike,
)

LISTED = 10
"""Layers, channels and classes."""
_MEDIAN = QUANTILES.index(0.5)


def lines(found: Difference) -> Iterator[str]:
    """Yield what differs between two models, the most important first."""
    yield f"A is {_surveyed(found.a)}"
    yield f"B is {_surveyed(found.b)}"
    yield f"compared on a sample of {found.photos} photos"
    if found.layers:
        yield from _layers(found)
    else:
        yield from _counterparts(found)
    yield from _channels(found)
    yield from _dead(found)
    yield from _classes(found)


def _surveyed(one: Surveyed) -> str:
    photos = f"{one.model}, {one.surveyed} photos"
    if not one.judged or one.top1 is None:
        return photos
    return (
        f"{photos}, right first answers to {one.top1} of {one.judged} ({one.top1 / one.judged:.1%})"
    )


def _layers(found: Difference) -> Iterator[str]:
    first = first_different(found)
    yield ""
    if first is None:
        yield f"All layers that both have are alike: a similarity (CKA) of at least {ALIKE}"
        return
    yield f"The first layer with a similarity (CKA) below {ALIKE} is {first.layer}"
    yield "Layers, least alike first: similarity ± its error, median correlation of channels"
    for layer in least_alike(found)[:LISTED]:
        error = "" if layer.error is None else f" ± {layer.error:.3f}"
        quantiles = layer.channels and layer.channels.quantiles
        median = f"  {_signed(quantiles[_MEDIAN])}" if quantiles else ""
        yield f"  {layer.layer}  {_signed(layer.similarity or 0)}{error}{median}"


def _counterparts(found: Difference) -> Iterator[str]:
    yield ""
    yield "No layer has one name in both. Layers of A, each with the layer of B most like it (CKA)"
    best = counterparts(found)
    for place in sorted(
        {i * (len(best) - 1) // (LISTED - 1) for i in range(LISTED)} if best else ()
    ):
        layer, other, value = best[place]
        yield f"  {layer}  {other}  {_signed(value)}"


def _channels(found: Difference) -> Iterator[str]:
    changed = changed_channels(found)[:LISTED]
    if changed:
        yield ""
        yield "Channels that changed most: correlation (95 % interval), photos that make them fire"
    for layer, one in changed:
        yield (
            f"  {layer.layer}:{one.channel}  {_signed(one.correlation)} "
            f"({_signed(one.low)} to {_signed(one.high)})  {one.fires_a} in A, {one.fires_b} in B"
        )


def _dead(found: Difference) -> Iterator[str]:
    alike = [(layer.layer, layer.channels) for layer in found.layers if layer.channels]
    for title, lost in (
        ("Channels that fire in A and never in B", [(n, c.died) for n, c in alike]),
        ("Channels that fire in B and never in A", [(n, c.revived) for n, c in alike]),
    ):
        some = sorted(((name, dead) for name, dead in lost if dead), key=lambda o: -len(o[1]))
        if some:
            yield ""
            yield f"{title}: {sum(len(dead) for _, dead in some)}"
        for name, dead in some[:LISTED]:
            more = ", …" if len(dead) > LISTED else ""
            yield f"  {name}  {len(dead)}: {', '.join(map(str, dead[:LISTED]))}{more}"


def _classes(found: Difference) -> Iterator[str]:
    changed = changed_classes(found)[:LISTED]
    if changed:
        yield ""
        yield "Classes, most changed first: right first answers in A and in B"
    for one in changed:
        yield f"  {one.name}  {one.top1_a} of {one.photos_a}, {one.top1_b} of {one.photos_b}"


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
