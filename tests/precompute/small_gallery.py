"""A gallery that is quick to rebuild: what it is, and how tests change it."""

import io
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

import artifacts
from export.manifest import read_manifest
from precompute.build import Built, Settings, precompute
from precompute.index import GalleryIndex, read_index


def quiet(what, total):
    return lambda: None


@dataclass(frozen=True)
class Gallery:
    """A folder of photos and what is computed from it."""

    settings: Settings

    @property
    def manifest(self) -> Path:
        (manifest,) = self.settings.manifests
        return manifest

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
        """Bring the one model's tiles up to date; its remarks are those on the photos, too."""
        done = precompute(replace(self.settings, **changes), quiet)
        (built,) = done.models
        return replace(built, remarks=done.remarks + built.remarks)

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


def progressive(scans: int, size: tuple[int, int] = (64, 48)) -> bytes:
    """A JPEG whose last scan is there again and again."""
    file = io.BytesIO()
    Image.new("L", size, 7).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    before = data.count(b"\xff\xda")
    return data[:end] + data[last:end] * (scans - before) + data[end:]


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
