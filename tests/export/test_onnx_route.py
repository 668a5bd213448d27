"""Somebody's ONNX file, exported: its layers are what the file itself computes, under clear names."""

import numpy as np
import onnx
import onnx_nets as nets
import onnxruntime
import pytest
import torch
from onnx import TensorProto
from torch.nn import functional as F  # noqa: N812

from export import onnx_source, onnx_surgery
from export.build import export
from export.errors import VerificationError
from export.manifest import read_manifest
from export.onnx_source import OnnxSource

LUMA = np.array([0.299, 0.587, 0.114])
MADE = {
    "plain": (nets.plain, {}),
    "keras": (nets.keras, {}),
    "keras-bgr": (nets.keras, {"text": nets.RAW + 'order = "bgr"\n'}),
    "keras-uint8": (nets.keras, {"kind": TensorProto.UINT8}),
    "keras-uint8-bgr": (
        nets.keras,
        {"kind": TensorProto.UINT8, "text": nets.RAW + 'order = "bgr"\n'},
    ),
    "keras-sigmoid": (nets.keras, {"sigmoid": True}),
    "plain-bgr": (nets.plain, {"text": nets.RGB + 'order = "bgr"\n'}),
    "odd": (nets.odd, {}),
    "odd-bgr": (nets.odd, {"text": nets.RGB + 'order = "bgr"\n'}),
    "grey": (nets.grey, {}),
    "grey-uint8": (nets.grey, {"text": nets.RAW, "kind": TensorProto.UINT8}),
}


