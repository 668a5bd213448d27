"""GalleryIndex: what the precompute stage promises about its tiles. Needs no NumPy.

    <tiles>/<model>/index.json               GalleryIndex, written last
    <tiles>/<model>/<image>/index.json       ImageEntry
    <tiles>/<model>/<image>/<layer>.png      tile sheet: every channel, one activation = one pixel
    <tiles>/<model>/<image>/<layer>.json     LayerFigures
    <tiles>/<model>/<image>/<layer>.summary.png  channel mean above channel maximum, grey
    <tiles>/<model>/<image>/<layer>.pca.png  principal components 1 to 3 as red, green and blue
    <tiles>/<model>/_shared/<layer>.json     SharedFigures: the layer over all photos
    <tiles>/<model>/_shared/<layer>/<image>.png  components in the basis that all photos share
    <tiles>/<model>/_shared/<layer>/<c>.json Peaks of channels c to c + RANKING − 1 on all photos
    <tiles>/<model>/_model/<layer>.json      Origin: the convolution that a layer comes from
    <tiles>/<model>/_model/<layer>/<n>.bin   kernels of `per_file` output channels of it

Lists with one number per channel are in channel order. Rows come before columns, and positions
count from the top left. Numbers have nine significant digits where they stand for a float32
exactly, six elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

import artifacts
from artifacts import Count, FileName, Float32, Sha256, Share, Size, Slug

SCHEMA_VERSION = 1
SCHEMA_PATH = Path(__file__).with_name("index.schema.json")
"""The JSON Schema that schema() gives, for readers in other languages."""
SHARED = "_shared"
"""Folder of what is said over all photos; no image has an id with a leading underscore."""
RANKING = 16
"""Channels in one file of a ranking of the photos."""
MODEL = "_model"
"""Folder of what is said of the model, whatever the photos."""
RESERVED = ("embed", "your-photo")
"""Ids that no image has: pages of these names lie among those of the images."""


def model_folder(tiles: Path, model: str) -> Path:
    """Return the folder of everything that was computed with `model`."""
    return tiles / artifacts.slug(model)


def index_path(folder: Path) -> Path:
    """Return the GalleryIndex in a model's folder, the ImageEntry in an image's, or Mistakes."""
    return folder / "index.json"


def sheet_name(layer_slug: str) -> str:
    """Return the file name of a layer's tile sheet."""
    return f"{layer_slug}.png"


def figures_name(layer_slug: str) -> str:
    """Return the file name of a layer's LayerFigures or SharedFigures."""
    return f"{layer_slug}.json"


def summary_name(layer_slug: str) -> str:
    """Return the file name of a layer's channel mean and channel maximum."""
    return f"{layer_slug}.summary.png"


def pca_name(layer_slug: str) -> str:
    """Return the file name of a layer's principal components in the photo's own basis."""
    return f"{layer_slug}.pca.png"


def shared_pca_name(layer_slug: str, image: str) -> str:
    """Return the path, in SHARED, of an image's components in the basis that all photos share."""
    return f"{layer_slug}/{image}.png"


def ranking_name(layer_slug: str, channel: int) -> str:
    """Return the path, in SHARED, of the Peaks that a channel is in."""
    return f"{layer_slug}/{channel // RANKING * RANKING}.json"


def origin_name(layer_slug: str) -> str:
    """Return the path, in MODEL, of a layer's Origin."""
    return f"{layer_slug}.json"


def kernels_name(convolution_slug: str, file: int) -> str:
    """Return the path, in MODEL, of one of the files of a convolution's kernels."""
    return f"{convolution_slug}/{file}.bin"


INPUT_NAME = "_input.png"
PHOTO_NAME = "_photo.jpg"
THUMBNAIL_NAME = "_thumbnail.jpg"
STRIP_NAME = "_strip.png"
CONTRIBUTIONS_NAME = "_contributions.json"

Side = Annotated[int, msgspec.Meta(ge=1, le=2**30)]
"""Of a picture, pixels."""
PartName = Annotated[str, msgspec.Meta(pattern=r"^_[a-z]+(?![\s\S])")]
SharedPath = Annotated[str, msgspec.Meta(pattern=rf"^{SHARED}/[A-Za-z0-9._-]+\.json(?![\s\S])")]

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the upright photo; right and bottom are outside."""


@dataclass(frozen=True)
class TileSheet:
    """All channels of one layer for one image, on one 8-bit grey PNG.

    Channel c has its tile in column c mod `columns` and row c div `columns`. A pixel p of it
    stands for low[c] + p/255 · (high[c] − low[c]), with the figures of LayerFigures, to within
    (high[c] − low[c])/510.
    """

    layer: str
    path: FileName
    """Relative to the image's folder; so are all paths of an ImageEntry."""
    figures: FileName
    summary: FileName
    pca: FileName
    columns: Size
    rows: Size
    tile_width: Size
    tile_height: Size
    low: Float32
    """Smallest activation of the layer."""
    high: Float32
    """Largest activation of the layer."""
    scale: Float32
    """99.5th percentile of the absolute activations: the default end of the colour scale."""


