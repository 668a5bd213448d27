"""What the real gallery's files say is what onnxruntime computes for the photos."""

import tomllib

import msgspec
import numpy as np
import onnxruntime
import pytest
from PIL import Image

import artifacts
from export.manifest import read_manifest
from precompute.index import Contributions, read_entry, read_index
from precompute.reader import read_figures, read_layer, read_pixels, sheet_of


@pytest.fixture(scope="module")
def manifest(exported):
    return read_manifest(exported)


@pytest.fixture(scope="module")
def images(tiles):
    return [image.id for image in read_index(tiles).images]


@pytest.fixture(scope="module")
def raw(exported, manifest, tiles, images):
    """Image to layer to activations, computed here from the pixels that the entry shows."""
    session = onnxruntime.InferenceSession(
        exported.with_name(manifest.onnx.name), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    mean, std = (np.array(part, np.float32) for part in (manifest.input.mean, manifest.input.std))
    computed = {}
    for image in images:
        pixels = read_pixels(tiles / image / read_entry(tiles, image).input)
        values = (pixels.astype(np.float32) / np.float32(255) - mean) / std
        outputs = session.run(names, {"input": values.transpose(2, 0, 1)[None]})
        computed[image] = {name: out[0] for name, out in zip(names, outputs, strict=True)}
    return computed


def test_every_layer_has_a_sheet_in_forward_order(tiles, images, manifest):
    expected = [layer.name for layer in manifest.feature_maps]
    assert len(expected) == 57
    for image in images:
        entry = read_entry(tiles, image)
        assert [sheet.layer for sheet in entry.sheets] == expected
        assert list(entry.strip.layers) == expected
    assert [layer.layer for layer in read_index(tiles).layers] == expected


def test_sheets_hold_the_activations_to_within_half_a_step(tiles, raw):
    off = {}
    for image, layers in raw.items():
        for sheet in read_entry(tiles, image).sheets:
            values = layers[sheet.layer].astype(np.float64)
            again = read_layer(tiles, image, sheet.layer)
            assert again.shape == values.shape
            low, high = values.min(axis=(1, 2)), values.max(axis=(1, 2))
            rounding = np.maximum(np.abs(low), np.abs(high)) * 2**-22
            # onnxruntime may add in another order here: as many threads as there are cores.
            order = np.abs(values).max() * 1e-6
            excess = np.abs(again - values).max(axis=(1, 2)) - (high - low) / 510 * 1.001 - rounding
            if excess.max() > order:
                off[image, sheet.layer] = excess.max()
    assert off == {}


def test_figures_are_numpys_on_the_raw_activations(tiles, raw):
    for image, layers in raw.items():
        for sheet in read_entry(tiles, image).sheets:
            values = layers[sheet.layer].astype(np.float64)
            figures = read_figures(tiles / image, sheet)
            axes, where = (1, 2), f"{image}, {sheet.layer}"
            close = {"rtol": 1e-5, "atol": np.abs(values).max() * 2e-6, "err_msg": where}
            assert figures.layer == sheet.layer
            np.testing.assert_allclose(figures.low, values.min(axis=axes), **close)
            np.testing.assert_allclose(figures.high, values.max(axis=axes), **close)
            np.testing.assert_allclose(figures.mean, values.mean(axis=axes), **close)
            np.testing.assert_allclose(figures.std, values.std(axis=axes), **close)
            # One position may be zero here and all but zero there.
            one = 1.5 / values[0].size
            np.testing.assert_allclose(
                figures.zeros, (values == 0).mean(axis=axes), rtol=0, atol=one, err_msg=where
            )
            at_peak = values[np.arange(len(values)), figures.row, figures.column]
            np.testing.assert_allclose(at_peak, values.max(axis=axes), **close)
            means, maxima = values.mean(axis=0), values.max(axis=0)
            found = [figures.mean_low, figures.mean_high, figures.max_low, figures.max_high]
            expected = [means.min(), means.max(), maxima.min(), maxima.max()]
            np.testing.assert_allclose(found, expected, **close)
            np.testing.assert_allclose(
                [sheet.low, sheet.high], [values.min(), values.max()], **close
            )
            scale = np.percentile(np.abs(values), 99.5, method="higher")
            np.testing.assert_allclose(sheet.scale, scale, **close)


def test_summaries_are_the_channel_mean_above_the_channel_maximum(tiles, raw):
    for image, layers in raw.items():
        for sheet in read_entry(tiles, image).sheets:
            values = layers[sheet.layer].astype(np.float64)
            figures = read_figures(tiles / image, sheet)
            mean, largest = np.vsplit(read_pixels(tiles / image / sheet.summary) / 255, 2)
            low, high = figures.mean_low, figures.mean_high
            assert (
                np.abs(low + mean * (high - low) - values.mean(axis=0)).max() <= (high - low) / 500
            )
            low, high = figures.max_low, figures.max_high
            found = low + largest * (high - low)
            assert np.abs(found - values.max(axis=0)).max() <= (high - low) / 500 + 1e-6


def test_evidence_averages_to_the_logit(tiles, images, raw):
    for image in images:
        entry = read_entry(tiles, image)
        logits = raw[image]["fc"]
        assert len(entry.answers) == 5
        for answer, evidence in zip(entry.answers, entry.evidence, strict=True):
            assert (evidence.category, len(evidence.values)) == (answer.category, 7 * 7)
            assert np.mean(evidence.values) + evidence.bias == pytest.approx(answer.logit, abs=1e-4)
            assert logits[answer.category] == pytest.approx(answer.logit, abs=1e-4)


def test_answers_are_the_five_largest_with_their_probabilities(tiles, images, raw, manifest):
    for image in images:
        entry = read_entry(tiles, image)
        logits = raw[image]["fc"].astype(np.float64)
        best = np.sort(logits)[::-1][:5]
        assert [answer.logit for answer in entry.answers] == pytest.approx(best.tolist(), abs=1e-4)
        shares = np.exp(best) / np.exp(logits).sum()
        assert [a.probability for a in entry.answers] == pytest.approx(shares.tolist(), rel=1e-3)
        names = [manifest.categories[answer.category] for answer in entry.answers]
        assert [answer.name for answer in entry.answers] == names
        if entry.true_class is None:
            assert entry.correct is None
        else:
            assert entry.correct == (names[0] == entry.true_class)


def test_the_strip_shows_every_layer_at_the_same_size(tiles, images, raw):
    for image in images:
        entry = read_entry(tiles, image)
        strip = read_pixels(tiles / image / entry.strip.path)
        side = entry.strip.tile
        assert strip.shape == (side, side * len(entry.strip.layers))
        last = raw[image][entry.strip.layers[-1]]
        energy = np.abs(last).mean(axis=0)
        expected = (energy / energy.max() * 255).repeat(4, axis=0).repeat(4, axis=1)
        assert np.abs(strip[:, -side:] - expected).max() <= 0.6


def test_the_crop_is_the_part_that_the_network_saw(tiles, images, example_photos):
    for image in images:
        entry = read_entry(tiles, image)
        left, top, right, bottom = entry.crop
        assert 0 <= left < right <= entry.width
        assert 0 <= top < bottom <= entry.height
        assert right - left == pytest.approx(bottom - top, rel=0.01)
        assert right - left == pytest.approx(min(entry.width, entry.height) * 224 / 256, rel=0.01)
        (path,) = [p for p in example_photos.iterdir() if p.stem == image]
        photo = Image.open(path).convert("RGB")
        assert photo.size == (entry.width, entry.height)
        seen = photo.resize((224, 224), Image.Resampling.BILINEAR, box=entry.crop)
        shown = read_pixels(tiles / image / entry.input).astype(float)
        assert np.abs(np.asarray(seen) - shown).mean() < 3


def test_pictures_are_of_the_sizes_that_the_entry_says(tiles, images):
    for image in images:
        entry = read_entry(tiles, image)
        for name, width, height, longest in (
            (entry.photo, entry.photo_width, entry.photo_height, 1024),
            (entry.thumbnail, entry.thumbnail_width, entry.thumbnail_height, 320),
        ):
            with Image.open(tiles / image / name) as picture:
                assert picture.size == (width, height)
            assert max(width, height) <= longest
            assert width / height == pytest.approx(entry.width / entry.height, rel=0.02)


def test_what_is_said_of_a_photo_is_what_its_folder_says(tiles, images, example_photos):
    tables = tomllib.loads((example_photos / "examples.toml").read_text("utf-8"))["photo"]
    for image, table in zip(images, tables, strict=True):
        entry = msgspec.to_builtins(read_entry(tiles, image))
        told = {"class": entry["true_class"], "box": entry["box"] and list(entry["box"])}
        told |= {key: entry[key] for key in table if key not in {"file", "class", "box"}}
        missing = {"class": None, "box": None}
        assert told == missing | {key: value for key, value in table.items() if key != "file"}


def test_an_unknown_layer_is_told_with_the_known_ones(tiles, images):
    with pytest.raises(KeyError, match=r"unknown layer 'layer9': known layers are conv1, "):
        sheet_of(read_entry(tiles, images[0]), "layer9")


def test_what_the_channels_add_makes_up_the_logit(tiles, images, manifest, raw):
    for image in images:
        entry = read_entry(tiles, image)
        contributions = artifacts.decode(tiles / image / entry.contributions, Contributions, "")
        assert contributions.layer == manifest.classifier.features
        means = raw[image][contributions.layer].mean(axis=(1, 2))
        assert len(contributions.values) == len(entry.answers) == len(entry.evidence)
        for values, answer, evidence in zip(
            contributions.values, entry.answers, entry.evidence, strict=True
        ):
            assert len(values) == len(means)
            assert sum(values) + evidence.bias == pytest.approx(answer.logit, abs=1e-4)
            assert all(value == 0 for value, mean in zip(values, means, strict=True) if mean == 0)
