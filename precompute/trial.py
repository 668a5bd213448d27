"""The first start of a model, in a process of its own: it may kill that process, or never end."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from precompute.entry import Model, open_model
from precompute.errors import ModelError, PhotoError
from precompute.limits import DEFAULT, Limits
from precompute.session import run
from precompute.task import Task, files_of
from precompute.workers import LostTaskError, parallel

LIMIT = 900.0
"""Seconds for a start and one picture; some providers compile for minutes."""
SAMPLES = 3
"""Photos that are tried until one can be used."""

Sizes = dict[str, int]
"""File name to bytes."""


def try_model(
    manifest_path: Path, provider: str, samples: Sequence[Task] = (), limits: Limits = DEFAULT
) -> Sizes:
    """Open a model on `provider` and run it once, then compute one photo, of which nothing is kept.

    Returns how large its files are; nothing where none of the first SAMPLES of `samples` can be
    used: whoever computes them all will say why. Raises artifacts.ArtifactError, ModelError or
    ProviderError, also where the model ends or outlasts the process.
    """
    work = partial(_try, manifest_path=manifest_path, provider=provider, limits=limits)
    trials = parallel(
        work,
        [None, *samples[:SAMPLES]],
        workers=1,
        seconds=lambda task: LIMIT if task is None else limits.seconds,
        lost=_lost,
    )
    with closing(trials):
        for task, found in trials:
            if task is None and isinstance(found, LostTaskError):
                raise ModelError(
                    f"the model of {manifest_path} cannot be run: {found}; use another one"
                )
            if task is not None and isinstance(found, dict):
                return found
    return {}


_model: Model | None = None
"""Opened by the first trial; a photo can end the process, and the next one needs it anew."""


def _try(
    task: Task | None, manifest_path: Path, provider: str, limits: Limits
) -> Sizes | LostTaskError | None:
    global _model
    _model = _model or open_model(manifest_path, provider)
    if task is None:
        side = _model.manifest.input.crop
        run(_model.session, _model.manifest, np.zeros((1, 3, side, side), np.float32))
        return None
    try:
        return {name: len(data) for name, data in files_of(task, _model, limits).items()}
    except PhotoError:
        return None


def _lost(error: LostTaskError) -> Sizes | LostTaskError | None:
    return error
