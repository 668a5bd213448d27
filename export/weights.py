"""Find weights, read them without running anything in them, and check that they fit the model."""

import hashlib
import http.client
import io
import os
import pickle
import re
import shlex
import socket
import tomllib
import urllib.error
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import nn

import artifacts
from export.architectures import Architecture
from export.errors import WeightsError, one_line
from export.manifest import Accuracy, Weights

BUNDLED = Path(__file__).parent / "bundled"
DOWNLOAD_TIMEOUT = 15.0
"""Seconds without an answer after which a download is given up."""

LARGEST_SEED = 2**64 - 1
LARGEST_FILE = 2_000_000_000
"""Bytes: many times a state dict of any model here, with all that training keeps beside it."""

State = Mapping[str, torch.Tensor]
Say = Callable[[str], None]
"""Tells the person who builds something at once."""

# How files begin that are taken for weights, and what to do about them.
_NOT_WEIGHTS = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the weights: run git lfs pull"),
    (b"<!doctype html", "is a web page, not the weights: download the file that the page is about"),
    (b"<html", "is a web page, not the weights: download the file that the page is about"),
)
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"


def load_weights(
    spec: str, architecture: Architecture, sha256: str = "", say: Say = lambda line: None
) -> tuple[nn.Module, Weights, list[str]]:
    """Return the model with the weights that `spec` names, their description, and remarks.

    `spec` is `auto`, `bundled`, `imagenet1k_v1` (or what else torchvision publishes), `random:SEED`
    or the path of a .safetensors or .pth file, whose SHA-256 can be given. The remarks are lines
    for the person who builds. Raises WeightsError.
    """
    published = architecture.published.name.lower()
    named = spec in {"auto", "bundled", published} or spec.startswith("random:")
    if sha256 and named:
        raise WeightsError(f"a SHA-256 goes with a file of your own, and '{spec}' is none")
    if sha256 and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise WeightsError(f"'{artifacts.printable(sha256)}' is no SHA-256: expected 64 hex digits")
    if spec == "auto":
        return _auto(architecture, say)
    if spec == "bundled":
        return *_bundled(architecture), []
    if spec == published:
        return *_published(architecture, say), []
    if spec.startswith("random:"):
        return *_random(spec.removeprefix("random:"), architecture), []
    return *_file(Path(spec).expanduser(), architecture, sha256.lower()), []


