"""What is done to somebody's graph: our input put in front, its layers handed out.

Nothing in between is touched, so that every layer is what the model computes. What is put around
it uses operators that mean the same in every opset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from export.description import HALF, LUMA, NAME
from export.given import Picture
from export.manifest import PLANES
from export.onnx_fold import put, stored
from export.onnx_graph import GREY, PIXELS, Step, attribute

BATCH = "batch"
EVIDENCE = {"classifier.weight", "classifier.bias"}
"""What browsers get besides."""


@dataclass(frozen=True)
class Fronted:
    """A model that takes our input."""

    model: ModelProto
    original: Mapping[str, str]
    """Tensors that got another name: ours to what the given file calls them."""
    reversed: frozenset[str]
    """Tensors whose channels stand in the other order than in the given file."""


def fronted(
    model: ModelProto, picture: Picture, side: int, reverse: bool, batch: int | str
) -> Fronted:
    """Return `model`, folded, with an input of ours: float32 (batch, 3, side, side), RGB.

    Where it wants blue first, the first weights are turned round instead of the photo, if there
    are only numbers for each channel on the way to them: then they are told in red, green, blue.
    """
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    known = {name for node in graph.node for name in (*node.input, *node.output)} | {NAME}
    bare = picture.channels == PLANES and picture.kind is np.float32 and not picture.last
    turned = _turned(graph, picture) if reverse else {}
    bare = bare and (turned is not None)
    ours = "grey" if picture.channels == 1 else "bgr" if turned is None else f"{NAME}.given"
    whole = picture.kind is np.float32 and not picture.last
    given = NAME if bare else _free(ours if whole else f"{NAME}.given", known)
    names = {picture.name: given}
    if NAME in known and picture.name != NAME:
        names[NAME] = _free(f"{NAME}.other", known)
    rename(graph, names)
    nodes: list[NodeProto] = []
    tensor = NAME

    def then(op: str, *inputs: str, name: str = "", label: str = "", **attributes: object) -> None:
        nonlocal tensor
        output = label or _free(f"{NAME}.{op.lower()}", known)
        known.add(output)
        nodes.append(helper.make_node(op, [tensor, *inputs], [output], name=name, **attributes))
        tensor = output

    if turned is None:
        put(graph, _free("bgr.order", known), np.arange(PLANES)[::-1])
        then("Gather", _free("bgr.order", known), label=_free("bgr", known), axis=1)
    if picture.channels == 1:
        luma = np.array(LUMA, np.float32).reshape(1, PLANES, 1, 1)
        put(graph, _free("grey.weight", known), luma)
        then("Conv", _free("grey.weight", known), name=GREY, label=_free("grey", known))
    if picture.kind is np.uint8:
        put(graph, _free("input.half", known), np.array(HALF, np.float32))
        then("Add", _free("input.half", known), name=f"{PIXELS}.add")
        then("Floor", name=f"{PIXELS}.floor")
    if picture.kind is not np.float32:
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(picture.kind))
        then("Cast", name=f"{PIXELS}.cast", to=kind)
    if picture.last:
        then("Transpose", perm=(0, 2, 3, 1))
    if nodes:
        nodes[-1].output[0] = given
    nodes.extend(graph.node)
    del graph.node[:], graph.input[:], graph.value_info[:]
    graph.node.extend(nodes)
    shape = (batch, PLANES, side, side)
    graph.input.append(helper.make_tensor_value_info(NAME, TensorProto.FLOAT, shape))
    original = {new: old for old, new in names.items()}
    return Fronted(result, original, frozenset(turned or ()))


def handed_out(
    fronted: Fronted,
    steps: Mapping[str, Step],
    met: Mapping[str, NDArray[np.generic]],
    batch: int | str,
) -> ModelProto:
    """Return a model whose outputs are the layers `steps`, by name, in that order.

    `met` is what their tensors were for one picture. All become float32, maps (batch, channels,
    height, width), and the last layer, the answers, (batch, numbers).
    """
    result = ModelProto()
    result.CopyFrom(fronted.model)
    graph = result.graph
    del graph.output[:]
    answers = list(steps)[-1]
    names = {
        step.tensor: name
        for name, step in steps.items()
        if name != answers and not step.last and met[step.tensor].dtype == np.float32
    }
    known = {name for node in graph.node for name in (*node.input, *node.output)}
    clashes = (steps.keys() | EVIDENCE) & known - names.keys()
    names |= {name: _free(f"{name}.inner", known | steps.keys()) for name in clashes}
    rename(graph, names)
    for name, step in steps.items():
        shape = met[step.tensor].shape
        tensor = names.get(step.tensor, step.tensor)
        if name == answers:
            features = [names.get(source.tensor, source.tensor) for source in step.sources]
            graph.node.extend(_answers(graph, step, tensor, features, name))
            shape = (1, *(step.shape or ()))
        elif tensor != name:
            order = (0, 3, 1, 2) if step.last and len(shape) == 4 else range(len(shape))
            turned = f"{name}.turned"
            kind = TensorProto.FLOAT
            graph.node.append(helper.make_node("Transpose", [tensor], [turned], perm=order))
            graph.node.append(helper.make_node("Cast", [turned], [name], to=kind))
            shape = tuple(shape[axis] for axis in order)
        declared = (batch, *shape[1:])
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, declared))
    _prune(graph)
    if step.two and step.op == "linear":
        put(graph, "classifier.weight", step.arrays["weight"].astype(np.float32))
        put(graph, "classifier.bias", bias_of(step).astype(np.float32))
    return result


def _answers(
    graph: GraphProto, step: Step, tensor: str, features: Sequence[str], name: str
) -> list[NodeProto]:
    """Return the nodes that give the answers as (batch, numbers).

    A linear layer becomes one Gemm, whatever it was before: browsers hand out its weights. Beside
    a lone answer a 0 is put, and the weights of both are stored for browsers: it can be as small
    as rounding makes it, so that it has to be computed exactly as before.
    """
    flat = f"{name}.flat"
    if step.op == "linear" and not step.two:
        weight, bias = f"{name}.weight", f"{name}.bias"
        put(graph, weight, step.arrays["weight"].astype(np.float32))
        put(graph, bias, bias_of(step).astype(np.float32))
        return [
            helper.make_node("Flatten", list(features), [flat], axis=1),
            helper.make_node("Gemm", [flat, weight, bias], [name], transB=1),
        ]
    if not step.two:
        return [helper.make_node("Flatten", [tensor], [name], axis=1)]
    beside = f"{name}.beside"
    put(graph, beside, np.array([[0, 1]], np.float32))
    return [
        helper.make_node("Flatten", [tensor], [flat], axis=1),
        helper.make_node("MatMul", [flat, beside], [name]),
    ]


def bias_of(step: Step) -> NDArray[np.float64]:
    """Return the bias of a linear layer, which may have none."""
    weight = step.arrays["weight"]
    return step.arrays.get("bias", np.zeros(len(weight)))


def rename(graph: GraphProto, names: Mapping[str, str]) -> None:
    """Give tensors other names wherever they are met."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for one in (*graph.initializer, *graph.input, *graph.output):
        one.name = names.get(one.name, one.name)


