"""The lines of code on the page on preprocessing mistakes do what the page says of them."""

from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as torchvision_functional

from export.manifest import Input
from precompute.mistakes import CORRECT, prepare
from site_template.mistakes import check, lessons, whole

FUNCTIONS = ("center_crop", "normalize", "pil_to_tensor", "resize", "to_pil_image", "to_tensor")


@pytest.fixture(params=["bilinear", "bicubic"])
def spec(request, resnet18) -> Input:
    chosen = resnet18.input
    return Input(chosen.name, chosen.resize, chosen.crop, request.param, chosen.mean, chosen.std)


@pytest.fixture
def photo(tmp_path):
    """A picture as it should be seen, and a file of it that lies on its side, with a note."""
    levels = np.random.default_rng(5).integers(0, 256, (300, 420, 3), np.uint8)
    upright = Image.fromarray(levels)
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise to see it upright
    path = tmp_path / "photo.png"
    lying.save(path, exif=exif)
    return upright, path


def opencv():
    """What OpenCV documents: imread gives blue, green, red and obeys the note on orientation."""
    module = ModuleType("cv2")
    module.imread = lambda path: np.asarray(ImageOps.exif_transpose(Image.open(path)))[..., ::-1]
    module.COLOR_BGR2RGB = 4
    module.cvtColor = lambda pixels, code: {4: pixels[..., ::-1]}[code]
    return module


def prepared(spec, path, line=""):
    """Run `line` in place of the step that sets the same name, the other steps as they should be."""
    names = {name: getattr(torchvision_functional, name) for name in FUNCTIONS}
    names |= {"torch": torch, "Image": Image, "ImageOps": ImageOps, "cv2": opencv(), "path": path}
    names |= {"InterpolationMode": InterpolationMode, "mean": spec.mean, "std": spec.std}
    right = {lesson.id: lesson.right for lesson in lessons(spec)}
    steps = {
        "open": right["turned"],
        "crop": right["squashed"],
        "array": "pixels = np.array(image)",
        "axes": right["reshaped"],
        "scale": "x = normalize(x / 255, mean, std)",
    }
    if line:
        if "Image.open" in line:
            steps["open"] = line
        elif "cv2" in line:
            steps["open"] = line + "; image = Image.fromarray(np.ascontiguousarray(pixels))"
        elif line.startswith("image"):
            steps["crop"] = line
        elif "from_numpy" in line:
            steps["axes"] = line
        else:
            steps["scale"] = line
    names["np"] = np
    for step in steps.values():
        exec(step, names)
    return names["x"].numpy()[None]


def test_each_line_makes_its_mistake_and_the_other_mends_it(spec, photo):
    upright, path = photo
    inputs = prepare(upright, spec)
    assert np.array_equal(prepared(spec, path), inputs[CORRECT])
    for lesson in lessons(spec):
        assert np.array_equal(prepared(spec, path, lesson.wrong), inputs[lesson.id]), lesson.id
        assert np.array_equal(prepared(spec, path, lesson.right), inputs[CORRECT]), lesson.id
        assert not np.array_equal(inputs[lesson.id], inputs[CORRECT])


def test_the_whole_preparation_is_correct_and_can_be_checked_as_shown(
    spec, photo, capsys, monkeypatch
):
    upright, path = photo
    names = {name: getattr(torchvision_functional, name) for name in FUNCTIONS}
    names |= {"torch": torch, "Image": Image, "ImageOps": ImageOps, "path": path}
    names |= {"InterpolationMode": InterpolationMode}
    exec(whole(spec), names)
    inputs = prepare(upright, spec)
    assert np.array_equal(names["x"].numpy(), inputs[CORRECT])

    shown = []
    names["to_pil_image"] = lambda unit: shown.append(unit) or Image.new("RGB", (1, 1))
    monkeypatch.setattr(Image.Image, "show", lambda self: None)
    exec(check(spec), names)
    assert "torch.Size([1, 3, 224, 224])" in capsys.readouterr().out
    unit = prepare(upright, spec)["not-normalised"][0]
    assert shown[0].numpy() == pytest.approx(unit, abs=1e-6)
