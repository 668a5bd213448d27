"""The precomputation, from beginning to end: gather, compute what changed, write the index last."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import distributions, version
from pathlib import Path

import artifacts
import filesystem
import store
from export.manifest import Layer, ModelManifest, read_manifest
from precompute import index, lessons
from precompute.decode import decode, read
from precompute.entry import Model, entry_files, open_model
from precompute.errors import PhotoError, PrecomputeError
from precompute.figures import named
from precompute.limits import DEFAULT, Limits
from precompute.mistakes import candidates, mistake_files
from precompute.model_files import read_file
from precompute.origins import chain_of, model_files
from precompute.photos import Photo, find_photos
from precompute.session import choose_provider
from precompute.shared import share_layer
from precompute.stem import stem_files, stem_of
from precompute.tours import tour_files
from precompute.trial import try_model
from precompute.workers import LostTaskError, parallel

Progress = Callable[[str, int], Callable[[], None]]
"""Called with what is done and how many there are; returns what to call after each."""


@dataclass(frozen=True)
class Settings:
    """What a person can choose."""

    manifest: Path
    photos: Path
    tiles: Path
    provider: str
    workers: int
    allow_skips: bool
    limits: Limits = DEFAULT


@dataclass(frozen=True)
class Built:
    """What a build did."""

    index: index.GalleryIndex
    computed: int
    """How many photos were computed; the others had not changed."""
    remarks: list[str]


@dataclass(frozen=True)
class Part:
    """A folder that belongs to no single photo."""

    name: str
    key: str
    """Fingerprint of everything that its content depends on."""
    files: Callable[[], Iterator[tuple[str, bytes]]]
    """Yields path in the folder and content of each file; called only when the key is new."""


class SkippedPhotosError(PrecomputeError):
    """Some photos cannot be used; everything else has been computed and is kept."""


def precompute(settings: Settings, progress: Progress) -> Built:
    """Bring the tiles up to date with the model and the photos.

    Raises PrecomputeError or artifacts.ArtifactError. Then the index is as it was before.
    """
    manifest = read_manifest(settings.manifest)
    for file in (manifest.onnx, manifest.arrays):
        read_file(settings.manifest, file)
    manifest_sha256 = artifacts.sha256(settings.manifest)
    found = find_photos(settings.photos, manifest.categories)
    photos, remarks = found.photos, found.remarks
    folder = index.model_folder(settings.tiles, manifest.model)
    producers = {"numpy": version("numpy"), "pillow": version("pillow"), **_onnxruntime()}

    choice = choose_provider(settings.provider, partial(try_model, settings.manifest))
    provider = choice.name
    remarks += [choice.remark] if choice.remark else []
    digests, faults = _digests(photos, settings.limits)
    keys = _keys(photos, digests, manifest_sha256, provider, producers)
    stale = [
        Task(photo, digests[photo.id], keys[photo.id])
        for photo in photos
        if photo.id in keys
        and not store.is_current(folder / photo.id, _record(folder, photo.id), keys[photo.id])
    ]
    if stale:
        try_model(settings.manifest, provider)  # what is wrong with it is no photo's fault
        faults |= _compute(stale, settings, provider, folder, progress)
    skipped = found.skipped + [
        index.Skipped(artifacts.escaped(photo.name), faults[photo.id])
        for photo in photos
        if photo.id in faults
    ]
    skipped.sort(key=lambda skip: skip.file)
    if skipped and not settings.allow_skips:
        raise SkippedPhotosError(_skip_report(skipped, len(photos) + len(found.skipped)))

    used = [photo for photo in photos if photo.id not in faults]
    if not used:
        raise PrecomputeError(_skip_report(skipped, len(skipped)))
    layers = _share(manifest, used, folder, settings.workers, progress)
    images = tuple(
        index.ImageReference(photo.id, store.content_key(_record(folder, photo.id)))
        for photo in used
    )
    rest, charts = _apart(used)
    parts = [
        Part(
            index.MODEL,
            store.key_of(manifest_sha256, _code()),
            partial(model_files, settings.manifest),
        ),
        _mistakes(used, digests, manifest_sha256, settings, provider, producers, folder, progress),
        Part(
            lessons.TOURS,
            store.key_of(manifest_sha256, images, _code()),
            partial(tour_files, settings.manifest, folder, rest, charts),
        ),
    ]
    if stem_of(manifest):
        key = store.key_of(manifest_sha256, _code())
        parts.append(Part(lessons.STEM, key, partial(stem_files, settings.manifest)))
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
        manifest_sha256=manifest_sha256,
        provider=provider,
        producers=producers,
        images=images,
        parts={name: store.content_key(_record(folder, name)) for name in whole},
        layers=layers,
        origins=tuple(one.name for one in manifest.feature_maps if chain_of(one, manifest)),
        skipped=tuple(skipped),
    )
    if gallery != _earlier_index(folder):
        filesystem.flush(folder)  # an index shall not outlive a power cut that its files do not
    artifacts.write(index.index_path(folder), artifacts.encode(gallery))
    kept = {photo.id for photo in used} | whole
    store.remove_others(folder, {*kept, store.RECORDS, "index.json"})
    store.remove_others(folder / store.RECORDS, {_record(folder, name).name for name in kept})
    computed = sum(task.photo.id not in faults for task in stale)
    return Built(gallery, computed, remarks)


def _mistakes(
    photos: list[Photo],
    digests: dict[str, str],
    manifest_sha256: str,
    settings: Settings,
    provider: str,
    producers: dict[str, str],
    folder: Path,
    progress: Progress,
) -> Part:
    """Return the part on mistakes, which depends on the pixels of the few photos that it tries."""
    by_id = {photo.id: photo for photo in photos}
    chosen = candidates(index.read_entry(folder, photo.id) for photo in photos)
    paths = {image: by_id[image].path for image in chosen}
    pixels = [(image, digests[image]) for image in chosen]
    return Part(
        lessons.MISTAKES,
        store.key_of(pixels, manifest_sha256, provider, producers, _code()),
        partial(mistake_files, settings.manifest, provider, paths, settings.limits, progress),
    )


def _bring_up_to_date(folder: Path, part: Part) -> None:
    """Write the folder of `part` anew if what it was made from has changed."""
    target, record = folder / part.name, _record(folder, part.name)
    if store.is_current(target, record, part.key):
        return
    digests: dict[str, str] = {}
    with store.replacing(target) as fresh:
        for name, data in part.files():
            digests |= store.add_files(fresh, {name: data})
    store.write_record(record, part.key, digests)


def _onnxruntime() -> dict[str, str]:
    """Return the name and version of the onnxruntime wheel, of which there are several."""
    names = {distribution.name for distribution in distributions()}
    wheels = sorted(name for name in names if name.lower().startswith("onnxruntime"))
    if not wheels:
        raise PrecomputeError("onnxruntime is not installed: run make precompute")
    return {name: version(name) for name in wheels}


def _digests(photos: list[Photo], limits: Limits) -> tuple[dict[str, str], dict[str, str]]:
    """Return, by id, the SHA-256 of every photo's file, and why others cannot be read."""
    digests, faults = {}, {}
    for photo in photos:
        try:
            digests[photo.id] = hashlib.sha256(read(photo.path, limits)).hexdigest()
        except PhotoError as error:
            faults[photo.id] = str(error)
    return digests, faults


