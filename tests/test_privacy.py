"""What is published holds the picture and what was written about it, and nothing else."""

import gzip
import io
import os
import re
import socket
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin
from small_gallery import cut_down, draw

ROOT = Path(__file__).parent.parent
SECRET = "Secret"
"""Begins every marker, so that one that is not listed here is found too."""

# Whatever a program asks about the machine and its user is answered with a marker.
SPYING = """
import os, platform, socket
socket.gethostname = socket.getfqdn = platform.node = lambda *_: "SecretHost"
_uname = os.uname
os.uname = lambda: os.uname_result(["Linux", "SecretNode", *_uname()[2:]])
"""


def secret(where):
    return f"{SECRET}-{where}-"


def exif():
    """Return EXIF with a place, a serial number, owners, a maker's note and a thumbnail."""
    found = Image.Exif()
    found[0x010E] = secret("ImageDescription")
    found[0x0112] = 6
    found[0x013B] = secret("Artist")
    found[0x013C] = secret("HostComputer")
    found[0x9C9F] = secret("XPSubject").encode("utf-16-le")
    inner = found.get_ifd(0x8769)
    inner[0x927C] = secret("MakerNote").encode()
    inner[0x9286] = b"ASCII\0\0\0" + secret("UserComment").encode()
    inner[0xA430] = secret("CameraOwner")
    inner[0xA431] = secret("SerialNumber")
    place = found.get_ifd(0x8825)
    place[1], place[2] = "N", (52.0, 31.0, 12.0)
    place[27] = b"ASCII\0\0\0" + secret("GPSProcessing").encode()
    data = found.tobytes()
    return data + secret("Thumbnail").encode()


XMP = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{secret('XMP')}</x:xmpmeta>".encode()
ICC = b"\0" * 36 + b"acsp" + secret("ICC").encode()
IPTC = b"\x1c\x02\x50" + struct.pack(">H", 40) + secret("IPTC").encode().ljust(40)


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(picture, **more):
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif(), xmp=XMP, icc_profile=ICC, **more)
    data = file.getvalue()
    photoshop = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC
    extra = segment(0xED, photoshop) + segment(0xFE, secret("Comment").encode())
    return data[:2] + extra + segment(0xEF, secret("APP15").encode()) + data[2:] + end()


def end():
    return secret("AfterTheEnd").encode()


def png(picture):
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", secret("tEXt"))
    about.add_text("Software", secret("zTXt"), zip=True)
    about.add_itxt("XML:com.adobe.xmp", secret("iTXt"))
    about.add(b"tIME", struct.pack(">HBBBBB", 2001, 2, 3, 4, 5, 6))
    about.add(b"prVt", secret("private").encode())
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=about, exif=exif(), icc_profile=ICC)
    return file.getvalue() + end()


def tiff(picture):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, name in {270: "Description", 305: "Software", 315: "Artist", 316: "Host"}.items():
        tags[tag] = secret(name)
    for tag, content in {700: XMP, 33723: IPTC, 34675: ICC, 65000: secret("own").encode()}.items():
        tags[tag] = content
        tags.tagtype[tag] = TiffImagePlugin.TiffTags.UNDEFINED
    file = io.BytesIO()
    picture.save(file, "TIFF", tiffinfo=tags)
    return file.getvalue() + end()


def saved(picture, kind, **more):
    file = io.BytesIO()
    picture.save(file, kind, **more)
    return file.getvalue() + end()


