"""The figures of all channels as one table, for people who compute with them.

import numpy, polars
polars.DataFrame(dict(numpy.load("channels.npz")))

pandas.DataFrame takes it in the same way. A row is a channel, in forward order; the columns are:

    layer, channel                     its name
    photos                             how many were surveyed
    fires                              on how many of them it is above zero anywhere
    mean, deviation, photo_deviation   see contract.LayerSurvey
    low, q05, q25, … q99, high         of the photos' maxima
    best_class                         empty where there is none
    selectivity, separation            NaN where there is none
    strongest                          name of the photo with the largest maximum; empty where the
                                       channel is dead, or names are kept back
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survey.contract import QUANTILES, LayerSurvey

Column = NDArray[Any]


def table(layers: Sequence[LayerSurvey], classes: Sequence[str], photos: int) -> bytes:
    """Return the columns as a NumPy archive without pickles; equal figures are equal bytes."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **_columns(layers, classes, photos))
    return file.getvalue()


def _columns(
    layers: Sequence[LayerSurvey], classes: Sequence[str], photos: int
) -> dict[str, Column]:
    channels = [len(layer.fires) for layer in layers]

    def joined(name: str, kind: type) -> Column:
        """Return a list that every layer has; None is NaN."""
        return np.array([value for layer in layers for value in getattr(layer, name)], kind)

    quantiles = joined("quantiles", float)
    return {
        "layer": np.repeat(_texts([layer.layer for layer in layers]), channels),
        "channel": np.concatenate([np.arange(count) for count in channels]),
        "photos": np.full(sum(channels), photos),
        "fires": joined("fires", int),
        "mean": joined("mean", float),
        "deviation": joined("deviation", float),
        "photo_deviation": joined("photo_deviation", float),
        "low": joined("low", float),
        **{f"q{100 * q:02.0f}": quantiles[:, place] for place, q in enumerate(QUANTILES)},
        "high": joined("high", float),
        "best_class": _texts(
            ["" if best is None else classes[best] for layer in layers for best in layer.best]
        ),
        "selectivity": joined("selectivity", float),
        "separation": joined("separation", float),
        "strongest": _texts(
            [
                layer.photos[one.photo[0]].name if one and one.photo else ""
                for layer in layers
                for one in layer.strongest
            ]
        ),
    }


def _texts(texts: Sequence[str]) -> Column:
    return np.array(texts, np.str_)
