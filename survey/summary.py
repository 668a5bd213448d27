"""Summary: everything that a survey knows of a set of photos, as a value that can be merged.

Merging is associative and commutative, and equal summaries are equal bytes: counts are integers,
sums are fixed-point, and equal values are told apart by the photos' keys. So it makes no difference
into which shards the photos were cut, who worked on them, in which order, or how often.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survey.contract import WRONG
from survey.errors import SurveyError
from survey.fixed import Sums
from survey.histogram import BINS
from survey.strongest import Strongest

FAULTS = 1000
"""Photos that could not be used which are named."""
Layout = tuple[tuple[str, int], ...]
"""Layers in forward order, with their numbers of channels. C is the sum of these."""


@dataclass(frozen=True)
class Wrong:
    """The photos with the largest losses among those whose first answer is wrong, by loss and key."""

    loss: NDArray[np.float64]
    key: NDArray[np.uint64]
    label: NDArray[np.int64]
    answer: NDArray[np.int64]
    probability: NDArray[np.float64]

    def __add__(self, other: Wrong) -> Wrong:
        both = [np.concatenate(pair) for pair in zip(vars(self).values(), vars(other).values())]  # noqa: B905
        order = np.lexsort((both[1], -both[0]))[:WRONG]
        return Wrong(*(column[order] for column in both))


@dataclass(frozen=True)
class Summary:
    """See the module."""

    layout: Layout
    photos: int
    fires: NDArray[np.int64]
    """(C,), photos whose maximum is above zero."""
    low: NDArray[np.float32]
    """(C,), smallest maximum of a photo; infinity where there are no photos."""
    high: NDArray[np.float32]
    """(C,), largest maximum."""
    histogram: NDArray[np.uint32]
    """(C, BINS), photos by their maximum."""
    variance: Sums
    """(C,), of the photos' variances: of all positions around the photo's own mean."""
    mean_square: Sums
    """(C,), of the squares of the photos' means."""
    class_square: Sums
    """(C,), of the squares of the means of photos with a class."""
    labels: NDArray[np.int64]
    """(L,), ascending: the classes that occur, −1 for photos without one."""
    label_photos: NDArray[np.int64]
    """(L,)."""
    label_mean: Sums
    """(L, C), of the photos' means."""
    label_top: NDArray[np.int64]
    """(L, 2), photos whose category is the first, or among the first five, of the answers."""
    answers: NDArray[np.int64]
    """(A, 3), label, category of the first answer and photos; sorted."""
    strongest: Strongest
    wrong: Wrong
    sample_key: NDArray[np.uint64]
    """(S,), ascending: the photos that two models are compared on."""
    sample_mean: NDArray[np.float32]
    """(S, C), their means."""
    names: Mapping[int, str]
    """Name of every photo that `strongest` or `wrong` points to, by key."""
    unreadable: int
    faults: Mapping[str, str]
    """Why photos could not be used, by name; the first FAULTS names."""

    @classmethod
    def nothing(cls, layout: Layout) -> Summary:
        """Return the summary of no photos."""
        channels = sum(count for _, count in layout)
        whole = np.zeros(0, np.int64)
        keys = np.zeros(0, np.uint64)
        return cls(
            layout=layout,
            photos=0,
            fires=np.zeros(channels, np.int64),
            low=np.full(channels, np.inf, np.float32),
            high=np.full(channels, -np.inf, np.float32),
            histogram=np.zeros((channels, BINS), np.uint32),
            variance=Sums.zeros(channels),
            mean_square=Sums.zeros(channels),
            class_square=Sums.zeros(channels),
            labels=whole,
            label_photos=whole,
            label_mean=Sums.zeros(0, channels),
            label_top=np.zeros((0, 2), np.int64),
            answers=np.zeros((0, 3), np.int64),
            strongest=Strongest(
                np.zeros((channels, 0), np.float32),
                np.zeros((channels, 0), np.uint64),
                np.zeros((channels, 0), np.int32),
            ),
            wrong=Wrong(np.zeros(0), keys, whole, whole, np.zeros(0)),
            sample_key=keys,
            sample_mean=np.zeros((0, channels), np.float32),
            names={},
            unreadable=0,
            faults={},
        )

    @classmethod
    def unusable(cls, layout: Layout, faults: Mapping[str, str]) -> Summary:
        """Return the summary of photos that could not be used."""
        kept = dict(sorted(faults.items())[:FAULTS])
        return replace(cls.nothing(layout), unreadable=len(faults), faults=kept)

    def merge(self, other: Summary) -> Summary:
        """Return the summary of the photos of both, which must have none in common.

        Raises SurveyError where the layers are not the same.
        """
        if self.layout != other.layout:
            raise SurveyError("surveys of other layers cannot be merged")
        labels = np.union1d(self.labels, other.labels)
        mine, theirs = (np.searchsorted(labels, one.labels) for one in (self, other))

        def by_label(one: NDArray[np.int64], two: NDArray[np.int64]) -> NDArray[np.int64]:
            whole = np.zeros((len(labels), *one.shape[1:]), np.int64)
            whole[mine] += one
            whole[theirs] += two
            return whole

        def sums_by_label(one: Sums, rows: NDArray[np.intp]) -> Sums:
            whole = np.zeros((2, len(labels), one.parts.shape[2]), np.int64)
            whole[:, rows] = one.parts
            return Sums(whole)

        pairs, inverse = np.unique(
            np.concatenate([self.answers[:, :2], other.answers[:, :2]]), axis=0, return_inverse=True
        )
        number = np.zeros(len(pairs), np.int64)
        np.add.at(
            number, inverse.reshape(-1), np.concatenate([self.answers[:, 2], other.answers[:, 2]])
        )
        strongest = self.strongest.merge(other.strongest)
        wrong = self.wrong + other.wrong
        keys = np.concatenate([self.sample_key, other.sample_key])
        order = np.argsort(keys)
        twice = list(self.names.keys() & other.names.keys())
        if twice:
            raise SurveyError(f"{self.names[twice[0]]} is in two shards, or shares its key")
        return Summary(
            layout=self.layout,
            photos=self.photos + other.photos,
            fires=self.fires + other.fires,
            low=np.minimum(self.low, other.low),
            high=np.maximum(self.high, other.high),
            histogram=self.histogram + other.histogram,
            variance=self.variance + other.variance,
            mean_square=self.mean_square + other.mean_square,
            class_square=self.class_square + other.class_square,
            labels=labels,
            label_photos=by_label(self.label_photos, other.label_photos),
            label_mean=sums_by_label(self.label_mean, mine)
            + sums_by_label(other.label_mean, theirs),
            label_top=by_label(self.label_top, other.label_top),
            answers=np.column_stack([pairs, number]),
            strongest=strongest,
            wrong=wrong,
            sample_key=keys[order],
            sample_mean=np.concatenate([self.sample_mean, other.sample_mean])[order],
            names=needed({**self.names, **other.names}, strongest, wrong),
            unreadable=self.unreadable + other.unreadable,
            faults=dict(sorted({**self.faults, **other.faults}.items())[:FAULTS]),
        )

    @cached_property
    def mean(self) -> Sums:
        """(C,), of the photos' means over all classes."""
        total = Sums.zeros(len(self.fires))
        for parts in self.label_mean.parts.transpose(1, 0, 2):
            total += Sums(parts)
        return total

    def to_bytes(self) -> bytes:
        """Return the summary as a NumPy archive; equal summaries are equal bytes."""
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **_arrays(self))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Summary:
        """Return the summary in `data`; raises SurveyError where there is none."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                return _summary(dict(file))
        except (
            ValueError,
            LookupError,
            OSError,
            EOFError,
            RuntimeError,
            zipfile.BadZipFile,
        ) as error:
            raise SurveyError(f"not a summary: {error}") from None


def needed(names: Mapping[int, str], strongest: Strongest, wrong: Wrong) -> dict[int, str]:
    """Return the names that are pointed to, by ascending key."""
    keys = np.union1d(strongest.key.reshape(-1), wrong.key)
    return {key: names[key] for key in keys.tolist()}


def _arrays(summary: Summary) -> dict[str, NDArray[Any]]:
    """Return the arrays of a summary's file. Of the histogram only what is not zero is kept."""
    channel, place = np.nonzero(summary.histogram)
    return {
        "layers": _joined(name for name, _ in summary.layout),
        "channels": np.array([count for _, count in summary.layout], np.int64),
        "photos": np.array([summary.photos, summary.unreadable], np.int64),
        "fires": summary.fires,
        "low": summary.low,
        "high": summary.high,
        "histogram.bins": np.bincount(channel, minlength=len(summary.fires)),
        "histogram.bin": place.astype(np.uint16),
        "histogram.photos": summary.histogram[channel, place],
        "variance": summary.variance.parts,
        "mean_square": summary.mean_square.parts,
        "class_square": summary.class_square.parts,
        "labels": summary.labels,
        "label_photos": summary.label_photos,
        "label_mean": summary.label_mean.parts,
        "label_top": summary.label_top,
        "answers": summary.answers,
        **{f"strongest.{name}": array for name, array in vars(summary.strongest).items()},
        **{f"wrong.{name}": array for name, array in vars(summary.wrong).items()},
        "sample_key": summary.sample_key,
        "sample_mean": summary.sample_mean,
        "names.key": np.fromiter(summary.names, np.uint64),
        "names": _joined(summary.names.values()),
        "faults": _joined(summary.faults),
        "faults.why": _joined(summary.faults.values()),
    }


