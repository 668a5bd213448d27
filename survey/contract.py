"""SurveyIndex: what a survey promises to those who show it. Needs no NumPy.

    <surveys>/<model>/index.json             SurveyIndex, written last
    <surveys>/<model>/layers/<layer>.json    LayerSurvey
    <surveys>/<model>/patches/<layer>.webp   the strongest patches of every channel of the layer,
                                             and of later layers that have the same ones
    <surveys>/<model>/patches/_wrong.webp    the photos that the network is most wrong about
    <surveys>/<model>/channels.npz           the table of all channels, for pandas and polars
    <surveys>/<model>/summary.npz            the merged summary, which `survey-diff` reads
    <surveys>/_shards/<model>/               finished parts of a survey that is under way

The first four are what a site holds. A photo's *maximum* is a channel's largest activation on it,
its *mean* the average of the channel over all positions. Lists with one entry per channel are in
channel order. Rows come before columns, and positions count from the top left. Numbers have six
significant digits, and nine where they stand for a float32 exactly. Where nothing can be said (no
photo has a class, nothing varies) there is null.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

import artifacts
from artifacts import Count, Sha256, Share, Size, Slug

SCHEMA_VERSION = 1
SCHEMA_PATH = Path(__file__).with_name("contract.schema.json")
"""The JSON Schema that schema() gives, for readers in other languages."""

LayerPath = Annotated[str, msgspec.Meta(pattern=r"^layers/[A-Za-z0-9._-]+\.json(?![\s\S])")]
SheetPath = Annotated[str, msgspec.Meta(pattern=r"^patches/[A-Za-z0-9._-]+\.webp(?![\s\S])")]


def survey_folder(surveys: Path, model: str) -> Path:
    """Return the folder of the survey of `model`."""
    return surveys / artifacts.slug(model)


def index_path(folder: Path) -> Path:
    """Return the SurveyIndex in a survey's folder."""
    return folder / INDEX_NAME


def layer_name(layer_slug: str) -> str:
    """Return the path of a layer's LayerSurvey in a survey's folder."""
    return f"layers/{layer_slug}.json"


def patches_name(layer_slug: str) -> str:
    """Return the path of a layer's patches in a survey's folder."""
    return f"patches/{layer_slug}.webp"


INDEX_NAME = "index.json"
WRONG_NAME = "patches/_wrong.webp"
TABLE_NAME = "channels.npz"
SUMMARY_NAME = "summary.npz"
SHARDS = "_shards"
"""Folder of the finished parts of surveys, among the surveys."""


@dataclass(frozen=True)
class Credit:
    """Whose photos these are."""

    title: str
    """Of the data set."""
    author: str
    licence: str
    source: str
    """A URL, or words; empty where not given, like the others."""


@dataclass(frozen=True)
class Photo:
    """A photo that a list of this file points to."""

    name: str
    """Its path in the data set."""
    label: int | None
    """Position of its class in SurveyIndex.classes."""
    author: str
    """Empty where it is the data set's, like the licence."""
    licence: str


@dataclass(frozen=True)
class Sheet:
    """A picture of `rows` × `columns` cells of `side` × `side` pixels, row by row."""

    path: SheetPath
    side: Size
    columns: Size
    rows: Size


@dataclass(frozen=True)
class Patches:
    """The strongest patches of a layer. Cell c · `each` + j of the sheet is the j-th strongest of
    channel c: what the receptive field of the activation sees of the photo, centred, on
    transparent ground where it is cut off by the edge.
    """

    sheet: Sheet
    """The same one for layers that have the same patches, under the name of the first of them."""
    each: Size
    """Cells of every channel; empty ones at the end are transparent."""


@dataclass(frozen=True)
class Wrong:
    """A photo with a large loss: −log of the probability that the network gives the true class."""

    photo: Count | None
    """Position in SurveyIndex.photos; None where names are kept back."""
    label: Count
    """Position of the true class in SurveyIndex.classes."""
    answer: Count
    """Category of the first answer."""
    probability: Share
    """Of the first answer."""
    loss: float


@dataclass(frozen=True)
class Confusion:
    """How often photos of a class got a category as first answer."""

    label: Count
    """Position in SurveyIndex.classes."""
    answer: Count
    """Category of the model, another than the true one."""
    photos: Count


@dataclass(frozen=True)
class ClassChannel:
    """A channel that answers to one class more than to the others."""

    layer: str
    channel: Count
    selectivity: float | None
    separation: float


@dataclass(frozen=True)
class ClassSurvey:
    """What the survey says of one class of the data set."""

    name: str
    slug: Slug
    """Its part of links; unique among the classes."""
    category: Count | None
    """The category of the model that it is, if it is one."""
    photos: Count
    top1: Count | None
    """Photos whose first answer is right; None without a category, like top5."""
    top5: Count | None
    channels: tuple[ClassChannel, ...]
    """The channels of which this is LayerSurvey.best, largest separation first, above zero, no more
    than CLASS_CHANNELS a class and CLASS_CHANNELS_LAYER of them in one layer."""


CLASS_CHANNELS = 48
CLASS_CHANNELS_LAYER = 12
CLASS_PHOTOS = 5
"""A class of fewer photos is not called the best of a channel: one photo can be so by chance."""


