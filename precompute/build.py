"""The precomputation, from beginning to end: gather, compute what changed, write the index last."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import artifacts
import filesystem
import store
from export.manifest import Layer, ModelManifest
from precompute import index, lessons
from precompute.entry import Model, open_model
from precompute.errors import PhotoError, PrecomputeError
from precompute.figures import named
from precompute.limits import DEFAULT, Limits
from precompute.mistakes import candidates, mistake_files
from precompute.origins import chain_of, model_files
from precompute.photos import Photo, find_photos
from precompute.plan import (
    Plan,
    Source,
    code,
    digests_of,
    for_each,
    make_plan,
    producers,
    read_source,
    record_path,
)
from precompute.shared import share_layer
from precompute.size import check_size, told
from precompute.stem import stem_files, stem_of
from precompute.task import Task, files_of
from precompute.tours import tour_files
from precompute.workers import LostTaskError, affordable, parallel

Progress = Callable[[str, int], Callable[[], None]]
"""Called with what is done and how many there are; returns what to call after each."""


@dataclass(frozen=True)
class Settings:
    """What a person can choose."""

    manifests: tuple[Path, ...]
    """Of the models, the main one first."""
    photos: Path
    tiles: Path
    provider: str
    workers: int
    allow_skips: bool
    limits: Limits = DEFAULT
    max_site_size: int | None = 10**9
    """Bytes; None where any size will do."""


@dataclass(frozen=True)
class Built:
    """What a build did with one model."""

    index: index.GalleryIndex
    computed: int
    """How many photos were computed; the others had not changed."""
    remarks: list[str]


@dataclass(frozen=True)
class Done:
    """What a build did."""

    remarks: list[str]
    """On the photos."""
    models: list[Built]
    """In the order in which they were given."""


@dataclass(frozen=True)
class Part:
    """A folder that belongs to no single photo."""

    name: str
    key: str
    """Fingerprint of everything that its content depends on."""
    files: Callable[[], Iterator[tuple[str, bytes]]]
    """Yields path in the folder and content of each file; called only when the key is new."""


@dataclass(frozen=True)
class Outcome:
    """What came of computing the photos for one model."""

    plan: Plan
    used: list[Photo]
    skipped: list[index.Skipped]
    """Sorted by file."""
    computed: int
    progress: Progress


class SkippedPhotosError(PrecomputeError):
    """Some photos cannot be used; everything else has been computed and is kept."""


def precompute(
    settings: Settings, progress: Progress, say: Callable[[str], None] = lambda line: None
) -> Done:
    """Bring the tiles of all models up to date with the photos; `say` is told how much it will be.

    Raises PrecomputeError or artifacts.ArtifactError. A model's index is then as it was before, or
    new and true of everything that it names.
    """
    sources = for_each(read_source, settings.manifests)
    _check_names(sources)
    categories = [name for source in sources for name in source.manifest.categories]
    found = find_photos(settings.photos, list(dict.fromkeys(categories)))
    digests, unreadable = digests_of(found.photos, settings.limits)
    planned = partial(
        make_plan,
        tiles=settings.tiles,
        photos=found.photos,
        digests=digests,
        wanted=settings.provider,
        limits=settings.limits,
    )
    plans = for_each(planned, sources)
    estimates = [plan.estimate for plan in plans]
    check_size(estimates, settings.max_site_size)
    for line in told(estimates):
        say(line)

    outcomes = [_compute(plan, found.skipped, unreadable, settings, progress) for plan in plans]
    skipped = any(outcome.skipped for outcome in outcomes)
    if skipped and not (settings.allow_skips and all(outcome.used for outcome in outcomes)):
        raise SkippedPhotosError(_skip_report(outcomes, len(found.photos) + len(found.skipped)))
    built = [_finish(outcome, digests, settings) for outcome in outcomes]
    return Done(found.remarks, built)


def _check_names(sources: Sequence[Source]) -> None:
    of: dict[str, list[str]] = {}
    for source in sources:
        of.setdefault(source.manifest.model.casefold(), []).append(str(source.path))
    faults = [f"{' and '.join(paths)} have the name '{n}'" for n, paths in of.items() if paths[1:]]
    if faults:
        raise PrecomputeError(f"{'; '.join(faults)}: give each model a name of its own")


def _finish(outcome: Outcome, digests: dict[str, str], settings: Settings) -> Built:
    """Bring up to date what belongs to no single photo, and write the index."""
    plan, used, progress = outcome.plan, outcome.used, outcome.progress
    manifest, folder, remarks = plan.source.manifest, plan.folder, list(plan.remarks)
    layers = _share(manifest, used, folder, settings.workers, progress)
    images = tuple(
        index.ImageReference(photo.id, store.content_key(record_path(folder, photo.id)))
        for photo in used
    )
    rest, charts = _apart(used)
    parts = [
        Part(
            index.MODEL,
            store.key_of(plan.source.sha256, code()),
            partial(model_files, plan.source.path),
        ),
        _mistakes(plan, used, digests, settings, progress),
        Part(
            lessons.TOURS,
            store.key_of(plan.source.sha256, images, code()),
            partial(tour_files, plan.source.path, folder, rest, charts),
        ),
    ]
    if stem_of(manifest):
        key = store.key_of(plan.source.sha256, code())
        parts.append(Part(lessons.STEM, key, partial(stem_files, plan.source.path)))
    else:
        remarks.append(
            "the first convolution does not read red, green and blue: no page on its filters"
        )
    for part in parts:
        _bring_up_to_date(folder, part)
    if left_out := lessons.read_tours(folder).left_out:
        remarks.append(f"the tours leave out what is not here: {'; '.join(left_out)}")
    whole = {index.SHARED, *(part.name for part in parts)}
    gallery = index.GalleryIndex(
        schema_version=index.SCHEMA_VERSION,
        model=manifest.model,
        manifest_sha256=plan.source.sha256,
        provider=plan.provider,
        producers=producers(),
        images=images,
        parts={name: store.content_key(record_path(folder, name)) for name in whole},
        layers=layers,
        origins=tuple(one.name for one in manifest.feature_maps if chain_of(one, manifest)),
        skipped=tuple(outcome.skipped),
    )
    if gallery != _earlier_index(folder):
        filesystem.flush(folder)  # an index shall not outlive a power cut that its files do not
    artifacts.write(index.index_path(folder), artifacts.encode(gallery))
    kept = {photo.id for photo in used} | whole
    store.remove_others(folder, {*kept, store.RECORDS, "index.json"})
    store.remove_others(folder / store.RECORDS, {record_path(folder, name).name for name in kept})
    return Built(gallery, outcome.computed, remarks)


def _mistakes(
    plan: Plan,
    photos: list[Photo],
    digests: dict[str, str],
    settings: Settings,
    progress: Progress,
) -> Part:
    """Return the part on mistakes, which depends on the pixels of the few photos that it tries."""
    source, provider = plan.source, plan.provider
    by_id = {photo.id: photo for photo in photos}
    chosen = candidates(index.read_entry(plan.folder, photo.id) for photo in photos)
    paths = {image: by_id[image].path for image in chosen}
    pixels = [(image, digests[image]) for image in chosen]
    return Part(
        lessons.MISTAKES,
        store.key_of(pixels, source.sha256, provider, producers(), code()),
        partial(mistake_files, source.path, provider, paths, settings.limits, progress),
    )


def _bring_up_to_date(folder: Path, part: Part) -> None:
    """Write the folder of `part` anew if what it was made from has changed."""
    target, record = folder / part.name, record_path(folder, part.name)
    if store.is_current(target, record, part.key):
        return
    digests: dict[str, str] = {}
    with store.replacing(target) as fresh:
        for name, data in part.files():
            digests |= store.add_files(fresh, {name: data})
    store.write_record(record, part.key, digests)


def _compute(
    plan: Plan,
    unusable: Sequence[index.Skipped],
    unreadable: dict[str, str],
    settings: Settings,
    progress: Progress,
) -> Outcome:
    """Compute the folders of the photos that are to be computed.

    `unusable` are files that are no photos; `unreadable` has ids of photos and why.
    """
    limits, folder = settings.limits, plan.folder
    if len(settings.manifests) > 1:
        progress = partial(_of_model, progress, plan.source.manifest.model)
    faults = dict(unreadable)

    def lost(error: LostTaskError) -> str:
        if error.late:
            return str(limits.exceeded("seconds", str(error)))
        return f"{error}, which damaged pictures can cause, or want of memory"

    model = plan.source.path.with_name(plan.source.manifest.onnx.name)
    workers = affordable(settings.workers, model.stat().st_size)
    if plan.stale and workers < settings.workers:
        plan.remarks.append(
            f"photos are computed {workers} at a time instead of {settings.workers}: each needs "
            "a copy of the model, and more would take over half of the memory"
        )
    work = partial(_compute_one, folder=folder, limits=limits)
    start = (plan.source.path, plan.provider)
    done = progress("photos", len(plan.stale)) if plan.stale else None
    try:
        with closing(
            parallel(work, plan.stale, workers, _start, start, limits.seconds, lost)
        ) as computed:
            for task, fault in computed:
                if fault is not None:
                    faults[task.photo.id] = fault
                assert done
                done()
    finally:
        store.remove_partial(folder)  # of photos whose processes were ended
        store.remove_partial(folder / store.RECORDS)
    skipped = [
        index.Skipped(artifacts.escaped(photo.name), faults[photo.id])
        for photo in plan.photos
        if photo.id in faults
    ]
    skipped = sorted([*unusable, *skipped], key=lambda skip: skip.file)
    used = [photo for photo in plan.photos if photo.id not in faults]
    computed_ones = sum(task.photo.id not in faults for task in plan.stale)
    return Outcome(plan, used, skipped, computed_ones, progress)


def _of_model(progress: Progress, model: str, what: str, total: int) -> Callable[[], None]:
    return progress(f"{model}: {what}", total)


_model: Model | None = None
"""This process's own copy of the model."""


