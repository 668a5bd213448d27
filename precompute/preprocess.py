"""From a decoded picture to the network's input, bit for bit as torchvision's presets do it."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from export.manifest import Input
from precompute.index import Box

Number = TypeVar("Number", np.uint8, np.float32)

WIDEST_ASPECT = 8
"""Beyond this the picture is not resized as a whole before it is cropped, which could take
gigabytes: only the pixels that the crop keeps are resampled, within 1/255 of the long way."""

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


@dataclass(frozen=True)
class Geometry:
    """Where the crop lies in the picture. Lengths are pixels of the resized picture."""

    width: int
    height: int
    left: int
    top: int
    side: int

    def box(self, width: int, height: int) -> Box:
        """Return the crop in pixels of the original picture of `width` × `height`."""
        across, down = width / self.width, height / self.height
        return (
            self.left * across,
            self.top * down,
            (self.left + self.side) * across,
            (self.top + self.side) * down,
        )


def geometry(width: int, height: int, spec: Input) -> Geometry:
    """Return where torchvision's Resize and CenterCrop put the crop of a `width` × `height` picture."""
    if width <= height:
        resized = (spec.resize, int(spec.resize * height / width))
    else:
        resized = (int(spec.resize * width / height), spec.resize)
    left, top = (round((length - spec.crop) / 2) for length in resized)
    return Geometry(*resized, left, top, spec.crop)


def crop(picture: Image.Image, spec: Input) -> NDArray[np.uint8]:
    """Return the pixels that the network sees of an RGB picture: (crop, crop, 3)."""
    place = geometry(*picture.size, spec)
    filter_ = FILTERS[spec.interpolation]
    if max(picture.size) > WIDEST_ASPECT * min(picture.size):
        box = place.box(*picture.size)
        return np.asarray(picture.resize((spec.crop, spec.crop), filter_, box=box))
    resized = picture.resize((place.width, place.height), filter_)
    right, bottom = place.left + spec.crop, place.top + spec.crop
    return np.asarray(resized.crop((place.left, place.top, right, bottom)))


def normalise(pixels: NDArray[np.uint8], spec: Input) -> NDArray[np.float32]:
    """Return (rows, columns, 3) pixels as the network's input: (1, 3, rows, columns)."""
    # Eight bits are put in the network's order in a fraction of the time that floats take.
    values = channels_first(pixels).astype(np.float32)
    values /= np.float32(255)
    mean, std = (np.array(one, np.float32)[:, None, None] for one in (spec.mean, spec.std))
    values -= mean
    values /= std
    return values


def standardise(values: NDArray[np.float32], spec: Input) -> NDArray[np.float32]:
    """Return (rows, columns, 3) values, meant to lie between 0 and 1, as normalise() does."""
    mean, std = np.array(spec.mean, np.float32), np.array(spec.std, np.float32)
    scaled: NDArray[np.float32] = (values - mean) / std
    return channels_first(scaled)


def channels_first(values: NDArray[Number]) -> NDArray[Number]:
    """Return (rows, columns, 3) values in the network's order: (1, 3, rows, columns)."""
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])
