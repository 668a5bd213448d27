"""Several models over the same photos: each has its own folder, and faults are told together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_onnx as tiny
from small_gallery import draw, quiet

from precompute import build
from precompute.__main__ import main
from precompute.build import Settings, precompute
from precompute.errors import PrecomputeError
from precompute.index import read_entry, read_index


def save(home: Path, name: str, weight=tiny.WEIGHT, categories=tiny.CATEGORIES) -> Path:
    described = replace(tiny.manifest(), model=name, categories=categories)
    tensors = [tiny.tensor("w", weight), *tiny.parts()["tensors"][1:]]
    model = tiny.onnx(tiny.graph(**{**tiny.parts(), "tensors": tensors}))
    return tiny.save(home / name, model, described=described)


@pytest.fixture
def settings(tmp_path) -> Settings:
    photos = tmp_path / "photos"
    (photos / "ash").mkdir(parents=True)
    for seed, name in enumerate(("ash/a.jpg", "b.jpg", "c.jpg")):
        draw(photos / name, seed, size=(20, 16))
    models = (save(tmp_path, "one"), save(tmp_path, "other", -tiny.WEIGHT, ("oak", "yew", "Ash!")))
    return Settings(models, photos, tmp_path / "tiles", "cpu", workers=1, allow_skips=False)


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_each_model_has_what_it_would_have_alone(settings, tmp_path, monkeypatch):
    looked = []
    find = build.find_photos
    monkeypatch.setattr(build, "find_photos", lambda *given: looked.append(given) or find(*given))
    done = precompute(settings, quiet)
    assert [built.index.model for built in done.models] == ["one", "other"]
    assert [built.computed for built in done.models] == [3, 3]
    assert len(looked) == 1
    for manifest in settings.manifests:
        alone = tmp_path / "alone"
        precompute(replace(settings, manifests=(manifest,), tiles=alone), quiet)
        name = manifest.parent.name
        assert files(settings.tiles / name) == files(alone / name)
    assert files(settings.tiles / "one") != files(settings.tiles / "other")


def test_true_classes_are_those_that_each_model_knows(settings):
    done = precompute(settings, quiet)
    (image,) = (i.id for i in done.models[0].index.images if i.id.startswith("a-"))
    entries = {name: read_entry(settings.tiles / name, image) for name in ("one", "other")}
    assert {name: entry.true_class for name, entry in entries.items()} == {
        "one": "ash",
        "other": "Ash!",
    }


def test_a_model_that_knows_no_such_class_has_no_true_class(settings, tmp_path):
    third = save(tmp_path, "third", categories=("x", "y", "z"))
    done = precompute(replace(settings, manifests=(settings.manifests[0], third)), quiet)
    images = [image.id for image in done.models[1].index.images]
    assert {read_entry(settings.tiles / "third", image).true_class for image in images} == {None}


def test_what_is_wrong_with_models_is_told_together(settings):
    first, second = settings.manifests
    first.with_name("tiny.onnx").write_bytes(b"another file")
    second.unlink()
    with pytest.raises(PrecomputeError) as error:
        precompute(settings, quiet)
    head, *lines = str(error.value).split("\n")
    assert head == "2 models cannot be used:"
    assert lines[0].startswith(f"  {first.with_name('tiny.onnx')} is not the file that tiny.json")
    assert lines[1] == f"  {second} does not exist: run make export"
    assert not settings.tiles.exists()


def test_two_models_of_one_name_are_refused(settings, tmp_path):
    again = save(tmp_path / "b", "One")
    given = (*settings.manifests, again)
    with pytest.raises(PrecomputeError) as error:
        precompute(replace(settings, manifests=given), quiet)
    assert str(error.value) == (
        f"{settings.manifests[0]} and {again} have the name 'one': give each model a name of its own"
    )


def test_photos_that_one_model_cannot_use_are_told_with_it(settings, tmp_path):
    weight = tiny.WEIGHT.copy()
    weight[2, 0, 1, 1] = np.nan
    broken = save(tmp_path, "broken", weight)
    (settings.photos / "d.jpg").write_bytes(b"no picture")
    given = replace(settings, manifests=(settings.manifests[0], broken))
    with pytest.raises(build.SkippedPhotosError) as error:
        precompute(given, quiet)
    head, *lines, _ = str(error.value).split("\n")
    assert head == "4 of 4 photos cannot be used:"
    assert [line.split(":")[0] for line in lines] == [
        "  ash/a.jpg with broken",
        "  b.jpg with broken",
        "  c.jpg with broken",
        "  d.jpg",
    ]
    assert not list(settings.tiles.glob("*/index.json"))


def test_progress_and_the_report_name_the_model_where_there_are_several(settings, capsys):
    line = ["--images", settings.photos, "--out", settings.tiles, "--provider", "cpu"]
    assert main([str(word) for word in ["--manifest", *settings.manifests, *line]]) == 0
    printed = capsys.readouterr()
    for name in ("one", "other"):
        assert f"\n{name}: photos: 3 in " in printed.err
        assert f"\nprecompute: {name}: 3 photos, 3 computed, 2 layers each, on " in printed.out
        assert read_index(settings.tiles / name).model == name
    assert "precompute: all 2 models: about " in printed.err
    (settings.tiles / "one" / "index.json").unlink()
    assert main([str(word) for word in ["--manifest", settings.manifests[0], *line]]) == 0
    printed = capsys.readouterr()
    assert "one: " not in printed.out + printed.err
