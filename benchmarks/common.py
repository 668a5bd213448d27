"""A model and inputs to measure with, and a stopwatch."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.manifest import read_manifest
from precompute.decode import decode
from precompute.entry import Model
from precompute.preprocess import crop, normalise
from precompute.session import open_session


def open_model(manifest_path: Path) -> Model:
    """Return the exported model, ready to run on the CPU."""
    manifest = read_manifest(manifest_path)
    with np.load(manifest_path.parent / manifest.arrays.name, allow_pickle=False) as arrays:
        held = dict(arrays)
    session = open_session(manifest_path.parent / manifest.onnx.name, "cpu")
    return Model(manifest, session, held)


def network_input(photo: Path, model: Model) -> NDArray[np.float32]:
    """Return the (1, 3, crop, crop) input for a photo."""
    return normalise(crop(decode(photo), model.manifest.input), model.manifest.input)


def seconds(work: Callable[[], Any]) -> float:
    """Return how long `work` takes, by the wall clock."""
    began = perf_counter()
    work()
    return perf_counter() - began


def spread(values: list[float], unit: str = "") -> str:
    """Return the median with the smallest and largest value."""
    return f"{median(values):.3g}{unit} ({min(values):.3g} to {max(values):.3g})"