def originals(folder):
    """Return photos that hold as much as their formats can."""
    draw(folder / "drawn.png", seed=3)
    picture = Image.open(folder / "drawn.png").convert("RGB")
    (folder / "drawn.png").unlink()
    return {
        "a.jpg": jpeg(picture),
        "b.jpg": jpeg(picture, progressive=True),
        "c.png": png(picture),
        "d.webp": saved(picture, "WEBP", exif=exif(), xmp=XMP, icc_profile=ICC),
        "e.gif": saved(picture, "GIF", comment=secret("GIFComment").encode()),
        "f.tiff": tiff(picture),
        "g.bmp": saved(picture, "BMP"),
        "h.mpo": saved(picture, "MPO", save_all=True, append_images=[picture], exif=exif()),
        f"{SECRET}Folder/i.jpg": jpeg(picture),
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp(f"{SECRET}Home")


@pytest.fixture(scope="module")
def photos(home):
    """Photos in a folder whose name is nobody's business."""
    folder = home / f"{SECRET}Photos"
    (folder / f"{SECRET}Folder").mkdir(parents=True)
    for name, data in originals(folder).items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def published(exported, runtime, photos, home, tmp_path_factory):
    """The site of these photos, made by a person and on a machine that nobody needs to know."""
    model = cut_down(exported, home / "model", {"conv1", "layer4.1.relu_1", "fc"})
    spying = tmp_path_factory.mktemp("spying")
    (spying / "sitecustomize.py").write_text(SPYING)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(spying), str(ROOT)]),
        "PWD": str(home),
        **{name: f"/{SECRET}{name}" for name in ("HOME", "USER", "LOGNAME", "HOSTNAME", "MAIL")},
    }
    for stage in (
        ["precompute", "--manifest", model, "--images", photos, "--out", home / "tiles"],
        ["site_template", "--manifest", model, "--tiles", home / "tiles"]
        + ["--out", home / "site", "--runtime", runtime, "--surveys", home / "none"],
    ):
        command = [sys.executable, "-m", *map(str, stage)]
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return home / "site"


def inflated(name, data):
    """Yield a file's content, and the content of what is packed in it."""
    yield name, data
    if data.startswith(b"\x1f\x8b"):
        yield f"{name} inflated", gzip.decompress(data)
    if zipfile.is_zipfile(io.BytesIO(data)) and name.endswith((".npz", ".zip")):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for member in packed.infolist():
                yield f"{name}: {member.filename}", packed.read(member)
    if data.startswith(b"\x89PNG"):
        for kind, content in png_chunks(data):
            if kind in (b"zTXt", b"iCCP"):
                yield f"{name}: {kind.decode()}", zlib.decompress(content.partition(b"\0")[2][1:])


def png_chunks(data):
    place, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        yield kind, data[place + 8 : place + 8 + length]
        place += 12 + length
    if place < len(data):
        yield b"", data[place:]


def jpeg_markers(data):
    """Yield the marker of every segment up to the coded pixels, and 0 if something follows them."""
    place = 2
    while True:
        marker, length = struct.unpack(">BH", data[place + 1 : place + 4])
        yield marker
        if marker == 0xDA:
            break
        place += 2 + length
    if data.index(b"\xff\xd9", place) != len(data) - 2:
        yield 0


def files(folder):
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {name: path.read_bytes() for name, path in found.items() if path.is_file()}


def holding(folder, *markers):
    """Return where one of `markers` stands in the files of `folder` or in their names."""
    forms = [form for m in markers for form in (m.encode(), m.encode("utf-16-le"))]
    found = []
    for name, data in files(folder).items():
        found += [f"{name} (its name): {m}" for m in markers if m.lower() in name.lower()]
        for part, content in inflated(name, data):
            found += [f"{part}: {form!r}" for form in forms if form in content]
    return found


def test_the_photos_hold_what_must_not_come_out(photos):
    for name, data in files(photos).items():
        places = set(re.findall(rf"{SECRET}-(\w+)-".encode(), data))
        assert b"AfterTheEnd" in places, name
        if name[0] in "abcfi":
            assert len(places) >= 8, f"{name}: {places}"
    everything = b"".join(data for _, data in inflated("c.png", (photos / "c.png").read_bytes()))
    assert secret("zTXt").encode() in everything
    assert secret("XPSubject").encode("utf-16-le") in (photos / "a.jpg").read_bytes()


