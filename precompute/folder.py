"""Find the picture files of a folder, follow nothing out of it, and say what is passed over."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import artifacts

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".mpo"}
    # Cannot be read, but the person who put them there should know.
    | {".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".eps"}
)

_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"RIFF")
_KINDS = {
    stat.S_IFLNK: "a link, which is not followed: put the picture itself there",
    stat.S_IFDIR: "a folder with the name of a picture: rename it",
    stat.S_IFIFO: "a pipe, not a picture",
    stat.S_IFSOCK: "a socket, not a picture",
    stat.S_IFCHR: "a device, not a picture",
    stat.S_IFBLK: "a device, not a picture",
}
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class File:
    """A regular file."""

    path: str
    size: int
    """Bytes."""
    modified: int
    """When it was last written, nanoseconds."""


@dataclass
class Folder:
    """What a folder holds, by name: the path in the folder, with forward slashes, the same in any
    locale (UTF-8, with surrogate escapes for bytes that are none).
    """

    pictures: dict[str, File] = field(default_factory=dict)
    """The regular files that are named like pictures, sorted by name."""
    faults: dict[str, str] = field(default_factory=dict)
    """Why what is named like a picture, or may hold some, cannot be used; sorted by name."""
    remarks: list[str] = field(default_factory=list)
    """What else is there."""


def named_like_a_picture(name: str) -> bool:
    """Tell whether a file with this name should be a picture."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def look_into(root: Path, wanted: Callable[[str], bool] = named_like_a_picture) -> Folder:
    """Return what `root` and its subfolders hold. No link is followed but `root` itself.

    `wanted` tells from a file's own name whether it is one of those to return.
    """
    found = Folder()
    hidden, links, unnamed = [], [], []
    folders = [(os.fspath(root), "")]
    while folders:
        folder, inside = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            found.faults[inside or "."] = f"folder cannot be read: {error.strerror}"
            continue
        for entry in entries:
            name = os.fsencode(entry.name).decode("utf-8", "surrogateescape")
            name = f"{inside}/{name}" if inside else name
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                found.faults[name] = f"cannot be read: {error.strerror}"
                continue
            kind = stat.S_IFMT(status.st_mode)
            like_a_picture = wanted(entry.name)
            if entry.name.startswith("."):
                if like_a_picture or kind == stat.S_IFDIR:
                    hidden.append(name)
            elif like_a_picture and kind == stat.S_IFREG:
                found.pictures[name] = File(entry.path, status.st_size, status.st_mtime_ns)
            elif like_a_picture:
                found.faults[name] = why_not(kind)
            elif kind == stat.S_IFDIR:
                folders.append((entry.path, name))
            elif kind == stat.S_IFLNK:
                links.append(name)
            elif kind == stat.S_IFREG and _begins_like_a_picture(entry.path):
                unnamed.append(name)
    found.pictures = dict(sorted(found.pictures.items()))
    found.faults = dict(sorted(found.faults.items()))
    for names, what in (
        (hidden, "passed over, because hidden"),
        (links, "passed over, because links are not followed"),
        (unnamed, "passed over, because not named like pictures (.jpg, .png, …)"),
    ):
        if names:
            found.remarks.append(f"{what}: {some(sorted(names))}")
    return found


def why_not(kind: int) -> str:
    """Return why something of a kind (stat.S_IFMT) that is no regular file cannot be used."""
    return _KINDS.get(kind, "not a regular file")


def _begins_like_a_picture(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(8).startswith(_STARTS)
    except OSError:
        return False


def some(names: list[str]) -> str:
    """Return the first of `names` and how many more there are."""
    shown = ", ".join(artifacts.escaped(name) for name in names[:_MOST_NAMED])
    return shown + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")
