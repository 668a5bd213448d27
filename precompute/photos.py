"""Find the pictures of a folder and what is known about each."""

import csv
import os
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import artifacts
from precompute.errors import PrecomputeError
from precompute.index import RESERVED, Box

DESCRIPTION = "examples.toml"
CLASSES = "classes.csv"
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".mpo"}
    | {".heic", ".heif", ".avif"}  # cannot be read, but the person who put them there should know
)

_KEYS: dict[str, type | tuple[type, ...]] = {
    "file": str,
    "title": str,
    "author": str,
    "licence": str,
    "source": str,
    "modified": str,
    "note": str,
    "class": str,
    "box": list,
    "chart": bool,
}


@dataclass(frozen=True)
class Photo:
    """A picture file and what its folder says about it."""

    path: Path
    id: str
    title: str
    author: str = ""
    licence: str = ""
    source: str = ""
    modified: str = ""
    note: str = ""
    chart: bool = False
    true_class: str | None = None
    box: Box | None = field(default=None)

    def description(self) -> dict[str, Any]:
        """Return everything but the path, which says nothing about the result."""
        return {name: value for name, value in vars(self).items() if name != "path"}


def find_photos(folder: Path, categories: Sequence[str]) -> tuple[list[Photo], list[str]]:
    """Return the pictures in `folder`, described ones first and in their order, and remarks.

    Titles, credits and classes come from examples.toml where there is one; else titles come from
    file names, and true classes from classes.csv (file,class) or from the names of subfolders
    that are names of categories. Hidden files are left out, links are not followed. Raises
    PrecomputeError with every fault of the descriptions.
    """
    if not folder.is_dir():
        raise PrecomputeError(f"no folder of photos at {folder}: give one with IMAGES=folder")
    names = _picture_names(folder)
    described = _described(folder, names, categories)
    classes = _classes(folder, names, categories)
    photos = []
    for name in [*described, *(name for name in names if name not in described)]:
        about = described.get(name, {})
        photos.append(
            Photo(
                path=folder / name,
                id=_readable_id(name),
                title=about.get("title", _title(name)),
                author=about.get("author", ""),
                licence=about.get("licence", ""),
                source=about.get("source", ""),
                modified=about.get("modified", ""),
                note=about.get("note", ""),
                chart=about.get("chart", False),
                true_class=about.get("class", classes.get(name)),
                box=tuple(about["box"]) if "box" in about else None,
            )
        )
    if not photos:
        raise PrecomputeError(
            f"no photos in {folder}: put JPEG, PNG, WebP, GIF, BMP or TIFF files there"
        )
    unused = sorted({name.split("/")[0] for name in names if "/" in name and name not in classes})
    remarks = [
        f"'{artifacts.printable(name)}' is no category: its photos have no true class"
        for name in unused
    ]
    return _unique(photos, folder), remarks if not described else []


def _picture_names(folder: Path) -> list[str]:
    """Return relative paths with forward slashes, sorted, of regular files that look like photos."""
    names = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            path = Path(root, name)
            hidden = name.startswith(".")
            if not hidden and path.suffix.lower() in SUFFIXES and _is_plain_file(path):
                names.append(path.relative_to(folder).as_posix())
    return sorted(names)


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _described(
    folder: Path, names: list[str], categories: Sequence[str]
) -> dict[str, dict[str, Any]]:
    path = folder / DESCRIPTION
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PrecomputeError(f"{path} is not valid TOML: {error}") from None
    tables = content.get("photo", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise PrecomputeError(f"{path}: expected [[photo]] tables")
    faults = []
    described: dict[str, dict[str, Any]] = {}
    for position, table in enumerate(tables, start=1):
        name = table.get("file")
        label = f"photo {position} ({name})"
        if not isinstance(name, str) or name not in names:
            faults.append(f"{label}: 'file' names no picture in {folder}")
            continue
        if name in described:
            faults.append(f"{label}: described twice")
        faults += [f"{label}: {fault}" for fault in _faults(table, categories)]
        described[name] = {
            key: artifacts.seen(value) if isinstance(value, str) else value
            for key, value in table.items()
        }
    if faults:
        raise PrecomputeError(f"{path}: " + "; ".join(faults))
    return described


def _faults(table: dict[str, Any], categories: Sequence[str]) -> list[str]:
    faults = []
    for key, value in table.items():
        if key not in _KEYS:
            faults.append(f"unknown key '{key}': known keys are {', '.join(_KEYS)}")
        elif not isinstance(value, _KEYS[key]):
            faults.append(f"'{key}' is {value!r}, expected another type")
    box = table.get("box")
    if isinstance(box, list) and not (
        len(box) == 4
        and all(isinstance(edge, int | float) for edge in box)
        and box[0] < box[2]
        and box[1] < box[3]
    ):
        faults.append(f"'box' is {box}, expected [left, top, right, bottom]")
    if isinstance(table.get("class"), str) and table["class"] not in categories:
        faults.append(f"'class' is {table['class']!r}, which is no category of the model")
    return faults


def _classes(folder: Path, names: list[str], categories: Sequence[str]) -> dict[str, str]:
    """Return the true classes that classes.csv and the names of subfolders give."""
    by_key = {_key(category): category for category in categories}
    found = {
        name: by_key[_key(name.split("/")[0])]
        for name in names
        if "/" in name and _key(name.split("/")[0]) in by_key
    }
    path = folder / CLASSES
    if path.is_file():
        faults = []
        try:
            rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
        except (UnicodeDecodeError, csv.Error) as error:
            raise PrecomputeError(f"{path} is not a CSV file in UTF-8: {error}") from None
        for line, row in enumerate(rows, start=1):
            if line == 1 and [cell.strip().lower() for cell in row] == ["file", "class"]:
                continue
            if not row:
                continue
            if len(row) != 2 or row[0] not in names or _key(row[1]) not in by_key:
                faults.append(f"line {line} is {','.join(row)!r}")
                continue
            found[row[0]] = by_key[_key(row[1])]
        if faults:
            raise PrecomputeError(
                f"{path}: {'; '.join(faults)}; expected a picture's path, a comma and a category"
            )
    return found


def _key(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _title(name: str) -> str:
    words = " ".join(Path(name).stem.replace("_", " ").replace("-", " ").split())
    printable = artifacts.printable(words) or "Untitled"
    return printable[0].upper() + printable[1:]


def _readable_id(name: str) -> str:
    stem = name.removesuffix(Path(name).suffix)
    return artifacts.sanitise(stem).lower() or f"x-{artifacts.fingerprint(name)}"


def _unique(photos: list[Photo], folder: Path) -> list[Photo]:
    """Return `photos` with a fingerprint of the path in every id that is not theirs alone."""
    taken = Counter([*RESERVED, *(photo.id for photo in photos)])
    return [
        photo
        if taken[photo.id] == 1
        else replace(
            photo,
            id=f"{photo.id}-{artifacts.fingerprint(photo.path.relative_to(folder).as_posix())}",
        )
        for photo in photos
    ]
