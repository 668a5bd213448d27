"""Tour: channels that stay dark."""

from collections.abc import Iterator, Sequence

import numpy as np

from export.manifest import PICTURE, Layer
from precompute import index
from precompute.reductions import Float64
from precompute.shared import PEAKS
from precompute.tour_source import RELUS, Found, LeftOut, Source, stop


def dark_tour(source: Source) -> Iterator[Found]:
    """Yield a channel that is silent on one photo, the same where it is loudest, the channel that
    fewest photos wake, one that none does, and a chart that wakes it.
    """
    relus = [layer for layer in source.manifest.feature_maps if layer.op in RELUS]
    if not relus:
        yield LeftOut("silent, rare, dead", "no ReLU is shown")
        return
    yield from _silent(source, relus[-1])
    yield _rare(source, relus)
    yield from _dead(source, relus)


def _silent(source: Source, layer: Layer) -> Iterator[Found]:
    """Yield the photo on which most channels of `layer` are silent, and the one of these channels
    that is loudest elsewhere, here and there.
    """
    image, silent = "", np.zeros(0, np.intp)
    for entry in source.entries():
        channels = np.flatnonzero(np.array(source.figures(entry, layer.name).high) <= 0)
        if len(channels) > len(silent):
            image, silent = entry.id, channels
    shared = source.shared(layer)
    highs = np.array(shared.high)
    if not len(silent) or highs[silent].max() <= 0:
        yield LeftOut(
            "silent", f"no channel of {layer.name} is silent on one photo and not on another"
        )
        return
    channel = int(silent[highs[silent].argmax()])
    other, value = source.strongest(layer, channel)  # type: ignore[misc]  # it is above zero
    numbers = {"silent": len(silent), "channels": layer.channels, "value": value}
    dark = source.map(image, layer.name, channel)
    bright = source.map(other, layer.name, channel)
    yield stop("silent", image, layer.name, channel, [dark], numbers)
    yield stop("loud", other, layer.name, channel, [bright], numbers, {"silent_on": image})


def _rare(source: Source, relus: Sequence[Layer]) -> Found:
    """Return the channel that is above zero on the fewest photos, if these are few."""
    best: tuple[int, float, Layer, int] | None = None
    for layer in relus:
        values = source.shared(layer).peaks.value
        for channel, named in enumerate(values):
            if not 0 < len(named) < min(PEAKS, len(source.photos)):
                continue
            if best is None or (len(named), -named[0]) < best[:2]:
                best = (len(named), -named[0], layer, channel)
    if best is None:
        many = f"{PEAKS} or more" if len(source.photos) > PEAKS else "all"
        return LeftOut("rare", f"every channel is silent on all photos or wakes on {many}")
    count, _, layer, channel = best
    image, value = source.strongest(layer, channel)  # type: ignore[misc]
    return stop(
        "rare",
        image,
        layer.name,
        channel,
        [source.map(image, layer.name, channel)],
        {"count": count, "photos": len(source.photos), "value": value},
    )


def _dead(source: Source, relus: Sequence[Layer]) -> Iterator[Found]:
    """Yield the dead channel that comes nearest to zero, of the layer with most dead ones, and the
    chart that wakes it most.
    """
    dead = {layer.name: source.shared(layer).dead for layer in relus if before_relu(source, layer)}
    name = max(dead, key=lambda one: len(dead[one]), default="")
    if not name or not dead[name]:
        if any(source.shared(layer).dead for layer in relus):
            yield LeftOut("dead", "what its ReLU is given is not shown")
        else:
            yield LeftOut("dead", "no channel is silent on all photos")
        return
    layer = source.layers[name]
    channels = np.array(dead[name])
    given, scale, shift = before_relu(source, layer)  # type: ignore[misc]
    nearest: tuple[float, int, str] = (-np.inf, 0, "")
    for entry in source.entries():
        figures = source.figures(entry, given)
        ends = np.array([figures.low, figures.high]) * scale + shift
        tops = ends.max(axis=0)[channels]
        if tops.max() > nearest[0]:
            nearest = (float(tops.max()), int(channels[tops.argmax()]), entry.id)
    value, channel, image = nearest
    pictures = [source.map(image, layer.name, channel)]
    if source.layers[given].op == "add":
        pictures.insert(0, source.map(image, given, channel, "before"))
    numbers = {"dead": len(channels), "channels": layer.channels, "photos": len(source.photos)}
    yield stop("dead", image, name, channel, pictures, {**numbers, "value": value})
    yield _woken(source, layer, channel)


def before_relu(source: Source, layer: Layer) -> tuple[str, Float64, Float64] | None:
    """Return the shown layer that a ReLU's input is made of, and the (channels,) scale and shift that
    lead from it to what the ReLU is given; None where another step lies between.
    """
    scale, shift = np.ones(layer.channels), np.zeros(layer.channels)
    given = source.manifest.layer(layer.inputs[0])
    while given.name not in source.layers:
        if given.op not in {"batch norm", "scale"} or given.inputs == (PICTURE,):
            return None
        shift = scale * source.arrays[f"{given.name}.shift"] + shift
        scale = scale * source.arrays[f"{given.name}.scale"]
        given = source.manifest.layer(given.inputs[0])
    return given.name, scale, shift


def _woken(source: Source, layer: Layer, channel: int) -> Found:
    best, image = 0.0, ""
    for chart in source.charts:
        entry = index.read_entry(source.folder, chart)
        high = source.figures(entry, layer.name).high[channel]
        if high > best:
            best, image = high, chart
    if not image:
        return LeftOut("woken", "no test chart wakes the dead channel")
    pictures = [source.map(image, layer.name, channel)]
    return stop("woken", image, layer.name, channel, pictures, {"value": best})
