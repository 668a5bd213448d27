"""python -m benchmarks.survey: a survey's photos a second against those of bare onnxruntime.

Bare onnxruntime runs the same network with the same outputs, one thread, one picture at a time, on
inputs that lie ready in memory; the survey reads files, decodes, runs and sums up. Both have one
core, in turns. Then the same with one and more processes, each against as many bare ones.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from PIL import Image

from benchmarks.common import network_input, seconds, spread
from precompute.decode import decode, open_picture, read
from precompute.entry import Model, open_model
from precompute.limits import DEFAULT
from precompute.preprocess import crop, normalise
from precompute.workers import available_cores, parallel
from survey.activations import Network
from survey.job import Item, Job, Shard, key_of
from survey.layers import layout_of
from survey.tally import Tally
from survey.worker import survey_shard

GOAL = 0.85
ROUNDS = 5
_SIZE = (500, 375)
"""Of the photos where none are given, pixels: as they are in ImageNet on average."""


def survey_report(manifest: Path, shard: Shard, workers: int) -> Iterator[str]:
    """Yield the ratio to bare onnxruntime on one core, what takes the rest, and the gain of more."""
    one_core = sorted(os.sched_getaffinity(0))[:1] if hasattr(os, "sched_setaffinity") else []
    cores = os.sched_getaffinity(0) if one_core else set()
    if one_core:
        os.sched_setaffinity(0, one_core)
    model = open_model(manifest, "cpu")
    job = Job(manifest, "cpu", DEFAULT, (None,), 2**64 // 16)
    inputs = [network_input(Path(item.path), model) for item in shard]
    survey_shard(job, shard[:2])
    ratios, rates = [], []
    for _ in range(ROUNDS):
        bare = seconds(partial(bare_runs, model, inputs))
        ours = seconds(partial(survey_shard, job, shard))
        ratios.append(bare / ours)
        rates.append(len(shard) / ours)
    yield f"survey ÷ bare onnxruntime, one core: {spread(ratios)} (goal: {GOAL} or more)"
    yield f"  {spread(rates)} photos a second"
    unit = seconds(partial(bare_runs, model, inputs))
    for name, value in parts(model, shard, inputs).items():
        yield f"  {name} ÷ bare: {value / unit:.3f}"
    if cores:
        os.sched_setaffinity(0, cores)
    alone = rate(job, shard, 1)
    for number in range(2, workers + 1):
        gain = rate(job, shard, number) / alone
        bare = bare_rate(manifest, shard, number) / bare_rate(manifest, shard, 1)
        yield f"survey, {number} processes ÷ 1: {gain:.2f}; bare onnxruntime the same way: {bare:.2f}"


def bare_runs(model: Model, inputs: Sequence[object]) -> None:
    """Run the network on every input, and do nothing with what comes out."""
    names = [layer.name for layer in model.manifest.layers if layer.exported]
    for picture in inputs:
        model.session.run(names, {model.manifest.input.name: picture})


def parts(model: Model, shard: Shard, inputs: Sequence[object]) -> dict[str, float]:
    """Return the seconds that each step takes for all photos."""
    spec = model.manifest.input
    files = [read(Path(item.path)) for item in shard]
    pictures = [decode(data) for data in files]
    pixels = [crop(picture, spec) for picture in pictures]
    network = Network(model)
    tally = Tally(layout_of(model.manifest), network.activations, [None], 0)
    counting = 0.0
    for item, picture in zip(shard, inputs, strict=True):
        network.compute(picture)  # type: ignore[arg-type]
        counting += seconds(lambda name=item.name: tally.add(name, key_of(name), None, None))
    return {
        "reading and decoding": each(lambda item: decode(read(Path(item.path))), shard),
        "resizing and cropping": each(lambda picture: crop(picture, spec), pictures),
        "normalising": each(lambda one: normalise(one, spec), pixels),
        "figures of every channel": counting,
        "writing the shard down": seconds(lambda: tally.summary().to_bytes()),
    }


def each(work: Callable[[Any], object], things: Iterable[object]) -> float:
    """Return the seconds that `work` takes for all `things`, and keep nothing of what it gives."""

    def all_of_them() -> None:
        for thing in things:
            work(thing)

    return seconds(all_of_them)


def rate(job: Job, shard: Shard, workers: int) -> float:
    """Return photos a second of processes that have begun."""
    return _steady(partial(survey_shard, job), shard, workers)


def bare_rate(manifest: Path, shard: Shard, workers: int) -> float:
    """Return runs a second of bare onnxruntime in as many processes."""
    return _steady(partial(_bare_shard, manifest), shard, workers)


def _steady(work: partial, shard: Shard, workers: int) -> float:
    """Return photos a second from the moment when every process has done its first shard."""
    done: list[float] = []
    for _ in parallel(work, [shard] * 3 * workers, workers):
        done.append(perf_counter())
    return len(shard) * (len(done) - workers) / (done[-1] - done[workers - 1])


def _bare_shard(manifest: Path, shard: Shard) -> None:
    model = open_model(manifest, "cpu")
    bare_runs(model, [network_input(Path(shard[0].path), model)] * len(shard))


def a_shard(folder: Path, count: int) -> Shard:
    """Return `count` photos of a folder, again and again where there are fewer."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in {".jpg", ".jpeg"}]
    step = max(1, len(paths) // count)
    chosen = [paths[(number * step) % len(paths)] for number in range(count)]
    return tuple(
        Item(f"{number}", str(path), None, path.stat().st_size, path.stat().st_mtime_ns, 0)
        for number, path in enumerate(chosen)
    )


def shrunk(photos: Path, folder: Path) -> Path:
    """Write the photos of a folder as JPEGs of _SIZE."""
    for path in sorted(photos.glob("*.jpg")):
        file = io.BytesIO()
        open_picture(path).resize(_SIZE, Image.Resampling.LANCZOS).save(file, "JPEG", quality=92)
        (folder / path.name).write_bytes(file.getvalue())
    return folder


def main() -> int:
    """Run the measurement and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.survey", description=__doc__)
    parser.add_argument("--manifest", type=Path, default=Path("build/model/resnet18.json"))
    parser.add_argument("--photos", type=Path, help="folder of JPEGs (the examples, 500×375)")
    parser.add_argument("--count", type=int, default=256, help="photos in a round (256)")
    parser.add_argument("--workers", type=int, default=available_cores())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos = options.photos or shrunk(Path("examples"), Path(folder))
        shard = a_shard(photos, options.count)
        for line in survey_report(options.manifest, shard, options.workers):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
