"""Which photos a folder or a list gives to a survey, what is said of them, and how they are cut."""

import os
import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precompute.errors import PhotoError
from precompute.limits import DEFAULT
from survey import dataset
from survey.contract import Credit
from survey.dataset import content, fingerprint, shards
from survey.errors import SurveyError
from survey.job import Item

MODEL = SimpleNamespace(categories=("tench", "Cardigan", "crane", "church"))


def read(photos, classes=None, model=MODEL):
    return dataset.read_data_set(Path(photos), classes, model)


def refusal(*arguments):
    with pytest.raises(SurveyError) as error:
        read(*arguments)
    return str(error.value)


def write(root, *names, data=b"x"):
    """Write files of any names, bytes included; return the folder."""
    for name in names:
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    return root


def labelled(data_set):
    """Return the class of each photo, by its name."""
    return {
        item.name: None if item.label is None else data_set.classes[item.label]
        for item in data_set.items
    }


# The folder.


def test_a_folder_gives_its_photos_by_name(tmp_path):
    write(tmp_path, "b.png", "a/c.jpg", "a.b/d.webp", "notes.txt", data=b"12345")
    (b,) = (item for item in read(tmp_path).items if item.name == "b.png")
    status = (tmp_path / "b.png").stat()
    assert [item.name for item in read(tmp_path).items] == ["a.b/d.webp", "a/c.jpg", "b.png"]
    assert b == Item("b.png", str(tmp_path / "b.png"), None, 5, status.st_mtime_ns, None)


def test_paths_are_absolute_for_processes_elsewhere(tmp_path, monkeypatch):
    write(tmp_path, "in/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert read("in").items[0].path == str(tmp_path / "in/a.jpg")


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        pytest.param(["red/a.jpg", "blue/b.jpg"], ["blue", "red"], id="a folder a class"),
        pytest.param(
            ["train/red/a.jpg", "train/blue/b.jpg", "Val/red/c.jpg"],
            ["red", "blue", "red"],
            id="parts of a data set",
        ),
        pytest.param(
            ["red/x/a.jpg", "red/y/b.jpg", "blue/x/c.jpg"],
            ["blue", "red", "red"],
            id="folders in a class",
        ),
        pytest.param(
            ["bus/a.jpg", "train/b.jpg"], ["bus", "train"], id="a class that is called train"
        ),
        pytest.param(["train/a.jpg", "val/b.jpg"], [None, None], id="parts and no classes"),
        pytest.param(["a.jpg", "red/a.jpg", "blue/a.jpg"], [None, "blue", "red"], id="some"),
        pytest.param(["all/a.jpg", "all/b.jpg"], [None, None], id="one folder"),
        pytest.param(["tench/a.jpg", "tench/b.jpg"], ["tench", "tench"], id="one category"),
    ],
)
def test_folders_are_classes(tmp_path, names, classes):
    assert list(labelled(read(write(tmp_path, *names))).values()) == classes


def test_a_class_may_have_one_photo(tmp_path):
    write(tmp_path, "red/a.jpg", "blue/b.jpg", "blue/c.jpg")
    assert [item.label for item in read(tmp_path).items] == [0, 0, 1]


def test_names_may_be_any_bytes(tmp_path):
    names = [b"\xff.jpg", b"a\nb.jpg", b"x" * 251 + b".jpg", "é/ü.jpg".encode()]
    write(tmp_path, *names)
    found = read(tmp_path)
    assert {item.name.encode("utf-8", "surrogateescape") for item in found.items} == set(names)
    assert {content(item, DEFAULT) for item in found.items} == {b"x"}


def test_what_is_no_file_is_a_fault_and_no_link_is_followed(tmp_path):
    write(tmp_path, "a.jpg", "b/a.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe.png")
    found = read(tmp_path)
    assert list(found.faults) == ["link.jpg", "pipe.png"]
    assert len(found.items) == 2


@pytest.mark.parametrize("there", [[], ["empty/notes.txt"], [".hidden.jpg"]])
def test_a_folder_without_photos_says_what_was_looked_for(tmp_path, there):
    assert "looked for JPEG, PNG" in refusal(write(tmp_path, *there))


