"""What guided tours are chosen from, and the pictures that illustrate them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import artifacts
from export.manifest import Layer, ModelManifest
from precompute import index, lessons
from precompute.figures import EXACT, number
from precompute.reader import read_figures, read_layer, sheet_of
from precompute.reductions import Float64
from precompute.tiles import Float32, png

RELUS = {"relu", "relu6"}
"""What sets all that is below zero to zero."""


@dataclass(frozen=True)
class LeftOut:
    """A stop that this gallery has no subject for."""

    kind: str
    reason: str


Found = lessons.Stop | LeftOut


@dataclass(frozen=True)
class Source:
    """A gallery to choose from. What is asked of every photo is read one photo at a time."""

    manifest: ModelManifest
    arrays: Mapping[str, NDArray[np.float32]]
    folder: Path
    photos: Sequence[str]
    charts: Sequence[str]
    drawn: dict[str, bytes] = field(default_factory=dict)
    """Path of each picture that was drawn to its content."""

    @property
    def layers(self) -> dict[str, Layer]:
        """The layers that the gallery shows, in forward order."""
        return {layer.name: layer for layer in self.manifest.feature_maps}

    def entries(self) -> Iterator[index.ImageEntry]:
        """Yield every photo that is no chart."""
        for image in self.photos:
            yield index.read_entry(self.folder, image)

    def figures(self, entry: index.ImageEntry, layer: str) -> index.LayerFigures:
        """Return the figures of a layer for a photo."""
        return read_figures(self.folder / entry.id, sheet_of(entry, layer))

    def shared(self, layer: Layer) -> index.SharedFigures:
        """Return what is said of a layer over all photos."""
        path = self.folder / index.SHARED / index.figures_name(layer.slug)
        return artifacts.decode(path, index.SharedFigures, "make precompute")

    def strongest(self, layer: Layer, channel: int) -> tuple[str, float] | None:
        """Return the photo on which a channel reaches its largest value, and that value."""
        peaks = self.shared(layer).peaks
        if not peaks.image[channel]:
            return None
        return peaks.images[peaks.image[channel][0]], peaks.value[channel][0]

    def contributions(self, entry: index.ImageEntry) -> Float64:
        """Return what each channel adds to the logit of a photo's first answer: (channels,)."""
        assert entry.contributions
        path = self.folder / entry.id / entry.contributions
        return np.array(artifacts.decode(path, index.Contributions, "make precompute").values[0])

    def maps(self, image: str, layer: str) -> Float32:
        """Return the activations of a layer for a photo: (channels, height, width)."""
        return read_layer(self.folder, image, layer)

    def map(self, image: str, layer: str, channel: int, role: str = "map") -> lessons.Picture:
        """Draw one channel on the scale that the explorer shows first, that of the layer."""
        high = sheet_of(index.read_entry(self.folder, image), layer).scale
        low = -high if self.layers[layer].signed else 0.0
        return self.map_on_scale(image, layer, channel, role, low, high)

    def map_on_scale(
        self, image: str, layer: str, channel: int, role: str, low: float, high: float
    ) -> lessons.Picture:
        """Draw one channel from `low` to `high`."""
        values = self.maps(image, layer)[channel]
        name = f"{image}.{self.layers[layer].slug}.{channel}.{role}.png"
        return self._draw(name, values, low, high, role, image, layer, channel)

    def evidence(self, entry: index.ImageEntry, layer: str, answer: int) -> lessons.Picture:
        """Draw where the evidence for an answer lies, on one scale for all answers."""
        reach = max(abs(value) for map_ in entry.evidence for value in map_.values)
        found = entry.evidence[answer]
        values = np.reshape(found.values, (found.height, found.width))
        name = f"{entry.id}.{answer}.evidence.png"
        return self._draw(name, values, -reach, reach, "evidence", entry.id, layer, None)

    def kernel(self, kernel: Float64, layer: str, channel: int) -> lessons.Picture:
        """Draw a (3, rows, columns) kernel in colour: grey is zero."""
        reach = float(np.abs(kernel).max())
        values = kernel.transpose(1, 2, 0)
        name = f"{self.layers[layer].slug}.{channel}.kernel.png"
        return self._draw(name, values, -reach, reach, "kernel", None, layer, channel)

    def _draw(
        self,
        path: str,
        values: NDArray[np.floating],
        low: float,
        high: float,
        role: str,
        image: str | None,
        layer: str,
        channel: int | None,
    ) -> lessons.Picture:
        span = high - low or 1.0
        levels = np.rint(np.clip((values.astype(np.float64) - low) / span, 0, 1) * 255)
        self.drawn[path] = png(levels.astype(np.uint8))
        low, high = number(low, EXACT), number(high, EXACT)
        height, width = values.shape[:2]
        return lessons.Picture(path, role, image, layer, channel, height, width, low, high)


def stop(
    kind: str,
    image: str,
    layer: str,
    channel: int,
    pictures: Sequence[lessons.Picture],
    numbers: Mapping[str, float],
    names: Mapping[str, str] | None = None,
    **settings: str,
) -> lessons.Stop:
    """Return a stop with its numbers in the digits of the contract."""
    rounded = {name: number(float(value)) for name, value in numbers.items()}
    return lessons.Stop(
        kind, image, layer, channel, settings, rounded, dict(names or {}), tuple(pictures)
    )


def cover(entry: index.ImageEntry, height: int, width: int) -> Float64:
    """Return how much of each cell of a (height, width) map the subject's box covers, 0 to 1.

    Each position of the map stands for its cell of what the network sees.
    """
    assert entry.box
    left, top, right, bottom = entry.crop
    across = _covered(np.linspace(left, right, width + 1), entry.box[0], entry.box[2])
    down = _covered(np.linspace(top, bottom, height + 1), entry.box[1], entry.box[3])
    return np.outer(down, across)


def _covered(edges: Float64, low: float, high: float) -> Float64:
    inside = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
    share: Float64 = np.maximum(inside, 0) / np.diff(edges)
    return share


def evidence_share(entry: index.ImageEntry, answer: int) -> dict[str, float]:
    """Return the share of what adds to an answer that lies in the subject's box, as `inside`, and
    the share of the picture that the box covers, as `area`; nothing where there is no box.
    """
    if entry.box is None:
        return {}
    evidence = entry.evidence[answer]
    positive = np.maximum(np.reshape(evidence.values, (evidence.height, evidence.width)), 0)
    covered = cover(entry, evidence.height, evidence.width)
    total = positive.sum()
    inside = float((positive * covered).sum() / total) if total > 0 else 0.0
    return {"inside": inside, "area": float(covered.mean())}
