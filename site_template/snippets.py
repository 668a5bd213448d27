"""Programs that compute one of the gallery's own numbers, for readers to copy and run."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from export.manifest import Layer, ModelManifest, Weights
from precompute.index import Answer, TileSheet
from site_template.figures import Numbers, largest
from site_template.pages import Card

FOLDER = "snippets"
"""Where the programs lie, in the templates and in the site."""

PUBLISHED = 1000
"""Classes that torchvision's classifiers have unless told otherwise."""
_WITHOUT_HELPERS = ", transform_input=True, aux_logits=False, init_weights=True"
OPTIONS = {"googlenet": _WITHOUT_HELPERS, "inception_v3": _WITHOUT_HELPERS}
"""What export/architectures.py builds these with, where torchvision's weights do not bring it."""
IN_PLACE = ("resnet", "resnext", "wide_resnet")
"""How the names begin of torchvision's architectures whose sums are made in place."""


@dataclass(frozen=True)
class Subject:
    """What the programs print: how far a channel goes, where it is largest, and the answer."""

    card: Card
    layer: Layer
    channel: int
    low: float
    high: float
    row: int
    """Of the largest value."""
    column: int
    answer: Answer


@dataclass(frozen=True)
class Overwritten:
    """A map that a forward hook without a copy gets wrong, and what it gets instead."""

    card: Card
    layer: Layer
    """A batch norm, to whose result the shortcut is added in place."""
    total: Layer
    """The sum; a ReLU works on it in place."""
    becomes: Layer
    channel: int
    right: TileSheet
    wrong: TileSheet


@dataclass(frozen=True)
class Loaded:
    """How a program gets the gallery's weights."""

    kind: str
    """`random`, `published` (by torchvision), `safetensors` or `pickle`."""
    file: str
    """Or torchvision's name of what it publishes."""
    seed: int
    classes: int | None = None
    """Of its last layer, where that is not torchvision's own."""
    options: str = ""
    """What else its architecture is built with: more arguments of a call."""


def overwritten(numbers: Numbers) -> Overwritten | None:
    """Return the example of a tensor that is overwritten; None where none is shown.

    The blocks of torchvision's ResNets do `out += shortcut` and a ReLU in place: the sum's first
    input, the result of a batch norm, holds the block's output in the end.
    """
    if not (numbers.manifest.architecture or "").startswith(IN_PLACE):
        return None
    shown = {layer.name: layer for layer in numbers.manifest.feature_maps}
    card = numbers.photos[0]
    for total in (layer for layer in shown.values() if layer.op == "add"):
        branch = shown.get(total.inputs[0])
        after = [one for one in shown.values() if one.inputs == (total.name,) and one.op == "relu"]
        if branch and branch.op == "batch norm" and after:
            figures = numbers.figures(card, branch)
            return Overwritten(
                card=card,
                layer=branch,
                total=total,
                becomes=after[0],
                channel=largest([-low for low in figures.low]),
                right=numbers.sheet(card, branch),
                wrong=numbers.sheet(card, after[0]),
            )
    return None


def subject(numbers: Numbers, hooked: Overwritten | None) -> Subject:
    """Return what the programs compute: of the sum in `hooked`, or else of the first layer."""
    card = numbers.photos[0]
    layer = hooked.total if hooked else numbers.manifest.feature_maps[0]
    figures = numbers.figures(card, layer)
    # Where negative values are lost, this channel shows it most.
    channel = largest([-low for low in figures.low] if layer.signed else figures.high)
    return Subject(
        card=card,
        layer=layer,
        channel=channel,
        low=figures.low[channel],
        high=figures.high[channel],
        row=figures.row[channel],
        column=figures.column[channel],
        answer=numbers.entry(card).answers[0],
    )


def loaded_by(manifest: ModelManifest) -> Loaded:
    """Return how a program gets the gallery's weights."""
    model = manifest.architecture or manifest.model
    found = replace(loaded(manifest.weights, model), options=OPTIONS.get(model, ""))
    classes = len(manifest.categories)
    return found if classes == PUBLISHED else replace(found, classes=classes)


def loaded(weights: Weights, model: str) -> Loaded:
    """Return how to get the `weights` of `model`, from what the manifest says about their source."""
    if weights.source == "random":
        seed = re.search(r"\d+$", weights.name)
        return Loaded("random", "", int(seed[0]) if seed else 0)
    if weights.source.startswith("https://download.pytorch.org/"):
        return Loaded("published", weights.name, 0)
    if weights.source == "bundled":
        return Loaded("safetensors", f"{model}.safetensors", 0)
    pickled = Path(weights.name).suffix in {".pth", ".pt"}
    return Loaded("pickle" if pickled else "safetensors", weights.name, 0)


def programs(numbers: Numbers, chosen: Subject, hooked: Overwritten | None) -> dict[str, str]:
    """Return file name to Python source of every program that this gallery can show."""
    manifest = numbers.manifest
    told = {
        "layer": chosen.layer.name,
        "channel": chosen.channel,
        "logits": manifest.logits,
        "hooked": hooked.layer.name if hooked else "",
        "photo": f"{chosen.card.id}.png",
        "model_name": manifest.architecture,
        "weights": loaded_by(manifest),
        "input": manifest.input,
        "onnx_file": manifest.onnx.name,
        "manifest_file": f"{Path(manifest.onnx.name).stem}.json",
    }
    names = ["with_onnxruntime.py", "with_keras.py"]
    names += ["with_pytorch.py"] if manifest.architecture else []
    names += ["with_hooks.py"] if hooked else []
    environment = _environment()
    return {name: environment.get_template(f"{FOLDER}/{name}.jinja").render(told) for name in names}


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # Python, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = json.dumps  # every JSON string of ASCII is a Python string
    return environment
