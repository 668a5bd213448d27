"""What one process is asked to do: a shard of the photos, with one model."""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from precompute.limits import Limits


@dataclass(frozen=True, slots=True)
class Item:
    """One photo of a data set."""

    name: str
    """Its path in the data set, with forward slashes; of a photo in an archive the archive's path,
    a slash and the member's. It is what makes a photo the same photo in two surveys."""
    path: str
    """The file that holds it: itself, or an archive."""
    offset: int | None
    """Where its bytes begin in an archive; None for a file of its own."""
    size: int
    """Bytes."""
    modified: int
    """When the file that holds it was last written, nanoseconds."""
    label: int | None
    """Position of its class in DataSet.classes."""


@dataclass(frozen=True)
class Job:
    """What is the same for all shards of a survey."""

    manifest: Path
    provider: str
    limits: Limits
    categories: tuple[int | None, ...]
    """For each class of the data set the model's category, if it is one."""
    sample: int
    """Photos whose key is not above this belong to the sample that two models are compared on."""


Shard = tuple[Item, ...]


def item_of(name: str, items: Sequence[Item]) -> Item:
    """Return the photo called `name` of `items`, which are sorted by name; raises KeyError."""
    place = bisect_left(items, name, key=lambda item: item.name)
    if place == len(items) or items[place].name != name:
        raise KeyError(name)
    return items[place]


def key_of(name: str) -> int:
    """Return the number that stands for a photo: the first 64 bits of the SHA-256 of its name.

    Two photos of ten million share one with a probability of 3 in a million; what then happens is
    an error, not a wrong result.
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big")
