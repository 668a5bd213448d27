"""The manifest describes the network that is in the file, not one like it."""

import contextlib
import copy
import json
import os

import msgspec
import numpy as np
import pytest
import torch
from resnet_by_hand import SPATIAL
from torch.nn import functional as F  # noqa: N812

import artifacts
from export.manifest import SCHEMA_VERSION, read_manifest


@pytest.fixture
def tensors(activations, pictures):
    """Every tensor by the name that the manifest uses where it names inputs."""
    return {"input": pictures} | {n: torch.from_numpy(a) for n, a in activations.items()}


def test_shapes_are_those_of_the_outputs(manifest, activations):
    described = {
        layer.name: (layer.channels, layer.height, layer.width)
        for layer in manifest.layers
        if layer.exported
    }
    assert described == {n: (*a.shape[1:], 1, 1)[:3] for n, a in activations.items()}
    assert [layer.name for layer in manifest.feature_maps] == SPATIAL


def test_a_sum_names_both_its_inputs(manifest, tensors):
    sums = [layer for layer in manifest.layers if layer.op == "add"]
    assert [len(layer.inputs) for layer in sums] == [2] * 8
    for layer in sums:
        first, second = (tensors[name] for name in layer.inputs)
        torch.testing.assert_close(tensors[layer.name], first + second, rtol=1e-6, atol=1e-6)


def test_a_relu_is_its_input_cut_off_at_zero(manifest, tensors):
    relus = [layer for layer in manifest.layers if layer.op == "relu"]
    assert len(relus) == 17
    for layer in relus:
        (source,) = layer.inputs
        assert torch.equal(tensors[layer.name], tensors[source].clamp(min=0)), layer.name


def test_a_convolution_is_made_the_way_it_is_described(manifest, tensors, state):
    convolutions = [layer for layer in manifest.layers if layer.op == "convolution"]
    assert len(convolutions) == 20
    for layer in convolutions:
        (source,) = layer.inputs
        weight = state[f"{layer.name}.weight"]
        how = {"stride": layer.stride, "padding": layer.padding, "groups": layer.groups}
        again = F.conv2d(tensors[source], weight, **how)
        assert tuple(weight.shape[2:]) == layer.kernel
        torch.testing.assert_close(tensors[layer.name], again, rtol=1e-4, atol=1e-4)


def test_signed_are_exactly_the_layers_that_go_below_zero(manifest, activations):
    signed = [layer.name for layer in manifest.layers if layer.exported and layer.signed]
    assert signed == [name for name, values in activations.items() if values.min() < 0]


def test_parameters_are_counted_once_each(manifest, state, resnet18):
    learned = {name: p.numel() for name, p in resnet18.build().named_parameters()}
    assert sum(layer.parameters for layer in manifest.layers) == sum(learned.values())
    assert {layer.name: layer.parameters for layer in manifest.layers if layer.parameters} == {
        name.removesuffix(".weight"): count + learned.get(name.replace("weight", "bias"), 0)
        for name, count in learned.items()
        if name.endswith("weight")
    }


@pytest.fixture(scope="session")
def arrays(manifest, exported):
    path = exported.path.with_name(manifest.arrays.name)
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def test_arrays_are_the_weights(arrays, state, manifest):
    """Convolutions and classifier as they are; all else is looked at in a test of its own."""
    convolutions = [layer.name for layer in manifest.layers if layer.op == "convolution"]
    expected = {
        "stem": state["conv1.weight"],
        "classifier.weight": state["fc.weight"],
        "classifier.bias": state["fc.bias"],
        **{f"{name}.weight": state[f"{name}.weight"] for name in convolutions},
    }
    norms = [layer.name for layer in manifest.layers if layer.op == "batch norm"]
    affine = {f"{name}.{part}" for name in norms for part in ("scale", "shift")}
    history = {"stem.history", *(f"stem.history.{of}" for of in ("step", "pixels", "top1"))}
    assert arrays.keys() == expected.keys() | affine | history | {"stem.untrained"}
    assert [n for n in expected if not np.array_equal(arrays[n], expected[n].numpy())] == []
    assert {arrays[n].dtype for n in expected} == {np.dtype(np.float32)}
    assert (manifest.classifier.features, manifest.classifier.logits) == ("layer4.1.relu_1", "fc")


