"""The copy for browsers: what is stored as float16, what that changes, and when there is none."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from resnet_by_hand import ALL

from export import browser
from export.__main__ import main
from export.browser import browser_copy
from export.build import export
from export.errors import NoCopyError
from export.manifest import Classifier, read_manifest
from export.onnx_file import noise

CLASSIFIER = ["classifier.weight", "classifier.bias"]


@pytest.fixture(scope="module")
def copy_path(exported):
    return exported.path.with_name(exported.manifest.browser.file.name)


@pytest.fixture(scope="module")
def random(tmp_path_factory):
    """An export of weights that are no float16 numbers, without the layer that is averaged."""
    folder = tmp_path_factory.mktemp("random")
    return export("resnet18", "random:3", "conv1,layer4.1.add", folder)


def stored(path):
    """Return the tensors that an ONNX file holds: name to array."""
    graph = onnx.load(path).graph
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def casts(path):
    """Return the Casts to float32 of an ONNX file: what is read to what is made of it."""
    nodes = [node for node in onnx.load(path).graph.node if node.op_type == "Cast"]
    assert all(node.attribute[0].i == TensorProto.FLOAT for node in nodes)
    return {node.input[0]: node.output[0] for node in nodes}


def open_(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def names_of(path):
    return [output.name for output in open_(path).get_outputs()]


def test_weights_with_two_axes_or_more_are_float16_and_nothing_else_is(onnx_path, copy_path):
    original, copy, cast = stored(onnx_path), stored(copy_path), casts(copy_path)
    halved = {name for name, array in copy.items() if array.dtype == np.float16}
    assert halved == cast.keys()
    assert sorted(cast.values()) == sorted(
        name for name, array in original.items() if array.ndim >= 2
    )
    assert len(cast) == 21
    back = {cast.get(name, name): array for name, array in copy.items()}
    assert back.keys() == original.keys()
    for name, array in original.items():
        expected = array.astype(np.float16) if array.ndim >= 2 else array
        assert back[name].dtype == expected.dtype
        assert np.array_equal(back[name], expected), name


def test_outputs_are_those_of_the_model_and_then_the_classifier(session, copy_path):
    copy = open_(copy_path)
    assert names_of(copy_path) == [*ALL, *CLASSIFIER]
    for found, expected in zip(copy.get_inputs(), session.get_inputs(), strict=True):
        assert (found.name, found.type, found.shape) == (
            expected.name,
            expected.type,
            expected.shape,
        )
    described = {output.name: (output.type, output.shape) for output in copy.get_outputs()}
    assert [described[name] for name in CLASSIFIER] == [
        ("tensor(float)", [1000, 512]),
        ("tensor(float)", [1000]),
    ]
    onnx.checker.check_model(onnx.load(copy_path), full_check=True)


def test_the_file_is_about_half_as_large(manifest, onnx_path, copy_path):
    assert manifest.browser.bytes == copy_path.stat().st_size
    assert 0.5 < manifest.browser.bytes / onnx_path.stat().st_size < 0.51


def test_float16_numbers_stay_what_they_are(manifest, activations, pictures, state, copy_path):
    weights = [tensor.numpy() for tensor in state.values() if tensor.ndim >= 2]
    if not all(np.array_equal(weight.astype(np.float16), weight) for weight in weights):
        pytest.skip("the bundled weights are no float16 numbers")
    assert manifest.browser.rounding == 0
    assert manifest.browser.difference < 1e-6
    computed = open_(copy_path).run(None, {"input": pictures.numpy()})
    found = dict(zip(names_of(copy_path), computed, strict=True))
    off = {
        name: float(np.abs(found[name] - array).max() / np.abs(array).max())
        for name, array in activations.items()
    }
    assert {name: value for name, value in off.items() if not value < 1e-6} == {}
    assert np.array_equal(found["classifier.weight"], state["fc.weight"].numpy())
    assert np.array_equal(found["classifier.bias"], state["fc.bias"].numpy())


def test_the_rounding_holds_for_every_weight_and_is_met(random):
    said = random.manifest.browser
    copy_path = random.path.with_name(said.file.name)
    cast = casts(copy_path)
    copy = {cast[name]: array for name, array in stored(copy_path).items() if name in cast}
    original = stored(random.path.with_name(random.manifest.onnx.name))
    shares = [
        (np.abs(array.astype(float) - original[name]) / np.maximum(abs(original[name]), 2**-14))
        for name, array in copy.items()
    ]
    assert 0 < said.rounding <= 2**-11
    assert max(share.max() for share in shares) == pytest.approx(said.rounding, rel=1e-6)


def test_the_difference_is_that_of_the_outputs_on_noise(random):
    said = random.manifest.browser
    paths = (random.path.with_name(file.name) for file in (said.file, random.manifest.onnx))
    ours, theirs = map(open_, paths)
    worst = 0.0
    for batch in (1, 2):
        seeded = torch.Generator().manual_seed(batch)
        picture = {"input": torch.randn(batch, 3, 224, 224, generator=seeded).numpy()}
        for found, expected in zip(ours.run(None, picture), theirs.run(None, picture), strict=True):
            worst = max(worst, float(np.abs(found - expected).max() / np.abs(expected).max()))
    assert 1e-5 < said.difference < 5e-3
    assert said.difference == pytest.approx(worst, rel=1e-2)


def test_without_a_classifier_the_outputs_are_those_of_the_model(random):
    path = random.path.with_name(random.manifest.browser.file.name)
    assert random.manifest.classifier is None
    assert names_of(path) == ["conv1", "layer4.1.add", "fc"]


WEIGHT = np.array([[1.5, -0.25, 3.0], [0.5, 2.0, -1.0]], np.float32)
BIAS = np.array([0.1, -0.2], np.float32)


PICTURES = [noise(batch, 1).numpy() for batch in (1, 2)]


def linear(weight, names=("w", "b"), bias=BIAS):
    """Return an ONNX file of one linear layer on 1 × 1 pictures, whose parameters have `names`;
    without a bias where there is one name alone."""
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["input"], ["flat"]),
            helper.make_node("Gemm", ["flat", *names], ["logits"], transB=1),
        ],
        "linear",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 1, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(*pair) for pair in zip((weight, bias), names, strict=False)],
    )
    opsets = [helper.make_opsetid("", 20)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def test_a_bias_that_was_left_out_is_given_out_as_zero():
    copy = browser_copy(linear(WEIGHT, ("w",)), Classifier("input", "logits"), PICTURES)
    weight, bias = open_(copy.data).run(CLASSIFIER, {"input": np.ones((1, 3, 1, 1), np.float32)})
    assert np.array_equal(weight, WEIGHT)
    assert np.array_equal(bias, [0, 0])


@pytest.mark.parametrize("names", [("w", "b"), CLASSIFIER])
def test_the_classifier_is_given_out_whatever_its_tensors_are_called(names):
    copy = browser_copy(linear(WEIGHT, names), Classifier("input", "logits"), PICTURES)
    session = open_(copy.data)
    assert [output.name for output in session.get_outputs()] == ["logits", *CLASSIFIER]
    weight, bias = session.run(CLASSIFIER, {"input": np.ones((1, 3, 1, 1), np.float32)})
    assert np.array_equal(weight, WEIGHT)
    assert np.array_equal(bias, BIAS)


def test_the_same_file_gives_the_same_copy():
    data = linear(WEIGHT)
    assert browser_copy(data, None, PICTURES) == browser_copy(data, None, PICTURES)


@pytest.mark.parametrize(
    ("small", "expected"),
    [
        (2.0**-14 * (1 + 2**-11), 2.0**-11 / (1 + 2**-11)),  # half a step, just above
        (2.0**-14 - 2.0**-25, 2.0**-11),  # as much, just below
        (2.0**-25, 2.0**-11),  # becomes 0
        (2.0**-24, 0),
    ],
)
def test_a_weight_below_the_normal_range_counts_by_its_absolute_change(small, expected):
    weight = WEIGHT.copy()
    weight[1, 1] = small
    assert browser_copy(linear(weight), None, PICTURES).rounding == pytest.approx(
        expected, rel=1e-9
    )


def kinds(copy):
    return [tensor.data_type for tensor in onnx.load_from_string(copy.data).graph.initializer]


@pytest.mark.parametrize("sign", [1, -1])
def test_weights_that_float16_cannot_hold_stay_what_they_are(sign):
    weight = WEIGHT.copy()
    weight[0, 2] = sign * 65504
    copy = browser_copy(linear(weight), None, PICTURES)
    assert TensorProto.FLOAT16 in kinds(copy)
    assert copy.rounding == 0
    weight[0, 2] = sign * 65505
    copy = browser_copy(linear(weight), None, PICTURES)
    assert set(kinds(copy)) == {TensorProto.FLOAT}
    assert (copy.rounding, copy.difference) == (0, 0)


def test_weights_whose_rounding_would_change_too_much_stay_what_they_are():
    copy = browser_copy(linear(WEIGHT * 1e-9, bias=BIAS * 0), None, PICTURES)  # would become 0
    assert set(kinds(copy)) == {TensorProto.FLOAT}
    assert (copy.rounding, copy.difference) == (0, 0)


def test_a_copy_may_be_as_large_as_github_takes_and_no_larger(monkeypatch):
    assert browser.LARGEST_FILE == 100_000_000
    data = linear(WEIGHT)
    size = len(browser_copy(data, None, PICTURES).data)
    monkeypatch.setattr(browser, "LARGEST_FILE", size)
    browser_copy(data, None, PICTURES)
    monkeypatch.setattr(browser, "LARGEST_FILE", size - 1)
    with pytest.raises(NoCopyError):
        browser_copy(data, None, PICTURES)


def test_without_a_copy_the_build_says_why_and_leaves_none(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(browser, "LARGEST_FILE", 20_000_000)
    stale = tmp_path / "resnet18.browser.onnx"
    stale.write_bytes(b"of another model")
    options = ["--weights", "random:3", "--layers", "conv1", "--out", str(tmp_path)]
    assert main(options) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert (
        "export: the model's copy for browsers would have 24 MB, and GitHub takes files up to "
        "20 MB: the site has no page for visitors' own photos\n"
    ) in printed.out
    assert "for browsers; largest" not in printed.out
    assert not stale.exists()
    assert read_manifest(tmp_path / "resnet18.json").browser is None
