"""Draw the three test charts that stand beside the photos.

A chart has a known answer, so it shows plainly what a channel responds to:

* ``zone-plate.png``: rings that grow finer outwards: every orientation and a range of frequencies;
* ``colour-wheel.png``: every hue around, saturation outwards, inside a ring from black to white;
* ``gratings.png``: eight orientations across, eight spatial frequencies down.

Each is ``SIDE`` pixels square on mid grey. A classifier resizes it to 256 pixels and keeps the
middle 224, so that the drawing stays inside ``VISIBLE`` and its finest detail inside the Nyquist
limit of the resized picture. Run ``python examples/draw_charts.py`` to write them anew.
"""

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 512
RESIZED = 256
VISIBLE = SIDE * 224 // RESIZED
NYQUIST = 0.5 * RESIZED / SIDE  # in cycles per pixel of the chart
FINEST = 0.9 * NYQUIST

Array = np.ndarray


def plane() -> tuple[Array, Array]:
    """Return the coordinates x (rightwards) and y (upwards) of every pixel, 0 at the centre."""
    axis = np.arange(SIDE) - (SIDE - 1) / 2
    x, y = np.meshgrid(axis, -axis)
    return x, y


def inside(distance: Array, edge: float, softness: float = 1.0) -> Array:
    """Return 1 where ``distance`` is below ``edge``, 0 beyond, with a smooth step between."""
    step = np.clip((edge - distance) / softness + 0.5, 0, 1)
    return step * step * (3 - 2 * step)


def over(drawing: Array, coverage: Array, ground: Array | float = 0.5) -> Array:
    """Lay ``drawing`` on ``ground``, in the proportion ``coverage``."""
    return ground + coverage * (drawing - ground)


def zone_plate() -> Array:
    """Rings whose local frequency grows in proportion to the radius, up to ``FINEST``."""
    radius = np.hypot(*plane())
    rim = VISIBLE / 2 - 8
    rings = 0.5 + 0.5 * np.cos(np.pi * FINEST * radius**2 / rim)
    return over(rings, inside(radius, rim - 8, softness=16))


def colour_wheel() -> Array:
    """Pure hues at the rim that fade to grey at the centre, red at the right, anticlockwise.

    The ring around them is white at the top and black at the bottom.
    """
    x, y = plane()
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    rim = VISIBLE / 2 - 8
    disc = rim - 40

    sixths = angle[..., None] * 3 / np.pi + np.array([0, 4, 2])
    hue = np.clip(np.abs(sixths % 6 - 3) - 1, 0, 1)
    saturation = np.clip(radius / disc, 0, 1)[..., None]
    lightness = 0.5 + 0.5 * np.sin(angle)

    chart = over(lightness, inside(radius, rim) * inside(-radius, -(disc + 12)))[..., None]
    return over(over(hue, saturation), inside(radius, disc)[..., None], chart)


def gratings(count: int = 8) -> Array:
    """A square table of Gabor patches: ``count`` orientations across, ``count`` frequencies down.

    The stripes of the first column stand upright and turn anticlockwise from column to column;
    those of the first row are the widest.
    """
    cell = VISIBLE / count
    x, y = plane()
    column, row = np.floor(x / cell), np.floor(-y / cell)
    dx, dy = x - (column + 0.5) * cell, y + (row + 0.5) * cell
    column, row = column + count / 2, row + count / 2

    angle = np.pi * column / count
    frequency = FINEST * 2 ** (-(count - 1 - row) / 3)
    waves = np.cos(2 * np.pi * frequency * (dx * np.cos(angle) + dy * np.sin(angle)))
    window = np.exp(-0.5 * (dx**2 + dy**2) / (cell / 6) ** 2)
    return over(0.5 + 0.5 * waves, window * inside(np.maximum(np.abs(x), np.abs(y)), VISIBLE / 2))


def save(chart: Array, path: Path) -> None:
    """Write values from 0 to 1 as an 8-bit PNG, grey or colour by their shape."""
    Image.fromarray(np.round(255 * chart).astype(np.uint8)).save(path, optimize=True)


def main() -> None:
    """Write the three charts beside this script."""
    here = Path(__file__).parent
    save(zone_plate(), here / "zone-plate.png")
    save(colour_wheel(), here / "colour-wheel.png")
    save(gratings(), here / "gratings.png")


if __name__ == "__main__":
    main()
