"""The model's copy for browsers: half the download, the same computation, and how close it comes.

The weights of convolutions and linear layers are stored as float16. A Cast in front of their users
turns them back into float32, which onnxruntime does once, when it loads the file: everything is
computed in float32, and only the rounding of the stored weights is lost. Where that is too much, the
copy has the weights as they are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from export.errors import NoCopyError
from export.manifest import Classifier
from export.onnx_file import open_session, relative_difference

LARGEST_WEIGHT = float(np.finfo(np.float16).max)
SMALLEST_NORMAL = float(np.finfo(np.float16).smallest_normal)
LARGEST_FILE = 100_000_000
"""What GitHub takes, bytes."""
LARGEST_DIFFERENCE = 0.01
"""What rounding may change and the copy still be called the same model, as Copy.difference tells."""


@dataclass(frozen=True)
class Copy:
    """An ONNX file for browsers; manifest.BrowserCopy says what is in it."""

    data: bytes
    difference: float
    """Largest difference of any output on pictures of noise, relative to its largest value."""
    rounding: float
    """Largest relative change of any weight."""


def browser_copy(
    data: bytes, classifier: Classifier | None, pictures: Sequence[NDArray[np.float32]]
) -> Copy:
    """Return the copy for browsers of the ONNX file `data`, compared on `pictures`, its inputs.

    Raises NoCopyError where it would be too large to be published.
    """
    copy = _copy(data, classifier, pictures, halved=True)
    if copy is None or copy.difference > LARGEST_DIFFERENCE:
        copy = _copy(data, classifier, pictures, halved=False)
    assert copy is not None
    if len(copy.data) > LARGEST_FILE:
        raise NoCopyError(
            f"the model's copy for browsers would have {math.ceil(len(copy.data) / 1e6)} MB, and "
            f"GitHub takes files up to {LARGEST_FILE / 1e6:.0f} MB"
        )
    return copy


def _copy(
    data: bytes,
    classifier: Classifier | None,
    pictures: Sequence[NDArray[np.float32]],
    halved: bool,
) -> Copy | None:
    """Return a copy, which may be too large; None where float16 cannot hold a weight."""
    model = onnx.load_from_string(data)
    if classifier is not None:
        _give_out(model.graph, classifier)
    rounding = _halve(model.graph) if halved else 0.0
    if rounding is None:
        return None
    onnx.checker.check_model(model)
    copy: bytes = model.SerializeToString(deterministic=True)
    return Copy(copy, _difference(copy, data, pictures), rounding)


def _give_out(graph: onnx.GraphProto, classifier: Classifier) -> None:
    """Make the linear layer's own weight and bias two more outputs, for the evidence of classes."""
    (linear,) = (node for node in graph.node if classifier.logits in node.output)
    shapes = {tensor.name: tensor.dims for tensor in graph.initializer}
    outputs = ("classifier.weight", "classifier.bias")
    # Where the logits are made of a linear layer's, its weights as seen from there are stored too.
    parameters = linear.input[1:] if linear.op_type == "Gemm" else outputs
    if len(parameters) == 1:  # the exporter leaves out a bias that is zero
        zeros = np.zeros(shapes[parameters[0]][0], np.float32)
        graph.initializer.append(onnx.numpy_helper.from_array(zeros, outputs[1]))
        shapes[outputs[1]] = zeros.shape
        parameters = (parameters[0], outputs[1])
    for output, parameter in zip(outputs, parameters, strict=True):
        if parameter != output:  # some models call them that
            graph.node.append(onnx.helper.make_node("Identity", [parameter], [output]))
        kind = onnx.TensorProto.FLOAT
        graph.output.append(onnx.helper.make_tensor_value_info(output, kind, shapes[parameter]))


def _halve(graph: onnx.GraphProto) -> float | None:
    """Store the weights of convolutions and linear layers as float16; return Copy.rounding, or None
    where one is too large for it.
    """
    rounding = 0.0
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        name, weight = tensor.name, onnx.numpy_helper.to_array(tensor)
        if np.abs(weight).max(initial=0) > LARGEST_WEIGHT:
            return None
        stored = weight.astype(np.float16)
        rounding = max(rounding, _rounding(stored, weight))
        tensor.CopyFrom(onnx.numpy_helper.from_array(stored, f"{name}.float16"))
        casts.append(
            onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]  # each before its users, as ONNX wants it
    del graph.node[:]
    graph.node.extend(nodes)
    return rounding


def _rounding(stored: np.ndarray, weight: np.ndarray) -> float:
    """Return max |stored − weight| ÷ max(|weight|, 2⁻¹⁴); 0 without weights.

    Below 2⁻¹⁴, its smallest normal number, float16 has the same step everywhere.
    """
    exact = weight.astype(np.float64)
    scale = np.maximum(np.abs(exact), SMALLEST_NORMAL)
    return float((np.abs(stored - exact) / scale).max(initial=0))


def _difference(copy: bytes, data: bytes, pictures: Sequence[NDArray[np.float32]]) -> float:
    """Return Copy.difference, on the pictures that the file itself was verified with."""
    ours, theirs = open_session(copy), open_session(data)
    names = [output.name for output in theirs.get_outputs()]
    worst = 0.0
    for picture in pictures:
        inputs = {theirs.get_inputs()[0].name: picture}
        found, expected = ours.run(names, inputs), theirs.run(names, inputs)
        worst = max(worst, *map(relative_difference, found, expected))
    return worst
