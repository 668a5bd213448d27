"""A convolution from published files, with NumPy: what pages and tests of the sum compare with."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import artifacts
from precompute.index import MODEL, Origin, kernels_name, origin_name, read_entry
from precompute.reader import read_figures, read_layer, read_pixels, sheet_of


def origins_of(tiles, manifest):
    """Return the Origin of each layer that has one."""
    paths = {layer.name: tiles / MODEL / origin_name(layer.slug) for layer in manifest.feature_maps}
    return {
        name: artifacts.decode(path, Origin, "") for name, path in paths.items() if path.is_file()
    }


def kernel_of(tiles, origin, channel):
    """Return the (inputs, rows, columns) weights of a channel and the step they are stored with."""
    stored = origin.kernels
    path = tiles / MODEL / kernels_name(stored.folder, channel // stored.per_file)
    shape = (stored.inputs, stored.rows, stored.columns)
    record = np.dtype([("step", "<f4"), ("levels", "<i2", shape)])
    found = np.frombuffer(path.read_bytes(), record)[channel % stored.per_file]
    return found["step"].astype(np.float64) * found["levels"], float(found["step"])


def source_of(tiles, manifest, image, origin):
    """Return what the convolution reads, and how far each channel of it may be off."""
    if origin.source != "input":
        values = read_layer(tiles, image, origin.source).astype(np.float64)
        figures = read_figures(tiles / image, sheet_of(read_entry(tiles, image), origin.source))
        return values, (np.array(figures.high) - figures.low) / 510
    pixels = read_pixels(tiles / image / "_input.png").transpose(2, 0, 1) / 255
    mean, std = (
        np.array(part)[:, None, None] for part in (manifest.input.mean, manifest.input.std)
    )
    return (pixels - mean) / std, np.zeros(3)


def convolved(values, kernel, origin):
    """Return the map that one kernel gives, and the same for the absolute kernel on ones."""
    (pad_y, pad_x), (step_y, step_x) = origin.padding, origin.stride
    padded = np.pad(values, ((0, 0), (pad_y, pad_y), (pad_x, pad_x)))
    windows = sliding_window_view(padded, kernel.shape[1:], axis=(1, 2))[:, ::step_y, ::step_x]
    return np.einsum("chwij,cij->hw", windows, kernel)
