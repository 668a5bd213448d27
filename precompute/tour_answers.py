"""Tours: why a photo was misread, and what an answer is made of."""

from collections.abc import Iterator

import numpy as np

from export.manifest import Layer
from precompute import index
from precompute.reductions import Float64
from precompute.tour_source import Found, LeftOut, Source, evidence_share, stop


def wrong_tour(source: Source) -> Iterator[Found]:
    """Yield, for the most confident wrong answer, its evidence, the channel that adds most to it, and
    the photo that drives this channel most.
    """
    layer = _features(source)
    entry = _most_confident(source, correct=False)
    if layer is None or entry is None:
        reason = "no evidence for answers" if layer is None else "no wrong answer among photos"
        yield LeftOut("wrong, culprit, kin", f"there is {reason} whose true class is known")
        return
    assert entry.true_class
    first = entry.answers[0]
    added = source.contributions(entry)
    channel = int(added.argmax())
    names = {"answer": first.name, "true": entry.true_class}
    offered = [answer.name for answer in entry.answers]
    rank = {"rank": offered.index(entry.true_class) + 1} if entry.true_class in offered else {}
    yield stop(
        "wrong",
        entry.id,
        layer.name,
        channel,
        [source.evidence(entry, layer.name, 0)],
        {"probability": first.probability, **rank, **evidence_share(entry, 0)},
        names,
        answer="0",
    )
    yield stop(
        "culprit",
        entry.id,
        layer.name,
        channel,
        [source.map(entry.id, layer.name, channel)],
        _part(added, channel),
        names,
        sort="class",
        answer="0",
    )
    yield _kin(source, entry, layer, channel)


def answer_tour(source: Source) -> Iterator[Found]:
    """Yield, for the most confident right answer, the sum that its logit is, and the channels that
    add most to it and take most from it.
    """
    layer = _features(source)
    entry = _most_confident(source, correct=True) or _most_confident(source, correct=None)
    if layer is None or entry is None:
        yield LeftOut("sum, adds, takes", "there is no evidence for answers")
        return
    first, evidence = entry.answers[0], entry.evidence[0]
    added = source.contributions(entry)
    most, least = int(added.argmax()), int(added.argmin())
    names = {"answer": first.name}
    yield stop(
        "sum",
        entry.id,
        layer.name,
        most,
        [source.evidence(entry, layer.name, 0)],
        {
            "probability": first.probability,
            "mean": float(np.mean(evidence.values)),
            "bias": evidence.bias,
            "logit": first.logit,
            "positions": len(evidence.values),
        },
        names,
        answer="0",
    )
    ranked = np.sort(added[added > 0])[::-1].cumsum()
    spread = {"half": int(np.searchsorted(ranked, ranked[-1] / 2)) + 1} if len(ranked) else {}
    for kind, channel, numbers in (("adds", most, spread), ("takes", least, {})):
        if (added[channel] > 0) != (kind == "adds"):
            yield LeftOut(kind, "no channel does")
            continue
        yield stop(
            kind,
            entry.id,
            layer.name,
            channel,
            [source.map(entry.id, layer.name, channel)],
            {**_part(added, channel), **numbers},
            names,
            sort="class",
            answer="0",
        )


def _features(source: Source) -> Layer | None:
    """Return the layer whose channels answers are made of, where it is shown."""
    classifier = source.manifest.classifier
    return source.layers.get(classifier.features) if classifier else None


def _most_confident(source: Source, correct: bool | None) -> index.ImageEntry | None:
    """Return the photo with the most probable first answer; None for `correct` takes any."""
    best: index.ImageEntry | None = None
    for entry in source.entries():
        if correct is not None and entry.correct is not correct:
            continue
        if best is None or entry.answers[0].probability > best.answers[0].probability:
            best = entry
    return best


def _part(added: Float64, channel: int) -> dict[str, float]:
    """Return what a channel adds, and what all channels above and below zero add together."""
    return {
        "value": float(added[channel]),
        "plus": float(added[added > 0].sum()),
        "minus": float(added[added < 0].sum()),
        "channels": len(added),
    }


def _kin(source: Source, entry: index.ImageEntry, layer: Layer, channel: int) -> Found:
    """Return the other photo on which the channel reaches its largest value."""
    peaks = source.shared(layer).peaks
    here = source.figures(entry, layer.name).high[channel]
    for image, value in zip(peaks.image[channel], peaks.value[channel], strict=True):
        if peaks.images[image] != entry.id:
            other = index.read_entry(source.folder, peaks.images[image])
            return stop(
                "kin",
                other.id,
                layer.name,
                channel,
                [source.map(other.id, layer.name, channel)],
                {"value": value, "here": here, "probability": other.answers[0].probability},
                {"answer": other.answers[0].name, "wrong_on": entry.id},
            )
    return LeftOut("kin", "no other photo drives that channel")
