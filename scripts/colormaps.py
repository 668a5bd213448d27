"""Write site_template/static/colormaps.js from matplotlib's tables: python scripts/colormaps.py.

Run in the export environment after `make test` or `make bench` has put matplotlib there.
"""

from pathlib import Path

import matplotlib
import numpy as np

TARGET = Path(__file__).parent.parent / "site_template" / "static" / "colormaps.js"
# Colours for what lies beyond the scale: unlike any colour of the table itself.
SEQUENTIAL = {"viridis": "#ffffff", "cividis": "#ffffff", "magma": "#3ff0e0", "gray": "#ff4b3e"}
DIVERGING = {
    "RdBu_r": ("#00b894", "#ffa600"),
    "PuOr_r": ("#00b894", "#e0218a"),
    "berlin": ("#ffffff", "#ffe600"),
}


def module() -> str:
    """Return the JavaScript module: for each map 256 colours as hexadecimal digits, and the ends."""
    lines = [
        "// Colour tables of matplotlib 3.11 (viridis, cividis and magma are CC0; RdBu and PuOr are",
        "// ColorBrewer's, Apache-2.0; berlin is Fabio Crameri's, MIT). Made by scripts/colormaps.py.",
        "",
    ]
    for kind, maps in (("sequential", SEQUENTIAL), ("diverging", DIVERGING)):
        lines.append(f"export const {kind} = {{")
        for name, ends in maps.items():
            under, over = ends if isinstance(ends, tuple) else (ends, ends)
            lines.append(
                f'  {name}: {{ under: "{under}", over: "{over}", table: "{table(name)}" }},'
            )
        lines += ["};", ""]
    return "\n".join(lines)


def table(name: str) -> str:
    """Return 256 colours as 6 hexadecimal digits each."""
    colours = matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3]
    return colours.astype(np.uint8).tobytes().hex()


if __name__ == "__main__":
    TARGET.write_text(module(), encoding="utf-8")
