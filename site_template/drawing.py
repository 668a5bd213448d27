"""The network as a drawing: the lane that each layer stands in, and the wires between them.

Like the graph of a version history: a layer a row, wires run in lanes. Nothing here knows what a
residual network is; a chain is drawn as a line, and whatever passes a layer by runs beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from export.manifest import ModelManifest

ROW = 36
"""Distance of layers, in units of the drawing."""
LANE = 12
"""Distance of lanes."""

Sources = Mapping[str, Sequence[str]]
"""Layer to the layers it is computed from."""


@dataclass(frozen=True)
class Node:
    """Where a layer stands, in units of the drawing, as drawn downwards."""

    x: float
    y: float


@dataclass(frozen=True)
class Wiring:
    """The wires of a few layers in a row."""

    lanes: int
    nodes: tuple[Node, ...]
    wires: tuple[str, ...]
    """SVG paths, downwards."""


@dataclass(frozen=True)
class _Wire:
    """A wire that has left (row, lane) and runs in a lane until it reaches its target."""

    start: float
    lane: int
    target: int


def shown_sources(manifest: ModelManifest) -> dict[str, tuple[str, ...]]:
    """Return for each layer of the gallery those it is computed from, leaping over hidden ones."""
    shown = {layer.name for layer in manifest.feature_maps}
    seen: dict[str, tuple[str, ...]] = {}
    for layer in manifest.layers:
        found: list[str] = []
        for name in layer.inputs:
            found += [name] if name in shown or name not in seen else seen[name]
        seen[layer.name] = tuple(dict.fromkeys(found))
    return {name: seen[name] for name in shown}


def wiring(names: Sequence[str], sources: Sources) -> Wiring:
    """Return how `names`, neighbours in forward order, are wired.

    What comes from elsewhere enters at the top; what others than these read leaves at the bottom.
    """
    row_of = {name: row for row, name in enumerate(names)}
    bottom = len(names)
    targets: dict[str, list[int]] = {}
    for name in names:
        for source in sources[name]:
            targets.setdefault(source, []).append(row_of[name])
    lanes: list[_Wire | None] = []
    paths: list[str] = []
    for source, rows in targets.items():
        if source not in row_of:
            entry = len(lanes)  # one lane for each thing that comes in, from which others branch
            lanes += [_Wire(0, entry, row) for row in rows]
    nodes: list[Node] = []
    for row, name in enumerate(names):
        arriving = [lane for lane, wire in enumerate(lanes) if wire and wire.target == row]
        lane = arriving[0] if arriving else _free(lanes)
        for one in arriving:
            wire = lanes[one]
            assert wire is not None
            paths.append(_path(wire, one, row + 0.5, lane))
            lanes[one] = None
        nodes.append(Node((lane + 0.5) * LANE, (row + 0.5) * ROW))
        leaving = sorted(targets.get(name, []))
        read_elsewhere = any(name in sources[other] for other in sources if other not in row_of)
        if read_elsewhere or row == bottom - 1:
            leaving.append(bottom)
        for target in leaving:
            wanted = lane if lane == len(lanes) or lanes[lane] is None else _free(lanes)
            lanes[wanted : wanted + 1] = [_Wire(row + 0.5, lane, target)]
    for lane, wire in enumerate(lanes):
        if wire:
            paths.append(_path(wire, lane, bottom, lane))
    return Wiring(max(len(lanes), 1), tuple(nodes), tuple(paths))


def _free(lanes: Sequence[_Wire | None]) -> int:
    return next((lane for lane, wire in enumerate(lanes) if wire is None), len(lanes))


def _path(wire: _Wire, lane: int, end: float, end_lane: int) -> str:
    """Return the way of a wire: to its lane within half a row, along it, and to its target."""
    x0, x1, x2 = ((at + 0.5) * LANE for at in (wire.lane, lane, end_lane))
    y0, y3 = wire.start * ROW, end * ROW
    y1 = min(y0 + ROW / 2, (y0 + y3) / 2)
    y2 = max(y3 - ROW / 2, (y0 + y3) / 2)
    out = f"C{x0:g} {y1:g} {x1:g} {y0:g} {x1:g} {y1:g}" if x0 != x1 else ""
    back = f"V{y2:g}C{x1:g} {y3:g} {x2:g} {y2:g} {x2:g} {y3:g}" if x1 != x2 else f"V{y3:g}"
    return f"M{x0:g} {y0:g}{out}{back}"
