"""Files are written whole or not at all, the same way every time, under names that are safe."""

import json
import os
import re
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import artifacts

names = st.text(st.characters(codec="utf-8"), max_size=300)


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


@given(st.binary(max_size=40))
def test_any_file_name_can_be_shown(raw):
    shown = artifacts.printable(os.fsdecode(raw))
    assert shown.encode("utf-8").decode() == shown
    assert shown.isprintable()


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
