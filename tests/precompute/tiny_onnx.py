"""A network of a few kilobytes, and ONNX files made by hand: this environment has no onnx package.

The encoding is that of protobuf (https://protobuf.dev/programming-guides/encoding/), the field
numbers those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

import artifacts
from export.manifest import (
    SCHEMA_VERSION,
    Classifier,
    File,
    Input,
    Layer,
    ModelManifest,
    Weights,
)

SIDE = 8
CATEGORIES = ("ash", "birch", "cedar")
FLOAT, INT64, BOOL = 1, 7, 9
DYNAMIC = "batch"


def varint(value: int) -> bytes:
    value %= 2**64
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def message(*fields: tuple[int, int | str | bytes]) -> bytes:
    """Encode fields: a number as a varint, anything else with its length."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def tensor(name: str, array, dims=None) -> bytes:
    array = np.asarray(array)
    kind = {"f": FLOAT, "i": INT64, "b": BOOL}[array.dtype.kind]
    shape = [(1, int(d)) for d in (array.shape if dims is None else dims)]
    return message(*shape, (2, kind), (8, name), (9, array.tobytes()))


def elsewhere(name: str, shape, location: str) -> bytes:
    """A tensor whose numbers are in another file."""
    entry = message((1, "location"), (2, location))
    return message(*[(1, d) for d in shape], (2, FLOAT), (8, name), (13, entry), (14, 1))


def value(name: str, shape, kind=FLOAT) -> bytes:
    dims = [message((2, d) if isinstance(d, str) else (1, d)) for d in shape]
    typed = message((1, kind), (2, message(*[(1, d) for d in dims])))
    return message((1, name), (2, message((1, typed))))


def node(op: str, inputs, outputs, *attributes: bytes) -> bytes:
    return message(
        *[(1, i) for i in inputs],
        *[(2, o) for o in outputs],
        (4, op),
        *[(5, a) for a in attributes],
    )


def ints(name: str, *numbers: int) -> bytes:
    return message((1, name), *[(8, n) for n in numbers], (20, 7))


def integer(name: str, number: int) -> bytes:
    return message((1, name), (3, number), (20, 2))


def subgraph(name: str, body: bytes) -> bytes:
    return message((1, name), (6, body), (20, 5))


def graph(nodes, tensors, inputs, outputs) -> bytes:
    return message(
        *[(1, n) for n in nodes],
        (2, "g"),
        *[(5, t) for t in tensors],
        *[(11, i) for i in inputs],
        *[(12, o) for o in outputs],
    )


def onnx(body: bytes) -> bytes:
    return message((1, 10), (7, body), (8, message((2, 20))))


RANDOM = np.random.default_rng(0)
WEIGHT = RANDOM.normal(size=(4, 3, 3, 3)).astype(np.float32)
LINEAR = RANDOM.normal(size=(len(CATEGORIES), 4)).astype(np.float32)
BIAS = RANDOM.normal(size=len(CATEGORIES)).astype(np.float32)


def parts() -> dict[str, list[bytes]]:
    """The network: convolution, ReLU, average over positions, linear layer."""
    return {
        "nodes": [
            node("Conv", ["input", "w"], ["conv"], ints("pads", 1, 1, 1, 1)),
            node("Relu", ["conv"], ["relu"]),
            node("GlobalAveragePool", ["relu"], ["pool"]),
            node("Flatten", ["pool"], ["flat"]),
            node("Gemm", ["flat", "v", "b"], ["fc"], integer("transB", 1)),
        ],
        "tensors": [tensor("w", WEIGHT), tensor("v", LINEAR), tensor("b", BIAS)],
        "inputs": [value("input", [DYNAMIC, 3, SIDE, SIDE])],
        "outputs": [
            value("conv", [DYNAMIC, 4, SIDE, SIDE]),
            value("relu", [DYNAMIC, 4, SIDE, SIDE]),
            value("fc", [DYNAMIC, len(CATEGORIES)]),
        ],
    }


def _layer(name: str, op: str, source: str, shape, **other) -> Layer:
    channels, height, width = shape
    settings = dict.fromkeys(("kernel", "stride", "padding", "dilation", "groups"))
    return Layer(
        name=name,
        slug=name,
        title=op,
        op=op,
        stage="stem",
        block="stem",
        inputs=(source,),
        channels=channels,
        height=height,
        width=width,
        parameters=0,
        receptive_field=None,
        **{"exported": True, "spatial": True, "signed": True, **settings, **other},
    )


def manifest() -> ModelManifest:
    """The network's, without the hashes of its files."""
    maps = (4, SIDE, SIDE)
    window = {"kernel": (3, 3), "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1)}
    inside = {"exported": False, "spatial": False, "signed": False}
    nothing = File("none", "0" * 64)
    return ModelManifest(
        schema_version=SCHEMA_VERSION,
        model="tiny",
        architecture=None,
        onnx=replace(nothing, name="tiny.onnx"),
        opset=20,
        producers={},
        tolerance=1e-5,
        layer_choice="all",
        weights=Weights("tiny", "random", None, "none", "nothing", (), (), "", ""),
        input=Input("input", SIDE, SIDE, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        categories=CATEGORIES,
        layers=(
            _layer("conv", "convolution", "input", maps, groups=1, **window),
            _layer("relu", "relu", "conv", maps, signed=False),
            _layer("pool", "global average pool", "relu", (4, 1, 1), **inside),
            _layer("flat", "flatten", "pool", (4, 1, 1), **inside),
            _layer("fc", "linear", "flat", (len(CATEGORIES), 1, 1), spatial=False),
        ),
        logits="fc",
        classifier=Classifier("relu", "fc"),
        no_evidence="",
        arrays=replace(nothing, name="tiny.npz"),
        browser=None,
    )


def with_kernels(shape: tuple[int, int, int, int]) -> ModelManifest:
    """The manifest for a first convolution whose weight has this shape."""
    channels, inputs, rows, columns = shape
    described = manifest()
    first, *middle, last = described.layers
    first = replace(first, channels=channels, kernel=(rows, columns), groups=3 // inputs)
    middle = [replace(layer, channels=channels) for layer in middle]
    return replace(described, layers=(first, *middle, last))


def arrays() -> dict[str, np.ndarray]:
    return {
        "stem": WEIGHT,
        "stem.untrained": WEIGHT[::-1],
        "conv.weight": WEIGHT,
        "classifier.weight": LINEAR,
        "classifier.bias": BIAS,
    }


def save(folder: Path, model: bytes, held=None, described: ModelManifest | None = None) -> Path:
    """Write a model with a manifest whose hashes are right, whatever else is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    described = described or manifest()
    (folder / "tiny.onnx").write_bytes(model)
    if isinstance(held, bytes):
        (folder / "tiny.npz").write_bytes(held)
    else:
        np.savez(folder / "tiny.npz", **(arrays() if held is None else held))
    hashes = {
        name: File(f"tiny.{end}", hashlib.sha256((folder / f"tiny.{end}").read_bytes()).hexdigest())
        for name, end in (("onnx", "onnx"), ("arrays", "npz"))
    }
    path = folder / "tiny.json"
    path.write_bytes(artifacts.encode(replace(described, **hashes)))
    return path
