"""The names of a model's classes, in the order of its outputs, from a file."""

from pathlib import Path

import msgspec

import artifacts
from export.errors import LabelsError

LARGEST_FILE = 10_000_000
"""Bytes."""
IMAGENET = "imagenet"
"""Stands for the names of ImageNet's 1000 classes, where the path of a file can stand too."""


def read_labels(path: Path) -> tuple[str, ...]:
    """Return the names in a text file with one on each line, or in a JSON list of texts.

    Two classes may have one name (ImageNet has two cranes), and none may have none: an empty line
    would move all names after it. Raises LabelsError.
    """
    path = path.expanduser()
    if not path.is_file():
        there = "is no file" if path.exists() else "does not exist"
        raise LabelsError(
            f"no names of classes at {path}, which {there}: give a text file, a line "
            "for each class in the order of the model's outputs, or a JSON list"
        )
    if path.stat().st_size > LARGEST_FILE:
        raise LabelsError(
            f"{path} has more than {LARGEST_FILE / 1e6:.0f} MB: expected names of classes"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise LabelsError(f"{path} is no text in UTF-8: expected names of classes") from None
    except OSError as error:
        raise LabelsError(f"{path} cannot be read: {error.strerror}") from None
    names = _json(text, path) if text.lstrip().startswith("[") else text.rstrip().split("\n")
    names = [" ".join(artifacts.printable(name).split()) for name in names]
    if not any(names):
        raise LabelsError(f"{path} names no class: expected a line for each")
    if "" in names:
        raise LabelsError(
            f"{path} has no name for class {names.index('')} (they are counted from 0): expected "
            "a line for each class, in the order of the model's outputs"
        )
    return tuple(names)


def _json(text: str, path: Path) -> list[str]:
    try:
        return msgspec.json.decode(text, type=list[str])
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise LabelsError(
            f"{path} begins like a JSON list and is no list of texts: {error}"
        ) from None
