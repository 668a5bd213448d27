"""Which files of a folder are its photos, what they are called, and every fault that is told."""

import hashlib
import os
import re
import socket
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

import artifacts
from precompute.errors import PrecomputeError
from precompute.index import RESERVED, Skipped
from precompute.photos import Found, Photo, find_photos, id_of

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
    return find_photos(folder, CATEGORIES).photos


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
        id = "chosen"
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
    assert find_photos(at, CATEGORIES) == Found(
        [
            Photo(
                path=at / "b.png",
                name="b.png",
                id="chosen",
                title="B",
                author="Ada",
                licence="CC0-1.0",
                source="https://example.org/b",
                modified="resized",
                note="Look.",
                true_class="church",
                box=(1, 2.5, 30, 40),
            ),
            Photo(path=at / "a.jpg", name="a.jpg", id="a", title="A", chart=True),
            Photo(path=at / "c.jpg", name="c.jpg", id="c", title="C"),
        ],
        [],
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
    known = "file, id, title, author, licence, source, modified, note, class, box, chart"
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
    alone = {}
    for name in STRANGE:
        home = tmp_path_factory.mktemp("alone")
        path = os.path.join(os.fsencode(home), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb"):
            pass
        (photo,) = found(home)
        alone[photo.name] = photo.id
    assert {photo.name: photo.id for photo in found(at)} == alone


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("panda.jpg", "panda"),
        ("red-panda_2.jpg", "red-panda_2"),
        ("panda.png", "panda-"),
        ("Panda.jpg", "panda-"),
        ("panda.JPG", "panda-"),
        ("red panda.jpg", "red-panda-"),
        ("zoo/panda.jpg", "panda-"),
        ("con.jpg", "x-"),
        ("embed.jpg", "embed-"),
        ("a-0123456789.jpg", "a-0123456789-"),
        ("日本.jpg", "x-"),
    ],
)
def test_plain_names_are_ids_and_others_get_a_fingerprint(folder, name, expected):
    (photo,) = found(folder(name))
    digits = hashlib.sha256(name.encode()).hexdigest()[:10]
    assert photo.id == expected + digits * expected.endswith("-")


@given(
    st.sets(
        st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="/\0"),
            min_size=1,
            max_size=60,
        ),
        max_size=9,
    )
)
@example({"A.jpg", "a.jpg", "a.png", "a.jpeg"})
def test_ids_of_any_names_are_safe_and_unique_where_case_folds(stems):
    listed = [id_of(name) for stem in stems for name in (f"{stem}.jpg", f"{stem}.PNG")]
    assert len({one.casefold() for one in listed}) == 2 * len(stems)
    for one in listed:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", one)
        assert artifacts.sanitise(one)[:80] == one[:80]
        assert one not in RESERVED


@given(st.binary(min_size=1, max_size=200).filter(lambda raw: b"/" not in raw and b"\0" not in raw))
def test_ids_of_any_bytes_are_safe(raw):
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", id_of(raw.decode("utf-8", "surrogateescape")))


def test_two_photos_cannot_share_an_id(folder):
    at = folder("a.jpg", "b.png", toml='[[photo]]\nfile = "b.png"\nid = "a"\n')
    assert refusal(at) == (
        f"b.png and a.jpg have the id 'a': rename a file, or give it another 'id' in "
        f"{at / 'examples.toml'}"
    )


@pytest.mark.parametrize("chosen", ["", "A", "a b", "../a", "con", "embed", "index", "é", "a" * 81])
def test_a_chosen_id_that_is_not_plain_is_refused(folder, chosen):
    at = folder("a.jpg", toml=f'[[photo]]\nfile = "a.jpg"\nid = "{chosen}"\n')
    assert f"'id' is {chosen!r}, expected at most 80 small letters and digits" in refusal(at)