def _start(manifest_path: Path, provider: str) -> None:
    global _model
    _model = open_model(manifest_path, provider)


def _compute_one(task: Task, folder: Path, limits: Limits) -> str | None:
    """Write one photo's folder; return why it cannot be used, or None."""
    assert _model is not None
    try:
        files = files_of(task, _model, limits)
    except PhotoError as error:
        return str(error)
    digests = store.replace_folder(folder / task.photo.id, files)
    store.write_record(record_path(folder, task.photo.id), task.key, digests)
    return None


def _share(
    manifest: ModelManifest,
    photos: list[Photo],
    folder: Path,
    workers: int,
    progress: Progress,
) -> tuple[index.SharedLayer, ...]:
    """Bring what is said over all photos up to date; return it in brief, in forward order."""
    rest, charts = _apart(photos)
    slugs = [layer.slug for layer in manifest.feature_maps]
    read = [name for slug in slugs for name in (index.sheet_name(slug), index.figures_name(slug))]
    content = [store.content_of(record_path(folder, photo.id), read) for photo in photos]
    key = store.key_of(rest, charts, content, code())
    target, record = folder / index.SHARED, record_path(folder, index.SHARED)
    current = store.is_current(target, record, key)
    earlier = _earlier_index(folder)
    # A run that is killed before it writes the index leaves one that is older than these files.
    known = earlier.parts.get(index.SHARED) if earlier is not None else None
    if current and earlier is not None and known == store.content_key(record):
        return earlier.layers
    done = progress("layers over all photos", len(manifest.feature_maps))
    briefs: dict[str, index.SharedLayer] = {}
    digests: dict[str, str] = {}
    with store.replacing(target) as fresh:
        work = partial(_share_one, folder=folder, target=fresh, photos=rest, charts=charts)
        with closing(parallel(work, manifest.feature_maps, workers)) as shared:
            for layer, (brief, written) in shared:
                briefs[layer.name] = brief
                digests |= written
                done()
    store.write_record(record, key, digests)
    return tuple(briefs[layer.name] for layer in manifest.feature_maps)


