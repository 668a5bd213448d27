"""Shards are computed, kept and merged: the same summary whatever happens on the way."""

import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from small_survey import Here, Survey, a_survey

from precompute.decode import open_picture
from precompute.entry import open_model
from precompute.preprocess import crop, normalise
from precompute.session import run
from survey.engines import Local
from survey.gather import FEWEST, MOST, Finished, each_of
from survey.job import key_of
from survey.strongest import KEPT

PHOTOS = 300
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Survey:
    return a_survey(tmp_path_factory.mktemp("survey"), PHOTOS)


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    return small.gather(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def stored(small):
    """Every activation of every photo, by layer: (photos, channels, height, width)."""
    model = open_model(small.manifest, "cpu")
    spec = model.manifest.input
    pictures = []
    names = []
    for item in small.data.items:
        with suppress(Exception):
            pictures.append(normalise(crop(open_picture(item.path), spec), spec))
            names.append(item.name)
    runs = [run(model.session, model.manifest, picture) for picture in pictures]
    return names, {name: np.stack([one[name] for one in runs]) for name in runs[0]}


def test_the_strongest_and_the_counts_are_those_of_all_stored_activations(small, whole, stored):
    names, activations = stored
    assert len(names) == whole.photos == PHOTOS
    keys = [key_of(name) for name in names]
    first = 0
    for layer, channels in whole.layout:
        values = activations[layer].reshape(PHOTOS, channels, -1)
        maxima = values.max(axis=2)
        for channel in range(channels):
            place = first + channel
            column = maxima[:, channel]
            order = sorted(range(PHOTOS), key=lambda row: (-column[row], keys[row]))[:KEPT]
            assert whole.strongest.value[place].tolist() == column[order].tolist()
            assert whole.strongest.key[place].tolist() == [keys[row] for row in order]
            assert whole.strongest.place[place].tolist() == [
                int(values[row, channel].argmax()) for row in order
            ]
            assert whole.fires[place] == (column > 0).sum()
            assert whole.high[place] == column.max()
            assert whole.low[place] == column.min()
            wide = values[:, channel].astype(np.float64)
            assert np.isclose(
                whole.mean.values()[place] / PHOTOS, wide.mean(), rtol=1e-5, atol=1e-7
            )
            inside = wide.var(axis=1).mean()
            assert np.isclose(whole.variance.values()[place] / PHOTOS, inside, rtol=1e-9)
        first += channels
    logits = activations["fc"]
    right = [small.data.classes.index(name.split("/")[0]) for name in names]
    answers = (-logits).argsort(axis=1, kind="stable")[:, 0]
    for label in range(3):
        rows = np.array(right) == label
        assert whole.label_photos[label] == rows.sum()
        assert whole.label_top[label, 0] == (answers[rows] == label).sum()
    shares = np.exp(logits.astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    loss = {
        keys[row]: -np.log(shares[row, right[row]])
        for row in range(PHOTOS)
        if answers[row] != right[row]
    }
    expected = sorted(loss, key=lambda key: (-loss[key], key))[: len(whole.wrong.key)]
    assert whole.wrong.key.tolist() == expected
    assert np.allclose(whole.wrong.loss, [loss[key] for key in expected])
    means = activations["conv"].mean(axis=(2, 3))
    sampled = [keys.index(key) for key in whole.sample_key.tolist()]
    assert sorted(sampled) == list(range(PHOTOS))
    assert np.allclose(whole.sample_mean[:, :4], means[sampled], atol=1e-6)


@pytest.mark.parametrize("each", [1, 7, 128, 1000])
def test_the_number_of_shards_and_their_order_change_nothing(small, whole, tmp_path, each):
    found = small.gather(tmp_path, Here(backwards=True), each)
    assert found.to_bytes() == whole.to_bytes()


def test_the_number_of_processes_changes_nothing(small, whole, tmp_path):
    for workers in (1, 2):
        engine = Local(workers, 100.0)
        found = small.gather(tmp_path / str(workers), engine, each=40)
        assert found.to_bytes() == whole.to_bytes()


def test_an_interrupted_survey_goes_on_where_it_was(small, whole, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        small.gather(tmp_path, Here(patience=4))
    engine, told, steps = Here(), [], []

    def progress(what, total):
        told.append((what, total))
        return steps.append

    found = small.gather(tmp_path, engine, progress=progress)
    assert found.to_bytes() == whole.to_bytes()
    assert len(engine.done) == len(small.shards(20)) - 4
    assert told == [("photos (80 done before)", len(small.data.items) - 80)]
    assert sum(steps) == len(small.data.items) - 80
    again = Here()
    assert small.gather(tmp_path, again).to_bytes() == whole.to_bytes()
    assert again.done == []


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-100], lambda d: b"", lambda d: d[:500] + b"x" + d[501:]]
)
def test_a_damaged_shard_is_computed_again(small, whole, tmp_path, damage):
    small.gather(tmp_path)
    path = sorted(tmp_path.glob("*.npz"))[3]
    path.write_bytes(damage(path.read_bytes()))
    engine = Here()
    assert small.gather(tmp_path, engine).to_bytes() == whole.to_bytes()
    assert len(engine.done) == 1


