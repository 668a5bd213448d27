"""Difference: what a comparison of two surveys promises to those who show it. Needs no NumPy.

    <surveys>/_diff/<A>--<B>/index.json      Difference, written last
    <surveys>/_diff/<A>--<B>/channels.npz    every channel of the layers that both have
    <surveys>/_diff/<A>--<B>/layers.npz      every layer that both have
    <surveys>/_diff/<A>--<B>/pairs.npz       every layer of A with every layer of B

The arrays of a .npz file have one length and one dimension, so that
`pandas.DataFrame(dict(numpy.load(path)))` is the table. Numbers have six significant digits, and
four in Difference.pairs. Where nothing can be said, because nothing varies, there is null, and NaN
in tables.

Two models are compared on the photos that both have in the samples of their surveys, by the *means*
of the channels: of a photo the average of a channel over all positions.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

import artifacts
from artifacts import Count, Sha256, Size, Slug

SCHEMA_VERSION = 1
SCHEMA_PATH = Path(__file__).with_name("contract.schema.json")
"""The JSON Schema that schema() gives, for readers in other languages."""

Cosine = Annotated[float, msgspec.Meta(ge=-1, le=1)]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CHANGED = 12
"""Channels of a layer that Difference names."""


def difference_folder(surveys: Path, a: str, b: str) -> Path:
    """Return the folder of the comparison of models `a` and `b`."""
    return surveys / "_diff" / f"{a}--{b}"


def index_path(folder: Path) -> Path:
    """Return the Difference in a comparison's folder."""
    return folder / "index.json"


@dataclass(frozen=True)
class Surveyed:
    """One of the two models, and what its survey says of all photos."""

    model: Slug
    manifest_sha256: Sha256
    surveyed: Count
    """Photos that count in its survey."""
    judged: Count
    """Photos whose class is a category of the model."""
    top1: Count | None
    """Of these, photos whose first answer is right; None where there are none, like top5."""
    top5: Count | None


@dataclass(frozen=True)
class ChangedChannel:
    """A channel of a layer that both models have."""

    channel: Count
    correlation: Cosine
    """Pearson's, of its means in A and in B."""
    low: Cosine
    """Ends of the 95 % confidence interval of the correlation."""
    high: Cosine
    mean_a: float
    """Of all positions of all photos of the survey."""
    mean_b: float
    fires_a: Count
    """Photos of the survey on which it is above zero anywhere."""
    fires_b: Count


@dataclass(frozen=True)
class ChannelsDifference:
    """What differs between channels of the same number, in a layer that has as many in both."""

    correlated: Count
    """Channels that vary over the photos in both: those that have a correlation."""
    quantiles: tuple[Cosine, ...] | None
    """QUANTILES of their correlations; None where no channel has one."""
    constant_a: Count
    """Channels that vary in B, but not in A."""
    constant_b: Count
    constant_both: Count
    died: tuple[Count, ...]
    """Channels that are above zero on a photo of A's survey, and on none of B's."""
    revived: tuple[Count, ...]
    """The reverse."""
    changed: tuple[ChangedChannel, ...]
    """Those with the smallest correlations, smallest first, no more than CHANGED."""


@dataclass(frozen=True)
class LayerDifference:
    """A layer that both models have, under one name."""

    layer: str
    channels_a: Size
    channels_b: Size
    similarity: Cosine | None
    """Linear CKA, debiased: 1 where A and B tell photos apart alike, about 0 where they have
    nothing to do with each other."""
    error: float | None
    """Standard error of the similarity; None where it is that of one photo alone."""
    channels: ChannelsDifference | None
    """None where the layer has not as many channels in both."""


@dataclass(frozen=True)
class ClassDifference:
    """A class of the data set that is a category of both models."""

    name: str
    photos_a: Count
    """Photos of it that count in A's survey."""
    photos_b: Count
    top1_a: Count
    """Of these, photos whose first answer is right."""
    top1_b: Count


@dataclass(frozen=True)
class Difference:
    """What differs between models A and B over one data set."""

    schema_version: int
    a: Surveyed
    b: Surveyed
    data_set: Sha256
    """Fingerprint of the names of all photos: it is that of both surveys."""
    title: str
    """Of the data set; empty where none was given."""
    photos: Size
    """That correlations and similarities are computed over."""
    layers: tuple[LayerDifference, ...]
    """The layers that both have, in A's forward order."""
    rows: tuple[str, ...]
    """All layers of A, in forward order."""
    columns: tuple[str, ...]
    """All layers of B."""
    pairs: tuple[tuple[Cosine | None, ...], ...]
    """Similarity of every layer of A with every layer of B."""
    classes: tuple[ClassDifference, ...]
    """Sorted by name."""
    producers: dict[str, str]


def schema() -> bytes:
    """Return the JSON Schema of a comparison's index."""
    return artifacts.schema(Difference)


def read_difference(folder: Path) -> Difference:
    """Read a comparison's index; raises artifacts.ArtifactError."""
    path = index_path(folder)
    found = artifacts.decode(path, Difference, "make survey-diff")
    if found.schema_version != SCHEMA_VERSION:
        raise artifacts.ArtifactError(
            f"{path} has schema version {found.schema_version}, expected {SCHEMA_VERSION}: "
            "run make survey-diff again"
        )
    return found
