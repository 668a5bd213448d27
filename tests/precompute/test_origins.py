"""The published kernels give the published maps: the sum closes within what the formats promise."""

import numpy as np
import pytest
from convolution_by_hand import convolved, kernel_of, origins_of, source_of

from export.manifest import read_manifest
from precompute.index import MODEL, read_entry, read_index
from precompute.reader import read_figures, read_layer, sheet_of

LARGEST = 20_000
"""Bytes that a page may load for one channel."""


@pytest.fixture(scope="session")
def manifest(exported):
    return read_manifest(exported)


@pytest.fixture(scope="session")
def origins(manifest, tiles):
    return origins_of(tiles, manifest)


def test_layers_that_come_from_a_convolution_say_so(origins, manifest):
    expected = {
        layer.name
        for layer in manifest.feature_maps
        if layer.op == "convolution"
        or layer.op == "batch norm"
        or (layer.op == "relu" and manifest.layer(layer.inputs[0]).op == "batch norm")
    }
    assert origins.keys() == expected
    assert origins["layer1.0.relu"].convolution == "layer1.0.conv1"
    assert [step.op for step in origins["layer1.0.relu"].steps] == ["batch norm", "relu"]


def test_the_sum_of_partial_maps_is_the_stored_map(origins, manifest, tiles):
    image = read_index(tiles).images[0].id
    checked = 0
    for name, origin in origins.items():
        layer = manifest.layer(name)
        source, slack = source_of(tiles, manifest, image, origin)
        stored = read_layer(tiles, image, name)
        figures = read_figures(tiles / image, sheet_of(read_entry(tiles, image), name))
        for channel in (0, layer.channels - 1):
            kernel, step = kernel_of(tiles, origin, channel)
            values = convolved(source, kernel, origin)
            bound = convolved(
                np.broadcast_to(slack[:, None, None], source.shape), np.abs(kernel), origin
            )
            bound = bound + step / 2 * convolved(np.abs(source), np.ones_like(kernel), origin)
            for part in origin.steps:
                if part.op == "relu":
                    values = np.maximum(values, 0)
                else:
                    values = values * part.scale[channel] + part.shift[channel]
                    bound = bound * abs(part.scale[channel])
            bound = bound + (figures.high[channel] - figures.low[channel]) / 510
            rounding = 1e-5 * np.abs(stored[channel]).max() + 1e-6
            assert (np.abs(values - stored[channel]) <= bound + rounding).all(), (name, channel)
            # A bound that allows anything would prove nothing.
            assert np.sqrt(np.mean((values - stored[channel]) ** 2)) < 0.03 * max(
                np.ptp(stored[channel]), 1e-6
            ), (name, channel)
            checked += 1
    assert checked == 2 * len(origins)


def test_what_is_loaded_for_a_channel_is_small(tiles):
    sizes = {path: path.stat().st_size for path in (tiles / MODEL).rglob("*") if path.is_file()}
    assert sizes
    assert {path.name: size for path, size in sizes.items() if size > LARGEST} == {}


def test_weights_are_within_half_a_step_of_the_models(origins, tiles, exported, manifest):
    with np.load(exported.parent / manifest.arrays.name) as arrays:
        for name in ("conv1", "layer2.0.downsample.0", "layer4.1.conv2"):
            weight = arrays[f"{name}.weight"]
            for channel in (0, len(weight) - 1):
                kernel, step = kernel_of(tiles, origins[name], channel)
                assert np.abs(kernel - weight[channel]).max() <= step * 0.5001
                assert np.abs(kernel).max() == pytest.approx(np.abs(weight[channel]).max())
