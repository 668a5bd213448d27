"""ModelManifest: what the export stage promises about a model. Needs neither torch nor onnx."""

from dataclasses import dataclass
from pathlib import Path

import artifacts
from artifacts import Segment

SCHEMA_VERSION = 1
SCHEMA_PATH = Path(__file__).with_name("manifest.schema.json")
"""The JSON Schema that schema() gives, for readers in other languages."""

Pair = tuple[int, int]
"""Rows first, then columns."""


def manifest_path(folder: Path, model: str) -> Path:
    """Return where the manifest of `model` is kept in `folder`."""
    return folder / f"{artifacts.slug(model)}.json"


def onnx_path(folder: Path, model: str) -> Path:
    """Return where the ONNX file of `model` is kept in `folder`."""
    return folder / f"{artifacts.slug(model)}.onnx"


def browser_path(folder: Path, model: str) -> Path:
    """Return where the copy of `model` that browsers load is kept in `folder`."""
    return folder / f"{artifacts.slug(model)}.browser.onnx"


def arrays_path(folder: Path, model: str) -> Path:
    """Return where the arrays that the pages explain the model with are kept in `folder`."""
    return folder / f"{artifacts.slug(model)}.npz"


@dataclass(frozen=True)
class Accuracy:
    """How often the weights answer rightly on one set of photos."""

    photos: str
    """Which photos, in words."""
    number: int | None
    """How many photos, where known."""
    top1: float
    """Share of photos whose first answer is right, in per cent."""
    top5: float | None
    """Share of photos with the right class among the first five answers, in per cent."""


@dataclass(frozen=True)
class Weights:
    """Where the numbers of the network come from."""

    name: str
    """A name to show, such as `IMAGENET1K_V1`."""
    source: str
    """How they were had: a URL, a file name, `bundled` or `random`."""
    sha256: str | None
    """SHA-256 of the file; none for random weights."""
    licence: str
    trained_on: str
    """What the network has seen in training, in a sentence."""
    knows: tuple[str, ...]
    """The categories that the weights know well where that is fewer than all; else empty."""
    accuracy: tuple[Accuracy, ...]
    note: str
    """What a visitor should know before trusting the answers; may be empty."""
    stem_history: str
    """How the first convolution's kernels began and grew, in sentences; empty where not known."""


@dataclass(frozen=True)
class File:
    """A file beside the manifest."""

    name: Segment
    sha256: str


@dataclass(frozen=True)
class Input:
    """How a photo becomes the input tensor, in the order in which the steps are done."""

    name: str
    """Name of the ONNX input, float32, shape (batch, 3, crop, crop)."""
    resize: int
    """Length of the shorter side after resizing, pixels."""
    crop: int
    """Side of the centred square that is cut out then, pixels."""
    interpolation: str
    """Resampling filter: `bilinear` or `bicubic`, antialiased."""
    mean: tuple[float, float, float]
    """Subtracted from values between 0 and 1; red, green, blue."""
    std: tuple[float, float, float]
    """Divided by after that; red, green, blue."""


@dataclass(frozen=True)
class ReceptiveField:
    """The input pixels that can change an activation, in the theoretical sense.

    Position i along an axis sees input pixels offset + i · stride … + size − 1. Pixels outside
    the picture are padding. Fields are (rows, columns).
    """

    size: Pair
    stride: Pair
    offset: Pair
    """First pixel that position 0 sees; negative where it begins in the padding."""


@dataclass(frozen=True)
class Layer:
    """One tensor of the forward graph."""

    name: str
    """Name in the graph, as torchvision's feature extraction spells it, and of the ONNX output."""
    slug: Segment
    """The name as a path segment."""
    title: str
    """What it is, for people."""
    op: str
    """`convolution`, `batch norm`, `relu`, `max pool`, `average pool`, `add`, `flatten`, …"""
    stage: str
    block: str
    inputs: tuple[str, ...]
    """Names of the tensors it is computed from; `input` is the picture."""
    exported: bool
    """Whether the ONNX file has it as an output."""
    spatial: bool
    """Whether it keeps positions, and so is a set of feature maps."""
    signed: bool
    """Whether it can go below zero."""
    channels: int
    height: int
    width: int
    parameters: int
    kernel: Pair | None
    stride: Pair | None
    padding: Pair | None
    dilation: Pair | None
    groups: int | None
    receptive_field: ReceptiveField | None
    """None for tensors that see the whole picture."""


