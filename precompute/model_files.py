"""The model's files: read once, compared with the hash in the manifest, and only then parsed."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import artifacts
from export.manifest import File, ModelManifest, remedy_for, weight_shape
from precompute.errors import ModelError, one_line

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_HISTORY = "stem.history"
_OF_HISTORY = ("", ".step", ".pixels", ".top1")
_MAY_BE_NAN = "stem.history.top1"
"""The one array that says so: nobody counted the right answers before training."""

Shape = tuple[int | None, ...]
"""None where any length will do."""


def read_file(manifest_path: Path, file: File) -> bytes:
    """Return the content of a file that the manifest describes.

    Raises ModelError where it is another one. What is parsed is these bytes: whoever hashes a file
    and then opens it by its name may open something else.
    """
    path = manifest_path.parent / file.name
    data = path.read_bytes() if path.is_file() else None
    found = "no file" if data is None else hashlib.sha256(data).hexdigest()
    if data is None or found != file.sha256:
        raise _another(path, manifest_path, file, found)
    return data


def check_file(manifest_path: Path, file: File) -> None:
    """Raise ModelError where a file is not the one that the manifest describes; see read_file()."""
    path = manifest_path.parent / file.name
    found = artifacts.sha256(path) if path.is_file() else "no file"
    if found != file.sha256:
        raise _another(path, manifest_path, file, found)


def _another(path: Path, manifest_path: Path, file: File, found: str) -> ModelError:
    return ModelError(
        f"{path} is not the file that {manifest_path.name} describes: expected SHA-256 "
        f"{file.sha256}, got {found}: run {remedy_for(manifest_path)}"
    )


def read_arrays(
    manifest_path: Path, manifest: ModelManifest, prefix: str = ""
) -> dict[str, NDArray[np.float32]]:
    """Return the arrays, as ModelManifest.arrays describes them, whose names begin with `prefix`.

    Nothing is read before its shape is known to be the one that the layers have. Raises ModelError.
    """
    path = manifest_path.parent / manifest.arrays.name
    data = read_file(manifest_path, manifest.arrays)
    needed = {n: s for n, s in _needed(manifest).items() if n.startswith(prefix)}
    known = needed | _optional(manifest)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            wanted = [name for name in names if name.startswith(prefix) and name in known]
            arrays = {name: _read(archive, name, known[name]) for name in wanted}
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    except Exception as error:  # zipfile and NumPy raise anything at all on a damaged file
        raise ModelError(f"{path} is not a whole NumPy archive: {one_line(error)}") from None
    missing = sorted(needed.keys() - arrays.keys())
    if missing:
        raise ModelError(f"{path} holds no {', '.join(missing[:3])}, which its manifest tells of")
    moments = {len(array) for name, array in arrays.items() if name.startswith(_HISTORY)}
    kept = sum(name.startswith(_HISTORY) for name in arrays)
    if kept not in (0, len(_OF_HISTORY)) or len(moments) > 1:
        raise ModelError(f"{path} holds parts of a history that do not fit each other")
    return arrays


def _needed(manifest: ModelManifest) -> dict[str, Shape]:
    """Return the arrays that every such model has."""
    shapes: dict[str, Shape] = {}
    for layer in manifest.layers:
        if layer.op == "convolution":
            shapes[f"{layer.name}.weight"] = weight_shape(manifest, layer)
            for name in ("stem", "stem.untrained"):
                shapes.setdefault(name, weight_shape(manifest, layer))
        elif layer.op in {"batch norm", "scale"}:
            shapes |= {f"{layer.name}.{part}": (layer.channels,) for part in ("scale", "shift")}
    if classifier := manifest.classifier:
        categories = len(manifest.categories)
        shapes["classifier.weight"] = (categories, manifest.layer(classifier.features).channels)
        shapes["classifier.bias"] = (categories,)
    return shapes


def _optional(manifest: ModelManifest) -> dict[str, Shape]:
    """Return the arrays that a model can have besides."""
    convolutions = [layer for layer in manifest.layers if layer.op == "convolution"]
    shapes: dict[str, Shape] = {f"{one.name}.bias": (one.channels,) for one in convolutions}
    if convolutions:
        shapes |= {f"{_HISTORY}{of}": (None,) for of in _OF_HISTORY}
        shapes[_HISTORY] = (None, *weight_shape(manifest, convolutions[0]))
    return shapes


def _read(archive: zipfile.ZipFile, name: str, expected: Shape) -> NDArray[np.float32]:
    with archive.open(f"{name}.npy") as file:
        shape, _, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
    kinds = "iuf" if name in {"stem.history.step", "stem.history.pixels"} else "f"
    matches = len(shape) == len(expected) and all(
        want in (None, length) for length, want in zip(shape, expected, strict=True)
    )
    if not matches or dtype.kind not in kinds or (kinds == "f" and dtype.itemsize != 4):
        shown = ", ".join("any" if length is None else str(length) for length in expected)
        raise ModelError(f"{name} is {dtype} {shape}, expected float32 ({shown})")
    stored = archive.getinfo(f"{name}.npy").file_size
    if stored < dtype.itemsize * np.prod(shape, dtype=object):
        raise ModelError(f"{name} says it is {shape}, and has {stored} bytes")
    with archive.open(f"{name}.npy") as file:
        array: NDArray[np.float32] = np.lib.format.read_array(file, allow_pickle=False)
    if name != _MAY_BE_NAN and not np.isfinite(array).all():
        raise ModelError(f"{name} holds NaN or infinity")
    return array
