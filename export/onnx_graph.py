"""An ONNX graph, read as operations: which tensors are maps, what computes them, and from what.

Every tensor was computed once, so that shapes are those that were met. Whether maps keep channels
as the second axis or as the last is followed tensor by tensor; steps that only move numbers
(transposes, reshapes, slices) are followed by moving the numbers' places, which tells exactly what
they do: nothing, a shuffle of channels, a choice of them, or something else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto

from export import network
from export.errors import GivenError
from export.manifest import Pair
from export.network import Window
from export.onnx_fold import stored

Array = NDArray[Any]

GREY = "input.grey"
"""The name of our own node that makes grey of a photo's colours."""
PIXELS = "input.pixels"
"""What the names of our own nodes begin with that make a photo's numbers whole, which they are."""
_LOCAL = {
    "Abs": "absolute value",
    "Celu": "celu",
    "Ceil": "ceil",
    "Clip": "clip",
    "Elu": "elu",
    "Erf": "erf",
    "Exp": "exp",
    "Floor": "floor",
    "Gelu": "gelu",
    "HardSigmoid": "hard sigmoid",
    "HardSwish": "hard swish",
    "LRN": "local response norm",
    "LeakyRelu": "leaky relu",
    "Log": "log",
    "Max": "maximum",
    "Min": "minimum",
    "Mish": "mish",
    "Neg": "negative",
    "PRelu": "prelu",
    "Pow": "power",
    "Reciprocal": "reciprocal",
    "Relu": "relu",
    "Round": "round",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Sign": "sign",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Sqrt": "square root",
    "Swish": "silu",
    "Tanh": "tanh",
    "ThresholdedRelu": "thresholded relu",
    "Add": "add",
    "Sum": "add",
    "Mean": "mean of layers",
    "Mul": "multiply",
    "Sub": "subtract",
    "Div": "divide",
}
"""Operators whose result at a position is made of the same position of what they read."""
_NEVER_LARGEST = -3e38
"""What a max pool never gives, short of nothing else."""
_HANDED_ON = {"Identity", "Dropout"}
_MOVING = {"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Slice", "Split", "Gather"}
_BINARY = {"Add", "Sum", "Mul", "Sub", "Div"}


@dataclass(frozen=True, eq=False)
class Step:
    """One tensor of numbers that is computed from the picture."""

    tensor: str
    """Its name in the ONNX graph."""
    op: str
    sources: tuple["Step", ...]
    shape: tuple[int, ...] | None
    """Without the batch: (channels, height, width) or (numbers,); None for what is neither."""
    last: bool = False
    """Whether the tensor keeps its channels as the last axis."""
    node: NodeProto | None = None
    window: Window | None = None
    local: bool = False
    groups: int | None = None
    parameters: int = 0
    arrays: Mapping[str, Array] = field(default_factory=dict)
    """What the manifest's arrays tell of it: `weight`, `bias`, `scale`, `shift`; float64."""
    learned: tuple[tuple[str, str], ...] = ()
    """Constants that training changes: what each is, `weight`, `transposed`, 0 or 1, and name."""
    padding: tuple[Pair, float] | None = None
    """How much it adds in front and of what, where it does nothing else."""
    two: bool = False
    """Whether it is one answer for yes or no, beside which a 0 is put to make it two."""


@dataclass(frozen=True)
class _Value:
    """A tensor as it is read: a step's, perhaps with its numbers moved."""

    step: Step
    last: bool
    places: Array | None = None
    """Where each number stands in the step's (channels, height, width); None where it stood."""
    node: NodeProto | None = None
    tensor: str = ""


@dataclass(frozen=True)
class Graph:
    """What is computed from the picture, in forward order, up to the answers."""

    picture: Step
    steps: tuple[Step, ...]

    @property
    def answers(self) -> Step:
        """The logits."""
        return self.steps[-1]


