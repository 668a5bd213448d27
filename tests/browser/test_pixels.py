"""A browser makes of a file exactly the pixels that precompute makes of it, or says what is wrong."""

import base64
import io
import json
import os
import re
import struct
import zlib

import numpy as np
import pytest
from bidi import started
from PIL import Image, ImageCms

from export.manifest import Input
from precompute.decode import open_picture
from precompute.limits import Limits
from precompute.preprocess import crop

pytestmark = pytest.mark.built

INPUT = Input("input", 64, 56, "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
ORIENTATION = 0x0112
WIDTH, HEIGHT = 97, 61
PROGRAM = """async ([bytes, input]) => {
  const { decodePhoto, PhotoFault } = await import(new URL("static/photo-decoder.js", base));
  const { cropPixels } = await import(new URL("static/preprocess.js", base));
  const text = (pixels) => {
    let text = "";
    for (let i = 0; i < pixels.length; i += 8192) {
      text += String.fromCharCode(...pixels.subarray(i, i + 8192));
    }
    return btoa(text);
  };
  try {
    const file = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))]);
    const photo = await decodePhoto(file);
    const { width, height } = photo;
    const pixels = text(photo.readRows(0, height));
    const seen = text(cropPixels(photo.readRows, photo, input));
    photo.close();
    return { width, height, pixels, seen };
  } catch (error) {
    if (!(error instanceof PhotoFault)) throw error;
    return { fault: error.message };
  }
}"""
IN_PAGE = PROGRAM.replace("base)", "document.baseURI)")
IN_WORKER = f"""const run = {PROGRAM.replace("base)", "self.location)")};
onmessage = ({{ data }}) => run(data).then(postMessage, (error) => postMessage(String(error)));
"""


def smooth(width=WIDTH, height=HEIGHT):
    """A picture like a photo: waves of colour, and a little noise."""
    random = np.random.default_rng(width * height)
    y, x, colour = np.mgrid[0:height, 0:width, 0:3]
    waves = 127 + 120 * np.sin(x / 9 + colour) * np.cos(y / 7 - colour)
    noisy = waves + random.normal(0, 6, waves.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def every_alpha():
    """Each of the 256 levels with each of the 256 alphas."""
    level, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    return Image.fromarray(np.stack([level, 255 - level, level, alpha], -1))


def other_colours():
    """An ICC profile by which red is green and green is red."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = [struct.unpack_from(">4sI", profile, 132 + 12 * i) for i in range(count)]
    red, green = (next(at for tag, at in tags if tag == name) + 8 for name in (b"rXYZ", b"gXYZ"))
    profile[red : red + 12], profile[green : green + 12] = (
        profile[green : green + 12],
        profile[red : red + 12],
    )
    return bytes(profile)


def turned(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def saved(picture, format_, **how):
    file = io.BytesIO()
    picture.save(file, format_, **how)
    return file.getvalue()


def png(samples, bits, kind, *chunks):
    """A PNG as Pillow does not write it: interlaced, of (height, width, samples) numbers."""
    height, width = samples.shape[:2]
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)]
    passes += [(2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    pieces = [samples[top::down, left::right] for top, left, down, right in passes]
    sample = {8: ">u1", 16: ">u2"}[bits]
    rows = [b"\0" + row.astype(sample).tobytes() for piece in pieces if piece.size for row in piece]
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 1)
    data = (b"IDAT", zlib.compress(b"".join(rows)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in [(b"IHDR", header), *chunks, data, (b"IEND", b"")]
    )


RGB = smooth()
GREY = RGB.convert("L")
PALETTE = RGB.quantize(64)
ALPHA = every_alpha()
LATER = Image.fromarray(255 - np.asarray(RGB))
SIXTEEN = np.random.default_rng(0).integers(0, 65536, (50, 70, 4))
ANIMATED = {"save_all": True, "duration": 50}

EXACT = {
    "JPEG": saved(RGB, "JPEG", quality=90, subsampling=0),
    "JPEG 4:2:0": saved(RGB, "JPEG", quality=80, subsampling=2),
    "JPEG 4:2:2": saved(smooth(131, 90), "JPEG", quality=80, subsampling=1),
    "JPEG progressive": saved(RGB, "JPEG", progressive=True),
    "JPEG restarting": saved(RGB, "JPEG", restart_marker_blocks=4),
    "JPEG grey": saved(GREY, "JPEG"),
    "JPEG CMYK": saved(RGB.convert("CMYK"), "JPEG"),
    "JPEG RGB": saved(RGB, "JPEG", keep_rgb=True),
    "JPEG profile": saved(RGB, "JPEG", icc_profile=other_colours()),
    "JPEG of two": saved(RGB, "MPO", save_all=True, append_images=[LATER]),
    **{f"JPEG turned {i}": saved(RGB, "JPEG", exif=turned(i)) for i in range(1, 9)},
    **{f"PNG turned {i}": saved(RGB, "PNG", exif=turned(i)) for i in range(1, 9)},
    **{f"WebP turned {i}": saved(RGB, "WEBP", lossless=True, exif=turned(i)) for i in range(1, 9)},
    "PNG": saved(RGB, "PNG"),
    "PNG profile": saved(RGB, "PNG", icc_profile=other_colours()),
    "PNG grey": saved(GREY, "PNG"),
    "PNG black and white": saved(RGB.convert("1"), "PNG"),
    "PNG palette": saved(PALETTE, "PNG"),
    "PNG palette with a hole": saved(PALETTE, "PNG", transparency=5),
    "PNG grey with a hole": saved(GREY, "PNG", transparency=130),
    "PNG interlaced": png(np.asarray(RGB), 8, 2),
    "PNG gamma": png(np.asarray(RGB), 8, 2, (b"gAMA", struct.pack(">I", 100_000))),
    "PNG animated": saved(RGB, "PNG", **ANIMATED, append_images=[LATER]),
    "WebP": saved(RGB, "WEBP", quality=80),
    "WebP lossless": saved(RGB, "WEBP", lossless=True),
    "WebP profile": saved(RGB, "WEBP", lossless=True, icc_profile=other_colours()),
    "WebP animated": saved(RGB, "WEBP", **ANIMATED, lossless=True, append_images=[LATER]),
    "GIF": saved(PALETTE, "GIF"),
    "GIF with a hole": saved(PALETTE, "GIF", transparency=3),
    "GIF animated": saved(
        PALETTE, "GIF", **ANIMATED, append_images=[LATER.quantize(9)], transparency=3
    ),
    "BMP": saved(RGB, "BMP"),
    "BMP palette": saved(PALETTE, "BMP"),
    "one pixel": saved(RGB.crop((0, 0, 1, 1)), "PNG"),
    "read in two bands": saved(smooth(1300, 1000), "JPEG"),
    "wider than a canvas": saved(smooth(20_000, 3), "PNG"),
    "higher than a canvas": saved(smooth(3, 20_000), "PNG"),
}
TRANSPARENT = {
    "PNG": saved(ALPHA, "PNG"),
    "PNG palette": saved(PALETTE, "PNG", transparency=bytes(range(0, 256, 4))),
    "PNG grey": saved(Image.merge("LA", [ALPHA.getchannel("R"), ALPHA.getchannel("A")]), "PNG"),
    "WebP lossless": saved(ALPHA, "WEBP", lossless=True, exact=True),
    "WebP": saved(ALPHA, "WEBP", quality=80),
    "WebP turned": saved(ALPHA, "WEBP", lossless=True, exact=True, exif=turned(6)),
}
GREY_16 = {"PNG grey 16 bits": png(SIXTEEN[..., :1], 16, 0)}
COLOURED_16 = {"PNG 16 bits": png(SIXTEEN[..., :3], 16, 2)}
TRANSPARENT_16 = {"PNG 16 bits of alpha": png(SIXTEEN, 16, 6)}

USELESS = [
    (b"", "This file is empty: choose another."),
    (b"Dear diary", "This is not a photo: choose a JPEG, PNG, WebP, GIF or BMP file."),
    (b"%PDF-1.7\n", "This is a PDF, not a photo: export the picture in it as JPEG or PNG."),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", r"This is a drawing \(SVG\), not a photo: .+"),
    (b"<!DOCTYPE html><title>404</title>", "This is a web page, not a photo: .+"),
    (b"version https://git-lfs.github.com/spec/v1\n", "This is a Git LFS pointer, not .+"),
    (b"\0\0\0\x18ftypheic\0\0\0\0", "This browser cannot read HEIC photos: .+ as JPEG."),
    (saved(RGB, "TIFF"), "This browser cannot read TIFF photos: .+ as JPEG."),
    (EXACT["JPEG"][:-500], "This JPEG is cut short or damaged: take another copy of it."),
    (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 20_000, 20_000) + b"IEND",
        "This photo has 20000×20000 pixels; the limit is 120 million: make it smaller.",
    ),
]


@pytest.fixture
def in_chromium(visit):
    """Return a function that decodes a file in a page of the site."""
    page = visit("index.html").page
    return lambda data: page.evaluate(IN_PAGE, asked(data))


@pytest.fixture(scope="module")
def firefox(tmp_path_factory, address):
    with started(os.environ["FIREFOX"], tmp_path_factory.mktemp("firefox")) as browser:
        browser.open(address + "index.html")
        yield browser


@pytest.fixture
def in_firefox(firefox):
    return lambda data: firefox.ask(f"({IN_PAGE})({json.dumps(asked(data))})")


@pytest.fixture
def differences(tmp_path):
    """Return a function that names the files of which a browser makes other pixels than precompute.

    With the largest difference of a level of the picture, or what else went wrong.
    """

    def differences(files, run):
        wrong = {}
        for name, data in files.items():
            path = tmp_path / "file"
            path.write_bytes(data)
            picture = open_picture(path, Limits(aspect=20_000))
            found = run(data)
            if "fault" in found or (found["width"], found["height"]) != picture.size:
                wrong[name] = {key: found[key] for key in ("fault", "width") if key in found}
                continue
            pixels = bytes_of(found["pixels"]).reshape(picture.height, picture.width, 4)
            assert (pixels[..., 3] == 255).all()
            difference = np.abs(pixels[..., :3].astype(int) - np.asarray(picture)).max()
            seen = bytes_of(found["seen"]).reshape(INPUT.crop, INPUT.crop, 3)
            if difference or not np.array_equal(seen, crop(picture, INPUT)):
                wrong[name] = int(difference)
        return wrong

    return differences


def asked(data):
    names = ("resize", "crop", "interpolation")
    return [base64.b64encode(data).decode(), {name: getattr(INPUT, name) for name in names}]


def bytes_of(text):
    return np.frombuffer(base64.b64decode(text), np.uint8)


def test_chromium_decodes_as_precompute_does(in_chromium, differences):
    assert len(EXACT) > 40
    assert differences(EXACT | TRANSPARENT | COLOURED_16 | TRANSPARENT_16, in_chromium) == {}


def test_firefox_decodes_as_precompute_does(in_firefox, differences):
    assert differences(EXACT | GREY_16, in_firefox) == {}


def test_what_is_not_exact_is_off_by_little(in_chromium, in_firefox, differences):
    # Chromium takes the high byte of 16 bits of grey, as Pillow does only of colours. Firefox
    # rounds both, and multiplies by alpha in whole levels.
    assert set(differences(GREY_16, in_chromium).values()) <= {1}
    assert set(differences(COLOURED_16 | TRANSPARENT, in_firefox).values()) <= {1}
    assert set(differences(TRANSPARENT_16, in_firefox).values()) <= {1, 2, 3}


def test_a_worker_decodes_as_a_page_does(visit, address, differences):
    page = visit("index.html").page
    page.route(
        "**/pixels-worker.js",
        lambda route: route.fulfill(body=IN_WORKER, content_type="text/javascript"),
    )
    page.evaluate(
        """url => { self.tried = new Worker(url, { type: "module" }) }""",
        f"{address}pixels-worker.js",
    )
    ask = """data => new Promise((resolve, reject) => {
      tried.onmessage = (event) => resolve(event.data);
      tried.onerror = (event) => reject(new Error(event.message));
      tried.postMessage(data);
    })"""
    names = ["JPEG turned 6", "WebP turned 8", "PNG interlaced", "GIF with a hole"]
    files = {name: EXACT[name] for name in names} | TRANSPARENT
    assert differences(files, lambda data: page.evaluate(ask, asked(data))) == {}


def test_what_cannot_be_used_is_told_in_a_sentence(in_chromium, in_firefox):
    for data, sentence in USELESS:
        for run in (in_chromium, in_firefox):
            assert re.fullmatch(sentence, run(data)["fault"])


def test_a_file_that_is_too_large_is_refused_unread(visit):
    page = visit("index.html").page
    fault = page.evaluate(
        """async () => {
          const { decodePhoto } = await import(new URL("static/photo-decoder.js", document.baseURI));
          const blob = { size: 250e6, arrayBuffer: () => new Promise(() => {}) };
          return decodePhoto(blob).catch((fault) => fault.message);
        }"""
    )
    assert fault == "This file has 250 MB; the limit is 100 MB: make the photo smaller."


def damaged_files():
    """Files of every format cut, with zeros in them, or with one bit flipped."""
    random = np.random.default_rng(5)
    for format_ in ("JPEG", "PNG", "WEBP", "GIF", "BMP"):
        whole = saved(smooth(60, 40), format_)
        for share in (0.01, 0.1, 0.5, 0.9, 0.99):
            yield f"{format_} cut at {share}", whole[: int(share * len(whole))]
        for at in random.integers(0, len(whole), 6):
            zeroed, flipped = bytearray(whole), bytearray(whole)
            zeroed[at : at + 20] = bytes(len(zeroed[at : at + 20]))
            flipped[at] ^= 1 << int(random.integers(8))
            yield f"{format_} zeros at {at}", bytes(zeroed)
            yield f"{format_} a bit at {at}", bytes(flipped)


def test_damaged_files_give_pixels_or_a_sentence(in_chromium, in_firefox):
    shown = {"Chromium": [], "Firefox": []}
    for name, data in damaged_files():
        for browser, run in (("Chromium", in_chromium), ("Firefox", in_firefox)):
            found = run(data)
            if "fault" not in found:
                assert len(bytes_of(found["seen"])) == 3 * INPUT.crop**2, name
                shown[browser].append(name)
    # Some damage cannot be told from a picture, but half a picture can.
    assert shown["Chromium"]
    assert [name for name in shown["Chromium"] if "cut" in name] == []
    # Firefox itself shows whatever came.
    assert {name[:4] for name in shown["Firefox"] if "cut" in name} <= {"GIF ", "BMP "}
