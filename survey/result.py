"""From the merged summary to the files that people and pages read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

import artifacts
from export.manifest import Layer, ModelManifest
from precompute.figures import EXACT, READABLE, named, number, numbers, rows
from survey import contract
from survey.dataset import DataSet, fingerprint
from survey.errors import SurveyError
from survey.histogram import ERROR
from survey.job import item_of
from survey.layers import parts
from survey.producers import producers
from survey.sheets import Sheets
from survey.statistics import preferences, spread
from survey.summary import Summary
from survey.table import table


def result_files(
    summary: Summary,
    manifest: ModelManifest,
    manifest_sha256: str,
    data_set: DataSet,
    sheets: Sheets | None,
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file that follows from `summary`, index.json last.

    Without `sheets` names are kept back: there are figures only. Raises SurveyError where no photo
    could be used.
    """
    if not summary.photos:
        why = next(iter(summary.faults.values()), "there are none")
        raise SurveyError(f"no photo can be surveyed: {why}")
    private = sheets is None
    sheets = sheets or Sheets()
    yield from sheets.files.items()
    figures, references = [], []
    for layer, channels in parts(manifest):
        with named(f"layer {layer.name}"):
            one = _layer(summary, layer, channels, data_set, private)
        path = contract.layer_name(layer.slug)
        yield path, artifacts.encode(one)
        figures.append(one)
        references.append(
            contract.LayerReference(
                layer=layer.name,
                figures=path,
                patches=sheets.layers.get(layer.name),
                dead=sum(fires == 0 for fires in one.fires),
                sparse=sum(0 < fires < contract.SPARSE * summary.photos for fires in one.fires),
            )
        )
    yield contract.TABLE_NAME, table(figures, data_set.classes, summary.photos)
    yield contract.SUMMARY_NAME, summary.to_bytes()
    photos = _Photos([] if private else summary.wrong.key.tolist(), summary, data_set)
    tops = _tops(summary, data_set)
    judged = [top for top in tops if top is not None and top.photos]
    index = contract.SurveyIndex(
        schema_version=contract.SCHEMA_VERSION,
        model=manifest.model,
        manifest_sha256=manifest_sha256,
        data_set=fingerprint(data_set.items),
        credit=data_set.credit,
        surveyed=summary.photos,
        unreadable=summary.unreadable,
        faults=()
        if private
        else tuple(f"{artifacts.escaped(name)}: {why}" for name, why in summary.faults.items()),
        private=private,
        labelled=int(summary.label_photos[summary.labels >= 0].sum()),
        judged=sum(top.photos for top in judged),
        top1=sum(top.top1 for top in judged) if judged else None,
        top5=sum(top.top5 for top in judged) if judged else None,
        classes=_classes(summary, data_set, tops, figures),
        confusions=_confusions(summary, data_set),
        wrong=_wrong(summary, photos, private),
        wrong_sheet=sheets.wrong,
        photos=photos.listed,
        layers=tuple(references),
        quantile_error=ERROR,
        producers=producers(),
    )
    yield contract.INDEX_NAME, artifacts.encode(index)


class _Photos:
    """The photos that a file points to."""

    def __init__(self, keys: Iterable[int], summary: Summary, data_set: DataSet) -> None:
        """Take the photos with these keys."""
        sorted_keys = sorted(set(keys), key=lambda key: summary.names[key])
        self.position = {key: position for position, key in enumerate(sorted_keys)}
        self.listed = tuple(_photo(summary.names[key], data_set) for key in sorted_keys)


def _photo(name: str, data_set: DataSet) -> contract.Photo:
    author, licence = data_set.credits.get(name, ("", ""))
    label = item_of(name, data_set.items).label
    return contract.Photo(artifacts.escaped(name), label, author, licence)