def _apart(photos: list[Photo]) -> tuple[list[str], list[str]]:
    """Return the photos that something is said over, and the charts; without photos, all charts."""
    charts = [photo.id for photo in photos if photo.chart]
    rest = [photo.id for photo in photos if not photo.chart]
    return (rest, charts) if rest else (charts, [])


def _share_one(
    layer: Layer, folder: Path, target: Path, photos: list[str], charts: list[str]
) -> tuple[index.SharedLayer, dict[str, str]]:
    """Write one layer's shared files into `target`; return the brief and path to SHA-256."""
    digests: dict[str, str] = {}

    def put(name: str, data: bytes) -> None:
        digests.update(store.add_files(target, {name: data}))

    with named(f"layer {layer.name} over all photos"):
        return share_layer(folder, layer, photos, charts, put), digests


def _earlier_index(folder: Path) -> index.GalleryIndex | None:
    try:
        return index.read_index(folder)
    except artifacts.ArtifactError:
        return None


def _skip_report(outcomes: Sequence[Outcome], total: int) -> str:
    """Say which files cannot be used; with which model, where others can use them."""
    of: dict[index.Skipped, list[str]] = {}
    for outcome in outcomes:
        for skip in outcome.skipped:
            of.setdefault(skip, []).append(outcome.plan.source.manifest.model)
    lines = []
    for skip, models in sorted(of.items(), key=lambda one: one[0].file):
        of_which = f" with {', '.join(models)}" if len(models) < len(outcomes) else ""
        lines.append(f"\n  {skip.file}{of_which}: {skip.reason}")
    files = len({skip.file for skip in of})
    return (
        f"{files} of {total} photos cannot be used:{''.join(lines)}\n"
        "What could be computed is kept. Mend or remove these files, or publish without them: "
        "make site ALLOW_SKIPS=1"
    )
