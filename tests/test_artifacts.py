"""Files are written whole or not at all, the same way every time, under names that are safe."""

import json
import os
import re
import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import artifacts

names = st.text(st.characters(exclude_categories=()), max_size=300)
"""Halves of characters included, as names that are not UTF-8 have them."""


@dataclass(frozen=True)
class Pair:
    b: float
    a: tuple[int, ...]


@given(names)
@example("..")
@example("CON")
@example("Index.html")
@example("layer1/0:conv")
@example("com1.png")
def test_a_slug_needs_no_escaping_anywhere(name):
    found = artifacts.slug(name)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,98}", found)
    assert found[-1] not in "._-"
    assert not re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d|index)(\.|$)", found)


@given(st.lists(names, unique=True, min_size=2, max_size=50))
@example(["a/b", "a:b", "a-b"])
def test_two_names_do_not_share_a_slug(several):
    assert len({artifacts.slug(name) for name in several}) == len(several)


@pytest.mark.parametrize("name", ["layer2.0.conv1", "resnet18", "a-b_c.D"])
def test_a_safe_name_is_its_own_slug(name):
    assert artifacts.slug(name) == name


@given(names)
def test_what_is_left_of_a_name_is_its_own_rest_and_fits_a_folder(name):
    found = artifacts.sanitise(name)
    assert artifacts.sanitise(found) == found
    assert artifacts.slug(artifacts.slug(name)) == artifacts.slug(name)
    assert len(artifacts.slug(name)) <= 99


@given(names, names)
@example("\udcc3\udca9", "é")  # the bytes of é as a file name and as text
@example("\ud800", "\ufffd")
def test_two_names_do_not_share_a_fingerprint(one, other):
    found = artifacts.fingerprint(one)
    assert re.fullmatch("[0-9a-f]{8}", found)
    assert (found == artifacts.fingerprint(other)) == (one == other)


@given(st.binary(max_size=40).map(os.fsdecode) | names)
@example("a\u202eb\u2028c\0\x1b[2J")
def test_any_name_can_be_shown(name):
    shown = artifacts.printable(name)
    assert shown.encode("utf-8").decode() == shown
    assert shown.isprintable()
    assert artifacts.printable(shown) == shown


@given(names)
@example("a\r\x85\u2028\u202eb\ud800")
def test_what_people_wrote_is_kept_but_for_what_cannot_be_seen(text):
    kept = artifacts.seen(text)
    assert kept.encode("utf-8").decode() == kept
    assert len(kept) == len(text)
    assert kept.splitlines() == kept.split("\n")[: len(kept.splitlines())]
    for was, now in zip(text, kept, strict=True):
        assert now == was or (
            now == " " and unicodedata.category(was) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        )
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not bidi & {unicodedata.bidirectional(c) for c in kept}


@pytest.mark.parametrize("text", ["5\u202f000 – “ü”\tx\ny", "👩‍🔬", "نیم‌فاصله", "אב"])
def test_what_can_be_seen_is_kept(text):
    assert artifacts.seen(text) == text


def test_json_is_compact_sorted_and_ends_in_a_newline():
    assert artifacts.encode(Pair(0.1, (1, 2))) == b'{"a":[1,2],"b":0.1}\n'


def test_what_is_read_is_what_was_written(tmp_path):
    path = tmp_path / "pair.json"
    artifacts.write(path, artifacts.encode(Pair(0.1, (1, 2))))
    assert artifacts.decode(path, Pair, "") == Pair(0.1, (1, 2))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "Input data was truncated"),
        (b'{"a":[1],"b":"x"}', "Expected `float`, got `str` - at `$.b`"),
        (b'{"a":[1]}', "Object missing required field `b`"),
        (b'{"a":[1],"b":1}}', "JSON is malformed"),
    ],
)
def test_another_content_is_told_with_the_remedy(tmp_path, content, fault):
    path = tmp_path / "pair.json"
    path.write_bytes(content)
    with pytest.raises(artifacts.ArtifactError) as error:
        artifacts.decode(path, Pair, "make pairs")
    message = str(error.value)
    assert message.startswith(f"{path} is not a Pair: {fault}")
    assert message.endswith("; run make pairs")


def test_a_file_is_replaced_only_where_it_differs(tmp_path):
    path = tmp_path / "new" / "a.bin"
    assert artifacts.write(path, b"one")
    before = path.stat()
    assert not artifacts.write(path, b"one")
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert artifacts.write(path, b"two")
    assert path.stat().st_ino != before.st_ino, "overwritten in place"
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["a.bin"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        artifacts.write(path, b"new")
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"a.bin": b"old"}


@pytest.mark.parametrize("data", [b"old", b"new"])
def test_a_write_clears_away_what_a_killed_one_left(tmp_path, data):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    (tmp_path / ".a.bin.partial").write_bytes(b"ne")
    artifacts.write(path, data)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"a.bin": data}


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=r"No space left on device: '.*/\.a\.bin\.partial'"):
        artifacts.write(tmp_path / "a.bin", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_schema_describes_the_dataclasses():
    schema = json.loads(artifacts.schema(Pair))
    assert schema["anyOf"] == [{"$ref": "#/$defs/Pair"}]
    assert schema["$defs"]["Pair"]["required"] == ["b", "a"]


@dataclass(frozen=True)
class Measured:
    values: list[float]
    known: float | None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_never_holds_a_number_that_is_none(value):
    assert artifacts.encode(Measured([1.0], None)) == b'{"known":null,"values":[1.0]}\n'
    with pytest.raises(artifacts.ArtifactError, match=r"a Measured cannot be written: .*values\[1"):
        artifacts.encode(Measured([1.0, value], None))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pair.json")
    with pytest.raises(artifacts.ArtifactError, match="is no file: remove it, then run make pairs"):
        artifacts.decode(tmp_path / "pair.json", Pair, "make pairs")
