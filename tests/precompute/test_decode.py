"""Every kind of picture becomes what a person would see, or one line that says why not."""

import io
import os
import struct
from zlib import compress, crc32

import numpy as np
import pytest
from PIL import Image

from precompute.decode import open_picture
from precompute.errors import PhotoError

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
ORIENTATION = 0x0112


@pytest.fixture
def kept(tmp_path):
    """Save a picture (or bytes) to a file; return its path."""

    def kept(content, name="picture.png", **how):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.save(path, **how)
        return path

    return kept


@pytest.fixture
def seen(kept):
    """Save a picture and decode it; return its pixels as rows of colours."""

    def seen(content, name="picture.png", **how):
        picture = open_picture(kept(content, name, **how))
        assert picture.mode == "RGB"
        return [[tuple(pixel) for pixel in row] for row in np.asarray(picture).tolist()]

    return seen


def corner(exif_orientation):
    """A 3 × 2 picture that, shown with `exif_orientation`, has red top left and green top right."""
    upright = np.zeros((2, 3, 3), np.uint8)
    upright[0, 0], upright[0, 2] = RED, GREEN
    stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[exif_orientation](upright)
    return Image.fromarray(np.ascontiguousarray(stored)), upright


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(kept, orientation):
    stored, upright = corner(orientation)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = kept(stored, "a.png", exif=exif)
    assert np.array_equal(np.asarray(open_picture(path)), upright)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_senseless_orientation_is_ignored(kept, orientation):
    stored, upright = corner(1)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert np.array_equal(np.asarray(open_picture(kept(stored, exif=exif))), upright)


