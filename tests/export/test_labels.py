"""Names of classes from text and JSON, and one clear line about each file that cannot be used."""

import pytest

from export.errors import LabelsError
from export.labels import read_labels

NAMES = ("giant panda", "Löwe", "crane", "crane")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "classes"

    def file(data):
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return file


@pytest.mark.parametrize(
    "content",
    [
        "giant panda\nLöwe\ncrane\ncrane",
        "giant panda\nLöwe\ncrane\ncrane\n\n",
        "\ufeffgiant panda\r\nLöwe \r\n crane\r\ncrane\r\n",
        '["giant panda", "Löwe", "crane", "crane"]',
        '\n [\n"giant panda", "L\\u00f6we",\n"crane",\n"crane"]\n',
    ],
)
def test_names_come_in_the_order_of_the_file(file, content):
    assert read_labels(file(content)) == NAMES


def test_what_cannot_be_shown_becomes_a_space(file):
    assert read_labels(file("a\tb\u2028c\x1b[31m\nd")) == ("a b c [31m", "d")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "{} names no class: "),
        (b" \n\n", "{} names no class: "),
        (b"[]", "{} names no class: "),
        (b"a\n\nb\n", "{} has no name for class 1 (they are counted from 0): "),
        (b'["a", "b", " "]', "{} has no name for class 2 "),
        (b"[1, 2]", "{} begins like a JSON list and is no list of texts: "),
        (b'["a", ', "{} begins like a JSON list and is no list of texts: "),
        (b"[" * 100_000, "{} begins like a JSON list and is no list of texts: "),
        (b"\xff\xfe\x00", "{} is no text in UTF-8: "),
    ],
)
def test_a_file_that_names_no_classes_is_told_in_a_line(file, content, problem):
    path = file(content)
    with pytest.raises(LabelsError) as refusal:
        read_labels(path)
    assert str(refusal.value).startswith(problem.format(path))
    assert "\n" not in str(refusal.value)


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(LabelsError, match=r"none\.txt, which does not exist: give a text file"):
        read_labels(tmp_path / "none.txt")
    with pytest.raises(LabelsError, match="which is no file: give a text file"):
        read_labels(tmp_path)


def test_a_file_beyond_all_measure_is_not_read(file):
    with pytest.raises(LabelsError, match="has more than 10 MB"):
        read_labels(file(b"a\n" * 5_000_001))
