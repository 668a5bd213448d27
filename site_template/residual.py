"""Residual sums: where a block adds a correction to its own input. Told from the graph alone."""

from dataclasses import dataclass

from export.manifest import Layer, ModelManifest

_STRAIGHT = {"convolution", "batch norm", "scale", "average pool"}
"""What can stand on a shortcut to fit it to its branch: nothing that bends values."""


@dataclass(frozen=True)
class Part:
    """A layer and what it is in a residual sum."""

    role: str
    layer: str


@dataclass(frozen=True)
class Residual:
    """A sum of what a block is given and of what it makes of it, all of it shown."""

    shortcut: Layer
    branch: Layer
    total: Layer
    after: Layer | None
    """The ReLU behind the sum, where that alone reads it."""
    fit: tuple[Layer, ...]
    """What fits the shortcut to the branch, last first; empty where it is the block's input."""
    inside: frozenset[str]
    """Names of the layers between the block's input and its output."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the sum is made of, and what becomes of it."""
        kernels = [layer.kernel for layer in self.fit if layer.kernel and layer.op == "convolution"]
        how = "the block’s input"
        if self.fit:
            how = "fitted to the branch"
        if len(kernels) == 1:
            how = "fitted by a {}×{} convolution".format(*kernels[0])
        parts = (
            Part(f"shortcut{', ' if self.fit else ': '}{how}", self.shortcut.name),
            Part("branch: the correction", self.branch.name),
            Part("sum" if self.after else "sum: the block’s output", self.total.name),
        )
        if self.after is None:
            return parts
        return *parts, Part("after ReLU: the block’s output", self.after.name)


def residuals(manifest: ModelManifest) -> tuple[Residual, ...]:
    """Return the residual sums whose parts are all shown, in forward order."""
    layers = {layer.name: layer for layer in manifest.layers}
    shown = {layer.name for layer in manifest.feature_maps}
    before: dict[str, frozenset[str]] = {}
    for layer in manifest.layers:
        before[layer.name] = frozenset(layer.inputs).union(
            *(before.get(i, ()) for i in layer.inputs)
        )
    found = []
    for total in manifest.feature_maps:
        if total.op != "add" or len(total.inputs) != 2 or not shown >= set(total.inputs):
            continue
        ends = [layers[name] for name in total.inputs]
        if any(_shape(end) != _shape(total) for end in ends):
            continue
        for shortcut, branch in (ends, ends[::-1]):
            straight = _straight(shortcut, layers)
            begin = next((name for name in straight if name in before[branch.name]), None)
            if begin is None or begin in _straight(branch, layers):
                continue
            readers = [one for one in manifest.layers if total.name in one.inputs]
            relus = [one for one in readers if one.op == "relu" and one.name in shown]
            after = relus[0] if relus and len(readers) == 1 else None
            own = before[total.name] | {total.name} | ({after.name} if after else set())
            found.append(
                Residual(
                    shortcut=shortcut,
                    branch=branch,
                    total=total,
                    after=after,
                    fit=tuple(layers[name] for name in straight[: straight.index(begin)]),
                    inside=frozenset(name for name in own if begin in before.get(name, ())),
                )
            )
            break
    return tuple(found)


def residual_of(layer: Layer, sums: tuple[Residual, ...]) -> Residual | None:
    """Return the sum that `layer` belongs to: the first whose block it stands in."""
    return next((one for one in sums if layer.name in one.inside), None)


def _straight(layer: Layer, layers: dict[str, Layer]) -> list[str]:
    """Return the names of `layer` and of what comes before it, up to where values are bent."""
    names = [layer.name]
    while names[-1] in layers:
        last = layers[names[-1]]
        if last.op not in _STRAIGHT or len(last.inputs) != 1:
            break
        names.append(last.inputs[0])
    return names


def _shape(layer: Layer) -> tuple[int, int, int]:
    return layer.channels, layer.height, layer.width
