"""Surveys of photos that never were: only what a comparison reads of them."""

import dataclasses

import numpy as np
from tallied import sums_of

import artifacts
from survey import contract
from survey.contract import ClassSurvey, Credit, LayerReference, SurveyIndex
from survey.fixed import Sums
from survey.job import key_of
from survey.summary import Summary


def keys_of(count, first=0):
    return np.array(sorted(key_of(f"{n}.jpg") for n in range(first, first + count)), np.uint64)


def summary_of(layers, keys=None, fires=None):
    """A summary whose photos are all in the sample: (n, C) means by layer."""
    means = np.hstack(list(layers.values())).astype(np.float32)
    keys = keys_of(len(means)) if keys is None else keys
    layout = tuple((name, values.shape[1]) for name, values in layers.items())
    return dataclasses.replace(
        Summary.nothing(layout),
        photos=len(means),
        fires=(means > 0).sum(axis=0) if fires is None else np.asarray(fires),
        labels=np.array([-1]),
        label_photos=np.array([len(means)]),
        label_mean=Sums(sums_of(means).parts[:, None]),
        label_top=np.zeros((1, 2), np.int64),
        sample_key=keys,
        sample_mean=means,
    )


def index_of(summary, model, data_set="photos", classes=(), **changes):
    judged = sum(photos for _, photos, _ in classes)
    index = SurveyIndex(
        schema_version=contract.SCHEMA_VERSION,
        model=model,
        manifest_sha256=artifacts.fingerprint(model, 64),
        data_set=artifacts.fingerprint(data_set, 64),
        credit=Credit("Trees", "", "", ""),
        surveyed=summary.photos,
        unreadable=0,
        faults=(),
        private=False,
        labelled=judged,
        judged=judged,
        top1=sum(right for *_, right in classes) if judged else None,
        top5=judged if judged else None,
        classes=tuple(
            ClassSurvey(name, artifacts.slug(name), place, photos, right, photos, ())
            for place, (name, photos, right) in enumerate(classes)
        ),
        confusions=(),
        wrong=(),
        wrong_sheet=None,
        photos=(),
        layers=tuple(
            LayerReference(name, contract.layer_name(artifacts.slug(name)), None, 0, 0)
            for name, _ in summary.layout
        ),
        quantile_error=0.0625,
        producers={},
    )
    return dataclasses.replace(index, **changes)


def put(surveys, model, summary, **about):
    """Write what a comparison reads of a survey; return its folder."""
    folder = contract.survey_folder(surveys, model)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / contract.SUMMARY_NAME).write_bytes(summary.to_bytes())
    index = artifacts.encode(index_of(summary, model, **about))
    contract.index_path(folder).write_bytes(index)
    return folder
