"""Run the model with onnxruntime, on whatever hardware it was installed for."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from export.manifest import ModelManifest
from precompute.errors import ProviderError

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
# What `auto` tries, best first; TensorRT and QNN have to be asked for, as they compile for minutes.
_AUTO = ("cuda", "migraphx", "rocm", "coreml", "openvino", "directml", "cpu")


@dataclass(frozen=True)
class Choice:
    """Which execution provider will run the model, and what to tell about it."""

    name: str
    """A key of PROVIDERS."""
    remark: str
    """Empty where there is nothing to say."""


def choose_provider(wanted: str, onnx: Path) -> Choice:
    """Return the provider for `wanted`, a key of PROVIDERS or `auto`.

    `auto` takes the best one that this onnxruntime offers and that starts, with a remark on those
    that do not. Raises ProviderError where one that was asked for by name is missing.
    """
    offered = set(onnxruntime.get_available_providers())
    here = [name for name in PROVIDERS if PROVIDERS[name][0] in offered]
    if wanted == "auto":
        remarks = []
        for name in (name for name in _AUTO if name in here and name != "cpu"):
            try:
                open_session(onnx, name)
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


def open_session(onnx: Path, provider: str) -> onnxruntime.InferenceSession:
    """Return a session that runs on `provider` (a key of PROVIDERS), one thread; parallel work is
    one photo per process, so that results do not depend on how many there are.

    Raises ProviderError where it does not start, or where onnxruntime quietly took another one.
    """
    # TF32 keeps ten bits of each factor. This switches it off in all of NVIDIA's libraries.
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    name, settings = PROVIDERS[provider]
    try:
        session = onnxruntime.InferenceSession(onnx, options, providers=[(name, settings)])
    except Exception as error:  # onnxruntime's own exceptions share no base but Exception
        text = " ".join(str(error).split())[:200]
        raise ProviderError(f"{name} cannot run {onnx}: {text}") from None
    if session.get_providers()[0] != name:
        raise ProviderError(f"{name} did not start")
    return session


def run(
    session: onnxruntime.InferenceSession,
    manifest: ModelManifest,
    picture: NDArray[np.float32],
    layers: Sequence[str] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Return the activations of every exported layer, or only of `layers`, for one
    (1, 3, crop, crop) input, without the batch axis: (channels, height, width), or (channels,) for
    vectors.
    """
    names = layers or [layer.name for layer in manifest.layers if layer.exported]
    outputs = session.run(names, {manifest.input.name: picture})
    return {name: output[0] for name, output in zip(names, outputs, strict=True)}
