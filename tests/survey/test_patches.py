"""Patches show what an activation saw: its receptive field, cut from what the network was given."""

from dataclasses import replace

import numpy as np
import pytest
from stored import FIELDS, MAPS, SIDE

from export.manifest import ReceptiveField
from precompute.entry import open_model
from precompute.limits import DEFAULT
from precompute.session import run
from survey import patches
from survey.patches import Cuts, cut_photos, patch, windows

CELL = 48


def window_of(stored, name, row, column):
    layer = stored.manifest.layer(name)
    (window,) = windows(layer, np.array([row * layer.width + column]), SIDE).tolist()
    return tuple(window)


@pytest.mark.parametrize(("name", "reads"), [("first", 3), ("second", 7)])
@pytest.mark.parametrize("place", [(0, 0), (0, 9), (7, 4), (15, 15)])
def test_a_window_is_what_changes_the_activation(stored, name, reads, place):
    """Every pixel of the picture is changed, one after the other."""
    session = open_model(stored.job.manifest, "cpu").session
    random = np.random.default_rng(1)
    # Bright everywhere: no ReLU between shuts a pixel out.
    base = random.uniform(1, 2, (1, 3, SIDE, SIDE)).astype(np.float32)
    changed = np.zeros((SIDE, SIDE), bool)
    before = run(session, stored.manifest, base)[name][:, *place]
    for row in range(SIDE):
        for column in range(SIDE):
            for strength in (-30, 30):
                other = base.copy()
                other[0, :, row, column] += strength
                after = run(session, stored.manifest, other)[name][:, *place]
                changed[row, column] |= (after != before).any()
    top, left, height, width = window_of(stored, name, *place)
    assert (height, width) == (reads, reads)
    expected = np.zeros((SIDE, SIDE), bool)
    expected[max(top, 0) : top + height, max(left, 0) : left + width] = True
    assert changed.tolist() == expected.tolist()


def test_a_bright_square_is_what_its_channel_is_shown_with(stored):
    """The only thing in the picture is in the patch, at its place, in squares of whole pixels."""
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[12:14, 20:22] = (255, 40, 90)
    cell = patch(pixels, window_of(stored, "second", 6, 10), CELL)
    factor, margin = 6, 3  # 7 pixels in 48
    expected = np.zeros((CELL, CELL, 4), np.uint8)
    expected[margin:-margin, margin:-margin, 3] = 255
    y, x = (margin + factor * (12 - 9), margin + factor * (20 - 17))
    expected[y : y + 2 * factor, x : x + 2 * factor, :3] = (255, 40, 90)
    assert cell.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("height", "width"), [(7, 7), (3, 5), (24, 24), (30, 30), (64, 64), (90, 45)]
)
@pytest.mark.parametrize(("top", "left"), [(0, 0), (-2, -1), (4, 25), (28, 3)])
def test_what_lies_outside_is_transparent_and_the_middle_stays(height, width, top, left):
    """The opaque part is where the picture lies in the window, as near as pixels can be."""
    pixels = np.full((SIDE, SIDE, 3), 200, np.uint8)
    cell = patch(pixels, (top, left, height, width), CELL)
    scale = CELL / max(height, width)
    scale = int(scale) if scale >= 2 else scale
    rows, columns = np.nonzero(cell[..., 3])
    for found, first, length in ((rows, top, height), (columns, left, width)):
        begin = (CELL - length * scale) / 2
        seen = max(first, 0) - first, min(first + length, SIDE) - first
        assert found.min() == pytest.approx(begin + seen[0] * scale, abs=1)
        assert found.max() + 1 == pytest.approx(begin + seen[1] * scale, abs=1)
    assert set(cell[..., 3].reshape(-1).tolist()) <= {0, 255}
    assert set(cell[rows, columns, :3].reshape(-1).tolist()) == {200}


def test_a_window_beside_the_picture_shows_nothing():
    pixels = np.full((SIDE, SIDE, 3), 200, np.uint8)
    assert not patch(pixels, (SIDE, 0, 7, 7), CELL).any()
    assert not patch(pixels, (0, -9, 7, 7), CELL).any()
    assert (patch(pixels, (-99, 0, 100, 100), CELL)[..., 3] == 255).any()  # a hundredth of it


def test_large_and_unknown_fields_are_the_whole_picture(stored):
    layer = stored.manifest.layer("second")
    whole = [[0, 0, SIDE, SIDE]]
    for size, expected in ((SIDE, [[-3 + 2, -3, SIDE, SIDE]]), (SIDE + 1, whole)):
        field = ReceptiveField((size, size), (2, 2), (-3, -3))
        wide = replace(layer, receptive_field=field)
        assert windows(wide, np.array([MAPS]), SIDE).tolist() == expected
    unknown = replace(layer, receptive_field=None)
    assert windows(unknown, np.array([17]), SIDE).tolist() == whole


def test_rows_come_before_columns(stored):
    field = ReceptiveField((3, 5), (2, 4), (-1, -2))
    layer = replace(stored.manifest.layer("second"), receptive_field=field, width=9)
    assert windows(layer, np.array([2 * 9 + 7]), 99).tolist() == [[-1 + 2 * 2, -2 + 4 * 7, 3, 5]]


def test_photos_are_cut_from_what_the_network_saw(stored):
    items = stored.data.items[:2]
    some = ((0, 0, 7, 7), (-3, 5, 7, 7))
    found = cut_photos(stored.job, Cuts(0, ((items[0], some), (items[1], some[:1])), CELL))
    assert found.faults == {}
    expected = [patch(stored.seen(0), window, CELL) for window in some]
    expected.append(patch(stored.seen(1), some[0], CELL))
    assert found.pixels.tolist() == np.stack(expected).tolist()


def test_a_photo_that_cannot_be_read_leaves_its_patches_empty(stored, monkeypatch):
    good, bad = stored.data.items[:2]
    read = patches.content

    def content(item, limits):
        return b"no picture" if item.name == bad.name else read(item, limits)

    monkeypatch.setattr(patches, "content", content)
    window = ((0, 0, 7, 7),)
    found = cut_photos(stored.job, Cuts(0, ((bad, window), (good, window)), CELL))
    assert list(found.faults) == [bad.name]
    assert "not a picture" in found.faults[bad.name]
    assert not found.pixels[0].any()
    assert found.pixels[1].tolist() == patch(stored.seen(0), window[0], CELL).tolist()


def test_the_fields_are_those_of_the_network(stored):
    for name, field in FIELDS.items():
        assert stored.manifest.layer(name).receptive_field == field
    assert stored.job.limits == DEFAULT
