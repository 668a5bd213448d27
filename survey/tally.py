"""From photos, one after the other, to the Summary of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from precompute.errors import NonFiniteError, PhotoError
from survey.activations import Activations
from survey.answers import Answer, answer
from survey.compiled import Figures, Totals, count, measure
from survey.errors import SurveyError
from survey.fixed import Sums
from survey.histogram import BINS, bin_of
from survey.strongest import KEPT, Strongest
from survey.summary import Layout, Summary, Wrong, needed

WAITING = 16
"""Photos whose figures wait: what is counted of a channel is fetched into the cache once for all of
them."""


@dataclass(frozen=True)
class _Photo:
    name: str
    key: int
    label: int
    answer: Answer


def compile_ahead() -> None:
    """Have ready what is compiled, before the time that a photo may take is counted."""
    one = Tally((("", 1),), Activations([(1, 1)], 1), [None], 0)
    one.add("", 1, None, None)
    one.summary()


class Tally:
    """Counts photos whose activations lie in `activations`. C is channels of all layers."""

    def __init__(
        self, layout: Layout, activations: Activations, labels: Sequence[int | None], sample: int
    ) -> None:
        """Begin with none. `labels` are the classes that will occur, None for no class; photos with
        keys up to `sample` are the sample of the summary.
        """
        channels = activations.sizes.size
        self._layout = layout
        self._activations = activations
        self._sample = sample
        classes = sorted({-1 if label is None else label for label in labels})
        self._row = {label: row for row, label in enumerate(classes)}
        self._photos: list[_Photo] = []
        self._sampled: list[tuple[int, NDArray[np.float32]]] = []
        self._figures = Figures(
            maximum=np.zeros((WAITING, channels), np.float32),
            place=np.zeros((WAITING, channels), np.int32),
            mean=np.zeros((WAITING, channels), np.float32),
            variance=np.zeros((WAITING, channels)),
        )
        self._waiting = 0
        self._totals = Totals(
            fires=np.zeros(channels, np.int64),
            low=np.full(channels, np.inf, np.float32),
            high=np.full(channels, -np.inf, np.float32),
            histogram=np.zeros((channels, BINS), np.uint32),
            variance=np.zeros((2, channels), np.int64),
            mean_square=np.zeros((2, channels), np.int64),
            class_square=np.zeros((2, channels), np.int64),
            label_mean=np.zeros((2, len(classes), channels), np.int64),
            value=np.full((KEPT, channels), -np.inf, np.float32),
            key=np.full((KEPT, channels), 2**64 - 1, np.uint64),
            place=np.zeros((KEPT, channels), np.int32),
        )

    def add(self, name: str, key: int, label: int | None, true: int | None) -> None:
        """Take in the photo whose activations there are. `true` is the category that it is of.

        Raises PhotoError where a figure is not finite or too large to be summed, and counts nothing.
        """
        figures, row, activations = self._figures, self._waiting, self._activations
        within = measure(
            activations.values,
            activations.starts,
            activations.sizes,
            self._totals.value[-1],
            row,
            figures,
        )
        if not (within and np.isfinite(activations.logits).all()):
            raise self._fault(figures.mean[row])
        said = answer(activations.logits, true)
        self._photos.append(_Photo(name, key, -1 if label is None else label, said))
        if key <= self._sample:
            self._sampled.append((key, figures.mean[row].copy()))
        self._waiting += 1
        if self._waiting == WAITING:
            self._count()

    def _fault(self, mean: NDArray[np.float32]) -> PhotoError:
        """Return what is wrong with the activations that have these means."""
        logits = self._activations.logits
        first = 0
        for name, channels in self._layout:
            finite = np.isfinite(mean[first : first + channels])
            if not finite.all():
                channel = int(np.argmin(finite))
                return NonFiniteError(f"layer {name}, channel {channel}: NaN or infinity")
            first += channels
        if not np.isfinite(logits).all():
            channel = int(np.argmin(np.isfinite(logits)))
            return NonFiniteError(f"the answers, category {channel}: NaN or infinity")
        return PhotoError("activations beyond a million cannot be summed up")

    def _count(self) -> None:
        if not self._waiting:
            return
        photos = self._photos[-self._waiting :]
        count(
            self._figures,
            bin_of(self._figures.maximum[: self._waiting]),
            np.array([photo.key for photo in photos], np.uint64),
            np.array([self._row[photo.label] for photo in photos]),
            np.array([photo.label >= 0 for photo in photos]),
            self._totals,
        )
        self._waiting = 0

    def summary(self) -> Summary:
        """Return the summary of all photos, once there are no more: it is made of the same memory.

        Raises SurveyError where two of them have one key.
        """
        nothing = Summary.nothing(self._layout)
        photos = self._photos
        if not photos:
            return nothing
        self._count()
        names = {photo.key: photo.name for photo in photos}
        if len(names) < len(photos):
            raise SurveyError("two photos have one key: rename one of them")
        label = np.array([photo.label for photo in photos])
        first = np.array([photo.answer.category[0] for photo in photos])
        hits = np.array([photo.answer.hits for photo in photos], np.int64)
        pairs, number = np.unique(np.stack([label, first], axis=1), axis=0, return_counts=True)
        labels, of_label = np.unique(label, return_inverse=True)
        label_top = np.zeros((len(labels), 2), np.int64)
        np.add.at(label_top, of_label, hits)
        totals = self._totals
        kept = min(KEPT, len(photos))
        strongest = Strongest(
            value=np.ascontiguousarray(totals.value[:kept].T),
            key=np.ascontiguousarray(totals.key[:kept].T),
            place=np.ascontiguousarray(totals.place[:kept].T),
        )
        wrong = nothing.wrong + self._wrong()
        self._sampled.sort(key=lambda one: one[0])
        return replace(
            nothing,
            photos=len(photos),
            fires=totals.fires,
            low=totals.low,
            high=totals.high,
            histogram=totals.histogram,
            variance=Sums(totals.variance),
            mean_square=Sums(totals.mean_square),
            class_square=Sums(totals.class_square),
            labels=labels,
            label_photos=np.bincount(of_label),
            label_mean=Sums(totals.label_mean[:, [self._row[label] for label in labels.tolist()]]),
            label_top=label_top,
            answers=np.column_stack([pairs, number]),
            strongest=strongest,
            wrong=wrong,
            sample_key=np.array([key for key, _ in self._sampled], np.uint64),
            sample_mean=np.array([mean for _, mean in self._sampled], np.float32).reshape(
                -1, totals.fires.size
            ),
            names=needed(names, strongest, wrong),
        )

    def _wrong(self) -> Wrong:
        missed = [p for p in self._photos if p.answer.true is not None and not p.answer.hits[0]]
        return Wrong(
            loss=np.array([photo.answer.loss for photo in missed], np.float64),
            key=np.array([photo.key for photo in missed], np.uint64),
            label=np.array([photo.label for photo in missed], np.int64),
            answer=np.array([photo.answer.category[0] for photo in missed], np.int64),
            probability=np.array([photo.answer.probability for photo in missed], np.float64),
        )
