"""The photos of a survey: which there are, what class each has, and whose they are."""

import hashlib
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from export.manifest import ModelManifest
from precompute.decode import as_photo_error, read
from precompute.errors import PhotoError, PrecomputeError
from precompute.folder import some
from precompute.limits import Limits
from precompute.photos import CLASSES, DESCRIPTION, read_descriptions
from survey.archives import read_member
from survey.classes import NO_CLASSES, find_classes
from survey.contract import Credit
from survey.credit import read_credit
from survey.errors import SurveyError
from survey.job import Item, Shard, key_of
from survey.labels import Told, class_depth, read_table
from survey.listing import NOTHING, About, Listing
from survey.sources import look


@dataclass(frozen=True)
class DataSet:
    """The photos that a person gave."""

    items: Sequence[Item]
    """Sorted by name."""
    classes: tuple[str, ...]
    """Sorted by name; an Item's label is the position here."""
    categories: tuple[int | None, ...]
    """For each class the model's category, if it is one."""
    credit: Credit
    credits: Mapping[str, tuple[str, str]]
    """Author and licence of the photos that have their own, by name; either may be empty."""
    faults: dict[str, str]
    """By name, why what should be a photo cannot be used; sorted by name."""
    remarks: list[str]
    """What else a person should know."""


def read_data_set(photos: Path, classes: Path | None, manifest: ModelManifest) -> DataSet:
    """Return what there is at `photos`: a folder, a list or an archive (survey.sources.look).

    The class of a photo is, whichever comes first: what the CSV file `classes` says, or else
    classes.csv in the folder; what stands beside it in an archive; what examples.toml in the folder
    says; the first folder that it lies in, or the second where all first ones are parts of a data
    set (train, val, test). In an archive the folders there count, and in a list the folder that
    the file lies in. One folder that holds all photos with a class, and is no category, is no
    class. Charts of examples.toml are left out.

    Raises SurveyError.
    """
    listing = look(photos)
    folder = photos.expanduser()
    described, remarks = _described(folder, listing, manifest.categories)
    told = Told(_table(folder, classes, listing.items.keys()))
    class_of = _class_of_folders(listing)

    names = sorted(listing.items)
    labels: list[str] = []
    said: set[str] = set()
    folders: set[str] = set()
    credits: dict[str, tuple[str, str]] = {}
    for name in names:
        beside = listing.about.get(name, NOTHING).over(described.get(name, NOTHING))
        about = told.of(name).over(beside)
        if about.author or about.licence:
            credits[name] = (about.author, about.licence)
        label = about.label or class_of(listing.items[name])
        if label:
            (said if about.label else folders).add(label)
        labels.append(label)

    found = find_classes(said, folders, manifest.categories)
    if not said and found.categories == (None,):
        remarks.append(f"all photos with a folder are in {found.names[0]}: that is no class")
        found = NO_CLASSES
    items = []
    for name, label in zip(names, labels, strict=True):
        item = listing.items.pop(name)  # of a million photos, there should be one list
        place = found.position.get(label)
        items.append(item if place is None else replace(item, label=place))
    return DataSet(
        items,
        found.names,
        found.categories,
        read_credit(photos),
        credits,
        dict(sorted(listing.faults.items())),
        listing.remarks + remarks + found.remarks,
    )


def _described(
    folder: Path, listing: Listing, categories: Sequence[str]
) -> tuple[dict[str, About], list[str]]:
    """Return what examples.toml says of photos, and remarks; take its charts out of `listing`."""
    if not folder.is_dir():
        return {}, []
    try:
        described, foreign = read_descriptions(folder, listing.items.keys(), categories)
    except PrecomputeError as error:
        raise SurveyError(str(error)) from None
    remarks = [foreign] if foreign else []
    charts = [name for name, table in described.items() if table.get("chart")]
    for name in charts:
        del listing.items[name]
    if not listing.items:
        raise SurveyError(f"no photos in {folder}: {DESCRIPTION} says that all are test charts")
    if charts:
        remarks.append(f"test charts, which are left out: {some(charts)}")
    return {
        name: About(table.get("class", ""), table.get("author", ""), table.get("licence", ""))
        for name, table in described.items()
    }, remarks


def _table(folder: Path, classes: Path | None, names: Collection[str]) -> dict[str, About]:
    """Return what the CSV file `classes`, or else the one in the folder, says."""
    path = classes.expanduser() if classes else folder / CLASSES
    if path.is_file():
        return read_table(path, names)
    if classes:
        raise SurveyError(f"no table of classes at {path}: give a CSV file with CLASSES=…")
    return {}


def _class_of_folders(listing: Listing) -> Callable[[Item], str]:
    """Return what tells the class of a photo from the folders that it lies in, empty for none."""
    around = map(listing.folders, listing.items.values())
    depth = class_depth({folders[0] for folders in around if folders})

    def class_of(item: Item) -> str:
        folders = listing.folders(item)
        return sys.intern(folders[depth]) if len(folders) > depth else ""

    return class_of


def content(item: Item, limits: Limits) -> bytes:
    """Return the bytes of a photo's file.

    Raises PhotoError if it cannot be read, is larger than the limit or is no longer what it was
    when the photos were listed.
    """
    if item.offset is not None:
        return read_member(item, limits)
    data = read(Path(item.path), limits)
    with as_photo_error():
        modified = os.lstat(item.path).st_mtime_ns
    if (len(data), modified) != (item.size, item.modified):
        raise PhotoError("the file was changed since the photos were listed: start again")
    return data


def shards(items: Sequence[Item], each: int) -> list[Shard]:
    """Cut `items`, sorted by name, into runs of no more than `each`.

    A small archive is not cut. Where a run ends depends on the names around, so that a photo that
    is added or removed changes its own run, and hardly ever others: what they gave can be kept.
    Most runs are shorter than `each`, by half on average.
    """
    done: list[Shard] = []
    run: list[Item] = []
    for unit in _units(items, each):
        begins = any(key_of(item.name) % max(1, each // 2) == 0 for item in unit)
        if run and (begins or len(run) + len(unit) > each):
            done.append(tuple(run))
            run = []
        run += unit
    return [*done, tuple(run)] if run else done


def _units(items: Sequence[Item], each: int) -> Iterator[list[Item]]:
    """Yield what belongs into one shard: an archive of no more than `each` photos, or one photo."""
    for archive, group in groupby(items, lambda item: None if item.offset is None else item.path):
        if archive is None:
            yield from ([item] for item in group)
        else:
            photos = list(group)
            yield from [photos] if len(photos) <= each else ([photo] for photo in photos)


def fingerprint(items: Sequence[Item]) -> str:
    """Return the SHA-256 of all names in their order, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(item.name.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()
