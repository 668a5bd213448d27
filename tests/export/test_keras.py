"""Keras's models on their way through ONNX: what is shown is what Keras itself computes.

data/make_keras.py made keras_tf2onnx.onnx with TensorFlow, and noted what Keras gave for one
picture. The README's program runs here as it stands there, with PyTorch as Keras's backend.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from export.__main__ import main
from export.onnx_file import relative_difference

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
README = (ROOT / "README.md").read_text("utf-8")


def outputs(folder, name, pixels):
    """Return what the exported model `name` gives for (rows, columns, 3) pixels, and its manifest."""
    manifest = json.loads((folder / f"{name}.json").read_text("utf-8"))
    said = manifest["input"]
    levels = (pixels / 255 - said["mean"]) / said["std"]
    picture = levels.transpose(2, 0, 1)[None].astype(np.float32)
    session = onnxruntime.InferenceSession(folder / manifest["onnx"]["name"])
    names = [output.name for output in session.get_outputs()]
    found = session.run(names, {said["name"]: picture})
    return {key: value[0] for key, value in zip(names, found, strict=True)}, manifest


def softmax(logits):
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return powers / powers.sum()


@pytest.fixture(scope="module")
def theirs():
    """The picture, and what Keras computes of it: (rows, columns, channels) by layer."""
    with np.load(DATA / "keras_tf2onnx.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def ours(tmp_path_factory, theirs):
    folder = tmp_path_factory.mktemp("model")
    file = DATA / "keras_tf2onnx"
    words = ["--model", f"{file}.onnx", "--input", f"{file}.toml", "--name", "small"]
    assert main([*words, "--layers", "all", "--out", str(folder)]) == 0
    return outputs(folder, "small", theirs["picture"])


@pytest.mark.parametrize(
    ("layer", "op"),
    [
        ("stem_relu", "relu"),
        ("depthwise_relu6", "relu6"),
        ("sum", "add"),
        ("pool", "max pool"),
        ("average", "global average pool"),
    ],
)
def test_a_layer_computes_what_it_does_in_keras(ours, theirs, layer, op):
    values, manifest = ours
    name = next(one["name"] for one in manifest["layers"] if one["op"] == op)
    expected = theirs[layer]
    found = values[name].transpose(1, 2, 0) if expected.ndim == 3 else values[name].ravel()
    assert relative_difference(found, expected) < 1e-5
    assert expected.std() > 0.1


def test_answers_are_those_that_keras_gives(ours, theirs):
    values, manifest = ours
    found = softmax(values[manifest["logits"]])
    assert np.abs(found - theirs["answers"]).max() < 1e-6
    assert found.max() > 2 * found.mean()


def test_features_of_the_evidence_average_to_what_keras_averages(ours, theirs):
    values, manifest = ours
    features = values[manifest["classifier"]["features"]]
    assert relative_difference(features.mean(axis=(1, 2)), theirs["average"]) < 1e-5


def test_operations_are_told_as_keras_has_them(ours):
    _, manifest = ours
    convolutions = [layer for layer in manifest["layers"] if layer["op"] == "convolution"]
    assert [layer["groups"] for layer in convolutions] == [1, 8, 1, 1, 1, 1]
    assert [layer["stride"] for layer in convolutions] == [[2, 2], [2, 2], *[[1, 1]] * 4]
    # "same" of an even size in steps of two: nothing is added above and left.
    assert [layer["padding"][0] for layer in convolutions] == [0, 0, 0, 1, 2, 0]
    (joined,) = (layer for layer in manifest["layers"] if layer["op"] == "concatenate")
    assert (joined["channels"], joined["height"], joined["width"]) == (24, 16, 16)


@pytest.mark.parametrize("layer", ["stem_relu", "depthwise_relu6", "project", "join", "pool"])
def test_names_of_layers_are_kept(ours, layer):
    _, manifest = ours
    names = [one["name"] for one in manifest["layers"]]
    assert len([name for name in names if re.search(rf"(^|\.){layer}(_1)?$", name)]) == 1


def test_what_the_description_says_is_in_the_manifest(ours):
    _, manifest = ours
    assert manifest["architecture"] is None
    assert manifest["categories"] == (DATA / "classes.txt").read_text("utf-8").split("\n")[:-1]
    assert manifest["weights"]["name"] == "random weights, seed 0"


PREDICT = """
import numpy as np
pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
np.savez("keras.npz", pixels=pixels, answers=model.predict(pixels[None], verbose=0)[0])
"""


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """A folder in which the README's program has run, beside the README's description."""
    folder = tmp_path_factory.mktemp("example")
    (program,) = re.findall(r"```python\n(import keras\n.*?)```", README, re.DOTALL)
    (description,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (folder / "shapes.toml").write_text(description, "utf-8")
    (folder / "shapes.py").write_text(program + PREDICT, "utf-8")
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run(
        [sys.executable, "shapes.py"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_readmes_keras_model_gives_keras_answers(example):
    model = str(example / "shapes.onnx")
    assert main(["--model", model, "--out", str(example / "model")]) == 0
    with np.load(example / "keras.npz") as arrays:
        values, manifest = outputs(example / "model", "shapes", arrays["pixels"])
        assert np.abs(softmax(values[manifest["logits"]]) - arrays["answers"]).max() < 1e-6
        assert np.ptp(arrays["answers"]) > 0.01
    ops = [layer["op"] for layer in manifest["layers"]]
    assert ops.count("convolution") == ops.count("relu") == 2
    assert manifest["classifier"] is not None
    assert manifest["weights"]["trained_on"] == "nothing"


def test_without_its_description_the_readmes_model_is_refused(example, tmp_path, capsys):
    shutil.copy(example / "shapes.onnx", tmp_path)
    assert main(["--model", str(tmp_path / "shapes.onnx"), "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert str(tmp_path / "shapes.toml") in printed.err
    assert printed.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
