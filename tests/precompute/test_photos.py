"""Which files of a folder are its photos, what they are called, and every fault that is told."""

import os
import re
import shutil
import unicodedata
from pathlib import Path

import pytest

from precompute.errors import PrecomputeError
from precompute.index import RESERVED
from precompute.photos import Photo, find_photos

ROOT = Path(__file__).parents[2]
CATEGORIES = ("tench", "English springer", "church")


@pytest.fixture
def folder(tmp_path):
    """Make a folder with (empty) files of the names that are given; return its path."""

    def folder(*names, **texts):
        for name in names:
            path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb"):
                pass
        for name, text in texts.items():
            file = {"toml": "examples.toml", "csv": "classes.csv"}[name]
            (tmp_path / file).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return folder


def found(folder):
    return find_photos(folder, CATEGORIES)[0]


def names(folder):
    return [photo.path.relative_to(folder).as_posix() for photo in found(folder)]


def refusal(folder):
    with pytest.raises(PrecomputeError) as error:
        find_photos(folder, CATEGORIES)
    return str(error.value)


def test_a_description_is_read(folder):
    toml = """
        [[photo]]
        file = "b.png"
        title = "B"
        author = "Ada"
        licence = "CC0-1.0"
        source = "https://example.org/b"
        modified = "resized"
        note = "Look."
        class = "church"
        box = [1, 2.5, 30, 40]
        [[photo]]
        file = "a.jpg"
        chart = true
    """
    at = folder("a.jpg", "b.png", "c.jpg", toml=toml)
    assert find_photos(at, CATEGORIES) == (
        [
            Photo(
                path=at / "b.png",
                id="b",
                title="B",
                author="Ada",
                licence="CC0-1.0",
                source="https://example.org/b",
                modified="resized",
                note="Look.",
                true_class="church",
                box=(1, 2.5, 30, 40),
            ),
            Photo(path=at / "a.jpg", id="a", title="A", chart=True),
            Photo(path=at / "c.jpg", id="c", title="C"),
        ],
        [],
    )


def test_every_fault_of_a_description_is_told_at_once(folder):
    toml = """
        [[photo]]
        title = "no file"
        [[photo]]
        file = "gone.jpg"
        [[photo]]
        file = "a.jpg"
        tilte = "A"
        chart = "yes"
        class = "unicorn"
        [[photo]]
        file = "a.jpg"
        box = [9, 0, 3, 4]
        [[photo]]
        file = "b.jpg"
        box = [1, 2, "3", 4]
        note = 5
    """
    at = folder("a.jpg", "b.jpg", toml=toml)
    path, _, faults = refusal(at).partition(": ")
    known = "file, title, author, licence, source, modified, note, class, box, chart"
    assert path == str(at / "examples.toml")
    assert faults.split("; ") == [
        f"photo 1 (None): 'file' names no picture in {at}",
        f"photo 2 (gone.jpg): 'file' names no picture in {at}",
        f"photo 3 (a.jpg): unknown key 'tilte': known keys are {known}",
        "photo 3 (a.jpg): 'chart' is 'yes', expected another type",
        "photo 3 (a.jpg): 'class' is 'unicorn', which is no category of the model",
        "photo 4 (a.jpg): described twice",
        "photo 4 (a.jpg): 'box' is [9, 0, 3, 4], expected [left, top, right, bottom]",
        "photo 5 (b.jpg): 'note' is 5, expected another type",
        "photo 5 (b.jpg): 'box' is [1, 2, '3', 4], expected [left, top, right, bottom]",
    ]


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("[[photo", "is not valid TOML: "),
        (b"title = '\xff'", "is not valid TOML: "),
        ("photo = 3", "expected [[photo]] tables"),
        ("photo = ['a.jpg']", "expected [[photo]] tables"),
    ],
)
def test_a_description_that_cannot_be_read_is_told(folder, toml, problem):
    message = refusal(folder("a.jpg", toml=toml))
    assert problem in message
    assert "examples.toml" in message


def test_titles_come_from_names(folder):
    at = folder("my_best-photo  (1).jpg", "_.png", "été.png", "a\nb.gif", b"\xff.bmp", "<b>.webp")
    assert sorted(photo.title for photo in found(at)) == sorted(
        ["My best photo (1)", "Untitled", "Été", "A b", "\ufffd", "<b>"]
    )


STRANGE = [
    "plain.jpg",
    "with space.jpg",
    "quote'\".jpg",
    "<script>.jpg",
    "new\nline.jpg",
    b"\xff\xfe.jpg",
    b"\xff\xfd.jpg",
    "CON.jpg",
    "aux.tar.jpg",
    "index.jpg",
    "_shared.jpg",
    "%2e%2e.jpg",
    "a..jpg",
    "-rf.jpg",
    "x" * 251 + ".jpg",
    "x" * 250 + "y.jpg",
    "ä" * 120 + ".jpg",
    "日本.jpg",
    "\u202egpj.jpg",
    unicodedata.normalize("NFC", "é.jpg"),
    unicodedata.normalize("NFD", "é.jpg"),
    "Case.jpg",
    "case.jpg",
    "case.png",
    "sub/case.jpg",
    "sub-case.jpg",
]