def _summary(file: dict[str, NDArray[Any]]) -> Summary:
    histogram = np.zeros((len(file["fires"]), BINS), np.uint32)
    channel = np.repeat(np.arange(len(histogram)), file["histogram.bins"])
    histogram[channel, file["histogram.bin"]] = file["histogram.photos"]
    photos, unreadable = file["photos"].tolist()
    return Summary(
        layout=tuple(zip(_parted(file["layers"]), file["channels"].tolist(), strict=True)),
        photos=photos,
        fires=file["fires"],
        low=file["low"],
        high=file["high"],
        histogram=histogram,
        variance=Sums(file["variance"]),
        mean_square=Sums(file["mean_square"]),
        class_square=Sums(file["class_square"]),
        labels=file["labels"],
        label_photos=file["label_photos"],
        label_mean=Sums(file["label_mean"]),
        label_top=file["label_top"],
        answers=file["answers"],
        strongest=Strongest(*(file[f"strongest.{name}"] for name in ("value", "key", "place"))),
        wrong=Wrong(
            *(file[f"wrong.{n}"] for n in ("loss", "key", "label", "answer", "probability"))
        ),
        sample_key=file["sample_key"],
        sample_mean=file["sample_mean"],
        names=dict(zip(file["names.key"].tolist(), _parted(file["names"]), strict=True)),
        unreadable=unreadable,
        faults=dict(zip(_parted(file["faults"]), _parted(file["faults.why"]), strict=True)),
    )


def _joined(texts: Any) -> NDArray[np.uint8]:
    """Return texts as bytes, each with a zero behind it, which no file's name holds."""
    whole = "".join(f"{text}\0" for text in texts)
    return np.frombuffer(whole.encode("utf-8", "surrogateescape"), np.uint8)


def _parted(texts: NDArray[np.uint8]) -> list[str]:
    return texts.tobytes().decode("utf-8", "surrogateescape").split("\0")[:-1]
