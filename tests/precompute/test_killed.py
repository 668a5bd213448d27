"""A build that is killed at any of its writes leaves a good index; the next one ends as a clean one.

What is computed is taken from a clean build of the same photos, so that every write can be tried in
seconds: the writes are those of the real build.
"""

import os
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from killing import kill, spread, writes
from small_gallery import Gallery, draw

import artifacts
import filesystem
from precompute import build, index, plan
from precompute.index import read_index

COMPUTING = {
    "_model": "model_files",
    "_mistakes": "mistake_files",
    "_tours": "tour_files",
    "_stem": "stem_files",
}


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return everything in `folder`; None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def in_place(work, tasks, *_, **__):
    """Do what parallel() does, in this process, so that a kill ends all of it."""
    for task in tasks:
        yield task, work(task)


def replay(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Have builds take what they compute from `folder`, which holds the same photos and model."""
    layers = {layer.layer: layer for layer in read_index(folder).layers}
    made = {
        name: {path: data for path, data in contents(folder / name).items() if data is not None}
        for name in os.listdir(folder)
        if name not in {"index.json", "_records"}
    }

    def share(_, layer, photos, charts, put):
        for name, data in made[index.SHARED].items():
            if name.split("/")[0] in {layer.slug, index.figures_name(layer.slug)}:
                put(name, data)
        return layers[layer.name]

    # What takes most of the time and is no write: the hash of 94 MB.
    hashed, remembered = artifacts.sha256, cache(artifacts.sha256)

    def sha256(path):
        return remembered(path) if path.suffix in {".onnx", ".npz"} else hashed(path)

    patch.setattr(artifacts, "sha256", sha256)
    patch.setattr(build, "parallel", in_place)
    patch.setattr(plan, "try_model", lambda *_: {})
    patch.setattr(build, "_model", object())
    patch.setattr(build, "files_of", lambda task, *_: made[task.photo.id])
    patch.setattr(build, "share_layer", share)
    for part, name in COMPUTING.items():
        patch.setattr(build, name, lambda *_, part=part: iter(made[part].items()))


@pytest.fixture(scope="module")
def other_photos(built_once, tmp_path_factory) -> Gallery:
    """The photos of `built_once`, one of them changed, one gone and one new, built cleanly."""
    home = tmp_path_factory.mktemp("other")
    photos = home / "photos"
    shutil.copytree(built_once.photos, photos)
    changed, gone, *_ = sorted(path for path in photos.iterdir() if path.suffix != ".toml")
    gone.unlink()
    draw(changed, seed=60)
    draw(photos / f"dogwood{changed.suffix}", seed=61)
    gallery = Gallery(replace(built_once.settings, photos=photos, tiles=home / "tiles"))
    gallery.build()
    return gallery


@pytest.fixture
def rebuild(built_once, other_photos, tmp_path, monkeypatch):
    """Return a function that gives a fresh copy of the older tiles, and what builds over them."""
    replay(other_photos.folder, monkeypatch)
    tiles = tmp_path / "tiles"

    def again():
        shutil.rmtree(tiles, ignore_errors=True)
        shutil.copytree(built_once.settings.tiles, tiles, copy_function=os.link)
        gallery = replace(other_photos, settings=replace(other_photos.settings, tiles=tiles))
        return gallery, gallery.build

    return again


@pytest.mark.parametrize(
    ("exchanged", "moments"), [(True, 25), (False, 8)], ids=["exchange", "two renames"]
)
def test_a_build_that_is_killed_leaves_a_good_index_and_heals(
    built_once, other_photos, rebuild, monkeypatch, exchanged, moments
):
    if not exchanged:
        monkeypatch.setattr(filesystem, "exchange", lambda *_: False)
    old, new = contents(built_once.folder), contents(other_photos.folder)
    assert old.keys() != new.keys()
    gallery, work = rebuild()
    kinds = writes(work)
    assert contents(gallery.folder) == new, "the replayed build is the real one"
    chosen = spread(kinds, moments)
    assert len(chosen) > 20
    seen = set()
    for moment in chosen:
        gallery, work = rebuild()
        kill(work, moment)
        found = contents(gallery.folder)
        index_is_new = found["index.json"] == new["index.json"]
        assert index_is_new or found["index.json"] == old["index.json"], moment
        assert not index_is_new or new.items() <= found.items(), "it names what is not there"
        seen.add(index_is_new)
        writes(work)
        assert contents(gallery.folder) == new, f"killed before write {moment}, {kinds[moment]}"
    assert seen == {True, False}, "before and after the index"
    assert contents(built_once.folder) == old, "what is linked elsewhere was written into"