def test_what_is_no_folder_list_or_archive_is_refused(tmp_path):
    write(tmp_path, "a.jpg")
    assert "is none of them: give a folder" in refusal(tmp_path / "a.jpg")
    assert "does not exist" in refusal(tmp_path / "b")


NAMES = st.lists(
    st.binary(min_size=1, max_size=40).filter(lambda raw: not set(raw) & set(b"/\0")),
    min_size=1,
    max_size=8,
    unique=True,
)


@settings(max_examples=60, deadline=None)
@given(NAMES, st.randoms(use_true_random=False))
def test_names_are_unique_and_sorted_whatever_the_file_system_says(tmp_path_factory, stems, chance):
    root = tmp_path_factory.mktemp("any")
    names = [b"x" + stem + b".jpg" for stem in stems]
    write(root, *names)
    once = read(root)
    scandir = os.scandir

    def shuffled(folder):
        entries = list(scandir(folder))
        chance.shuffle(entries)
        return entries

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", shuffled)
        again = read(root)
    found = [item.name for item in once.items]
    assert len(set(found)) == len(names)
    assert found == sorted(found)
    assert again == once


# The list.


def lines(root, *paths):
    (root / "list.txt").write_bytes(b"".join(os.fsencode(path) + b"\n" for path in paths))
    return root / "list.txt"


def test_a_list_gives_what_it_names(tmp_path):
    write(tmp_path, "a/1.jpg", "b/2.JPEG", "b/3", b"\xff.jpg", "#4.jpg", "not listed.jpg")
    listed = lines(
        tmp_path, "# red ones", "", "b/3", "b//2.JPEG\r", "./a/1.jpg", b"\xff.jpg", "./#4.jpg"
    )
    found = read(listed)
    assert labelled(found) == {
        "#4.jpg": None, "a/1.jpg": "a", "b/2.JPEG": "b", "b/3": "b", "\udcff.jpg": None
    }  # fmt: skip
    assert found.faults == {}
    assert found.credit.title == "list"


def test_in_a_list_the_inner_folder_is_the_class(tmp_path):
    write(tmp_path, "x/red/1.jpg", "x/blue/1.jpg")
    assert read(lines(tmp_path, "x/red/1.jpg", "x/blue/1.jpg")).classes == ("blue", "red")


def test_paths_out_of_the_list_s_folder_have_plain_names_and_a_remark(tmp_path):
    write(tmp_path, "photos/1.jpg", "photos/2.jpg", "lists/3.jpg", "lists/x/y")
    listed = lines(tmp_path / "lists", "../photos/1.jpg", tmp_path / "photos/2.jpg", "x/../3.jpg")
    found = read(listed)
    absolute = str(tmp_path / "photos/2.jpg").removeprefix("/")
    assert {item.name: Path(item.path).resolve() for item in found.items} == {
        "photos/1.jpg": tmp_path / "photos/1.jpg",
        absolute: tmp_path / "photos/2.jpg",
        "3.jpg": tmp_path / "lists/3.jpg",
    }
    assert "2 paths of the list lead out of its folder" in found.remarks[0]


def test_what_a_list_names_in_vain_is_a_fault(tmp_path):
    write(tmp_path, "1.jpg", "2.jpg", "a/b.jpg/c.jpg")
    (tmp_path / "l.jpg").symlink_to("1.jpg")
    found = read(
        lines(tmp_path, "1.jpg", "gone.jpg", "l.jpg", "a/b.jpg", "./1.jpg", "2.jpg", "n\0")
    )
    assert [item.name for item in found.items] == ["1.jpg", "2.jpg"]
    assert found.faults == {
        "1.jpg": "there are two of this name, of which the first is used",
        "a/b.jpg": "a folder with the name of a picture: rename it",
        "gone.jpg": "cannot be read: No such file or directory",
        "l.jpg": "a link, which is not followed: put the picture itself there",
        "n\0": "cannot be read: embedded null byte",
    }


def test_a_list_without_photos_is_refused(tmp_path):
    assert "gone.jpg: cannot be read" in refusal(lines(tmp_path, "gone.jpg"))


