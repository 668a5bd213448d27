"""What of a comparison is told first. Needs no NumPy, like the contract."""

from survey.diff.contract import (
    ChangedChannel,
    ClassDifference,
    Difference,
    LayerDifference,
)

ALIKE = 0.999
"""Layers with a similarity of at least this, and channels with such a correlation, are alike."""
SAME_LAYER = 3
"""Channels of one layer that are among the most changed."""


def first_different(found: Difference) -> LayerDifference | None:
    """Return the first layer, in forward order, in which the models are not alike."""
    for layer in found.layers:
        if layer.similarity is not None and layer.similarity < ALIKE:
            return layer
    return None


def least_alike(found: Difference) -> list[LayerDifference]:
    """Return the layers that have a similarity, least alike first."""
    known = [(layer.similarity, layer) for layer in found.layers if layer.similarity is not None]
    return [layer for _, layer in sorted(known, key=lambda pair: pair[0])]


def counterparts(found: Difference) -> list[tuple[str, str, float]]:
    """Return each layer of A with the layer of B most like it, and how much it is, in forward order."""
    best = []
    for layer, row in zip(found.rows, found.pairs, strict=True):
        known = [
            (value, name)
            for value, name in zip(row, found.columns, strict=True)
            if value is not None
        ]
        if known:
            value, name = max(known, key=lambda pair: pair[0])
            best.append((layer, name, value))
    return best


def changed_channels(found: Difference) -> list[tuple[LayerDifference, ChangedChannel]]:
    """Return channels that are not alike, with their layers, smallest correlation first.

    What a batch norm does to a channel leaves its correlation as it is: that one is told once.
    """
    some: dict[tuple[int, float], tuple[LayerDifference, ChangedChannel]] = {}
    for layer in found.layers:
        for one in layer.channels.changed[:SAME_LAYER] if layer.channels else ():
            if one.correlation < ALIKE:
                some.setdefault((one.channel, round(one.correlation, 3)), (layer, one))
    return sorted(some.values(), key=lambda pair: pair[1].correlation)


def changed_classes(found: Difference) -> list[ClassDifference]:
    """Return the classes in which the share of right first answers differs, most first."""
    gains = [
        (abs(one.top1_b / one.photos_b - one.top1_a / one.photos_a), one)
        for one in found.classes
        if one.photos_a and one.photos_b
    ]
    return [one for gain, one in sorted(gains, key=lambda p: (-p[0], p[1].name)) if gain]
