"""python -m precompute: run the model over photos and write tiles and indices."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import artifacts
import terminal
import turns
from precompute.build import Built, Settings, precompute
from precompute.errors import PrecomputeError
from precompute.limits import DEFAULT, parse_limits, readable
from precompute.progress import show
from precompute.workers import available_cores
from sizes import size_argument


def main(arguments: list[str] | None = None) -> int:
    """Run the precomputation with command line `arguments`; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m precompute",
        description="Run an exported model over a folder of photos with onnxruntime, and write one "
        "tile sheet per photo and layer, their figures, and an index. Only what changed since the "
        "last run is computed.",
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        nargs="+",
        default=[Path("build/model/resnet18.json")],
        help="manifests beside the ONNX files, one for each model, the main one first "
        "(build/model/resnet18.json)",
    )
    parser.add_argument(
        "--images", type=Path, default=Path("examples"), help="folder of photos (examples)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/tiles"), help="folder to write to (build/tiles)"
    )
    parser.add_argument(
        "--provider",
        default="auto",
        help="onnxruntime's execution provider: auto, cpu, cuda, coreml, openvino, directml, "
        "tensorrt, migraphx, rocm or qnn (auto: the best that is installed)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=available_cores(),
        help="photos computed at the same time, each with a copy of the model (one per core)",
    )
    parser.add_argument(
        "--allow-skips",
        action="store_true",
        help="go on without photos that cannot be used, and list them in the index",
    )
    parser.add_argument(
        "--limits",
        default="",
        help="the most that a photo may ask for, such as 'pixels=200M seconds=120': "
        + ", ".join(f"{name} ({readable(most)})" for name, most in asdict(DEFAULT).items()),
    )
    parser.add_argument(
        "--max-site-size",
        type=size_argument,
        default="1GB",
        metavar="SIZE",
        help="refuse to compute what would be larger, such as 500MB; none: any size (1GB)",
    )
    options = parser.parse_args(arguments)
    try:
        settings = Settings(
            manifests=tuple(options.manifest),
            photos=options.images.expanduser(),
            tiles=options.out,
            provider=options.provider,
            workers=max(1, options.workers),
            allow_skips=options.allow_skips,
            limits=parse_limits(options.limits),
            max_site_size=options.max_site_size,
        )
        models = {manifest.parent for manifest in settings.manifests}
        with turns.held(*sorted(models), write=settings.tiles, say=_say):
            done = precompute(settings, show, _say)
    except (PrecomputeError, artifacts.ArtifactError, OSError) as error:
        print(f"precompute: {error}", file=sys.stderr)
        return 1
    for remark in done.remarks:
        _tell(remark)
    for built in done.models:
        _report(built, f"{built.index.model}: " if len(done.models) > 1 else "")
    return 0


def _report(built: Built, name: str) -> None:
    for remark in built.remarks:
        _tell(f"{name}{remark}")
    for skip in built.index.skipped:
        _tell(f"{name}left out {skip.file}: {skip.reason}")
    photos, layers = len(built.index.images), len(built.index.layers)
    _tell(
        f"{name}{photos} photo{'s' * (photos != 1)}, {built.computed} computed, "
        f"{layers} layer{'s' * (layers != 1)} each, on {built.index.provider}"
    )


def _tell(what: str) -> None:
    print(f"precompute: {what}", flush=True)


def _say(what: str) -> None:
    print(f"precompute: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