# What is said of them.


def test_a_table_tells_classes_before_folders(tmp_path):
    write(tmp_path, "a/1.jpg", "a/2.jpg", "a/b/3.jpg", "c/4.jpg", "5.jpg")
    (tmp_path / "classes.csv").write_text(
        "File,class,author,licence\na,red,Ada,CC0-1.0\na/2.jpg,blue,,\na/b,,Bob,\n5.jpg,TENCH,,\n"
    )
    found = read(tmp_path)
    assert labelled(found) == {
        "5.jpg": "tench", "a/1.jpg": "red", "a/2.jpg": "blue", "a/b/3.jpg": "red", "c/4.jpg": "c"
    }  # fmt: skip
    assert found.classes == ("blue", "c", "red", "tench")
    assert found.categories == (None, None, None, 0)
    assert found.credits == {
        "a/1.jpg": ("Ada", "CC0-1.0"),
        "a/2.jpg": ("Ada", "CC0-1.0"),
        "a/b/3.jpg": ("Bob", "CC0-1.0"),
    }


def test_a_table_that_is_given_goes_before_the_one_in_the_folder(tmp_path):
    write(tmp_path / "in", "1.jpg", "new\nline.jpg", b"\xff.jpg")
    (tmp_path / "in/classes.csv").write_text("1.jpg,red\n")
    (tmp_path / "mine.csv").write_bytes(b'1.jpg,blue\n"new\nline.jpg",red\n\xff.jpg,red\n')
    found = read(tmp_path / "in", tmp_path / "mine.csv")
    assert labelled(found) == {"1.jpg": "blue", "new\nline.jpg": "red", "\udcff.jpg": "red"}
    assert labelled(read(tmp_path / "in"))["1.jpg"] == "red"


def test_every_fault_of_a_table_is_counted_and_the_first_are_told(tmp_path):
    write(tmp_path, "1.jpg")
    rows = ["file,class", "1.jpg,red", "1.jpg,blue", "2.jpg", '"3\n.jpg",red'] + ["x.jpg,red"] * 4
    (tmp_path / "classes.csv").write_text("\n".join(rows))
    message = refusal(tmp_path)
    assert "line 3: '1.jpg' was there before, with something else" in message
    assert "line 4 has 1 cells, expected file, class" in message
    assert "line 6: '3\\n.jpg' is no photo, and no folder of photos" in message
    assert message.endswith("line 8: 'x.jpg' is no photo, and no folder of photos; and 2 more")


@pytest.mark.parametrize("head", ["file,class,split", "file", "file,file", "class,file,class"])
def test_a_header_with_other_columns_is_refused(tmp_path, head):
    write(tmp_path, "1.jpg")
    (tmp_path / "classes.csv").write_text(head + "\n")
    assert f"the header is '{head}', expected file and class" in refusal(tmp_path)


def test_a_table_that_is_not_there_is_told(tmp_path):
    write(tmp_path, "1.jpg")
    assert "give a CSV file with CLASSES=" in refusal(tmp_path, tmp_path / "gone.csv")


def test_examples_toml_is_taken_and_charts_are_left_out(tmp_path):
    write(tmp_path, "a.jpg", "b.jpg", "grid.png")
    (tmp_path / "examples.toml").write_text(
        '[[photo]]\nfile = "a.jpg"\nclass = "tench"\nauthor = "Ada"\nlicence = "CC0-1.0"\n'
        '[[photo]]\nfile = "grid.png"\nchart = true\n'
    )
    found = read(tmp_path)
    assert labelled(found) == {"a.jpg": "tench", "b.jpg": None}
    assert found.credits == {"a.jpg": ("Ada", "CC0-1.0")}
    assert "test charts, which are left out: grid.png" in found.remarks
    (tmp_path / "examples.toml").write_text('[[photo]]\nfile = "gone.jpg"\n')
    assert "'file' names no picture" in refusal(tmp_path)


