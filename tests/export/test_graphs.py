"""torchvision's families: every tensor is what the model computes, and is made as it is described."""

from functools import partial

import pytest
import torch
from own_values import own_values
from torch.nn import functional

from export import graph, network
from export.architectures import architecture
from export.network import SCALE
from export.onnx_file import onnx_bytes, verify
from export.torchvision_import import models
from export.weights import load_weights

FAMILIES = {  # and the side of a picture that is large enough
    "alexnet": 96,
    "convnext_tiny": 64,
    "densenet121": 64,
    "efficientnet_b0": 64,
    "googlenet": 64,
    "inception_v3": 96,
    "mnasnet0_5": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "regnet_y_400mf": 64,
    "resnext50_32x4d": 64,
    "shufflenet_v2_x0_5": 64,
    "squeezenet1_1": 64,
}


def noise(side):
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(side))


class Family:
    """A model with random weights, its description, and all its tensors for two pictures."""

    def __init__(self, model, side):
        self.model, self.side = model, side
        self.graph = graph.trace(model, side)
        self.layers, self.classifier, self.no_evidence = network.describe(self.graph.operations)
        self.names = tuple(self.graph.nodes)
        with torch.inference_mode():
            kept = graph.keep(self.graph, self.names)(noise(side))
        self.tensors = dict(zip(self.names, kept, strict=True)) | {"input": noise(side)}
        self.arrays = {name: tensor.detach() for name, tensor in graph.parameters(self.graph)}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    return Family(load_weights("random:0", architecture(request.param))[0], FAMILIES[request.param])


def test_every_tensor_is_the_models_own(family):
    own = own_values(family.model, noise(family.side))
    different = []
    for name in family.names:
        found, expected = family.tensors[name], own[name]
        if found.shape != expected.shape:
            expected = expected.permute(0, 3, 1, 2)  # the only other order in these models
        if not torch.equal(found, expected):
            different.append(name)
    assert different == []
    assert len(family.names) > 15


POINTWISE = {
    "gelu": functional.gelu,
    "hard sigmoid": functional.hardsigmoid,
    "hard swish": functional.hardswish,
    "relu": torch.relu,
    "relu6": functional.relu6,
    "sigmoid": torch.sigmoid,
    "silu": functional.silu,
}


def made(layer, inputs, arrays):
    """Return `layer` made anew from its inputs, as its description says; None where that is not all."""
    first = inputs[0]
    if layer.op in POINTWISE:
        return POINTWISE[layer.op](first)
    if layer.op == "convolution":
        weight, bias = arrays[f"{layer.name}.weight"], arrays.get(f"{layer.name}.bias")
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return functional.conv2d(first, weight, bias, *settings)
    if layer.op == "batch norm":
        scale, shift = (
            arrays[f"{layer.name}.{part}"][:, None, None] for part in ("scale", "shift")
        )
        return first * scale + shift
    if layer.op in {"max pool", "average pool"}:
        pool = functional.max_pool2d if layer.op == "max pool" else functional.avg_pool2d
        pool = partial(pool, first, layer.kernel, layer.stride, layer.padding)
        plain = pool()
        return plain if plain.shape[2:] == (layer.height, layer.width) else pool(ceil_mode=True)
    if layer.op == "global average pool":
        return first.mean((2, 3))
    if layer.op == "flatten":
        return first.flatten(1)
    if layer.op == "concatenate":
        return torch.cat(inputs, 1)
    if layer.op in {"add", "multiply"}:
        one, other = inputs
        return one + other if layer.op == "add" else one * other
    return None


