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


@dataclass(frozen=True)
class Begun:
    """A tally and where it looks for activations."""

    activations: Activations
    tally: Tally

    def add(self, photo: Photo) -> None:
        for part, maps in zip(self.activations.layers, photo.maps, strict=True):
            self.activations.values[part] = maps.reshape(-1)
        self.activations.logits[:] = photo.logits
        self.tally.add(photo.name, photo.key, photo.label, photo.true)


def begin(layers, photos, sample=2**63) -> Begun:
    """Begin a tally in which these photos may occur."""
    layout = tuple((layer.name, layer.channels) for layer in layers)
    sizes = [(layer.channels, layer.positions) for layer in layers]
    activations = Activations(sizes, len(photos[0].logits))
    return Begun(activations, Tally(layout, activations, [photo.label for photo in photos], sample))


def summary_of(layers, photos, sample=2**63) -> Summary:
    begun = begin(layers, photos, sample)
    for photo in photos:
        begun.add(photo)
    return begun.tally.summary()


def sums_of(values: np.ndarray) -> Sums:
    """The sums of values over their first axis."""
    wide = values.astype(np.float64)
    whole = np.trunc(wide)
    rest = np.rint((wide - whole) * 2.0**FRACTION)
    parts = [limb.astype(np.int64).sum(axis=0) for limb in (whole, rest)]
    return Sums.zeros(*values.shape[1:]) + Sums(np.stack(parts))
