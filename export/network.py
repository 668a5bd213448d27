"""A network as a graph of operations, whatever it came from, described tensor by tensor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import artifacts
from export import receptive_field as rf
from export.manifest import PICTURE, PLANES, Classifier, Layer, Pair
from export.stages import place

SAME = "identity"
"""What only hands on its one input once training is over: dropout, a pool of one pixel. Such a
tensor is its input under another name, and becomes no layer."""
CONVOLUTION = "convolution"
SCALE = "scale"
"""Each channel times one number, plus another; a batch norm is one with a history."""

_NEVER_NEGATIVE = {"relu", "relu6", "sigmoid", "hard sigmoid", "softmax"}
_KEEPS_SIGN = {
    "add",
    "average pool",
    "concatenate",
    "flatten",
    "global average pool",
    "local response norm",
    "max pool",
    "multiply",
    "reshape",
    "slice",
    "channel shuffle",
}

_TITLES = {
    "channel shuffle": "channels, shuffled",
    "gelu": "GELU",
    "layer norm": "layer norm over the channels of each position",
    "relu6": "ReLU6",
    SCALE: "each channel on a scale of its own",
    "silu": "SiLU",
}


@dataclass(frozen=True)
class Window:
    """What a convolution or pooling looks through; rows first, then columns."""

    kernel: Pair
    stride: Pair
    padding: Pair
    """Added in front; what is added behind follows from the length of the result."""
    dilation: Pair = (1, 1)


@dataclass(frozen=True)
class Operation:
    """One tensor of a forward graph, and how it is computed."""

    name: str
    op: str
    inputs: tuple[str, ...]
    """Names of the tensors that it is computed from, in the order in which it takes them, without
    weights; PICTURE is the picture."""
    shape: tuple[int, ...]
    """Without the batch axis: (channels, height, width) for maps, whatever their order was."""
    window: Window | None = None
    local: bool = False
    """Whether a position is computed from the same position of the inputs alone."""
    groups: int | None = None
    """Of a convolution."""
    parameters: int = 0


def describe(
    operations: Sequence[Operation],
) -> tuple[tuple[Layer, ...], Classifier | None, str]:
    """Return every tensor of a graph in forward order, the classifier at its end, and why there is
    none. No layer is marked as exported.
    """
    other_name = aliases(operations)
    kept = [one for one in operations if one.name not in other_name]
    views: dict[str, rf.View | None] = {PICTURE: rf.PICTURE}
    layers: dict[str, Layer] = {}
    for one in kept:
        inputs = tuple(other_name.get(source, source) for source in one.inputs)
        seen = _view(one, [views[source] for source in inputs])
        views[one.name] = seen
        maps = len(one.shape) == 3 and (seen is not None or max(one.shape[1:]) > 1)
        window = one.window
        sources = [layers[source] for source in inputs if source in layers]
        layers[one.name] = Layer(
            name=one.name,
            slug=artifacts.slug(one.name),
            title=_title(one, sources),
            op=one.op,
            stage="",
            block="",
            inputs=inputs,
            exported=False,
            spatial=maps,
            signed=_signed(one.op, [source.signed for source in sources]),
            channels=one.shape[0] if one.shape else 1,
            height=one.shape[1] if maps else 1,
            width=one.shape[2] if maps else 1,
            parameters=one.parameters,
            kernel=window.kernel if window else None,
            stride=window.stride if window else None,
            padding=window.padding if window else None,
            dilation=window.dilation if window else None,
            groups=one.groups,
            receptive_field=rf.receptive_field(seen) if seen is not None else None,
        )
    places = place(list(layers.values()))
    placed = tuple(
        replace(layer, stage=stage, block=block)
        for layer, (stage, block) in zip(layers.values(), places, strict=True)
    )
    return placed, *_classifier(layers)


def aliases(operations: Sequence[Operation]) -> dict[str, str]:
    """Return the tensors that are only another's view, and which one that is."""
    found: dict[str, str] = {}
    for one in operations:
        if one.op == SAME:
            (source,) = one.inputs
            found[one.name] = found.get(source, source)
    return found


def _view(one: Operation, inputs: Sequence[rf.View | None]) -> rf.View | None:
    """Return what a tensor sees; None where that is everything, or not known."""
    known = [view for view in inputs if view is not None]
    if not known or len(known) < len(inputs):
        return None
    if one.window is not None:
        w = one.window
        return rf.window(known[0], w.kernel, w.stride, w.padding, w.dilation)
    return rf.union(known) if one.local else None


def _signed(op: str, inputs: Sequence[bool]) -> bool:
    if op in _NEVER_NEGATIVE:
        return False
    return any(inputs) if op in _KEEPS_SIGN and inputs else True


def _title(one: Operation, sources: Sequence[Layer]) -> str:
    ops = [source.op for source in sources]
    place = " on the shortcut" if ".downsample." in one.name else ""
    if one.op == "add":
        return "sum of branch and shortcut" if len(one.inputs) == 2 else f"sum of {len(one.inputs)}"
    if one.op == "concatenate":
        return f"concatenation of {len(one.inputs)}"
    if one.op == "multiply" and len({source.spatial for source in sources}) == 2:
        return "each channel times its gate"
    if one.op == "relu":
        return "ReLU after the sum: the block's output" if "add" in ops else "ReLU"
    if one.op == "slice":
        return f"{one.shape[0]} of the {sources[0].channels if sources else PLANES} channels"
    if one.window is None:
        return f"{_TITLES.get(one.op, one.op)}{place}"
    size, step, spread = (
        pair[0] for pair in (one.window.kernel, one.window.stride, one.window.dilation)
    )
    grouped = _grouped(one, sources)
    return (
        f"{size}×{one.window.kernel[1]} {grouped}{one.op}{f', stride {step}' if step > 1 else ''}"
        f"{f', dilation {spread}' if spread > 1 else ''}{place}"
    )


def _grouped(one: Operation, sources: Sequence[Layer]) -> str:
    """Return how the groups of a convolution are called: one channel each is depthwise."""
    if one.groups is None or one.groups == 1:
        return ""
    if sources and sources[0].channels == one.groups:
        return "depthwise "
    return f"grouped ({one.groups}) "


def _classifier(layers: Mapping[str, Layer]) -> tuple[Classifier | None, str]:
    """Return the linear layer on global averages that the graph ends in, or why there is none."""
    chain = [list(layers.values())[-1]]
    while len(chain[-1].inputs) == 1 and chain[-1].inputs[0] in layers and not chain[-1].spatial:
        chain.append(layers[chain[-1].inputs[0]])
    ops = [layer.op for layer in chain if layer.op not in {"flatten", "reshape"}]
    if ops[:2] == ["linear", "global average pool"] and chain[-1].spatial:
        return Classifier(features=chain[-1].name, logits=chain[0].name), ""
    linear = ops.count("linear")
    if linear > 1:
        return None, f"its answers come from {linear} linear layers, one after another"
    if ops[0] == "linear" and "global average pool" in ops:
        return None, f"{ops[1]} stands between the averages and its linear layer"
    if ops[0] != "linear":
        return None, f"its last step is {ops[0]}, and not a linear layer"
    return None, "its linear layer reads every position by itself, and no average over them"