def _layer(
    summary: Summary, layer: Layer, channels: slice, data_set: DataSet, private: bool
) -> contract.LayerSurvey:
    figures = spread(summary, channels)
    prefers = preferences(summary, channels, layer.signed)
    strongest = summary.strongest
    value, place = strongest.value[channels], strongest.place[channels]
    above = (value > 0).sum(axis=1).tolist()
    keys = [
        some[:count] for some, count in zip(strongest.key[channels].tolist(), above, strict=True)
    ]
    photos = _Photos([] if private else [one for some in keys for one in some], summary, data_set)
    values = rows(value, EXACT)
    return contract.LayerSurvey(
        layer=layer.name,
        fires=tuple(summary.fires[channels].tolist()),
        mean=tuple(numbers(np.array(figures.mean))),
        deviation=tuple(numbers(np.array(figures.deviation))),
        photo_deviation=tuple(numbers(np.array(figures.photo_deviation))),
        low=tuple(numbers(summary.low[channels], EXACT)),
        high=tuple(numbers(summary.high[channels], EXACT)),
        quantiles=tuple(tuple(some) for some in rows(figures.quantiles, READABLE)),
        best=tuple(one.best if one else None for one in prefers),
        selectivity=tuple(_rounded(one.selectivity) if one else None for one in prefers),
        separation=tuple(_rounded(one.separation) if one else None for one in prefers),
        strongest=tuple(
            contract.Strongest(
                photo=() if private else tuple(photos.position[one] for one in keys[channel]),
                value=tuple(values[channel][:count]),
                row=tuple((place[channel, :count] // layer.width).tolist()),
                column=tuple((place[channel, :count] % layer.width).tolist()),
            )
            if count
            else None
            for channel, count in enumerate(above)
        ),
        photos=photos.listed,
    )


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else number(figure)


@dataclass(frozen=True)
class _Top:
    """Of the photos of a class that is a category of the model, how many are answered rightly."""

    photos: int
    top1: int
    top5: int


def _tops(summary: Summary, data_set: DataSet) -> list[_Top | None]:
    """Return what there is for each class; None where it is no category."""
    counts = zip(summary.label_photos.tolist(), summary.label_top.tolist(), strict=True)
    found = dict(zip(summary.labels.tolist(), counts, strict=True))
    tops: list[_Top | None] = []
    for label, category in enumerate(data_set.categories):
        photos, (top1, top5) = found.get(label, (0, (0, 0)))
        tops.append(None if category is None else _Top(photos, top1, top5))
    return tops


def _classes(
    summary: Summary,
    data_set: DataSet,
    tops: Sequence[_Top | None],
    layers: Sequence[contract.LayerSurvey],
) -> tuple[contract.ClassSurvey, ...]:
    photos = dict(zip(summary.labels.tolist(), summary.label_photos.tolist(), strict=True))
    channels = _class_channels(layers, len(data_set.classes))
    named_classes = zip(data_set.classes, slugs(data_set.classes), strict=True)
    return tuple(
        contract.ClassSurvey(
            name=name,
            slug=slug,
            category=data_set.categories[label],
            photos=photos.get(label, 0),
            top1=top.top1 if top else None,
            top5=top.top5 if top else None,
            channels=channels[label],
        )
        for label, ((name, slug), top) in enumerate(zip(named_classes, tops, strict=True))
    )


def slugs(names: Sequence[str]) -> list[str]:
    """Return a slug for each name, unique where upper and lower case make no difference."""
    plain = [artifacts.slug(name) for name in names]
    folded = Counter(slug.casefold() for slug in plain)
    return [
        slug if folded[slug.casefold()] == 1 else f"{slug}-{artifacts.fingerprint(name)}"
        for slug, name in zip(plain, names, strict=True)
    ]


def _class_channels(
    layers: Sequence[contract.LayerSurvey], classes: int
) -> list[tuple[contract.ClassChannel, ...]]:
    """Return the channels that separate each class best; equal ones in forward order."""

    def order(one: contract.ClassChannel) -> float:
        return -one.separation

    found: list[list[contract.ClassChannel]] = [[] for _ in range(classes)]
    for layer in layers:
        here: list[list[contract.ClassChannel]] = [[] for _ in range(classes)]
        figures = zip(layer.best, layer.selectivity, layer.separation, strict=True)
        for channel, (best, selectivity, separation) in enumerate(figures):
            if best is not None and separation is not None and separation > 0:
                one = contract.ClassChannel(layer.layer, channel, selectivity, separation)
                here[best].append(one)
        for label, channels in enumerate(here):
            found[label] += sorted(channels, key=order)[: contract.CLASS_CHANNELS_LAYER]
    return [tuple(sorted(some, key=order)[: contract.CLASS_CHANNELS]) for some in found]


def _confusions(summary: Summary, data_set: DataSet) -> tuple[contract.Confusion, ...]:
    """Return them by number, class and answer."""
    confused = [
        contract.Confusion(label, answer, photos)
        for label, answer, photos in summary.answers.tolist()
        if label >= 0 and data_set.categories[label] not in (None, answer)
    ]
    confused.sort(key=lambda one: (-one.photos, one.label, one.answer))
    return tuple(confused[: contract.CONFUSIONS])


def _wrong(summary: Summary, photos: _Photos, private: bool) -> tuple[contract.Wrong, ...]:
    wrong = summary.wrong
    return tuple(
        contract.Wrong(
            photo=None if private else photos.position[key],
            label=label,
            answer=answer,
            probability=number(probability),
            loss=number(loss),
        )
        for key, label, answer, probability, loss in zip(
            wrong.key.tolist(),
            wrong.label.tolist(),
            wrong.answer.tolist(),
            wrong.probability.tolist(),
            wrong.loss.tolist(),
            strict=True,
        )
    )
