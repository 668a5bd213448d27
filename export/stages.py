"""Which layers belong together: the stages and blocks that a network is told in.

Where a model's names tell of its stages (`layer1.0.conv1`), they are taken; elsewhere a stage is
what has maps of one size, and a block what lies between two places where paths join.
"""

from collections.abc import Iterator, Sequence

from export.manifest import Layer

Place = tuple[str, str]
"""Stage and block."""

HEAD = ("head", "head")
STEM = "stem"
_FEWEST, _MOST = 2, 9
"""Names of stages; fewer tell nothing, and more are blocks."""
_JOINS = {"add", "concatenate"}
_AFTER = {"relu", "relu6", "batch norm", "scale", "silu"}
"""What can follow a join and still belong to it."""


def place(layers: Sequence[Layer]) -> list[Place]:
    """Return the stage and the block of each of `layers`, which are in forward order.

    What has no positions belongs to the head at the end, or else, like a gate, to the maps before.
    """
    shown = [layer for layer in layers if layer.spatial]
    prefix = _common(shown)
    paths = [_path(layer, prefix) for layer in shown]
    nested = {path[0] for path in paths if len(path) > 1}
    deep = {path[0] for path in paths if len(path) > 2}  # these hold blocks, and not just layers
    if _FEWEST <= len(nested) <= _MOST and len(deep) >= _FEWEST:
        places = iter(list(_by_name(shown, paths, nested, prefix)))
    else:
        places = iter(list(_by_size(shown, paths, nested, prefix)))
    left = len(shown)
    found: list[Place] = []
    for layer in layers:
        if layer.spatial:
            left -= 1
            found.append(next(places))
        else:
            found.append(found[-1] if left and found else HEAD)
    return found


def _common(shown: Sequence[Layer]) -> str:
    """Return the module that holds nearly all layers, such as `features`, or an empty string."""
    first = [layer.name.partition(".")[0] for layer in shown if "." in layer.name]
    most = max(first, key=first.count, default="")
    return most if first.count(most) > 0.9 * len(shown) else ""


def _path(layer: Layer, prefix: str) -> list[str]:
    path = layer.name.split(".")
    return path[1:] if prefix and path[0] == prefix and len(path) > 1 else path


def _label(name: str, prefix: str) -> str:
    return f"{prefix}.{name}" if prefix and name.isdigit() else name


def _by_name(
    shown: Sequence[Layer], paths: Sequence[list[str]], nested: set[str], prefix: str
) -> Iterator[Place]:
    """Yield places by name; a layer outside of all modules belongs to what comes before it, and
    a convolution there begins something new.
    """
    blocks = [tuple(path[:2]) if len(path) > 2 else () for path in paths]
    place = (STEM, STEM)
    for layer, path, block in zip(shown, paths, blocks, strict=True):
        if path[0] in nested:
            stage = _label(path[0], prefix)
            place = (stage, f"{stage}.{path[1]}" if block and blocks.count(block) > 1 else stage)
        elif layer.op == "convolution" and place[0] != STEM:
            place = (_label(path[0], prefix), _label(path[0], prefix))
        else:
            place = (place[0], place[0])
        yield place


def _by_size(
    shown: Sequence[Layer], paths: Sequence[list[str]], nested: set[str], prefix: str
) -> Iterator[Place]:
    """Yield places by the size of maps, which never grows again, and by the joins in between."""
    modules = _modules(shown, paths, nested)
    smallest = shown[0]
    stages: list[str] = []
    for unit in _units(shown, modules):
        smallest = min(smallest, unit[-1], key=lambda layer: layer.height * layer.width)
        stages += [f"{smallest.height}×{smallest.width}"] * len(unit)
    leaves = [stage for stage, module in zip(stages, modules, strict=True) if not module]
    parts = _parts(shown, stages)
    most = {stage: part for part, stage in sorted(zip(parts, stages, strict=True))}
    for stage, part, module, path in zip(stages, parts, modules, paths, strict=True):
        if module:
            yield stage, _label(module, prefix)
        elif nested:
            alone = leaves.count(stage) == 1
            yield stage, _label(path[0], prefix) if alone else stage
        else:
            yield stage, f"{stage}, part {part}" if most[stage] > 1 else stage


def _parts(shown: Sequence[Layer], stages: Sequence[str]) -> list[int]:
    """Return which part of its stage each layer is in, counted from 1; a join ends a part."""
    parts: list[int] = []
    joined, part = False, 1
    for position, layer in enumerate(shown):
        if position and stages[position] != stages[position - 1]:
            part, joined = 1, False
        elif joined and layer.op not in _AFTER:
            part, joined = part + 1, False
        joined = joined or layer.op in _JOINS
        parts.append(part)
    return parts


def _modules(
    shown: Sequence[Layer], paths: Sequence[list[str]], nested: set[str]
) -> list[str | None]:
    """Return the module that each layer is in. Where only convolutions bear the name of one, what
    is done to their maps comes after them, and keeps their size.
    """
    found: list[str | None] = []
    for position, (layer, path) in enumerate(zip(shown, paths, strict=True)):
        before = shown[position - 1]
        if path[0] in nested:
            found.append(path[0])
        elif found and layer.op != "convolution" and _size(layer) == _size(before):
            found.append(found[-1])
        else:
            found.append(None)
    return found


def _size(layer: Layer) -> tuple[int, int]:
    return layer.height, layer.width


def _units(shown: Sequence[Layer], modules: Sequence[str | None]) -> Iterator[list[Layer]]:
    """Yield neighbours of one module together, and every other layer by itself."""
    unit: list[Layer] = []
    for position, layer in enumerate(shown):
        same = position and modules[position] and modules[position] == modules[position - 1]
        if unit and not same:
            yield unit
            unit = []
        unit.append(layer)
    if unit:
        yield unit
