"""Activations survive as 8-bit pixels to within half a step, whatever their range."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from precompute.errors import NonFiniteError
from precompute.tiles import (
    PERCENTILE,
    dequantise,
    grid,
    png,
    quantise,
    quantise_together,
    scale_of,
    sheet,
    unsheet,
)

shapes = st.tuples(*[st.integers(1, n) for n in (6, 9, 9)])


def activations(**limits):
    floats = st.floats(width=32, allow_nan=False, allow_infinity=False, **limits)
    return arrays.arrays(np.float32, shapes, elements=floats)


anything = activations() | activations(min_value=-1e3, max_value=1e3) | activations(min_value=0)


def bound(low, high):
    """Half a step, and as much rounding as float32 has there and in the division into levels."""
    span = high.astype(np.float64) - low
    largest = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
    return span / 510 * 1.001 + largest * 2**-22 + 1e-45


@given(anything)
@example(np.float32([[[-0.0, 0.0, 1e-45, -1e-45]]]))
@example(np.float32([[[-3.4e38, 3.4e38, 0.0]]]))
@example(np.float32([[[1e-45, 3.4e38]], [[-3.4e38, -0.0]]]))
@example(np.float32([[[1.0, 1.0000001]], [[3e38, 3.0000002e38]]]))
def test_a_pixel_gives_its_activation_back_to_within_half_a_step(values):
    found = quantise(values, "a")
    again = dequantise(found.pixels, found.low, found.high).astype(np.float64)
    error = np.abs(again - values).max(axis=(1, 2))
    assert (error <= bound(found.low, found.high)).all()


@given(anything)
def test_figures_are_those_of_the_activations(values):
    found = quantise(values, "a")
    flat = values.reshape(len(values), -1)
    wide = flat.astype(np.float64)
    size = np.abs(wide).max(axis=1) + 1e-45
    assert np.array_equal(found.low, flat.min(axis=1))
    assert np.array_equal(found.high, flat.max(axis=1))
    assert np.array_equal(found.peak, flat.argmax(axis=1))
    assert found.zeros.tolist() == (flat == 0).mean(axis=1).astype(np.float32).tolist()
    assert (np.abs(found.mean - wide.mean(axis=1)) <= size * 1e-6 + 1e-45).all()
    # A difference from the mean below 1e-19 has a square that float32 cannot hold.
    assert (np.abs(found.std - wide.std(axis=1)) <= size * 1e-5 + 1e-19).all()


@given(shapes, st.floats(width=32, allow_nan=False, allow_infinity=False))
@example((2, 1, 1), -0.0)
@example((1, 3, 2), 1e-45)
@example((1, 1, 1), -3.4028234663852886e38)
def test_a_constant_channel_is_exact(shape, value):
    values = np.full(shape, value, np.float32)
    found = quantise(values, "a")
    assert not found.pixels.any()
    assert np.array_equal(dequantise(found.pixels, found.low, found.high), values)


@given(activations())
def test_the_ends_of_the_range_are_the_ends_of_the_scale(values):
    values = np.concatenate([values, values + np.float32(1)])
    assume(values.min() < values.max() < np.inf)
    pixels, low, high = quantise_together(values)
    assert (low, high) == (values.min(), values.max())
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert pixels.shape == values.shape


@given(anything, st.sampled_from([np.nan, np.inf, -np.inf]), st.data())
def test_what_is_not_finite_is_named_by_layer_and_channel(values, value, data):
    place = data.draw(st.tuples(*[st.integers(0, n - 1) for n in values.shape]))
    values[place] = value
    with pytest.raises(NonFiniteError, match=rf"^layer a\.b, channel {place[0]}: NaN or infinity"):
        quantise(values, "a.b")


@given(st.integers(1, 2100))
def test_a_grid_holds_every_channel_and_no_empty_row(channels):
    columns, rows = grid(channels)
    assert (rows - 1) * columns < channels <= rows * columns
    assert rows <= columns <= 4 * rows


@given(shapes, st.integers(0, 2**32))
def test_a_sheet_gives_its_tiles_back(shape, seed):
    tiles = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    picture = sheet(tiles)
    columns, rows = grid(shape[0])
    assert picture.shape == (rows * shape[1], columns * shape[2])
    assert np.array_equal(unsheet(picture, *shape), tiles)
    beyond = unsheet(picture, columns * rows, *shape[1:])[shape[0] :]
    assert not beyond.any(), "cells without a channel are black"


def test_a_channel_stands_where_its_number_says():
    tiles = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None, None], (64, 3, 2))
    picture = sheet(tiles)
    columns, _ = grid(64)
    channel = 13
    assert picture[channel // columns * 3, channel % columns * 2] == channel


@given(anything)
def test_the_scale_is_numpys_percentile(values):
    expected = np.percentile(np.abs(values), PERCENTILE, method="higher")
    assert scale_of(values, float(values.min())) == expected


@pytest.mark.parametrize("shape", [(64, 112, 112), (512, 7, 7), (1, 1, 201), (1, 1, 1001)])
@pytest.mark.parametrize("kept", [1.0, 0.004, 0.0])
def test_the_scale_of_layers_of_real_sizes_is_numpys_percentile(shape, kept):
    random = np.random.default_rng(0)
    values = random.standard_normal(shape, np.float32) * (random.random(shape) < kept)
    assert scale_of(values, float(values.min())) == np.percentile(
        np.abs(values), PERCENTILE, method="higher"
    )


def test_png_keeps_every_pixel(tmp_path):
    from precompute.reader import read_pixels

    random = np.random.default_rng(0)
    for shape in [(5, 7), (3, 4, 3)]:
        pixels = random.integers(0, 256, shape, np.uint8)
        (tmp_path / "a.png").write_bytes(png(pixels))
        assert np.array_equal(read_pixels(tmp_path / "a.png"), pixels)
