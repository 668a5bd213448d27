"""python -m survey: run a model over a whole data set and keep what each channel answers to."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import artifacts
import terminal
import turns
from precompute.errors import PrecomputeError
from precompute.limits import DEFAULT, parse_limits, readable
from precompute.progress import show
from precompute.workers import affordable, available_cores
from sizes import size_argument
from survey.build import Done, Settings, survey
from survey.contract import SHARDS
from survey.engines import ENGINES, choose
from survey.errors import SurveyError
from survey.sheets import EACH
from survey.strongest import KEPT

_START = 30.0
"""Seconds in which a process starts, compiles what counts and opens the model."""


def main(arguments: list[str] | None = None) -> int:
    """Run the survey with command line `arguments`; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m survey",
        description="Run an exported model once over every photo of a data set with onnxruntime, and "
        "keep for every channel of every layer what drives it most, how often it fires, and which "
        "class it answers to. Interrupted, it goes on where it was.",
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        nargs="+",
        default=[Path("build/model/resnet18.json")],
        help="manifests beside the ONNX files, one for each model (build/model/resnet18.json)",
    )
    parser.add_argument(
        "--photos",
        type=Path,
        required=True,
        help="a folder of photos, a list of them (.txt), or archives of them (.tar)",
    )
    parser.add_argument(
        "--classes",
        type=Path,
        help="CSV file: photo or folder, class, and if you like author and licence "
        "(classes.csv in the folder; else names of folders)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/survey"), help="folder to write to (build/survey)"
    )
    parser.add_argument(
        "--engine",
        default="local",
        help="where to compute: "
        + "; ".join(f"{name}, {what}" for name, what in ENGINES.items())
        + " (local)",
    )
    parser.add_argument(
        "--workers", type=_from(1, 4096), help="photos computed at the same time (one per core)"
    )
    parser.add_argument(
        "--provider", default="auto", help="onnxruntime's execution provider (auto)"
    )
    parser.add_argument(
        "--patches",
        type=_from(1, KEPT),
        default=EACH,
        metavar="COUNT",
        help=f"patches of photos shown of each channel, 1 to {KEPT} ({EACH})",
    )
    parser.add_argument(
        "--max-patches",
        type=size_argument,
        default="60MB",
        metavar="SIZE",
        help="the most that all patches of a model may take; none: any size (60MB)",
    )
    parser.add_argument(
        "--no-patches",
        action="store_true",
        help="figures only: no piece of a photo and no name of one is written for the site",
    )
    parser.add_argument(
        "--limits",
        default="",
        help="the most that a photo may ask for, such as 'pixels=200M seconds=120': "
        + ", ".join(f"{name} ({readable(most)})" for name, most in asdict(DEFAULT).items()),
    )
    options = parser.parse_args(arguments)
    try:
        limits = parse_limits(options.limits)
        workers = options.workers
        if options.engine == "local":
            wanted = workers or available_cores()
            workers = affordable(wanted, max(map(_model_bytes, options.manifest)))
            if workers < wanted:
                _tell(
                    f"photos are computed {workers} at a time instead of {wanted}: each process "
                    "has a copy of the model, and more would take over half of the memory"
                )
        engine = choose(
            options.engine,
            workers,
            # Processes watch the time of each photo themselves; this is for one that cannot.
            lambda photos: _START + limits.seconds * (1 + len(photos) / 4),
            # A list of photos is read here; where the photos lie, it alone knows.
            [path.parent for path in options.manifest]
            + [path for path in [options.photos.expanduser()] if path.suffix != ".txt"],
        )
        # Whoever shows the last survey need not wait for hours until this one is done.
        with turns.held(write=options.out / SHARDS, say=_say):
            for manifest in options.manifest:
                settings = Settings(
                    manifest=manifest,
                    photos=options.photos.expanduser(),
                    classes=options.classes,
                    surveys=options.out,
                    provider=options.provider,
                    private=options.no_patches,
                    patches=options.patches,
                    max_patches=options.max_patches,
                    limits=limits,
                )
                _report(survey(settings, engine, show, _say))
    except (SurveyError, PrecomputeError, artifacts.ArtifactError, OSError) as error:
        print(f"survey: {error}", file=sys.stderr)
        return 1
    return 0


def _report(done: Done) -> None:
    index = done.index
    for remark in done.remarks:
        _tell(remark)
    told = index.faults[:10]
    for fault in told:
        _tell(f"left out {fault}")
    if index.unreadable > len(told):
        _tell(f"left out {index.unreadable - len(told)} {'more' if told else 'photos'}")
    dead = sum(layer.dead for layer in index.layers)
    _tell(
        f"{index.model}: {index.surveyed} photos of {artifacts.printable(index.credit.title)}, "
        f"{len(index.layers)} layers, {dead} channels never above zero; {done.folder}"
    )
    if index.judged:
        assert index.top1 is not None
        _tell(f"{index.model}: top-1 {index.top1 / index.judged:.1%} of {index.judged}")


def _model_bytes(manifest: Path) -> int:
    """Return the size of a model's file; 0 where there is none, which is told later."""
    onnx = manifest.with_suffix(".onnx")
    return onnx.stat().st_size if onnx.is_file() else 0


def _from(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is no number from {least} to {most}")
        return int(text)

    return number


def _tell(what: str) -> None:
    print(f"survey: {what}", flush=True)


def _say(what: str) -> None:
    print(f"survey: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