class Made:
    """A model, its export of every layer, and both run on the same pixels."""

    def __init__(self, name, folder):
        make, options = MADE[name]
        self.name, self.path = name, make(folder, **options)
        done = export(str(self.path), "auto", "all", folder / "out", name=name)
        self.done, self.manifest = done, read_manifest(done.path)
        with np.load(done.path.with_name(self.manifest.arrays.name)) as arrays:
            self.arrays = dict(arrays)
        self.pixels = np.random.default_rng(7).integers(0, 256, (32, 32, 3), np.uint8)
        spec = self.manifest.input
        picture = ((self.pixels / 255 - spec.mean) / spec.std).astype(np.float32)
        self.picture = picture.transpose(2, 0, 1)[np.newaxis]
        self.file = done.path.with_name(self.manifest.onnx.name)
        session = nets.session(self.file)
        names = [output.name for output in session.get_outputs()]
        found = session.run(None, {spec.name: self.picture})
        self.tensors = {"input": self.picture, **dict(zip(names, found, strict=True))}

    def prepared(self):
        """The same pixels the way a person would prepare them for the model as it is."""
        text = self.path.with_suffix(".toml").read_text()
        levels = self.pixels.astype(float)
        if "pixels = 1\n" in text:
            levels = (levels / 255 - [0.4, 0.5, 0.6]) / [0.2, 0.25, 0.3]
        if "mean = 127.5" in text:
            levels = (levels - 127.5) / 64
        if "grey" in self.name:
            levels = (levels @ LUMA)[..., np.newaxis]
        levels = levels[..., ::-1] if "bgr" in text else levels
        levels = levels if "keras" in self.name else levels.transpose(2, 0, 1)
        kind = np.uint8 if "uint8" in self.name else np.float32
        levels = np.floor(levels + 0.5005) if kind is np.uint8 else levels
        return np.ascontiguousarray(levels[np.newaxis].astype(kind))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return each model of MADE, exported once."""
    kept = {}

    def get(name):
        if name not in kept:
            kept[name] = Made(name, tmp_path_factory.mktemp(name))
        return kept[name]

    return get


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@pytest.mark.parametrize("name", MADE)
def test_answers_are_those_of_the_untouched_file(made, name):
    one = made(name)
    (own,) = nets.session(one.path).run(None, {"data": one.prepared()})
    logits = one.tensors[one.manifest.logits].ravel().astype(float)
    assert one.done.difference < 1e-5
    if name.startswith("grey"):
        np.testing.assert_allclose(logits, own.ravel(), rtol=1e-4, atol=1e-4)
    elif name == "keras-sigmoid":
        np.testing.assert_allclose(softmax(logits), [1 - own[0, 0], own[0, 0]], atol=1e-5)
    else:
        np.testing.assert_allclose(softmax(logits), own.ravel(), atol=1e-5)


@pytest.mark.parametrize("name", MADE)
def test_every_layer_is_what_its_manifest_says_it_is_made_of(made, name):
    """Recompute each layer from its inputs, with the arrays, by PyTorch in float64."""
    one = made(name)
    looked_at = 0
    for layer in one.manifest.layers:
        if not layer.exported or not set(layer.inputs) <= one.tensors.keys():
            continue
        inputs = [torch.from_numpy(one.tensors[source]).double() for source in layer.inputs]
        again = recomputed(layer, inputs, one.arrays, name)
        if again is None:
            continue
        looked_at += 1
        found = one.tensors[layer.name]
        again = (
            again.numpy()[:, :, : found.shape[2], : found.shape[3]] if found.ndim == 4 else again
        )
        np.testing.assert_allclose(found, again, rtol=1e-4, atol=1e-4, err_msg=layer.name)
    assert looked_at >= 2


def recomputed(layer, inputs, arrays, name):
    if layer.op == "convolution":
        weight = torch.from_numpy(arrays[f"{layer.name}.weight"]).double()
        bias = arrays.get(f"{layer.name}.bias")
        bias = None if bias is None else torch.from_numpy(bias).double()
        down, right = (
            (size - 1) * stride + (kernel - 1) * dilation + 1 - before - padding
            for size, stride, kernel, dilation, before, padding in zip(
                (layer.height, layer.width),
                layer.stride,
                layer.kernel,
                layer.dilation,
                inputs[0].shape[2:],
                layer.padding,
                strict=True,
            )
        )
        padded = F.pad(inputs[0], (layer.padding[1], right, layer.padding[0], down))
        return F.conv2d(padded, weight, bias, layer.stride, 0, layer.dilation, layer.groups)
    if layer.op in {"scale", "batch norm"}:
        scale, shift = (arrays[f"{layer.name}.{part}"] for part in ("scale", "shift"))
        shape = (1, -1, 1, 1)
        return inputs[0] * torch.from_numpy(scale).view(shape) + torch.from_numpy(shift).view(shape)
    if layer.op == "relu":
        return inputs[0].clamp(min=0)
    if layer.op == "relu6":
        return inputs[0].clamp(0, 6)
    if layer.op == "silu":
        return F.silu(inputs[0])
    if layer.op == "concatenate":
        return torch.cat(inputs, 1)
    if layer.op == "add":
        return inputs[0] + inputs[1]
    if layer.op == "grey":
        levels = (inputs[0] * torch.from_numpy(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        return (levels + 0.5005).floor() if name == "grey-uint8" else levels
    return None


@pytest.mark.parametrize("name", MADE)
def test_evidence_adds_up_to_the_answers(made, name):
    one = made(name)
    assert one.manifest.no_evidence == ""
    features = one.tensors[one.manifest.classifier.features].astype(float)
    logits = one.arrays["classifier.weight"] @ features.mean((2, 3)).ravel()
    logits = logits + one.arrays["classifier.bias"]
    np.testing.assert_allclose(one.tensors[one.manifest.logits].ravel(), logits, atol=1e-4)
    copy = nets.session(one.done.path.with_name(one.manifest.browser.file.name))
    weight, bias = copy.run(
        ["classifier.weight", "classifier.bias"], {one.manifest.input.name: one.picture}
    )
    np.testing.assert_allclose(weight, one.arrays["classifier.weight"], atol=2e-3)
    np.testing.assert_allclose(bias, one.arrays["classifier.bias"], atol=1e-6)


@pytest.mark.parametrize("name", MADE)
def test_receptive_fields_hold_what_changes_an_activation(made, name):
    """The exact field of one activation, by changing one pixel at a time, lies in the one told."""
    one = made(name)
    layer = [one_ for one_ in one.manifest.feature_maps if one_.receptive_field][-1]
    session = nets.session(one.file)
    spec, field = one.manifest.input.name, layer.receptive_field
    (before,) = session.run([layer.name], {spec: one.picture})
    row, column = layer.height // 2, layer.width // 2
    changed = np.zeros((32, 32), bool)
    for y in range(32):
        for x in range(32):
            picture = one.picture.copy()
            picture[0, :, y, x] += 3
            (after,) = session.run([layer.name], {spec: picture})
            changed[y, x] = (after[0, :, row, column] != before[0, :, row, column]).any()
    rows, columns = np.nonzero(changed)
    assert rows.size
    for axis, met, position in ((0, rows, row), (1, columns, column)):
        first = field.offset[axis] + position * field.stride[axis]
        assert first <= met.min()
        assert met.max() <= first + field.size[axis] - 1


def names(made, name):
    return [layer.name for layer in made(name).manifest.layers]


def test_pytorchs_paths_are_names(made):
    assert names(made, "plain") == [
        "conv1",
        "bn1",
        "relu",
        "layer1.0.conv1",
        "layer1.0.add",
        "layer1.0.relu_1",
        "pool",
        "avgpool",
        "flatten1",
        "logits",
    ]


def test_kerass_paths_are_names(made):
    assert names(made, "keras") == [
        "norm",
        "conv1.conv",
        "conv1",
        "swish",
        "join",
        "pool",
        "fc",
    ]


def test_bare_tensors_are_called_by_what_they_are(made):
    assert names(made, "odd") == [
        "conv1",
        "lrn1",
        "relu6_1",
        "slice1",
        "slice2",
        "mul1",
        "scale1",
        "avgpool1",
        "linear1",
    ]


def test_a_model_that_takes_one_picture_is_said_to(made):
    shape = nets.session(made("odd").file).get_inputs()[0].shape
    assert shape == [1, 3, 32, 32] or isinstance(shape[0], str)
    assert isinstance(nets.session(made("keras").file).get_inputs()[0].shape[0], str)


@pytest.mark.parametrize(
    ("name", "planes", "first"),
    [("plain-bgr", 3, "conv1"), ("keras-bgr", 3, "norm"), ("grey", 1, "grey")],
)
def test_the_first_kernels_read_red_first(made, name, planes, first):
    """A model that wants blue first is told in red, green, blue, without a step in between."""
    one = made(name)
    assert one.manifest.layers[0].name == first
    assert one.arrays["stem"].shape[1] == planes
    assert one.arrays["stem.untrained"].shape == one.arrays["stem"].shape
    if planes == 3:
        (given,) = (
            onnx.numpy_helper.to_array(tensor)
            for tensor in onnx.load(one.path).graph.initializer
            if list(tensor.dims[1:]) == [3, 3, 3]
        )
        assert np.array_equal(one.arrays["stem"], given[:, ::-1])


def test_the_same_file_gives_the_same_bytes(made, tmp_path):
    one = made("keras")
    export(str(one.path), "auto", "all", tmp_path, name="keras")
    for path in tmp_path.iterdir():
        assert path.read_bytes() == one.done.path.with_name(path.name).read_bytes(), path.name


def test_random_weights_are_hes_and_said_to_be(made, tmp_path):
    done = export(str(made("plain").path), "random:3", "all", tmp_path)
    with np.load(tmp_path / "net.npz") as arrays:
        arrays = dict(arrays)
    generator = np.random.default_rng(3)
    expected = generator.normal(0, np.sqrt(2 / 27), (8, 3, 3, 3)).astype(np.float32)
    assert np.array_equal(arrays["conv1.weight"], expected)
    assert np.array_equal(arrays["bn1.shift"], np.zeros(8))
    np.testing.assert_allclose(arrays["bn1.scale"], 1, atol=1e-5)
    assert not arrays["conv1.bias"].any()
    assert not arrays["classifier.bias"].any()
    assert arrays["classifier.weight"].std() == pytest.approx(0.5, rel=0.4)
    weights = done.manifest.weights
    assert (weights.name, weights.source, weights.sha256) == (
        "random weights, seed 3",
        "random",
        None,
    )
    again = OnnxSource(made("plain").path, "random:4")
    assert not np.array_equal(again.arrays([], None).get("stem"), expected)


def test_what_is_done_to_the_photo_first_is_not_drawn_at_random(made, tmp_path):
    """Two networks side by side are to be given the same."""
    export(str(made("keras").path), "auto", "all", tmp_path / "own")
    export(str(made("keras").path), "random:3", "all", tmp_path / "random")
    own, drawn = (np.load(tmp_path / name / "net.npz") for name in ("own", "random"))
    scales = [name for name in own.files if name.endswith((".scale", ".shift"))]
    first = [name for name in scales if own[name].size == 3]
    assert len(first) == 2
    assert all(np.array_equal(own[name], drawn[name]) for name in first)
    assert any(not np.array_equal(own[name], drawn[name]) for name in own.files)


def test_averages_in_another_order_are_no_evidence(tmp_path):
    net = nets.Net(["n", 3, nets.SIDE, nets.SIDE])
    net.add("Conv", ["data", net.weight("w", 4, 3, 3, 3)], "c")
    net.add("GlobalAveragePool", "c", "p")
    net.add("Flatten", "p", "f")
    net.add("Gather", ["f", net.const("order", np.int64([3, 2, 1, 0]))], "g", axis=1)
    net.add("Gemm", ["g", net.weight("v", 4, 5)], "logits")
    path = net.save(tmp_path, nets.RGB, ("logits", ["n", 5]))
    manifest = export(str(path), "auto", "all", tmp_path).manifest
    assert manifest.classifier is None
    assert "channel shuffle" in manifest.no_evidence


# Surgery that is wrong does not pass ---------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "keras", "keras-bgr", "odd"])
def test_a_perturbed_weight_is_refused(made, name, monkeypatch, tmp_path):
    faithful = onnx_source.handed_out

    def perturbed(*arguments):
        model = faithful(*arguments)
        kernel = next(t for t in model.graph.initializer if len(t.dims) == 4)
        values = onnx.numpy_helper.to_array(kernel).copy()
        values.flat[5] += 0.01
        kernel.CopyFrom(onnx.numpy_helper.from_array(values, kernel.name))
        return model

    monkeypatch.setattr(onnx_source, "handed_out", perturbed)
    with pytest.raises(VerificationError, match="differs from the model as it was given by more"):
        export(str(made(name).path), "auto", "all", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_channels_in_the_wrong_order_are_refused(made, monkeypatch, tmp_path):
    faithful = onnx_source.fronted

    def unturned(model, picture, side, reverse, batch):
        return faithful(model, picture, side, False, batch)

    monkeypatch.setattr(onnx_source, "fronted", unturned)
    with pytest.raises(VerificationError):
        export(str(made("keras-bgr").path), "auto", "all", tmp_path)


def test_a_wrong_luma_is_refused(made, monkeypatch, tmp_path):
    monkeypatch.setattr(onnx_surgery, "LUMA", (0.3, 0.59, 0.11))
    with pytest.raises(VerificationError, match="grey by"):
        export(str(made("grey").path), "auto", "all", tmp_path)


# The onnx package's own models ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "layers", "op"),
    [("squeezenet", 66, "global average pool"), ("shufflenet", 203 - 33 - 1, "linear")],
)
def test_light_models_go_through_as_they_are(name, layers, op, tmp_path):
    card = tmp_path / "card.toml"
    card.write_text(nets.RAW)
    path = nets.LIGHT / f"light_{name}.onnx"
    done = export(str(path), "auto", "stages", tmp_path, input_file=card)
    manifest = read_manifest(done.path)
    assert done.difference < 1e-5
    assert len(manifest.categories) == 1000
    assert manifest.layers[-1].op == op
    assert "1000 outputs are taken for ImageNet's classes" in " ".join(done.remarks)
    assert (
        sum(layer.op == "convolution" for layer in manifest.layers)
        == {"squeezenet": 26, "shufflenet": 49}[name]
    )
    shuffles = sum(layer.op == "channel shuffle" for layer in manifest.layers)
    assert shuffles == {"squeezenet": 0, "shufflenet": 16}[name]
    fields = [layer.receptive_field is not None for layer in manifest.layers if layer.spatial]
    assert all(fields)


def test_huge_values_are_those_of_float64(tmp_path):
    """Weights of 0.02 everywhere: the first layers of SqueezeNet, worked out in float64."""
    card = tmp_path / "card.toml"
    card.write_text(nets.RAW)
    chosen = "conv1,maxpool1,fire2.squeeze1x1,avgpool1"
    done = export(
        str(nets.LIGHT / "light_squeezenet.onnx"), "auto", chosen, tmp_path, input_file=card
    )
    pixels = np.random.default_rng(2).integers(0, 256, (1, 3, 224, 224)).astype(np.float32)
    spec = done.manifest.input
    session = nets.session(done.path.with_suffix(".onnx"))
    found = session.run(None, {spec.name: (pixels / 255 / spec.std[0]).astype(np.float32)})
    exact = torch.from_numpy(pixels).double()
    with np.load(done.path.with_suffix(".npz")) as arrays:
        held = {name: torch.from_numpy(arrays[name]).double() for name in arrays}
    conv1 = F.conv2d(exact, held["conv1.weight"], held["conv1.bias"], stride=2)
    pool = F.max_pool2d(conv1.clamp(min=0), 3, 2)
    name = "fire2.squeeze1x1"
    squeeze = F.conv2d(pool, held[f"{name}.weight"], held[f"{name}.bias"])
    for ours, expected in zip(found, (conv1, pool, squeeze), strict=False):
        np.testing.assert_allclose(ours, expected.numpy(), rtol=1e-5)
    assert np.isfinite(found[-1]).all()


def test_onnxruntime_is_the_one_that_is_said(made):
    assert made("plain").manifest.producers["onnxruntime"] == onnxruntime.__version__