@dataclass(frozen=True)
class Components:
    """What a principal component picture shows; three components, largest variance first."""

    low: tuple[float, float, float]
    """Score that pixel value 0 stands for."""
    high: tuple[float, float, float]
    """Score that pixel value 255 stands for."""
    explained: tuple[float, float, float]
    """Share of the variance that each component explains, between 0 and 1."""


@dataclass(frozen=True)
class LayerFigures:
    """The figures of one layer's channels for one image."""

    layer: str
    low: list[Float32]
    high: list[Float32]
    mean: list[Float32]
    std: list[Float32]
    """Standard deviation over positions."""
    zeros: list[Share]
    """Share of positions that are exactly zero, between 0 and 1."""
    row: list[Count]
    """Row of the maximum; the first in reading order where there are several."""
    column: list[Count]
    mean_low: Float32
    """Range of the channel mean map in the summary picture."""
    mean_high: Float32
    max_low: Float32
    """Range of the channel maximum map in the summary picture."""
    max_high: Float32
    pca: Components


@dataclass(frozen=True)
class Answer:
    """One of the network's answers."""

    category: Count
    """Position in the manifest's categories."""
    name: str
    logit: Float32
    probability: Share


@dataclass(frozen=True)
class Evidence:
    """Where the evidence for an answer lies (class activation map, Zhou et al., 2016).

    values[r · width + c] is the sum over channels of the class's weight times the activation at
    that position. The mean of all values plus `bias` is the logit.
    """

    category: Count
    height: Size
    width: Size
    bias: float
    values: list[float]


@dataclass(frozen=True)
class Contributions:
    """What each channel adds to the logits of the answers: exact, by the linear layer.

    values[a][c] is the weight of channel c for answer a times the channel's mean over positions.
    The sum over channels plus the bias in Evidence is the logit.
    """

    layer: str
    """The layer whose channels these are."""
    values: list[list[float]]


@dataclass(frozen=True)
class Strip:
    """The depth strip: one small picture of each layer, side by side on one grey PNG.

    A picture is the mean of the absolute activations over channels, from 0 (black) to the
    layer's own largest value (white).
    """

    path: FileName
    tile: Size
    """Side of each picture, pixels."""
    layers: tuple[str, ...]


@dataclass(frozen=True)
class ImageEntry:
    """One picture and what the network made of it."""

    schema_version: int
    id: Slug
    """URL-safe, unique and stable: part of every link to this picture."""
    title: str
    author: str
    licence: str
    source: str
    modified: str
    note: str
    chart: bool
    """A drawn test chart, left out of everything that is said over all photos."""
    width: Side
    """Of the photo as seen, orientation applied, pixels."""
    height: Side
    true_class: str | None
    correct: bool | None
    """Whether the first answer is the true class; None where that is not known."""
    box: Box | None
    """The subject."""
    crop: Box
    """The part of the photo that the network sees."""
    input: FileName
    """The pixels that the network saw, PNG."""
    photo: FileName
    """The photo for display, JPEG."""
    photo_width: Side
    photo_height: Side
    thumbnail: FileName
    thumbnail_width: Side
    thumbnail_height: Side
    answers: Annotated[tuple[Answer, ...], msgspec.Meta(min_length=1)]
    """The five largest logits, largest first; fewer where there are fewer categories."""
    evidence: tuple[Evidence, ...]
    """For the answers, in their order; empty where the model has no such classifier."""
    contributions: FileName | None
    """Path of the Contributions; None where the model has no such classifier."""
    strip: Strip
    sheets: tuple[TileSheet, ...]
    """In forward order."""


@dataclass(frozen=True)
class Peaks:
    """For each of some channels the photos with the largest maxima, one place per photo, largest
    first; charts are left out, and so are photos on which a channel that is never negative is
    silent.
    """

    images: list[Slug]
    """Ids; `image` counts in this list."""
    image: list[list[int]]
    value: list[list[float]]
    row: list[list[int]]
    column: list[list[int]]


@dataclass(frozen=True)
class SharedBasis:
    """Principal components of a layer over all positions of all photos (charts left out).

    score = (activations − mean) · component. Colours run from −3 to +3 standard deviations of
    each component. The activations are those that the tile sheets hold.
    """

    mean: list[float]
    components: tuple[list[float], list[float], list[float]]
    """Unit vectors; the entry of largest absolute value is positive."""
    range: Components


