"""Sites whose models have an invented survey each: what the explorer's panel is tested with."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from a_survey import write_survey
from PIL import Image

from site_template.pages import Site
from site_template.render import render
from survey.contract import Sheet


def build(
    manifests: Sequence[Path], tiles: Path, runtime: Path, out: Path, **of_surveys: object
) -> Path:
    """Render the site of these models, each with a survey that has more photos than patches."""
    surveys = out.with_name("surveys")
    for path in manifests:
        write_survey(surveys, path, **of_surveys)
    render(Site("Maps", "", "", ""), list(manifests), tiles, runtime, out, surveys=surveys)
    return out


def cells(content: bytes, sheet: Sheet) -> np.ndarray:
    """Return the patches of a sheet: number × side × side × 4 values from 0 to 255."""
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))
    side = sheet.side
    grid = picture.reshape(sheet.rows, side, sheet.columns, side, 4)
    return grid.swapaxes(1, 2).reshape(-1, side, side, 4)
