"""What a process does with a shard: decode ahead, run the network, keep the figures."""

import faulthandler
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from export.manifest import Input
from precompute.decode import decode
from precompute.entry import Model, open_model
from precompute.errors import PhotoError
from precompute.limits import Limits
from precompute.preprocess import crop, normalise
from precompute.session import run
from survey.dataset import content
from survey.figures import Block, layout_of
from survey.job import Item, Job, Shard, key_of
from survey.summary import Summary

T = TypeVar("T")

BLOCK = 256
"""Photos whose figures are held before they are summed up."""
AHEAD = 4
"""Photos that are decoded while another one is computed."""


def survey_shard(job: Job, shard: Shard) -> bytes:
    """Return the Summary of the photos of a shard, as bytes.

    The figures of a photo depend on the photo alone: one photo a run, one thread. Raises
    precompute's ModelError or ProviderError.
    """
    model = _model(job.manifest, job.provider)
    manifest = model.manifest
    layout = layout_of(manifest)
    block = _block(job.manifest, job.provider)
    block.clear()
    # Sums are kept by class: photos of one class after the other make few of them at a time.
    ordered = sorted(shard, key=lambda item: -1 if item.label is None else item.label)
    summary = Summary.nothing(layout)
    faults: dict[str, str] = {}

    def summed() -> Summary:
        one = Summary.of(layout, block.names, block.measured(), block.answered(), job.sample)
        block.clear()
        return summary.merge(one) if summary.photos else one

    for item, picture in _watched(_pictures(ordered, manifest.input, job.limits), job.limits):
        if isinstance(picture, PhotoError):
            faults[item.name] = str(picture)
            continue
        true = None if item.label is None else job.categories[item.label]
        try:
            activations = run(model.session, manifest, picture)
            block.add(item.name, key_of(item.name), item.label, true, activations)
        except PhotoError as error:
            faults[item.name] = str(error)
        if block.full:
            summary = summed()
    if block.names:
        summary = summed()
    if faults:
        summary = summary.merge(Summary.unusable(layout, faults))
    return summary.to_bytes()


@lru_cache(maxsize=1)
def _model(manifest: Path, provider: str) -> Model:
    return open_model(manifest, provider)


@lru_cache(maxsize=1)
def _block(manifest: Path, provider: str) -> Block:
    return Block(_model(manifest, provider).manifest, BLOCK)


def _watched(photos: Iterator[T], limits: Limits) -> Iterator[T]:
    """Yield `photos`; this process ends where one takes longer than it may, from when it is asked for
    until the next one is: no decoder can be stopped otherwise.
    """
    try:
        with open(os.devnull, "w") as nowhere:
            while True:
                faulthandler.dump_traceback_later(limits.seconds, exit=True, file=nowhere)
                try:
                    photo = next(photos)
                except StopIteration:
                    return
                yield photo
    finally:
        faulthandler.cancel_dump_traceback_later()


def _pictures(
    shard: Sequence[Item], spec: Input, limits: Limits
) -> Iterator[tuple[Item, NDArray[np.float32] | PhotoError]]:
    """Yield each photo as the network's input, or why there is none; AHEAD of them are decoded while
    the caller works, by a thread of its own.
    """

    def prepare(item: Item) -> NDArray[np.float32] | PhotoError:
        try:
            return normalise(crop(decode(content(item, limits), limits), spec), spec)
        except PhotoError as error:
            return error

    waiting: deque[tuple[Item, Future[NDArray[np.float32] | PhotoError]]] = deque()
    with ThreadPoolExecutor(1) as decoder:
        for item in shard:
            waiting.append((item, decoder.submit(prepare, item)))
            if len(waiting) > AHEAD:
                first, picture = waiting.popleft()
                yield first, picture.result()
        while waiting:
            first, picture = waiting.popleft()
            yield first, picture.result()
