"""Find weights, read them without running anything in them, and check that they fit the model."""

import copy
import http.client
import pickle
import socket
import tomllib
import urllib.error
from collections.abc import Iterator, Mapping
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
from export.errors import WeightsError
from export.manifest import Accuracy, Weights

BUNDLED = Path(__file__).parent / "bundled"
DOWNLOAD_TIMEOUT = 15.0
"""Seconds without an answer after which a download is given up."""

LARGEST_SEED = 2**64 - 1

State = Mapping[str, torch.Tensor]


def load_weights(spec: str, architecture: Architecture) -> tuple[nn.Module, Weights, list[str]]:
    """Return the model with the weights that `spec` names, their description, and remarks.

    `spec` is `auto`, `bundled`, `imagenet1k_v1`, `random:SEED` or the path of a .safetensors or
    .pth file. The remarks are lines for the person who builds. Raises WeightsError.
    """
    if spec == "auto":
        return _auto(architecture)
    if spec == "bundled":
        return *_bundled(architecture), []
    if spec == "imagenet1k_v1":
        return *_published(architecture), []
    if spec.startswith("random:"):
        return *_random(spec.removeprefix("random:"), architecture), []
    return *_file(Path(spec).expanduser(), architecture), []


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
    with np.load(path, allow_pickle=False) as history:
        kept = {
            "stem.history": torch.from_numpy(history["weights"]).float(),
            "stem.history.step": torch.from_numpy(history["step"]),
            "stem.history.pixels": torch.from_numpy(history["pixels"]),
            "stem.history.top1": torch.from_numpy(history["top1"]),
        }
    if not torch.equal(kept["stem.history"][-1], stem):
        raise WeightsError(f"{path} does not end in the bundled weights: restore it, or remove it")
    return kept


def _auto(architecture: Architecture) -> tuple[nn.Module, Weights, list[str]]:
    try:
        return *_published(architecture), []
    except WeightsError as error:
        model, weights = _bundled(architecture)
        return model, weights, [f"{error}; using the {weights.name} instead"]


def _published(architecture: Architecture) -> tuple[nn.Module, Weights]:
    published = architecture.published
    label = f"torchvision's {published.name} weights"
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(published.url).name
    _check_cached(cached)
    try:
        with _socket_timeout(DOWNLOAD_TIMEOUT):
            state = published.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except urllib.error.URLError as error:
        raise WeightsError(f"{label} could not be downloaded ({error.reason})") from None
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        raise WeightsError(f"{label} could not be used ({_one_line(error)})") from None
    metrics = published.meta["_metrics"]["ImageNet-1K"]
    return _fill(architecture.build(), state, label), Weights(
        name=published.name,
        source=published.url,
        sha256=artifacts.sha256(cached),
        licence="see torchvision's documentation of its models; trained on ImageNet",
        trained_on="ImageNet-1K: 1.28 million labelled photos of 1000 classes",
        knows=(),
        accuracy=(
            Accuracy("ImageNet-1K, validation photos", 50000, metrics["acc@1"], metrics["acc@5"]),
        ),
        note="",
        stem_history="",
    )


def _check_cached(path: Path) -> None:
    """Compare an earlier download with the hash in its name, which torch does for new ones only."""
    expected = path.stem.rpartition("-")[2]
    if path.exists() and not artifacts.sha256(path).startswith(expected):
        raise WeightsError(
            f"{path} is damaged or another file: expected a SHA-256 that begins with {expected}, "
            f"got {artifacts.sha256(path)}; delete it"
        )


def _bundled(architecture: Architecture) -> tuple[nn.Module, Weights]:
    card_path = BUNDLED / f"{architecture.name}.toml"
    if not card_path.exists():
        raise WeightsError(f"no weights are bundled for {architecture.name}: name a file")
    card = tomllib.loads(card_path.read_text(encoding="utf-8"))
    path = BUNDLED / card["file"]
    found = artifacts.sha256(path) if path.exists() else "no file"
    if found != card["sha256"]:
        raise WeightsError(
            f"{path} is not the file that {card_path.name} describes: expected SHA-256 "
            f"{card['sha256']}, got {found}; restore it with git checkout {path.name}"
        )
    unknown = sorted(set(card["knows"]) - set(architecture.categories))
    if unknown:
        raise WeightsError(f"{card_path}: 'knows' lists what is no category: {', '.join(unknown)}")
    return _fill(architecture.build(), _read(path), str(path)), Weights(
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


def _file(path: Path, architecture: Architecture) -> tuple[nn.Module, Weights]:
    return _fill(architecture.build(), _read(path), str(path)), Weights(
        name=path.name,
        source="a file of the person who built this gallery",
        sha256=artifacts.sha256(path),
        licence="not stated",
        trained_on="not stated",
        knows=(),
        accuracy=(),
        note="",
        stem_history="",
    )


def _read(path: Path) -> State:
    """Return the tensors in a file; a pickle is only ever read as plain tensors."""
    if not path.is_file():
        raise WeightsError(
            f"no weights at {path}: give auto, bundled, imagenet1k_v1, random:SEED or the path of "
            "a .safetensors or .pth file"
        )
    try:
        if path.suffix == ".safetensors":
            return _state_dict(safetensors.torch.load_file(path), path)
        if path.suffix in {".pth", ".pt"}:
            return _state_dict(torch.load(path, map_location="cpu", weights_only=True), path)
    except safetensors.SafetensorError as error:
        raise WeightsError(f"{path} is not a whole safetensors file: {_one_line(error)}") from None
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{path} holds more than tensors, or is no PyTorch file: expected a state dict, as "
            "torch.save(model.state_dict(), path) writes it"
        ) from None
    except WeightsError:
        raise
    except Exception as error:  # PyTorch's reader raises anything at all on a damaged file
        raise WeightsError(f"{path} is not a whole PyTorch file: {_one_line(error)}") from None
    raise WeightsError(f"{path}: expected a .safetensors or .pth file, got '{path.suffix}'")


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


def _fill(model: nn.Module, state: State, label: str) -> nn.Module:
    """Return a copy of `model` with `state` in it; raises WeightsError with every misfit."""
    expected = model.state_dict()
    # BatchNorm's step counter is bookkeeping of training: files leave it out.
    needed = {name for name in expected if not name.endswith("num_batches_tracked")}
    faults = [
        f"{name} is {tuple(state[name].shape)}, expected {tuple(expected[name].shape)}"
        for name in sorted(needed & state.keys())
        if state[name].shape != expected[name].shape
    ]
    faults += _listed("without", sorted(needed - state.keys()))
    faults += _listed("with unknown", sorted(state.keys() - expected.keys()))
    if not faults:
        bad = [name for name in sorted(needed) if not torch.isfinite(state[name].float()).all()]
        faults = _listed("with NaN or infinite values in", bad)
    if faults:
        raise WeightsError(f"{label} does not fit the model: {'; '.join(faults)}")
    filled = copy.deepcopy(model)
    filled.load_state_dict({name: state[name].float() for name in needed}, strict=False)
    return filled


def _listed(what: str, names: list[str]) -> list[str]:
    shown = ", ".join(names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return [f"{what} {shown}{more}"] if names else []


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
