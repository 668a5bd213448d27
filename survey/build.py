"""The survey, from beginning to end: list, compute what is missing, merge, and write the index last."""

import shutil
from dataclasses import dataclass, fields
from functools import cache, partial
from pathlib import Path

import artifacts
import store
from precompute.limits import DEFAULT, Limits
from precompute.plan import code as precompute_code
from precompute.plan import producers, read_source
from precompute.session import choose_provider
from precompute.trial import try_model
from survey import contract
from survey.dataset import DataSet, read_data_set, shards
from survey.engines import Engine
from survey.figures import layout_of
from survey.gather import Finished, Progress, each_of, gather
from survey.job import Job
from survey.result import result_files
from survey.sheets import draw
from survey.summary import Summary

SAMPLE = 1024
"""Photos that two models are compared on, where there are so many."""
_SHARDS = "_shards"
_KEYS = 2**64


@dataclass(frozen=True)
class Settings:
    """What a person can choose."""

    manifest: Path
    photos: Path
    classes: Path | None
    """A CSV file that tells the photos' classes."""
    surveys: Path
    provider: str
    private: bool
    """Whether names and patches of photos are kept back."""
    patches: int
    """Patches of each channel."""
    max_patches: int | None
    """Bytes of all patches of the model; None where any size will do."""
    limits: Limits = DEFAULT


@dataclass(frozen=True)
class Done:
    """What a survey did."""

    index: contract.SurveyIndex
    folder: Path
    photos: int
    """Photos that were computed; 0 where nothing had changed."""
    remarks: list[str]


def survey(settings: Settings, engine: Engine, progress: Progress) -> Done:
    """Bring the survey of one model up to date with the photos.

    Raises SurveyError, PrecomputeError or artifacts.ArtifactError. The survey in `settings.surveys`
    is then as it was before, or new and whole; what was finished is kept for the next run.
    """
    source = read_source(settings.manifest)
    manifest, layout = source.manifest, layout_of(source.manifest)
    data = read_data_set(settings.photos, settings.classes, manifest)
    choice = choose_provider(settings.provider, partial(try_model, source.path))
    remarks = [*data.remarks, *([choice.remark] if choice.remark else [])]
    sample = min(_KEYS - 1, _KEYS * SAMPLE // max(len(data.items), 1))
    key = store.key_of(
        (source.sha256, choice.name, producers(), code()),
        (data.classes, data.categories, sample, settings.limits),
    )
    folder = contract.survey_folder(settings.surveys, manifest.model)
    record = settings.surveys / store.RECORDS / f"{folder.name}.json"
    made_from = store.key_of(key, _told(data), _chosen(settings))
    if store.is_current(folder, record, made_from):
        return Done(contract.read_survey(folder), folder, 0, remarks)

    try_model(source.path, choice.name)  # what is wrong with the model is no photo's fault
    job = Job(source.path.resolve(), choice.name, settings.limits, data.categories, sample)
    finished = Finished(settings.surveys / _SHARDS / folder.name, key)
    parts = shards(data.items, each_of(len(data.items)))
    summary = gather(engine, job, layout, parts, finished, progress)
    summary = summary.merge(Summary.unusable(layout, data.faults))
    sheets = None
    if not settings.private and summary.photos:
        scratch = artifacts.partial(settings.surveys / f"{folder.name}.patches")
        scratch.unlink(missing_ok=True)  # what a killed run left
        sheets = draw(
            summary,
            job,
            data.items,
            engine,
            scratch,
            progress,
            settings.patches,
            settings.max_patches,
        )
        remarks += sheets.remarks
    digests: dict[str, str] = {}
    with store.replacing(folder) as fresh:
        for name, content in result_files(summary, manifest, source.sha256, data, sheets):
            digests |= store.add_files(fresh, {name: content})
    store.write_record(record, made_from, digests)
    shutil.rmtree(finished.folder)
    return Done(contract.read_survey(folder), folder, len(data.items), remarks)


def _told(data: DataSet) -> list[object]:
    """Return everything that is known of the photos before they are read."""
    return [
        [[getattr(item, field.name) for field in fields(item)] for item in data.items],
        data.faults,
        data.credit,
        sorted(data.credits.items()),
    ]


def _chosen(settings: Settings) -> list[object]:
    return [settings.private, settings.patches, settings.max_patches]


@cache
def code() -> str:
    """Return a fingerprint of the code that decides what a survey holds."""
    return store.key_of(precompute_code(), store.source_key(Path(__file__).parent))
