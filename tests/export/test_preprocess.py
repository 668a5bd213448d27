"""NumPy and Pillow prepare a picture bit for bit as torchvision does."""

import tracemalloc
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from resnet_by_hand import forward

from export.architectures import MODELS, architecture
from export.torchvision_import import models
from precompute.decode import open_picture
from precompute.entry import Model, entry_files
from precompute.index import ImageEntry
from precompute.photos import Photo
from precompute.preprocess import crop, normalise

EXAMPLES = Path(__file__).parents[2] / "examples"
# Width and height. No side is more than eight times the other.
SIZES = [(257, 256), (256, 256), (224, 224), (1, 1), (3, 2), (31, 200), (200, 31), (640, 427)]
SIZES += [(427, 640), (1000, 333), (255, 300), (99, 100), (8, 64), (1023, 517)]
EXTREME = [(9, 80), (80, 9), (1, 100), (300, 20), (1500, 7)]


def noise(width, height):
    random = np.random.default_rng(width * 10_000 + height)
    return Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))


def ours(picture, spec):
    return normalise(crop(picture, spec), spec)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_noise_of_any_shape_is_prepared_the_same(resnet18, size):
    picture = noise(*size)
    expected = resnet18.published.transforms()(picture).numpy()
    assert np.array_equal(ours(picture, resnet18.input)[0], expected)


def test_every_preset_of_torchvision_is_prepared_the_same():
    presets = {}
    for name in MODELS:
        for one in models.get_model_weights(name):
            if one.meta["categories"]:
                chosen = architecture(name, one.name.lower())
                presets.setdefault(chosen.input, one.transforms())
    assert len(presets) > 15
    assert {spec.interpolation for spec in presets} == {"bilinear", "bicubic"}
    different = [
        (spec, size)
        for spec, preset in presets.items()
        for size in [(97, 640), (333, 250), (700, 601)]
        for picture in [noise(*size)]
        if not np.array_equal(ours(picture, spec)[0], preset(picture).numpy())
    ]
    assert different == []


def test_every_example_is_prepared_the_same(resnet18):
    preset = resnet18.published.transforms()
    paths = sorted(p for p in EXAMPLES.iterdir() if p.suffix in {".jpg", ".png"})
    assert len(paths) > 20
    pictures = {path.name: Image.open(path).convert("RGB") for path in paths}
    prepared = {name: ours(picture, resnet18.input)[0] for name, picture in pictures.items()}
    different = [
        n for n, p in pictures.items() if not np.array_equal(prepared[n], preset(p).numpy())
    ]
    assert different == []


@pytest.mark.parametrize("size", EXTREME, ids=str)
def test_extreme_shapes_are_within_one_level(resnet18, size):
    picture, spec = noise(*size), resnet18.input
    preset = resnet18.published.transforms()
    expected = preset(picture).numpy() * np.array(spec.std)[:, None, None]
    found = ours(picture, spec)[0] * np.array(spec.std)[:, None, None]
    assert np.abs(found - expected).max() <= 1.001 / 255


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1)], ids=str)
def test_an_extreme_shape_costs_no_memory(resnet18, size):
    # Resized as a whole it would have 256 × 5,120,000 pixels: 3.9 GB. Pillow does not report its
    # memory to tracemalloc, so it is forbidden to make any picture larger than the crop.
    made = []
    picture = noise(*size)
    original = picture.resize
    picture.resize = lambda size, *how, **more: made.append(size) or original(size, *how, **more)
    tracemalloc.start()
    pixels = crop(picture, resnet18.input)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made == [(224, 224)]
    assert pixels.shape == (224, 224, 3)
    assert peak < 10 * pixels.nbytes


@pytest.mark.parametrize("name", ["panda.jpg", "coffee.png"])
def test_the_answers_are_pytorchs(name, manifest, session, exported, resnet18, state):
    with np.load(exported.path.with_name(manifest.arrays.name)) as arrays:
        model = Model(manifest, session, dict(arrays))
    path = EXAMPLES / name
    files = entry_files(Photo(path, "a.png", id="a", title="A"), open_picture(path), model)
    entry = msgspec.json.decode(files["index.json"], type=ImageEntry)

    picture = resnet18.published.transforms()(Image.open(path).convert("RGB"))
    with torch.inference_mode():
        logits = forward(state, picture[None])["fc"][0]
    best = logits.topk(5)
    assert [answer.category for answer in entry.answers] == best.indices.tolist()
    assert [answer.name for answer in entry.answers] == [
        resnet18.categories[position] for position in best.indices
    ]
    assert [a.logit for a in entry.answers] == pytest.approx(best.values.tolist(), abs=1e-4)
    probabilities = logits.softmax(0)[best.indices].tolist()
    assert [a.probability for a in entry.answers] == pytest.approx(probabilities, rel=1e-4)
