"""Decode a picture into the pixels that a person would see: upright, on white, 8 bits, RGB."""

import errno
import io
import os
import re
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from precompute.errors import PhotoError, one_line
from precompute.limits import DEFAULT, Limits

# "JPEG" reads MPO too; naming "MPO" makes Pillow raise KeyError for every other format.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

Image.init()  # imports Pillow's plugins now, rather than where memory is limited

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_TO_EIGHT_BITS = np.rint(np.arange(65536) / 257).astype(np.uint8)
_NEW_SUBFILE_TYPE = 254
_REDUCED = 1
_NOT_PICTURES = (
    (b"version https://git-lfs", "a Git LFS pointer, not the picture: run git lfs pull"),
    (b"<!doctype html", "a web page, not a picture: download the picture itself"),
    (b"<html", "a web page, not a picture: download the picture itself"),
    (b"<svg", "an SVG drawing, which is not read: convert it to PNG"),
    (b"<?xml", "an SVG drawing or other XML, which is not read: convert it to PNG"),
    (b"%!ps", "PostScript, which is not read: convert it to PNG"),
    (b"%pdf", "a PDF, which is not read: convert it to PNG"),
    (b"8bps", "a Photoshop document, which is not read: convert it to PNG"),
    (b"\xff\x0a", "JPEG XL, which is not read: convert it to JPEG"),
    (b"\0\0\0\x0cjxl ", "JPEG XL, which is not read: convert it to JPEG"),
    (b"\0\0\0\x0cjp  ", "JPEG 2000, which is not read: convert it to JPEG"),
    (b"pk\x03\x04", "a ZIP archive: unpack it"),
)
# A marker of a JPEG that begins a segment with a length; restarts, fill bytes and escaped bytes in
# the coded data are none.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_MOST_SEGMENTS = 10_000
_SCAN, _END = b"\xff\xda", b"\xff\xd9"


def open_picture(path: Path, limits: Limits = DEFAULT) -> Image.Image:
    """Return the picture in the file at `path`, as read() and decode() do."""
    return decode(read(path, limits), limits)


def read(path: Path, limits: Limits = DEFAULT) -> bytes:
    """Return the content of a regular file.

    Raises PhotoError if there is none any more, if it cannot be read or is larger than the limit.
    """
    with as_photo_error(), open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        limits.check("bytes", size, f"{size / 1e6:.0f} MB")
        return file.read(limits.bytes)


def open_file(path: Path | str) -> BinaryIO:
    """Open a regular file; raises PhotoError or OSError."""
    # A link or a pipe may have taken the place of the file; opening must neither follow nor wait.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise PhotoError("not a regular file any more")
    return file


@contextmanager
def as_photo_error() -> Iterator[None]:
    """Turn errors of the system that are the file's own fault into PhotoError."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}:
            raise  # the machine is at fault, not the file
        raise PhotoError(f"cannot be read: {error.strerror}") from None


def decode(data: bytes, limits: Limits = DEFAULT) -> Image.Image:
    """Return the picture in the file content `data` as an RGB image without metadata.

    EXIF orientation is applied, transparency is put over white, 16 bits are scaled to 8, of an
    animation the first frame is taken. The format is told from the content. Raises PhotoError with
    the cause.
    """
    if not data:
        raise PhotoError("empty file")
    scans, exif = _segments(data)
    limits.check("scans", scans, f"a JPEG with {scans} scans")
    limits.check("metadata", exif, f"{exif / 1e6:.0f} MB of EXIF")
    Image.MAX_IMAGE_PIXELS = limits.pixels
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = limits.metadata
    try:
        with warnings.catch_warnings(), _memory(limits.memory):
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check(image, limits)
                image.load()
                return _to_rgb(_upright(image))
    except UnidentifiedImageError:
        raise PhotoError(_what_it_is(data)) from None
    except Image.DecompressionBombError:
        raise limits.exceeded("pixels", "too many pixels") from None
    except MemoryError:
        raise limits.exceeded("memory", "decoding takes too much memory") from None
    except PhotoError:
        raise
    except OSError as error:
        raise PhotoError(f"cut short or damaged ({one_line(error)})") from None
    # Pillow's decoders raise all of these on damaged files, and say so in their handbook.
    except Exception as error:
        if "MAX_TEXT" in str(error):
            raise limits.exceeded("metadata", "too much text in it") from None
        raise PhotoError(f"damaged ({type(error).__name__}: {one_line(error)})") from None


def _check(image: Image.Image, limits: Limits) -> None:
    """Raise PhotoError if a picture that was opened but not decoded is beyond a limit."""
    width, height = image.size
    size = f"{width}×{height} pixels"
    limits.check("pixels", width * height, size)
    limits.check("aspect", max(width, height) / min(width, height), size)
    frames = _frames(image, limits.frames)
    limits.check("frames", frames, f"{frames} frames or more")
    if image.format == "TIFF" and int(image.getexif().get(_NEW_SUBFILE_TYPE, 0)) & _REDUCED:
        raise PhotoError(
            "begins with a thumbnail, as raw files of cameras do, which are not read: convert it to "
            "JPEG"
        )


def _frames(image: Image.Image, most: int) -> int:
    """Return how many frames or pages there are, of a TIFF up to `most` + 1: to count its pages is
    to read them all, half a minute for 100,000.
    """
    if image.format != "TIFF":
        return getattr(image, "n_frames", 1)
    try:
        image.seek(most)
    except EOFError:
        return image.tell() + 1
    else:
        return most + 1
    finally:
        image.seek(0)


def _segments(data: bytes) -> tuple[int, int]:
    """Return how many scans a JPEG has, and how many bytes of EXIF; zeros for anything else.

    Raises PhotoError for more segments than any camera writes.
    """
    if not data.startswith(b"\xff\xd8"):
        return 0, 0
    segments, scans, exif, place = 0, 0, 0, 2
    while (marker := _MARKER.search(data, place)) and marker.group() != _END:
        segments += marker.group() != _SCAN
        if segments > _MOST_SEGMENTS:
            raise PhotoError(f"damaged (more than {_MOST_SEGMENTS} segments)")
        length = int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        scans += marker.group() == _SCAN
        exif += length * data.startswith(b"Exif\0", marker.end() + 2)
        place = marker.end() + length
    return scans, exif


@contextmanager
def _memory(most: int) -> Iterator[None]:
    """Let this process take at most `most` bytes more, where the system can see to that."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = pages * resource.getpagesize() + most
    lower = wanted if soft == resource.RLIM_INFINITY else min(soft, wanted)
    resource.setrlimit(resource.RLIMIT_AS, (lower, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except MemoryError:
        raise
    except Exception:  # unreadable EXIF says nothing about the pixels
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > 65535:
            raise PhotoError("grey values beyond 16 bits: save it as 8-bit or 16-bit PNG")
        grey = _TO_EIGHT_BITS[levels]
        if isinstance(transparent := image.info.get("transparency"), int):
            grey[levels == transparent] = 255
        return Image.fromarray(grey).convert("RGB")
    if image.mode == "F":
        raise PhotoError("floating-point pixels of unknown range: save it as 8-bit or 16-bit PNG")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    picture = image.convert("RGB")
    picture.info = {}
    return picture


def _what_it_is(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "HEIC or AVIF, which is not read: convert it to JPEG"
    head = data[:64].lower().removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, what in _NOT_PICTURES:
        if head.startswith(start):
            return what
    return f"not a picture: expected {', '.join(FORMATS)}"
