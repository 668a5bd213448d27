"""How every stage reads and writes files: canonical JSON, atomic replacement, hashes, safe names."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

T = TypeVar("T")

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# Names that Windows keeps for devices, and the one that every folder of ours uses itself.
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d|index)(\.|$)")
_LONGEST_SLUG = 80
_UNSEEN = re.compile(  # control characters, halves of characters, turns of the reading direction
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # of a character; others stand for a byte
_END = r"(?![\s\S])"
"""The end of a text, in Python and in JavaScript; `$` would let a newline follow in Python."""

# What fields of a contract may hold. Files can come from anybody, and names in them become paths.
Slug = Annotated[
    str, msgspec.Meta(pattern=rf"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_-])?{_END}", max_length=120)
]
"""One segment of a path or URL, as slug() makes it."""
FileName = Annotated[
    str,
    msgspec.Meta(pattern=rf"^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_-])?{_END}", max_length=255),
]
"""A file in the folder of the one that names it."""
Sha256 = Annotated[str, msgspec.Meta(pattern=rf"^[0-9a-f]{{64}}{_END}")]
Size = Annotated[int, msgspec.Meta(ge=1, le=2**20)]
Offset = Annotated[int, msgspec.Meta(ge=-(2**20), le=2**20)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Float32 = Annotated[float, msgspec.Meta(ge=-3.4028235e38, le=3.4028235e38)]


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


def fingerprint(name: str, digits: int = 8) -> str:
    """Return the first hexadecimal digits of the SHA-256 of `name`, any file name included."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def printable(text: str) -> str:
    """Return `text`, which may be any file name, as text that can be shown and encoded anywhere."""
    raw = _HALF.sub("\ufffd", text).encode("utf-8", "surrogateescape")
    decoded = unicodedata.normalize("NFC", raw.decode("utf-8", "replace"))
    return "".join(c if c.isprintable() else " " for c in decoded)


def seen(text: str) -> str:
    """Return `text` as people wrote it, without what cannot be seen and changes how the rest is."""
    return _UNSEEN.sub(" ", text)


def escaped(name: str) -> str:
    """Return a file name so that it can be shown on one line, and no two names look the same."""
    text = _HALF.sub("\ufffd", name.replace("\\", "\\\\")).encode("utf-8", "surrogateescape")
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode()
        for c in text.decode("utf-8", "backslashreplace")
    )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with naming(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encode(value: Any) -> bytes:
    """Return `value` (dataclasses included) as compact JSON with sorted keys and a final newline.

    A dataclass is read back as who reads it will: JSON has no NaN and no infinity, and null, which
    msgspec writes for them, is no number. Raises ArtifactError, which names the field.
    """
    data = msgspec.json.encode(value, order="sorted")
    if is_dataclass(value):
        kind = type(value)
        try:
            msgspec.json.decode(data, type=kind)
        except msgspec.ValidationError as error:
            raise ArtifactError(
                f"a {kind.__name__} cannot be written: {error} (null is NaN or infinity)"
            ) from None
    return data + b"\n"


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
    if not path.exists():
        raise ArtifactError(f"{path} does not exist: run {remedy}")
    if not path.is_file():  # to read a pipe could take for ever
        raise ArtifactError(f"{path} is no file: remove it, then run {remedy}")
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
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
