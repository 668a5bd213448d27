"""What does not depend on the photo, computed once: weights that a graph computes from constants."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto

from export.errors import GivenError, one_line
from export.given import LARGEST_FILE, session

_DRAWN = {"RandomNormal", "RandomUniform", "Multinomial", "Bernoulli"}
"""Need no photo either, and are another number every time."""


def folded(model: ModelProto, label: str) -> ModelProto:
    """Return `model` with every tensor that is computed from constants alone stored as one."""
    graph = model.graph
    constant = {tensor.name for tensor in graph.initializer}
    computed = []
    for node in graph.node:
        if node.op_type in _DRAWN:
            continue
        if all(not name or name in constant for name in node.input):
            constant |= set(node.output)
            computed.append(node)
    done = {output for node in computed for output in node.output if output}
    left = [node for node in graph.node if not done.issuperset(node.output)]
    wanted = {name for node in left for name in node.input} | {out.name for out in graph.output}
    names = [name for node in computed for name in node.output if name in done & wanted]
    values = _evaluate(model, computed, names, label) if names else {}
    kept = [tensor for tensor in graph.initializer if tensor.name in wanted]
    return onnx.helper.make_model(
        onnx.helper.make_graph(
            left,
            graph.name or "graph",
            list(graph.input),
            list(graph.output),
            [*kept, *(onnx.numpy_helper.from_array(array, n) for n, array in values.items())],
        ),
        opset_imports=list(model.opset_import),
        ir_version=model.ir_version,
    )


def stored(graph: GraphProto) -> dict[str, NDArray[np.generic]]:
    """Return the constants of a folded graph."""
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}


def put(graph: GraphProto, name: str, array: NDArray[np.generic]) -> None:
    """Store a constant, in place of the one that has the name."""
    tensor = onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
    for there in graph.initializer:
        if there.name == name:
            there.CopyFrom(tensor)
            return
    graph.initializer.append(tensor)


def _evaluate(
    model: ModelProto, nodes: list[onnx.NodeProto], names: list[str], label: str
) -> dict[str, NDArray[np.generic]]:
    graph = onnx.helper.make_graph(
        nodes,
        "constants",
        [],
        [onnx.ValueInfoProto(name=name) for name in names],
        list(model.graph.initializer),
    )
    constants = onnx.helper.make_model(
        graph, opset_imports=list(model.opset_import), ir_version=model.ir_version
    )
    try:
        found = session(constants, label).run(names, {})
    except Exception as error:  # onnxruntime's own exceptions share no base but Exception
        raise GivenError(f"{label}: its weights cannot be computed: {one_line(error)}") from None
    size = sum(array.nbytes for array in found)
    if size > LARGEST_FILE:
        raise GivenError(
            f"{label} computes weights of {size / 1e6:.0f} MB, and an ONNX file can have "
            f"{LARGEST_FILE / 1e6:.0f} MB"
        )
    return dict(zip(names, found, strict=True))
