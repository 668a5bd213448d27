"""The sheets of a survey hold the strongest patches at their places, whoever cut them."""

import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from stored import DEAD, MAPS, SELDOM, Here, network, picture, survey_of

from survey import contract, patches, sheets
from survey.patches import patch, windows
from survey.summary import Summary

LOSS = 12
"""Levels by which a pixel of a WebP is off on average, at most, where it is opaque."""


@pytest.fixture(scope="module")
def drawn(stored, tmp_path_factory) -> sheets.Sheets:
    return stored.sheets(tmp_path_factory.mktemp("sheets") / "scratch")


def cells_of(files, sheet):
    """The cells of a sheet: (cells, side, side, 4)."""
    with Image.open(io.BytesIO(files[sheet.path])) as image:
        assert image.format == "WEBP"
        pixels = np.asarray(image.convert("RGBA"))
    side = sheet.side
    assert pixels.shape == (sheet.rows * side, sheet.columns * side, 4)
    parted = pixels.reshape(sheet.rows, side, sheet.columns, side, 4).swapaxes(1, 2)
    return parted.reshape(-1, side, side, 4)


def same(cell, wanted) -> bool:
    """Whether a cell is what it should be, but for the loss of WebP."""
    if (cell[..., 3] != wanted[..., 3]).any():
        return False
    seen = wanted[..., 3] == 255
    difference = np.abs(cell[seen].astype(int) - wanted[seen])
    return not seen.any() or difference.mean() < LOSS


@pytest.mark.parametrize("name", ["first.relu", "second"])
def test_a_cell_is_the_patch_of_its_channel(stored, drawn, name):
    maps, described = stored.activations[name], stored.manifest.layer(name)
    found = drawn.layers[name]
    cells = cells_of(drawn.files, found.sheet)
    assert found.each == sheets.EACH
    assert found.sheet.path == f"patches/{name.removesuffix('.relu')}.webp"
    matched = Counter()
    for channel in range(4):
        maxima = maps[:, channel].max(axis=(1, 2))
        order = sorted(range(38), key=lambda one: (-maxima[one], stored.keys[one]))
        for place in range(found.each):
            cell = cells[channel * found.each + place]
            photo = order[place]
            if maxima[photo] <= 0:
                assert not cell[..., 3].any()
                continue
            at = np.array([maps[photo, channel].argmax()])
            (window,) = windows(described, at, 32).tolist()
            assert same(cell, patch(stored.seen(photo), window, found.sheet.side))
            matched[channel] += 1
    assert matched[0] == 5
    if name == "first.relu":
        assert matched[DEAD] == 0
        assert matched[SELDOM] == (maps[:, SELDOM].max(axis=(1, 2)) > 0).sum() < 5


def test_patches_differ_more_than_webp_loses(stored, drawn):
    """Or the test above would let any patch stand for any other."""
    cells = cells_of(drawn.files, drawn.layers["second"].sheet)
    pairs = [(one, other) for one in range(5) for other in range(one)]
    assert [pair for pair in pairs if same(cells[pair[0]], cells[pair[1]])] == []


def test_the_most_wrong_photos_are_whole(stored, drawn):
    wrong = stored.summary.wrong
    assert drawn.wrong.path == contract.WRONG_NAME
    assert drawn.wrong.side == sheets.WRONG_SIDE
    cells = cells_of(drawn.files, drawn.wrong)
    assert len(wrong.key) > 5
    for cell, key in zip(cells, wrong.key.tolist(), strict=False):
        photo = stored.keys.index(key)
        assert same(cell, patch(stored.seen(photo), (0, 0, 32, 32), 96))
    assert not cells[len(wrong.key) :, ..., 3].any()
    assert abs(drawn.wrong.columns - drawn.wrong.rows) <= 1


def test_sheets_are_the_same_whoever_cuts_in_whatever_order(stored, drawn, tmp_path, monkeypatch):
    assert stored.sheets(tmp_path / "scratch") == drawn
    monkeypatch.setattr(sheets, "_GROUP", 3)
    engine = Here(backwards=True)
    assert stored.sheets(tmp_path / "scratch", engine) == drawn
    assert len(engine.done) > 10


def test_a_photo_is_read_once_and_a_patch_is_cut_once(stored, tmp_path, monkeypatch):
    read, cut = Counter(), Counter()
    content, one = patches.content, patches.patch

    def counted(item, limits):
        read[item.name] += 1
        return content(item, limits)

    def counted_patch(pixels, window, side):
        cut[pixels.tobytes(), window, side] += 1
        return one(pixels, window, side)

    monkeypatch.setattr(patches, "content", counted)
    monkeypatch.setattr(patches, "patch", counted_patch)
    said = []
    monkeypatch.setattr(contract, "WRONG", 0)
    alone = replace(stored, summary=without_wrong(stored.summary))
    alone.sheets(tmp_path / "scratch", said=said)
    assert set(read.values()) == set(cut.values()) == {1}
    assert Counter(said) == {"patches": len(read), "sheets": 2}


def without_wrong(summary: Summary) -> Summary:
    wrong = type(summary.wrong)(*(column[:0] for column in vars(summary.wrong).values()))
    return replace(summary, wrong=wrong)


