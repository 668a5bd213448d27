"""The comparison of two surveys, from beginning to end."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import artifacts
from precompute.figures import READABLE, numbers
from survey.comparison import (
    FEWEST,
    Float64,
    correlations,
    kernel,
    similarities,
    similarity,
    varies,
)
from survey.contract import SUMMARY_NAME, SurveyIndex, read_survey
from survey.diff import contract
from survey.diff.contract import (
    CHANGED,
    QUANTILES,
    SCHEMA_VERSION,
    ChangedChannel,
    ChannelsDifference,
    ClassDifference,
    Difference,
    LayerDifference,
    Surveyed,
)
from survey.errors import SurveyError
from survey.summary import Summary

PAIR_DIGITS = 4

Table = dict[str, NDArray[Any]]
"""Columns of one length."""


@dataclass(frozen=True)
class Survey:
    """A survey that is compared, reduced to `sample`, (n, C), the means of the photos in question."""

    index: SurveyIndex
    summary: Summary
    sample: Float64

    @cached_property
    def parts(self) -> dict[str, slice]:
        """Where the channels of each layer are among all."""
        ends = accumulate((count for _, count in self.summary.layout), initial=0)
        return {
            name: slice(first, first + count)
            for (name, count), first in zip(self.summary.layout, ends, strict=False)
        }

    @cached_property
    def mean(self) -> Float64:
        """(C,), of all positions of all photos."""
        return self.summary.mean.values() / self.summary.photos

    def means(self, layer: str) -> Float64:
        """Return (n, channels) means of the photos."""
        return self.sample[:, self.parts[layer]]


def compare(folder_a: Path, folder_b: Path, out: Path) -> Difference:
    """Write what differs between the surveys in two folders to the folder `out`.

    Raises SurveyError or artifacts.ArtifactError, and has then written nothing.
    """
    a, b = _open(folder_a, folder_b)
    common = [name for name in a.parts if name in b.parts]
    compared = [_compared(a, b, name) for name in common]
    pairs = similarities(*([one.means(name) for name in one.parts] for one in (a, b)))
    difference = Difference(
        schema_version=SCHEMA_VERSION,
        a=_surveyed(a),
        b=_surveyed(b),
        data_set=a.index.data_set,
        title=a.index.credit.title,
        photos=len(a.sample),
        layers=tuple(layer for layer, _ in compared),
        rows=tuple(a.parts),
        columns=tuple(b.parts),
        pairs=tuple(tuple(_each(row, PAIR_DIGITS)) for row in pairs),
        classes=tuple(_classes(a.index, b.index)),
        producers={"numpy": version("numpy")},
    )
    tables = {
        "channels.npz": _joined([table for _, table in compared if table is not None]),
        "layers.npz": _layer_table(difference.layers),
        "pairs.npz": {
            "layer_a": np.repeat(np.array(difference.rows), len(difference.columns)),
            "layer_b": np.tile(np.array(difference.columns), len(difference.rows)),
            "similarity": np.array(difference.pairs, float).reshape(-1),
        },
    }
    index = artifacts.encode(difference)
    for name, table in tables.items():
        artifacts.write(out / name, _archive(table))
    artifacts.write(contract.index_path(out), index)
    return difference


def _open(folder_a: Path, folder_b: Path) -> tuple[Survey, Survey]:
    """Read two surveys, reduced to the photos that both have in their samples."""
    a, b = read_survey(folder_a), read_survey(folder_b)
    if a.data_set != b.data_set:
        raise SurveyError(
            f"{a.model} and {b.model} were asked about other photos: run make survey for both with "
            "the same PHOTOS, then make survey-diff"
        )
    of_a, of_b = _summary(folder_a, a), _summary(folder_b, b)
    keys, in_a, in_b = np.intersect1d(of_a.sample_key, of_b.sample_key, True, return_indices=True)
    if len(keys) < FEWEST:
        raise SurveyError(
            f"photos in the samples of both surveys: {len(keys)}, of {FEWEST} that are needed: run "
            "make survey for both with more PHOTOS"
        )
    return (
        Survey(a, of_a, of_a.sample_mean[in_a].astype(np.float64)),
        Survey(b, of_b, of_b.sample_mean[in_b].astype(np.float64)),
    )


def _summary(folder: Path, index: SurveyIndex) -> Summary:
    path = folder / SUMMARY_NAME
    if not path.is_file():
        raise SurveyError(f"{path} does not exist: run make survey MODEL={index.model}")
    try:
        summary = Summary.from_bytes(path.read_bytes())
    except SurveyError as error:
        raise SurveyError(f"{path} is {error}; run make survey MODEL={index.model}") from None
    layers = [reference.layer for reference in index.layers]
    if summary.photos != index.surveyed or [name for name, _ in summary.layout] != layers:
        raise SurveyError(
            f"{path} is not of the survey that lies beside it: run make survey MODEL={index.model}"
        )
    return summary


def _surveyed(one: Survey) -> Surveyed:
    return Surveyed(
        model=one.index.model,
        manifest_sha256=one.index.manifest_sha256,
        surveyed=one.index.surveyed,
        judged=one.index.judged,
        top1=one.index.top1,
        top5=one.index.top5,
    )


def _compared(a: Survey, b: Survey, layer: str) -> tuple[LayerDifference, Table | None]:
    """Return what differs in a layer, and the table of its channels where they are as many in both."""
    x, y = a.means(layer), b.means(layer)
    cka, error = similarity(kernel(x), kernel(y))
    table = _channel_table(a, b, layer) if x.shape[1] == y.shape[1] else None
    found = LayerDifference(
        layer=layer,
        channels_a=x.shape[1],
        channels_b=y.shape[1],
        similarity=_each(cka)[0],
        error=_each(error)[0],
        channels=_channels(table, varies(x), varies(y)) if table is not None else None,
    )
    return found, table


def _channel_table(a: Survey, b: Survey, layer: str) -> Table:
    x, y = a.means(layer), b.means(layer)
    correlation, low, high = correlations(x, y)
    table: Table = {
        "layer": np.full(x.shape[1], layer),
        "channel": np.arange(x.shape[1]),
        "correlation": _rounded(correlation),
        "low": _rounded(low),
        "high": _rounded(high),
    }
    for name, one, means in (("a", a, x), ("b", b, y)):
        part = one.parts[layer]
        table[f"mean_{name}"] = _rounded(one.mean[part])
        table[f"sample_deviation_{name}"] = _rounded(means.std(axis=0, ddof=1))
        table[f"fires_{name}"] = one.summary.fires[part]
    return table


def _channels(
    table: Table, varies_a: NDArray[np.bool_], varies_b: NDArray[np.bool_]
) -> ChannelsDifference:
    correlation = table["correlation"]
    known = np.nonzero(varies_a & varies_b)[0]
    least = known[np.argsort(correlation[known], kind="stable")][:CHANGED]
    alive_a, alive_b = table["fires_a"] > 0, table["fires_b"] > 0
    columns = ["channel", "correlation", "low", "high", "mean_a", "mean_b", "fires_a", "fires_b"]
    return ChannelsDifference(
        correlated=len(known),
        quantiles=tuple(numbers(np.quantile(correlation[known], QUANTILES)))
        if len(known)
        else None,
        constant_a=int((~varies_a & varies_b).sum()),
        constant_b=int((varies_a & ~varies_b).sum()),
        constant_both=int((~varies_a & ~varies_b).sum()),
        died=tuple(np.nonzero(alive_a & ~alive_b)[0].tolist()),
        revived=tuple(np.nonzero(~alive_a & alive_b)[0].tolist()),
        changed=tuple(
            ChangedChannel(**{name: table[name][channel].item() for name in columns})
            for channel in least
        ),
    )


def _layer_table(layers: tuple[LayerDifference, ...]) -> Table:
    """Return the table of the layers that both models have; counts of channels are −1 where these
    are not as many in both.
    """
    channels = [layer.channels for layer in layers]

    def count(name: str) -> NDArray[np.int64]:
        found = [-1 if one is None else getattr(one, name) for one in channels]
        return np.array([n if isinstance(n, int) else len(n) for n in found], np.int64)

    quantiles = [(one and one.quantiles) or (None,) * len(QUANTILES) for one in channels]
    return {
        "layer": np.array([layer.layer for layer in layers], str),
        "channels_a": np.array([layer.channels_a for layer in layers], np.int64),
        "channels_b": np.array([layer.channels_b for layer in layers], np.int64),
        "similarity": np.array([layer.similarity for layer in layers], np.float64),
        "error": np.array([layer.error for layer in layers], np.float64),
        **{
            f"correlation_{100 * share:g}": np.array([row[place] for row in quantiles], np.float64)
            for place, share in enumerate(QUANTILES)
        },
        **{
            name: count(name)
            for name in ("correlated", "constant_a", "constant_b", "constant_both")
        },
        **{name: count(name) for name in ("died", "revived")},
    }


def _classes(a: SurveyIndex, b: SurveyIndex) -> Iterator[ClassDifference]:
    """Yield the classes of which both models know how many photos they get right."""
    others = {one.name: one for one in b.classes}
    for mine in a.classes:
        theirs = others.get(mine.name)
        if theirs is None or mine.top1 is None or theirs.top1 is None:
            continue
        yield ClassDifference(mine.name, mine.photos, theirs.photos, mine.top1, theirs.top1)


def _joined(tables: list[Table]) -> Table:
    if not tables:
        return {"layer": np.zeros(0, str), "channel": np.zeros(0, np.int64)}
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def _rounded(values: Float64, digits: int = READABLE) -> Float64:
    """Return values with so many significant digits; NaN stays."""
    found = np.array(values, np.float64)
    known = np.isfinite(found)
    found[known] = numbers(found[known], digits)
    return found


def _each(values: Float64 | float, digits: int = READABLE) -> list[float | None]:
    """Return values as JSON has them: rounded, and None for NaN."""
    rounded = _rounded(np.atleast_1d(values), digits)
    return [None if value != value else value for value in rounded.tolist()]


def _archive(table: Table) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **table)
    return file.getvalue()