@dataclass(frozen=True)
class Classifier:
    """A linear layer on global averages: its weights spread the evidence for a class over a map."""

    features: str
    """Name of the layer whose channels are averaged."""
    logits: str
    """Name of the linear layer's output."""


@dataclass(frozen=True)
class BrowserCopy:
    """The ONNX file that a browser loads to compute a visitor's own photo.

    It has the input and the outputs of ModelManifest.onnx, in the same order, and computes them in
    float32; its weights of two axes or more are stored as float16. Where there is a classifier, two
    more outputs follow, both float32: `classifier.weight` (categories, channels), as it is stored
    here, and `classifier.bias` (categories,).
    """

    file: File
    bytes: int
    """Length of the file."""
    difference: float
    """Largest difference of an output from that of ModelManifest.onnx, divided by the output's
    largest absolute value; measured on pictures of noise."""
    rounding: float
    """Largest relative change of a weight by storing it as float16: |stored − weight| is at most
    rounding · max(|weight|, 2⁻¹⁴), for every weight. 0 where all are float16 numbers anyway."""


@dataclass(frozen=True)
class ModelManifest:
    """Everything that later stages know about a model."""

    schema_version: int
    model: Segment
    onnx: File
    opset: int
    producers: dict[str, str]
    """Versions of the packages that made the ONNX file."""
    tolerance: float
    """Largest difference from PyTorch that the export let pass, relative to a layer's maximum."""
    layer_choice: str
    """Which layers were asked for: `stem+blocks`, `all` or names."""
    weights: Weights
    input: Input
    categories: tuple[str, ...]
    layers: tuple[Layer, ...]
    """Every tensor of the graph in forward order, exported or not."""
    logits: str
    """Name of the layer whose values are the logits of the categories."""
    classifier: Classifier | None
    """None where the model does not end in global averages and one linear layer."""
    arrays: File
    """NumPy archive, all float32 but for the steps:

    `stem` (channels, 3, rows, columns), the first convolution's kernels, and `stem.untrained`, the
    same as the architecture draws them with seed 0;
    `<convolution>.weight` (channels, input channels / groups, rows, columns), and `.bias`
    (channels,) where it has one;
    `<batch norm>.scale` and `.shift` (channels,): what it multiplies with, and then adds;
    where there is a classifier, `classifier.weight` (categories, channels) and `classifier.bias`
    (categories,);
    where the weights come with their history, `stem.history` (moments, channels, 3, rows,
    columns) of training, with `stem.history.step`, `.pixels` (side of the training pictures) and
    `.top1` (share of right answers on validation photos, NaN before training), each (moments,).
    """
    browser: BrowserCopy | None
    """None where float16 cannot hold the weights well enough, or the copy would be too large to
    publish."""

    @property
    def feature_maps(self) -> tuple[Layer, ...]:
        """The layers that the gallery shows: exported, and with positions."""
        return tuple(layer for layer in self.layers if layer.exported and layer.spatial)

    def layer(self, name: str) -> Layer:
        """Return the layer called `name`; raises KeyError with the name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)


def schema() -> bytes:
    """Return the JSON Schema of ModelManifest."""
    return artifacts.schema(ModelManifest)


def read_manifest(path: Path) -> ModelManifest:
    """Read a manifest and check its shape and version; raises artifacts.ArtifactError."""
    manifest = artifacts.decode(path, ModelManifest, "make export")
    if manifest.schema_version != SCHEMA_VERSION:
        raise artifacts.ArtifactError(
            f"{path} has schema version {manifest.schema_version}, expected {SCHEMA_VERSION}: "
            "run make export"
        )
    return manifest