def test_ids_are_safe_in_urls_and_file_systems_and_unique_where_case_folds(folder):
    photos = found(folder(*STRANGE))
    assert len(photos) == len(STRANGE)
    ids = [photo.id for photo in photos]
    assert [id_ for id_ in ids if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", id_)] == []
    assert [id_ for id_ in ids if id_.endswith((".", "-", "_"))] == []
    reserved = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|index)(\.|$)")
    assert [id_ for id_ in ids if reserved.match(id_)] == []
    assert len({id_.casefold() for id_ in ids}) == len(STRANGE)
    assert "plain" in ids


def test_no_photo_takes_the_address_of_a_page_of_the_site(folder):
    pages = {path.stem for path in (ROOT / "site_template" / "templates").glob("*.html")}
    assert pages > set(RESERVED)
    photos = found(folder("your-photo.jpg", "Embed.png", "embedded.jpg"))
    ids = [photo.id for photo in photos]
    assert [id_ for id_ in ids if id_ in RESERVED] == []
    assert [id_.rsplit("-", 1)[0] for id_ in ids] == ["embed", "embedded", "your-photo"]


def test_ids_depend_on_the_path_in_the_folder_alone(folder, tmp_path_factory):
    at = folder(*STRANGE)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "deeper"
    shutil.copytree(at, elsewhere)
    (elsewhere / "another.jpg").touch()
    before = {photo.path.relative_to(at): photo.id for photo in found(at)}
    after = {photo.path.relative_to(elsewhere): photo.id for photo in found(elsewhere)}
    assert before.items() < after.items()


def test_only_plain_visible_files_that_look_like_pictures_are_taken(folder):
    at = folder("a.JPG", "b.jpeg", "sub/c.tif", ".hidden.jpg", ".folder/d.jpg", "notes.txt", "e")
    (at / "folder.jpg").mkdir()
    (at / "folder.jpg" / "inner.png").touch()
    (at / "link.jpg").symlink_to(at / "a.JPG")
    (at / "linked").symlink_to(at / "sub")
    os.mkfifo(at / "pipe.jpg")
    assert names(at) == ["a.JPG", "b.jpeg", "folder.jpg/inner.png", "sub/c.tif"]


def test_the_order_does_not_depend_on_the_file_system(folder):
    shuffled = ["b/2.jpg", "a.jpg", "b/10.jpg", "c.jpg", "B.jpg", "b.jpg"]
    assert names(folder(*shuffled)) == sorted(shuffled)


def test_classes_come_from_folders(folder):
    at = folder("english_springer/a.jpg", "Church/b.jpg", "holidays/c.jpg", "d.jpg", b"\xff/e.jpg")
    photos, remarks = find_photos(at, CATEGORIES)
    assert {photo.path.name: photo.true_class for photo in photos} == {
        "a.jpg": "English springer",
        "b.jpg": "church",
        "c.jpg": None,
        "d.jpg": None,
        "e.jpg": None,
    }
    assert remarks == [
        "'holidays' is no category: its photos have no true class",
        "'\ufffd' is no category: its photos have no true class",
    ]


def test_classes_come_from_a_list_before_folders(folder):
    csv = '\ufeffFile,Class\r\ntench/a.jpg,"CHURCH"\r\n\r\nb.jpg,english springer\r\n'
    at = folder("tench/a.jpg", "b.jpg", "tench/c.jpg", csv=csv)
    assert [photo.true_class for photo in found(at)] == ["English springer", "church", "tench"]


def test_every_fault_of_a_list_of_classes_is_told_at_once(folder):
    at = folder("a.jpg", "b.jpg", csv="a.jpg,unicorn\nb.jpg,tench\nb.jpg\ngone.jpg,tench\n")
    assert refusal(at) == (
        f"{at / 'classes.csv'}: line 1 is 'a.jpg,unicorn'; line 3 is 'b.jpg'; "
        "line 4 is 'gone.jpg,tench'; expected a picture's path, a comma and a category"
    )


def test_a_list_of_classes_in_another_encoding_is_told(folder):
    at = folder("é.jpg", csv="é.jpg,tench\n".encode("latin-1"))
    assert refusal(at).startswith(f"{at / 'classes.csv'} is not a CSV file in UTF-8: ")


def test_a_folder_without_photos_is_told(folder):
    at = folder("notes.txt")
    assert refusal(at) == (f"no photos in {at}: put JPEG, PNG, WebP, GIF, BMP or TIFF files there")
    assert (
        refusal(at / "none") == f"no folder of photos at {at / 'none'}: give one with IMAGES=folder"
    )
