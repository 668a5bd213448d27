"""Which layers are surveyed, and where each one's channels are among those of all layers."""

from collections.abc import Iterator
from itertools import accumulate

from export.manifest import Layer, ModelManifest
from survey.summary import Layout


def layout_of(manifest: ModelManifest) -> Layout:
    """Return the layers that are surveyed, with their numbers of channels."""
    return tuple((layer.name, layer.channels) for layer in manifest.feature_maps)


def parts(manifest: ModelManifest) -> Iterator[tuple[Layer, slice]]:
    """Yield the layers that are surveyed, each with its part of the channels of all layers."""
    layers = manifest.feature_maps
    ends = accumulate(layer.channels for layer in layers)
    for layer, end in zip(layers, ends, strict=True):
        yield layer, slice(end - layer.channels, end)