def names_of(graph: GraphProto) -> list[str]:
    """Return every tensor that a folded graph computes."""
    return [name for node in graph.node for name in node.output if name]


def read_graph(
    graph: GraphProto, tensors: Mapping[str, Array], picture: str, answers: str
) -> Graph:
    """Return the steps of a folded graph that lead to the tensor `answers`.

    `tensors` holds what every tensor was computed as for one picture, whose name is `picture`.
    """
    reader = _Reader(graph, tensors, picture)
    for node in graph.node:
        reader.read(node)
    end = reader.step(answers)
    if end is None or end is reader.picture:
        raise GivenError(f"the answers ('{answers}') are not computed from the picture")
    shape = tensors[answers].shape
    if len(shape) not in {2, 4} or shape[0] != 1 or max(shape[1:]) != np.prod(shape[1:]):
        raise GivenError(
            f"its answers have the shape {shape}, and only one number for each class of the whole "
            "picture can be shown: export a classifier, whose answers are (batch, classes)"
        )
    end = _as_answers(end)
    return Graph(reader.picture, tuple(_needed(end, reader.order)))


def _as_answers(end: Step) -> Step:
    """Return the last step as a vector; a convolution of one position is a linear layer."""
    shape = (int(np.prod(end.shape or (0,))),)
    source = end.sources[0].shape if end.sources else None
    if end.op == "matmul":
        return replace(end, op="linear", shape=shape)
    if end.op != network.CONVOLUTION or end.groups != 1 or source is None:
        return replace(end, shape=shape)
    weight = end.arrays["weight"]
    if source[1:] != (1, 1) or weight.shape[2:] != (1, 1):
        return replace(end, shape=shape)
    arrays = {**end.arrays, "weight": weight.reshape(weight.shape[:2])}
    return replace(end, op="linear", shape=shape, window=None, groups=None, arrays=arrays)


def _needed(end: Step, order: Sequence[Step]) -> Iterable[Step]:
    """Yield the steps that lead to `end`, without those that are neither maps nor vectors."""
    wanted = {id(source) for source in end.sources}
    for step in reversed(order):
        if id(step) in wanted:
            wanted |= {id(source) for source in step.sources}
    seen: dict[int, tuple[Step, ...]] = {}
    renewed: dict[int, Step] = {}
    for step in (*order, end):
        if id(step) not in wanted and step is not end:
            continue
        sources = tuple(
            renewed.get(id(one), one) for of in step.sources for one in seen.get(id(of), (of,))
        )
        if step.shape is None:
            seen[id(step)] = tuple(dict.fromkeys(sources))
            continue
        renewed[id(step)] = replace(step, sources=sources)
        yield renewed[id(step)]