def test_a_batch_norm_is_its_scale_and_its_shift(arrays, activations, manifest):
    norms = [layer for layer in manifest.layers if layer.op == "batch norm"]
    assert len(norms) == 20
    for layer in norms:
        before = activations[layer.inputs[0]].astype(np.float64)
        factor = arrays[f"{layer.name}.scale"][:, None, None]
        after = before * factor + arrays[f"{layer.name}.shift"][:, None, None]
        largest = np.abs(activations[layer.name]).max()
        assert np.abs(after - activations[layer.name]).max() < 1e-5 * largest, layer.name


def test_the_history_of_the_stem_ends_in_the_weights_that_are_used(arrays):
    history = arrays["stem.history"]
    assert np.array_equal(history[-1], arrays["stem"])
    assert [np.array_equal(moment, arrays["stem"]) for moment in history].count(True) == 1
    steps = arrays["stem.history.step"]
    assert (np.diff(steps) > 0).all()
    assert len(history) == len(steps) == len(arrays["stem.history.top1"])


def test_the_untrained_stem_is_what_torchvision_starts_with(arrays, resnet18):
    torch.manual_seed(0)
    assert np.array_equal(arrays["stem.untrained"], resnet18.build().conv1.weight.detach().numpy())


def test_preprocessing_and_categories_are_torchvisions(manifest, resnet18):
    preset = resnet18.published.transforms()
    assert manifest.categories == tuple(resnet18.published.meta["categories"])
    assert [manifest.input.resize] == preset.resize_size
    assert [manifest.input.crop] == preset.crop_size
    assert manifest.input.interpolation == preset.interpolation.value
    assert [manifest.input.mean, manifest.input.std] == [tuple(preset.mean), tuple(preset.std)]


def test_the_model_card_travels_with_the_weights(manifest, card):
    described = msgspec.json.decode(artifacts.encode(manifest.weights))
    copied = {key: value for key, value in card.items() if key != "file"}
    assert described == {**copied, "source": "bundled"}


def test_files_are_named_with_their_hashes(manifest, exported):
    for file in (manifest.onnx, manifest.arrays, manifest.browser.file):
        assert artifacts.sha256(exported.path.with_name(file.name)) == file.sha256


def test_what_is_read_is_what_was_written(exported):
    assert read_manifest(exported.path) == exported.manifest


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text[:-100], "is not a ModelManifest: "),
        (lambda text: b"\xff\xfe" + text, "is not a ModelManifest: "),
        (lambda text: text.replace(b'"opset":', b'"sopset":'), "missing required field `opset`"),
        (
            lambda text: text.replace(b'"schema_version":1', b'"schema_version":2'),
            f"has schema version 2, expected {SCHEMA_VERSION}: run rm ",
        ),
    ],
)
def test_another_manifest_is_refused(exported, tmp_path, change, problem):
    path = tmp_path / "m.json"
    path.write_bytes(change(exported.path.read_bytes()))
    with pytest.raises(artifacts.ArtifactError) as refusal:
        read_manifest(path)
    message = str(refusal.value)
    assert problem in message
    assert message.startswith(str(path))
    assert message.endswith(f"run rm {path} && make export")


def test_a_missing_manifest_names_the_command(tmp_path):
    with pytest.raises(artifacts.ArtifactError, match=r"does not exist: run make export$"):
        read_manifest(tmp_path / "m.json")


# A manifest from a stranger


def edit(described, *path, value):
    """Set one field of a decoded manifest."""
    *way, last = path
    for step in way:
        described = described[step]
    described[last] = value


