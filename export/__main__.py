"""python -m export: turn a torchvision model into one ONNX file with its layers as outputs."""

import argparse
import sys
from pathlib import Path

import terminal
import turns
from export.architectures import MODELS
from export.build import export
from export.errors import ExportError
from export.presets import AUTO, PRESETS


def main(arguments: list[str] | None = None) -> int:
    """Run the export with command line `arguments`; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m export",
        description="Write a torchvision model, or somebody's ONNX file, as one ONNX file whose "
        "outputs are its layers, check every output against what the model itself computes, and "
        "describe it in a manifest beside it; and a copy of half the size for browsers.",
    )
    parser.add_argument(
        "--model",
        default="resnet18",
        help=f"one of: {', '.join(MODELS)}; or the path of an ONNX file (default: resnet18)",
    )
    parser.add_argument(
        "--name", default="", help="what to call it: part of every link (default: as the model)"
    )
    parser.add_argument(
        "--labels",
        default="",
        help="names of an ONNX model's classes: a text file with one on each line, a JSON list, or "
        "imagenet",
    )
    parser.add_argument(
        "--input",
        type=Path,
        metavar="FILE.toml",
        help="how photos become an ONNX model's input (default: the file of its name that ends in "
        ".toml)",
    )
    parser.add_argument(
        "--weights",
        default="auto",
        help="auto (torchvision's ImageNet weights, else the bundled ones), bundled, "
        "imagenet1k_v1, random:SEED, or the path of a .safetensors or .pth file (default: auto)",
    )
    parser.add_argument(
        "--sha256",
        default="",
        help="SHA-256 of the file of weights, which is compared before anything in it is read",
    )
    parser.add_argument(
        "--layers",
        default=AUTO,
        help=f"{', '.join(PRESETS)}, names with commas between them, or auto: the first of "
        "these after all that keeps a photo's maps to some 10 MB (default: auto)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/model"), help="folder to write to (build/model)"
    )
    options = parser.parse_args(arguments)
    try:
        with turns.held(write=options.out, say=_say):
            done = export(
                options.model,
                options.weights,
                options.layers,
                options.out,
                options.sha256,
                _say,
                name=options.name,
                labels=options.labels,
                input_file=options.input,
            )
    except (ExportError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    for remark in done.remarks:
        print(f"export: {remark}")
    outputs = sum(layer.exported for layer in done.manifest.layers)
    print(
        f"export: {done.manifest.onnx.name} with {done.manifest.weights.name} and {outputs} outputs;"
        f" largest relative difference from {done.reference} {done.difference:.1e}"
    )
    if browser := done.manifest.browser:
        print(
            f"export: {browser.file.name} with {browser.bytes / 1e6:.1f} MB for browsers;"
            f" largest relative difference from {done.manifest.onnx.name} {browser.difference:.1e}"
        )
    return 0


def _say(what: str) -> None:
    print(f"export: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
