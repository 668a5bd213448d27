"""Pictures that nobody made: damaged, lying and greedy files, the same ones for the same seed. Pure."""

import io
import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from PIL import Image

Mutation = Callable[[bytes, random.Random], bytes]

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_HUGE = (0, 1, 255, 4096, 13_000, 20_000, 32_768, 65_500, 65_535, 2**24, 2**31 - 1, 2**32 - 1)
_MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"),
    "WEBP": ("L", "RGB", "RGBA"),
    "GIF": ("1", "L", "P", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I;16B", "I", "F"),
}
_VARIANTS: dict[str, tuple[dict[str, object], ...]] = {
    "JPEG": ({}, {"progressive": True}, {"subsampling": 0, "restart_marker_blocks": 1}),
    "PNG": ({}, {"compress_level": 0}),
    "WEBP": ({}, {"lossless": True}),
    "GIF": ({}, {"interlace": 0}),
    "BMP": ({},),
    "TIFF": ({}, {"compression": "tiff_lzw"}, {"compression": "tiff_deflate"}),
}
_WIDTH, _HEIGHT = 37, 29


def seeds(examples: list[bytes]) -> list[bytes]:
    """Return whole pictures in every format and mode that is read, and the `examples`."""
    noise = np.random.default_rng(1).integers(0, 256, (_HEIGHT, _WIDTH, 4), np.uint8)
    picture = Image.fromarray(noise, "RGBA")
    found = [
        data
        for kind, modes in _MODES.items()
        for mode in modes
        for options in _VARIANTS[kind]
        if (data := _saved(picture, kind, mode, options))
    ]
    frames = [picture.convert("RGB").rotate(angle) for angle in (0, 90, 180)]
    for kind in ("GIF", "PNG", "WEBP", "TIFF", "MPO"):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        found.append(file.getvalue())
    return found + examples


def _saved(picture: Image.Image, kind: str, mode: str, options: dict[str, object]) -> bytes:
    file = io.BytesIO()
    about: dict[str, object] = {}
    # libtiff refuses the maker's note.
    if kind not in ("GIF", "BMP") and "compression" not in options:
        about = {"exif": _exif(), "icc_profile": bytes(128)}
    try:
        _in_mode(picture, mode).save(file, kind, **about, **options)
    except (OSError, ValueError):  # not every mode can be written in every format and way
        return b""
    return file.getvalue()


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    if mode in ("I;16", "I;16B"):
        levels = np.asarray(picture.convert("L")).astype(">u2" if mode[-1] == "B" else "<u2") * 257
        return Image.frombytes(mode, picture.size, levels.tobytes())
    if mode == "LAB":
        return Image.frombytes("LAB", picture.size, picture.convert("RGB").tobytes())
    return picture.convert("RGB").convert(mode) if mode != "RGBA" else picture


def _exif() -> bytes:
    found = Image.Exif()
    found[0x0112] = 6
    found[0x010E] = "x" * 40
    found.get_ifd(0x8769)[0x927C] = b"y" * 40
    return found.tobytes()


def bomb(position: int) -> tuple[str, bytes]:
    """Return the name and content of one of BOMBS."""
    name = list(BOMBS)[position]
    return name, BOMBS[name]()


