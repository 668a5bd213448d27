"""Patches: what the largest activations saw of a photo, cut from what the network was given."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from export.manifest import Layer, ModelManifest, read_manifest
from precompute.decode import decode
from precompute.errors import PhotoError
from precompute.preprocess import crop
from survey.dataset import content
from survey.job import Item, Job

Pixels = NDArray[np.uint8]
Window = tuple[int, int, int, int]
"""Top, left, height and width in the network's input, pixels; it can begin and end outside."""


def windows(layer: Layer, places: NDArray[np.integer], side: int) -> NDArray[np.int64]:
    """Return the receptive fields of (n,) places in a layer, row · width + column, in an input of
    `side` × `side` pixels: (n, 4). Where a field is larger than the picture, or not known, it is
    the picture.
    """
    whole = np.tile(np.array([0, 0, side, side]), (len(places), 1))
    field = layer.receptive_field
    if field is None or max(field.size) > side:
        return whole
    whole[:, 0] = field.offset[0] + places // layer.width * field.stride[0]
    whole[:, 1] = field.offset[1] + places % layer.width * field.stride[1]
    whole[:, 2:] = field.size
    return whole


def patch(pixels: Pixels, window: Window, side: int) -> Pixels:
    """Return what a window shows of (rows, columns, 3) pixels, centred in (side, side, 4).

    A window of less than half the side is enlarged by a whole factor, so that its pixels stay
    squares; any other one is resampled to the side. What lies outside the picture is transparent.
    """
    top, left, height, width = window
    centred = np.zeros((side, side, 4), np.uint8)
    rows, columns = pixels.shape[:2]
    above, below = max(top, 0), min(top + height, rows)
    before, after = max(left, 0), min(left + width, columns)
    if above >= below or before >= after:
        return centred
    longest = max(height, width)
    factor = side // longest
    scale = factor if factor > 1 else side / longest
    y, x = (side - round(height * scale)) // 2, (side - round(width * scale)) // 2
    y0 = min(y + round((above - top) * scale), side - 1)
    x0 = min(x + round((before - left) * scale), side - 1)
    y1 = max(y + round((below - top) * scale), y0 + 1)
    x1 = max(x + round((after - left) * scale), x0 + 1)
    seen = Image.fromarray(pixels[above:below, before:after])
    filter_ = Image.Resampling.NEAREST if factor > 1 else Image.Resampling.LANCZOS
    centred[y0:y1, x0:x1, :3] = np.asarray(seen.resize((x1 - x0, y1 - y0), filter_))
    centred[y0:y1, x0:x1, 3] = 255
    return centred


@dataclass(frozen=True)
class Cuts:
    """Windows to be cut from photos."""

    first: int
    """Place of the first patch among those of all photos."""
    photos: tuple[tuple[Item, tuple[Window, ...]], ...]
    side: int
    """Of a patch, pixels."""

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.photos)


@dataclass(frozen=True)
class Patched:
    """The patches of some photos; those of a photo that cannot be used are transparent."""

    pixels: Pixels
    """(n, side, side, 4)."""
    faults: dict[str, str]
    """Why photos cannot be used, by name."""


def cut_photos(job: Job, cuts: Cuts) -> Patched:
    """Return the patches of some photos, each of which is read once."""
    count = sum(len(some) for _, some in cuts.photos)
    pixels = np.zeros((count, cuts.side, cuts.side, 4), np.uint8)
    faults = {}
    done = 0
    for item, wanted in cuts.photos:
        try:
            seen = crop(
                decode(content(item, job.limits), job.limits), _manifest(job.manifest).input
            )
            for place, window in enumerate(wanted, done):
                pixels[place] = patch(seen, window, cuts.side)
        except PhotoError as error:
            faults[item.name] = str(error)
        done += len(wanted)
    return Patched(pixels, faults)


@lru_cache(maxsize=1)
def _manifest(path: Path) -> ModelManifest:
    return read_manifest(path)
