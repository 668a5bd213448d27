"""What a process does with a shard: decode ahead, run the network, keep the figures."""

import faulthandler
import os
import socket
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
from precompute.entry import open_model
from precompute.errors import PhotoError
from precompute.limits import Limits
from precompute.preprocess import crop, normalise
from survey.activations import Network
from survey.dataset import content
from survey.errors import SurveyError
from survey.job import Item, Job, Shard, key_of
from survey.layers import layout_of
from survey.summary import Summary

T = TypeVar("T")

AHEAD = 4
"""Photos that are decoded while another one is computed."""


def survey_shard(job: Job, shard: Shard) -> bytes:
    """Return the Summary of the photos of a shard, as bytes.

    The figures of a photo depend on the photo alone: one photo a run, one thread. Raises
    precompute's ModelError or ProviderError, and SurveyError where the compiler is not installed.
    """
    try:
        # Only where photos are surveyed there has to be a compiler.
        from survey.tally import Tally, compile_ahead
    except ModuleNotFoundError as error:
        raise SurveyError(
            f"{error.name} is not installed on {socket.gethostname()}: run make survey, which does "
            "that; other machines of a cluster need what locks/survey.txt names"
        ) from None
    compile_ahead()
    network = _network(job.manifest, job.provider)
    manifest = network.manifest
    layout = layout_of(manifest)
    tally = Tally(layout, network.activations, [item.label for item in shard], job.sample)
    faults: dict[str, str] = {}
    for item, picture in _watched(_pictures(shard, manifest.input, job.limits), job.limits):
        if isinstance(picture, PhotoError):
            faults[item.name] = str(picture)
            continue
        true = None if item.label is None else job.categories[item.label]
        network.compute(picture)
        try:
            tally.add(item.name, key_of(item.name), item.label, true)
        except PhotoError as error:
            faults[item.name] = str(error)
    summary = tally.summary()
    if faults:
        summary = summary.merge(Summary.unusable(layout, faults))
    return summary.to_bytes()


@lru_cache(maxsize=1)
def _network(manifest: Path, provider: str) -> Network:
    return Network(open_model(manifest, provider))


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
