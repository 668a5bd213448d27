"""What the network answered to photos, and how far off it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from precompute.reductions import softmax

TOP = 5


@dataclass(frozen=True)
class Answer:
    """What the network answered to a photo."""

    category: tuple[int, ...]
    """Of the TOP largest logits, largest first; fewer where there are fewer categories."""
    true: int | None
    """The category that the photo is of, None where there is none."""
    probability: float
    """Of the first answer."""
    loss: float
    """−log of the probability of the true category; 0 where there is none."""

    @property
    def hits(self) -> tuple[bool, bool]:
        """Whether the true category is the first answer, and whether it is among the first TOP."""
        return self.category[0] == self.true, self.true in self.category


def answer(logits: NDArray[np.float32], true: int | None) -> Answer:
    """Return what (categories,) logits say of a photo of the category `true`."""
    category = np.argsort(-logits, kind="stable")[:TOP].tolist()
    loss = 0.0
    if true is not None:
        wide = logits.astype(np.float64)
        # −log of the share itself would be infinite where the share is rounded to zero.
        loss = float(np.log(np.exp(wide - wide.max()).sum()) + wide.max() - wide[true])
    return Answer(tuple(category), true, float(softmax(logits)[category[0]]), loss)
