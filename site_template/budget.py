"""How many bytes a site will have, of which models and layers, before anything of it is written."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from export.manifest import ModelManifest
from precompute.index import GalleryIndex
from sizes import readable

LARGEST = 3
"""Layers that are named where a site is too large."""
_ENDINGS = (".summary.png", ".pca.png", ".png", ".json")
"""What is added to a layer's slug to name its files."""


@dataclass(frozen=True)
class Share:
    """What one model brings into the site."""

    model: str
    photos: int
    bytes: int
    survey: int
    """Bytes of them that its survey takes."""
    layers: tuple[tuple[str, int], ...]
    """Name and bytes of each layer shown, largest first."""


def share(
    manifest: ModelManifest, index: GalleryIndex, tiles: Path, copy: int, survey: int
) -> Share:
    """Return what a model's `tiles`, its `copy` for browsers and its `survey` (bytes) bring into the
    site.
    """
    sizes: Counter[str] = Counter()
    for name in [image.id for image in index.images] + list(index.parts):
        for path, size in _files(tiles / name):
            sizes[_slug_of(path)] += size
    layers = [(layer.name, sizes[layer.slug]) for layer in manifest.feature_maps]
    return Share(
        manifest.model,
        len(index.images),
        sizes.total() + copy + survey,
        survey,
        tuple(sorted(layers, key=lambda layer: -layer[1])),
    )


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below `folder`."""
    return sum(size for _, size in _files(folder))


def explain(shares: Sequence[Share], total: int, limit: int) -> str:
    """Return why a site of `total` bytes is refused, and what would make it smaller."""
    lines = [f"the site would have {readable(total)}, more than {readable(limit)}:"]
    for one in shares:
        largest = ", ".join(f"{name} {readable(size)}" for name, size in one.layers[:LARGEST])
        photos = f"{one.photos} photo{'s' * (one.photos != 1)}"
        survey = f"; of it the survey {readable(one.survey)}" if one.survey else ""
        lines.append(
            f"  {one.model}: {readable(one.bytes)} with {photos}; most for {largest}{survey}"
        )
    if any(one.survey for one in shares):
        lines.append("a survey without patches is small: make survey NO_PATCHES=1; or remove it")
    lines.append(
        "show fewer layers with LAYERS=…, fewer photos with IMAGES=…, or a model less with MODEL=…; "
        "where the site may be larger, give MAX_SITE_SIZE=2GB or none"
    )
    return "\n".join(lines)


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the path of every file, relative to `folder`, and its bytes."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            yield path.relative_to(folder).as_posix(), path.lstat().st_size


def _slug_of(path: str) -> str:
    """Return the slug of the layer that a file is about, if it is about one."""
    first, _, inside = path.partition("/")
    ending = "" if inside else next((end for end in _ENDINGS if first.endswith(end)), "")
    return first.removesuffix(ending)
