"""The activations of one photo after the other, in one piece of memory that onnxruntime writes to."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from export.manifest import ModelManifest
from precompute.entry import Model
from precompute.session import as_model_error

_APART = 16
"""Layers begin at multiples of so many numbers: 64 bytes, as in memory of onnxruntime's own."""


class Activations:
    """Room for the activations of one photo. C is channels of all layers."""

    def __init__(self, layers: Sequence[tuple[int, int]], categories: int) -> None:
        """Make room for layers with so many channels and positions, and for the logits."""
        first, starts, sizes = 0, [], []
        self.layers: list[slice] = []
        """Of `values`."""
        for channels, positions in layers:
            self.layers.append(slice(first, first + channels * positions))
            starts += [first + positions * channel for channel in range(channels)]
            sizes += [positions] * channels
            first += -(-channels * positions // _APART) * _APART
        room = np.zeros(first + _APART, np.float32)
        begin = -room.ctypes.data // room.itemsize % _APART
        self.values: NDArray[np.float32] = room[begin : begin + first]
        self.starts = np.array(starts, np.int64)
        """(C,), where in `values` the activations of each channel begin, row by row."""
        self.sizes = np.array(sizes, np.int64)
        """(C,), positions of each channel."""
        self.logits = np.zeros(categories, np.float32)


class Network:
    """A model whose activations lie in `activations` until the next photo is computed."""

    def __init__(self, model: Model) -> None:
        self.manifest: ModelManifest = model.manifest
        layers = self.manifest.feature_maps
        self.activations = Activations(
            [(layer.channels, layer.height * layer.width) for layer in layers],
            len(self.manifest.categories),
        )
        self._session = model.session
        self._binding = model.session.io_binding()
        for layer, part in zip(layers, self.activations.layers, strict=True):
            self._bind(
                layer.name,
                self.activations.values[part],
                (1, layer.channels, layer.height, layer.width),
            )
        logits = self.activations.logits
        self._bind(self.manifest.logits, logits, (1, len(logits)))

    def _bind(self, name: str, memory: NDArray[np.float32], shape: tuple[int, ...]) -> None:
        self._binding.bind_output(name, "cpu", 0, np.float32, shape, memory.ctypes.data)

    def compute(self, picture: NDArray[np.float32]) -> Activations:
        """Return the activations for a (1, 3, crop, crop) input: the same numbers as session.run().

        Raises ModelError: all pictures have one shape and type, so that no photo is to blame.
        """
        with as_model_error(self.manifest):
            self._binding.bind_cpu_input(self.manifest.input.name, picture)
            self._session.run_with_iobinding(self._binding)
            self._binding.synchronize_outputs()
        return self.activations
