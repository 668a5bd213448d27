"""The table of all channels opens in one line, and says what the layers' files say."""

import io
import math

import msgspec
import numpy as np
import pytest

from survey import contract
from survey.contract import LayerSurvey
from survey.sheets import Sheets

SINGLE = ("fires", "mean", "deviation", "photo_deviation", "low", "high")
MAYBE = ("selectivity", "separation")


@pytest.fixture(scope="module")
def files(stored):
    return stored.files(Sheets())


@pytest.fixture(scope="module")
def layers(files) -> list[LayerSurvey]:
    names = [name for name in files if name.startswith("layers/")]
    return [msgspec.json.decode(files[name], type=LayerSurvey) for name in names]


def opened(files) -> dict:
    return dict(np.load(io.BytesIO(files[contract.TABLE_NAME]), allow_pickle=False))


def test_every_column_has_a_row_for_each_channel(files, layers):
    table = opened(files)
    assert list(table)[:4] == ["layer", "channel", "photos", "fires"]
    assert {column.shape for column in table.values()} == {(16,)}
    assert table["layer"].tolist() == [layer.layer for layer in layers for _ in range(4)]
    assert table["channel"].tolist() == [0, 1, 2, 3] * 4
    assert set(table["photos"].tolist()) == {38}


@pytest.mark.parametrize("name", [*SINGLE, *MAYBE])
def test_figures_are_those_of_the_layers(files, layers, name):
    stored = [value for layer in layers for value in getattr(layer, name)]
    column = opened(files)[name].tolist()
    assert [None if math.isnan(one) else one for one in column] == stored


def test_what_can_be_missing_is_missing_somewhere(files):
    table = opened(files)
    assert 0 < np.isnan(table["selectivity"]).sum() < 16
    assert 0 < (table["best_class"] == "").sum() < 16
    assert 0 < (table["strongest"] == "").sum() < 16


def test_quantiles_have_a_column_each(files, layers):
    table = opened(files)
    names = ["q05", "q25", "q50", "q75", "q95", "q99"]
    rows = zip(*(table[name].tolist() for name in names), strict=True)
    assert [*rows] == [channel for layer in layers for channel in layer.quantiles]


def test_names_are_spelled_out(files, layers, stored):
    table = opened(files)
    assert table["best_class"].tolist() == [
        "" if best is None else stored.data.classes[best] for one in layers for best in one.best
    ]
    maxima = {layer.layer: stored.maxima(layer.layer) for layer in layers}
    names = [item.name for item in stored.data.items]
    for layer, channel, strongest in zip(
        table["layer"], table["channel"], table["strongest"], strict=True
    ):
        values = maxima[layer][:, channel]
        assert strongest == (names[values.argmax()] if values.max() > 0 else "")
    private = dict(np.load(io.BytesIO(stored.files(sheets=None)[contract.TABLE_NAME])))
    assert set(private["strongest"].tolist()) == {""}


def test_polars_opens_it_in_one_line(files, tmp_path):
    import polars

    path = tmp_path / "channels.npz"
    path.write_bytes(files[contract.TABLE_NAME])
    frame = polars.DataFrame(dict(np.load(path)))
    assert frame.shape == (16, 19)
    assert frame.schema["layer"] == frame.schema["strongest"] == polars.String
    assert frame.schema["channel"] == polars.Int64
    dead = frame.filter(polars.col("fires") == 0).select("layer", "channel").rows()
    assert dead == [("first", 1), ("first.relu", 1)]
    best = (
        frame.filter(polars.col("separation").is_not_nan()).sort("separation").row(-1, named=True)
    )
    assert best["separation"] == np.nanmax(opened(files)["separation"])


def test_the_same_figures_are_the_same_bytes(stored, files):
    assert stored.files(Sheets())[contract.TABLE_NAME] == files[contract.TABLE_NAME]
