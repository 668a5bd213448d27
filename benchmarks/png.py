"""PNG strategies for feature maps: size and time of each, against the one that is used."""

import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from benchmarks.common import network_input, seconds
from benchmarks.floor import tiles
from precompute.entry import open_model
from precompute.tiles import Pixels, png

STRATEGIES = {
    "default, level 6": (6, zlib.Z_DEFAULT_STRATEGY),
    "default, level 9": (9, zlib.Z_DEFAULT_STRATEGY),
    "filtered, level 6": (6, zlib.Z_FILTERED),
    "Huffman only": (1, zlib.Z_HUFFMAN_ONLY),
}


def png_report(manifest_path: Path, photos: list[Path]) -> Iterator[str]:
    """Yield bytes and time of each strategy as ratios to ours, on one photo's sheets."""
    model = open_model(manifest_path, "cpu")
    sheets = tiles(model, network_input(photos[0], model))
    ours = sum(len(png(pixels)) for pixels in sheets)
    our_time = seconds(lambda: [png(pixels) for pixels in sheets])
    yield f"PNG by run lengths (ours): {ours / 1e6:.3g} MB"
    for name, (level, strategy) in STRATEGIES.items():
        size = sum(len(encoded(pixels, level, strategy)) for pixels in sheets)
        time = seconds(
            lambda level=level, strategy=strategy: [
                encoded(pixels, level, strategy) for pixels in sheets
            ]
        )
        yield f"  {name}: {size / ours:.3f} of the bytes, {time / our_time:.2f} of the time"


def encoded(pixels: Pixels, level: int, strategy: int) -> bytes:
    """Return a grey picture as PNG with zlib's `level` and `strategy`."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=level, compress_type=strategy)
    return file.getvalue()
