"""Runtime: what build/vendor/ holds, the program that runs a network in a browser."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import artifacts
from artifacts import Count, FileName, Sha256

ENTRY = "ort.wasm.min.mjs"
"""The module that a page imports."""
GLUE = "ort-wasm-simd-threaded.mjs"
"""The module that it imports itself, from the same folder."""
WASM = "ort-wasm-simd-threaded.wasm.gz"
"""The program, gzipped: not every server compresses WebAssembly."""
LICENCE = "LICENCE.txt"


@dataclass(frozen=True)
class RuntimeFile:
    """A file of the runtime."""

    name: FileName
    bytes: Count
    sha256: Sha256
    inflated: Sha256 | None
    """SHA-256 after gunzip; None for what is not gzipped."""


@dataclass(frozen=True)
class Runtime:
    """ENTRY, GLUE, WASM and LICENCE, and where they come from."""

    package: str
    """On npm."""
    version: str
    licence: str
    key: str
    """Fingerprint of what they were made with: the package files here, and this program."""
    files: tuple[RuntimeFile, ...]


def runtime_path(folder: Path) -> Path:
    """Return the Runtime in a folder of vendored files; written last."""
    return folder / "runtime.json"


def read_runtime(folder: Path) -> Runtime | None:
    """Return what is vendored in `folder`, or None where nothing is.

    Raises artifacts.ArtifactError where its index cannot be read.
    """
    path = runtime_path(folder)
    if not path.is_file():
        return None
    remedy = f"rm {shlex.quote(str(path))} && make site"
    runtime = artifacts.decode(path, Runtime, remedy)
    if {file.name for file in runtime.files} != {ENTRY, GLUE, WASM, LICENCE}:
        raise artifacts.ArtifactError(f"{path} names other files than it should: run {remedy}")
    return runtime
