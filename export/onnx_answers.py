"""Where in somebody's graph the logits are, and whether they are what its answers are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto

import artifacts
from export.errors import GivenError
from export.onnx_graph import Graph, Step

_SAME_NUMBERS = {"Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Cast", "Dropout"}
_LAST = {"Softmax", "LogSoftmax", "Sigmoid"}
_LOGIT = {"linear", "convolution", "scale", "global average pool"}
"""What can give a single answer that is a logit."""
_CLOSE = 1e-4
"""What a model's own probabilities may differ by from those of its logits."""


@dataclass(frozen=True)
class Answers:
    """A model's answers."""

    output: str
    """The output that holds them."""
    tensor: str
    """The logits."""
    last: str
    """The operator that makes the output of the logits; empty where the output is the logits."""

    def as_categories(self, graph: Graph) -> Graph:
        """Return `graph` with a number for each category at its end: one number becomes two.

        The sigmoid of x is the softmax of (0, x): the second category is the model's yes.
        Raises GivenError where there are sigmoids for several categories.
        """
        end = graph.answers
        (outputs,) = end.shape or (0,)
        if self.last == "Sigmoid" and outputs > 1:
            raise GivenError(
                f"each of its {outputs} answers is a yes or no of its own (Sigmoid), and only models "
                "whose answers share one softmax can be shown: export it with its logits as output, "
                "if one class is meant"
            )
        if outputs > 1:
            return graph
        if self.last in {"Softmax", "LogSoftmax"} or (not self.last and end.op not in _LOGIT):
            raise GivenError(
                f"its only answer is made by {self.last or end.op}, which gives no logit: export it "
                "with its logit as output"
            )
        return replace(graph, steps=(*graph.steps[:-1], _two(end)))


def find_answers(model: ModelProto, wanted: str | None, label: str) -> Answers:
    """Return where the answers are; `wanted` is the output's name, needed where several could be.

    Raises GivenError.
    """
    kinds = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16}
    outputs = [one.name for one in model.graph.output if one.type.tensor_type.elem_type in kinds]
    if wanted and wanted not in outputs:
        raise GivenError(f"{label} has no output '{artifacts.printable(wanted)}': {_told(outputs)}")
    found = [_behind(model, name) for name in ([wanted] if wanted else outputs)]
    if not found:
        raise GivenError(
            f"{label} gives no numbers for its classes: export it with its logits as output"
        )
    if len({one.tensor for one in found}) > 1:
        raise GivenError(
            f"{label} has several outputs ({_told(outputs)}): write which one holds the answers, "
            f'answers = "{artifacts.printable(outputs[0])}", into the TOML file beside it'
        )
    return max(found, key=lambda one: one.last)


def check_answers(
    answers: Answers,
    untouched: Mapping[str, NDArray[Any]],
    met: Mapping[str, NDArray[Any]],
    label: str,
) -> None:
    """Compare the answers of a model with what its logits say; raises GivenError.

    `untouched` holds its output as the file gives it, `met` what was met when layers were handed
    out too.
    """
    own = untouched[answers.output].astype(np.float64).ravel()
    logits = met[answers.tensor].astype(np.float64).ravel()
    if answers.last == "":
        sums_to_one = own.size > 1 and own.min() >= 0 and abs(own.sum() - 1) < _CLOSE
        if sums_to_one and own.max() <= 1:
            raise GivenError(
                f"{label} gives probabilities, and not by a softmax, so that there are no logits to "
                "show: export it with its logits as output"
            )
        expected = logits
    elif answers.last == "Sigmoid":
        expected = np.exp(-np.logaddexp(0, -logits))
    else:
        expected = np.exp(logits - logits.max())
        expected = expected / expected.sum()
        expected = np.log(expected) if answers.last == "LogSoftmax" else expected
    scale = max(1.0, float(np.abs(expected[np.isfinite(expected)]).max(initial=0)))
    if own.shape != expected.shape or np.nanmax(np.abs(own - expected)) > _CLOSE * scale:
        if not answers.last:
            raise GivenError(
                f"{label} gives other answers when its layers are handed out, as rounding in float16 "
                "can: export it in float32"
            )
        raise GivenError(
            f"{label}: its last step ({answers.last}) does not make its output of its "
            "logits: is the softmax over its classes? Export it with its logits as output"
        )


def _behind(model: ModelProto, output: str) -> Answers:
    """Return the logits that an output is made of."""
    makers = {name: node for node in model.graph.node for name in node.output}
    tensor = output
    while (node := makers.get(tensor)) is not None and node.op_type in _SAME_NUMBERS:
        tensor = node.input[0]
    if node is not None and node.op_type in _LAST:
        return Answers(output, node.input[0], node.op_type)
    return Answers(output, output, "")


def _two(end: Step) -> Step:
    """Return the step that puts a 0 before one answer."""
    if end.op != "linear":
        return replace(end, shape=(2,), two=True)
    arrays = {part: np.concatenate([np.zeros_like(one), one]) for part, one in end.arrays.items()}
    return replace(end, shape=(2,), two=True, arrays=arrays)


def _told(names: list[str]) -> str:
    return artifacts.printable(", ".join(names[:5]) + (", …" if len(names) > 5 else ""))
