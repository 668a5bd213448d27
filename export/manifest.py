"""ModelManifest: what the export stage promises about a model. Needs neither torch nor onnx.

A manifest can come from anybody: what its fields may hold is part of their types, and what they may
hold together is checked when it is read.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

import artifacts
from artifacts import Count, FileName, Offset, Sha256, Size, Slug

SCHEMA_VERSION = 1
REMEDY = "make export"
PLANES = 3
"""Red, green and blue."""
_ENDINGS = (".json", ".png", ".pca", ".summary")
"""What later stages add to slugs to name files: two layers shall not meet there."""
SCHEMA_PATH = Path(__file__).with_name("manifest.schema.json")
"""The JSON Schema that schema() gives, for readers in other languages."""

PICTURE = "input"
"""What the manifest calls the picture where it names a tensor's inputs."""

Pair = tuple[Offset, Offset]
"""Rows first, then columns."""
Extent = tuple[Size, Size]
"""A Pair of lengths."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Side = Annotated[int, msgspec.Meta(ge=1, le=2048)]
"""Of a picture, pixels; networks that take larger ones would need another way to show their maps."""
Level = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
Deviation = Annotated[float, msgspec.Meta(ge=1e-6, le=1e6)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Difference = Annotated[float, msgspec.Meta(ge=0)]


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
    number: Count | None
    """How many photos, where known."""
    top1: Percent
    """Share of photos whose first answer is right, in per cent."""
    top5: Percent | None
    """Share of photos with the right class among the first five answers, in per cent."""


@dataclass(frozen=True)
class Weights:
    """Where the numbers of the network come from."""

    name: str
    """A name to show, such as `IMAGENET1K_V1`."""
    source: str
    """How they were had: a URL, a file name, `bundled` or `random`."""
    sha256: Sha256 | None
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

    name: FileName
    sha256: Sha256


@dataclass(frozen=True)
class Input:
    """How a photo becomes the input tensor, in the order in which the steps are done."""

    name: Name
    """Name of the ONNX input, float32, shape (batch, 3, crop, crop)."""
    resize: Side
    """Length of the shorter side after resizing, pixels."""
    crop: Side
    """Side of the centred square that is cut out then, pixels."""
    interpolation: Annotated[str, msgspec.Meta(pattern=r"^(bilinear|bicubic)(?![\s\S])")]
    """Resampling filter: `bilinear` or `bicubic`, antialiased."""
    mean: tuple[Level, Level, Level]
    """Subtracted from values between 0 and 1; red, green, blue."""
    std: tuple[Deviation, Deviation, Deviation]
    """Divided by after that; red, green, blue."""


@dataclass(frozen=True)
class ReceptiveField:
    """The input pixels that can change an activation, in the theoretical sense.

    Position i along an axis sees input pixels offset + i · stride … + size − 1. Pixels outside
    the picture are padding. Fields are (rows, columns).
    """

    size: Extent
    stride: Extent
    offset: Pair
    """First pixel that position 0 sees; negative where it begins in the padding."""


@dataclass(frozen=True)
class Layer:
    """One tensor of the forward graph."""

    name: Name
    """Name in the graph, as torchvision's feature extraction spells it, and of the ONNX output."""
    slug: Slug
    """The name as a path segment: artifacts.slug(name)."""
    title: str
    """What it is, for people."""
    op: str
    """`convolution`, `batch norm`, `relu`, `max pool`, `add`, `concatenate`, `linear`, … What only
    hands on its input, such as dropout after training, is no layer."""
    stage: str
    block: str
    inputs: tuple[str, ...]
    """Names of the tensors it is computed from, in order; `input` is the picture."""
    exported: bool
    """Whether the ONNX file has it as an output."""
    spatial: bool
    """Whether it keeps positions, and so is a set of feature maps."""
    signed: bool
    """Whether it can go below zero."""
    channels: Size
    height: Size
    width: Size
    parameters: Count
    kernel: Extent | None
    stride: Extent | None
    padding: tuple[Count, Count] | None
    dilation: Extent | None
    groups: Size | None
    receptive_field: ReceptiveField | None
    """None for tensors that see the whole picture, or where it is not known how much."""


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
    float32; its weights of two axes or more are stored as float16, or as they are where that would
    change too much. Where there is a classifier, two
    more outputs follow, both float32: `classifier.weight` (categories, channels), as it is stored
    here, and `classifier.bias` (categories,).
    """

    file: File
    bytes: Count
    """Length of the file."""
    difference: Difference
    """Largest difference of an output from that of ModelManifest.onnx, divided by the output's
    largest absolute value; measured on pictures of noise."""
    rounding: Difference
    """Largest relative change of a weight by storing it as float16: |stored − weight| is at most
    rounding · max(|weight|, 2⁻¹⁴), for every weight. 0 where all are float16 numbers anyway, or
    stored as they are."""


@dataclass(frozen=True)
class ModelManifest:
    """Everything that later stages know about a model."""

    schema_version: int
    model: Slug
    """What this gallery calls it: part of every link."""
    architecture: str | None
    """torchvision's name of the architecture; None for a model from elsewhere, whose outputs were
    compared with the model as it was given rather than with PyTorch."""
    onnx: File
    opset: int
    producers: dict[str, str]
    """Versions of the packages that made the ONNX file."""
    tolerance: Difference
    """Largest difference that the export let pass, relative to a layer's maximum."""
    layer_choice: str
    """Which layers are shown: a key of presets.PRESETS, or names."""
    weights: Weights
    input: Input
    categories: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    layers: tuple[Layer, ...]
    """Every tensor of the graph in forward order, exported or not."""
    logits: str
    """Name of the layer whose values are the logits of the categories."""
    classifier: Classifier | None
    """None where the model does not end in global averages and one linear layer."""
    no_evidence: str
    """Why there is no classifier, as the end of a sentence; empty where there is one."""
    arrays: File
    """NumPy archive, all float32 but for the steps:

    `stem` (channels, 3, rows, columns), the first convolution's kernels, and `stem.untrained`, the
    same as the architecture draws them with seed 0, or for a model from elsewhere the rule of He et
    al. (2015);
    `<convolution>.weight` (channels, input channels / groups, rows, columns), and `.bias`
    (channels,) where it has one;
    `<batch norm>.scale` and `.shift` (channels,), and the same of an operation `scale`: what it
    multiplies with, and then adds;
    where there is a classifier, `classifier.weight` (categories, channels) and `classifier.bias`
    (categories,);
    where the weights come with their history, `stem.history` (moments, channels, 3, rows,
    columns) of training, with `stem.history.step`, `.pixels` (side of the training pictures) and
    `.top1` (share of right answers on validation photos, NaN before training), each (moments,).
    """
    browser: BrowserCopy | None
    """None where the copy would be too large to publish."""

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


