"""What would take the machine away is refused before it is decoded, and says how to allow it."""

import io
import os
import resource
import struct
from zlib import compress, crc32

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin
from small_gallery import progressive

from precompute.decode import decode
from precompute.errors import PhotoError, PrecomputeError
from precompute.limits import DEFAULT, Limits, parse_limits, readable


def encoded(picture, format_, **how):
    file = io.BytesIO()
    picture.save(file, format_, **how)
    return file.getvalue()


def png(width, height):
    """A PNG that says it is so large; its pixels are missing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"IDAT" + compress(b"\0")
    chunks = (
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", crc32(c)) for c in (header, data)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def webp(width, height):
    """36 bytes that say they are so large."""
    bits = (width - 1) | (height - 1) << 14
    chunk = b"\x2f" + struct.pack("<I", bits) + bytes(9)
    body = b"WEBPVP8L" + struct.pack("<I", len(chunk)) + chunk
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif(width, height):
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2\2D\1\0;"


@pytest.fixture
def undecoded(monkeypatch):
    """Fail where pixels are decoded."""

    def load(*_):
        raise AssertionError("pixels are decoded")

    Image.init()  # some plugins make pictures as they are imported
    for module in (Image.Image, ImageFile.ImageFile):
        monkeypatch.setattr(module, "load", load)


BOMBS = {
    "webp of 36 bytes": (webp(13000, 13000), "13000×13000 pixels; the limit of pixels is 120M: "),
    "gif of 43 bytes": (gif(65535, 65535), "too many pixels; the limit of pixels is 120M: "),
    "png": (png(11000, 11000), "11000×11000 pixels; the limit of pixels is 120M: "),
    "line": (png(1, 20_000), "1×20000 pixels; the limit of aspect is 100: "),
    "long line": (png(2, 40_000_000), "2×40000000 pixels; the limit of aspect is 100: "),
    "scans": (progressive(2500), "a JPEG with 2500 scans; the limit of scans is 100: "),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_they_are_decoded(undecoded, name):
    data, message = BOMBS[name]
    assert len(data) < 200_000
    with pytest.raises(PhotoError) as error:
        decode(data)
    limit = message.split()[-3]
    assert str(error.value) == f"{message}raise it with LIMITS={limit}=…"


def test_what_is_just_within_the_limits_is_decoded():
    limits = Limits(pixels=3072, aspect=2, scans=30, frames=2)
    assert decode(progressive(30), limits).size == (64, 48)
    with pytest.raises(PhotoError, match="31 scans"):
        decode(progressive(31), limits)
    with pytest.raises(PhotoError, match="64×49 pixels"):
        decode(progressive(30, (64, 49)), limits)
    frames = [Image.new("L", (8, 8), level) for level in (1, 2, 3)]
    two, three = (
        encoded(frames[0], "GIF", save_all=True, append_images=frames[1:n]) for n in (2, 3)
    )
    assert decode(two, limits).size == (8, 8)
    told = r"^3 frames or more; the limit of frames is 2: raise it with"
    with pytest.raises(PhotoError, match=told):
        decode(three, limits)
    pages = [encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:n]) for n in (2, 3)]
    assert np.asarray(decode(pages[0], limits)).max() == 1  # the first page
    with pytest.raises(PhotoError, match=told):
        decode(pages[1], limits)


def test_only_as_many_pages_are_read_as_may_be(monkeypatch):
    page = Image.new("L", (1, 1))
    data = encoded(page, "TIFF", save_all=True, append_images=[page] * 50)
    read = []
    seek = TiffImagePlugin.TiffImageFile._seek
    monkeypatch.setattr(
        TiffImagePlugin.TiffImageFile, "_seek", lambda self, n: (read.append(n), seek(self, n))[1]
    )
    with pytest.raises(PhotoError, match="6 frames or more"):
        decode(data, Limits(frames=5))
    assert max(read) <= 5


def test_exif_of_many_segments_is_refused():
    data = encoded(Image.new("L", (8, 8)), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", 60_002) + b"Exif\0\0" + bytes(59_994)
    assert decode(data[:2] + segment * 20 + data[2:]).size == (8, 8)
    with pytest.raises(PhotoError, match=r"^12 MB of EXIF; the limit of metadata is 10M: raise it"):
        decode(data[:2] + segment * 200 + data[2:])


def test_scans_are_counted_in_the_picture_and_not_in_what_is_beside_it():
    thumbnail = encoded(Image.new("L", (8, 8)), "JPEG", progressive=True)
    picture = Image.new("RGB", (8, 8))
    beside = encoded(picture, "JPEG", comment=thumbnail * 40)
    after = encoded(picture, "JPEG") + thumbnail * 4000
    for data in (beside, after):
        assert data.count(b"\xff\xda") > 40
        assert decode(data, Limits(scans=1)).size == (8, 8)


def test_a_jpeg_of_nothing_but_segments_is_refused():
    data = encoded(Image.new("L", (8, 8)), "JPEG")
    empty = b"\xff\xfe\0\2"
    assert decode(data[:2] + empty * 9000 + data[2:]).size == (8, 8)
    with pytest.raises(PhotoError, match=r"^damaged \(more than 10000 segments\)$"):
        decode(data[:2] + empty * 11_000 + data[2:])


def test_text_that_unpacks_to_too_much_is_refused():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a" * 5000, zip=True)
    data = encoded(Image.new("L", (8, 8)), "PNG", pnginfo=text)
    assert decode(data, Limits(metadata=6000)).size == (8, 8)
    with pytest.raises(
        PhotoError, match=r"^too much text in it; the limit of metadata is 4k: raise it"
    ):
        decode(data, Limits(metadata=4000))


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is limited on Linux")
def test_memory_is_limited_while_decoding_and_only_then():
    data = encoded(Image.new("RGB", (6000, 6000)), "PNG")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(
        PhotoError, match=r"^decoding takes too much memory; the limit of memory is 50M"
    ):
        decode(data, Limits(memory=50_000_000))
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert decode(data).size == (6000, 6000)


def test_limits_are_read():
    assert parse_limits("") == DEFAULT
    assert parse_limits("pixels=1.5G, seconds=5\nmetadata=2k") == Limits(
        pixels=1_500_000_000, seconds=5, metadata=2000
    )
    for amount in vars(DEFAULT).values():
        assert parse_limits(f"bytes={readable(amount)}").bytes == amount


def test_every_fault_of_limits_is_told_at_once():
    with pytest.raises(PrecomputeError) as error:
        parse_limits("pixel=5 seconds=-1 memory=2GB scans frames=0")
    prefix, _, faults = str(error.value).partition(": ")
    assert prefix == "limits"
    expected = "expected a number of at least 1, such as 50 or 2G"
    assert faults.split("; ") == [
        f"'pixel' is no limit: there are {', '.join(vars(DEFAULT))}",
        f"seconds is '-1': {expected}",
        f"memory is '2GB': {expected}",
        f"scans is '': {expected}",
        f"frames is '0': {expected}",
    ]
