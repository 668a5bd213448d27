"""Two surveys in, what differs out: from planted differences to the command's text."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from two_surveys import keys_of, put, summary_of

from survey import contract as survey_contract
from survey.comparison import correlations, kernel, similarity
from survey.diff import contract
from survey.diff.__main__ import main
from survey.diff.build import compare
from survey.diff.contract import read_difference
from survey.diff.ranking import changed_channels, changed_classes, first_different, least_alike
from survey.diff.text import lines
from survey.errors import SurveyError

PHOTOS = 60
CLASSES_A = [("ash", 20, 18), ("birch", 30, 10), ("cedar", 10, 10)]
CLASSES_B = [("ash", 20, 18), ("birch", 30, 25), ("fir", 10, 10)]


def layers(seed=0):
    """Means as floats of 32 bits have them, as a survey does."""
    random = np.random.default_rng(seed)
    return {
        name: np.abs(random.normal(size=(PHOTOS, channels))).astype(np.float32)
        for name, channels in (("stem", 8), ("layer1", 12), ("layer2", 20))
    }


def planted():
    """Model B: the stem is A's, a channel of layer1 is turned round, one died, layer2 is another."""
    other = layers()
    other["layer1"][:, 7] = 5 - other["layer1"][:, 7]
    other["layer1"][:, 3] = 0
    other["layer2"] = layers(seed=1)["layer2"]
    return other


@pytest.fixture(scope="module")
def surveys(tmp_path_factory):
    home = tmp_path_factory.mktemp("surveys")
    put(home, "one", summary_of(layers()), classes=CLASSES_A)
    put(home, "two", summary_of(planted()), classes=CLASSES_B)
    return home


@pytest.fixture(scope="module")
def out(surveys):
    return contract.difference_folder(surveys, "one", "two")


@pytest.fixture(scope="module")
def found(surveys, out):
    return compare(surveys / "one", surveys / "two", out)


def test_what_is_read_back_is_what_was_found(found, out):
    assert read_difference(out) == found
    assert (found.a.model, found.b.model, found.photos) == ("one", "two", PHOTOS)
    assert (found.a.top1, found.b.top1, found.title) == (38, 53, "Trees")


def test_a_layer_that_did_not_change_is_the_same(found):
    stem = found.layers[0]
    assert (stem.layer, stem.similarity, stem.error) == ("stem", 1, pytest.approx(0, abs=1e-9))
    assert stem.channels.quantiles == (1, 1, 1, 1, 1)
    assert (stem.channels.died, stem.channels.revived) == ((), ())


def test_every_planted_difference_is_found(found):
    assert first_different(found).layer == "layer1"
    assert [layer.layer for layer in least_alike(found)] == ["layer2", "layer1", "stem"]
    assert found.layers[2].similarity == pytest.approx(0, abs=0.15)
    layer, first = changed_channels(found)[0]
    assert (layer.layer, first.channel, first.correlation) == ("layer1", 7, -1)
    channels = found.layers[1].channels
    assert (channels.died, channels.revived) == ((3,), ())
    assert (channels.correlated, channels.constant_a, channels.constant_b) == (11, 0, 1)
    assert [one.channel for one in channels.changed][:1] == [7]
    assert 3 not in [one.channel for one in channels.changed]


def test_the_reverse_is_the_other_way_round(surveys, found, tmp_path):
    back = compare(surveys / "two", surveys / "one", tmp_path)
    assert (back.a, back.b) == (found.b, found.a)
    np.testing.assert_allclose(np.transpose(back.pairs), found.pairs, atol=1e-4)
    assert back.layers[1].channels.revived == (3,)
    assert (back.layers[1].channels.constant_a, back.layers[1].channels.constant_b) == (1, 0)


def test_figures_are_those_of_the_sample(found):
    x, y = (of["layer2"].astype(np.float64) for of in (layers(), planted()))
    value, error = similarity(kernel(x), kernel(y))
    assert found.layers[2].similarity == pytest.approx(value, rel=1e-5)
    assert found.layers[2].error == pytest.approx(error, rel=1e-5)
    correlation, low, high = correlations(x, y)
    for one in found.layers[2].channels.changed:
        wanted = [n[one.channel] for n in (correlation, low, high, x.mean(0), y.mean(0))]
        given = [one.correlation, one.low, one.high, one.mean_a, one.mean_b]
        assert given == pytest.approx(wanted, rel=1e-5)
    smallest = sorted(correlation)[: contract.CHANGED]
    listed = [one.correlation for one in found.layers[2].channels.changed]
    assert listed == pytest.approx(smallest, rel=1e-5)


