"""What a person has to say about an ONNX file that the file does not: a few lines of TOML beside it.

    labels = "classes.txt"        # or "imagenet"
    answers = "logits"            # which output, where there are several
    [input]
    size = 224                    # pixels, where the file leaves it open
    resize = 256                  # the photo's shorter side, before the crop; else size
    interpolation = "bilinear"    # or "bicubic"
    order = "rgb"                 # or "bgr"
    pixels = 255                  # what white is before mean and std: 1 or 255
    mean = [123.7, 116.3, 103.5]  # red, green, blue, or one number for grey
    std = [58.4, 57.1, 57.4]
    [weights]
    name = "…"
    licence = "…"
    trained_on = "…"
    note = "…"

Some files say it themselves, with the properties that ONNX defines for pictures
(https://github.com/onnx/onnx/blob/main/docs/MetadataProps.md).
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from export.errors import GivenError, one_line
from export.given import Given, Picture
from export.labels import IMAGENET, read_labels
from export.manifest import PLANES, Deviation, Input, Level, Side, Weights

NAME = "input"
"""How every model's input is called in the end."""
LUMA = (0.299, 0.587, 0.114)
"""What red, green and blue add to grey (ITU-R recommendation BT.601)."""
HALF = 0.5005
"""Added before numbers are cut to whole ones: grey is a number of thousandths, and where it is half
way between two, rounding errors shall not decide.
"""
_EXAMPLE = (
    'input = {size = 224, order = "rgb", pixels = 1, mean = [0.485, 0.456, 0.406], '
    "std = [0.229, 0.224, 0.225]}"
)
_NOT_STATED = "not stated"
_LARGEST = 1_000_000
"""Bytes of a description."""
_RANGES: dict[str, tuple[Literal[1, 255], float, float]] = {
    "NominalRange_0_255": (255, 0.0, 1.0),
    "Normalized_0_1": (1, 0.0, 1.0),
    "Normalized_1_1": (1, 0.5, 0.5),
}
"""Image.NominalPixelRange: what white is, mean and standard deviation."""
_ORDERS: dict[str, Literal["rgb", "bgr"]] = {"Rgb8": "rgb", "Bgr8": "bgr", "Gray8": "rgb"}
"""Image.BitmapPixelFormat."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Numbers = Level | Annotated[list[Level], msgspec.Meta(min_length=1, max_length=PLANES)]


class _Input(msgspec.Struct, forbid_unknown_fields=True):
    pixels: Literal[1, 255]
    mean: Numbers
    std: Numbers
    order: Literal["rgb", "bgr"] = "rgb"
    size: Side | None = None
    resize: Side | None = None
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"


class _Weights(msgspec.Struct, forbid_unknown_fields=True):
    name: Text | None = None
    licence: Text = _NOT_STATED
    trained_on: Text = _NOT_STATED
    note: str = ""


class _Card(msgspec.Struct, forbid_unknown_fields=True):
    input: _Input | None = None
    labels: Text | None = None
    answers: Text | None = None
    weights: _Weights = msgspec.field(default_factory=_Weights)


@dataclass(frozen=True)
class Description:
    """What is known about a model besides its graph."""

    input: Input
    """How photos become the input of our file."""
    reverse: bool
    """Whether the model wants blue first."""
    white: int
    """What white is for the model before mean and std: 1 or 255."""
    mean: tuple[float, ...]
    """Red, green, blue, as the model's maker states it."""
    std: tuple[float, ...]
    labels: Path | str | None
    """A file, IMAGENET, or None where nothing is said."""
    answers: str | None
    weights: Weights


def describe(given: Given, file: Path | None) -> Description:
    """Return what `file`, the TOML file beside the model or the model's own properties say.

    Raises GivenError: nothing is guessed that would change the answers.
    """
    beside = given.path.with_suffix(".toml")
    path = file.expanduser() if file else beside if beside.is_file() else None
    card = _read(path) if path else _Card()
    label = str(path or given.path)
    said = card.input or _properties(given.model)
    if said is None:
        raise GivenError(
            f"{label} does not say how a photo becomes the model's input: write it into "
            f"{path or beside}, such as {_EXAMPLE}"
        )
    mean, std = _three(said.mean, given.picture), _three(said.std, given.picture)
    if mean is None or std is None:
        raise GivenError(
            f"{label}: mean and std have to be a number for each of {given.picture.channels} "
            "channels, or one for all"
        )
    if min(std) < 1e-6:
        raise GivenError(
            f"{label}: std is {min(std):g}, and it is divided by: expected more than 0"
        )
    if given.picture.kind is np.uint8 and (said.pixels, *mean, *std) != (255, 0, 0, 0, 1, 1, 1):
        raise GivenError(
            f"{label}: the model takes whole numbers from 0 to 255 (uint8), so that pixels has to "
            "be 255, mean 0 and std 1"
        )
    side = _side(said.size, given.picture, label)
    resize = said.resize or side
    if resize < side:
        raise GivenError(f"{label}: resize is {resize}, and a crop of {side} cannot be cut from it")
    white = said.pixels
    labels: Path | str | None = card.labels
    if labels and labels != IMAGENET and path:
        labels = path.parent / labels
    return Description(
        input=Input(
            name=NAME,
            resize=resize,
            crop=side,
            interpolation=said.interpolation,
            mean=_triple(one / white for one in mean),
            std=_triple(one / white for one in std),
        ),
        reverse=said.order == "bgr" and given.picture.channels == PLANES,
        white=white,
        mean=mean,
        std=std,
        labels=labels,
        answers=card.answers,
        weights=Weights(
            name=card.weights.name or given.path.name,
            source="a file of the person who built this gallery",
            sha256=given.sha256,
            licence=card.weights.licence,
            trained_on=card.weights.trained_on,
            knows=(),
            accuracy=(),
            note=card.weights.note,
            stem_history="",
        ),
    )


