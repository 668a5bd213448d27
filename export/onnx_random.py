"""Untrained weights for a graph that brings trained ones."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from export.errors import GivenError
from export.onnx_fold import put, stored
from export.onnx_graph import Graph

LARGEST_SEED = 2**64 - 1


def as_seed(weights: str) -> int | None:
    """Return the seed in `random:SEED`, None for the file's own weights; raises GivenError."""
    if weights == "auto":
        return None
    kind, _, seed = weights.partition(":")
    if kind != "random" or not seed.isdecimal() or int(seed) > LARGEST_SEED:
        raise GivenError(
            f"an ONNX file brings its weights, and '{weights}' is neither auto nor random:SEED with "
            f"a whole number from 0 to {LARGEST_SEED}"
        )
    return int(seed)


def drawn(model: ModelProto, graph: Graph, seed: int) -> ModelProto:
    """Return a folded `model` whose learned numbers are untrained.

    Kernels and matrices are drawn by he_normal() in forward order, biases and shifts are 0, and
    what norms and scales multiply with is 1.
    """
    result = ModelProto()
    result.CopyFrom(model)
    generator = np.random.default_rng(seed)
    constants = stored(result.graph)
    done: set[str] = set()
    for kind, name in (one for step in graph.steps for one in step.learned):
        if name in done or name not in constants:
            continue
        done.add(name)
        before = constants[name]
        if kind in {"0", "1"}:
            after = np.full(before.shape, int(kind), before.dtype)
        else:
            output = 1 if kind == "transposed" else 0
            after = he_normal(before.shape, output, generator).astype(before.dtype)
        put(result.graph, name, after)
    return result


def he_normal(
    shape: Sequence[int], output: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return normal numbers of variance 2 / fan-in; `output` is the axis of a weight's outputs.

    K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", 2015.
    """
    inputs = math.prod(length for axis, length in enumerate(shape) if axis != output)
    return generator.normal(0, np.sqrt(2 / max(inputs, 1)), shape)
