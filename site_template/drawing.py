"""The network as a drawing: the lane that each layer stands in, and the wires between them.

Like the graph of a version history: a layer a row, wires run in lanes. Nothing here knows what a
residual network is; a chain is drawn as a line, and whatever passes a layer by runs beside it. What
many layers read has one lane for them all, which ends at the last of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from export.manifest import ModelManifest

ROW = 36
"""Distance of layers, in units of the drawing."""
LANE = 12
"""Distance of lanes."""
WIDEST = 60
"""Width from which on lanes lie closer together, rather than take up the room of the names."""

Sources = Mapping[str, Sequence[str]]
"""Layer to the layers it is computed from."""


@dataclass(frozen=True)
class Node:
    """Where a layer stands, in units of the drawing, as drawn downwards."""

    x: float
    y: float


@dataclass(frozen=True)
class Wire:
    """What leads from one layer to one that reads it, or out of the block."""

    source: str
    target: str
    """Empty where it leaves at the bottom."""
    path: str
    """SVG, downwards. Where others read `source` earlier, it begins where their wires branch off."""


@dataclass(frozen=True)
class Wiring:
    """The wires of a few layers in a row."""

    width: float
    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]


@dataclass
class _Run:
    """A lane that is taken: by what leads from `source` to the rows that are left of its targets."""

    source: str
    targets: list[int]
    start: float
    """Row up to which it is drawn."""
    begin: float
    """Lane that it comes from there."""


def shown_sources(manifest: ModelManifest) -> dict[str, tuple[str, ...]]:
    """Return for each layer of the gallery those it is computed from, leaping over hidden ones."""
    every = all_sources(manifest)
    return {layer.name: every[layer.name] for layer in manifest.feature_maps}


def all_sources(manifest: ModelManifest) -> dict[str, tuple[str, ...]]:
    """Return for each layer, hidden or not, those of the gallery that it is computed from."""
    shown = {layer.name for layer in manifest.feature_maps}
    seen: dict[str, tuple[str, ...]] = {}
    for layer in manifest.layers:
        found: list[str] = []
        for name in layer.inputs:
            found += [name] if name in shown or name not in seen else seen[name]
        seen[layer.name] = tuple(dict.fromkeys(found))
    return seen


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
    read_elsewhere = {one for name in sources if name not in row_of for one in sources[name]}
    read_elsewhere.add(names[-1])
    lanes: list[_Run | None] = []
    drawn: list[tuple[str, str, _Piece]] = []

    def leave(source: str, rows: list[int], start: float, lane: int) -> None:
        """Run straight on to the first of `rows`, and beside that to all others."""
        for position, ends in enumerate(part for part in (rows[:1], rows[1:]) if part):
            wanted = lane if position == 0 else _free(lanes)
            lanes[wanted : wanted + 1] = [_Run(source, ends, start, lane)]

    for source, rows in targets.items():
        if source not in row_of:
            leave(source, rows, 0, len(lanes))
    stands: list[int] = []
    for row, name in enumerate(names):
        arriving = [(lane, run) for lane, run in enumerate(lanes) if run and run.targets[0] == row]
        ending = [lane for lane, run in arriving if len(run.targets) == 1]
        at = ending[0] if ending else _free(lanes)
        for lane, run in arriving:
            piece = _Piece(run.start, run.begin, lane, row + 0.5, at)
            drawn.append((run.source, name, piece))
            branched = max(row, piece.halfway)
            run.targets, run.start, run.begin = run.targets[1:], branched, lane
            if not run.targets:
                lanes[lane] = None
        stands.append(at)
        leave(name, targets.get(name, []) + [bottom] * (name in read_elsewhere), row + 0.5, at)
    for lane, left in enumerate(lanes):
        if left:
            drawn.append((left.source, "", _Piece(left.start, left.begin, lane, bottom, lane)))
    apart = min(LANE, (WIDEST - LANE) / max(len(lanes) - 1, 1))
    return Wiring(
        width=LANE + apart * max(len(lanes) - 1, 0),
        nodes=tuple(
            Node(round(LANE / 2 + at * apart, 2), (row + 0.5) * ROW)
            for row, at in enumerate(stands)
        ),
        wires=tuple(Wire(source, to, piece.path(apart)) for source, to, piece in drawn),
    )


def _free(lanes: Sequence[_Run | None]) -> int:
    return next((lane for lane, run in enumerate(lanes) if run is None), len(lanes))


@dataclass(frozen=True)
class _Piece:
    """The way of a wire: to its lane within half a row, along it, and to its target."""

    start: float
    begin: float
    lane: int
    end: float
    target: int

    @property
    def halfway(self) -> float:
        """Row in the middle of its way."""
        return (self.start + self.end) / 2

    def path(self, apart: float) -> str:
        """Return it as SVG, with lanes that lie so far `apart`."""
        lanes = (self.begin, self.lane, self.target)
        x0, x1, x2 = (round(LANE / 2 + at * apart, 2) for at in lanes)
        y0, y3 = self.start * ROW, self.end * ROW
        y1 = min(y0 + ROW / 2, self.halfway * ROW)
        y2 = max(y3 - ROW / 2, self.halfway * ROW)
        out = f"C{x0:g} {y1:g} {x1:g} {y0:g} {x1:g} {y1:g}" if x0 != x1 else ""
        back = f"V{y2:g}C{x1:g} {y3:g} {x2:g} {y2:g} {x2:g} {y3:g}" if x1 != x2 else f"V{y3:g}"
        return f"M{x0:g} {y0:g}{out}{back}"
