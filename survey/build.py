"""The survey, from beginning to end: list, compute what is missing, merge, and write the index last."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import artifacts
import store
import turns
from precompute.limits import DEFAULT, Limits
from precompute.plan import code as precompute_code
from precompute.plan import read_source
from precompute.session import choose_provider
from precompute.trial import try_model
from survey import contract
from survey.dataset import DataSet, read_data_set, shards
from survey.engines import Engine
from survey.errors import SurveyError
from survey.gather import Finished, Progress, each_of, gather, photo_key, rounded
from survey.job import Job
from survey.layers import layout_of
from survey.producers import producers
from survey.result import result_files
from survey.sheets import draw
from survey.summary import Summary

SAMPLE = 1024
"""Photos that two models are compared on, where there are so many."""
"""At least, and fewer than twice as many: whether a photo is one of them shall depend on the
number of photos as little as possible."""
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
    """Photos that there are; 0 where nothing had changed since the last run."""
    remarks: list[str]


def survey(
    settings: Settings,
    engine: Engine,
    progress: Progress,
    say: Callable[[str], None] = lambda line: None,
) -> Done:
    """Bring the survey of one model up to date with the photos.

    Raises SurveyError, PrecomputeError or artifacts.ArtifactError. The survey in `settings.surveys`
    is then as it was before, or new and whole; what was finished is kept for the next run. `say` is
    told who reads the old survey while the new one waits to take its place.
    """
    source = read_source(settings.manifest)
    manifest, layout = source.manifest, layout_of(source.manifest)
    data = read_data_set(settings.photos, settings.classes, manifest)
    choice = choose_provider(settings.provider, partial(try_model, source.path))
    remarks = [*data.remarks, *([choice.remark] if choice.remark else [])]
    sample = min(_KEYS - 1, _KEYS * SAMPLE // rounded(len(data.items)))
    key = store.key_of(
        (source.sha256, choice.name, producers(), code()),
        (data.classes, data.categories, sample, settings.limits),
    )
    folder = contract.survey_folder(settings.surveys, manifest.model)
    finished = Finished(settings.surveys / contract.SHARDS / folder.name, key)
    computed_from = _fingerprint(key, data)
    shown_from = store.key_of(computed_from, _credits(data), _chosen(settings))
    computed, shown = (
        settings.surveys / store.RECORDS / f"{folder.name}{end}.json" for end in (".summary", "")
    )
    if store.is_current(folder, shown, shown_from):
        shutil.rmtree(finished.folder, ignore_errors=True)
        return Done(contract.read_survey(folder), folder, 0, remarks)

    job = Job(source.path.resolve(), choice.name, settings.limits, data.categories, sample)
    summary, lost = _computed_before(folder, computed, computed_from), dict[str, str]()
    if summary is None:
        try_model(source.path, choice.name)  # what is wrong with the model is no photo's fault
        parts = shards(data.items, each_of(len(data.items)))
        summary, lost = gather(engine, job, layout, parts, finished, progress)
        summary = summary.merge(Summary.unusable(layout, data.faults))
    scratch = artifacts.partial(settings.surveys / f"{folder.name}.patches")
    scratch.unlink(missing_ok=True)  # what a killed run left
    sheets = None
    if not settings.private and summary.photos:
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
    with turns.held(write=settings.surveys, say=say):
        digests: dict[str, str] = {}
        with store.replacing(folder) as fresh:
            for name, content in result_files(summary, manifest, source.sha256, data, sheets):
                digests |= store.add_files(fresh, {name: content})
        if not lost:  # else the next run tries them again, and finds the others done
            store.write_record(
                computed, computed_from, {contract.SUMMARY_NAME: digests[contract.SUMMARY_NAME]}
            )
            store.write_record(shown, shown_from, digests)
            shutil.rmtree(finished.folder, ignore_errors=True)
    return Done(contract.read_survey(folder), folder, len(data.items), remarks)


def _computed_before(folder: Path, record: Path, key: str) -> Summary | None:
    """Return the summary of an earlier run over the same photos with the same model."""
    try:
        found = store.read_record(record)
        data = (folder / contract.SUMMARY_NAME).read_bytes()
        if found != store.Record(key, {contract.SUMMARY_NAME: hashlib.sha256(data).hexdigest()}):
            return None
        return Summary.from_bytes(data)
    except (artifacts.ArtifactError, SurveyError, OSError):
        return None


def _fingerprint(key: str, data: DataSet) -> str:
    """Return a fingerprint of everything that a summary depends on."""
    digest = hashlib.sha256(key.encode())
    for item in data.items:
        digest.update(photo_key(item))
    for name, why in sorted(data.faults.items()):
        digest.update(artifacts.encode((artifacts.escaped(name), artifacts.escaped(why))))
    return digest.hexdigest()


def _credits(data: DataSet) -> list[object]:
    """Return whose the photos are."""
    named = sorted((artifacts.escaped(name), whose) for name, whose in data.credits.items())
    return [data.credit, named]


def _chosen(settings: Settings) -> list[object]:
    return [settings.private, settings.patches, settings.max_patches]


@cache
def code() -> str:
    """Return a fingerprint of the code that decides what a survey holds."""
    return store.key_of(precompute_code(), store.source_key(Path(__file__).parent))