LAST = -1  # the logits


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ([("onnx", "name", "../x.onnx")], "- at `$.onnx.name`"),
        ([("onnx", "name", "/etc/passwd")], "- at `$.onnx.name`"),
        ([("onnx", "name", "C:x.onnx")], "- at `$.onnx.name`"),
        ([("onnx", "name", "a\\b.onnx")], "- at `$.onnx.name`"),
        ([("onnx", "name", "")], "- at `$.onnx.name`"),
        ([("onnx", "name", "a.onnx\n")], "- at `$.onnx.name`"),
        ([("onnx", "name", "..")], "- at `$.onnx.name`"),
        ([("onnx", "name", ".hidden")], "- at `$.onnx.name`"),
        ([("arrays", "name", "a/b.npz")], "- at `$.arrays.name`"),
        ([("browser", "file", "name", "../x")], "- at `$.browser.file.name`"),
        ([("arrays", "name", "RESNET18.onnx")], "two of its files have one name: "),
        ([("arrays", "name", "m.json")], "two of its files have one name: "),
        ([("onnx", "sha256", "0" * 63)], "- at `$.onnx.sha256`"),
        ([("model", "../x")], "- at `$.model`"),
        ([("model", ".")], "- at `$.model`"),
        ([("model", "")], "- at `$.model`"),
        ([("model", "CON")], "the model is called 'CON', which is no name for a folder"),
        ([("layers", 0, "slug", "../conv1")], "- at `$.layers[0].slug`"),
        ([("layers", 0, "slug", "conv2")], "layer 'conv1' has the slug 'conv2', which is not"),
        ([("layers", 1, "slug", "CONV1")], "layer 'bn1' has the slug 'CONV1', which is not"),
        (
            [("layers", 1, "name", "CONV1"), ("layers", 1, "slug", "CONV1")],
            "layer 'CONV1' has the slug 'CONV1', which is not its own",
        ),
        (
            [("layers", LAST, "name", "relu.pca"), ("layers", LAST, "slug", "relu.pca")],
            "layer 'relu.pca' has the slug 'relu.pca', which is not its own",
        ),
        ([("layers", 1, "name", "conv1"), ("layers", 1, "slug", "conv1")], "stands twice"),
        ([("layers", 2, "inputs", ["moon"])], "layer 'relu' reads 'moon', and no layer before it"),
        ([("layers", 2, "inputs", ["relu"])], "layer 'relu' reads 'relu', and no layer before it"),
        ([("layers", 2, "inputs", [])], "layer 'relu' has another shape than the one layer"),
        ([("layers", 0, "inputs", [])], "layer 'conv1' is a convolution without its settings"),
        ([("layers", 0, "stride", None)], "layer 'conv1' is a convolution without its settings"),
        ([("layers", 0, "groups", 7)], "layer 'conv1' has 7 groups of 3 to 64 channels"),
        ([("layers", 0, "signed", False)], "without its settings, its input or its sign"),
        ([("layers", 2, "signed", True)], "layer 'relu' is a ReLU and goes below zero"),
        ([("layers", 2, "channels", 65)], "layer 'relu' has another shape than the one layer"),
        ([("layers", 2, "channels", 10**9)], "- at `$.layers[2].channels`"),
        ([("layers", 2, "height", 0)], "- at `$.layers[2].height`"),
        ([("layers", 0, "kernel", [0, 7])], "- at `$.layers[0].kernel[0]`"),
        ([("layers", 0, "padding", [-1, 0])], "- at `$.layers[0].padding[0]`"),
        ([("input", "crop", 0)], "- at `$.input.crop`"),
        ([("input", "resize", -1)], "- at `$.input.resize`"),
        ([("input", "resize", 10**6)], "- at `$.input.resize`"),
        ([("input", "crop", 257)], "it crops 257 pixels from 256"),
        ([("input", "std", 1, 0)], "- at `$.input.std[1]`"),
        ([("input", "std", 1, 1e-300)], "- at `$.input.std[1]`"),
        ([("input", "mean", 0, None)], "- at `$.input.mean[0]`"),
        ([("input", "mean", 0, 1e300)], "- at `$.input.mean[0]`"),
        ([("input", "interpolation", "lanczos")], "- at `$.input.interpolation`"),
        ([("input", "name", "")], "- at `$.input.name`"),
        ([("categories", [])], "- at `$.categories`"),
        ([("categories", ["one"])], "the logits are 'fc', which is no exported layer of 1 numbers"),
        ([("logits", "moon")], "the logits are 'moon', which is no exported layer"),
        ([("logits", "conv1")], "the logits are 'conv1', which is no exported layer"),
        ([("layers", LAST, "exported", False)], "the logits are 'fc', which is no exported layer"),
        ([("layers", LAST, "width", 2)], "layer 'fc' has no positions, but is 1×2"),
        ([("classifier", "features", "moon")], "the classifier averages 'moon', which is not"),
        ([("classifier", "logits", "conv1")], "the classifier gives 'conv1', which is not the lo"),
        ([("layers", [])], "no exported layer has positions"),
        ([("weights", "accuracy", 0, "top1", 1e9)], "- at `$.weights.accuracy[0].top1`"),
        ([("weights", "sha256", "x")], "- at `$.weights.sha256`"),
    ],
    ids=range(57),
)
def test_a_manifest_that_cannot_be_right_is_refused(exported, tmp_path, changes, problem):
    described = json.loads(exported.path.read_bytes())
    for *path, value in changes:
        edit(described, *path, value=value)
    path = tmp_path / "m.json"
    path.write_text(json.dumps(described))
    with pytest.raises(artifacts.ArtifactError) as refusal:
        read_manifest(path)
    message = str(refusal.value)
    assert message.startswith(f"{path} ")
    assert problem in message
    assert message.endswith(f"run rm {path} && make export")
    assert message.isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b'{"schema_version":1e999}',
        b'{"opset":' + b"9" * 5000 + b"}",
        b'{"more":' + b"[" * 100_000,
        b'{"model":"\\ud800"}',
        b'{"model":NaN}',
        b"\x00" * 100,
        b"",
    ],
    ids=range(7),
)
def test_what_no_reader_of_json_likes_is_refused(tmp_path, content):
    path = tmp_path / "m.json"
    path.write_bytes(content)
    with pytest.raises(artifacts.ArtifactError) as refusal:
        read_manifest(path)
    assert str(refusal.value).startswith(f"{path} is not a ModelManifest: ")


def test_a_pipe_or_a_folder_is_no_manifest(tmp_path):
    os.mkfifo(tmp_path / "m.json")
    for path in (tmp_path / "m.json", tmp_path):
        with pytest.raises(artifacts.ArtifactError, match=r" is no file: remove it, then run "):
            read_manifest(path)


def test_every_field_can_hold_anything_and_is_read_or_refused(exported, tmp_path):
    """No value of any field, in the first layers too, gets past the reader as an exception."""
    whole = json.loads(exported.path.read_bytes())
    whole["layers"] = whole["layers"][:4] + whole["layers"][-3:]
    path = tmp_path / "m.json"
    fields = list(leaves(whole))
    assert len(fields) > 200
    for field in fields:
        if field[0] == "categories" and field[1:] not in ((), (0,)):
            continue
        for value in (None, "", "../x", "\x00\n", -1, 0, 2**70, 1e308, [], {}, True, ["input"]):
            described = copy.deepcopy(whole)
            edit(described, *field, value=value)
            path.write_text(json.dumps(described))
            with contextlib.suppress(artifacts.ArtifactError):
                read_manifest(path)


def leaves(value, path=()):
    """Yield the way to every value, containers included."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value[:50]):
            yield from leaves(inner, (*path, place))
