"""Read a gallery's numbers back, with NumPy and Pillow alone.

from pathlib import Path
from precompute.reader import read_layer
maps = read_layer(Path("build/tiles/resnet18"), "panda", "layer2.0.conv1")
maps.shape, maps[117].max()
"""

from pathlib import Path

import numpy as np
from PIL import Image

import artifacts
from precompute.index import ImageEntry, LayerFigures, TileSheet, read_entry
from precompute.tiles import Float32, Pixels, dequantise, unsheet


def read_layer(folder: Path, image: str, layer: str) -> Float32:
    """Return the activations of `layer` for `image`: float32 (channels, height, width).

    `folder` is a model's folder of tiles, such as build/tiles/resnet18, or the same folder of a
    published site. Each value is within (high − low)/510 of what the network computed, plus
    float32 rounding, with the channel's own low and high; a constant channel is exact. Raises
    artifacts.ArtifactError where a file is missing, KeyError where the image has no such layer.
    """
    return read_sheet(folder / image, sheet_of(read_entry(folder, image), layer))


def sheet_of(entry: ImageEntry, layer: str) -> TileSheet:
    """Return the description of a layer's sheet; raises KeyError with the known layers."""
    for sheet in entry.sheets:
        if sheet.layer == layer:
            return sheet
    known = ", ".join(sheet.layer for sheet in entry.sheets)
    raise KeyError(f"unknown layer '{layer}': known layers are {known}")


def read_figures(folder: Path, sheet: TileSheet) -> LayerFigures:
    """Return the figures of a sheet's channels; `folder` is the image's."""
    return artifacts.decode(folder / sheet.figures, LayerFigures, "make precompute")


def read_sheet(folder: Path, sheet: TileSheet) -> Float32:
    """Return the activations on one sheet; `folder` is the image's."""
    figures = read_figures(folder, sheet)
    pixels = read_pixels(folder / sheet.path)
    tiles = unsheet(pixels, len(figures.low), sheet.tile_height, sheet.tile_width)
    return dequantise(tiles, np.array(figures.low, np.float32), np.array(figures.high, np.float32))


def read_pixels(path: Path) -> Pixels:
    """Return the grey or colour pixels of a PNG; raises artifacts.ArtifactError if it is damaged."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            return np.asarray(image)
    except (OSError, SyntaxError) as error:
        raise artifacts.ArtifactError(
            f"{path} cannot be read ({error}): run make precompute"
        ) from None
