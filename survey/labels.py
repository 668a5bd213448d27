"""What is said of photos: in a CSV file, and by the folders that they lie in."""

import csv
import posixpath
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import artifacts
from survey.errors import SurveyError
from survey.listing import NOTHING, About, first_faults

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
"""Names of folders that are parts of a data set rather than classes."""

_COLUMNS = {"file", "class", "author", "licence"}


def read_table(path: Path, names: Collection[str]) -> dict[str, About]:
    """Return what a CSV file says, by the photo's name or that of a folder, an archive included.

    Its header has `file`, and `class`, `author` or `licence`; two columns without a header are
    file and class. Raises SurveyError with every fault, of which it tells the first.
    """
    folders = folders_of(names)
    told: dict[str, About] = {}
    faults: list[str] = []
    columns: list[str] = []
    try:
        # A quoted name may hold a newline, and any name bytes that are no UTF-8.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = csv.reader(file)
            for row in rows:
                line = f"line {rows.line_num}"
                if not row:
                    continue
                if not columns:
                    head = [cell.strip().lower() for cell in row]
                    if "file" in head:
                        columns = head
                        _check_header(path, head)
                        continue
                    columns = ["file", "class"]
                if len(row) != len(columns):
                    faults.append(f"{line} has {len(row)} cells, expected {', '.join(columns)}")
                    continue
                cells = dict(zip(columns, row, strict=True))
                name = posixpath.normpath(cells["file"]) if cells["file"] else ""
                about = _about(cells)
                if name not in names and name not in folders:
                    faults.append(f"{line}: '{cells['file']}' is no photo, and no folder of photos")
                elif told.setdefault(name, about) != about:
                    faults.append(f"{line}: '{name}' was there before, with something else")
    except (csv.Error, OSError) as error:
        raise SurveyError(f"{path} cannot be read as CSV: {error}") from None
    if faults:
        raise SurveyError(f"{path}: {first_faults(faults)}")
    return told


def _check_header(path: Path, head: list[str]) -> None:
    if not set(head) <= _COLUMNS or len(set(head)) != len(head) or len(head) < 2:
        raise SurveyError(
            f"{path}: the header is {artifacts.escaped(','.join(head))!r}, expected file and class, "
            "and author or licence where they differ"
        )


def _about(cells: Mapping[str, str]) -> About:
    author, licence = (
        sys.intern(" ".join(artifacts.printable(cells.get(key, "")).split()))
        for key in ("author", "licence")
    )
    return About(sys.intern(cells.get("class", "").strip()), author, licence)


def folders_of(names: Iterable[str]) -> set[str]:
    """Return every folder that some of the photos `names` lie in, at any depth."""
    found: set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


class Told:
    """What a table says of each photo: the row of the photo before that of a folder, and a row of
    an inner folder before that of an outer one.
    """

    def __init__(self, rows: Mapping[str, About]) -> None:
        self._rows = rows
        self._folders: dict[str, About] = {"": NOTHING}

    def of(self, name: str) -> About:
        """Return what is said of the photo `name`."""
        about = self._of_folder(name.rpartition("/")[0])
        row = self._rows.get(name)
        return row.over(about) if row else about

    def _of_folder(self, folder: str) -> About:
        inner = []
        while folder not in self._folders:
            inner.append(folder)
            folder = folder.rpartition("/")[0]
        about = self._folders[folder]
        for folder in reversed(inner):
            row = self._rows.get(folder)
            about = self._folders[folder] = row.over(about) if row else about
        return about


def class_depth(outer: Collection[str]) -> int:
    """Return which of the folders around a photo is its class, counted from the outermost, where
    `outer` are all outermost folders: the first, or the second where all of `outer` are SPLITS.

    So it is for `<class>/x.jpg`, `<class>/sub/x.jpg` and `train/<class>/x.jpg`; and a class that
    is called train beside others (of vehicles, say) is one.
    """
    return int(bool(outer) and all(folder.lower() in SPLITS for folder in outer))