def test_what_is_no_plain_visible_file_is_told_and_not_followed(folder):
    at = folder("a.JPG", "b.jpeg", "sub/c.tif", ".hidden.jpg", "sub/._c.tif", ".folder/d.jpg", "e")
    (at / "notes.txt").write_text("no picture")
    Image.new("L", (2, 2)).save(at / "IMG_0001", "PNG")
    (at / "folder.jpg").mkdir()
    (at / "folder.jpg" / "inner.png").touch()
    (at / "link.jpg").symlink_to(at / "a.JPG")
    (at / "broken.png").symlink_to(at / "gone")
    (at / "linked").symlink_to("/")
    (at / "loop").symlink_to(at / "loop")
    os.mkfifo(at / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as plug:
        os.chdir(at)  # the address of a socket is short
        plug.bind("plug.gif")
    found = find_photos(at, CATEGORIES)
    assert [photo.name for photo in found.photos] == ["a.JPG", "b.jpeg", "sub/c.tif"]
    assert {skip.file: skip.reason for skip in found.skipped} == {
        "broken.png": "a link, which is not followed: put the picture itself there",
        "folder.jpg": "a folder with the name of a picture: rename it",
        "link.jpg": "a link, which is not followed: put the picture itself there",
        "pipe.jpg": "a pipe, not a picture",
        "plug.gif": "a socket, not a picture",
    }
    assert found.remarks == [
        "passed over, because hidden: .folder, .hidden.jpg, sub/._c.tif",
        "passed over, because links are not followed: linked, loop",
        "passed over, because not named like pictures (.jpg, .png, …): IMG_0001",
        "'sub' is no category: its photos have no true class",
    ]


def test_a_long_list_is_cut(folder):
    at = folder("a.jpg", *(f".{letter}.jpg" for letter in "bcdefgh"))
    assert find_photos(at, CATEGORIES).remarks == [
        "passed over, because hidden: .b.jpg, .c.jpg, .d.jpg, .e.jpg, .f.jpg and 2 more"
    ]


def test_a_folder_that_cannot_be_read_is_told(folder, monkeypatch):
    at = folder("a.jpg", "locked/b.jpg")
    scandir = os.scandir

    def refuse(path):  # root may read everything, so that no mode of a folder would do
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_photos(at, CATEGORIES)
    assert [photo.name for photo in found.photos] == ["a.jpg"]
    assert found.skipped == [Skipped("locked", "folder cannot be read: Permission denied")]


def test_the_folder_itself_may_be_a_link(folder, tmp_path_factory):
    at = folder("a.jpg")
    link = tmp_path_factory.mktemp("links") / "photos"
    link.symlink_to(at)
    assert names(link) == ["a.jpg"]


def test_the_order_does_not_depend_on_the_file_system(folder):
    shuffled = ["b/2.jpg", "a.jpg", "b/10.jpg", "c.jpg", "B.jpg", "b.jpg"]
    assert names(folder(*shuffled)) == sorted(shuffled)


def test_classes_come_from_folders(folder):
    at = folder("english_springer/a.jpg", "Church/b.jpg", "holidays/c.jpg", "d.jpg", b"\xff/e.jpg")
    listed = find_photos(at, CATEGORIES)
    assert {photo.path.name: photo.true_class for photo in listed.photos} == {
        "a.jpg": "English springer",
        "b.jpg": "church",
        "c.jpg": None,
        "d.jpg": None,
        "e.jpg": None,
    }
    assert listed.remarks == [
        "'holidays' is no category: its photos have no true class",
        "'\\xff' is no category: its photos have no true class",
    ]


def test_a_category_of_the_very_name_goes_before_one_that_reads_alike(folder):
    at = folder("Cardigan/a.jpg", "cardigan/b.jpg", "CHURCH/c.jpg")
    photos = find_photos(at, ["Cardigan", "church", "cardigan"]).photos
    assert {photo.path.name: photo.true_class for photo in photos} == {
        "a.jpg": "Cardigan",
        "b.jpg": "cardigan",
        "c.jpg": "church",
    }


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


def test_classes_of_another_model_are_left_out_with_a_remark(folder):
    toml = """
        [[photo]]
        file = "a.jpg"
        class = "daisy"
        [[photo]]
        file = "b.jpg"
        class = "tulip"
    """
    at = folder("a.jpg", "b.jpg", toml=toml)
    found = find_photos(at, CATEGORIES)
    assert [photo.true_class for photo in found.photos] == [None, None]
    assert found.remarks == [
        f"no class in {at / 'examples.toml'} is a category of the model: no photo has a true class"
    ]
    assert find_photos(at, ("daisy", "tulip")).photos[1].true_class == "tulip"
    with pytest.raises(PrecomputeError, match=r"'class' is 'daisy', which is no category"):
        find_photos(at, ("tulip",))
