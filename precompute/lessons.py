"""What the pages of lessons promise: the first filters, mistakes in preparing, guided tours.

    <tiles>/<model>/_stem/stem.json          StemFilters: the first convolution's kernels
    <tiles>/<model>/_stem/*.png              pictures of them
    <tiles>/<model>/_mistakes/index.json     Mistakes: one photo, prepared rightly and wrongly
    <tiles>/<model>/_mistakes/<preparation>/input.png    what the network was given
    <tiles>/<model>/_mistakes/<preparation>/<layer>.png  components in the correct run's basis
    <tiles>/<model>/_tours/tours.json        Tours: views worth seeing, chosen by measurement
    <tiles>/<model>/_tours/<picture>.png     Picture of a tour

As in index.py, lists with one number per channel are in channel order and rows come before columns.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

import artifacts
from artifacts import Count, FileName, Size, Slug
from precompute.index import Answer, index_path

SCHEMA_PATH = Path(__file__).with_name("lessons.schema.json")
"""The JSON Schema that schema() gives, for readers in other languages."""
STEM = "_stem"
"""Folder of the first convolution's kernels; only where they read red, green and blue."""
MISTAKES = "_mistakes"
"""Folder of what mistakes in preparing a photo do."""
TOURS = "_tours"
"""Folder of the guided tours."""
TOURS_NAME = "tours.json"
STEM_NAME = "stem.json"


PreparedPath = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z][a-z-]*/[A-Za-z0-9][A-Za-z0-9._-]*\.png(?![\s\S])")
]
"""A picture of a preparation, relative to MISTAKES."""
MistakeId = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(correct|not-normalised|not-scaled|scaled-twice|bgr|squashed|turned|reshaped)(?![\s\S])"
    ),
]


def prepared_input_name(preparation: str) -> str:
    """Return the path, in MISTAKES, of the picture that a preparation amounts to."""
    return f"{preparation}/input.png"


def prepared_layer_name(preparation: str, layer_slug: str) -> str:
    """Return the path, in MISTAKES, of a layer's components after a preparation."""
    return f"{preparation}/{layer_slug}.png"


@dataclass(frozen=True)
class FilterMeasures:
    """What kernels are tuned to, one number for each; None where there is nothing to measure.

    Energy is the sum of squared weights. precompute/kernel_measures.py has the formulas.
    """

    norm: list[float | None]
    """Square root of the energy."""
    largest: list[float | None]
    """Largest absolute weight: the end of the kernel's own colour scale."""
    colour_share: list[float | None]
    """Share of the energy outside grey."""
    flat_share: list[float | None]
    """Share of the energy in the planes' means."""
    odd_share: list[float | None]
    """Share of the energy that changes sign under a half turn: an edge has 1, a bar 0."""
    orientation: list[float | None]
    """Of the stripes of the strongest Fourier component: degrees, 0 horizontal, 45 rising to the
    right, 90 upright."""
    frequency: list[float | None]
    """Of the strongest Fourier component, cycles per pixel."""
    orientation_selectivity: list[float | None]
    """1 − circular variance of the power spectrum over orientation, between 0 and 1."""
    concentration: list[float | None]
    """Share of the power within one wave per window of the strongest Fourier component."""


@dataclass(frozen=True)
class AlikeFilters:
    """Two kernels that are nearly multiples of each other, their means taken off."""

    first: int
    second: int
    similarity: float
    """Cosine; below zero where one is nearly the negative of the other."""


@dataclass(frozen=True)
class UntrainedFilters:
    """The kernels as the architecture draws them before training, with seed 0."""

    mosaic: FileName
    scale: float
    measures: FilterMeasures
    most_alike: float
    """Largest absolute similarity of two of them: what chance alone gives."""


@dataclass(frozen=True)
class StemMoment:
    """The kernels at one moment of training."""

    step: int
    pixels: int
    """Side of the training pictures then."""
    top1: float | None
    """Share of right answers on validation photos; None before training."""
    mosaic: FileName
    to_final: list[float]
    """Similarity of each kernel to what it becomes."""


@dataclass(frozen=True)
class StemHistory:
    """How the kernels came to be."""

    strips: FileName
    """Picture with a row for each kernel: all moments on one scale, then each on its own."""
    moments: tuple[StemMoment, ...]


@dataclass(frozen=True)
class StemFilters:
    """The first convolution's kernels: which pictures show them, and what they are tuned to.

    In every picture a weight is a pixel, cells have one transparent pixel to the right and below,
    and a weight w is level 128 + 127 · w/scale, held between 1 and 255. A mosaic has all kernels in
    rows of `mosaic_columns` on the one scale of the picture, and right of them the same with each
    on its own scale, its largest absolute weight.
    """

    layer: str
    rows: int
    """Of a kernel."""
    columns: int
    views: FileName
    """Picture with a row for each kernel: in colour, then its red, green and blue plane in grey, on
    one scale; then the same four on its own."""
    mosaic: FileName
    mosaic_columns: int
    preview: FileName
    """The mosaic on one scale, enlarged, on white."""
    scale: float
    """99.5th percentile of the absolute weights; also that of the pictures of the history."""
    beyond: int
    """How many weights are larger, and drawn as if they were not."""
    measures: FilterMeasures
    alike: float
    """Absolute similarity from which two kernels are in `pairs`."""
    pairs: tuple[AlikeFilters, ...]
    """The closest first."""
    untrained: UntrainedFilters
    history: StemHistory | None
    """None where it is not known."""