@dataclass(frozen=True)
class LayerReference:
    """A layer of the survey."""

    layer: str
    figures: LayerPath
    patches: Patches | None
    dead: Count
    """Channels whose activation is above zero on no photo."""
    sparse: Count
    """Channels that are not dead, and fire on fewer than SPARSE of the photos."""


SPARSE = 0.01


@dataclass(frozen=True)
class SurveyIndex:
    """A survey of one model over one data set."""

    schema_version: int
    model: Slug
    manifest_sha256: Sha256
    data_set: Sha256
    """Fingerprint of the names of all photos: two models were asked about the same ones."""
    credit: Credit
    surveyed: Count
    """Photos that count in the figures."""
    unreadable: Count
    """Photos that could not be used."""
    faults: tuple[str, ...]
    """The first of them, with the reason; empty where names are kept back."""
    private: bool
    """Whether names and patches are kept back: figures only."""
    labelled: Count
    """Photos with a class."""
    judged: Count
    """Photos whose class is a category of the model: those that top1 and top5 count."""
    top1: Count | None
    """None where `judged` is 0."""
    top5: Count | None
    classes: tuple[ClassSurvey, ...]
    """Sorted by name."""
    confusions: tuple[Confusion, ...]
    """The most frequent first, no more than CONFUSIONS."""
    wrong: tuple[Wrong, ...]
    """Largest loss first. Cell i of `wrong_sheet` is the i-th."""
    wrong_sheet: Sheet | None
    photos: tuple[Photo, ...]
    """The photos that `wrong` points to, sorted by name; empty where names are kept back."""
    layers: tuple[LayerReference, ...]
    """In forward order."""
    quantile_error: float
    """Largest relative error of the quantiles of LayerSurvey, in either direction."""
    producers: dict[str, str]


CONFUSIONS = 200
WRONG = 60
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True)
class Strongest:
    """The photos with the largest maxima of one channel, largest first, one place a photo; equal
    ones in the order of their fingerprints. Maxima that are not above zero are left out: a dead
    channel has none.
    """

    photo: tuple[Count, ...]
    """Position in LayerSurvey.photos; empty where names are kept back."""
    value: tuple[float, ...]
    row: tuple[Count, ...]
    """Of the first position, row by row, that has this value."""
    column: tuple[Count, ...]


@dataclass(frozen=True)
class LayerSurvey:
    """The figures of every channel of one layer."""

    layer: str
    fires: tuple[Count, ...]
    """Photos on which the channel is above zero anywhere."""
    mean: tuple[float, ...]
    """Of all positions of all photos."""
    deviation: tuple[float, ...]
    """Standard deviation of all positions of all photos around the mean. The photos' means are
    float32, as activations are: where the mean is a thousand times as large, four digits hold. Below
    1e-6 it has fewer than six digits, and below 1e-8 none."""
    photo_deviation: tuple[float, ...]
    """Standard deviation of the photos' means around the mean, with as many digits."""
    low: tuple[float, ...]
    """Smallest maximum of a photo, exactly."""
    high: tuple[float, ...]
    """Largest maximum of a photo, exactly: the channel's largest activation."""
    quantiles: tuple[tuple[float, ...], ...]
    """For each channel the QUANTILES of the photos' maxima, within SurveyIndex.quantile_error for
    magnitudes between 2⁻²⁰ and 2²⁰."""
    best: tuple[int | None, ...]
    """Position in SurveyIndex.classes of the class with the largest mean among those with at least
    CLASS_PHOTOS photos, the first of equal ones. None, like selectivity and separation, where there
    are fewer than two such classes, or where their means do not differ."""
    selectivity: tuple[float | None, ...]
    """(a − b) / (a + b) of the mean a over the photos of that class and the mean b over those of
    all others: 0 where the class makes no difference, 1 where no other drives the channel (Morcos
    et al., "On the importance of single directions for generalization", 2018). None for
    layers that can go below zero."""
    separation: tuple[float | None, ...]
    """(a − b) divided by the standard deviation of photos' means within classes: their squared
    distances from the means of their classes, summed, divided by the number of photos with a class
    less that of classes. None where they do not vary."""
    strongest: tuple[Strongest | None, ...]
    photos: tuple[Photo, ...]
    """The photos that `strongest` points to, sorted by name; empty where names are kept back."""


def schema() -> bytes:
    """Return the JSON Schema of the files of a survey."""
    return artifacts.schema(SurveyIndex, LayerSurvey)


def read_survey(folder: Path) -> SurveyIndex:
    """Read a survey's index; raises artifacts.ArtifactError."""
    path = index_path(folder)
    index = artifacts.decode(path, SurveyIndex, "make survey")
    if index.schema_version != SCHEMA_VERSION:
        raise artifacts.ArtifactError(
            f"{path} has schema version {index.schema_version}, expected {SCHEMA_VERSION}: "
            "run make survey again"
        )
    return index


def read_layer(folder: Path, reference: LayerReference) -> LayerSurvey:
    """Read a layer's figures; raises artifacts.ArtifactError."""
    return artifacts.decode(folder / reference.figures, LayerSurvey, "make survey")
