"""The route of the tutorials: forward hooks on torchvision's model, and a matplotlib grid a layer."""

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

import matplotlib
import numpy as np
import torch

from benchmarks.common import network_input, seconds, spread
from benchmarks.floor import tiles_and_figures
from export.architectures import architecture
from export.manifest import ModelManifest
from export.weights import load_weights
from precompute.entry import open_model

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PHOTOS = 1
"""The notebook route takes minutes a photo."""


def notebook_report(manifest_path: Path, photos: list[Path]) -> Iterator[str]:
    """Yield how many times faster a map is made, all channels of all layers, forward included."""
    torch.set_num_threads(1)
    model = open_model(manifest_path, "cpu")
    maps = sum(layer.channels for layer in model.manifest.feature_maps)
    network, _, _ = load_weights("bundled", architecture("resnet18"))
    ratios, theirs, ours = [], [], []
    for photo in photos[:PHOTOS]:
        picture = network_input(photo, model)
        tiles_and_figures(model, picture)  # warm up
        times = [seconds(lambda p=picture: tiles_and_figures(model, p)) for _ in range(5)]
        ours.append(median(times) / maps)
        theirs.append(seconds(lambda p=picture: notebook_route(network, model.manifest, p)) / maps)
        ratios.append(theirs[-1] / ours[-1])
    yield f"notebook route, {maps} maps a photo: {spread([t * 1e3 for t in theirs], ' ms')} a map"
    yield f"ours, tiles and figures: {spread([t * 1e3 for t in ours], ' ms')} a map"
    yield f"  ratio: {spread(ratios)} (goal: 300 or more)"


def notebook_route(
    network: torch.nn.Module, manifest: ModelManifest, picture: np.ndarray
) -> list[bytes]:
    """Capture every layer with hooks and draw each as a grid of subplots, saved as PNG.

    The hooks copy what they see, as careful tutorials do. A block's one ReLU module stands for two
    layers and its sum for no module: such layers are drawn from the block's own output.
    """
    captured: dict[str, torch.Tensor] = {}

    def keep(name: str, module: object, inputs: object, output: torch.Tensor) -> None:
        captured[name] = output.detach().clone()

    modules = dict(network.named_modules())
    hooks = [
        module.register_forward_hook(partial(keep, name))
        for name, module in modules.items()
        if name
    ]
    with torch.inference_mode():
        network(torch.from_numpy(picture))
    for hook in hooks:
        hook.remove()
    pictures = []
    for layer in manifest.feature_maps:
        known = layer.name if layer.name in captured else layer.block
        maps = captured[known][0].numpy()
        columns = 8
        rows = -(-len(maps) // columns)
        figure, axes = plt.subplots(rows, columns, figsize=(columns, rows), squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for axis, values in zip(axes.flat, maps, strict=False):
            axis.imshow(values, cmap="viridis")
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=100)
        plt.close(figure)
        pictures.append(file.getvalue())
    return pictures