def test_a_photo_that_takes_its_process_along_costs_only_itself(stored, drawn, tmp_path):
    strongest = stored.summary.names[int(stored.summary.strongest.key[0, 0])]
    engine = Here(deadly=strongest)
    found = stored.sheets(tmp_path / "scratch", engine)
    (remark,) = found.remarks
    assert remark.endswith(f"any more: {strongest} (its process was killed by SIGSEGV)")
    for name, described in found.layers.items():
        cells = cells_of(found.files, described.sheet)
        whole = cells_of(drawn.files, described.sheet)
        layer = slice(*(4 * list(found.layers).index(name) + n for n in (0, 4)))
        keys = stored.summary.strongest.key[layer, : described.each].reshape(-1).tolist()
        gone = [stored.summary.names[key] == strongest for key in keys]
        for cell, before, is_gone in zip(cells, whole, gone, strict=False):
            assert not cell[..., 3].any() if is_gone else same(cell, before)
    assert not cells_of(found.files, found.layers["first"].sheet)[0, ..., 3].any()


def test_a_photo_that_is_gone_is_told(stored, drawn, tmp_path, monkeypatch):
    gone = stored.summary.names[int(stored.summary.strongest.key[0, 0])]
    items = [
        replace(item, path=f"{item.path}.gone") if item.name == gone else item
        for item in stored.data.items
    ]
    other = replace(stored, data=replace(stored.data, items=items))
    found = other.sheets(tmp_path / "scratch")
    (remark,) = found.remarks
    assert remark.endswith(f"any more: {gone} (cannot be read: No such file or directory)")
    assert not cells_of(found.files, found.layers["first"].sheet)[0, ..., 3].any()


def test_a_budget_is_kept_and_told(stored, drawn, tmp_path):
    """First quality goes, then patches, the weakest first; at last there are none."""

    def bytes_of(found):
        return sum(
            len(found.files[path]) for path in {one.sheet.path for one in found.layers.values()}
        )

    most, kept = bytes_of(drawn), []
    while most:
        found = stored.sheets(tmp_path / "scratch", most=most - 1)
        assert bytes_of(found) < most
        assert found == stored.sheets(tmp_path / "scratch", most=most - 1)
        assert contract.WRONG_NAME in found.files
        most = bytes_of(found)
        kept.append({one.each for one in found.layers.values()})
        (remark,) = found.remarks
        if most:
            each = found.layers["first"].each
            assert remark.endswith(f"each channel has {each} of them, encoded with quality 50")
            cells = cells_of(found.files, found.layers["second"].sheet)
            whole = cells_of(drawn.files, drawn.layers["second"].sheet)
            assert same(cells[each], whole[5])  # the strongest of channel 1
        else:
            assert "left out" in remark
    assert kept == [{5}, {4}, {3}, {2}, {1}, set()]


def test_a_sheet_is_no_larger_than_a_webp_can_be(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "LONGEST", 48 * 4)
    found = stored.sheets(tmp_path / "scratch", most=None)
    assert {one.each for one in found.layers.values()} == {4}
    assert found.remarks == [
        "a sheet of patches would be longer than the 192 pixels of a WebP: "
        "each channel has 4 of them, encoded with quality 75"
    ]


def test_sheets_are_about_as_wide_as_high():
    for channels, each in ((1, 5), (64, 5), (512, 5), (2048, 5), (60, 1), (1000, 3)):
        sheet = sheets._sheet("patches/x.webp", np.zeros((channels, each), int), 48)
        assert sheet.columns % each == 0
        assert sheet.columns * sheet.rows >= channels * each
        assert (sheet.rows - 1) * sheet.columns < channels * each
        assert sheet.columns <= sheet.rows + each
        assert sheet.rows <= sheet.columns + each


def test_nothing_is_left_behind(stored, tmp_path):
    stored.sheets(tmp_path / "scratch")

    class Broken:
        def map(self, work, tasks):
            assert (tmp_path / "scratch").exists()
            raise KeyboardInterrupt
            yield

    with pytest.raises(KeyboardInterrupt):
        stored.sheets(tmp_path / "scratch", Broken())
    assert list(tmp_path.iterdir()) == []


def test_one_photo_has_one_patch_a_channel(tmp_path):
    picture(tmp_path / "photos" / "only.png", 5, 1)
    alone = survey_of(network(tmp_path / "model"), tmp_path / "photos")
    found = alone.sheets(tmp_path / "scratch")
    assert {one.each for one in found.layers.values()} == {1}
    assert found.wrong is None
    assert contract.WRONG_NAME not in found.files


def test_layers_in_which_nothing_fires_have_no_sheet(stored, tmp_path):
    strongest = replace(
        stored.summary.strongest, value=np.zeros_like(stored.summary.strongest.value)
    )
    dark = replace(stored, summary=replace(stored.summary, strongest=strongest))
    found = dark.sheets(tmp_path / "scratch")
    assert found.layers == {}
    assert list(found.files) == [contract.WRONG_NAME]
    assert (MAPS, found.remarks) == (16, [])


def test_a_survey_can_have_no_patches(stored, tmp_path):
    found = stored.sheets(tmp_path / "scratch", each=0)
    assert found.layers == {}
    assert found.remarks == []
    assert list(found.files) == [contract.WRONG_NAME]


def test_a_sheet_that_two_layers_share_is_encoded_once(stored, drawn, tmp_path, monkeypatch):
    encoded, encode = [], sheets._encode

    def counted(patches, places, sheet, quality):
        encoded.append(sheet.path)
        return encode(patches, places, sheet, quality)

    monkeypatch.setattr(sheets, "_encode", counted)
    assert stored.sheets(tmp_path / "scratch") == drawn
    assert sorted(encoded) == [contract.WRONG_NAME, "patches/first.webp", "patches/second.webp"]
    assert drawn.layers["first.relu"].sheet == drawn.layers["first"].sheet
