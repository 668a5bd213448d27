"""python -m benchmarks.fuzz: whatever a file holds, it is a picture or a photo that cannot be used.

Runs in the tests' environment. Keeps the files that gave anything else.
"""

import argparse
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.mutants import BOMBS, bomb, mutant, seeds
from export.manifest import Input
from precompute import entry
from precompute.decode import decode
from precompute.errors import PhotoError
from precompute.limits import DEFAULT
from precompute.preprocess import crop
from precompute.workers import LostTaskError, available_cores, parallel

EXAMPLES = Path(__file__).parent.parent / "examples"
LARGEST_EXAMPLE = 130_000
"""Bytes. Larger ones take longer and are damaged in no other way."""
SLOW = 10.0
"""Seconds of computing that no file may take."""
PATIENCE = 120.0
"""Seconds after which a file has hung, however busy the machine is."""
MEMORY = DEFAULT.memory + 500_000_000
"""Bytes that the process may grow by: the limit, and what the copies take."""

_INPUT = Input("input", 256, 224, "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    kind: str
    """What was done to it."""
    cause: str
    """`picture`, or why there is none."""
    fault: str = ""
    """Why that should not be; empty where it is as it should be."""
    seconds: float = 0.0
    """Of computing."""
    memory: int = 0
    """Bytes that the process grew by at most; 0 where the system does not tell."""


def fuzz(files: int, seed: int, workers: int) -> Iterator[tuple[int, Outcome]]:
    """Try the bombs and `files` mutants; yield the position and outcome of each, as they are done."""

    def lost(error: LostTaskError) -> Outcome:
        return Outcome("", "lost", str(error))

    positions = range(len(BOMBS) + files)
    yield from parallel(_try_position, positions, workers, _start, (seed,), PATIENCE, lost)


def file_at(position: int, seed: int) -> tuple[str, bytes]:
    """Return what was done to the file at `position`, and its content."""
    global _seeds
    if position < len(BOMBS):
        return bomb(position)
    if not _seeds:
        paths = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png"))
        small = [path for path in paths if path.stat().st_size <= LARGEST_EXAMPLE]
        _seeds = seeds([path.read_bytes() for path in small])
    return mutant(_seeds, seed, position)


_seeds: list[bytes] = []
_seed = 0
"""This process's own copies."""


def _start(seed: int) -> None:
    global _seed
    _seed = seed
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libtiff tells what it thinks of each file


def _try_position(position: int) -> Outcome:
    kind, data = file_at(position, _seed)
    return attempt(kind, data)


def attempt(kind: str, data: bytes) -> Outcome:
    """Decode a file and make what the gallery shows of it; return what became of it."""
    before = _reset_peak()
    began = time.process_time()
    cause, fault = _cause(data)
    seconds = time.process_time() - began
    memory = max(0, _peak() - before)
    if not fault and seconds > SLOW:
        fault = f"took {seconds:.1f} s"
    if not fault and memory > MEMORY:
        fault = f"took {memory / 1e9:.1f} GB"
    return Outcome(kind, cause, fault, seconds, memory)


def _cause(data: bytes) -> tuple[str, str]:
    """Return why there is no picture, or `picture`; and what is wrong with that."""
    try:
        picture = decode(data)
        fault = _unlike_a_photo(picture)
        crop(picture, _INPUT)
        for longest in (entry.LONGEST_PHOTO, entry.LONGEST_THUMBNAIL):
            entry._jpeg(picture, longest, 80)
    except PhotoError as error:
        told = str(error)
        fine = told == " ".join(told.split()) and told.isprintable() and 0 < len(told) < 400
        return re.sub(
            r"\d+(\.\d+)?", "#", told.partition(" (")[0]
        ), "" if fine else f"says {told!r}"
    except Exception as error:
        return type(error).__name__, f"{type(error).__name__}: {error}"
    return "picture", fault


def _unlike_a_photo(picture: Image.Image) -> str:
    if picture.mode != "RGB" or min(picture.size) < 1:
        return f"a picture of {picture.mode}, {picture.size}"
    return f"a picture with {sorted(picture.info)}" if picture.info else ""


def _reset_peak() -> int:
    """Forget the most memory that this process had; return the bytes that it has now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return _peak()


def _peak() -> int:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main() -> int:
    """Run with the options of the command line; return 1 where a file gave anything unexpected."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=5000, help="damaged files to try (5000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other files (0)")
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path("build/fuzz"),
        help="folder for what was found (build/fuzz)",
    )
    options = parser.parse_args()
    outcomes = dict(fuzz(options.files, options.seed, options.workers))
    for cause, count in Counter(one.cause for one in outcomes.values()).most_common():
        print(f"{count:6} {cause}")
    for what in ("seconds", "memory"):
        position = max(outcomes, key=lambda position: getattr(outcomes[position], what))
        one = outcomes[position]
        print(
            f"most {what}: file {position}, {one.kind}, {one.seconds:.1f} s, {one.memory / 1e6:.0f} MB"
        )
    faults = {position: one for position, one in outcomes.items() if one.fault}
    for position, one in sorted(faults.items()):
        options.keep.mkdir(parents=True, exist_ok=True)
        path = options.keep / f"{options.seed}-{position}"
        path.write_bytes(file_at(position, options.seed)[1])
        print(f"{path}: {one.fault}")
    print(f"{len(outcomes)} files, {len(faults)} with anything but a picture or a reason")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