def test_tables_are_columns_of_one_length(found, out):
    def table(name):
        with np.load(out / name, allow_pickle=False) as file:
            return dict(file)

    channels, by_layer, pairs = (table(f"{n}.npz") for n in ("channels", "layers", "pairs"))
    for columns, length in ((channels, 8 + 12 + 20), (by_layer, 3), (pairs, 9)):
        assert {column.shape for column in columns.values()} == {(length,)}
    assert channels["layer"].tolist() == ["stem"] * 8 + ["layer1"] * 12 + ["layer2"] * 20
    assert channels["channel"].tolist() == [*range(8), *range(12), *range(20)]
    assert channels["correlation"][8 + 7] == -1
    assert np.isnan(channels["correlation"][8 + 3])
    assert (channels["fires_a"][8 + 3], channels["fires_b"][8 + 3]) == (PHOTOS, 0)
    assert by_layer["similarity"].tolist() == [layer.similarity for layer in found.layers]
    assert by_layer["died"].tolist() == [0, 1, 0]
    assert pairs["layer_a"].tolist()[2:4] == ["stem", "layer1"]
    assert pairs["layer_b"].tolist()[2:4] == ["layer2", "stem"]
    assert pairs["similarity"][0] == found.pairs[0][0] == 1


def test_photos_are_paired_by_name(surveys, tmp_path):
    """Of B some photos are missing, so that the n-th of its sample is another than A's."""
    kept = np.delete(np.arange(PHOTOS), [0, 5, 40])
    fewer = {name: means[kept] for name, means in layers().items()}
    put(tmp_path, "fewer", summary_of(fewer, keys=keys_of(PHOTOS)[kept]))
    found = compare(surveys / "one", tmp_path / "fewer", tmp_path / "out")
    assert found.photos == PHOTOS - 3
    assert [layer.similarity for layer in found.layers] == [1, 1, 1]


def test_classes_are_compared_where_both_models_know_them(found):
    assert [one.name for one in found.classes] == ["ash", "birch"]
    assert [one.name for one in changed_classes(found)] == ["birch"]


def test_models_of_other_layers_are_compared_by_pairs(surveys, tmp_path):
    mine = layers()
    other = {"block": mine["layer2"][:, ::-1], "stem": np.hstack([mine["stem"]] * 2)}
    put(tmp_path, "other", summary_of(other))
    found = compare(surveys / "one", tmp_path / "other", tmp_path / "out")
    assert (found.rows, found.columns) == (("stem", "layer1", "layer2"), ("block", "stem"))
    assert found.pairs[2][0] == 1
    assert abs(found.pairs[1][0]) < 0.2
    (stem,) = found.layers
    assert (stem.channels_a, stem.channels_b, stem.similarity) == (8, 16, 1)
    assert stem.channels is None
    with np.load(tmp_path / "out" / "channels.npz") as file:
        assert file["layer"].shape == (0,)


def test_models_without_one_common_name_are_compared_too(surveys, tmp_path):
    put(tmp_path, "other", summary_of({"block": layers()["stem"]}))
    found = compare(surveys / "one", tmp_path / "other", tmp_path / "out")
    assert found.layers == ()
    assert [row[0] == 1 for row in found.pairs] == [True, False, False]
    said = list(lines(found))
    assert said[4].startswith("No layer has one name in both")
    assert said[5:8] == [
        f"  {name}  block  {value:.3f}".replace("-", "−")
        for name, value in zip(found.rows, (row[0] for row in found.pairs), strict=True)
    ]


def test_what_does_not_vary_is_null(surveys, tmp_path):
    flat = {**layers(), "layer1": np.full((PHOTOS, 12), 0.5)}
    put(tmp_path, "flat", summary_of(flat))
    found = compare(surveys / "one", tmp_path / "flat", tmp_path / "out")
    layer = found.layers[1]
    assert (layer.similarity, layer.error) == (None, None)
    assert (layer.channels.quantiles, layer.channels.changed) == (None, ())
    assert layer.channels.constant_b == 12
    assert found.pairs[0][1] is None
    assert "layer1" not in "\n".join(lines(found))


