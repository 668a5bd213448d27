"""A model and inputs to measure with, and a stopwatch."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from precompute.decode import open_picture
from precompute.entry import Model
from precompute.preprocess import crop, normalise


def network_input(photo: Path, model: Model) -> NDArray[np.float32]:
    """Return the (1, 3, crop, crop) input for a photo."""
    return normalise(crop(open_picture(photo), model.manifest.input), model.manifest.input)


def seconds(work: Callable[[], Any]) -> float:
    """Return how long `work` takes, by the wall clock."""
    began = perf_counter()
    work()
    return perf_counter() - began


def spread(values: list[float], unit: str = "") -> str:
    """Return the median with the smallest and largest value."""
    return f"{median(values):.3g}{unit} ({min(values):.3g} to {max(values):.3g})"
