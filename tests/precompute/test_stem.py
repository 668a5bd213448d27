"""The pictures of the first filters hold their weights, and the numbers beside them are theirs."""

import io
from itertools import combinations

import numpy as np
import pytest
import tiny_onnx as tiny
from PIL import Image
from small_gallery import cut_down, rewrite

import artifacts
from export.manifest import read_manifest
from precompute.index import read_index
from precompute.kernel_measures import measure
from precompute.lessons import STEM, read_stem
from precompute.stem import stem_files

GAP = 1


@pytest.fixture(scope="session")
def arrays(exported):
    with np.load(exported.parent / read_manifest(exported).arrays.name) as file:
        return {name: file[name] for name in file.files if name.startswith("stem")}


@pytest.fixture(scope="session")
def stem(tiles):
    return read_stem(tiles)


def cells(folder, name, rows=7, columns=7):
    """Return the (rows, columns, 3, height, width) levels of a picture, and its transparency."""
    with Image.open(folder / STEM / name) as picture:
        assert picture.mode == "RGBA"
        pixels = np.asarray(picture)
    pixels = pixels.reshape(-1, rows + GAP, pixels.shape[1] // (columns + GAP), columns + GAP, 4)
    pixels = pixels.transpose(0, 2, 4, 1, 3)
    assert not pixels[:, :, 3, rows:].any()
    assert not pixels[:, :, 3, :, columns:].any()
    inside = pixels[..., :rows, :columns]
    return inside[:, :, :3].astype(int), inside[:, :, 3]


def drawn(weights, scale):
    return np.clip(np.rint(128 + 127 * weights.astype(np.float64) / scale), 1, 255)


def close(levels, expected):
    """Whether levels are the expected ones, to within what float32 can tip over."""
    off = np.abs(levels - expected)
    return off.max() <= 1 and (off > 0).mean() < 0.001


def test_every_view_of_every_filter_is_its_weights(tiles, arrays, stem):
    levels, alpha = cells(tiles, stem.views)
    assert levels.shape == (64, 8, 3, 7, 7)
    assert (alpha == 255).all()
    for number, weights in enumerate(arrays["stem"]):
        for half, scale in enumerate([stem.scale, np.abs(weights).max()]):
            colour, *planes = levels[number, 4 * half : 4 * half + 4]
            assert close(colour, drawn(weights, scale))
            for plane, grey in enumerate(planes):
                assert close(grey, drawn(weights[[plane] * 3], scale))
        assert stem.measures.largest[number] == pytest.approx(np.abs(weights).max(), rel=1e-5)
        own = levels[number, 4]
        assert max(own.max() - 128, 128 - own.min()) == 127, "its own scale ends at its largest"


def test_mosaics_are_in_reading_order(tiles, arrays, stem):
    expected = {stem.mosaic: (arrays["stem"], stem.scale)}
    expected[stem.untrained.mosaic] = (arrays["stem.untrained"], stem.untrained.scale)
    for moment, weights in zip(stem.history.moments, arrays["stem.history"], strict=True):
        expected[moment.mosaic] = (weights, stem.scale)
    assert len(expected) == 11
    for name, (weights, scale) in expected.items():
        levels, _ = cells(tiles, name)
        one, own = levels[:, :8].reshape(64, 3, 7, 7), levels[:, 8:].reshape(64, 3, 7, 7)
        assert close(one, drawn(weights, scale)), name
        largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
        assert close(own, drawn(weights, largest)), name


def test_strips_follow_one_filter_through_training(tiles, arrays, stem):
    levels, _ = cells(tiles, stem.history.strips)
    moments = arrays["stem.history"].swapaxes(0, 1)
    assert close(levels[:, :9], drawn(moments, stem.scale))
    assert close(levels[:, 9:], drawn(moments, np.abs(moments).max(axis=(2, 3, 4), keepdims=True)))


def test_the_scale_leaves_out_one_weight_in_two_hundred(arrays, stem):
    absolute = np.abs(arrays["stem"])
    assert stem.beyond == (absolute > stem.scale).sum()
    assert 0.004 < stem.beyond / absolute.size <= 0.005
    assert stem.scale < absolute.max()


def test_pairs_are_those_whose_weights_correlate(arrays, stem):
    table = np.corrcoef(arrays["stem"].reshape(64, -1))
    expected = {pair: table[pair] for pair in combinations(range(64), 2)}
    expected = {pair: value for pair, value in expected.items() if value**2 >= 0.5}
    assert {(pair.first, pair.second) for pair in stem.pairs} == expected.keys()
    for pair in stem.pairs:
        assert pair.similarity == pytest.approx(expected[pair.first, pair.second], abs=1e-5)
    strength = [abs(pair.similarity) for pair in stem.pairs]
    assert strength == sorted(strength, reverse=True)
    chance = np.corrcoef(arrays["stem.untrained"].reshape(64, -1))
    np.fill_diagonal(chance, 0)
    assert stem.untrained.most_alike == pytest.approx(np.abs(chance).max(), abs=1e-5)
    assert stem.untrained.most_alike < stem.alike / 2


def test_the_numbers_of_each_kernel_are_its_own(arrays, stem):
    for listed, kernels in [
        (stem.measures, arrays["stem"]),
        (stem.untrained.measures, arrays["stem.untrained"]),
    ]:
        for name, values in vars(measure(kernels)).items():
            assert getattr(listed, name) == pytest.approx(values.tolist(), rel=1e-4, abs=1e-6), name


def test_the_history_says_what_it_holds(arrays, stem):
    moments = stem.history.moments
    assert [moment.step for moment in moments] == arrays["stem.history.step"].tolist()
    assert [moment.pixels for moment in moments] == arrays["stem.history.pixels"].tolist()
    assert moments[0].top1 is None
    assert [moment.top1 for moment in moments[1:]] == pytest.approx(
        arrays["stem.history.top1"][1:].tolist()
    )
    assert moments[-1].to_final == pytest.approx([1] * 64)
    assert np.median(moments[0].to_final) < np.median(moments[1].to_final) < 1


def changed(exported, folder, **arrays):
    """Return a manifest beside which some arrays are others, or gone where they are None."""
    manifest = cut_down(exported, folder, {"conv1", "layer4.1.relu_1", "fc"})
    path = manifest.with_name(read_manifest(manifest).arrays.name)
    with np.load(path) as file:
        kept = dict(file) | arrays
    path.unlink()
    np.savez(path, **{name: array for name, array in kept.items() if array is not None})
    return rewrite(manifest)


def written(manifest, folder):
    for name, data in stem_files(manifest):
        artifacts.write(folder / "m" / STEM / name, data)
    return folder / "m"


def test_without_a_history_there_is_none(exported, tmp_path):
    gone = {f"stem.history{field}": None for field in ("", ".step", ".pixels", ".top1")}
    folder = written(changed(exported, tmp_path / "model", **gone), tmp_path)
    assert read_stem(folder).history is None
    assert {path.name for path in (folder / STEM).iterdir()} == {
        "stem.json", "views.png", "trained.png", "untrained.png", "preview.png",
    }  # fmt: skip


def test_other_shapes_and_dead_kernels_can_be_drawn(tmp_path):
    kernels = np.random.default_rng(0).normal(size=(13, 3, 5, 3)).astype(np.float32)
    kernels[4] = 0
    held = {
        **tiny.arrays(),
        "stem": kernels,
        "stem.untrained": kernels * 2,
        "conv.weight": kernels,
        "classifier.weight": np.ones((3, 13), np.float32),
    }
    described = tiny.with_kernels(kernels.shape)
    folder = written(tiny.save(tmp_path / "model", b"", held, described), tmp_path)
    found = read_stem(folder)
    assert (found.rows, found.columns) == (5, 3)
    assert (found.measures.norm[4], found.measures.colour_share[4]) == (0, None)
    levels, alpha = cells(folder, found.views, 5, 3)
    assert levels.shape[:2] == (13, 8)
    assert (levels[4] == 128).all()
    levels, alpha = cells(folder, found.mosaic, 5, 3)
    assert alpha.all(axis=(2, 3)).tolist() == [[True] * 16, ([True] * 5 + [False] * 3) * 2]


def test_the_same_weights_give_the_same_bytes(exported):
    assert list(stem_files(exported)) == list(stem_files(exported))


def test_the_preview_shows_on_any_ground(exported):
    files = dict(stem_files(exported))
    with Image.open(io.BytesIO(files["preview.png"])) as picture:
        assert (picture.mode, picture.size) == ("RGB", (512, 512))


def test_kernels_that_are_no_colour_pictures_are_left_out_and_that_is_said(gallery, tmp_path):
    assert STEM in gallery.index.parts
    grey = np.random.default_rng(0).normal(size=(6, 1, 3, 3)).astype(np.float32)
    linear = np.ones((3, 6), np.float32)
    held = {**tiny.arrays(), **dict.fromkeys(("stem", "stem.untrained", "conv.weight"), grey)}
    parts = tiny.parts()
    window = [tiny.ints("pads", 1, 1, 1, 1), tiny.integer("group", 3)]
    parts["nodes"][0] = tiny.node("Conv", ["input", "w"], ["conv"], *window)
    parts["tensors"][:2] = [tiny.tensor("w", grey), tiny.tensor("v", linear)]
    parts["outputs"][:2] = [tiny.value(name, ["b", 6, 8, 8]) for name in ("conv", "relu")]
    manifest = tiny.save(
        tmp_path / "other",
        tiny.onnx(tiny.graph(**parts)),
        {**held, "classifier.weight": linear},
        tiny.with_kernels(grey.shape),
    )
    built = gallery.build(manifests=(manifest,))
    folder = gallery.settings.tiles / "tiny"
    assert STEM not in read_index(folder).parts
    assert not (folder / STEM).exists()
    assert any("no page on its filters" in remark for remark in built.remarks)
