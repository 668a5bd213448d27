"""Photos in tar archives, also in archives that are damaged or made to do harm."""

import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from precompute.errors import PhotoError
from precompute.limits import DEFAULT
from survey import archives, dataset
from survey.dataset import content
from survey.errors import SurveyError

MODEL = SimpleNamespace(categories=("tench", "goldfish", "church"))
BLOCK = 512


def read(photos):
    return dataset.read_data_set(Path(photos), None, MODEL)


def add(archive, name, data=b"x", kind=tarfile.REGTYPE, **fields):
    member = tarfile.TarInfo(os.fsdecode(name))
    member.type, member.size = kind, len(data)
    for field, value in fields.items():
        setattr(member, field, value)
    archive.addfile(member, io.BytesIO(data))


def pack(path, *members, format=tarfile.PAX_FORMAT):
    """Write an archive of (name, bytes); return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=format) as archive:
        for name, data in members:
            add(archive, name, data)
    return path


def labelled(found):
    return {
        item.name: None if item.label is None else found.classes[item.label]
        for item in found.items
    }  # fmt: skip


def told(found):
    """Return which photos there are with their bytes."""
    return {item.name: content(item, DEFAULT) for item in found.items}


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_photos_are_read_where_they_lie(tmp_path, format):
    long = "folder" * 15 + "/" + "x" * 90 + ".png"
    members = [("b.jpg", b"b" * 700), ("./a.JPG", b"a"), (long, b"c" * 512), ("notes.txt", b"n")]
    found = read(pack(tmp_path / "one.tar", *members, format=format))
    assert told(found) == {
        "one.tar/a.JPG": b"a",
        "one.tar/b.jpg": b"b" * 700,
        f"one.tar/{long}": b"c" * 512,
    }
    assert [item.name for item in found.items] == sorted(told(found))
    assert found.credit.title == "one"
    assert (found.faults, found.remarks[1:]) == ({}, [])


def test_archives_lie_beside_photos_and_in_lists(tmp_path):
    pack(tmp_path / "x/1.tar", ("a.jpg", b"1"))
    pack(tmp_path / "x/2.tar", ("a.jpg", b"2"))
    (tmp_path / "x/b.jpg").write_bytes(b"3")
    (tmp_path / "some.txt").write_text("x/2.tar\nx/b.jpg\n./x/2.tar\n")
    expected = {"1.tar/a.jpg": b"1", "2.tar/a.jpg": b"2", "b.jpg": b"3"}
    assert told(read(tmp_path / "x")) == expected
    listed = read(tmp_path / "some.txt")
    assert told(listed) == {"x/2.tar/a.jpg": b"2", "x/b.jpg": b"3"}
    assert listed.faults == {"x/2.tar": "an archive that is named twice"}


def test_what_stands_beside_a_photo_belongs_to_it(tmp_path):
    members = [
        ("1.cls", b" 2\n"), ("1.jpg", b""), ("2.jpg", b""), ("2.cls", b"goldfish"),
        ("3.left.jpg", b""), ("3.right.jpg", b""), ("3.json", b'{"label": 0, "author": "Ada"}'),
        ("3.right.json", b'{"class": "salmon", "licence": "CC0-1.0"}'),
        ("4.jpg", b""), ("4.json", b'{"caption": "a fish"}'), ("a.b/5.jpg", b""), ("a.cls", b"1"),
    ]  # fmt: skip
    found = read(pack(tmp_path / "t.tar", *members))
    assert labelled(found) == {
        "t.tar/1.jpg": "church",
        "t.tar/2.jpg": "goldfish",
        "t.tar/3.left.jpg": "tench",
        "t.tar/3.right.jpg": "salmon",
        "t.tar/4.jpg": None,
        "t.tar/a.b/5.jpg": "a.b",
    }
    assert dict(zip(found.classes, found.categories, strict=True)) == {
        "a.b": None, "church": 2, "goldfish": 1, "salmon": None, "tench": 0
    }  # fmt: skip
    assert found.credits == {
        "t.tar/3.left.jpg": ("Ada", ""),
        "t.tar/3.right.jpg": ("", "CC0-1.0"),
    }
    assert any("2 of the classes are numbers" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("1.cls", b"\xff", "can't decode"),
        ("1.json", b"{", "truncated"),
        ("1.json", b"[1]", "expected an object"),
        ("1.json", b'{"class": true}', "class is 'True', expected a text"),
        ("1.json", b'{"author": ["Ada"]}', "author is \"['Ada']\", expected a text"),
        ("1.json", b"[" * 200_000, "recursion"),
        ("1.cls", b"1" * 1_000_001, "1000001 bytes are too many"),
    ],
)
def test_what_is_not_understood_beside_a_photo_is_told(tmp_path, name, data, fault):
    found = read(pack(tmp_path / "t.tar", ("1.jpg", b""), (name, data)))
    assert labelled(found) == {"t.tar/1.jpg": None}
    assert f"t.tar/{name}: " in found.remarks[0]
    assert fault in found.remarks[0]


def test_folders_of_an_archive_are_classes_and_its_own_are_not(tmp_path):
    pack(tmp_path / "some/1.tar", ("train/tench/a.jpg", b""), ("train/b.jpg", b""))
    pack(tmp_path / "more/2.tar", ("val/church/a.jpg", b""))
    assert labelled(read(tmp_path)) == {
        "more/2.tar/val/church/a.jpg": "church",
        "some/1.tar/train/b.jpg": None,
        "some/1.tar/train/tench/a.jpg": "tench",
    }


def test_a_table_can_name_an_archive(tmp_path):
    pack(tmp_path / "1.tar", ("a.jpg", b""))
    pack(tmp_path / "2.tar", ("b.jpg", b""))
    (tmp_path / "classes.csv").write_text("1.tar,tench\n2.tar/b.jpg,church\n")
    assert labelled(read(tmp_path)) == {"1.tar/a.jpg": "tench", "2.tar/b.jpg": "church"}


def test_members_that_are_no_plain_files_are_faults(tmp_path):
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        add(archive, "a.jpg")
        add(archive, "b.jpg", b"", tarfile.SYMTYPE, linkname="/etc/passwd")
        add(archive, "c.jpg", b"", tarfile.LNKTYPE, linkname="a.jpg")
        add(archive, "d.jpg", b"", tarfile.CHRTYPE)
        add(archive, "e.jpg", b"", tarfile.DIRTYPE)
        add(archive, "/f.jpg")
        add(archive, "x/../../g.jpg")
        add(archive, "./a.jpg", b"other")
        add(archive, "._h.jpg")
        add(archive, b"\xff\n.jpg", b"any")
    found = read(tmp_path / "t.tar")
    link = "a link, which is not followed: put the picture itself there"
    out = "its path leads out of the archive: pack it with a relative path"
    assert found.faults == {
        "t.tar/a.jpg": "there are two of this name, of which the first is used",
        "t.tar/b.jpg": link,
        "t.tar/c.jpg": link,
        "t.tar/d.jpg": "a device, not a picture",
        "t.tar/e.jpg": "a folder with the name of a picture: rename it",
        "t.tar/f.jpg": out,
        "t.tar/x/../../g.jpg": out,
    }
    assert found.remarks == ["passed over, because hidden: t.tar/._h.jpg"]
    assert told(found) == {"t.tar/a.jpg": b"x", "t.tar/\udcff\n.jpg": b"any"}


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_compressed_archive_is_refused(tmp_path, mode):
    for name in ["t.tar.gz", "t.tgz", "t.tar"]:
        with tarfile.open(tmp_path / name, mode) as archive:
            add(archive, "a.jpg")
        with pytest.raises(SurveyError, match=f"{name}: a compressed archive, in which no photo"):
            read(tmp_path / name)
        (tmp_path / name).unlink()


def test_of_a_damaged_archive_what_can_be_read_is_used(tmp_path):
    whole = pack(tmp_path / "t.tar", *((f"{n}.jpg", b"x" * 400) for n in range(4))).read_bytes()
    cases = {
        "no header": (whole[: 4 * BLOCK] + b"\x01" * BLOCK + whole[5 * BLOCK :], 2, "at byte 2048"),
        "cut in a photo": (whole[: 5 * BLOCK + 9], 2, "at byte 3072"),
        "cut in a header": (whole[: 4 * BLOCK + 9], 2, "at byte 2048"),
        "cut between": (whole[: 4 * BLOCK], 2, "at byte 2048 (the mark of its end is missing)"),
        "joined": (whole + whole, 4, "something follows its end at byte 4096"),
        "no tar": (b"not a tar" * 1000, 0, "at byte 0"),
        "empty": (b"", 0, "at byte 0"),
    }
    (tmp_path / "t.tar").rename(tmp_path / "other.tar")
    for case, (data, photos, fault) in cases.items():
        (tmp_path / "t.tar").write_bytes(data)
        found = read(tmp_path)
        assert sum(item.name.startswith("t.tar/") for item in found.items) == photos, case
        assert fault in found.faults["t.tar"], case
    (tmp_path / "t.tar").write_bytes(whole[: 5 * BLOCK + 9])
    assert "cut short" in read(tmp_path).faults["t.tar/2.jpg"]


def pax(records):
    """Return a header that says `records` of the next member."""
    data = b"".join(records)
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(data)
    return info.tobuf() + data + bytes(-len(data) % BLOCK)


def header(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    "evil",
    [
        header("b.jpg", -BLOCK),
        pax([b"18 size=-99999999\n"]) + header("b.jpg", 0),
        header("b.jpg", 0)[:156] + b"x" + header("b.jpg", 10**12)[157:],
        pax([b"x"]) * 2000,
    ],
    ids=["negative size", "negative size in a record", "a vast record", "records of records"],
)
def test_an_archive_that_is_made_to_do_harm_ends_in_a_fault(tmp_path, evil):
    good = pack(tmp_path / "good.tar", ("a.jpg", b"a")).read_bytes()[: 2 * BLOCK]
    (tmp_path / "good.tar").unlink()
    (tmp_path / "t.tar").write_bytes(good + evil + bytes(2 * BLOCK))
    found = read(tmp_path)
    assert told(found) == {"t.tar/a.jpg": b"a"}
    assert "damaged at byte 1024" in found.faults["t.tar"]


WHOLE = io.BytesIO()
with tarfile.open(fileobj=WHOLE, mode="w") as written:
    add(written, "1.jpg", b"x" * 100)
    add(written, "é" * 80 + ".jpg", b"y" * 600)
    add(written, "1.json", b'{"class": "tench"}')


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6 * BLOCK), st.binary(min_size=1, max_size=12)), max_size=6),
    st.integers(0, 10_240),
)
@example([], 10_240)
def test_no_damage_is_more_than_a_fault(tmp_path_factory, damages, end):
    data = bytearray(WHOLE.getvalue())
    for place, damage in damages:
        data[place : place + len(damage)] = damage
    folder = tmp_path_factory.mktemp("any")
    (folder / "t.tar").write_bytes(data[:end])
    (folder / "a.jpg").write_bytes(b"x")
    for item in read(folder).items:
        assert len(content(item, DEFAULT)) == item.size


def test_places_beyond_ten_gigabytes_are_found(tmp_path):
    path = tmp_path / "large.tar"
    info = tarfile.TarInfo("large.bin")
    info.size = 10 * 2**30
    small = pack(tmp_path / "small.tar", ("a.jpg", b"here")).read_bytes()
    with path.open("wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.seek(info.size, os.SEEK_CUR)  # a hole, which takes no place on the disk
        file.write(small)
    (item,) = read(path).items
    assert item.offset > 10 * 2**30
    assert content(item, DEFAULT) == b"here"


def test_members_do_not_stay_in_memory(tmp_path, monkeypatch):
    pack(tmp_path / "t.tar", *((f"{n}.jpg", b"") for n in range(50)))
    kept = []
    walk = tarfile.TarFile.next

    def next(archive):
        kept.append(len(archive.members))
        return walk(archive)

    monkeypatch.setattr(tarfile.TarFile, "next", next)
    read(tmp_path / "t.tar")
    assert max(kept) <= 1


def test_an_archive_that_changed_is_told(tmp_path):
    path = pack(tmp_path / "t.tar", ("a.jpg", b"1234"))
    (item,) = read(path).items
    assert content(item, DEFAULT) == b"1234"
    os.utime(path, ns=(1, item.modified + 1))
    with pytest.raises(PhotoError, match="its archive was changed"):
        content(item, DEFAULT)
    pack(tmp_path / "new.tar", ("a.jpg", b"5678")).replace(path)
    with pytest.raises(PhotoError, match="its archive was changed"):
        content(item, DEFAULT)
    path.unlink()
    with pytest.raises(PhotoError, match="cannot be read: No such file"):
        content(item, DEFAULT)


def test_one_archive_is_kept_open(tmp_path, monkeypatch):
    for name in "ab":
        pack(tmp_path / f"{name}.tar", ("1.jpg", b"1"), ("2.jpg", b"2"))
    items = read(tmp_path).items
    opened, real = [], archives.open_file
    monkeypatch.setattr(archives, "open_file", lambda path: opened.append(path) or real(path))
    monkeypatch.setattr(archives, "_kept", None)
    assert [content(item, DEFAULT) for item in items] == [b"1", b"2"] * 2
    assert opened == [str(tmp_path / "a.tar"), str(tmp_path / "b.tar")]


def test_content_keeps_to_the_limits(tmp_path):
    (item,) = read(pack(tmp_path / "t.tar", ("a.jpg", b"12345"))).items
    assert content(item, replace(DEFAULT, bytes=5)) == b"12345"
    with pytest.raises(PhotoError, match="limit of bytes is 4"):
        content(item, replace(DEFAULT, bytes=4))