def mutant(sources: list[bytes], seed: int, position: int) -> tuple[str, bytes]:
    """Return what was done to one or two of `sources`, and what came out."""
    # Not the sum of both: neighbours would be alike.
    chance = random.Random(f"{seed}/{position}")
    data = chance.choice(sources)
    done = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        name = chance.choice(list(_MUTATIONS))
        if name == "splice":
            data = _splice(data, chance.choice(sources), chance)
        else:
            data = _MUTATIONS[name](data, chance)
        done.append(name)
    return "+".join(done), data


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 32)) if data else 0):
        # Half of them near the beginning, where headers are.
        end = len(data) if chance.random() < 0.5 else min(len(data), 400)
        changed[chance.randrange(end)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _splice(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return _cut(data, chance) + other[chance.randrange(len(other) + 1) :]


def _insert(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.randbytes(chance.choice((1, 4, 100, 3000))) + data[place:]


def _remove(data: bytes, chance: random.Random) -> bytes:
    first, last = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[min(last, first + 300) :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    first, last = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:last] + data[first:last] * chance.choice((1, 2, 20)) + data[last:]


def _resize(data: bytes, chance: random.Random) -> bytes:
    """Write another number wherever one says how large the seeds made here are."""
    forms = [struct.pack(code, side) for side in (_WIDTH, _HEIGHT) for code in ("<H", ">H", "<I")]
    pattern = b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    wanted = chance.choice(_HUGE)

    def enlarge(match: re.Match[bytes]) -> bytes:
        size = len(match[0])
        order = "big" if match[0][0] == 0 else "little"
        return (wanted % 2 ** (8 * size)).to_bytes(size, order)  # type: ignore[arg-type]

    return _mended(re.sub(pattern, enlarge, data, count=chance.choice((1, 2, 4))))


def _exif_edit(data: bytes, chance: random.Random) -> bytes:
    """Change bytes of the EXIF or of any other directory of tags."""
    starts = [m.start() for m in re.finditer(rb"Exif\0\0|eXIf|EXIF|II\*\0|MM\0\*", data)]
    if not starts:
        return _flip(data, chance)
    changed, start = bytearray(data), chance.choice(starts)
    for _ in range(chance.choice((1, 3, 10))):
        place = start + 4 + chance.randrange(120)
        if place < len(changed):
            changed[place] = chance.choice((0, 1, 2, 7, 8, 127, 128, 255))
    return _mended(bytes(changed))


def _parts(data: bytes, chance: random.Random) -> bytes:
    """Drop, double, move, change or swell a chunk of a PNG, a segment of a JPEG or a RIFF's chunk."""
    if data.startswith(PNG_HEAD):
        head, parts, join = PNG_HEAD, list(png_chunks(data)), png
    elif data.startswith(b"\xff\xd8"):
        head, parts, join = b"\xff\xd8", list(_segments(data)), b"".join
    elif data[8:12] == b"WEBP":
        head, parts, join = data[:12], list(_riff_chunks(data)), b"".join
    else:
        return _repeat(data, chance)
    if not parts:
        return data
    place = chance.randrange(len(parts))
    match chance.randrange(5):
        case 0:
            del parts[place]
        case 1:
            parts[place:place] = [parts[place]] * chance.choice((1, 3, 200))
        case 2:
            parts.insert(chance.randrange(len(parts)), parts.pop(place))
        case 3:
            parts[place] = _changed(parts[place], partial(_flip, chance=chance))
        case 4:
            parts[place] = _changed(parts[place], lambda old: old + bytes(chance.choice((1, 9999))))
    whole = join(parts)
    return whole if whole.startswith(head) else head + whole


def _changed(part: bytes | tuple[bytes, bytes], change: Callable[[bytes], bytes]) -> object:
    return (part[0], change(part[1])) if isinstance(part, tuple) else change(part)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and content of each chunk of a PNG, as far as it goes."""
    place = len(PNG_HEAD)
    while place + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        yield kind, data[place + 8 : place + 8 + length]
        place += 12 + length


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return a PNG of these chunks, with checksums that are right."""
    return PNG_HEAD + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def _mended(data: bytes) -> bytes:
    """Return a PNG with checksums that are right, so that a lie in it is believed."""
    return png(list(png_chunks(data))) if data.startswith(PNG_HEAD) else data


def _segments(data: bytes) -> Iterator[bytes]:
    """Yield the segments of a JPEG, and as the last one everything from the first scan on."""
    place = 2
    while place + 4 <= len(data) and data[place + 1] != 0xDA:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        yield data[place : place + 2 + length]
        place += 2 + length
    yield data[place:]


def _riff_chunks(data: bytes) -> Iterator[bytes]:
    place = 12
    while place + 8 <= len(data):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        yield data[place : place + 8 + length + length % 2]
        place += 8 + length + length % 2


_MUTATIONS: dict[str, Mutation] = {
    "flip": _flip,
    "cut": _cut,
    "splice": _flip,  # takes two
    "insert": _insert,
    "remove": _remove,
    "repeat": _repeat,
    "resize": _resize,
    "exif": _exif_edit,
    "parts": _parts,
}


def _swollen_png(*chunks: tuple[bytes, bytes], pixels: bytes = zlib.compress(bytes(200))) -> bytes:
    """Return a PNG of 8×8 pixels with more `chunks` in front of its `pixels`."""
    return png([(b"IHDR", _ihdr(8, 8)), *chunks, (b"IDAT", pixels), (b"IEND", b"")])


def _swollen_jpeg(extra: bytes) -> bytes:
    small = _jpeg_saying(16, 16)
    return small[:2] + extra + small[2:]


BOMBS: dict[str, Callable[[], bytes]] = {
    "webp-13000x13000": lambda: _webp(13_000, 13_000),
    "webp-10900x10900": lambda: _webp(10_900, 10_900),
    "webp-16383x16383": lambda: _webp(16_383, 16_383),
    "gif-65535x65535": lambda: _gif(65_535, 65_535),
    "gif-10900x10900": lambda: _gif(10_900, 10_900),
    "gif-200000-frames": lambda: _gif(1, 1, frames=200_000),
    "png-1x20000": lambda: _plain_png(1, 20_000),
    "png-2x40000000": lambda: _plain_png(2, 40_000_000),
    "png-10900x10900": lambda: _plain_png(10_900, 10_900),
    "png-0x0": lambda: _plain_png(0, 0),
    "png-2147483647x2147483647": lambda: _plain_png(2**31 - 1, 2**31 - 1, b""),
    "png-ztxt-80MB": lambda: _swollen_png((b"zTXt", b"Comment\0\0" + _zeros(80_000_000))),
    "png-ztxt-300-times": lambda: _swollen_png(
        *[(b"zTXt", b"Comment\0\0" + _zeros(900_000))] * 300
    ),
    "png-iccp-300MB": lambda: _swollen_png((b"iCCP", b"x\0\0" + _zeros(300_000_000))),
    "png-itxt-300MB": lambda: _swollen_png((b"iTXt", b"x\0\1\0\0\0" + _zeros(300_000_000))),
    "png-pixels-300MB": lambda: _swollen_png(pixels=_zeros(300_000_000)),
    "png-100000-chunks": lambda: _swollen_png(*[(b"tEXt", b"a\0b")] * 100_000),
    "apng-2147483647-frames": lambda: _swollen_png((b"acTL", struct.pack(">II", 2**31 - 1, 0))),
    "jpeg-2500-scans": lambda: _scans(2500),
    "jpeg-90-scans-2000x2000": lambda: _scans(90, 2000),
    "jpeg-65500x65500": lambda: _jpeg_saying(65_500, 65_500),
    "jpeg-10900x10900-cut": lambda: _jpeg_saying(10_900, 10_900),
    "jpeg-300-exif": lambda: _swollen_jpeg(
        (b"\xff\xe1\xff\xff" + b"Exif\0\0" + bytes(65_527)) * 300
    ),
    "jpeg-fill-bytes": lambda: _swollen_jpeg(b"\xff" * 2_000_000),
    "jpeg-1000000-segments": lambda: _swollen_jpeg(b"\xff\xe5\0\2" * 1_000_000),
    "mpo-65535-pictures": lambda: _mpo(65_535),
    "tiff-directory-to-itself": lambda: _tiff(8, 8, following=8),
    "tiff-60000x60000": lambda: _tiff(60_000, 60_000),
    "tiff-strip-beyond-the-end": lambda: _tiff(8, 8, offset=2**32 - 1),
    "tiff-count-4294967295": lambda: _tiff(8, 8, count=2**32 - 1),
    "tiff-12000-pages": lambda: _tiff_pages(12_000),
    "exif-directory-in-itself": lambda: _exif_loop(),
    "bmp-rle-30000x30000": lambda: _bmp(30_000, 30_000),
    "bmp-rle-10900x10900": lambda: _bmp(10_900, 10_900),
    "bmp-height--2147483648": lambda: _bmp(8, -(2**31)),
}
"""Small files that ask for much, by name; made when they are asked for."""


def _zeros(count: int) -> bytes:
    """Return `count` zeros as zlib packs them, without holding them all."""
    packer = zlib.compressobj(9)
    block = bytes(1_000_000)
    whole = [packer.compress(block) for _ in range(count // len(block))]
    return b"".join([*whole, packer.compress(block[: count % len(block)]), packer.flush()])


def _ihdr(width: int, height: int) -> bytes:
    return struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


def _plain_png(width: int, height: int, pixels: bytes | None = None) -> bytes:
    packed = _zeros(height * (1 + 3 * width)) if pixels is None else pixels
    return png([(b"IHDR", _ihdr(width, height)), (b"IDAT", packed), (b"IEND", b"")])


def _webp(width: int, height: int) -> bytes:
    """Return a lossless WebP of one colour; its few bytes say nothing of its size but two numbers."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "WEBP", lossless=True)
    data = bytearray(file.getvalue())
    place = data.index(b"VP8L") + 9
    bits = int.from_bytes(data[place : place + 4], "little") >> 28 << 28
    data[place : place + 4] = (bits | (height - 1) << 14 | (width - 1)).to_bytes(4, "little")
    return bytes(data)


def _gif(width: int, height: int, frames: int = 1) -> bytes:
    size = struct.pack("<HH", width, height)
    frame = b"\x2c\0\0\0\0" + size + b"\0\x02\x02\x44\x01\0"
    return b"GIF89a" + size + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + frame * frames + b"\x3b"


def _scans(count: int, side: int = 500) -> bytes:
    """Return a progressive JPEG that refines the same coefficients `count` times."""
    file = io.BytesIO()
    Image.new("L", (side, side), 77).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def _jpeg_saying(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, "JPEG")
    data = bytearray(file.getvalue())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def _mpo(pictures: int) -> bytes:
    file = io.BytesIO()
    red = Image.new("RGB", (16, 16), "red")
    red.save(file, "MPO", save_all=True, append_images=[red])
    data = file.getvalue()
    # The tag that says how many pictures there are: 0xB001, LONG, one.
    return data.replace(
        struct.pack("<HHII", 0xB001, 4, 1, 2), struct.pack("<HHII", 0xB001, 4, 1, pictures)
    )


def _tiff(
    width: int, height: int, following: int = 0, offset: int = 8, count: int = 1, at: int = 8
) -> bytes:
    """Return a grey TIFF of one directory, which stands at byte `at`."""
    tags = (
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, count, offset),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, width * height % 2**32),
    )
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = struct.pack("<2sHI", b"II", 42, 8) if at == 8 else b""
    return head + directory + struct.pack("<I", following)


def _tiff_pages(count: int) -> bytes:
    size = len(_tiff(8, 8)) - 8
    pages = (
        _tiff(8, 8, at=8 + page * size, following=8 + (page + 1) * size if page + 1 < count else 0)
        for page in range(count)
    )
    return b"".join(pages)


def _exif_loop() -> bytes:
    """Return a JPEG whose EXIF has itself as its inner directory."""
    directory = struct.pack("<H", 2) + struct.pack("<HHII", 0x0112, 3, 1, 6)
    directory += struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    content = b"Exif\0\0" + struct.pack("<2sHI", b"II", 42, 8) + directory
    small = _jpeg_saying(16, 16)
    return small[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + small[2:]


def _bmp(width: int, height: int) -> bytes:
    """Return a BMP in run lengths, whose end comes at once."""
    colours = bytes(1024)
    start = 14 + 40 + len(colours)
    about = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 2, 0, 0, 256, 0)
    return struct.pack("<2sIHHI", b"BM", start + 2, 0, 0, start) + about + colours + b"\0\1"
