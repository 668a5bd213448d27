"""A gallery that is quick to rebuild: the real network, three of its layers, small photos."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from small_gallery import Gallery, cut_down, draw

from precompute.build import Settings

LAYERS = {"conv1", "layer4.1.add", "layer4.1.relu_1", "fc"}


@pytest.fixture(scope="session")
def slim(exported, tmp_path_factory) -> Path:
    """The manifest of the exported model, cut down to LAYERS, beside the same ONNX file."""
    return cut_down(exported, tmp_path_factory.mktemp("slim"), LAYERS)


@pytest.fixture(scope="session")
def built_once(slim, tmp_path_factory) -> Gallery:
    """Four small photos, one of them a chart, built once: to read from, not to change."""
    home = tmp_path_factory.mktemp("gallery")
    photos = home / "photos"
    photos.mkdir()
    for seed, name in enumerate(["ash.jpg", "birch.jpg", "cedar.jpg", "grid.jpg"]):
        draw(photos / name, seed)
    (photos / "examples.toml").write_text('[[photo]]\nfile = "grid.jpg"\nchart = true\n')
    gallery = Gallery(
        Settings((slim,), photos, home / "tiles", "cpu", workers=2, allow_skips=False)
    )
    gallery.build()
    return gallery


@pytest.fixture
def gallery(built_once, tmp_path) -> Gallery:
    """A copy of that gallery, to change: one worker, which is quicker for one photo."""
    shutil.copytree(built_once.settings.tiles.parent, tmp_path, dirs_exist_ok=True)
    photos, tiles = tmp_path / "photos", tmp_path / "tiles"
    return Gallery(replace(built_once.settings, photos=photos, tiles=tiles, workers=1))
