"""Networks that are like no ResNet go through: what they lack is left out, with a remark."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_onnx as tiny
from convolution_by_hand import kernel_of, origins_of, source_of
from numpy.lib.stride_tricks import sliding_window_view
from small_gallery import draw, quiet

from export.manifest import Layer, ModelManifest, read_manifest
from precompute.build import Built, Settings, precompute
from precompute.index import read_entry
from precompute.lessons import read_mistakes, read_tours
from precompute.reader import read_layer

SIDE = tiny.SIDE
RANDOM = np.random.default_rng(7)


def random(*shape) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def window(rows=3, columns=3, groups=1, stride=1):
    pads = (rows // 2, columns // 2)
    return {
        "kernel": (rows, columns),
        "stride": (stride, stride),
        "padding": pads,
        "dilation": (1, 1),
        "groups": groups,
    }


def save(home: Path, nodes, tensors, layers, categories=("no", "yes"), classifier=None) -> Path:
    """Write a network whose layers are all given out; `tensors` are its arrays, too."""
    described = replace(
        tiny.manifest(),
        layers=tuple(layers),
        categories=categories,
        logits=layers[-1].name,
        classifier=classifier,
        no_evidence="" if classifier else "it has none",
    )
    outputs = [
        tiny.value(
            one.name,
            ["b", one.channels, one.height, one.width] if one.spatial else ["b", one.channels],
        )
        for one in layers
        if one.exported
    ]
    body = tiny.graph(
        nodes=nodes,
        tensors=[tiny.tensor(name, array) for name, array in tensors.items()],
        inputs=[tiny.value("input", ["b", 3, SIDE, SIDE])],
        outputs=outputs,
    )
    held = {name: array for name, array in tensors.items() if name.endswith("weight")}
    held |= {
        name: array.ravel() for name, array in tensors.items() if name.endswith(("scale", "shift"))
    }
    convolution = next((one for one in layers if one.op == "convolution"), None)
    if convolution:
        held |= dict.fromkeys(("stem", "stem.untrained"), tensors[f"{convolution.name}.weight"])
    return tiny.save(home / "model", tiny.onnx(body), held, described)


@pytest.fixture
def build(tmp_path):
    """Return a function that builds a network's tiles over two photos."""

    def run(*network, **more) -> tuple[Path, Built, ModelManifest]:
        photos = tmp_path / "photos"
        photos.mkdir()
        for seed in range(2):
            draw(photos / f"{seed}.png", seed, size=(16, 12))
        manifest = save(tmp_path, *network, **more)
        tiles = tmp_path / "tiles"
        done = precompute(Settings((manifest,), photos, tiles, "cpu", 1, False), quiet)
        return tiles / "tiny", done.models[0], read_manifest(manifest)

    return run


def maps(name: str, op: str, source: str, channels: int, side=(SIDE, SIDE), **other) -> Layer:
    return tiny._layer(name, op, source, (channels, *side), **other)


def head(source: str, channels: int, classes=2):
    """Nodes, tensors and layers from maps to logits."""
    linear = random(classes, channels)
    nodes = [
        tiny.node("GlobalAveragePool", [source], ["pool"]),
        tiny.node("Flatten", ["pool"], ["flat"]),
        tiny.node("Gemm", ["flat", "v"], ["fc"], tiny.integer("transB", 1)),
    ]
    inside = {"exported": False, "spatial": False}
    layers = [
        maps("pool", "global average pool", source, channels, (1, 1), **inside),
        maps("flat", "flatten", "pool", channels, (1, 1), **inside),
        maps("fc", "linear", "flat", classes, (1, 1), spatial=False),
    ]
    return nodes, {"v": linear}, layers


def convolved(values, kernels, groups, pads):
    """A grouped convolution with NumPy: (outputs, height, width)."""
    padded = np.pad(values, ((0, 0), (pads, pads), (pads, pads)))
    windows = sliding_window_view(padded, kernels.shape[2:], axis=(1, 2))
    inputs, outputs = len(values) // groups, len(kernels) // groups
    return np.concatenate(
        [
            np.einsum(
                "chwij,ocij->ohw",
                windows[g * inputs : (g + 1) * inputs],
                kernels[g * outputs : (g + 1) * outputs],
            )
            for g in range(groups)
        ]
    )