def test_nothing_about_the_photos_the_person_or_the_machine_is_published(published):
    assert len(list(published.glob("resnet18/data/*/_photo.jpg"))) == 9
    assert holding(published, SECRET, os.fspath(ROOT), "/tmp/", "sitecustomize") == []


def test_no_photo_is_published_as_it_was(published, photos):
    came = set(files(photos).values())
    assert [name for name, data in files(published).items() if data in came] == []


def test_pictures_hold_pixels_and_nothing_else(published):
    chunks, markers = set(), set()
    for data in files(published).values():
        if data.startswith(b"\x89PNG"):
            chunks |= {kind for kind, _ in png_chunks(data)}
        if data.startswith(b"\xff\xd8"):
            markers |= set(jpeg_markers(data))
    assert chunks == {b"IHDR", b"IDAT", b"IEND"}
    # JFIF, quantisation, progressive frame, Huffman tables, scan.
    assert markers == {0xE0, 0xDB, 0xC2, 0xC4, 0xDA}


def is_old(path):
    """Tell whether a packed file says when it was packed, or what it was called."""
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        return data[3] != 0 or data[4:8] != bytes(4)
    with zipfile.ZipFile(path) as packed:
        return {member.date_time for member in packed.infolist()} != {(1980, 1, 1, 0, 0, 0)}


def test_no_file_says_when_it_was_made(published, exported):
    packed = [*published.rglob("*.gz"), *published.rglob("*.npz"), *exported.parent.glob("*.npz")]
    assert len(packed) >= 2
    assert [path.name for path in packed if is_old(path)] == []


# Emscripten's runtime gives this to every program, wherever it was compiled.
NOBODY = b"/home/web_user"


def local_paths():
    """Return what would tell where, by whom and on which machine something was made."""
    homes = {os.fspath(Path.home()), os.environ.get("HOME", "")} - {"", "/"}
    temporary = os.environ.get("TMPDIR", "/tmp").rstrip("/")
    host = socket.gethostname()
    paths = {os.fspath(ROOT), "/home/", "/root/", "/Users/", f"{temporary}/", *homes}
    return paths | ({f"//{host}", f"@{host}"} if len(host) > 3 else set())


def telling(folder):
    return [where for where in holding(folder, *local_paths()) if repr(NOBODY) not in where]


@pytest.mark.built
def test_a_site_does_not_tell_where_it_was_made(site):
    faults = telling(site)
    runtime = "vendor/onnxruntime-web/ort-wasm-simd-threaded.mjs"
    if (site / runtime).is_file():
        data = (site / runtime).read_bytes()
        if data.count(b"/home/") == data.count(NOBODY):
            faults = [fault for fault in faults if fault != f"{runtime}: {b'/home/'!r}"]
    assert faults == []


def test_an_export_does_not_tell_where_it_was_made(exported):
    assert {path.suffix for path in exported.parent.iterdir()} >= {".onnx", ".npz", ".json"}
    assert telling(exported.parent) == []
    assert holding(exported.parent, os.fspath(exported.parent)) == []


def importing_onnxruntime():
    """Return the packages of ours whose modules import onnxruntime themselves."""
    sources = [
        path
        for stage in ("export", "precompute", "survey")
        for path in (ROOT / stage).rglob("*.py")
    ]
    found = {
        path.relative_to(ROOT).parts[0]
        for path in sources
        if re.search(r"^(import|from) onnxruntime\b", path.read_text("utf-8"), re.MULTILINE)
    }
    assert found >= {"export", "precompute"}
    return sorted(found)


def test_onnxruntime_reports_nothing(tmp_path):
    """It would number the machine, and write the number down, when it is imported."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def kept(*lines):
        program = "\n".join(lines)
        subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, check=True)
        return [path for path in tmp_path.rglob("*") if path.is_file()]

    for package in importing_onnxruntime():
        assert kept(f"import {package}", "import onnxruntime") == [], package