class _Reader:
    """Follows a graph node by node."""

    def __init__(self, graph: GraphProto, tensors: Mapping[str, Array], picture: str) -> None:
        self.constants: dict[str, Array] = dict(stored(graph))
        self.tensors = tensors
        self.order: list[Step] = []
        self.picture = Step(picture, "picture", (), tensors[picture].shape[1:])
        self.values: dict[str, _Value] = {picture: _Value(self.picture, False)}

    def step(self, tensor: str) -> Step | None:
        """Return the step that a tensor is, None where it does not come from the picture."""
        value = self.values.get(tensor)
        return self._settled(value)[0] if value else None

    def read(self, node: NodeProto) -> None:
        """Take in what a node computes."""
        data = [name for name in node.input if name in self.values]
        outputs = [name for name in node.output if name and name in self.tensors]
        if not data or node.op_type in {"Shape", "Size"} or not outputs:
            return
        ours, before = node.name.startswith(f"{PIXELS}."), self.values[data[0]].step
        if ours and before.op == GREY and self.tensors[outputs[0]].dtype == np.float32:
            self._add(replace(before, tensor=outputs[0]), outputs[0])  # the last is what is read
            return
        if self._passes(node, data):
            self.values[outputs[0]] = self.values[data[0]]
            return
        if node.op_type in _MOVING and len(data) == 1:
            for name in outputs:
                self._move(node, data[0], name)
            return
        sources = [self._settled(self.values[name]) for name in data]
        result = self._computed(node, sources, outputs[0])
        self._add(result, outputs[0])
        for name in outputs[1:]:
            self._add(replace(self._other(node, sources, name), local=False), name)

    def _add(self, step: Step, tensor: str) -> None:
        self.order.append(step)
        self.values[tensor] = _Value(step, step.last)

    def _passes(self, node: NodeProto, data: list[str]) -> bool:
        """Tell whether a node hands on the one tensor that it reads."""
        before, after = self.tensors[data[0]], self.tensors[node.output[0]]
        if node.name.startswith(f"{PIXELS}."):
            return True
        if node.op_type == "Cast":
            from_pixels = self.values[data[0]].step.op in {"picture", GREY}
            return before.dtype == after.dtype or (from_pixels and after.dtype == np.float32)
        return node.op_type in _HANDED_ON or (
            node.op_type in {"Sum", "Concat", "Mean", "Max", "Min"} and len(node.input) == 1
        )

    # What only moves numbers ------------------------------------------------------------------

    def _move(self, node: NodeProto, source: str, tensor: str) -> None:
        value = self.values[source]
        places = self._places(value, self.tensors[source].shape)
        moved = _moved(node, places, self.tensors[tensor].shape, self.constant, tensor)
        if moved is None:
            step, last = self._settled(value)
            self._add(self._other(node, [(step, last)], tensor), tensor)
            return
        self.values[tensor] = self._named(_Value(value.step, False, moved, node, tensor))

    def _places(self, value: _Value, shape: tuple[int, ...]) -> Array:
        """Return for each number of a tensor its place in (channels, height, width) of its step."""
        if value.places is not None:
            return value.places
        one = value.step.shape
        if one is None:
            return np.arange(np.prod(shape, dtype=int)).reshape(shape)
        places = np.arange(np.prod(one, dtype=int)).reshape(one)
        return (places.transpose(1, 2, 0) if value.last and len(one) == 3 else places).reshape(
            shape
        )

    def _named(self, value: _Value) -> _Value:
        """Return a moved tensor as the step itself, where all numbers are where they were."""
        shape, places = value.step.shape, value.places
        if shape is None or places is None or places.ndim not in {2, 4}:
            return value
        own = np.arange(np.prod(shape, dtype=int)).reshape(shape)
        for last in (False, True) if places.ndim == 4 else (False,):
            maps = _canonical(places, last)
            if maps.shape == shape and np.array_equal(maps, own):
                return _Value(value.step, last)
        return value

    def _settled(self, value: _Value) -> tuple[Step, bool]:
        """Return the step that a value is, made now if it is one that only moves numbers."""
        if value.places is None:
            return value.step, value.last
        op, local, last = _how(value.places, value.step.shape)
        shape = _canonical(value.places, last).shape if value.places.ndim in {2, 4} else None
        step = Step(value.tensor, op, (value.step,), shape, last, value.node, local=local)
        self._add(step, value.tensor)
        return step, last

    # What computes ----------------------------------------------------------------------------

    def _computed(self, node: NodeProto, sources: list[tuple[Step, bool]], tensor: str) -> Step:
        how = _OPERATORS.get(node.op_type)
        found = how(self, node, sources, tensor) if how else None
        if found is None and node.op_type in _LOCAL:
            found = self._local(node, sources, tensor)
        return found or self._other(node, sources, tensor)

    def _other(self, node: NodeProto, sources: list[tuple[Step, bool]], tensor: str) -> Step:
        """Return what is known of any operator: its own name, and what it reads."""
        last = any(last for _, last in sources)
        constants = [self.constants[name] for name in node.input if name in self.constants]
        return Step(
            tensor=tensor,
            op=_spaced(node.op_type),
            sources=tuple(step for step, _ in sources),
            shape=self._shape(tensor, last),
            last=last,
            node=node,
            parameters=sum(one.size for one in constants if one.dtype.kind == "f"),
        )

    def _shape(self, tensor: str, last: bool) -> tuple[int, ...] | None:
        array = self.tensors[tensor]
        if array.dtype.kind != "f" or array.ndim not in {2, 4} or array.shape[0] != 1:
            return None
        return _maps(array.shape[1:], last)

    def _local(self, node: NodeProto, sources: list[tuple[Step, bool]], tensor: str) -> Step:
        other = self._other(node, sources, tensor)
        size = other.shape[1:] if other.shape else None
        same = all(step.shape and step.shape[1:] == size for step, _ in sources)
        op = _LOCAL[node.op_type]
        if node.op_type in _BINARY:
            return replace(other, op=self._binary(op, node, other), local=same)
        parameters = other.parameters if node.op_type == "PRelu" else 0
        return replace(other, op=op, local=same, parameters=parameters)

    def _binary(self, op: str, node: NodeProto, step: Step) -> str:
        if len(step.sources) < len(node.input):
            return f"{op} a constant"
        if op == "add" and any(one.shape != step.shape for one in step.sources):
            return "add over positions"
        return op

    def constant(self, name: str) -> Array | None:
        """Return what a node reads if that is the same for every photo, and None otherwise.

        What is computed from shapes alone is: every photo has the same.
        """
        if name in self.values:
            return None
        return self.constants.get(name, self.tensors.get(name))

    def channels(self, constant: Array, source: str, last: bool) -> Array | None:
        """Return a constant as one number for each channel of a tensor, None where it is not."""
        shape = self.tensors[source].shape
        axis = len(shape) - 1 if last or len(shape) == 2 else 1
        padded = constant.reshape((1,) * (len(shape) - constant.ndim) + constant.shape)
        if constant.ndim > len(shape) or any(
            length != 1 for i, length in enumerate(padded.shape) if i != axis
        ):
            return None
        if padded.size not in {1, shape[axis]}:
            return None
        return np.broadcast_to(padded.ravel(), shape[axis]).astype(np.float64)


