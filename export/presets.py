"""Which layers are shown: sets with a name, derived from the graph, or names. Needs no torch."""

from collections.abc import Callable, Sequence
from itertools import groupby

from export.errors import LayersError
from export.manifest import Layer

AUTO = "auto"
MOST_VALUES = 20_000_000
"""Activations a photo that `auto` lets be shown: at some 0.6 bytes each, about 12 MB."""
_AFFINE = {"batch norm", "scale"}
_POINTWISE = {*_AFFINE, "relu", "relu6", "silu", "hard swish", "sigmoid", "hard sigmoid", "gelu"}


def _all(layers: Sequence[Layer]) -> set[str]:
    return {layer.name for layer in layers if layer.spatial}


def _stem_and_blocks(layers: Sequence[Layer]) -> set[str]:
    """All but what is a multiple of its neighbour, and what is done before the first convolution.

    A batch norm that only a ReLU (or its like) reads gives the map of the convolution before it,
    multiplied by one number and shifted by another, so the picture is the same up to contrast and
    sign; and where it is cut off shows in the ReLU's map.
    """
    kept_apart = {i for layer in layers if layer.op not in _POINTWISE for i in layer.inputs}
    rescaled = {layer.name for layer in layers if layer.op in _AFFINE} - kept_apart
    begin = next((i for i, layer in enumerate(layers) if layer.op == "convolution"), 0)
    prepared = {layer.name for layer in layers[:begin]}
    return _all(layers) - rescaled - prepared


def _activations(layers: Sequence[Layer]) -> set[str]:
    """Each value once, in the form in which other layers read it."""
    readers: dict[str, list[Layer]] = {}
    for layer in layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)
    passed_on = {
        layer.name
        for layer in layers
        if [reader.inputs for reader in readers.get(layer.name, [])] == [(layer.name,)]
        and readers[layer.name][0].op in _POINTWISE
    }
    return _stem_and_blocks(layers) - passed_on


def _ends(layers: Sequence[Layer], of: Callable[[Layer], str]) -> set[str]:
    shown = [layer for layer in layers if layer.name in _stem_and_blocks(layers)]
    return {list(members)[-1].name for _, members in groupby(shown, key=of)}


def _blocks(layers: Sequence[Layer]) -> set[str]:
    return _ends(layers, lambda layer: layer.block)


def _stages(layers: Sequence[Layer]) -> set[str]:
    return _ends(layers, lambda layer: layer.stage)


PRESETS: dict[str, Callable[[Sequence[Layer]], set[str]]] = {
    "all": _all,
    "stem+blocks": _stem_and_blocks,
    "activations": _activations,
    "blocks": _blocks,
    "stages": _stages,
}
"""From the most to the fewest."""


def choose(layers: Sequence[Layer], choice: str, always: str | None = None) -> tuple[str, ...]:
    """Return the names of the tensors to export, in forward order; the logits are always in.

    `choice` is a key of PRESETS, names with commas between them, or `auto`: the first preset after
    `all` with no more than MOST_VALUES activations. Presets hold the layer called `always`, which
    the evidence for answers is made of. Raises LayersError.
    """
    if choice == AUTO:
        choice = preset(layers)
    if choice in PRESETS:
        chosen = PRESETS[choice](layers) | ({always} if always else set())
        chosen |= set([one.name for one in layers if one.op == "global average pool"][-1:])
    else:
        chosen = _named(layers, choice)
    chosen.add(layers[-1].name)
    return tuple(layer.name for layer in layers if layer.name in chosen)


def preset(layers: Sequence[Layer]) -> str:
    """Return the preset that `auto` stands for."""
    *fitting, last = (name for name in PRESETS if name != "all")
    return next((n for n in fitting if values(layers, PRESETS[n](layers)) <= MOST_VALUES), last)


def values(layers: Sequence[Layer], names: set[str]) -> int:
    """Return how many activations a photo has in the layers called `names`."""
    return sum(one.channels * one.height * one.width for one in layers if one.name in names)


def _named(layers: Sequence[Layer], choice: str) -> set[str]:
    chosen = {name.strip() for name in choice.split(",") if name.strip()}
    unknown = sorted(chosen - {layer.name for layer in layers})
    shown = [layer.name for layer in layers if layer.spatial]
    if unknown or not chosen & set(shown):
        named = f"unknown layer {', '.join(map(repr, unknown))}" if unknown else "no layer"
        raise LayersError(
            f"{named}: give {AUTO}, {', '.join(PRESETS)}, or names with commas between them; "
            f"known layers are {', '.join(shown)}"
        )
    return chosen
