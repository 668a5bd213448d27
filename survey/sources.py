"""Find photos in a folder, in a list of paths, or in tar archives, which may be mixed."""

import os
import posixpath
import stat
from pathlib import Path

import artifacts
from precompute.folder import File, look_into, named_like_a_picture, why_not
from survey.archives import look_into_archive, named_like_an_archive
from survey.errors import SurveyError
from survey.job import Item
from survey.listing import Listing


def look(photos: Path) -> Listing:
    """Return what there is at `photos`: a folder and its subfolders, with pictures and .tar files
    in them; one .tar file; or a .txt file with the path of a picture or a .tar file on each line,
    relative to the list or absolute. Empty lines count for nothing, nor do lines that begin with #
    (write ./#1.jpg for a file that does).

    Raises SurveyError if it is none of these, or holds no photo at all.
    """
    # Other processes, with other working directories, read the photos.
    photos = photos.expanduser().absolute()
    listing = Listing()
    if photos.is_dir():
        _folder(photos, listing)
    elif photos.is_file() and named_like_an_archive(photos.name):
        _take(photos.resolve(), photos.name, listing)
    elif photos.is_file() and photos.suffix.lower() == ".txt":
        _list(photos, listing)
    else:
        there = "is none of them" if photos.exists() else "does not exist"
        raise SurveyError(
            f"no photos at {photos}, which {there}: give a folder, a .tar archive, or a .txt list "
            "of paths with PHOTOS=…"
        )
    if not listing.items:
        faults = [
            f"\n  {artifacts.escaped(name)}: {why}" for name, why in sorted(listing.faults.items())
        ]
        more = f"\n  and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise SurveyError(
            f"no photos in {photos}: looked for JPEG, PNG, WebP, GIF, BMP and TIFF files, and for "
            f".tar archives with such files{''.join(faults[:5])}{more}"
        )
    return listing


def _folder(root: Path, listing: Listing) -> None:
    folder = look_into(root, lambda name: named_like_a_picture(name) or named_like_an_archive(name))
    listing.faults |= folder.faults
    listing.remarks += folder.remarks
    for name in list(folder.pictures):
        _add(folder.pictures.pop(name), name, listing)  # of a million, one list is enough


def _list(path: Path, listing: Listing) -> None:
    listing.listed = True
    outside = 0
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as lines:
            for line in lines:
                written = line.rstrip("\r\n")
                if written.strip() and not written.startswith("#"):
                    name = _name(written)
                    outside += name != posixpath.normpath(written)
                    _take(path.parent / os.fsdecode(_bytes(written)), name, listing)
    except OSError as error:
        raise SurveyError(f"{path} cannot be read: {error.strerror}") from None
    if outside:
        listing.remarks.append(
            f"{outside} path{'s' * (outside != 1)} of the list lead{'s' * (outside == 1)} out of its "
            "folder: the whole path, without .. and the first slash, is the photo's name, and is "
            "published with it"
        )


def _name(written: str) -> str:
    """Return the name of a photo that a list points to: the path as it is written, plainly."""
    return "/".join(
        part for part in posixpath.normpath(written).split("/") if part not in ("", "..")
    )


def _take(path: Path, name: str, listing: Listing) -> None:
    """Add one file that a person named."""
    try:
        status = path.lstat()
    except (OSError, ValueError) as error:  # ValueError: a path with NUL
        reason = error.strerror if isinstance(error, OSError) else str(error)
        listing.faults[name] = f"cannot be read: {reason}"
        return
    if stat.S_ISREG(status.st_mode):
        _add(File(os.fspath(path), status.st_size, status.st_mtime_ns), name, listing)
    else:
        listing.faults[name] = why_not(stat.S_IFMT(status.st_mode))


def _add(file: File, name: str, listing: Listing) -> None:
    if named_like_an_archive(name):
        look_into_archive(file, name, listing)
    else:
        listing.add(Item(name, file.path, None, file.size, file.modified, None))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
