"""Write a traced model as ONNX bytes, and check every output against PyTorch."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import onnx
import onnxruntime
import torch
from torch import fx

from export.errors import VerificationError

OPSET = 20
TOLERANCE = 1e-5
"""Largest difference allowed, divided by the layer's largest absolute value."""
VERIFIED_BATCHES = (1, 2)


def onnx_bytes(module: fx.GraphModule, input_name: str, names: tuple[str, ...], crop: int) -> bytes:
    """Return `module` as a self-contained ONNX file with the outputs `names`.

    The input is float32 (batch, 3, crop, crop) with a free batch size. The same module gives the
    same bytes: what the exporter notes about this machine (stack traces, paths) is taken out.
    """
    with _quiet():
        program = torch.onnx.export(
            module,
            (torch.zeros(2, 3, crop, crop),),
            dynamo=True,
            input_names=[input_name],
            output_names=list(names),
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    assert program is not None  # it is None only when the exporter is given a file to write
    model = program.model_proto
    strip(model)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def verify(data: bytes, module: fx.GraphModule, names: tuple[str, ...], crop: int) -> float:
    """Run the ONNX file beside PyTorch on pictures of noise, for each of VERIFIED_BATCHES.

    Returns the largest difference of all outputs, each relative to its largest absolute value.
    Raises VerificationError, which names the outputs that are off by more than TOLERANCE.
    """
    session = open_session(data)
    declared = tuple(output.name for output in session.get_outputs())
    if declared != names:
        raise VerificationError(f"the ONNX file has outputs {declared}, expected {names}")
    worst: dict[str, float] = {}
    for batch in VERIFIED_BATCHES:
        picture = noise(batch, crop)
        with torch.inference_mode():
            expected = module(picture)
        found = session.run(None, {session.get_inputs()[0].name: picture.numpy()})
        broken = [
            name
            for name, one in zip(names, expected, strict=True)
            if not bool(torch.isfinite(one).all())
        ]
        if broken:
            raise VerificationError(
                f"with these weights the model gives NaN or infinity in {broken[0]}: train it again, "
                "or use others"
            )
        for name, ours, theirs in zip(names, found, expected, strict=True):
            difference = relative_difference(ours, theirs.numpy())
            worst[name] = max(worst.get(name, 0.0), difference)
    parity_faults(worst, "PyTorch", "torch, torchvision, onnx and onnxscript")
    return max(worst.values())


def parity_faults(worst: Mapping[str, float], reference: str, packages: str) -> None:
    """Raise VerificationError for the outputs that differ too much from those of `reference`.

    `worst` is relative_difference() by output; `packages` are those that could be at fault.
    """
    faults = [f"{name} by {value:.1e}" for name, value in worst.items() if value > TOLERANCE]
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise VerificationError(
            f"the ONNX file differs from {reference} by more than {TOLERANCE:g} of the layer's "
            f"largest value: {', '.join(faults[:5])}{more}; please report this with the versions of "
            f"{packages}"
        )


def open_session(data: bytes) -> onnxruntime.InferenceSession:
    """Return the ONNX file `data`, ready to run on the CPU, without onnxruntime's own remarks."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def noise(batch: int, crop: int) -> torch.Tensor:
    """Return `batch` pictures of noise, (batch, 3, crop, crop), the same every time."""
    return torch.randn(batch, 3, crop, crop, generator=torch.Generator().manual_seed(batch))


def relative_difference(found: np.ndarray, expected: np.ndarray) -> float:
    """Return max |found − expected| ÷ max |expected|; infinite where shapes differ or NaN is met."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    largest = float(np.abs(expected).max())
    difference = float(np.abs(found - expected).max())
    return difference / largest if largest else difference


def strip(model: onnx.ModelProto) -> None:
    """Remove notes of the exporter that name local paths and change from run to run."""
    del model.metadata_props[:]
    model.doc_string = ""
    graph = model.graph
    del graph.metadata_props[:]
    graph.doc_string = ""
    for item in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del item.metadata_props[:]
        item.doc_string = ""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's own progress and its remarks on optional packages."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