def weight_shape(manifest: ModelManifest, convolution: Layer) -> tuple[int, int, int, int]:
    """Return the shape of a convolution's weight: channels, inputs / groups, rows, columns."""
    assert convolution.kernel
    assert convolution.groups
    (source,) = convolution.inputs
    inputs = PLANES if source == PICTURE else manifest.layer(source).channels
    return convolution.channels, inputs // convolution.groups, *convolution.kernel


def remedy_for(path: Path) -> str:
    """Return the command that makes a model anew: make trusts the manifest that is there."""
    return f"rm {shlex.quote(str(path))} && {REMEDY}"


def read_manifest(path: Path) -> ModelManifest:
    """Read a manifest and check all that it says; raises artifacts.ArtifactError."""
    remedy = remedy_for(path) if path.exists() else REMEDY
    manifest = artifacts.decode(path, ModelManifest, remedy)
    if manifest.schema_version != SCHEMA_VERSION:
        raise artifacts.ArtifactError(
            f"{path} has schema version {manifest.schema_version}, expected {SCHEMA_VERSION}: "
            f"run {remedy}"
        )
    faults = [*_faults_of_files(manifest, path.name), *_faults_of_layers(manifest)]
    if faults:
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        fault = artifacts.printable("; ".join(faults[:3]))
        raise artifacts.ArtifactError(f"{path} cannot be right: {fault}{more}; run {remedy}")
    return manifest


