"""Tour: which channels find the subject, stage by stage."""

from collections.abc import Iterator

import numpy as np

from export.manifest import Layer
from precompute import index
from precompute.tour_source import Found, LeftOut, Source, cover, evidence_share, stop


def subject_tour(source: Source) -> Iterator[Found]:
    """Yield, on one rightly answered photo, the channel of each stage whose activation is most
    concentrated in the subject's box, then the evidence for the answer.
    """
    entry = _photo(source)
    if entry is None:
        yield LeftOut("stage, subject", "no photo with a subject's box is answered rightly")
        return
    stages = {one.stage: one for one in source.manifest.feature_maps if not one.signed}
    for layer in stages.values():
        yield _stage(source, entry, layer)
    classifier = source.manifest.classifier
    if classifier is None or classifier.features not in source.layers:
        yield LeftOut("subject", "there is no evidence for answers")
        return
    yield stop(
        "subject",
        entry.id,
        classifier.features,
        int(source.contributions(entry).argmax()),
        [source.evidence(entry, classifier.features, 0)],
        {**evidence_share(entry, 0), "probability": entry.answers[0].probability},
        {"answer": entry.answers[0].name},
        answer="0",
    )


def _photo(source: Source) -> index.ImageEntry | None:
    """Return the photo whose box leaves most to chance: the one that covers least of the picture."""
    best: tuple[float, index.ImageEntry] | None = None
    for entry in source.entries():
        if not (entry.correct and entry.box):
            continue
        area = float(cover(entry, 1, 1)[0, 0])
        if area > 0 and (best is None or area < best[0]):
            best = (area, entry)
    return best[1] if best else None


def _stage(source: Source, entry: index.ImageEntry, layer: Layer) -> Found:
    maps = source.maps(entry.id, layer.name).astype(np.float64)
    totals = maps.sum(axis=(1, 2))
    loud = np.flatnonzero((totals > 0) & (totals >= totals.mean()))
    if not len(loud):
        return LeftOut("stage", f"{layer.name} is zero throughout")
    covered = cover(entry, layer.height, layer.width)
    inside = (maps[loud] * covered).sum(axis=(1, 2)) / totals[loud]
    best = int(inside.argmax())
    channel = int(loud[best])
    field = {"field": layer.receptive_field.size[0]} if layer.receptive_field else {}
    return stop(
        "stage",
        entry.id,
        layer.name,
        channel,
        [source.map(entry.id, layer.name, channel)],
        {
            "inside": inside[best],
            "whole": (maps * covered).sum() / totals.sum(),
            "area": covered.mean(),
            "loud": len(loud),
            **field,
        },
        {"stage": layer.stage},
    )
