"""What the explorer loads of a survey with a page's first data: all but the figures of a layer."""

from dataclasses import dataclass

import artifacts
from survey.contract import QUANTILES, Credit, Patches, SurveyIndex

FOLDER = "survey"
"""Of a survey's files, within the model's data."""
CLASSES = "_classes.json"
"""Names of the data set's classes, beside the first data: there may be thousands of them."""


@dataclass(frozen=True)
class PanelLayer:
    """A layer of the survey. Its figures and its patches are loaded when somebody asks for them."""

    figures: str
    """Path of its LayerSurvey, relative to the model's data."""
    page: str
    """Path of the page that ranks its channels, relative to the site."""
    patches: Patches | None
    """Its sheet lies in FOLDER."""


@dataclass(frozen=True)
class Panel:
    """What the explorer's panel needs of a SurveyIndex, where the words are explained."""

    photos: int
    """That count in the figures."""
    private: bool
    credit: Credit
    median: int
    """Position of the median in each of LayerSurvey.quantiles."""
    quantile_error: float
    classes: str
    """Path of the names of the classes, relative to the model's data; empty where there are none."""
    layers: dict[str, PanelLayer]
    """By name."""


def panel(survey: SurveyIndex | None, home: str) -> Panel | None:
    """Return what the explorer loads of `survey`; None where no data set was surveyed.

    `home` is the folder of the model's pages: see models.Model.
    """
    if survey is None or not survey.surveyed:
        return None
    return Panel(
        photos=survey.surveyed,
        private=survey.private,
        credit=survey.credit,
        median=QUANTILES.index(0.5),
        quantile_error=survey.quantile_error,
        classes=CLASSES if survey.classes else "",
        layers={
            one.layer: PanelLayer(
                figures=f"{FOLDER}/{one.figures}",
                page=f"{home}{FOLDER}/{one.figures.removesuffix('.json')}.html",
                patches=None if survey.private else one.patches,
            )
            for one in survey.layers
        },
    )


def class_names(survey: SurveyIndex) -> str:
    """Return the content of CLASSES."""
    return artifacts.encode([one.name for one in survey.classes]).decode("utf-8")
