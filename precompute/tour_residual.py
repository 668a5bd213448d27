"""Tour: what the residual branch adds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from export.manifest import Layer
from precompute import index, lessons
from precompute.reductions import Float64
from precompute.tour_source import Found, LeftOut, Source, stop


@dataclass(frozen=True)
class Parts:
    """The layers that a residual block shows."""

    shortcut: Layer
    branch: Layer
    sum: Layer
    after: Layer


@dataclass(frozen=True)
class _Lost:
    """A channel of a photo, by how much of its mean a block takes away."""

    share: float
    before: float
    """Mean over positions on the shortcut."""
    after: float
    image: str
    channel: int
    parts: Parts


def residual_blocks(source: Source) -> list[Parts]:
    """Return the residual blocks whose shortcut, branch, sum and output are all shown."""
    shown = source.layers
    found = []
    for total in shown.values():
        if total.op != "add" or len(total.inputs) != 2:
            continue
        branches = [
            name
            for name in total.inputs
            if name.startswith(f"{total.block}.") and ".downsample." not in name
        ]
        after = [one for one in shown.values() if one.inputs == (total.name,) and one.op == "relu"]
        if len(branches) == 1 and after and all(name in shown for name in total.inputs):
            shortcut = next(name for name in total.inputs if name != branches[0])
            found.append(Parts(shown[shortcut], shown[branches[0]], total, after[0]))
    return found


def residual_tour(source: Source) -> Iterator[Found]:
    """Yield the block whose branch changes most, the one that changes least, and a channel that a
    branch takes away.
    """
    blocks = residual_blocks(source)
    if not blocks:
        yield LeftOut("most, least, lost", "no residual block is shown with all its parts")
        return
    ratios = np.zeros((len(source.photos), len(blocks)))
    lost: _Lost | None = None
    for row, entry in enumerate(source.entries()):
        for column, parts in enumerate(blocks):
            branch, shortcut = (
                source.figures(entry, layer.name) for layer in (parts.branch, parts.shortcut)
            )
            size = _mean_square(shortcut).sum()
            ratios[row, column] = np.sqrt(_mean_square(branch).sum() / size) if size else 0
            if not parts.shortcut.signed:
                after = source.figures(entry, parts.after.name)
                candidate = _most_lost(entry.id, parts, shortcut, after)
                if candidate and (lost is None or _order(candidate) > _order(lost)):
                    lost = candidate
    means = ratios.mean(axis=0)
    most = int(means.argmax())
    yield _extreme(source, "most", blocks, ratios, most)
    if len(blocks) > 1:
        yield _extreme(source, "least", blocks, ratios, int(means.argmin()))
    else:
        yield LeftOut("least", "there is but one residual block")
    yield (
        _stop_of(source, lost)
        if lost
        else LeftOut("lost", "no block passes its input on unchanged")
    )


def _mean_square(figures: index.LayerFigures) -> Float64:
    """Return each channel's mean square over positions."""
    return np.square(figures.mean) + np.square(figures.std)


def _extreme(
    source: Source, kind: str, blocks: list[Parts], ratios: Float64, column: int
) -> lessons.Stop:
    """Return the stop of one block, on the photo where its ratio is most like what it stands for."""
    parts, own = blocks[column], ratios[:, column]
    row = int(own.argmax() if kind == "most" else own.argmin())
    entry = index.read_entry(source.folder, source.photos[row])
    shown = parts.branch if kind == "most" else parts.shortcut
    channel = int(_mean_square(source.figures(entry, shown.name)).argmax())
    rms = {
        name: np.sqrt(_mean_square(source.figures(entry, layer.name))[channel])
        for name, layer in (("branch", parts.branch), ("shortcut", parts.shortcut))
    }
    return stop(
        kind,
        entry.id,
        parts.sum.name,
        channel,
        _pictures(source, entry.id, parts, channel),
        {
            "ratio": own[row],
            "mean_ratio": own.mean(),
            "photos": len(own),
            "blocks": len(blocks),
            **rms,
        },
        {"block": parts.sum.block},
        view="residual",
    )


def _most_lost(
    image: str, parts: Parts, shortcut: index.LayerFigures, after: index.LayerFigures
) -> _Lost | None:
    """Return the channel that loses the largest share of its mean, among those whose mean on the
    shortcut is above that of all channels.
    """
    before, left = np.array(shortcut.mean), np.array(after.mean)
    loud = np.flatnonzero(before > before.mean())
    if not len(loud):
        return None
    shares = 1 - left[loud] / before[loud]
    best = np.lexsort((before[loud], shares))[-1]
    channel = int(loud[best])
    return _Lost(
        float(shares[best]), float(before[channel]), float(left[channel]), image, channel, parts
    )


def _order(lost: _Lost) -> tuple[float, float]:
    return lost.share, lost.before


def _stop_of(source: Source, lost: _Lost) -> Found:
    if lost.share <= 0:
        return LeftOut("lost", "no branch takes from a channel that is above the average")
    return stop(
        "lost",
        lost.image,
        lost.parts.sum.name,
        lost.channel,
        _pictures(source, lost.image, lost.parts, lost.channel),
        {"share": lost.share, "before": lost.before, "after": lost.after},
        {"block": lost.parts.sum.block},
        view="residual",
    )


def _pictures(source: Source, image: str, parts: Parts, channel: int) -> list[lessons.Picture]:
    """Draw a block's parts on one scale, as the explorer does."""
    roles = {
        "shortcut": parts.shortcut,
        "branch": parts.branch,
        "sum": parts.sum,
        "after": parts.after,
    }
    reach = max(
        float(np.abs(source.maps(image, layer.name)[channel]).max()) for layer in roles.values()
    )
    return [
        source.map_on_scale(image, layer.name, channel, role, -reach, reach)
        for role, layer in roles.items()
    ]
