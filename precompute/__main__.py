"""python -m precompute: run the model over photos and write tiles and indices."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import artifacts
import terminal
import turns
from precompute.build import Settings, precompute
from precompute.errors import PrecomputeError
from precompute.limits import DEFAULT, parse_limits, readable
from precompute.progress import show
from precompute.workers import available_cores


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
        default=Path("build/model/resnet18.json"),
        help="manifest beside the ONNX file (build/model/resnet18.json)",
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
    options = parser.parse_args(arguments)
    try:
        settings = Settings(
            manifest=options.manifest,
            photos=options.images.expanduser(),
            tiles=options.out,
            provider=options.provider,
            workers=max(1, options.workers),
            allow_skips=options.allow_skips,
            limits=parse_limits(options.limits),
        )
        with turns.held(settings.manifest.parent, write=settings.tiles, say=_say):
            built = precompute(settings, show)
    except (PrecomputeError, artifacts.ArtifactError, OSError) as error:
        print(f"precompute: {error}", file=sys.stderr)
        return 1
    for remark in built.remarks:
        print(f"precompute: {remark}")
    for skip in built.index.skipped:
        print(f"precompute: left out {skip.file}: {skip.reason}")
    photos, layers = len(built.index.images), len(built.index.layers)
    print(
        f"precompute: {photos} photo{'s' * (photos != 1)}, {built.computed} computed, "
        f"{layers} layer{'s' * (layers != 1)} each, on {built.index.provider}"
    )
    return 0


def _say(what: str) -> None:
    print(f"precompute: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
