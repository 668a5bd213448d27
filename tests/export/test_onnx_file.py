"""The ONNX file: complete, free of traces of the machine it was made on, the same every time."""

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from resnet_by_hand import ALL

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def proto(onnx_path):
    return onnx.load(onnx_path, load_external_data=False)


def messages(message):
    """Yield a protobuf message and everything in it, as (field name, value)."""
    for field, value in message.ListFields():
        many = (
            value if hasattr(value, "__len__") and not isinstance(value, str | bytes) else [value]
        )
        for item in many:
            yield field.name, item
            if hasattr(item, "ListFields"):
                yield from messages(item)


def test_outputs_are_all_layers_in_forward_order(session):
    assert [output.name for output in session.get_outputs()] == ALL


def test_batch_size_is_free(session):
    (picture,) = session.get_inputs()
    assert picture.name == "input"
    assert isinstance(picture.shape[0], str)
    assert picture.shape[1:] == [3, 224, 224]
    assert {output.shape[0] for output in session.get_outputs()} == {picture.shape[0]}


def test_weights_are_inside_the_file(proto, onnx_path, state):
    stored = {tensor.data_location for tensor in proto.graph.initializer}
    assert stored == {onnx.TensorProto.DEFAULT}
    assert onnx_path.stat().st_size > sum(tensor.nbytes for tensor in state.values()) * 0.9
    assert sorted(path.name for path in onnx_path.parent.iterdir()) == [
        "resnet18.browser.onnx",
        "resnet18.json",
        "resnet18.npz",
        "resnet18.onnx",
    ]


def test_opset_is_what_the_manifest_says(proto, manifest):
    assert {entry.domain: entry.version for entry in proto.opset_import} == {"": manifest.opset}
    assert manifest.opset >= 18


@pytest.mark.parametrize("name", ["resnet18.onnx", "resnet18.browser.onnx"])
def test_nothing_tells_of_the_machine_or_the_checkout(exported, name):
    path = exported.path.with_name(name)
    notes = {"doc_string", "metadata_props"}
    said = messages(onnx.load(path))
    assert [text for field, text in said if field in notes and text] == []
    data = path.read_bytes()
    places = {os.fspath(ROOT), sys.prefix, str(Path.home()), "site-packages", "torchvision/models"}
    assert [place for place in places if place.encode() in data] == []


def test_another_process_writes_the_same_bytes(exported, tmp_path):
    options = ["--weights", "bundled", "--layers", "all", "--out", os.fspath(tmp_path)]
    run = subprocess.run(
        [sys.executable, "-m", "export", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")
    first = {path.name: path.read_bytes() for path in exported.path.parent.iterdir()}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