def test_a_changed_photo_is_computed_again_with_its_shard_alone(small, tmp_path):
    small.gather(tmp_path)
    items = list(small.data.items)
    for change in ({"modified": 1}, {"size": 1}, {"label": None}, {"name": "ash/zzz.png"}):
        changed = [replace(items[0], **change), *items[1:]]
        engine = Here()
        replace(small, data=replace(small.data, items=changed)).gather(tmp_path, engine)
        assert engine.done == [20], change


def test_a_photo_that_ends_its_process_costs_itself_alone(small, whole, tmp_path):
    found = small.gather(tmp_path, Here(deadly="0044"))
    name = "cedar/0044.png"
    assert found.faults[name].startswith(
        "its process was killed by SIGSEGV, which damaged pictures"
    )
    assert found.photos == whole.photos - 1
    assert found.unreadable == whole.unreadable + 1
    kept = replace(small.data, items=[item for item in small.data.items if item.name != name])
    without = replace(small, data=kept).gather(tmp_path / "without")
    assert (
        replace(found, faults={}, unreadable=0).to_bytes()
        == replace(without, faults={}, unreadable=0).to_bytes()
    )


def test_what_was_found_by_halves_is_not_computed_again(small, tmp_path):
    small.gather(tmp_path, Here(deadly="0044"))
    engine = Here(deadly="0044")
    small.gather(tmp_path, engine)
    assert engine.done == []
    engine = Here()
    assert small.gather(tmp_path, engine).photos == PHOTOS
    assert engine.done == [1]


def test_a_photo_that_hangs_ends_its_process(small):
    item = small.data.items[0]
    program = f"""
import time
from pathlib import Path
from precompute.limits import Limits
from survey import worker
from survey.job import Item, Job
worker.content = lambda item, limits: time.sleep(60)
job = Job(Path({str(small.manifest)!r}), "cpu", Limits(seconds=1), (0, 1, 2), 0)
worker.survey_shard(job, (Item({item.name!r}, {item.path!r}, None, 1, 1, 0),))
"""
    began = monotonic()
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    assert monotonic() - began < 30


def test_photos_that_cannot_be_read_are_counted_and_named(whole):
    assert whole.unreadable == 2
    assert whole.faults == {
        "ash/broken.png": "not a picture: expected JPEG, PNG, WEBP, GIF, BMP, TIFF",
        "cedar/empty.jpg": "empty file",
    }


def test_shards_are_small_enough_to_lose_and_large_enough_to_start():
    assert each_of(1) == each_of(1000) == FEWEST
    assert each_of(10**7) == MOST
    assert FEWEST < each_of(100_000) < MOST


def test_shards_of_another_model_are_not_taken(small, tmp_path):
    shard = small.shards(20)[0]
    paths = {Finished(tmp_path, key).path(shard) for key in ("one", "two")}
    assert len(paths) == 2