@dataclass(frozen=True)
class Deviation:
    """A layer's activations after some preparation of a photo, beside those after the correct one."""

    layer: str
    picture: PreparedPath
    """The activations in the first three principal components of the correct run, coloured from
    their smallest to their largest score in that run; relative to MISTAKES."""
    beyond: float
    """Share of positions with a score outside these colours, between 0 and 1."""
    distance: float | None
    """Length of the difference over the length of the correct activations (L2, all values); None
    where these are all zero."""
    distance_of_means: float | None
    """The same for each channel's mean over positions: not moved by what only moves the picture."""


@dataclass(frozen=True)
class Preparation:
    """One way to prepare a photo, and what the network makes of it. Colours: red, green, blue."""

    id: MistakeId
    """`correct`, or the mistake: `not-normalised`, `not-scaled`, `scaled-twice`, `bgr`, `squashed`,
    `turned`, `reshaped`."""
    picture: PreparedPath
    """The picture that, prepared correctly, is the nearest to this input; relative to MISTAKES."""
    beyond: float
    """Share of the input's values that no picture gives when prepared correctly."""
    low: float
    """Smallest and largest value of the input."""
    high: float
    mean: tuple[float, float, float]
    """Of each channel of the input."""
    std: tuple[float, float, float]
    """Standard deviation over positions."""
    layers: tuple[Deviation, ...]
    """The last layer of each stage."""
    answers: Annotated[tuple[Answer, ...], msgspec.Meta(min_length=1)]
    """The three largest logits, largest first; fewer where there are fewer categories."""
    probability: float
    """Of the answer that the correct preparation gets."""
    changed: int
    """For how many of the photos tried the first answer is another one than the correct
    preparation's."""


@dataclass(frozen=True)
class Mistakes:
    """What mistakes in preparing a photo do, on one photo."""

    image: Slug
    """Of the photos tried, the one whose answer loses most probability, summed over mistakes."""
    photos: int
    """How many were tried: the most confident right answers, up to 16; where no answer is right,
    of those without a true class; else whatever there is."""
    mean: tuple[float, float]
    """Smallest and largest mean of an input channel over the photos tried, correctly prepared."""
    std: tuple[float, float]
    """The same for the standard deviation."""
    preparations: Annotated[tuple[Preparation, ...], msgspec.Meta(min_length=1)]
    """The correct one first."""
    same: tuple[MistakeId, ...]
    """Mistakes that change nothing of this photo's input with this network's settings."""
    not_finite: tuple[MistakeId, ...]
    """Mistakes after which the network gives NaN or infinity."""


@dataclass(frozen=True)
class Picture:
    """An illustration of a tour: a PNG with one pixel per value.

    A pixel p stands for low + p/255 · (high − low); values beyond are held at the ends. `kernel`
    has the three colours of the photo, every other role is grey.
    """

    path: FileName
    """Relative to TOURS."""
    role: str
    """`map`, `before` (what the ReLU after it is given), `shortcut`, `branch`, `sum`, `after`,
    `evidence` or `kernel`."""
    image: Slug | None
    """The photo; None for a kernel."""
    layer: str
    channel: Count | None
    """None for evidence, which is made of all channels."""
    height: Size
    width: Size
    low: float
    high: float


@dataclass(frozen=True)
class Stop:
    """A view of the explorer, and what was measured there."""

    kind: str
    """What was looked for; the site has a sentence for each kind."""
    image: Slug
    layer: str
    channel: Count
    settings: dict[str, str]
    """Further settings of the view, as links of the site write them."""
    numbers: dict[str, float]
    names: dict[str, str]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Tour:
    """Stops that belong together, in order; at least one."""

    id: Slug
    stops: Annotated[tuple[Stop, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True)
class Tours:
    """The guided tours of a gallery."""

    tours: tuple[Tour, ...]
    left_out: tuple[str, ...]
    """Stops that this gallery has no subject for, and why."""


def schema() -> bytes:
    """Return the JSON Schema of the three kinds of file."""
    return artifacts.schema(StemFilters, Mistakes, Tours)


def read_stem(folder: Path) -> StemFilters:
    """Read the StemFilters of a model's folder; raises artifacts.ArtifactError."""
    return artifacts.decode(folder / STEM / STEM_NAME, StemFilters, "make precompute")


def read_mistakes(folder: Path) -> Mistakes:
    """Read the Mistakes in a model's folder; raises artifacts.ArtifactError."""
    return artifacts.decode(index_path(folder / MISTAKES), Mistakes, "make precompute")


def read_tours(folder: Path) -> Tours:
    """Read the Tours in a model's folder; raises artifacts.ArtifactError."""
    return artifacts.decode(folder / TOURS / TOURS_NAME, Tours, "make precompute")
