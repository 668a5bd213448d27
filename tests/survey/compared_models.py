"""The three small models of tests/site/several.py, surveyed on photos that never were."""

from dataclasses import replace
from functools import partial

import numpy as np
from a_survey import Kind, write_survey
from several import MAIN, NAMES, OTHER, TWIN, Made
from two_surveys import summary_of

import artifacts
from export.manifest import read_manifest
from survey.contract import SUMMARY_NAME, Credit, SurveyIndex
from survey.diff.build import compare
from survey.diff.contract import difference_folder

PHOTOS = 40
CLASSES = (Kind("ash <&>", 0), Kind("birch", 1))


def means_of(seed, channels):
    return np.abs(np.random.default_rng(seed).normal(size=(PHOTOS, channels))).astype(np.float32)


def answered(index: SurveyIndex, right: tuple[int, int]) -> SurveyIndex:
    """Let so many photos of each class be answered rightly."""
    classes = tuple(
        replace(one, top1=count, top5=one.photos)
        for one, count in zip(index.classes, right, strict=True)
    )
    return replace(index, classes=classes, top1=sum(right), top5=index.judged)


def survey_all(made: Made, surveys):
    """Write surveys and both comparisons with MAIN: TWIN has its conv, OTHER has other channels."""
    conv = means_of(0, 4)
    relu = means_of(1, 4)
    changed = relu.copy()
    changed[:, 2] = 3 - changed[:, 2]
    changed[:, 1] = 0
    layers = {
        MAIN: {"conv": conv, "relu": relu},
        TWIN: {"conv": conv, "relu": changed},
        OTHER: {"conv": means_of(3, 6), "relu": np.hstack([relu, relu[:, :2]])},
    }
    right = {MAIN: (18, 10), TWIN: (18, 15), OTHER: (18, 10)}
    for path in made.manifests:
        model = read_manifest(path).model
        folder = write_survey(
            surveys,
            path,
            photos=PHOTOS,
            classes=CLASSES,
            credit=Credit("Trees <b>", "", "", ""),
            change=partial(answered, right=right[model]),
        )
        artifacts.write(folder / SUMMARY_NAME, summary_of(layers[model]).to_bytes())
    for other in NAMES[1:]:
        compare(surveys / MAIN, surveys / other, difference_folder(surveys, MAIN, other))