def _free(name: str, known: set[str]) -> str:
    while name in known:
        name += "_"
    return name


def _prune(graph: GraphProto) -> None:
    """Remove what no output needs."""
    wanted = {output.name for output in graph.output}
    nodes = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            nodes.append(node)
    tensors = [tensor for tensor in graph.initializer if tensor.name in wanted]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(reversed(nodes))
    graph.initializer.extend(tensors)


def _turned(graph: GraphProto, picture: Picture) -> dict[str, None] | None:
    """Turn round the channels of everything that the picture meets, up to the first convolutions.

    Returns the tensors in between; None, and the graph as it was, where something else is met.
    """
    constants = stored(graph)
    axes = {picture.name: 3 if picture.last else 1}
    changes: list[tuple[NodeProto, int, NDArray[np.generic]]] = []
    for node in graph.node:
        met = [name for name in node.input if name in axes]
        if not met:
            continue
        axis = axes[met[0]]
        if node.op_type == "Conv" and node.input[1] in constants and axis == 1:
            if attribute(node, "group", 1) != 1 or met != [node.input[0]]:
                return None
            changes.append((node, 1, constants[node.input[1]][:, ::-1]))
            continue
        if node.op_type == "Transpose":
            axis = list(attribute(node, "perm", (3, 2, 1, 0))).index(axis)
        elif node.op_type in {"Mul", "Add", "Sub", "Div"} and len(met) == 1:
            position = 1 - list(node.input).index(met[0])
            constant = constants.get(node.input[position])
            if constant is None:
                return None
            along = axis - 4 + constant.ndim  # ONNX lines axes up from the last
            if constant.size == PLANES and along >= 0 and constant.shape[along] == PLANES:
                changes.append((node, position, np.flip(constant, along)))
            elif constant.size != 1:
                return None
        elif node.op_type not in {"Identity", "Cast"}:
            return None
        axes[node.output[0]] = axis
    if not changes or {output.name for output in graph.output} & axes.keys():
        return None
    known = {name for node in graph.node for name in (*node.input, *node.output)}
    for node, position, array in changes:
        name = _free(f"{node.input[position]}.rgb", known)
        known.add(name)
        put(graph, name, array)
        node.input[position] = name
    return dict.fromkeys(axes)