def _keys(
    photos: list[Photo],
    digests: dict[str, str],
    manifest_sha256: str,
    provider: str,
    producers: dict[str, str],
) -> dict[str, str]:
    """Return, by id, a fingerprint of everything that a photo's folder depends on."""
    code = _code()
    return {
        photo.id: store.key_of(
            photo.description(), digests[photo.id], manifest_sha256, provider, producers, code
        )
        for photo in photos
        if photo.id in digests
    }


def _code() -> str:
    """Return a fingerprint of the code that decides what the tiles hold."""
    here = Path(__file__).parent
    return store.source_key(here, Path(artifacts.__file__), here.parent / "export" / "manifest.py")


@dataclass(frozen=True)
class Task:
    """A photo to compute."""

    photo: Photo
    digest: str
    """SHA-256 of its file."""
    key: str
    """Of its record."""


def _compute(
    stale: list[Task],
    settings: Settings,
    provider: str,
    folder: Path,
    progress: Progress,
) -> dict[str, str]:
    """Compute the folders of `stale` photos; return ids to faults of those that cannot be used."""
    limits = settings.limits
    done = progress("photos", len(stale))
    faults: dict[str, str] = {}

    def lost(error: LostTaskError) -> str:
        if error.late:
            return str(limits.exceeded("seconds", str(error)))
        return f"{error}, which damaged pictures can cause, or want of memory"

    work = partial(_compute_one, folder=folder, limits=limits)
    start = (settings.manifest, provider)
    try:
        with closing(
            parallel(work, stale, settings.workers, _start, start, limits.seconds, lost)
        ) as computed:
            for task, fault in computed:
                if fault is not None:
                    faults[task.photo.id] = fault
                done()
    finally:
        store.remove_partial(folder)  # of photos whose processes were ended
        store.remove_partial(folder / store.RECORDS)
    return faults


_model: Model | None = None
"""This process's own copy of the model."""


def _start(manifest_path: Path, provider: str) -> None:
    global _model
    _model = open_model(manifest_path, provider)


def _compute_one(task: Task, folder: Path, limits: Limits) -> str | None:
    """Write one photo's folder; return why it cannot be used, or None."""
    assert _model is not None
    photo = task.photo
    try:
        data = read(photo.path, limits)
        if hashlib.sha256(data).hexdigest() != task.digest:
            raise PhotoError("was changed while it was read: build again")
        files = entry_files(photo, decode(data, limits), _model)
    except PhotoError as error:
        return str(error)
    digests = store.replace_folder(folder / photo.id, files)
    store.write_record(_record(folder, photo.id), task.key, digests)
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
    content = [store.content_of(_record(folder, photo.id), read) for photo in photos]
    key = store.key_of(rest, charts, content, _code())
    target, record = folder / index.SHARED, _record(folder, index.SHARED)
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


def _record(folder: Path, name: str) -> Path:
    return folder / store.RECORDS / f"{name}.json"


def _earlier_index(folder: Path) -> index.GalleryIndex | None:
    try:
        return index.read_index(folder)
    except artifacts.ArtifactError:
        return None


def _skip_report(skipped: list[index.Skipped], total: int) -> str:
    lines = "".join(f"\n  {skip.file}: {skip.reason}" for skip in skipped)
    return (
        f"{len(skipped)} of {total} photos cannot be used:{lines}\n"
        "What could be computed is kept. Mend or remove these files, or publish without them: "
        "make site ALLOW_SKIPS=1"
    )
