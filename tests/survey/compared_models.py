"""The three small models of tests/site/several.py, surveyed on photos that never were."""

import numpy as np
from several import MAIN, NAMES, OTHER, TWIN, Made
from two_surveys import put, summary_of

import artifacts
from export.manifest import read_manifest
from survey.contract import Credit
from survey.diff.build import compare
from survey.diff.contract import difference_folder

PHOTOS = 40
CLASSES = [("ash <&>", 20, 18), ("birch", 20, 10)]


def means_of(seed, channels):
    return np.abs(np.random.default_rng(seed).normal(size=(PHOTOS, channels))).astype(np.float32)


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
    right = {MAIN: 10, TWIN: 15, OTHER: 10}
    for path in made.manifests:
        model = read_manifest(path).model
        put(
            surveys,
            model,
            summary_of(layers[model]),
            classes=[CLASSES[0], ("birch", 20, right[model])],
            manifest_sha256=artifacts.sha256(path),
            credit=Credit("Trees <b>", "", "", ""),
        )
    for other in NAMES[1:]:
        compare(surveys / MAIN, surveys / other, difference_folder(surveys, MAIN, other))
