"""Photos in tar archives: found by the headers alone, and read where they lie.

Members whose names differ in their last parts belong together, in WebDataset's manner:
`000012.jpg` is the photo, `000012.cls` holds its class (a category's number, or a name), and
`000012.json` may hold `class` or `label`, `author` and `licence`.
"""

import os
import stat
import sys
import tarfile
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import msgspec

import artifacts
from precompute.decode import as_photo_error, open_file
from precompute.errors import PhotoError, one_line
from precompute.folder import File, named_like_a_picture, some, why_not
from precompute.limits import Limits
from survey.job import Item
from survey.listing import NOTHING, About, Listing, first_faults

SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
"""What is named like an archive. All but the first are refused."""

_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_LARGEST_READ = 1_000_000
"""Bytes of a header or of what stands beside a photo: no file decides how much memory is taken."""
_END = bytes(tarfile.BLOCKSIZE)
_KINDS = {
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.LNKTYPE: stat.S_IFLNK,
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.FIFOTYPE: stat.S_IFIFO,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
}


def named_like_an_archive(name: str) -> bool:
    """Tell whether a file with this name should be an archive."""
    return name.lower().endswith(SUFFIXES)


def look_into_archive(file: File, name: str, listing: Listing) -> None:
    """Add the photos of an archive to `listing`, as `name` and a slash and what they have there.

    Of an archive that is damaged what comes before the damage is used, and the rest is a fault.
    """
    if file.path in listing.archives:
        listing.faults[name] = "an archive that is named twice"
        return
    listing.archives[file.path] = name
    try:
        with open_file(file.path) as opened:
            if opened.read(8).startswith(_COMPRESSED):
                raise PhotoError(
                    "a compressed archive, in which no photo can be sought: decompress it to a .tar"
                )
            opened.seek(0)
            _Members(file, name, listing).find(_Bounded(opened))
    except OSError as error:
        listing.faults[name] = f"cannot be read: {error.strerror}"
    except PhotoError as error:
        listing.faults[name] = str(error)


