"""The README's program trains a last layer, and what it saves becomes a model with its classes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import safetensors.torch
import torch
from PIL import Image

from export.__main__ import main
from export.architectures import architecture
from export.manifest import read_manifest
from export.weights import load_weights
from precompute.preprocess import crop, normalise

ROOT = Path(__file__).parents[2]
PHOTOS = {
    "animals": ("gorilla.jpg", "panda.jpg", "red-panda.jpg"),
    "churches": ("auvers-church.jpg", "notre-dame.jpg", "reims-cathedral.jpg"),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder in which the program ran."""
    folder = tmp_path_factory.mktemp("trained")
    for name, photos in PHOTOS.items():
        (folder / "photos" / name).mkdir(parents=True)
        for photo in photos:
            shutil.copy(ROOT / "examples" / photo, folder / "photos" / name)
    readme = (ROOT / "README.md").read_text("utf-8")
    (program,) = [
        code
        for code in re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        if "import torch" in code
    ]
    # Both of the lines that save.
    program += re.search(r"# or (torch\.save\(.*\))", program)[1]
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.fspath(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_model_answers_with_the_classes_it_was_trained_for(trained, tmp_path, capsys):
    arguments = ["--weights", "mine.safetensors", "--labels", "classes.txt"]
    arguments[1::2] = [str(trained / name) for name in arguments[1::2]]
    layers = ["--layers", "layer4.1.relu_1", "--out", str(tmp_path)]
    assert main([*arguments, *layers]) == 0, capsys.readouterr().err
    manifest = read_manifest(tmp_path / "resnet18.json")
    assert manifest.categories == tuple(PHOTOS)
    assert manifest.layer("fc").channels == 2
    assert manifest.classifier is not None
    file = tmp_path / manifest.onnx.name
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for position, (folder, photos) in enumerate(PHOTOS.items()):
        for photo in photos:
            picture = Image.open(trained / "photos" / folder / photo).convert("RGB")
            x = normalise(crop(picture, manifest.input), manifest.input)
            (logits,) = session.run([manifest.logits], {manifest.input.name: x})
            assert int(np.argmax(logits)) == position, photo


def test_only_the_last_layer_was_trained_and_both_files_say_the_same(trained, state):
    saved = safetensors.torch.load_file(trained / "mine.safetensors")
    network = architecture("resnet18", "mine.pth", tuple(PHOTOS))
    again = load_weights(str(trained / "mine.pth"), network)[0].state_dict()
    assert {n for n, t in state.items() if not torch.equal(t, saved[n])} == {
        "fc.weight",
        "fc.bias",
    }
    assert all(torch.equal(tensor, saved[name]) for name, tensor in again.items())


def test_without_their_names_the_classes_are_asked_for(trained, tmp_path, capsys):
    arguments = ["--weights", str(trained / "mine.pth"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 1
    message = capsys.readouterr().err
    assert "answers with 2 classes, and ImageNet has 1000: give LABELS=FILE with 2 lines" in message
    assert message.count("\n") == 1