def test_unreadable_exif_is_ignored(kept):
    stored, upright = corner(1)
    path = kept(stored, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert np.array_equal(np.asarray(open_picture(path)), upright)


def test_transparency_is_put_on_white(seen):
    half = Image.new("RGBA", (1, 1), (255, 0, 0, 51))
    assert seen(half) == [[(255, 204, 204)]]
    assert seen(Image.new("RGBA", (1, 1), (1, 2, 3, 0))) == [[WHITE]]
    assert seen(Image.new("LA", (1, 1), (0, 51))) == [[(204, 204, 204)]]


def test_transparent_colours_of_palettes_and_grey_are_put_on_white(seen):
    palette = Image.new("P", (2, 1))
    palette.putpalette([*RED, *BLUE])
    palette.putpixel((1, 0), 1)
    assert seen(palette, transparency=0) == [[WHITE, BLUE]]
    grey = Image.new("L", (2, 1), 7)
    grey.putpixel((1, 0), 9)
    assert seen(grey, transparency=7) == [[WHITE, (9, 9, 9)]]


def test_sixteen_bits_are_scaled_to_eight(seen):
    levels = np.array([[0, 128, 129, 32768, 65278, 65535]], np.uint16)
    greys = [0, 0, 1, 128, 254, 255]
    for name in ("a.png", "a.tif"):
        assert seen(Image.fromarray(levels), name) == [[(grey,) * 3 for grey in greys]]


@pytest.mark.parametrize(
    ("picture", "name", "expected"),
    [
        (Image.new("L", (1, 1), 77), "a.png", (77, 77, 77)),
        (Image.new("1", (1, 1), 1), "a.png", WHITE),
        (Image.new("RGB", (1, 1), BLUE), "a.bmp", BLUE),
        (Image.new("RGB", (1, 1), BLUE), "a.webp", BLUE),
        (Image.new("CMYK", (1, 1), (0, 255, 255, 0)), "a.tif", RED),
        (Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "a.jpg", (0, 0, 0)),
    ],
)
def test_modes_and_formats(seen, picture, name, expected):
    how = {"lossless": True} if name.endswith("webp") else {}
    assert seen(picture, name, **how)[0][0] == expected


def test_sixteen_bits_with_a_transparent_level_are_put_on_white(kept):
    levels = Image.fromarray(np.array([[0, 300, 65535]], np.uint16))
    path = kept(levels, transparency=300)
    assert np.asarray(open_picture(path))[0, :, 0].tolist() == [0, 255, 255]


def test_sixteen_bits_of_colour_are_within_one_level(kept):
    """Pillow reads only the high byte of such colours; this tells if that changes."""
    values = [0, 0x00FF, 0x7F80, 0x80FF, 0xFFFF]
    row = b"".join(struct.pack(">HHH", v, 0, v) for v in values)
    found = np.asarray(open_picture(kept(png(len(values), 1, 16, 2, b"\0" + row))))[0, :, 0]
    assert np.abs(found - np.array(values) / 257).max() <= 1


def test_grey_and_alpha_of_sixteen_bits_are_put_on_white(kept):
    rows = b"\0" + struct.pack(">HHHH", 0, 0, 0, 0xFFFF)
    path = kept(png(2, 1, 16, 4, rows))
    assert np.asarray(open_picture(path))[0].tolist() == [list(WHITE), [0, 0, 0]]


def png(width, height, depth, colour, rows):
    """A PNG of given bit depth and colour type."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


def test_of_an_animation_the_first_frame_is_taken(seen):
    first, second = (Image.new("RGB", (2, 1), colour) for colour in (GREEN, RED))
    how = {"save_all": True, "append_images": [second], "duration": 50}
    assert seen(first, "a.gif", **how) == [[GREEN, GREEN]]


def test_the_content_tells_the_format_not_the_name(seen):
    assert seen(Image.new("RGB", (1, 1), BLUE), "a.jpg", format="PNG") == [[BLUE]]


def encoded(format_, size=(64, 64)):
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(pixels).save(file, format_)
    return file.getvalue()


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_picture_cut_short_is_damaged(kept, format_, share):
    data = encoded(format_)
    with pytest.raises(PhotoError, match=r"^(cut short or damaged|damaged) \("):
        open_picture(kept(data[: int(len(data) * share)]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"Dear diary", "not a picture: expected JPEG, PNG, WEBP, GIF, BMP, TIFF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC or AVIF, which is not read: convert it to JPEG"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "a Git LFS pointer, not the picture: run git lfs pull",
        ),
        (
            b"<!DOCTYPE html><title>404</title>",
            "a web page, not a picture: download the picture itself",
        ),
        (
            b'\xef\xbb\xbf<?xml version="1.0"?><svg/>',
            "an SVG drawing or other XML, which is not read: convert it to PNG",
        ),
        (b"%PDF-1.7", "a PDF, which is not read: convert it to PNG"),
        (b"\xff\x0a\0", "JPEG XL, which is not read: convert it to JPEG"),
        (b"<html lang=en>", "a web page, not a picture: download the picture itself"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript, which is not read: convert it to PNG"),
        (
            b"8BPS\0\1" + b"\0" * 40,
            "a Photoshop document, which is not read: convert it to PNG",
        ),
    ],
)
def test_what_is_no_picture_is_told_by_what_it_is(kept, content, message):
    with pytest.raises(PhotoError) as error:
        open_picture(kept(content, "a.jpg"))
    assert str(error.value) == message


def test_floating_point_and_wide_integers_are_refused(kept):
    with pytest.raises(PhotoError, match=r"^floating-point pixels of unknown range: save it as"):
        open_picture(kept(Image.new("F", (2, 2), 0.5), "a.tif"))
    with pytest.raises(PhotoError, match=r"^grey values beyond 16 bits: save it as"):
        open_picture(kept(Image.fromarray(np.array([[70_000]], np.int32)), "a.tif"))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_a_decoded_picture_has_no_metadata(kept, mode):
    exif = Image.Exif()
    exif[0x010E] = "secret"
    how = {"exif": exif, "dpi": (72, 72), "icc_profile": b"secret profile"}
    picture = open_picture(kept(Image.new("RGB", (4, 4)).convert(mode), **how))
    assert picture.info == {}
    file = io.BytesIO()
    picture.save(file, "JPEG")
    assert b"secret" not in file.getvalue()
    assert not Image.open(file).getexif()


def test_a_raw_file_is_not_taken_for_its_thumbnail(kept):
    thumbnail = kept(Image.new("RGB", (4, 4)), "a.tif", tiffinfo={254: 1})
    with pytest.raises(PhotoError, match=r"^begins with a thumbnail, as raw files of cameras do"):
        open_picture(thumbnail)
    assert open_picture(kept(Image.new("RGB", (4, 4)), "b.tif", tiffinfo={254: 0})).size == (4, 4)


def test_what_cannot_be_opened_is_told(tmp_path):
    picture = Image.new("RGB", (4, 4))
    picture.save(tmp_path / "there.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "there.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("link.png", "pipe.png", "folder.png", "gone.png"):
        with pytest.raises(PhotoError, match=r"^(cannot be read: |not a regular file any more$)"):
            open_picture(tmp_path / name)
