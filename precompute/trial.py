"""The first start of a model, in a process of its own: it may kill that process, or never end."""

from multiprocessing import get_context
from pathlib import Path

import numpy as np
from pebble import ProcessExpired, ProcessPool

from precompute.entry import open_model
from precompute.errors import ModelError
from precompute.session import run

LIMIT = 900.0
"""Seconds for a start and one picture; some providers compile for minutes."""


def try_model(manifest_path: Path, provider: str) -> None:
    """Open a model on `provider` and run it once.

    Raises artifacts.ArtifactError, ModelError or ProviderError, also where that ends or outlasts the
    process.
    """
    with ProcessPool(max_workers=1, context=get_context("spawn")) as pool:
        started = pool.schedule(_start, (manifest_path, provider), timeout=LIMIT)
        try:
            started.result()
        except TimeoutError:
            fault = f"is not through with one picture after {LIMIT:.0f} seconds"
        except ProcessExpired as error:
            fault = f"kills the process that runs it (exit code {error.exitcode})"
        else:
            return
    raise ModelError(f"the model of {manifest_path} {fault}: use another one")


def _start(manifest_path: Path, provider: str) -> None:
    model = open_model(manifest_path, provider)
    side = model.manifest.input.crop
    run(model.session, model.manifest, np.zeros((1, 3, side, side), np.float32))
