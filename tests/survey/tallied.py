"""Photos that never were, with activations that are easy to count by hand."""

from dataclasses import dataclass

import numpy as np

from survey.activations import Activations
from survey.fixed import FRACTION, Sums
from survey.job import key_of
from survey.summary import Summary
from survey.tally import Tally


@dataclass(frozen=True)
class Layer:
    name: str
    channels: int
    positions: int


@dataclass(frozen=True)
class Photo:
    name: str
    label: int | None
    true: int | None
    maps: tuple[np.ndarray, ...]
    """(channels, positions) of each layer."""
    logits: np.ndarray

    @property
    def key(self) -> int:
        return key_of(self.name)


def tally_of(layers, photos, sample=2**63) -> Tally:
    layout = tuple((layer.name, layer.channels) for layer in layers)
    sizes = [(layer.channels, layer.positions) for layer in layers]
    activations = Activations(sizes, len(photos[0].logits) if photos else 1)
    tally = Tally(layout, activations, [photo.label for photo in photos], sample)
    for photo in photos:
        for part, maps in zip(activations.layers, photo.maps, strict=True):
            activations.values[part] = maps.reshape(-1)
        activations.logits[:] = photo.logits
        tally.add(photo.name, photo.key, photo.label, photo.true)
    return tally


def summary_of(layers, photos, sample=2**63) -> Summary:
    return tally_of(layers, photos, sample).summary()


def sums_of(values: np.ndarray) -> Sums:
    """The sums of values over their first axis."""
    wide = values.astype(np.float64)
    whole = np.trunc(wide)
    rest = np.rint((wide - whole) * 2.0**FRACTION)
    parts = [limb.astype(np.int64).sum(axis=0) for limb in (whole, rest)]
    return Sums.zeros(*values.shape[1:]) + Sums(np.stack(parts))