def test_the_same_surveys_give_the_same_bytes(surveys, found, out, tmp_path):
    compare(surveys / "one", surveys / "two", tmp_path)
    files = sorted(path.name for path in out.iterdir())
    assert files == ["channels.npz", "index.json", "layers.npz", "pairs.npz"]
    for name in files:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name


# What cannot be compared


def refused(one, two, out):
    with pytest.raises(SurveyError) as error:
        compare(one, two, out)
    assert not out.exists()
    return str(error.value)


def test_other_photos_are_refused(surveys, tmp_path):
    put(tmp_path, "two", summary_of(layers()), data_set="others")
    said = refused(surveys / "one", tmp_path / "two", tmp_path / "out")
    assert said.startswith("one and two were asked about other photos: run make survey")


def test_too_few_common_photos_are_refused(surveys, tmp_path):
    put(tmp_path, "two", summary_of(layers(), keys=keys_of(PHOTOS, first=PHOTOS - 9)))
    said = refused(surveys / "one", tmp_path / "two", tmp_path / "out")
    assert said.startswith("photos in the samples of both surveys: 9, of 10 that are needed")


def test_a_survey_without_its_summary_is_refused(surveys, tmp_path):
    folder = put(tmp_path, "two", summary_of(layers()))
    summary = folder / survey_contract.SUMMARY_NAME
    data = summary.read_bytes()
    summary.write_bytes(data[: len(data) // 2])
    assert "is not a summary" in refused(surveys / "one", folder, tmp_path / "out")
    summary.write_bytes(summary_of({"block": layers()["stem"]}).to_bytes())
    assert "is not of the survey" in refused(surveys / "one", folder, tmp_path / "out")
    summary.write_bytes(dataclasses.replace(summary_of(layers()), photos=PHOTOS - 1).to_bytes())
    assert "is not of the survey" in refused(surveys / "one", folder, tmp_path / "out")
    summary.unlink()
    said = refused(surveys / "one", folder, tmp_path / "out")
    assert said == f"{summary} does not exist: run make survey MODEL=two"


# The command


def test_the_command_says_what_differs(surveys, out, capsys):
    assert main(["--a", f"{surveys / 'one'}", "--b", f"{surveys / 'two'}", "--out", f"{out}"]) == 0
    said = capsys.readouterr().out
    assert "A is one, 60 photos, right first answers to 38 of 60 (63.3%)" in said
    assert "below 0.999 is layer1" in said
    assert "  layer1:7  −1.000 (−1.000 to −1.000)  60 in A, 60 in B" in said
    assert "fire in A and never in B: 1\n  layer1  1: 3\n" in said
    assert "  birch  10 of 30, 25 of 30" in said
    assert "stem" not in said.split("Channels that changed most")[1]


def test_of_a_model_and_itself_there_is_little_to_say(surveys, tmp_path):
    found = compare(surveys / "one", surveys / "one", tmp_path)
    said = list(lines(found))
    assert said[3:] == [
        "",
        "All layers that both have are alike: a similarity (CKA) of at least 0.999",
    ]


def test_what_a_batch_norm_does_to_a_channel_is_told_once(surveys, tmp_path):
    mine, other = layers(), planted()
    pair = (
        {"conv": one["layer1"], "bn": np.float32(3) * one["layer1"] - np.float32(1)}
        for one in (mine, other)
    )
    for name, means in zip(("one", "two"), pair, strict=True):
        put(tmp_path, name, summary_of(means))
    found = compare(tmp_path / "one", tmp_path / "two", tmp_path / "out")
    assert [(layer.layer, one.channel) for layer, one in changed_channels(found)] == [("conv", 7)]


def test_a_fault_is_one_line_and_a_failure(surveys, tmp_path, capsys):
    folders = ["--a", f"{surveys / 'one'}", "--b", f"{tmp_path / 'none'}"]
    assert main([*folders, "--out", f"{tmp_path / 'out'}"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("survey-diff: ")
    assert said.err.endswith("index.json does not exist: run make survey\n")


def test_the_schema_is_that_of_the_dataclasses(found, out):
    assert contract.SCHEMA_PATH.read_bytes() == contract.schema()
    fields = {field.name for field in dataclasses.fields(contract.Difference)}
    assert set(json.loads((out / "index.json").read_text())) == fields


def test_it_explains_itself():
    root = Path(contract.__file__).parents[2]
    command = [sys.executable, "-m", "survey.diff", "--help"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python -m survey.diff")