def test_a_folder_of_charts_is_refused(tmp_path):
    write(tmp_path, "grid.png")
    (tmp_path / "examples.toml").write_text('[[photo]]\nfile = "grid.png"\nchart = true\n')
    assert "all are test charts" in refusal(tmp_path)


def test_survey_toml_says_whose_photos_they_are(tmp_path):
    folder = write(tmp_path / "My photos", "a.jpg")
    assert read(folder).credit == Credit("My photos", "", "", "")
    (folder / "survey.toml").write_text(
        'title = "Ten things"\nauthor = "Ada"\nlicence = "CC0-1.0"\nsource = "https://ten.org"\n'
    )
    assert read(folder).credit == Credit("Ten things", "Ada", "CC0-1.0", "https://ten.org")
    (tmp_path / "some.toml").write_text('author = "Bob"\n')
    listed = lines(tmp_path, "My photos/a.jpg").rename(tmp_path / "some.txt")
    assert read(listed).credit == Credit("some", "Bob", "", "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('name = "Ten"', "known keys are title, author, licence, source"),
        ("title = 3", "each a text"),
        ("title =", "cannot be read as TOML"),
    ],
)
def test_faults_of_survey_toml_are_told(tmp_path, text, fault):
    write(tmp_path, "a.jpg")
    (tmp_path / "survey.toml").write_text(text)
    assert fault in refusal(tmp_path)


# Reading and cutting.


def test_a_photo_that_changed_is_told(tmp_path):
    write(tmp_path, "a.jpg", "b.jpg")
    a, b = read(tmp_path).items
    os.utime(a.path, ns=(1, a.modified + 1))
    (tmp_path / "b.jpg").write_bytes(b"longer")
    os.utime(b.path, ns=(1, b.modified))
    for item in (a, b):
        with pytest.raises(PhotoError, match="changed since"):
            content(item, DEFAULT)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(PhotoError, match="cannot be read"):
        content(a, DEFAULT)


def test_content_keeps_to_the_limits(tmp_path):
    (item,) = read(write(tmp_path, "a.jpg", data=b"12345")).items
    assert content(item, replace(DEFAULT, bytes=5)) == b"12345"
    with pytest.raises(PhotoError, match="limit of bytes is 4"):
        content(item, replace(DEFAULT, bytes=4))


def files(count, prefix="p"):
    return [Item(f"{prefix}{n:06}.jpg", "", None, 1, 0, None) for n in range(count)]


def members(archive, count):
    return [Item(f"{archive}/{n:04}.jpg", archive, n, 1, 0, None) for n in range(count)]


@pytest.mark.parametrize("each", [1, 2, 7, 64, 10_000])
@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_shards_hold_all_photos_in_their_order(count, each):
    items = sorted([*files(count), *members("a.tar", count // 3)], key=lambda item: item.name)
    cut = shards(items, each)
    assert [item for shard in cut for item in shard] == items
    assert all(1 <= len(shard) <= each for shard in cut)


def test_shards_are_not_too_many():
    assert len(shards(files(20_000), 100)) < 20_000 / 100 * 3


def test_a_photo_that_is_added_changes_few_shards():
    items = files(5000)
    before = set(shards(items, 50))
    chance = random.Random(0)
    kept = []
    for _ in range(20):
        place = chance.randrange(len(items))
        more = [*items[:place], replace(items[place], name=items[place].name + "+"), *items[place:]]
        kept.append(len(before) - len(before & set(shards(more, 50))))
    assert max(kept) <= 12, "of more than 100"
    assert sum(kept) / len(kept) < 4


def test_a_small_archive_is_not_cut():
    items = [item for n in range(30) for item in members(f"{n:02}.tar", 7)]
    for shard in shards(items, 16):
        assert len(shard) % 7 == 0


def test_the_fingerprint_is_of_the_names():
    items = files(3)
    assert fingerprint(items) == fingerprint([replace(item, size=2, label=1) for item in items])
    assert fingerprint(items) != fingerprint(items[:2])
    split = [replace(items[0], name=name) for name in ("ab", "c")]
    assert fingerprint(split) != fingerprint([replace(items[0], name=n) for n in ("a", "bc")])
    assert fingerprint([replace(items[0], name="\udcff")])
