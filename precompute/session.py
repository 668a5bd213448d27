"""Run the model with onnxruntime, on whatever hardware it was installed for."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

import artifacts
from export.manifest import Layer, ModelManifest
from precompute.errors import ModelError, ProviderError, one_line

# onnxruntime's names and the settings that keep numbers as they are on a CPU.
PROVIDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "tensorrt": ("TensorrtExecutionProvider", {}),
    "cuda": ("CUDAExecutionProvider", {"use_tf32": 0}),
    "migraphx": ("MIGraphXExecutionProvider", {}),
    "rocm": ("ROCMExecutionProvider", {}),
    "openvino": ("OpenVINOExecutionProvider", {}),
    "coreml": ("CoreMLExecutionProvider", {}),
    "directml": ("DmlExecutionProvider", {}),
    "qnn": ("QNNExecutionProvider", {}),
    "cpu": ("CPUExecutionProvider", {}),
}
_EXTERNAL_DATA = "session.model_external_initializers_file_folder_path"
_FLOAT = "tensor(float)"
# What `auto` tries, best first; TensorRT and QNN have to be asked for, as they compile for minutes.
_AUTO = ("cuda", "migraphx", "rocm", "coreml", "openvino", "directml", "cpu")


@dataclass(frozen=True)
class Choice:
    """Which execution provider will run the model, and what to tell about it."""

    name: str
    """A key of PROVIDERS."""
    remark: str
    """Empty where there is nothing to say."""


def choose_provider(wanted: str, start: Callable[[str], object]) -> Choice:
    """Return the provider for `wanted`, a key of PROVIDERS or `auto`.

    `auto` takes the best one that this onnxruntime offers and that starts, with a remark on those
    that do not: `start` raises ProviderError. It is raised too where one that was asked for by name
    is missing.
    """
    offered = set(onnxruntime.get_available_providers())
    here = [name for name in PROVIDERS if PROVIDERS[name][0] in offered]
    if wanted == "auto":
        remarks = []
        for name in (name for name in _AUTO if name in here and name != "cpu"):
            try:
                start(name)
            except ProviderError as error:
                remarks.append(f"{error}; using the next best")
            else:
                return Choice(name, "; ".join(remarks))
        return Choice("cpu", "; ".join(remarks))
    if wanted not in PROVIDERS:
        raise ProviderError(f"unknown provider '{wanted}': give auto, {', '.join(PROVIDERS)}")
    if wanted not in here:
        raise ProviderError(
            f"this onnxruntime has no provider '{wanted}': it has {', '.join(here)}; install the "
            "wheel that has it, such as make site ONNXRUNTIME=onnxruntime-gpu"
        )
    return Choice(wanted, "")


def open_session(
    onnx: bytes, manifest: ModelManifest, provider: str
) -> onnxruntime.InferenceSession:
    """Return a session for an ONNX file that runs on `provider` (a key of PROVIDERS), one thread;
    parallel work is one photo per process, so that results do not depend on how many there are.

    Raises ProviderError where it does not start, or where onnxruntime quietly took another one, and
    ModelError where inputs and outputs are not those that the manifest tells of.
    """
    # TF32 keeps ten bits of each factor. This switches it off in all of NVIDIA's libraries.
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised, and told once
    # No other file may have a say in what was hashed: there can be none in a folder that is none.
    options.add_session_config_entry(_EXTERNAL_DATA, os.path.join(os.devnull, ""))
    name, settings = PROVIDERS[provider]
    try:
        session = onnxruntime.InferenceSession(
            onnx, options, providers=[(name, settings)], enable_fallback=False
        )
    except Exception as error:  # onnxruntime's own exceptions share no base but Exception
        raise ProviderError(f"{name} cannot run {manifest.onnx.name}: {one_line(error)}") from None
    if session.get_providers()[0] != name:
        raise ProviderError(f"{name} did not start")
    session._model_bytes = None  # kept to start anew on another provider, which nobody wants
    _check(session, manifest)
    return session


def _check(session: onnxruntime.InferenceSession, manifest: ModelManifest) -> None:
    """Compare what an ONNX file says it takes and gives with the manifest."""
    spec, file = manifest.input, manifest.onnx.name
    try:
        inputs = [(one.name, one.type, tuple(one.shape)) for one in session.get_inputs()]
        outputs = {one.name: (one.type, tuple(one.shape)) for one in session.get_outputs()}
    except Exception as error:  # names that are no text
        raise ModelError(f"{file} cannot be read: {one_line(error)}") from None
    picture = (1, 3, spec.crop, spec.crop)
    if len(inputs) != 1:
        raise ModelError(f"{file} has {len(inputs)} inputs, expected one")
    name, kind, shape = inputs[0]
    if (name, kind) != (spec.name, _FLOAT) or not _can_be(shape, picture):
        raise ModelError(
            f"{file} takes {_told(name, kind, shape)}, expected {_told(spec.name, _FLOAT, picture)}"
        )
    for layer in manifest.layers:
        if not layer.exported:
            continue
        if layer.name not in outputs:
            known = artifacts.printable(", ".join(list(outputs)[:5]))
            raise ModelError(f"{file} has no output '{layer.name}': it has {known}, …")
        kind, shape = outputs[layer.name]
        allowed = _shapes(layer, manifest)
        if kind != _FLOAT or not any(_can_be(shape, one) for one in allowed):
            raise ModelError(
                f"{file} gives {_told(layer.name, kind, shape)}, "
                f"expected {_told(layer.name, _FLOAT, allowed[0])}"
            )


def _shapes(layer: Layer, manifest: ModelManifest) -> list[tuple[int, ...]]:
    """Return the shapes that an output can have for one picture: vectors can keep empty axes."""
    maps, vector = (1, layer.channels, layer.height, layer.width), (1, layer.channels)
    if layer.spatial:
        return [maps]
    return [vector] if layer.name == manifest.logits else [vector, maps]


def _can_be(shape: Sequence[Any], expected: tuple[int, ...]) -> bool:
    """Tell whether a declared shape, in which axes can have names for lengths, may be `expected`."""
    return len(shape) == len(expected) and all(
        not isinstance(length, int) or length == want
        for length, want in zip(shape, expected, strict=True)
    )


def _told(name: str, kind: str, shape: Sequence[Any]) -> str:
    return artifacts.printable(f"'{name}', {kind} ({', '.join(map(str, shape))})")


@contextmanager
def as_model_error(manifest: ModelManifest) -> Iterator[None]:
    """Turn whatever onnxruntime raises while it runs a model into ModelError."""
    try:
        yield
    except Exception as error:  # onnxruntime's own exceptions share no base but Exception
        raise ModelError(f"{manifest.onnx.name} cannot be run: {one_line(error)}") from None


def run(
    session: onnxruntime.InferenceSession,
    manifest: ModelManifest,
    picture: NDArray[np.float32],
    layers: Sequence[str] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Return the activations of every exported layer, or only of `layers`, for one
    (1, 3, crop, crop) input, without the batch axis: (channels, height, width), or (channels,) for
    vectors.

    Raises ModelError: all pictures have one shape and type, so that no photo is to blame.
    """
    wanted = [layer for layer in manifest.layers if layer.exported]
    if layers is not None:
        wanted = [manifest.layer(name) for name in layers]
    with as_model_error(manifest):
        outputs = session.run([layer.name for layer in wanted], {manifest.input.name: picture})
    for layer, output in zip(wanted, outputs, strict=True):
        if output.shape not in _shapes(layer, manifest):
            raise ModelError(
                f"{manifest.onnx.name} gives {_told(layer.name, str(output.dtype), output.shape)}, "
                f"expected {_told(layer.name, 'float32', _shapes(layer, manifest)[0])}"
            )
    return {layer.name: output[0] for layer, output in zip(wanted, outputs, strict=True)}
