"""The first start of a model, in a process of its own: it may kill that process, or never end."""

from functools import partial
from pathlib import Path

import numpy as np

from precompute.entry import open_model
from precompute.errors import ModelError
from precompute.session import run
from precompute.workers import LostTaskError, parallel

LIMIT = 900.0
"""Seconds for a start and one picture; some providers compile for minutes."""


def try_model(manifest_path: Path, provider: str) -> None:
    """Open a model on `provider` and run it once.

    Raises artifacts.ArtifactError, ModelError or ProviderError, also where that ends or outlasts the
    process.
    """
    start = partial(_start, provider=provider)
    try:
        list(parallel(start, [manifest_path], 1, seconds=LIMIT))
    except LostTaskError as error:
        raise ModelError(
            f"the model of {manifest_path} cannot be run: {error}; use another one"
        ) from None


def _start(manifest_path: Path, provider: str) -> None:
    model = open_model(manifest_path, provider)
    side = model.manifest.input.crop
    run(model.session, model.manifest, np.zeros((1, 3, side, side), np.float32))
