"""python -m site_template.vendor: fetch what runs the network in a visitor's browser."""

import argparse
import sys
from pathlib import Path

import artifacts
import terminal
import turns
from site_template.vendor.fetch import VendorError, vendor


def main(arguments: list[str] | None = None) -> int:
    """Fetch with command line `arguments`; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m site_template.vendor",
        description="Fetch onnxruntime-web from npm's registry, check it against the lock file, and "
        "keep the few files of it that the page for visitors' own photos needs.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/vendor"), help="folder to write to (build/vendor)"
    )
    parser.add_argument(
        "--optional", action="store_true", help="where it cannot be had, say so and end well"
    )
    options = parser.parse_args(arguments)
    try:
        with turns.held(write=options.out, say=_say):
            runtime = vendor(options.out)
    except (VendorError, artifacts.ArtifactError, OSError) as error:
        without = (
            "; the page for visitors' own photos is left out: run make site again when this works"
        )
        print(f"vendor: {error}{without if options.optional else ''}", file=sys.stderr)
        return 0 if options.optional else 1
    size = sum(file.bytes for file in runtime.files)
    print(f"vendor: {runtime.package} {runtime.version}, {size / 1e6:.1f} MB in {options.out}")
    return 0


def _say(what: str) -> None:
    print(f"vendor: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