def test_depthwise_and_grouped_convolutions_scales_relu6_and_gates(build):
    """As in MobileNet: what is stored of each step gives the map that is stored."""
    end = head("gated", 6)
    tensors = {
        "wide.weight": random(6, 3, 3, 3),
        "deep.weight": random(6, 1, 3, 3),
        "grouped.weight": random(6, 3, 1, 1),
        "gate.weight": random(6, 6, 1, 1),
        "norm.scale": random(1, 6, 1, 1),
        "norm.shift": random(1, 6, 1, 1) + 3,
        "zero": np.float32(0),
        "six": np.float32(6),
        **end[1],
    }
    nodes = [
        tiny.node("Conv", ["input", "wide.weight"], ["wide"], tiny.ints("pads", 1, 1, 1, 1)),
        tiny.node(
            "Conv",
            ["wide", "deep.weight"],
            ["deep"],
            tiny.ints("pads", 1, 1, 1, 1),
            tiny.integer("group", 6),
        ),
        tiny.node("Mul", ["deep", "norm.scale"], ["scaled"]),
        tiny.node("Add", ["scaled", "norm.shift"], ["norm"]),
        tiny.node("Clip", ["norm", "zero", "six"], ["act"]),
        tiny.node("Conv", ["act", "grouped.weight"], ["grouped"], tiny.integer("group", 2)),
        tiny.node("Sigmoid", ["grouped"], ["sig"]),
        tiny.node("GlobalAveragePool", ["sig"], ["squeezed"]),
        tiny.node("Conv", ["squeezed", "gate.weight"], ["gate"]),
        tiny.node("Mul", ["sig", "gate"], ["gated"]),
        *end[0],
    ]
    inside = {"exported": False, "spatial": False}
    layers = [
        maps("wide", "convolution", "input", 6, **window()),
        maps("deep", "convolution", "wide", 6, **window(groups=6)),
        maps("norm", "scale", "deep", 6),
        maps("act", "relu6", "norm", 6, signed=False),
        maps("grouped", "convolution", "act", 6, **window(1, 1, groups=2)),
        maps("sig", "sigmoid", "grouped", 6, signed=False),
        maps("squeezed", "global average pool", "sig", 6, (1, 1), **inside),
        maps("gate", "convolution", "squeezed", 6, (1, 1), **inside, **window(1, 1)),
        replace(maps("gated", "multiply", "sig", 6), inputs=("sig", "gate")),
        *end[2],
    ]
    folder, built, manifest = build(nodes, tensors, layers)
    assert built.index.origins == ("wide", "deep", "norm", "act", "grouped")
    origins = origins_of(folder, manifest)
    assert [step.op for step in origins["act"].steps] == ["scale", "relu6"]
    assert (origins["deep"].groups, origins["deep"].kernels.inputs) == (6, 1)
    assert (origins["grouped"].groups, origins["grouped"].kernels.inputs) == (2, 3)
    image = built.index.images[0].id
    clipped = 0
    for name in ("act", "grouped"):
        origin = origins[name]
        source, _ = source_of(folder, manifest, image, origin)
        kernels = np.stack([kernel_of(folder, origin, channel)[0] for channel in range(6)])
        values = convolved(source, kernels, origin.groups, origin.padding[0])
        for step in origin.steps:
            if step.scale:
                values = values * np.reshape(step.scale, (6, 1, 1)) + np.reshape(
                    step.shift, (6, 1, 1)
                )
            else:
                clipped += int((values > 6).sum())
                values = np.clip(values, 0, 6)
        stored = read_layer(folder, image, name)
        assert np.abs(values - stored).max() < 0.05 * np.abs(stored).max()
    assert clipped > 10, "six is reached"
    assert {answer.name for answer in read_entry(folder, image).answers} == {"no", "yes"}
    assert len(read_mistakes(folder).preparations[0].answers) == 2


def test_no_convolution_at_all(build):
    end = head("pooled", 3)
    nodes = [
        tiny.node("AveragePool", ["input"], ["pooled"], tiny.ints("kernel_shape", 2, 2)),
        *end[0],
    ]
    layers = [maps("pooled", "average pool", "input", 3, (SIDE - 1, SIDE - 1)), *end[2]]
    folder, built, _ = build(nodes, end[1], layers)
    assert built.index.origins == ()
    assert "_stem" not in built.index.parts
    assert any("no page on its filters" in remark for remark in built.remarks)
    left_out = " ".join(read_tours(folder).left_out)
    assert "the first convolution is not shown" in left_out
    assert "no ReLU is shown" in left_out


def test_maps_of_one_position_of_one_column_and_of_thousands_of_channels(build):
    channels = 3000
    end = head("column", channels)
    tensors = {
        "point.weight": random(channels, 3, SIDE, SIDE),
        "tall.weight": random(5, 3, 1, SIDE),
    }
    tensors |= {"spread.weight": random(channels, 5, 1, 1), **end[1]}
    nodes = [
        tiny.node("Conv", ["input", "point.weight"], ["point"]),
        tiny.node("Conv", ["input", "tall.weight"], ["tall"]),
        tiny.node("Conv", ["tall", "spread.weight"], ["spread"]),
        tiny.node("Add", ["spread", "point"], ["column"]),
        *end[0],
    ]
    whole = {**window(SIDE, SIDE), "padding": (0, 0)}
    across = {**window(1, SIDE), "padding": (0, 0)}
    layers = [
        maps("point", "convolution", "input", channels, (1, 1), **whole),
        maps("tall", "convolution", "input", 5, (SIDE, 1), **across),
        maps("spread", "convolution", "tall", channels, (SIDE, 1), **window(1, 1)),
        replace(maps("column", "sum", "spread", channels, (SIDE, 1)), inputs=("spread", "point")),
        *end[2],
    ]
    folder, built, _ = build(nodes, tensors, layers)
    image = built.index.images[0].id
    assert read_layer(folder, image, "point").shape == (channels, 1, 1)
    assert read_layer(folder, image, "column").shape == (channels, SIDE, 1)
    point = (folder / image / "point.json").read_text()
    assert '"explained":[0.0,0.0,0.0]' in point
    assert (folder / "_shared" / "point" / "2992.json").is_file()
