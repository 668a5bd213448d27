"""How each layer is computed, in words, so that no page needs to know a graph or an operation."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from export.manifest import PICTURE, PLANES, Layer, ModelManifest
from site_template.drawing import all_sources, shown_sources

MOST = 3
"""Layers that a line names; of more it gives the number."""

Text = tuple[str, ...]
"""Words, and at every second place the name of a layer that is shown."""

_NAMES = {"relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU", "add": "sum"}
_NAMES |= {"concatenate": "concatenation", "multiply": "product", "scale": "multiple"}
_POINTWISE = {
    "relu": "or zero where that is negative",
    "relu6": "but at least 0 and at most 6",
    "silu": "times its own sigmoid: x / (1 + e⁻ˣ)",
    "sigmoid": "squeezed to between 0 and 1: 1 / (1 + e⁻ˣ)",
    "hard sigmoid": "squeezed to between 0 and 1 by a straight line with its ends cut off",
    "hard swish": "times its own hard sigmoid, a straight line from 0 to 1",
    "gelu": "times the share of a normal distribution that lies below it",
}


class _Name(str):
    """The name of a layer that is shown, within a sentence."""


@dataclass(frozen=True)
class Words:
    """What is said of each layer of the gallery, by its name."""

    reads: Mapping[str, str]
    sees: Mapping[str, str]


def told(manifest: ModelManifest) -> Words:
    """Return what is said of the layers of the gallery."""
    return Words(reads(manifest), sees(manifest))


def reads(manifest: ModelManifest) -> dict[str, str]:
    """Return in brief what each layer of the gallery reads: those shown, and what hides between."""
    words = {}
    for name, shown in shown_sources(manifest).items():
        hidden = [one for one in manifest.layer(name).inputs if one not in shown]
        words[name] = _counted(shown) + (f" via {_counted(hidden)} (not shown)" if hidden else "")
    return words


def sees(manifest: ModelManifest) -> dict[str, str]:
    """Return in words how much of the picture a value of each layer of the gallery sees."""
    whole: dict[str, bool] = {PICTURE: False}
    for layer in manifest.layers:
        averaged = layer.op == "global average pool" and layer.height == layer.width == 1
        whole[layer.name] = averaged or any(whole[name] for name in layer.inputs)
    words = {}
    for layer in manifest.feature_maps:
        field = layer.receptive_field
        if field:
            words[layer.name] = f"sees {field.size[0]}×{field.size[1]} pixels"
        elif whole[layer.name]:
            words[layer.name] = "sees the whole picture, by averages over all places"
        else:
            words[layer.name] = "sees a part of the picture that is not known here"
    return words


def sources(layer: Layer, manifest: ModelManifest) -> tuple[tuple[int, str], ...]:
    """Return, for a concatenation of layers that are all shown, where the channels of each begin.

    Empty for anything else. What is joined from a concatenation is told as what that joins.
    """
    if layer.op != "concatenate":
        return ()
    joined = list(_joined(layer, manifest))
    if sum(channels for _, channels in joined) != layer.channels:
        return ()  # joined along another axis
    shown = {one.name for one in manifest.feature_maps}
    starts, first = [], 0
    for name, channels in joined:
        starts.append((first, name if name in shown else ""))
        first += channels
    return tuple(starts)


def computed(layer: Layer, manifest: ModelManifest) -> Text:
    """Return how `layer` is computed from layers that are shown, naming what hides between."""
    return _text(_sentence(layer, _Network(manifest)))


class _Network:
    """The layers by name, and which of them are shown."""

    def __init__(self, manifest: ModelManifest) -> None:
        self.manifest = manifest
        self.layers = {layer.name: layer for layer in manifest.layers}
        self.shown = {layer.name for layer in manifest.feature_maps}
        self.sources = all_sources(manifest)

    def tensor(self, name: str) -> Iterator[str]:
        """Yield the words for a tensor: its name, or for a hidden one also where it comes from."""
        if name == PICTURE:
            yield "the normalised picture"
        elif name in self.shown:
            yield _Name(name)
        else:
            hidden, found = self.layers[name], self.sources[name]
            by = f"the {_NAMES.get(hidden.op, hidden.op)} of "
            yield f"{name} (not shown), {by if found == hidden.inputs else 'computed from '}"
            if len(found) > MOST:
                yield f"{len(found)} layers"
            else:
                yield from _and([[_Name(one) if one in self.shown else one] for one in found])


def _sentence(layer: Layer, network: _Network) -> Iterator[str]:
    inputs = [list(network.tensor(name)) for name in layer.inputs]
    first = inputs[0] if inputs else ["nothing"]
    yield f"{layer.name}: "
    if layer.op == "convolution":
        yield from _convolution(layer, first, network)
    elif layer.op in {"batch norm", "scale"} and len(inputs) == 1:
        yield from (
            "each channel of ",
            *first,
            ", times one number, plus another; either may change nothing.",
        )
    elif layer.op in _POINTWISE and len(inputs) == 1:
        yield from (
            "each value is that of ",
            *first,
            f" at the same place, {_POINTWISE[layer.op]}.",
        )
    elif layer.op == "max pool":
        yield from (
            "each value is the largest of ",
            _window(layer),
            *first,
            ", channel by channel.",
        )
    elif layer.op == "average pool":
        yield from ("each value is the mean of ", _window(layer), *first, ", channel by channel.")
    elif layer.op == "global average pool":
        part = "the mean of all values" if layer.height == layer.width == 1 else "a mean"
        yield from (f"each value is {part} of one channel of ", *first, ".")
    elif layer.op == "add":
        yield from ("the sum of ", *_and(inputs), ", value by value.")
    elif layer.op == "multiply":
        yield from _product(layer, inputs, network)
    elif layer.op == "concatenate":
        yield from _concatenation(layer, inputs, network)
    else:
        yield from (f"the result of the step “{layer.op}” on ", *_and(inputs))
        yield ". What that step does is not told here, so it is not taken apart."


def _convolution(layer: Layer, source: list[str], network: _Network) -> Iterator[str]:
    """Yield what a convolution reads; why its sum is not shown can only be that this is hidden."""
    rows, columns = layer.kernel or (1, 1)
    groups = layer.groups or 1
    name = layer.inputs[0]
    inputs = (PLANES if name == PICTURE else network.layers[name].channels) // groups
    each = f"all {inputs} channels" if groups == 1 else f"the {inputs} channels of its group"
    if inputs == 1:
        each = "one channel alone"
    yield from (f"each channel adds up a {rows}×{columns} kernel on {each} of ", *source, ".")
    if name != PICTURE and name not in network.shown:
        yield f" The sum is not shown, because {name} is not among the layers of this gallery."


def _window(layer: Layer) -> str:
    return "a {}×{} window of ".format(*layer.kernel) if layer.kernel else "a window of "


def _product(layer: Layer, inputs: list[list[str]], network: _Network) -> Iterator[str]:
    """Yield what is multiplied; a gate is one number for each channel."""
    known = [network.layers.get(name) for name in layer.inputs]
    gates = [i for i, one in enumerate(known) if one and (one.height, one.width) == (1, 1)]
    if len(inputs) == 2 and len(gates) == 1 and (layer.height, layer.width) != (1, 1):
        gate = gates[0]
        yield from ("each channel of ", *inputs[1 - gate], ", times one number, its gate, from ")
        yield from (*inputs[gate], ".")
    elif len(inputs) == 1:
        yield from (*inputs[0], ", times a constant.")
    else:
        yield from (*_and(inputs), ", multiplied value by value.")


def _joined(layer: Layer, manifest: ModelManifest) -> Iterator[tuple[str, int]]:
    """Yield name and channels of what is joined, hidden concatenations taken apart."""
    shown = {one.name for one in manifest.feature_maps}
    for name in layer.inputs:
        source = None if name == PICTURE else manifest.layer(name)
        if source and name not in shown and source.op == "concatenate":
            yield from _joined(source, manifest)
        else:
            yield name, source.channels if source else PLANES


def _concatenation(layer: Layer, inputs: list[list[str]], network: _Network) -> Iterator[str]:
    joined = list(_joined(layer, network.manifest))
    if sum(channels for _, channels in joined) != layer.channels:
        yield from ("what stands one after another in ", *_and(inputs), ".")
        return
    yield "unchanged, one after another, "
    first = 0
    for position, (name, channels) in enumerate(joined):
        which = f"s {first}–{first + channels - 1}" if channels > 1 else f" {first}"
        yield f"{'; ' if position else ''}channel{which}: "
        yield from network.tensor(name)
        first += channels
    yield "."


def _and(phrases: list[list[str]]) -> Iterator[str]:
    for position, phrase in enumerate(phrases):
        if position:
            yield " and " if position == len(phrases) - 1 else ", "
        yield from phrase


def _counted(names: Iterable[str]) -> str:
    """Return a few names, or how many there are."""
    names = list(names)
    return " and ".join(names) if len(names) <= MOST else f"{len(names)} layers"


def _text(words: Iterable[str]) -> Text:
    """Return words and names by turns, beginning and ending with words."""
    text = [""]
    for word in words:
        if isinstance(word, _Name):
            text += [str(word), ""]
        else:
            text[-1] += word
    return tuple(text)
