"""Decode a picture into the pixels that a person would see: upright, on white, 8 bits, RGB."""

import errno
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from precompute.errors import PhotoError

# "JPEG" reads MPO too; naming "MPO" makes Pillow raise KeyError for every other format.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
LARGEST_FILE = 100_000_000
"""Bytes."""
LARGEST_PICTURE = 120_000_000
"""Pixels."""

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_NOT_PICTURES = (
    (b"version https://git-lfs", "a Git LFS pointer, not the picture: run git lfs pull"),
    (b"<!doctype html", "a web page, not a picture: download the picture itself"),
    (b"<html", "a web page, not a picture: download the picture itself"),
    (b"%!ps", "PostScript, which is not read: convert it to PNG"),
    (b"8bps", "a Photoshop document, which is not read: convert it to PNG"),
)


def decode(path: Path) -> Image.Image:
    """Return the picture at `path` as an RGB image without metadata.

    EXIF orientation is applied, transparency is put over white, 16 bits are scaled to 8, of an
    animation the first frame is taken. The format is told from the content, not from the name.
    Raises PhotoError with the cause; OSError where the disk is at fault.
    """
    size = path.stat().st_size
    if size == 0:
        raise PhotoError("empty file")
    if size > LARGEST_FILE:
        raise PhotoError(f"{size / 1e6:.0f} MB; the limit is {LARGEST_FILE / 1e6:.0f} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > LARGEST_PICTURE:
                    raise PhotoError(
                        f"{image.width}×{image.height} pixels; the limit is "
                        f"{LARGEST_PICTURE / 1e6:.0f} million: make it smaller"
                    )
                image.load()
                return _to_rgb(_upright(image))
    except UnidentifiedImageError:
        raise PhotoError(_what_it_is(path)) from None
    except Image.DecompressionBombError:
        raise PhotoError(
            f"more than {LARGEST_PICTURE / 1e6:.0f} million pixels, the limit: make it smaller"
        ) from None
    except PhotoError:
        raise
    except OSError as error:
        if error.errno is not None and error.errno != errno.EINVAL:
            raise
        raise PhotoError(f"cut short or damaged ({error})") from None
    # Pillow's decoders raise all of these on damaged files, and say so in their handbook.
    except Exception as error:
        raise PhotoError(f"damaged ({type(error).__name__}: {error})") from None


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # unreadable EXIF says nothing about the pixels
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        levels = np.asarray(image).astype(np.float64)
        if levels.min() < 0 or levels.max() > 65535:
            raise PhotoError("grey values beyond 16 bits: save it as 8-bit or 16-bit PNG")
        return Image.fromarray(np.rint(levels / 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise PhotoError("floating-point pixels of unknown range: save it as 8-bit or 16-bit PNG")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    picture = image.convert("RGB")
    picture.info = {}
    return picture


def _what_it_is(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] == b"ftyp":
        return "HEIC or AVIF, which is not read: convert it to JPEG"
    for start, what in _NOT_PICTURES:
        if head.lower().startswith(start):
            return what
    return f"not a picture: expected {', '.join(FORMATS)}"
