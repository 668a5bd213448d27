"""The classes of a data set, and which category of the model each of them is."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import artifacts
from precompute.categories import Categories, letters
from precompute.folder import some

SYNSETS_PATH = Path(__file__).with_name("imagenet_synsets.txt")
"""The WordNet ids of ImageNet's 1000 classes in the order of a network's outputs, which is that of
the ids, each with torchvision's name for it. The ids are those of the ImageNet challenge of 2012
(https://image-net.org/challenges/LSVRC/2012/browse-synsets); the names are the `categories` of
torchvision's weights (BSD-3-Clause)."""

_SYNSET = re.compile(r"n\d{8}", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Classes:
    """The classes of a data set, sorted by name."""

    names: tuple[str, ...]
    """As the model spells its category, else as they are given."""
    categories: tuple[int | None, ...]
    """Position in the model's categories."""
    position: Mapping[str, int]
    """Of each given class: several words can mean one class."""
    remarks: list[str]


NO_CLASSES = Classes((), (), {}, [])


@cache
def synsets() -> dict[str, str]:
    """Return ImageNet's name of each WordNet id, in the order of a network's outputs."""
    lines = SYNSETS_PATH.read_text("utf-8").splitlines()
    return {synset: name for synset, _, name in (line.partition(" ") for line in lines)}


def imagenet_begins_at(categories: Sequence[str]) -> int | None:
    """Return where ImageNet's 1000 classes begin among `categories`: 0, or 1 after a background.

    None if these are other categories. Lists of ImageNet's names differ in some, and give several
    names with commas between them; more than half are the same in all of them.
    """
    begin = len(categories) - len(synsets())
    if begin not in {0, 1}:
        return None
    pairs = zip(categories[begin:], synsets().values(), strict=True)
    same = sum(letters(ours.split(",")[0]) == letters(name) for ours, name in pairs)
    return begin if same > len(synsets()) / 2 else None


def find_classes(
    told: Collection[str], folders: Collection[str], categories: Sequence[str]
) -> Classes:
    """Return the classes that `told` (by a person, in a table or beside photos) and the names of
    `folders` mean.

    A class is the category of its name, or of its WordNet id; a number that is no name is the
    category at that position. Folders are often numbered in an order of their own: their numbers
    are categories only where every category has its folder.
    """
    numbers = set(filter(_NUMBER.fullmatch, told))
    numbered = set(filter(_NUMBER.fullmatch, folders))
    if {int(number) for number in numbered} == set(range(len(categories))):
        numbers |= numbered
    find = _Finder(categories, numbers)
    meanings: dict[tuple[int | None, str], list[str]] = {}
    for given in sorted({*told, *folders}):
        meanings.setdefault(find(given), []).append(given)
    often = Counter(name for _, name in meanings)
    classes = []
    for (category, name), words in meanings.items():
        shown = f"{name} ({artifacts.escaped(words[0])})" if often[name] > 1 else name
        classes.append((shown, category, words))
    classes.sort(key=lambda one: (one[0], one[2]))
    return Classes(
        tuple(name for name, _, _ in classes),
        tuple(category for _, category, _ in classes),
        {word: place for place, (_, _, words) in enumerate(classes) for word in words},
        _remarks(classes, find),
    )


class _Finder:
    """Finds the category that a class is, and what the class is called."""

    def __init__(self, categories: Sequence[str], numbers: Collection[str]) -> None:
        self.taken_as_numbers: dict[str, str] = {}
        self.ambiguous: list[str] = []
        self._known, self._numbers = Categories(categories), numbers
        self._begin = imagenet_begins_at(categories)
        self._places = {synset: place for place, synset in enumerate(synsets())}

    def __call__(self, given: str) -> tuple[int | None, str]:
        """Return position and name."""
        names = self._known.names
        found = self._known.positions(given)
        shown = artifacts.escaped(given)
        if not found and _SYNSET.fullmatch(given) and given in self._places:
            shown = synsets()[given]
            begin = self._begin
            found = self._known.positions(shown) if begin is None else [begin + self._places[given]]
        if not found and given in self._numbers and int(given) < len(names):
            found = [int(given)]
            self.taken_as_numbers[given] = names[found[0]]
        if len(found) > 1:
            self.ambiguous.append(given)
        return (found[0], names[found[0]]) if len(found) == 1 else (None, shown)


def _remarks(classes: list[tuple[str, int | None, list[str]]], find: _Finder) -> list[str]:
    remarks = []
    foreign = [name for name, category, _ in classes if category is None]
    if foreign and len(foreign) == len(classes):
        remarks.append(
            "no class of the data set is a category of the model: nothing tells its right answers"
        )
    elif foreign:
        remarks.append(f"no categories of the model, and not judged: {some(foreign)}")
    if find.ambiguous:
        remarks.append(f"the name of several categories: {some(find.ambiguous)}")
    if find.taken_as_numbers:
        number, name = next(iter(find.taken_as_numbers.items()))
        remarks.append(
            f"{len(find.taken_as_numbers)} of the classes are numbers, and taken for the model's "
            f"categories counted from 0: {number} is {name}"
        )
    return remarks