Sources = list[tuple[Step, bool]]


def _convolution(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    weight = reader.constant(node.input[1])
    (source, last), *more = sources
    if weight is None or weight.ndim != 4 or more or last:
        return None
    step = reader._other(node, sources, tensor)
    if node.name == GREY:
        return replace(step, op=GREY, local=True, parameters=0)
    arrays = {"weight": weight.astype(np.float64)}
    learned = [("weight", node.input[1])]
    if len(node.input) > 2 and node.input[2]:
        bias = reader.constant(node.input[2])
        if bias is None:
            return None
        arrays["bias"] = bias.astype(np.float64)
        learned.append(("0", node.input[2]))
    groups = attribute(node, "group", 1)
    window = _window(reader, node, weight.shape[2:], tensor)
    if source.padding and source.padding[1] == 0:
        window = replace(window, padding=_sum(window.padding, source.padding[0]))
        step = replace(step, sources=source.sources)
    return replace(
        step,
        op=network.CONVOLUTION,
        window=window,
        groups=groups,
        arrays=arrays,
        learned=tuple(learned),
        parameters=sum(one.size for one in arrays.values()),
    )


def _batch_norm(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    constants = [reader.constant(name) for name in node.input[1:5]]
    step = reader._other(node, sources, tensor)
    if len(sources) > 1 or sources[0][1] or any(one is None for one in constants):
        return None
    weight, bias, mean, variance = (np.asarray(one, np.float64) for one in constants)
    scale = weight / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
    return replace(
        step,
        op="batch norm",
        local=True,
        parameters=2 * weight.size,
        arrays={"scale": scale, "shift": bias - mean * scale},
        learned=tuple(zip(("1", "0", "0", "1"), node.input[1:5], strict=True)),
    )


def _affine(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    """Return x · constant, x + constant and so on as a scale, or what it is together with x."""
    (first, second) = node.input[:2]
    constant = reader.constant(second if first in reader.values else first)
    if len(sources) == 2:
        return _gated(reader, node, sources, tensor) if node.op_type == "Mul" else None
    if constant is None or len(node.input) != 2 or constant.dtype.kind != "f":
        return None
    source, last = sources[0]
    name, other = (first, second) if first in reader.values else (second, first)
    numbers = reader.channels(constant, name, last)
    if numbers is None or reader.tensors[tensor].shape != reader.tensors[name].shape:
        return None
    step = reader._other(node, sources, tensor)
    if node.op_type == "Add" and source.op == "matmul" and step.shape is not None:
        return replace(
            step,
            op="linear",
            sources=source.sources,
            arrays={**source.arrays, "bias": numbers},
            learned=(*source.learned, ("0", other)),
            parameters=source.parameters + numbers.size,
        )
    swapped = name == second
    if node.op_type in {"Add", "Sum"}:
        scale, shift = np.ones_like(numbers), numbers
    elif node.op_type == "Sub":
        scale, shift = np.full_like(numbers, -1 if swapped else 1), numbers if swapped else -numbers
    elif node.op_type == "Mul":
        scale, shift = numbers, np.zeros_like(numbers)
    elif not swapped and numbers.all():
        scale, shift = 1 / numbers, np.zeros_like(numbers)
    else:
        return None
    added = node.op_type in {"Add", "Sum", "Sub"}
    learns = constant.size > 1 and not _prepares(source)
    learned = [("0" if added else "1", other)] if learns else []
    own = {"scale": scale, "shift": shift}
    parameters = constant.size
    sources_ = step.sources
    if source.op == network.SCALE and source.shape == step.shape:
        before = source.arrays
        own = {"scale": before["scale"] * scale, "shift": before["shift"] * scale + shift}
        learned = [*source.learned, *learned]
        parameters += source.parameters
        sources_ = source.sources
    return replace(
        step,
        op=network.SCALE,
        sources=sources_,
        local=True,
        parameters=parameters,
        arrays=own,
        learned=tuple(learned),
    )


def _prepares(source: Step) -> bool:
    """Tell whether what is done to `source` is done to the photo itself, which is not learned."""
    while source.op in {network.SCALE, GREY} and len(source.sources) == 1:
        (source,) = source.sources
    return not source.sources


def _gated(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    """Return x · sigmoid(x) and x · hard sigmoid(x) under their own names."""
    names = {"sigmoid": "silu", "hard sigmoid": "hard swish"}
    for (gate, _), (source, _) in (sources, sources[::-1]):
        if gate.op in names and gate.sources == (source,):
            usual = gate.op == "sigmoid" or _is_hard_swish(gate.node)
            step = reader._other(node, [sources[0]], tensor)
            if usual:
                return replace(step, op=names[gate.op], sources=(source,), local=True, parameters=0)
    return None


def _is_hard_swish(node: NodeProto | None) -> bool:
    assert node is not None
    slope, offset = attribute(node, "alpha", 0.2), attribute(node, "beta", 0.5)
    return bool(np.isclose(slope, 1 / 6) and np.isclose(offset, 0.5))


def _gemm(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    weight = reader.constant(node.input[1])
    shape = sources[0][0].shape
    if weight is None or len(sources) > 1 or attribute(node, "transA", 0) or not shape:
        return None
    turned = bool(attribute(node, "transB", 0))
    weight = (weight if turned else weight.T).astype(np.float64) * attribute(node, "alpha", 1.0)
    arrays = {"weight": weight}
    learned = [("weight" if turned else "transposed", node.input[1])]
    if len(node.input) > 2 and node.input[2]:
        bias = reader.constant(node.input[2])
        if bias is None or bias.size not in {1, len(weight)}:
            return None
        bias = bias.astype(np.float64) * attribute(node, "beta", 1.0)
        arrays["bias"] = np.broadcast_to(bias.ravel(), len(weight))
        learned.append(("0", node.input[2]))
    return _linear(reader, node, sources, tensor, arrays, learned, "linear")


def _matmul(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    """Return a product with a matrix of weights; with a bias after it, it is a linear layer."""
    weight = reader.constant(node.input[1])
    step = reader._other(node, sources, tensor)
    if weight is None or weight.ndim != 2 or len(sources) > 1 or step.shape is None:
        return None
    if int(np.prod(step.shape)) != weight.shape[1]:
        return None
    arrays = {"weight": weight.T.astype(np.float64)}
    return _linear(reader, node, sources, tensor, arrays, [("transposed", node.input[1])], "matmul")


def _linear(
    reader: _Reader,
    node: NodeProto,
    sources: Sources,
    tensor: str,
    arrays: dict[str, Array],
    learned: list[tuple[str, str]],
    op: str,
) -> Step:
    return replace(
        reader._other(node, sources, tensor),
        op=op,
        arrays=arrays,
        learned=tuple(learned),
        parameters=sum(one.size for one in arrays.values()),
    )


def _pool(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    source, last = sources[0]
    shape, kernel = source.shape, attribute(node, "kernel_shape", ())
    if last or not shape or len(kernel) != 2:
        return None
    step = reader._other(node, sources, tensor)
    kind = "max pool" if node.op_type == "MaxPool" else "average pool"
    if tuple(kernel) == (1, 1) and step.shape == shape:
        return replace(step, op=network.SAME)
    window = _window(reader, node, kernel, tensor)
    covered = all(kernel[i] - window.padding[i] >= shape[1 + i] for i in range(2))
    counts_padding = kind == "average pool" and attribute(node, "count_include_pad", 0)
    if covered and step.shape == (shape[0], 1, 1) and not counts_padding:
        return replace(step, op=f"global {kind}")
    if source.padding and source.padding[1] <= _NEVER_LARGEST and kind == "max pool":
        window = replace(window, padding=_sum(window.padding, source.padding[0]))
        step = replace(step, sources=source.sources)
    return replace(step, op=kind, window=window)


def _global_pool(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    kind = "max" if node.op_type == "GlobalMaxPool" else "average"
    return replace(reader._other(node, sources, tensor), op=f"global {kind} pool")


def _reduced(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    source, last = sources[0]
    rank = reader.tensors[node.input[0]].ndim
    axes = attribute(node, "axes", ())
    if len(node.input) > 1 and (given := reader.constant(node.input[1])) is not None:
        axes = tuple(int(axis) for axis in given)
    positions = {1, 2} if last else {2, 3}
    if rank != 4 or {axis % rank for axis in axes} != positions:
        return None
    kind = "max" if node.op_type == "ReduceMax" else "average"
    step = replace(reader._other(node, sources, tensor), op=f"global {kind} pool")
    if step.shape and len(step.shape) == 1:  # axes of length 1 are not kept
        return step
    return replace(step, shape=(source.shape[0], 1, 1) if source.shape else None)


def _concatenated(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    step = reader._other(node, sources, tensor)
    rank = reader.tensors[tensor].ndim
    axis = attribute(node, "axis", 1) % rank
    along = rank - 1 if step.last and rank == 4 else 1
    if len(sources) < len(node.input) or axis != along or step.shape is None:
        return None
    same = len({one.shape[1:] if one.shape else None for one, _ in sources}) == 1
    return replace(step, op="concatenate", local=same and len(step.shape) == 3)


def _clipped(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    bounds = [attribute(node, "min", None), attribute(node, "max", None)]
    for position, name in enumerate(node.input[1:3]):
        if name:
            constant = reader.constant(name)
            bounds[position] = None if constant is None else float(constant.ravel()[0])
            if constant is None:
                return None
    names = {(0.0, 6.0): "relu6", (0.0, None): "relu"}
    step = reader._local(node, sources, tensor)
    low, high = bounds
    high = None if high is not None and high > 1e38 else high
    return replace(step, op=names.get((low, high), "clip"), parameters=0)


def _padded(reader: _Reader, node: NodeProto, sources: Sources, tensor: str) -> Step | None:
    last = sources[0][1]
    pads = attribute(node, "pads", None)
    value = attribute(node, "value", 0.0)
    if len(node.input) > 1 and (given := reader.constant(node.input[1])) is not None:
        pads = given.tolist()
    if len(node.input) > 2 and node.input[2]:
        constant = reader.constant(node.input[2])
        value = None if constant is None else float(constant.ravel()[0])
    if len(node.input) > 3 and node.input[3]:
        return None
    step = reader._other(node, sources, tensor)
    if pads is None or len(pads) != 8 or attribute(node, "mode", b"constant") != b"constant":
        return None
    front, behind = pads[:4], pads[4:]
    rows, columns = (1, 2) if last else (2, 3)
    elsewhere = [axis for axis in range(4) if axis not in {rows, columns}]
    if any(front[axis] or behind[axis] for axis in elsewhere) or min(pads) < 0:
        return None
    if not any(pads):
        return replace(step, op=network.SAME)
    padding = (int(front[rows]), int(front[columns]))
    return replace(
        step,
        op="pad",
        window=Window((1, 1), (1, 1), padding),
        padding=None if value is None else (padding, value),
        parameters=0,
    )


_OPERATORS: dict[str, Callable[[_Reader, NodeProto, Sources, str], Step | None]] = {
    "Conv": _convolution,
    "BatchNormalization": _batch_norm,
    "Add": _affine,
    "Sum": lambda *a: _affine(*a) if len(a[1].input) == 2 else None,
    "Mul": _affine,
    "Sub": _affine,
    "Div": _affine,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _global_pool,
    "GlobalMaxPool": _global_pool,
    "ReduceMean": _reduced,
    "ReduceMax": _reduced,
    "Concat": _concatenated,
    "Clip": _clipped,
    "Pad": _padded,
}


def attribute(node: NodeProto, name: str, default: Any) -> Any:
    """Return an attribute of a node."""
    for one in node.attribute:
        if one.name == name:
            return onnx.helper.get_attribute_value(one)
    return default


def _window(reader: _Reader, node: NodeProto, kernel: Sequence[int], tensor: str) -> Window:
    """Return what a convolution or pooling looks through, whichever way its padding is given."""
    stride = attribute(node, "strides", (1, 1))
    dilation = attribute(node, "dilations", (1, 1))
    padding = tuple(attribute(node, "pads", (0, 0, 0, 0))[:2])
    auto = attribute(node, "auto_pad", b"NOTSET")
    if auto == b"VALID":
        padding = (0, 0)
    elif auto in {b"SAME_UPPER", b"SAME_LOWER"}:
        before, after = reader.tensors[node.input[0]].shape[2:], reader.tensors[tensor].shape[2:]
        missing = [
            max((after[i] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - before[i], 0)
            for i in range(2)
        ]
        padding = tuple((one + (auto == b"SAME_LOWER")) // 2 for one in missing)
    return Window(_pair(kernel), _pair(stride), _pair(padding), _pair(dilation))


def _pair(numbers: Sequence[int]) -> Pair:
    return int(numbers[0]), int(numbers[1])


def _sum(one: Pair, other: Pair) -> Pair:
    return one[0] + other[0], one[1] + other[1]


def _maps(shape: Sequence[int], last: bool) -> tuple[int, ...]:
    """Return the shape of a tensor without its batch axis as (channels, height, width)."""
    first, *rest = (int(length) for length in shape)
    return (rest[-1], first, *rest[:-1]) if last and rest else (first, *rest)


def _canonical(places: Array, last: bool) -> Array:
    """Return a moved tensor of one picture as (channels, height, width), or (numbers,)."""
    one: Array = places[0]
    return one.transpose(2, 0, 1) if last and places.ndim == 4 else one


def _moved(
    node: NodeProto,
    places: Array,
    shape: tuple[int, ...],
    constant: Callable[[str], Array | None],
    tensor: str,
) -> Array | None:
    """Return `places` after a node that only moves numbers; None where that cannot be told."""
    op = node.op_type
    if op in {"Reshape", "Squeeze", "Unsqueeze", "Flatten"}:
        return places.reshape(shape) if places.size == np.prod(shape, dtype=int) else None
    if op == "Transpose":
        order = attribute(node, "perm", tuple(range(places.ndim))[::-1])
        return places.transpose(order)
    given = [constant(name) if name else None for name in node.input[1:]]
    if any(name and one is None for name, one in zip(node.input[1:], given, strict=True)):
        return None
    if op == "Gather" and given[0] is not None:
        return np.take(places, given[0], axis=attribute(node, "axis", 0))
    if op == "Split":
        axis = attribute(node, "axis", 0)
        sizes = given[0] if given else attribute(node, "split", None)
        if sizes is None:
            parts = np.array_split(places, len(node.output), axis)
        else:
            parts = np.split(places, np.cumsum(sizes)[:-1], axis)
        return parts[list(node.output).index(tensor)]
    return _sliced(node, places, given)


def _sliced(node: NodeProto, places: Array, given: list[Array | None]) -> Array | None:
    """Return a part of `places`; opset 10 turned attributes into inputs."""
    if given:
        starts, ends, axes, steps = (*given, None, None)[:4]
    else:
        starts, ends = (np.array(attribute(node, name, ())) for name in ("starts", "ends"))
        axes, steps = attribute(node, "axes", None), None
    if starts is None or ends is None:
        return None
    axes = np.arange(len(starts)) if axes is None else axes
    steps = np.ones(len(starts), int) if steps is None else steps
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        length = places.shape[axis]
        stop = None if step < 0 and end < -length else int(end)
        places = np.take(places, np.arange(length)[int(start) : stop : int(step)], axis=int(axis))
    return places


def _how(places: Array, shape: tuple[int, ...] | None) -> tuple[str, bool, bool]:
    """Return what moving numbers to `places` is called, whether every position stays where it
    was, and whether channels are the last axis then.
    """
    if places.ndim == 2 or shape is None:
        if shape is not None and places.size != np.prod(shape, dtype=int):
            return "slice", False, False
        of_maps = shape is not None and len(shape) == 3 and max(shape[1:]) > 1
        in_order = (
            shape is None or of_maps or np.array_equal(places.ravel(), np.arange(places.size))
        )
        return ("flatten" if in_order else "channel shuffle"), False, False
    if places.ndim != 4 or len(shape) != 3:
        last = places.ndim == 4 and places.shape[1:3] == (1, 1) and places.shape[3] > 1
        return "reshape", False, last
    channels, rows, columns = shape
    positions = np.arange(rows * columns).reshape(rows, columns)
    for last in (False, True):
        maps = _canonical(places, last)
        if maps.shape[1:] == (rows, columns) and (maps % positions.size == positions).all():
            kept = maps.shape[0] == channels and len(np.unique(maps)) == maps.size
            return ("channel shuffle" if kept else "slice"), True, last
    return "reshape", False, False


def _spaced(op: str) -> str:
    """Return an operator's own name in small letters: `ConvTranspose` as `conv transpose`."""
    words = "".join(
        f" {c}" if c.isupper() and i and not op[i - 1].isupper() else c for i, c in enumerate(op)
    )
    return words.lower()