@dataclass(frozen=True)
class SharedFigures:
    """One layer over all photos, charts left out."""

    layer: str
    low: list[float]
    """Smallest activation of each channel on any photo."""
    high: list[float]
    dead: list[int]
    """Channels that are never above zero on these photos; empty for signed layers."""
    peaks: Peaks
    basis: SharedBasis


@dataclass(frozen=True)
class Kernels:
    """How a convolution's weights are stored: 16 bits each, in files of a few output channels.

    Output channel c is in file c div per_file, as record c mod per_file. A record is a float32
    `step` and inputs · rows · columns int16 numbers q in C order, all little-endian; a weight is
    step · q to within step/2.
    """

    folder: Slug
    """Holds the files `0.bin`, `1.bin`, …; relative to MODEL."""
    per_file: int
    inputs: int
    """Input channels that each output channel reads: those of its group."""
    rows: int
    columns: int


@dataclass(frozen=True)
class Step:
    """What was done to every value after the convolution: x · scale + shift, or no less than zero
    and, for relu6, no more than six.
    """

    layer: str
    op: str
    """`batch norm`, `scale`, `relu` or `relu6`."""
    scale: list[float] | None
    """One number per channel; None for a relu or relu6."""
    shift: list[float] | None


@dataclass(frozen=True)
class Origin:
    """The convolution that a layer's values come from, and what was done to them since."""

    layer: str
    convolution: str
    source: str
    """The layer that the convolution reads; `input` for the normalised picture."""
    kernels: Kernels
    bias: list[float] | None
    """One number per channel; None where the convolution adds none."""
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    steps: tuple[Step, ...]
    """In the order in which they were done; empty where the layer is the convolution itself."""


@dataclass(frozen=True)
class SharedLayer:
    """One layer over all photos in brief, for the index."""

    layer: str
    figures: SharedPath
    """Path of its SharedFigures, relative to the model's folder."""
    low: Float32
    high: Float32
    scale: Float32
    """Largest of the photos' own scales: on no photo are more than 0.5 % of pixels beyond it."""
    dead: Count
    """How many channels never fire; 0 for signed layers, which have no such thing."""


@dataclass(frozen=True)
class Skipped:
    """A file that could not be used."""

    file: str
    """Path relative to the photo folder, made printable."""
    reason: str


@dataclass(frozen=True)
class ImageReference:
    """A picture of the gallery; its ImageEntry is in the folder named after its id."""

    id: Slug
    sha256: Sha256
    """Of its folder's content: changes whenever anything in there does."""


@dataclass(frozen=True)
class GalleryIndex:
    """Everything that was computed with one model."""

    schema_version: int
    model: Slug
    manifest_sha256: Sha256
    provider: str
    """onnxruntime's execution provider that computed the activations."""
    producers: dict[str, str]
    """Versions of the packages that did the work."""
    images: Annotated[tuple[ImageReference, ...], msgspec.Meta(min_length=1)]
    """In display order."""
    parts: dict[PartName, Sha256]
    """Each folder that belongs to no single image, such as SHARED, to the SHA-256 of its content."""
    layers: tuple[SharedLayer, ...]
    """In forward order."""
    origins: tuple[str, ...]
    """Names of the layers that have an Origin."""
    skipped: tuple[Skipped, ...]


def schema() -> bytes:
    """Return the JSON Schema of every kind of file that this stage writes as JSON."""
    return artifacts.schema(
        GalleryIndex, ImageEntry, LayerFigures, Contributions, SharedFigures, Origin
    )


def read_index(folder: Path) -> GalleryIndex:
    """Read the GalleryIndex in a model's folder and check its version; raises ArtifactError."""
    path = index_path(folder)
    gallery = artifacts.decode(path, GalleryIndex, "make precompute")
    if gallery.schema_version != SCHEMA_VERSION:
        raise artifacts.ArtifactError(
            f"{path} has schema version {gallery.schema_version}, expected {SCHEMA_VERSION}: "
            "run make precompute"
        )
    for fault in _faults(gallery):
        raise artifacts.ArtifactError(f"{path} cannot be right: {fault}; run make precompute")
    return gallery


def _faults(gallery: GalleryIndex) -> Iterator[str]:
    """Yield what is wrong with names that become paths."""
    ids = {image.id.casefold() for image in gallery.images}
    if len(ids) < len(gallery.images):
        yield "two images have one id"
    if taken := sorted(ids & set(RESERVED)):
        yield f"an image has the id '{taken[0]}', which is the name of another page"
    if SHARED not in gallery.parts:
        yield f"there is no part {SHARED}"


def read_entry(folder: Path, image: str) -> ImageEntry:
    """Read one picture's ImageEntry; raises artifacts.ArtifactError."""
    path = index_path(folder / image)
    entry = artifacts.decode(path, ImageEntry, "make precompute")
    if entry.id != image:
        raise artifacts.ArtifactError(f"{path} is that of '{entry.id}': run make precompute")
    return entry
