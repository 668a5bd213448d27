"""Whatever a file holds, it is a picture or a photo that cannot be used: a short run of make fuzz."""

import io
import zlib

import pytest
from PIL import Image

from benchmarks import fuzz
from benchmarks.mutants import BOMBS, mutant, png, png_chunks, seeds
from precompute.decode import FORMATS
from precompute.errors import PhotoError

FILES = 500


@pytest.fixture(scope="module")
def outcomes():
    return dict(fuzz.fuzz(FILES, seed=7, workers=2))


def test_every_file_gives_a_picture_or_a_reason(outcomes):
    assert len(outcomes) == len(BOMBS) + FILES
    # How long a file takes depends on the machine, which may be slow: make fuzz looks at that.
    faults = {p: one for p, one in outcomes.items() if one.fault and one.seconds <= fuzz.SLOW}
    assert faults == {}


def test_the_files_are_neither_all_whole_nor_all_hopeless(outcomes):
    pictures = [one for one in outcomes.values() if one.cause == "picture"]
    assert FILES / 10 < len(pictures) < FILES / 2
    assert len({one.cause for one in outcomes.values()}) >= 8
    assert {one.kind.split("+")[0] for one in outcomes.values()} >= {"flip", "splice", "parts"}


def test_bombs_are_refused_for_what_they_are():
    faults = {}
    for name, limit in {
        "webp-13000x13000": "pixels",
        "gif-65535x65535": "pixels",
        "png-1x20000": "aspect",
        "jpeg-2500-scans": "scans",
        "gif-200000-frames": "frames",
        "png-ztxt-80MB": "metadata",
        "png-iccp-300MB": "metadata",
    }.items():
        outcome = fuzz.attempt(name, BOMBS[name]())
        if f"the limit of {limit} is" not in outcome.cause:
            faults[name] = outcome
    assert faults == {}


def test_the_seeds_are_whole_pictures_of_every_format():
    made = seeds([])
    kinds = {}
    for data in made:
        with Image.open(io.BytesIO(data)) as picture:
            kinds.setdefault(picture.format, set()).add(picture.mode)
    assert kinds.keys() == {*FORMATS, "MPO"}
    assert {"1", "L", "P", "RGB", "RGBA", "I;16"} <= kinds["PNG"]
    causes = {fuzz.attempt("seed", data).cause for data in made}
    unknown_range = {"floating-point pixels", "grey values"}
    assert {cause for cause in causes if not cause.startswith(tuple(unknown_range))} == {"picture"}


def test_the_same_seed_gives_the_same_files():
    made = seeds([])
    first = [mutant(made, 1, position) for position in range(50)]
    assert first == [mutant(made, 1, position) for position in range(50)]
    assert first != [mutant(made, 2, position) for position in range(50)]


def test_checksums_of_changed_chunks_are_right():
    """Otherwise a decoder would stop there, and never come to the lie."""
    made = [data for data in seeds([]) if data.startswith(b"\x89PNG")]
    chunks = list(png_chunks(made[0]))
    assert png(chunks) == made[0]
    kind, content = chunks[0]
    changed = png([(kind, b"\0\0\xff\xff" + content[4:]), *chunks[1:]])
    assert changed[29:33] == zlib.crc32(changed[12:29]).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (PhotoError("empty file"), ""),
        (PhotoError("two\nlines"), "says 'two\\nlines'"),
        (ValueError("no"), "ValueError: no"),
        (MemoryError(), "MemoryError: "),
    ],
)
def test_anything_but_a_reason_is_a_fault(monkeypatch, error, fault):
    def fail(data):
        raise error

    monkeypatch.setattr(fuzz, "decode", fail)
    assert fuzz.attempt("x", b"x").fault == fault


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (Image.new("L", (3, 2)), "a picture of L, (3, 2)"),
        (Image.new("RGB", (3, 2)), ""),
    ],
)
def test_a_picture_of_another_kind_is_a_fault(monkeypatch, picture, fault):
    monkeypatch.setattr(fuzz, "decode", lambda data: picture)
    assert fuzz.attempt("x", b"x").fault == fault


def test_a_picture_that_keeps_its_metadata_is_a_fault(monkeypatch):
    picture = Image.new("RGB", (3, 2))
    picture.info["comment"] = "x"
    monkeypatch.setattr(fuzz, "decode", lambda data: picture)
    assert fuzz.attempt("x", b"x").fault == "a picture with ['comment']"