def test_every_layer_is_made_from_its_inputs_as_described(family):
    with torch.inference_mode():
        for layer in family.layers:
            found = family.tensors[layer.name]
            inputs = [family.tensors[name] for name in layer.inputs]
            assert found[0].numel() == layer.channels * layer.height * layer.width, layer.name
            assert layer.signed or found.min() >= 0, layer.name
            again = made(layer, inputs, family.arrays)
            if again is not None:
                largest = float(found.abs().max())
                again = again.reshape(found.shape)
                assert float((found - again).abs().max()) <= 2e-5 * largest, layer.name
            elif layer.op == "slice":
                (whole,) = inputs
                starts = range(whole.shape[1] - layer.channels + 1)
                assert any(torch.equal(found, whole[:, i:][:, : layer.channels]) for i in starts)
            elif layer.op == "channel shuffle":
                halves = inputs[0].unflatten(1, (2, -1)).unbind(1)
                assert torch.equal(found[:, ::2], halves[0])
                assert torch.equal(found[:, 1::2], halves[1])
            elif layer.op == SCALE:
                scale, shift = (
                    family.arrays[f"{layer.name}.{part}"].reshape(1, -1, *[1] * (found.ndim - 2))
                    for part in ("scale", "shift")
                )
                assert torch.allclose(found, inputs[0].reshape(found.shape) * scale + shift)
            elif layer.op == "layer norm":
                plain = functional.layer_norm(
                    inputs[0].movedim(1, -1), (layer.channels,), eps=1e-6
                ).movedim(-1, 1)
                assert torch.allclose(found, plain, atol=1e-4)  # untrained: times one, plus nothing
            else:
                assert layer.op == "linear" or "adaptive" in layer.op, (layer.name, layer.op)


def test_the_words_are_those_of_the_vocabulary_and_parameters_are_counted_once(family):
    titles = {layer.title for layer in family.layers}
    assert [title for title in titles if not title or title != title.strip()] == []
    expected = sum(one.numel() for one in family.model.parameters())
    assert sum(layer.parameters for layer in family.layers) == expected
    shown = [layer.op for layer in family.layers if layer.spatial]
    assert network.SAME not in shown


@pytest.mark.parametrize("name", ["convnext_tiny", "googlenet", "shufflenet_v2_x0_5"])
def test_nothing_outside_of_its_field_changes_a_value(name):
    family = Family(load_weights("random:0", architecture(name))[0], 64)
    shown = [layer for layer in family.layers if layer.spatial and layer.receptive_field][::6]
    assert len(shown) > 15
    module = graph.keep(family.graph, tuple(layer.name for layer in shown))
    picture = noise(64)[:1].requires_grad_()
    exact = 0
    for layer, maps in zip(shown, module(picture), strict=True):
        row, column = layer.height // 2, layer.width // 2
        (gradient,) = torch.autograd.grad(maps[:, :, row, column].sum(), picture, retain_graph=True)
        seen = gradient.abs().sum((0, 1)).nonzero()
        field = layer.receptive_field
        for axis, position in enumerate((row, column)):
            first = field.offset[axis] + position * field.stride[axis]
            last = first + field.size[axis] - 1
            assert seen[:, axis].min() >= first, layer.name
            assert seen[:, axis].max() <= last, layer.name
            exact += seen[:, axis].min() == max(first, 0) and seen[:, axis].max() == min(last, 63)
    assert exact > len(shown)  # of twice as many


def small_convnext():
    """A ConvNeXt in every respect but its size."""
    blocks = [models.convnext.CNBlockConfig(*shape) for shape in ((8, 16, 1), (16, None, 1))]
    return models.convnext.ConvNeXt(blocks, num_classes=5, layer_scale=0.1).eval()


def shufflenet():
    return models.get_model("shufflenet_v2_x0_5")


@pytest.mark.parametrize("make", [small_convnext, shufflenet])
def test_the_onnx_file_gives_maps_out_with_channels_first(make):
    torch.manual_seed(0)
    traced = graph.trace(make().eval(), 32)
    layers = network.describe(traced.operations)[0]
    names = tuple(layer.name for layer in layers if layer.spatial)
    taps = graph.keep(traced, names)
    data = onnx_bytes(taps, "input", names, 32)
    assert verify(data, taps, names, 32) < 1e-5
    with torch.inference_mode():
        shapes = [tuple(tensor.shape[1:]) for tensor in taps(noise(32))]
    assert shapes == [(one.channels, one.height, one.width) for one in layers if one.spatial]


def test_permuted_maps_are_not_shown_twice():
    traced = graph.trace(small_convnext(), 32)
    layers = network.describe(traced.operations)[0]
    assert [one.op for one in layers if one.name.startswith("features.1.0.")][:6] == [
        "convolution",
        "layer norm",
        "convolution",
        "gelu",
        "convolution",
        SCALE,
    ]
    permutes = {name for name, node in traced.nodes.items() if node.target is torch.permute}
    assert len(permutes) == 4
    assert permutes & {one.name for one in layers} == set()
