"""Folders that are replaced whole, and records that tell whether one still holds what was put there."""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import artifacts

RECORDS = "_records"
"""Folder of the records, in the model's folder; not part of what is published."""


@dataclass(frozen=True)
class Record:
    """What a folder was made from, and what was put in it."""

    key: str
    """Fingerprint of everything that the content depends on."""
    files: dict[str, str]
    """Path relative to the folder to SHA-256."""


def key_of(*parts: object) -> str:
    """Return a fingerprint of `parts`, which must be of the kinds that JSON has."""
    return hashlib.sha256(artifacts.encode(parts)).hexdigest()


def source_key(*packages: Path) -> str:
    """Return a fingerprint of the Python code in files and folders."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(package.glob("*.py")) if package.is_dir() else [package]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(folder: Path, record_path: Path, key: str) -> bool:
    """Tell whether `folder` was made from `key` and holds, byte for byte, what was put there."""
    try:
        record = artifacts.decode(record_path, Record, "")
    except artifacts.ArtifactError:
        return False
    if record.key != key:
        return False
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found == record.files.keys() and all(
        artifacts.sha256(folder / name) == digest for name, digest in record.files.items()
    )


def content_of(record_path: Path, names: Iterable[str]) -> list[str]:
    """Return the SHA-256 of some of the files that a folder holds, from its record."""
    files = artifacts.decode(record_path, Record, "make precompute").files
    return [files[name] for name in names]


def content_key(record_path: Path) -> str:
    """Return a fingerprint of what a folder holds, from its record."""
    return key_of(artifacts.decode(record_path, Record, "make precompute").files)


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Make `folder` hold exactly `files`; return path to SHA-256.

    The files go to a new folder, which then takes the place of the old one: whoever looks sees
    one or the other, or for a moment neither, and never a mixture.
    """
    fresh = artifacts.fresh_folder(folder)
    try:
        digests = add_files(fresh, files)
        artifacts.swap_in(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return digests


def add_files(folder: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Write `files` into `folder`, which nobody reads yet; return path to SHA-256."""
    digests = {}
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        digests[name] = hashlib.sha256(data).hexdigest()
    return digests


def write_record(path: Path, key: str, files: dict[str, str]) -> None:
    """Write down what a folder was made from; done last, when all its files are there."""
    artifacts.write(path, artifacts.encode(Record(key, files)))


def remove_others(folder: Path, keep: set[str]) -> None:
    """Remove everything in `folder` whose name is not in `keep`: what deleted photos left."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name not in keep:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
