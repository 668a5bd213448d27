"""What has to be computed for a model: gathered before anything is written."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import distributions, version
from pathlib import Path
from typing import TypeVar

import artifacts
import store
from export.manifest import ModelManifest, read_manifest
from precompute import index
from precompute.decode import read
from precompute.errors import PhotoError, PrecomputeError
from precompute.limits import Limits
from precompute.model_files import check_file
from precompute.photos import Photo, with_class_of
from precompute.session import choose_provider
from precompute.size import Estimate, of_model, of_photo, sizes_of
from precompute.task import Task
from precompute.trial import Sizes, try_model

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Source:
    """A model as the export left it."""

    path: Path
    """Of its manifest."""
    manifest: ModelManifest
    sha256: str
    """Of the manifest, which has those of the other files."""


@dataclass(frozen=True)
class Plan:
    """What there is of a model's tiles, and what has to be computed."""

    source: Source
    folder: Path
    """Of its tiles."""
    provider: str
    photos: list[Photo]
    """All that are wanted, with true classes among the model's categories."""
    stale: list[Task]
    """Those to compute."""
    remarks: list[str]
    estimate: Estimate


def read_source(path: Path) -> Source:
    """Read a manifest and compare its files with it.

    Raises artifacts.ArtifactError or ModelError.
    """
    manifest = read_manifest(path)
    for file in (manifest.onnx, manifest.arrays):
        check_file(path, file)
    return Source(path, manifest, artifacts.sha256(path))


def make_plan(
    source: Source,
    tiles: Path,
    photos: Sequence[Photo],
    digests: dict[str, str],
    wanted: str,
    limits: Limits,
) -> Plan:
    """Look at what is in `tiles`; where photos are to be computed, try the model with one of them.

    `digests` are SHA-256 of the photos that can be read, by id; `wanted` is the provider. Raises
    artifacts.ArtifactError, ModelError or ProviderError.
    """
    manifest = source.manifest
    folder = index.model_folder(tiles, manifest.model)
    choice = choose_provider(wanted, partial(try_model, source.path))
    photos = [with_class_of(photo, manifest.categories) for photo in photos]
    stale, current = [], []
    for photo in photos:
        if photo.id not in digests:
            continue
        key = photo_key(photo, digests[photo.id], source.sha256, choice.name)
        if store.is_current(folder / photo.id, record_path(folder, photo.id), key):
            current.append(sizes_of(folder / photo.id))
        else:
            stale.append(Task(photo, digests[photo.id], key))
    sizes: Sizes = current[0] if current else {}
    if stale:
        photos_first = sorted(stale, key=lambda task: task.photo.chart)
        # What is wrong with the model is no photo's fault.
        sizes = try_model(source.path, choice.name, photos_first, limits) or sizes
    estimate = Estimate(
        manifest,
        sizes,
        len(stale),
        tuple(map(of_photo, current)),
        of_model(manifest, sizes, len(stale) + len(current)),
    )
    remarks = [choice.remark] if choice.remark else []
    return Plan(source, folder, choice.name, photos, stale, remarks, estimate)


def photo_key(photo: Photo, digest: str, manifest_sha256: str, provider: str) -> str:
    """Return a fingerprint of everything that a photo's folder depends on."""
    return store.key_of(photo.description(), digest, manifest_sha256, provider, producers(), code())


def record_path(folder: Path, name: str) -> Path:
    """Return the record of the folder `name` in a model's folder."""
    return folder / store.RECORDS / f"{name}.json"


def digests_of(photos: Iterable[Photo], limits: Limits) -> tuple[dict[str, str], dict[str, str]]:
    """Return, by id, the SHA-256 of every photo's file, and why others cannot be read."""
    digests, faults = {}, {}
    for photo in photos:
        try:
            digests[photo.id] = hashlib.sha256(read(photo.path, limits)).hexdigest()
        except PhotoError as error:
            faults[photo.id] = str(error)
    return digests, faults


def for_each(work: Callable[[T], R], models: Iterable[T]) -> list[R]:
    """Return what `work` gives for each of `models`; raises what it raises, of all together."""
    done: list[R] = []
    faults: list[PrecomputeError | artifacts.ArtifactError] = []
    for model in models:
        try:
            done.append(work(model))
        except (PrecomputeError, artifacts.ArtifactError) as error:
            faults.append(error)
    if len(faults) > 1:
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise PrecomputeError(f"{len(faults)} models cannot be used:{lines}")
    if faults:
        raise faults[0]
    return done


@cache
def producers() -> dict[str, str]:
    """Return the versions of the packages that do the work."""
    return {"numpy": version("numpy"), "pillow": version("pillow"), **_onnxruntime()}


def _onnxruntime() -> dict[str, str]:
    """Return the name and version of the onnxruntime wheel, of which there are several."""
    names = {distribution.name for distribution in distributions()}
    wheels = sorted(name for name in names if name.lower().startswith("onnxruntime"))
    if not wheels:
        raise PrecomputeError("onnxruntime is not installed: run make precompute")
    return {name: version(name) for name in wheels}


@cache
def code() -> str:
    """Return a fingerprint of the code that decides what the tiles hold."""
    here = Path(__file__).parent
    return store.source_key(here, Path(artifacts.__file__), here.parent / "export" / "manifest.py")