def stem_history(
    architecture: Architecture, weights: Weights, stem: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Return how the first convolution's kernels came to be, where that was kept; else nothing.

    The names are those of ModelManifest.arrays. Raises WeightsError where the bundled history does
    not end in the kernels that are used.
    """
    path = BUNDLED / f"{architecture.name}.stem_history.npz"
    if weights.source != "bundled" or not path.is_file():
        return {}
    restore = f"restore it with git checkout {shlex.quote(str(path))}, or remove it"
    try:
        with np.load(path, allow_pickle=False) as history:
            kept = {
                "stem.history": torch.from_numpy(history["weights"]).float(),
                "stem.history.step": torch.from_numpy(history["step"]),
                "stem.history.pixels": torch.from_numpy(history["pixels"]),
                "stem.history.top1": torch.from_numpy(history["top1"]),
            }
    except Exception as error:  # NumPy raises anything at all on a damaged file
        raise WeightsError(f"{path} cannot be read ({one_line(error)}): {restore}") from None
    if not torch.equal(kept["stem.history"][-1], stem):
        raise WeightsError(f"{path} does not end in the bundled weights: {restore}")
    return kept


def _auto(architecture: Architecture, say: Say) -> tuple[nn.Module, Weights, list[str]]:
    try:
        return *_published(architecture, say), []
    except WeightsError as error:
        if not _card(architecture).exists():
            raise WeightsError(
                f"{error}; none are bundled for {architecture.name}, and WEIGHTS=random:0 shows it "
                "untrained"
            ) from None
        model, weights = _bundled(architecture)
        return model, weights, [f"{error}; using the {weights.name} instead"]


def _published(architecture: Architecture, say: Say) -> tuple[nn.Module, Weights]:
    published = architecture.published
    label = f"torchvision's {published.name} weights"
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(published.url).name
    begins = path.stem.rpartition("-")[2]
    if not path.exists():
        say(f"downloading {label}, to {path}")
        _download(published.url, path, begins, label)
    data = _content(path)
    found = hashlib.sha256(data).hexdigest()
    if not found.startswith(begins):
        raise WeightsError(
            f"{path} is damaged or another file: expected a SHA-256 that begins with {begins}, "
            f"got {found}; run rm {shlex.quote(str(path))}, and they are downloaded anew"
        )
    metrics = published.meta["_metrics"]["ImageNet-1K"]
    licence = published.meta.get("license", "torchvision's documentation of its models")
    before = "photos with hashtags (SWAG, arXiv:2201.08371), then " if _is_swag(published) else ""
    return _fill(architecture, _read(data, path), label), Weights(
        name=published.name,
        source=published.url,
        sha256=found,
        licence=f"see {licence}; trained on ImageNet",
        trained_on=f"{before}ImageNet-1K: 1.28 million labelled photos of 1000 classes",
        knows=(),
        accuracy=(
            Accuracy("ImageNet-1K, validation photos", 50000, metrics["acc@1"], metrics["acc@5"]),
        ),
        note="",
        stem_history="",
    )


def _is_swag(published: Any) -> bool:
    return "_SWAG_" in published.name


def _download(url: str, path: Path, begins: str, label: str) -> None:
    """Fetch a file; its SHA-256 is checked before it gets its name, and nothing else is left."""
    by_hand = (
        f"they are not at {path}: run curl --create-dirs -o {shlex.quote(str(path))} "
        f"{shlex.quote(url)}, or name others with WEIGHTS="
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _socket_timeout(DOWNLOAD_TIMEOUT):
            torch.hub.download_url_to_file(url, os.fspath(path), begins, progress=False)
    except urllib.error.URLError as error:
        raise WeightsError(
            f"{label} could not be downloaded ({one_line(error.reason)}); {by_hand}"
        ) from None
    except RuntimeError as error:  # the hash: its message has what was expected and got
        raise WeightsError(
            f"{label} came damaged or incomplete ({one_line(error)}); {by_hand}"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise WeightsError(f"{label} could not be used ({one_line(error)}); {by_hand}") from None


def _card(architecture: Architecture) -> Path:
    return BUNDLED / f"{architecture.name}.toml"


def _bundled(architecture: Architecture) -> tuple[nn.Module, Weights]:
    card_path = _card(architecture)
    if not card_path.exists():
        raise WeightsError(
            f"no weights are bundled for {architecture.name}: give "
            f"{architecture.published.name.lower()}, random:0 or a file"
        )
    card = tomllib.loads(card_path.read_text(encoding="utf-8"))
    path = BUNDLED / card["file"]
    data = _content(path) if path.exists() else b""
    found = hashlib.sha256(data).hexdigest() if path.exists() else "no file"
    if found != card["sha256"]:
        raise WeightsError(
            f"{path} is not the file that {card_path.name} describes: expected SHA-256 "
            f"{card['sha256']}, got {found}; restore it with git checkout {shlex.quote(str(path))}"
        )
    unknown = sorted(set(card["knows"]) - set(architecture.categories))
    if unknown:
        raise WeightsError(f"{card_path}: 'knows' lists what is no category: {', '.join(unknown)}")
    return _fill(architecture, _read(data, path), str(path)), Weights(
        name=card["name"],
        source="bundled",
        sha256=found,
        licence=card["licence"],
        trained_on=card["trained_on"],
        knows=tuple(card["knows"]),
        accuracy=tuple(Accuracy(**row) for row in card["accuracy"]),
        note=card["note"],
        stem_history=card.get("stem_history", ""),
    )


def _random(seed: str, architecture: Architecture) -> tuple[nn.Module, Weights]:
    if not seed.isdecimal() or int(seed) > LARGEST_SEED:
        raise WeightsError(
            f"invalid seed '{seed}': write random:SEED with a whole number from 0 to {LARGEST_SEED}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(seed))
        model = architecture.build()
    return model, Weights(
        name=f"random weights, seed {int(seed)}",
        source="random",
        sha256=None,
        licence="none needed",
        trained_on="nothing: torchvision's random initialisation",
        knows=(),
        accuracy=(),
        note="This network has learned nothing. Its answers mean nothing.",
        stem_history="",
    )


def _file(path: Path, architecture: Architecture, sha256: str) -> tuple[nn.Module, Weights]:
    data = _content(path)
    found = hashlib.sha256(data).hexdigest()
    if sha256 and found != sha256:
        raise WeightsError(f"{path} is another file: expected SHA-256 {sha256}, got {found}")
    return _fill(architecture, _read(data, path), str(path)), Weights(
        name=path.name,
        source="a file of the person who built this gallery",
        sha256=found,
        licence="not stated",
        trained_on="not stated",
        knows=(),
        accuracy=(),
        note="",
        stem_history="",
    )


def _content(path: Path) -> bytes:
    """Return the bytes of a file of weights; what is hashed and what is parsed are the same."""
    if not path.is_file():
        there = "is no file" if path.exists() else "does not exist"
        raise WeightsError(
            f"no weights at {path}, which {there}: give auto, bundled, imagenet1k_v1, random:SEED "
            "or the path of a .safetensors or .pth file"
        )
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise WeightsError(
            f"{path} has {size / 1e6:.0f} MB, and weights can have {LARGEST_FILE / 1e6:.0f} MB"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {one_line(error)}") from None


def _read(data: bytes, path: Path) -> State:
    """Return the tensors in a file; a pickle is only ever read as plain tensors."""
    for beginning, fault in _NOT_WEIGHTS:
        if data[:100].lstrip().lower().startswith(beginning):
            raise WeightsError(f"{path} {fault}")
    # Any byte can begin a safetensors file, even a pickle's first: the length of the header is there.
    is_safetensors = data[8:9] == b"{" and not data.startswith(_ZIP)
    is_pytorch = data.startswith((_ZIP, _PICKLE)) and not is_safetensors
    if path.suffix == ".safetensors":
        if is_pytorch:
            raise WeightsError(f"{path} is a PyTorch file, not safetensors: name it .pth")
        return _state_dict(_safetensors(data, path), path)
    if path.suffix in {".pth", ".pt"}:
        if is_safetensors:
            raise WeightsError(f"{path} is a safetensors file, not PyTorch's: name it .safetensors")
        return _state_dict(_pytorch(data, path), path)
    raise WeightsError(f"{path}: expected a .safetensors or .pth file, got '{path.suffix}'")


def _safetensors(data: bytes, path: Path) -> State:
    try:
        tensors: State = safetensors.torch.load(data)
    except Exception as error:  # kinds of numbers that PyTorch lacks are a KeyError, for one
        raise WeightsError(f"{path} is not a whole safetensors file: {one_line(error)}") from None
    return tensors


def _pytorch(data: bytes, path: Path) -> Any:
    try:
        if data.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > len(data):  # torch.save packs nothing
                raise WeightsError(
                    f"{path} would unpack to {unpacked / 1e6:.0f} MB from {len(data) / 1e6:.1f} MB, "
                    "which PyTorch's own files never do: save it with torch.save"
                )
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{path} holds more than tensors, or is no PyTorch file: expected a state dict, as "
            "torch.save(model.state_dict(), path) writes it"
        ) from None
    except WeightsError:
        raise
    except Exception as error:  # PyTorch's reader raises anything at all on a damaged file
        raise WeightsError(f"{path} is not a whole PyTorch file: {one_line(error)}") from None


def _state_dict(content: Any, path: Path) -> State:
    """Return the state dict in a checkpoint, whichever of the usual ways it was saved."""
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor)
        for name, tensor in content.items()
    ):
        raise WeightsError(f"{path}: expected a state dict (names to tensors), got something else")
    return {name.removeprefix("module."): tensor for name, tensor in content.items()}


def _fill(architecture: Architecture, state: State, label: str) -> nn.Module:
    """Return the model with `state` in it; raises WeightsError with every misfit."""
    model = architecture.build()
    expected = model.state_dict()
    state = {
        new: tensor
        for name, tensor in state.items()
        if (new := name if name in expected else architecture.renamed(name)) is not None
    }
    # BatchNorm's step counter is bookkeeping of training: files leave it out.
    needed = {name for name in expected if not name.endswith("num_batches_tracked")}
    faults = [
        f"{name} is {tuple(state[name].shape)}, expected {tuple(expected[name].shape)}"
        for name in sorted(needed & state.keys())
        if state[name].shape != expected[name].shape
    ]
    faults += _listed("without", sorted(needed - state.keys()))
    faults += _listed("with unknown", sorted(state.keys() - expected.keys()))
    faults += _listed(
        "with something else than real numbers in",
        [name for name in sorted(needed & state.keys()) if not _is_plain(state[name])],
    )
    classes = _classes(expected, state)
    if len(faults) == 2 and classes not in {None, len(architecture.categories)}:
        names = f"LABELS names {len(architecture.categories)}"
        raise WeightsError(
            f"{label} answers with {classes} classes, and "
            f"{names if architecture.own_labels else 'ImageNet has 1000'}: give LABELS=FILE with "
            f"{classes} lines, a class each, in the order of the model's outputs"
        )
    if not faults:
        bad = [name for name in sorted(needed) if not torch.isfinite(state[name].float()).all()]
        faults = _listed("with NaN or infinite values in", bad)
        spread = [name for name in sorted(needed) if name.endswith("running_var")]
        bad = [name for name in spread if state[name].float().min() < 0]
        faults += _listed("with negative variances in", bad)
    if faults:
        raise WeightsError(f"{label} does not fit the model: {'; '.join(faults)}")
    # What is filled says which version of the model's code it is from, which some models ask for.
    expected.update({name: state[name].float() for name in needed})
    model.load_state_dict(expected)
    return model


def _classes(expected: State, state: State) -> int | None:
    """Return how many classes a state's last layer has, where that is all that is wrong with it."""
    weight, bias = list(expected)[-2:]
    if weight not in state or bias not in state or state[bias].ndim != 1:
        return None
    classes = len(state[bias])
    fits = state[weight].shape == (classes, *expected[weight].shape[1:])
    return classes if fits and classes else None


def _is_plain(tensor: torch.Tensor) -> bool:
    """Tell whether a tensor holds numbers that float() takes as they are: float16 to float64."""
    dense = tensor.layout == torch.strided and not tensor.is_nested and tensor.device.type == "cpu"
    return dense and tensor.is_floating_point()


def _listed(what: str, names: list[str]) -> list[str]:
    shown = ", ".join(names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return [artifacts.printable(f"{what} {shown}{more}")] if names else []


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
