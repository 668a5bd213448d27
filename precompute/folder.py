"""Find the picture files of a folder, follow nothing out of it, and say what is passed over."""

import os
import stat
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


@dataclass
class Folder:
    """What a folder holds, by name: the path in the folder, with forward slashes, the same in any
    locale (UTF-8, with surrogate escapes for bytes that are none).
    """

    pictures: dict[str, Path] = field(default_factory=dict)
    """The regular files that are named like pictures, sorted by name."""
    faults: dict[str, str] = field(default_factory=dict)
    """Why what is named like a picture, or may hold some, cannot be used; sorted by name."""
    remarks: list[str] = field(default_factory=list)
    """What else is there."""


def look_into(root: Path) -> Folder:
    """Return what `root` and its subfolders hold. No link is followed but `root` itself."""
    found = Folder()
    hidden, links, unnamed = [], [], []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            found.faults[_name(folder, root)] = f"folder cannot be read: {error.strerror}"
            continue
        for entry in entries:
            path = Path(entry)
            name = _name(path, root)
            try:
                kind = stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
            except OSError as error:
                found.faults[name] = f"cannot be read: {error.strerror}"
                continue
            like_a_picture = path.suffix.lower() in SUFFIXES
            if entry.name.startswith("."):
                if like_a_picture or kind == stat.S_IFDIR:
                    hidden.append(name)
            elif like_a_picture and kind == stat.S_IFREG:
                found.pictures[name] = path
            elif like_a_picture:
                found.faults[name] = _KINDS.get(kind, "not a regular file")
            elif kind == stat.S_IFDIR:
                folders.append(path)
            elif kind == stat.S_IFLNK:
                links.append(name)
            elif kind == stat.S_IFREG and _begins_like_a_picture(path):
                unnamed.append(name)
    found.pictures = dict(sorted(found.pictures.items()))
    found.faults = dict(sorted(found.faults.items()))
    for names, what in (
        (hidden, "passed over, because hidden"),
        (links, "passed over, because links are not followed"),
        (unnamed, "passed over, because not named like pictures (.jpg, .png, …)"),
    ):
        if names:
            found.remarks.append(f"{what}: {_some(sorted(names))}")
    return found


def _name(path: Path, root: Path) -> str:
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "surrogateescape")


def _begins_like_a_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(8).startswith(_STARTS)
    except OSError:
        return False


def _some(names: list[str]) -> str:
    shown = ", ".join(artifacts.escaped(name) for name in names[:_MOST_NAMED])
    return shown + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")
