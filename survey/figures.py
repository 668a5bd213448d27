"""From the activations of one photo to a few figures of every channel."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from export.manifest import Layer, ModelManifest
from precompute.errors import NonFiniteError, PhotoError
from precompute.reductions import softmax
from survey.fixed import LARGEST
from survey.summary import TOP, Answered, Layout, Measured

Float32 = NDArray[np.float32]


def layout_of(manifest: ModelManifest) -> Layout:
    """Return the layers that are surveyed, with their numbers of channels."""
    return tuple((layer.name, layer.channels) for layer in manifest.feature_maps)


def parts(manifest: ModelManifest) -> Iterator[tuple[Layer, slice]]:
    """Yield the layers that are surveyed, each with its part of the channels of all layers."""
    layers = manifest.feature_maps
    ends = accumulate(layer.channels for layer in layers)
    for layer, end in zip(layers, ends, strict=True):
        yield layer, slice(end - layer.channels, end)


@dataclass(frozen=True)
class _Place:
    """A layer's part of the channels of all layers."""

    name: str
    channels: slice
    same_as: slice | None
    """The part of the layer that it is the ReLU of."""


class Block:
    """Figures of up to `size` photos, gathered one after the other in memory that is kept."""

    def __init__(self, manifest: ModelManifest, size: int) -> None:
        self.manifest = manifest
        self.size = size
        self.layers: list[_Place] = []
        parts: dict[str, slice] = {}
        first = 0
        for layer in manifest.feature_maps:
            part = slice(first, first + layer.channels)
            source = parts.get(layer.inputs[0]) if layer.op == "relu" else None
            self.layers.append(_Place(layer.name, part, source))
            parts[layer.name] = part
            first = part.stop
        self._ones = {
            count: np.full(count, 1, np.float32)
            for count in {layer.height * layer.width for layer in manifest.feature_maps}
        }
        self._positions = np.concatenate(
            [
                np.full(layer.channels, layer.height * layer.width, np.float32)
                for layer in manifest.feature_maps
            ]
        )
        self._channels = np.arange(max(layer.channels for layer in manifest.feature_maps))
        self._maximum = np.empty((size, first), np.float32)
        self._place = np.empty((size, first), np.int32)
        self._mean = np.empty((size, first), np.float32)
        self._square = np.empty((size, first), np.float32)
        self._argmax = np.empty(first, np.intp)
        self.clear()

    def clear(self) -> None:
        """Forget the photos."""
        self.names: list[str] = []
        self._keys: list[int] = []
        self._labels: list[int] = []
        self._true: list[int] = []
        self._logits: list[Float32] = []

    @property
    def full(self) -> bool:
        """Whether no photo can be added."""
        return len(self.names) == self.size

    def add(
        self,
        name: str,
        key: int,
        label: int | None,
        true: int | None,
        activations: Mapping[str, Float32],
    ) -> None:
        """Take in the activations of one photo: (channels, height, width) by layer, and the logits.

        Raises PhotoError where a figure is not finite or too large to be summed.
        """
        row = len(self.names)
        maximum, mean, square = self._maximum[row], self._mean[row], self._square[row]
        for layer in self.layers:
            values = activations[layer.name]
            count = values.shape[1] * values.shape[2]
            flat = values.reshape(len(values), count)
            part = layer.channels
            if layer.same_as is None:
                at = flat.argmax(axis=1, out=self._argmax[part])
                maximum[part] = flat[self._channels[: len(flat)], at]
            else:
                # A ReLU is largest where what it reads is, and where nothing is above zero it is
                # zero from its first position on.
                np.maximum(maximum[layer.same_as], 0, out=maximum[part])
                self._argmax[part] = np.where(maximum[part] > 0, self._argmax[layer.same_as], 0)
            np.matmul(flat, self._ones[count], out=mean[part])
            np.vecdot(flat, flat, out=square[part])
        mean /= self._positions
        square /= self._positions
        logits = activations[self.manifest.logits]
        self._check(maximum, mean, square, logits)
        self._place[row] = self._argmax
        self.names.append(name)
        self._keys.append(key)
        self._labels.append(-1 if label is None else label)
        self._true.append(-1 if true is None else true)
        self._logits.append(logits)

    def _check(self, maximum: Float32, mean: Float32, square: Float32, logits: Float32) -> None:
        largest = max(
            float(np.abs(mean).max()),
            float(square.max()),
            float(np.abs(maximum).max()),
            float(np.abs(logits).max()),
        )
        if largest <= LARGEST:  # NaN is not
            return
        for layer in self.layers:
            for figures in (maximum, mean):
                finite = np.isfinite(figures[layer.channels])
                if not finite.all():
                    channel = int(np.argmin(finite))
                    raise NonFiniteError(f"layer {layer.name}, channel {channel}: NaN or infinity")
        if not np.isfinite(logits).all():
            channel = int(np.argmin(np.isfinite(logits)))
            raise NonFiniteError(
                f"layer {self.manifest.logits}, channel {channel}: NaN or infinity"
            )
        raise PhotoError("activations beyond a million cannot be summed up")

    def measured(self) -> Measured:
        """Return the figures of the photos so far."""
        count = len(self.names)
        return Measured(
            key=np.array(self._keys, np.uint64),
            label=np.array(self._labels, np.int64),
            maximum=self._maximum[:count],
            place=self._place[:count],
            mean=self._mean[:count],
            square=self._square[:count],
        )

    def answered(self) -> Answered:
        """Return the answers to the photos so far."""
        logits = np.array(self._logits, np.float32)
        top = min(TOP, logits.shape[1])
        category = np.argsort(-logits, axis=1, kind="stable")[:, :top]
        true = np.array(self._true, np.int64)
        probability, loss = np.empty(len(true)), np.zeros(len(true))
        for row, (one, right) in enumerate(zip(logits, true.tolist(), strict=True)):
            shares = softmax(one)
            probability[row] = shares[category[row, 0]]
            if right >= 0:
                wide = one.astype(np.float64)
                # −log of the share itself would be infinite where the share is rounded to zero.
                loss[row] = np.log(np.exp(wide - wide.max()).sum()) + wide.max() - wide[right]
        return Answered(category, true, probability, loss)
