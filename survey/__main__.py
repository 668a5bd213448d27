"""python -m survey: run a model over a whole data set and keep what each channel answers to."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import artifacts
import terminal
import turns
from precompute.errors import PrecomputeError
from precompute.limits import DEFAULT, parse_limits, readable
from precompute.progress import show
from sizes import parse_size
from survey.build import Done, Settings, survey
from survey.engines import ENGINES, choose
from survey.errors import SurveyError
from survey.sheets import EACH


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
        "--workers", type=int, help="photos computed at the same time (one per core)"
    )
    parser.add_argument(
        "--provider", default="auto", help="onnxruntime's execution provider (auto)"
    )
    parser.add_argument(
        "--patches",
        type=int,
        default=EACH,
        help=f"patches of photos shown of each channel ({EACH})",
    )
    parser.add_argument(
        "--max-patches",
        type=_size,
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
        engine = choose(
            options.engine,
            options.workers,
            # A photo may take its time; that many of them in a row mean that one of them hangs.
            lambda photos: limits.seconds * (1 + len(photos) / 4),
            # A list of photos is read here; where the photos lie, it alone knows.
            [path.parent for path in options.manifest]
            + [path for path in [options.photos.expanduser()] if path.suffix != ".txt"],
        )
        models = {manifest.parent for manifest in options.manifest}
        with turns.held(*sorted(models), write=options.out, say=_say):
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
                _report(survey(settings, engine, show))
    except (SurveyError, PrecomputeError, artifacts.ArtifactError, OSError) as error:
        print(f"survey: {error}", file=sys.stderr)
        return 1
    return 0


def _report(done: Done) -> None:
    index = done.index
    for remark in done.remarks:
        _tell(remark)
    for fault in index.faults[:10]:
        _tell(f"left out {fault}")
    if index.unreadable > 10:
        _tell(f"left out {index.unreadable - 10} more")
    dead = sum(layer.dead for layer in index.layers)
    _tell(
        f"{index.model}: {index.surveyed} photos of {artifacts.printable(index.credit.title)}, "
        f"{len(index.layers)} layers, {dead} dead channels; {done.folder}"
    )
    if index.judged:
        assert index.top1 is not None
        _tell(f"{index.model}: top-1 {index.top1 / index.judged:.1%} of {index.judged}")


def _size(text: str) -> int | None:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _tell(what: str) -> None:
    print(f"survey: {what}", flush=True)


def _say(what: str) -> None:
    print(f"survey: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
