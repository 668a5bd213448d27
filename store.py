"""Folders that are replaced whole, and records that tell whether one still holds what was put there."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import artifacts
import filesystem

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


def source_key(*sources: Path) -> str:
    """Return a fingerprint of files and of the Python code in folders."""
    digest = hashlib.sha256()
    for source in sources:
        for path in sorted(source.glob("*.py")) if source.is_dir() else [source]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(folder: Path, record_path: Path, key: str) -> bool:
    """Tell whether `folder` was made from `key` and holds, byte for byte, what was put there."""
    try:
        record = read_record(record_path)
    except artifacts.ArtifactError:
        return False
    return (
        record.key == key
        and folder.is_dir()
        and set(_content(folder)) == record.files.keys()
        and all(artifacts.sha256(folder / name) == want for name, want in record.files.items())
    )


def _content(folder: str | Path) -> Iterator[str]:
    """Yield the path of every file in `folder`, and what is no path of a file for all else."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                inside = list(_content(entry.path)) or [""]
                yield from (f"{entry.name}/{name}" for name in inside)
            else:
                yield entry.name if entry.is_file(follow_symlinks=False) else f"{entry.name}/"


def read_record(path: Path) -> Record:
    """Return the record at `path`; raises artifacts.ArtifactError."""
    return artifacts.decode(path, Record, "make site")


def content_of(record_path: Path, names: Iterable[str]) -> list[str]:
    """Return the SHA-256 of some of the files that a folder holds, from its record."""
    files = read_record(record_path).files
    return [files[name] for name in names]


def content_key(record_path: Path) -> str:
    """Return a fingerprint of what a folder holds, from its record."""
    return key_of(read_record(record_path).files)


def write_record(path: Path, key: str, files: dict[str, str]) -> None:
    """Write down what a folder was made from; done last, when all its files are there."""
    artifacts.write(path, artifacts.encode(Record(key, files)))


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to fill, which then takes the place of `folder`, or is gone on errors.

    Whoever looks sees the old folder or the new one, and never a mixture.
    """
    folder = folder.resolve()
    fresh = artifacts.partial(folder)
    recover(folder)
    try:
        fresh.mkdir(parents=True)
        yield fresh
        _swap(fresh, folder)
    except BaseException:
        with suppress(OSError):
            recover(folder)
        raise


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Make `folder` hold exactly `files`; return path to SHA-256."""
    with replacing(folder) as fresh:
        return add_files(fresh, files)


def add_files(folder: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Write `files` into `folder`, which nobody reads yet; return path to SHA-256."""
    digests = {}
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with artifacts.naming(path):
            path.write_bytes(data)
        digests[name] = hashlib.sha256(data).hexdigest()
    return digests


def recover(folder: Path) -> None:
    """Put right what a killed run left of `folder`, and remove what it left beside it."""
    folder = folder.resolve()
    old = _old(folder)
    if old.exists() and not folder.exists():
        old.replace(folder)
    _remove(old)
    _remove(artifacts.partial(folder))


def _swap(new: Path, folder: Path) -> None:
    """Put `new` in the place of `folder`, which is removed."""
    if filesystem.exchange(new, folder):
        _remove(new)
        return
    # There is nothing to replace, or it takes two steps: recover() knows what lies between.
    old = _old(folder)
    if folder.exists():
        folder.replace(old)
    new.replace(folder)
    _remove(old)


def _old(folder: Path) -> Path:
    """Return where the old folder waits while the new one takes its place in two steps."""
    return folder.with_name(f".{folder.name}.old")


def _remove(folder: Path) -> None:
    """Remove a folder if it is there; unlike with `ignore_errors`, nothing is left unnoticed."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def remove_partial(folder: Path) -> None:
    """Remove what processes that were ended in the middle of their work left in `folder`."""
    for path in folder.glob(".*.partial"):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def remove_others(folder: Path, keep: set[str]) -> None:
    """Remove everything in `folder` whose name is not in `keep`: what deleted photos left."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name not in keep:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