def _faults_of_files(manifest: ModelManifest, own: str) -> Iterator[str]:
    files = [own, manifest.onnx.name, manifest.arrays.name]
    files += [manifest.browser.file.name] if manifest.browser else []
    if len({name.casefold() for name in files}) < len(files):
        yield f"two of its files have one name: {', '.join(files)}"
    if manifest.model != artifacts.slug(manifest.model):
        yield f"the model is called '{manifest.model}', which is no name for a folder"
    if manifest.input.crop > manifest.input.resize:
        yield f"it crops {manifest.input.crop} pixels from {manifest.input.resize}"


def _faults_of_layers(manifest: ModelManifest) -> Iterator[str]:
    """Yield what is wrong with the graph; later stages follow its edges without looking."""
    shapes = {PICTURE: (PLANES, manifest.input.crop, manifest.input.crop)}
    slugs: set[str] = set()
    for layer in manifest.layers:
        name = f"layer '{layer.name}'"
        if layer.name in shapes:
            yield f"{name} stands twice"
        slug = artifacts.slug(layer.name)
        if layer.slug != slug or slug.casefold() in slugs or slug.endswith(_ENDINGS):
            yield f"{name} has the slug '{layer.slug}', which is not its own"
        unknown = [source for source in layer.inputs if source not in shapes]
        if unknown:
            yield f"{name} reads '{unknown[0]}', and no layer before it is called that"
        else:
            yield from _faults_of_step(layer, name, [shapes[source] for source in layer.inputs])
        if not layer.spatial and (layer.height, layer.width) != (1, 1):
            yield f"{name} has no positions, but is {layer.height}×{layer.width}"
        shapes[layer.name] = (layer.channels, layer.height, layer.width)
        slugs.add(slug.casefold())
    if not manifest.feature_maps:
        yield "no exported layer has positions"
    exported = {layer.name: layer for layer in manifest.layers if layer.exported}
    logits = exported.get(manifest.logits)
    if logits is None or logits.spatial or logits.channels != len(manifest.categories):
        yield (
            f"the logits are '{manifest.logits}', which is no exported layer of "
            f"{len(manifest.categories)} numbers, one for each category"
        )
    if manifest.classifier is not None:
        features = exported.get(manifest.classifier.features)
        if features is None or not features.spatial:
            yield f"the classifier averages '{manifest.classifier.features}', which is not exported"
        if manifest.classifier.logits != manifest.logits:
            yield f"the classifier gives '{manifest.classifier.logits}', which is not the logits"


def _faults_of_step(layer: Layer, name: str, inputs: list[tuple[int, int, int]]) -> Iterator[str]:
    """Yield what a layer says of itself that its operation cannot do; `inputs` are their shapes."""
    shape = (layer.channels, layer.height, layer.width)
    if layer.op == "convolution":
        settings = (layer.kernel, layer.stride, layer.padding, layer.dilation, layer.groups)
        if None in settings or len(inputs) != 1 or not layer.signed:
            yield f"{name} is a convolution without its settings, its input or its sign"
        elif inputs[0][0] % (layer.groups or 1) or layer.channels % (layer.groups or 1):
            yield f"{name} has {layer.groups} groups of {inputs[0][0]} to {layer.channels} channels"
    elif layer.op in {"batch norm", "scale", "relu", "relu6"} and inputs != [shape]:
        yield f"{name} has another shape than the one layer that it reads"
    elif layer.op == "add" and (not inputs or any(one != shape for one in inputs)):
        yield f"{name} has another shape than what it adds"
    if layer.op == "relu" and layer.signed:
        yield f"{name} is a ReLU and goes below zero"