class _Bounded:
    """The file of an archive, of which no more than _LARGEST_READ bytes are read at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LARGEST_READ:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._file.read(size)


class _Members:
    """Goes through the members of one archive."""

    def __init__(self, file: File, name: str, listing: Listing) -> None:
        self._file, self._name, self._listing = file, name, listing
        self._beside: dict[str, About] = {}
        self._found: list[str] = []
        self._hidden: list[str] = []
        self._unclear: list[str] = []

    def find(self, source: _Bounded) -> None:
        """Add all photos, and what stands beside them, to the listing; raises PhotoError."""
        try:
            self._walk(source)
        finally:
            for name in self._found:
                if (about := self._of(name)) != NOTHING:
                    self._listing.about[name] = about
            if self._hidden:
                self._listing.remarks.append(
                    f"passed over, because hidden: {some(sorted(self._hidden))}"
                )
            if self._unclear:
                self._listing.remarks.append(
                    f"what stands beside photos is not understood: {first_faults(self._unclear)}"
                )

    def _walk(self, source: _Bounded) -> None:
        place = 0
        try:
            archive = tarfile.TarFile(
                fileobj=source,  # type: ignore[arg-type]
                encoding="utf-8",
                errors="surrogateescape",
            )
            while (member := archive.next()) is not None:
                # Or all of them would stay in memory.
                archive.members.clear()  # type: ignore[attr-defined]
                if member.size < 0 or archive.offset <= place:
                    raise tarfile.ReadError("a member of negative size")
                place = archive.offset
                self._take(member, source)
            place = archive.offset
        # On damaged headers tarfile raises almost anything, RecursionError included.
        except Exception as error:
            if isinstance(error, MemoryError):
                raise
            raise _damaged(place, one_line(error)) from None
        # To tarfile, a header that makes no sense is the end like any other.
        source.seek(place)
        end = source.read(len(_END))
        if not end:
            raise _damaged(place, "the mark of its end is missing")
        if end != _END:
            raise _damaged(place, "no header of a member")
        if source.read(_LARGEST_READ).strip(b"\0"):
            raise PhotoError(
                f"something follows its end at byte {place}, as in archives that were joined: what "
                "comes before is used"
            )

    def _take(self, member: tarfile.TarInfo, source: _Bounded) -> None:
        parts = [part for part in member.name.split("/") if part not in ("", ".")]
        inside = "/".join(parts)
        name = f"{self._name}/{inside}"
        stem, dot, suffix = inside.rpartition(".")
        picture = named_like_a_picture(inside)
        beside = dot and suffix.lower() in {"cls", "json"}
        if not picture and not beside:
            return
        if any(part.startswith(".") and part != ".." for part in parts):
            self._hidden.append(name)
        elif beside:
            if member.isreg() and not member.issparse():
                self._read_beside(member, stem, suffix.lower(), source)
        elif fault := self._fault(member, parts):
            self._listing.faults[name] = fault
        else:
            file = self._file
            item = Item(name, file.path, member.offset_data, member.size, file.modified, None)
            if self._listing.add(item):
                self._found.append(name)

    def _fault(self, member: tarfile.TarInfo, parts: list[str]) -> str:
        """Return why a member cannot be used, or an empty text."""
        if member.name.startswith("/") or ".." in parts or "\0" in member.name:
            return "its path leads out of the archive: pack it with a relative path"
        if not member.isreg():
            return why_not(_KINDS.get(member.type, 0))
        if member.issparse():
            return "stored with holes: pack it without --sparse"
        if member.offset_data + member.size > self._file.size:
            return "cut short: the archive ends before it does"
        return ""

    def _read_beside(
        self, member: tarfile.TarInfo, stem: str, suffix: str, source: _Bounded
    ) -> None:
        source.seek(member.offset_data)
        try:
            if member.size > _LARGEST_READ:
                raise ValueError(f"{member.size} bytes are too many")
            about = (_class if suffix == "cls" else _described)(source.read(member.size))
        except (ValueError, RecursionError) as error:
            self._unclear.append(f"{self._name}/{stem}.{suffix}: {one_line(error)}")
            return
        earlier = self._beside.get(stem, NOTHING)
        self._beside[stem] = about.over(earlier) if suffix == "cls" else earlier.over(about)

    def _of(self, name: str) -> About:
        """Return what stands beside a photo: 12.left.jpg has 12.left.cls, or else 12.cls."""
        path = PurePosixPath(name.removeprefix(self._name + "/"))
        while path.suffix:
            path = path.with_suffix("")
            if about := self._beside.get(str(path)):
                return about
        return NOTHING


def _damaged(place: int, why: str) -> PhotoError:
    return PhotoError(f"damaged at byte {place} ({why}): what comes before is used")


def _class(data: bytes) -> About:
    """Return what a .cls file says; raises ValueError."""
    return About(label=_label(data.decode().strip()))


def _described(data: bytes) -> About:
    """Return what a .json file says; raises ValueError."""
    given: Any = msgspec.json.decode(data)
    if not isinstance(given, dict):
        raise ValueError("expected an object")
    author, licence = (_text(given.get(key) or "", key) for key in ("author", "licence"))
    return About(_label(given.get("class", given.get("label"))), author, licence)


def _label(given: Any) -> str:
    if given is None:
        return ""
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    return sys.intern(_text(given, "class"))


def _text(given: Any, what: str) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{what} is {str(given)[:40]!r}, expected a text")
    return sys.intern(" ".join(artifacts.printable(given).split()))


_kept: tuple[str, BinaryIO] | None = None
"""The archive that this process read last: photos of one archive come one after another."""


def read_member(item: Item, limits: Limits) -> bytes:
    """Return the bytes of a photo in an archive; raises PhotoError."""
    global _kept
    limits.check("bytes", item.size, f"{item.size / 1e6:.0f} MB")
    with as_photo_error():
        if _kept is None or _kept[0] != item.path or not _is_there(item.path, _kept[1]):
            if _kept is not None:
                _kept[1].close()
                _kept = None
            _kept = item.path, open_file(item.path)
        file = _kept[1]
        assert item.offset is not None
        file.seek(item.offset)
        data = file.read(item.size)
        status = os.fstat(file.fileno())
    if status.st_mtime_ns != item.modified or len(data) != item.size:
        raise PhotoError("its archive was changed since the photos were listed: start again")
    return data


def _is_there(path: str, file: BinaryIO) -> bool:
    """Tell whether what was opened is still what lies at `path`."""
    return os.path.samestat(os.lstat(path), os.fstat(file.fileno()))
