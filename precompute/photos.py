"""Find the pictures of a folder and what is known about each."""

import csv
import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import artifacts
from precompute.categories import Categories
from precompute.errors import PrecomputeError
from precompute.folder import look_into
from precompute.index import RESERVED, Box, Skipped

DESCRIPTION = "examples.toml"
CLASSES = "classes.csv"

_PLAIN = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_DIGITS = 10
_LIKE_A_FINGERPRINT = re.compile(rf"-[0-9a-f]{{{_DIGITS}}}$")
_KEYS: dict[str, type | tuple[type, ...]] = {
    "file": str,
    "id": str,
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
    name: str
    """Path in its folder, as in precompute.folder.Folder."""
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
        """Return everything but path and name, which say nothing about the result."""
        return {key: value for key, value in vars(self).items() if key not in {"path", "name"}}


@dataclass(frozen=True)
class Found:
    """What a folder of photos holds."""

    photos: list[Photo]
    """Described ones first and in their order, the others sorted by name."""
    skipped: list[Skipped]
    """What is named like a photo and cannot be one."""
    remarks: list[str]


def find_photos(root: Path, categories: Sequence[str]) -> Found:
    """Return the pictures in the folder `root` and what is said about them.

    Titles, credits and classes come from examples.toml where there is one; else titles come from
    file names, and true classes from classes.csv (file,class) or from the names of subfolders
    that are names of categories. Hidden files are left out, links are not followed. Raises
    PrecomputeError with every fault of the descriptions.
    """
    if not root.is_dir():
        raise PrecomputeError(f"no folder of photos at {root}: give one with IMAGES=folder")
    folder = look_into(root)
    names = folder.pictures
    described, foreign = read_descriptions(root, names, categories)
    classes = _classes(root, names, categories)
    photos = []
    for name in [*described, *(name for name in names if name not in described)]:
        about = described.get(name, {})
        photos.append(
            Photo(
                path=Path(names[name].path),
                name=name,
                id=about.get("id", id_of(name)),
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
    _check_ids(photos, root / DESCRIPTION)
    skipped = [Skipped(artifacts.escaped(name), why) for name, why in folder.faults.items()]
    if not photos:
        there = "".join(f"\n  {skip.file}: {skip.reason}" for skip in skipped)
        raise PrecomputeError(
            f"no photos in {root}: put JPEG, PNG, WebP, GIF, BMP or TIFF files there{there}"
        )
    unused = sorted({name.split("/")[0] for name in names if "/" in name and name not in classes})
    remarks = [
        f"'{artifacts.escaped(name)}' is no category: its photos have no true class"
        for name in unused
    ]
    if described:
        remarks = [foreign] if foreign else []
    return Found(photos, skipped, folder.remarks + remarks)


def with_class_of(photo: Photo, categories: Sequence[str]) -> Photo:
    """Return `photo` with its true class as `categories` spell it, or without one: a folder can be
    shown to several models, whose categories differ.
    """
    if photo.true_class is None or photo.true_class in categories:
        return photo
    return replace(photo, true_class=Categories(categories).name(photo.true_class))


def read_descriptions(
    folder: Path, names: Collection[str], categories: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], str]:
    """Return what examples.toml says of each photo, and a remark where its classes are those of
    another model: then there are none.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        return {}, ""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PrecomputeError(f"{path} is not valid TOML: {error}") from None
    tables = content.get("photo", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise PrecomputeError(f"{path}: expected [[photo]] tables")
    named = {table["class"] for table in tables if isinstance(table.get("class"), str)}
    foreign = len(named) > 1 and not named & set(categories)
    if foreign:
        tables = [{key: table[key] for key in table if key != "class"} for table in tables]
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
    remark = f"no class in {path} is a category of the model: no photo has a true class"
    return described, remark if foreign else ""


def _faults(table: dict[str, Any], categories: Sequence[str]) -> list[str]:
    faults = []
    for key, value in table.items():
        if key not in _KEYS:
            faults.append(f"unknown key '{key}': known keys are {', '.join(_KEYS)}")
        elif not isinstance(value, _KEYS[key]):
            faults.append(f"'{key}' is {value!r}, expected another type")
    chosen = table.get("id")
    if isinstance(chosen, str) and not _is_plain(chosen):
        faults.append(
            f"'id' is {chosen!r}, expected at most 80 small letters and digits with - or _ between "
            f"them, and not {', '.join(RESERVED)}, index or a device's name"
        )
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


def _classes(folder: Path, names: Collection[str], categories: Sequence[str]) -> dict[str, str]:
    """Return the true classes that classes.csv and the names of subfolders give."""
    known = Categories(categories)
    found = {}
    for name in names:
        folder_name, slash, _ = name.partition("/")
        category = known.name(folder_name) if slash else None
        if category is not None:
            found[name] = category
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
            category = known.name(row[1]) if len(row) == 2 else None
            if row[0] not in names or category is None:
                faults.append(f"line {line} is {','.join(row)!r}")
                continue
            found[row[0]] = category
        if faults:
            raise PrecomputeError(
                f"{path}: {'; '.join(faults)}; expected a picture's path, a comma and a category"
            )
    return found


def _title(name: str) -> str:
    words = " ".join(Path(name).stem.replace("_", " ").replace("-", " ").split())
    printable = artifacts.printable(words) or "Untitled"
    return printable[0].upper() + printable[1:]


def id_of(name: str) -> str:
    """Return the photo's part of links, which depends on its name alone: whatever else is put into
    the folder, links stay. A plain name is taken as it is, and any other gets a fingerprint.
    """
    stem = name.removesuffix(".jpg")
    if stem != name and _is_plain(stem) and not _LIKE_A_FINGERPRINT.search(stem):
        return stem
    readable = artifacts.sanitise(PurePosixPath(name).stem).lower() or "x"
    return f"{readable}-{artifacts.fingerprint(name, _DIGITS)}"


def _is_plain(word: str) -> bool:
    plain = _PLAIN.fullmatch(word) and artifacts.sanitise(word) == word
    return bool(plain) and word not in RESERVED


def _check_ids(photos: list[Photo], description: Path) -> None:
    """Raise PrecomputeError for ids that two photos share: chosen ones, or by a collision."""
    of: dict[str, list[str]] = {}
    for photo in photos:
        of.setdefault(photo.id, []).append(artifacts.escaped(photo.name))
    faults = [f"{' and '.join(names)} have the id '{i}'" for i, names in of.items() if names[1:]]
    if faults:
        raise PrecomputeError(
            f"{'; '.join(faults)}: rename a file, or give it another 'id' in {description}"
        )
