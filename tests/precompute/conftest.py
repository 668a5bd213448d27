"""A gallery that is quick to rebuild: the real network, three of its layers, small photos."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import artifacts
from export.manifest import read_manifest
from precompute.build import Built, Settings, precompute
from precompute.index import GalleryIndex, read_index

LAYERS = {"conv1", "layer4.1.add", "layer4.1.relu_1", "fc"}


def quiet(what, total):
    return lambda: None


@dataclass(frozen=True)
class Gallery:
    """A folder of photos and what is computed from it."""

    settings: Settings

    @property
    def photos(self) -> Path:
        return self.settings.photos

    @property
    def folder(self) -> Path:
        return self.settings.tiles / "resnet18"

    @property
    def index(self) -> GalleryIndex:
        return read_index(self.folder)

    def build(self, **changes) -> Built:
        return precompute(replace(self.settings, **changes), quiet)

    def files(self) -> dict[str, bytes]:
        """Everything that is there, hidden files and records included."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def stamps(self) -> dict[str, tuple[int, int]]:
        """When and as which file everything was written."""
        stats = {path: path.stat() for path in self.folder.rglob("*") if path.is_file()}
        return {
            path.relative_to(self.folder).as_posix(): (stat.st_mtime_ns, stat.st_ino)
            for path, stat in stats.items()
        }

    def touched(self, before: dict[str, tuple[int, int]]) -> set[str]:
        """The top folders and files in which something is newer than `before`, or gone."""
        changed = before.items() ^ self.stamps().items()
        return {name.split("/")[0] for name, _ in changed} - {"_records"}


def draw(path: Path, seed: int, size: tuple[int, int] = (96, 80)) -> None:
    """Write a picture of coloured patches that is different for each seed."""
    patches = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), np.uint8)
    Image.fromarray(patches).resize(size).save(path)


@pytest.fixture(scope="session")
def slim(exported, tmp_path_factory) -> Path:
    """The manifest of the exported model, cut down to LAYERS, beside the same ONNX file."""
    return cut_down(exported, tmp_path_factory.mktemp("slim"), LAYERS)


def cut_down(exported: Path, folder: Path, layers: set[str]) -> Path:
    shutil.copytree(exported.parent, folder, dirs_exist_ok=True)
    manifest = read_manifest(exported)
    kept = tuple(replace(layer, exported=layer.name in layers) for layer in manifest.layers)
    return rewrite(folder / exported.name, layers=kept)


def rewrite(manifest: Path, **changes) -> Path:
    """Change fields of a manifest, with the hashes of the files that are beside it now."""
    described = read_manifest(manifest)
    for name in ("onnx", "arrays"):
        file = getattr(described, name)
        changes[name] = replace(file, sha256=artifacts.sha256(manifest.with_name(file.name)))
    manifest.write_bytes(artifacts.encode(replace(described, **changes)))
    return manifest


@pytest.fixture(scope="session")
def built_once(slim, tmp_path_factory) -> Gallery:
    """Four small photos, one of them a chart, built once: to read from, not to change."""
    home = tmp_path_factory.mktemp("gallery")
    photos = home / "photos"
    photos.mkdir()
    for seed, name in enumerate(["ash.png", "birch.png", "cedar.jpg", "grid.png"]):
        draw(photos / name, seed)
    (photos / "examples.toml").write_text('[[photo]]\nfile = "grid.png"\nchart = true\n')
    gallery = Gallery(Settings(slim, photos, home / "tiles", "cpu", workers=2, allow_skips=False))
    gallery.build()
    return gallery


@pytest.fixture
def gallery(built_once, tmp_path) -> Gallery:
    """A copy of that gallery, to change: one worker, which is quicker for one photo."""
    shutil.copytree(built_once.settings.tiles.parent, tmp_path, dirs_exist_ok=True)
    photos, tiles = tmp_path / "photos", tmp_path / "tiles"
    return Gallery(replace(built_once.settings, photos=photos, tiles=tiles, workers=1))