def as_ours(pixels: NDArray[np.uint8], spec: Input) -> NDArray[np.float32]:
    """Return pixels, (pictures, height, width, 3), as our file takes them."""
    planes = pixels.transpose(0, 3, 1, 2) / 255
    mean, std = (np.array(one).reshape(1, PLANES, 1, 1) for one in (spec.mean, spec.std))
    ours: NDArray[np.float32] = ((planes - mean) / std).astype(np.float32)
    return ours


def as_theirs(pixels: NDArray[np.uint8], described: Description, picture: Picture) -> NDArray[Any]:
    """Return pixels, (pictures, height, width, 3), as the model's maker would prepare them."""
    levels = pixels.astype(np.float64) / 255 * described.white
    levels = (levels - np.array(described.mean)) / np.array(described.std)
    if picture.channels == 1:
        levels = levels @ np.array(LUMA)[:, np.newaxis]
    if described.reverse:
        levels = levels[..., ::-1]
    if not picture.last:
        levels = levels.transpose(0, 3, 1, 2)
    if picture.kind is np.uint8:
        levels = np.floor(levels + HALF).clip(0, 255)
    return np.ascontiguousarray(levels.astype(picture.kind))


def categories(wanted: Path | str | None, outputs: int) -> tuple[tuple[str, ...], str]:
    """Return the names of `outputs` classes and a remark; raises LabelsError or GivenError.

    Without names, 1000 classes are taken for ImageNet's, and the remark says so.
    """
    if isinstance(wanted, Path):
        names, remark = read_labels(wanted), ""
    elif wanted == IMAGENET or (wanted is None and outputs in {1000, 1001}):
        names = _imagenet()
        if outputs == len(names) + 1:
            names = ("background", *names)
        remark = f"{outputs} outputs are taken for ImageNet's classes, in torchvision's order"
        remark = "" if wanted else f"{remark}: name others with labels"
    else:
        names, remark = (
            tuple(f"class {number}" for number in range(outputs)),
            (
                f"nothing names the {outputs} classes, so that they are numbered: name them with labels"
            ),
        )
    if len(names) != outputs:
        raise GivenError(
            f"{wanted} names {len(names)} classes, and the model has {outputs} outputs: give a name "
            "for each, in their order"
        )
    return names, remark


def _imagenet() -> tuple[str, ...]:
    from export.torchvision_import import models

    return tuple(models.get_model_weights("resnet18")["IMAGENET1K_V1"].meta["categories"])


def _read(path: Path) -> _Card:
    if not path.is_file():
        there = "is no file" if path.exists() else "does not exist"
        raise GivenError(f"no description at {path}, which {there}: write one, such as {_EXAMPLE}")
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise GivenError(f"{path} has more than {_LARGEST // 10**6} MB: expected a few lines")
        return msgspec.convert(tomllib.loads(text.decode("utf-8-sig")), _Card)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise GivenError(f"{path} cannot be read as TOML: {one_line(error)}") from None
    except msgspec.ValidationError as error:
        raise GivenError(
            f"{path} is no description of a model: {one_line(error)}; write for instance {_EXAMPLE}"
        ) from None


def _properties(model: ModelProto) -> _Input | None:
    """Return what ONNX's own properties for pictures say, where they say enough."""
    said = {one.key: one.value for one in model.metadata_props}
    order = _ORDERS.get(said.get("Image.BitmapPixelFormat", ""))
    levels = _RANGES.get(said.get("Image.NominalPixelRange", ""))
    if order is None or levels is None:
        return None
    pixels, mean, std = levels
    return _Input(pixels=pixels, mean=mean, std=std, order=order)


def _three(given: float | list[float], picture: Picture) -> tuple[float, ...] | None:
    """Return a number for each plane of a photo; None where the model has other channels."""
    numbers = [float(one) for one in (given if isinstance(given, list) else [given])]
    if len(numbers) not in {1, picture.channels}:
        return None
    return tuple(numbers * (PLANES // len(numbers)))


def _triple(numbers: Any) -> tuple[Deviation, Deviation, Deviation]:
    red, green, blue = numbers
    return red, green, blue


def _side(said: int | None, picture: Picture, label: str) -> int:
    if said is None and picture.side is None:
        raise GivenError(
            f"{label}: the model takes pictures of any size: write size = 224 (or what it was "
            "trained on) under [input]"
        )
    if said is not None and picture.side not in {None, said}:
        raise GivenError(
            f"{label}: size is {said}, and the model takes {picture.side} × {picture.side} pixels"
        )
    side = said or picture.side or 0
    if side > 2048:
        raise GivenError(
            f"{label}: the model takes pictures of {side} × {side} pixels, and 2048 × 2048 is the "
            "most that can be shown: export it for smaller ones"
        )
    return side
