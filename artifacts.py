"""How every stage reads and writes files: canonical JSON, atomic replacement, hashes, safe names."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# Names that Windows keeps for devices, and the one that every folder of ours uses itself.
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d|index)(\.|$)")
_LONGEST_SLUG = 80


class ArtifactError(Exception):
    """A file that one stage hands to the next is missing or not what its contract says."""


def sanitise(name: str) -> str:
    """Return what of `name` can stand in any file system and URL unescaped; may be empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = _UNSAFE.sub("-", plain).strip("-._")[:_LONGEST_SLUG].rstrip("-._")
    return "" if _RESERVED.match(plain) else plain


def slug(name: str) -> str:
    """Return `name` as a path segment that needs no escaping on any file system or in any URL.

    A name that is already safe stays as it is. Any other name loses its unsafe characters and
    gains eight hexadecimal digits of its SHA-256, so that two names do not share a slug.
    """
    plain = sanitise(name)
    return plain if plain and plain == name else f"{plain or 'x'}-{fingerprint(name)}"


def fingerprint(name: str) -> str:
    """Return the first eight hexadecimal digits of the SHA-256 of `name`, any file name included."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def printable(text: str) -> str:
    """Return `text`, which may be any file name, as text that can be shown and encoded anywhere."""
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", decoded))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with naming(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()


def encode(value: Any) -> bytes:
    """Return `value` (dataclasses included) as compact JSON with sorted keys and a final newline."""
    return msgspec.json.encode(value, order="sorted") + b"\n"


def schema(*kinds: type) -> bytes:
    """Return the JSON Schema of files that hold one of the dataclasses `kinds`, indented."""
    files, parts = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "anyOf": list(files),
        "$defs": parts,
    }
    return msgspec.json.format(encode(whole), indent=2) + b"\n"


def decode(path: Path, kind: type[T], remedy: str) -> T:
    """Read a JSON file and check it against the dataclass `kind`.

    Raises ArtifactError, which names the file, the fault and the `remedy` (a command to run).
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise ArtifactError(f"{path} does not exist: run {remedy}") from None
    except msgspec.MsgspecError as error:
        raise ArtifactError(f"{path} is not a {kind.__name__}: {error}; run {remedy}") from None


def write(path: Path, data: bytes) -> bool:
    """Put `data` at `path` in one step, and only where it differs from what is there.

    The bytes go to a file beside `path`, which is renamed when they are on the disk: a reader sees
    the old file or the new one, never a part, whenever the power goes. Returns whether the file
    changed.
    """
    fresh = partial(path)
    fresh.unlink(missing_ok=True)  # what a killed run left
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with naming(fresh), fresh.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o644)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return True


def partial(path: Path) -> Path:
    """Return where a new content of the file or folder `path` is gathered."""
    return path.with_name(f".{path.name}.partial")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have errors of the system name the file: a full disk is told when bytes are written."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or os.fspath(path)
        raise
