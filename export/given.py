"""Somebody's ONNX file: read, checked, and refused in one line where it cannot be shown."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.inliner
import onnxruntime
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, TensorProto

import artifacts
from export.errors import GivenError, one_line
from export.manifest import PLANES

LARGEST_FILE = 2_000_000_000
"""Bytes: what one protobuf message, and so one ONNX file, can have."""
OLDEST_OPSET = 7
"""Before, operators did not broadcast the way they do now, and onnxruntime does not run them."""

_NOT_ONNX = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the model: run git lfs pull"),
    (b"<!doctype html", "is a web page, not the model: download the file that the page is about"),
    (b"<html", "is a web page, not the model: download the file that the page is about"),
    (b"PK\x03\x04", "is a zip archive, such as PyTorch's or Keras's: export the model as ONNX"),
    (b"\x89HDF", "is an HDF5 file, such as Keras's: convert it with tf2onnx"),
)
_TURNS = {"If", "Loop", "Scan", "SequenceMap"}
_PIXEL_KINDS: dict[int, type[np.generic]] = {
    TensorProto.FLOAT: np.float32,
    TensorProto.DOUBLE: np.float64,
    TensorProto.UINT8: np.uint8,
}


@dataclass(frozen=True)
class Picture:
    """The input of somebody's model, as the file declares it."""

    name: str
    kind: type[np.generic]
    last: bool
    """Whether channels are the last axis: (batch, height, width, channels)."""
    channels: int
    side: int | None
    """Pixels; None where the file leaves it open."""


@dataclass(frozen=True)
class Given:
    """A model that somebody made."""

    path: Path
    model: ModelProto
    """Its functions written out and its weights no inputs, else as it came."""
    sha256: str
    picture: Picture


def read(path: Path, sha256: str = "") -> Given:
    """Read an ONNX file; its SHA-256, if given, is compared first. Raises GivenError."""
    path = path.expanduser()
    data = _content(path)
    found = hashlib.sha256(data).hexdigest()
    if sha256 and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise GivenError(f"'{artifacts.printable(sha256)}' is no SHA-256: expected 64 hex digits")
    if sha256 and found != sha256.lower():
        raise GivenError(f"{path} is another file: expected SHA-256 {sha256}, got {found}")
    model = _parse(data, path)
    for fault in _faults(model):
        raise GivenError(f"{path} {fault}")
    try:
        onnx.checker.check_model(model)
        model = onnx.inliner.inline_local_functions(model)
    except Exception as error:  # onnx's own exceptions share no base but Exception
        raise GivenError(
            f"{path} is no valid ONNX model: {one_line(error)}; export it again"
        ) from None
    without_weights_as_inputs(model)
    for fault in _faults_of_nodes(model.graph):
        raise GivenError(f"{path} {fault}")
    return Given(path, model, found, _picture(model, path))


def session(model: ModelProto, label: str) -> onnxruntime.InferenceSession:
    """Return `model`, ready to run on the CPU; raises GivenError, which begins with `label`."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised, and told once
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own exceptions share no base but Exception
        raise GivenError(
            f"{label} cannot be run by onnxruntime {onnxruntime.__version__}: {one_line(error)}; "
            "export it again with a widely supported opset, such as 17"
        ) from None


Run = Callable[[NDArray[Any]], dict[str, NDArray[Any]]]


def running(model: ModelProto, names: Sequence[str], label: str) -> Run:
    """Return a function from the input to the tensors called `names`, outputs of `model` or not.

    Nothing is changed about the model but that these tensors are handed out. Raises GivenError,
    then and there.
    """
    open_ = ModelProto()
    open_.CopyFrom(model)
    there = {output.name for output in open_.graph.output}
    open_.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in there)
    ready = session(open_, label)

    def run(picture: NDArray[Any]) -> dict[str, NDArray[Any]]:
        try:
            found = ready.run(list(names), {ready.get_inputs()[0].name: picture})
        except Exception as error:  # onnxruntime's own exceptions share no base but Exception
            raise GivenError(f"{label} cannot be run: {one_line(error)}") from None
        return dict(zip(names, found, strict=True))

    return run


def without_weights_as_inputs(model: ModelProto) -> None:
    """Take weights from the list of inputs, where they stood before ONNX had IR version 4."""
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in stored]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)


def _content(path: Path) -> bytes:
    if not path.is_file():
        there = "is no file" if path.exists() else "does not exist"
        raise GivenError(f"no model at {path}, which {there}: give the path of an ONNX file")
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise GivenError(
            f"{path} has {size / 1e6:.0f} MB, and an ONNX file can have {LARGEST_FILE / 1e6:.0f} MB"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise GivenError(f"{path} cannot be read: {one_line(error)}") from None


def _parse(data: bytes, path: Path) -> ModelProto:
    for beginning, fault in _NOT_ONNX:
        if data[:100].lstrip().lower().startswith(beginning.lower()):
            raise GivenError(f"{path} {fault}")
    try:
        model = onnx.load_from_string(data)
    except Exception as error:  # protobuf's exceptions share no base but Exception
        raise GivenError(
            f"{path} is no ONNX file, or a damaged one: {one_line(error)}; export the model again"
        ) from None
    if not model.graph.node:
        raise GivenError(f"{path} is no ONNX model: it has no operators; export the model again")
    return model


def _faults(model: ModelProto) -> Iterator[str]:
    """Yield why a model cannot be shown, as the rest of a sentence that begins with its path."""
    tensors = [*model.graph.initializer]
    for node in model.graph.node:
        tensors += [attribute.t for attribute in node.attribute if attribute.HasField("t")]
    if any(one.data_location == TensorProto.EXTERNAL or one.external_data for one in tensors):
        yield (
            "keeps its weights in another file: save it as one, with "
            "onnx.save_model(onnx.load(path), path, save_as_external_data=False)"
        )
    if model.graph.sparse_initializer:
        yield "keeps weights as sparse tensors: export it with plain ones"
    opset = max(
        (one.version for one in model.opset_import if one.domain in {"", "ai.onnx"}), default=0
    )
    newest = onnx.defs.onnx_opset_version()
    if opset > newest:
        yield f"uses opset {opset}, and {newest} is the newest that is known here: export it with that"
    if opset < OLDEST_OPSET:
        yield (
            f"uses opset {opset}, and {OLDEST_OPSET} is the oldest that can be run: convert it with "
            "onnx.version_converter.convert_version(model, 13)"
        )


def _faults_of_nodes(graph: GraphProto) -> Iterator[str]:
    """Yield what is wrong with operators, once those that the file itself defines are written out."""
    for node in graph.node:
        if node.domain not in {"", "ai.onnx"}:
            yield artifacts.printable(
                f"uses {node.op_type} of '{node.domain}', which is no operator of ONNX: take the "
                "file from before it was optimised for one program, or export it without"
            )
        if "Sequence" in node.op_type or node.op_type.startswith("Optional"):
            yield (
                f"makes lists of tensors ({node.op_type}), which cannot be shown: export it traced, "
                "for inference"
            )
        if node.op_type in _TURNS:
            yield (
                f"takes turns as it goes ({node.op_type}), so that its layers are not the same for "
                "every photo: export it traced, for inference"
            )


def _picture(model: ModelProto, path: Path) -> Picture:
    inputs = model.graph.input
    if len(inputs) != 1:
        names = artifacts.printable(", ".join(one.name for one in inputs)) or "none"
        raise GivenError(
            f"{path} takes {len(inputs)} inputs ({names}), and a photo is one: export the part of "
            "the model that takes a picture alone"
        )
    (declared,) = inputs
    tensor = declared.type.tensor_type
    if not tensor.HasField("shape"):
        raise GivenError(f"{path} does not say what shape its input has: export it with one")
    for one in tensor.shape.dim:
        if one.dim_value < 0:  # some converters write -1 for an open length
            one.Clear()
    dims = [one.dim_value if one.HasField("dim_value") else None for one in tensor.shape.dim]
    told = f"({', '.join('?' if one is None else str(one) for one in dims)})"
    if len(dims) != 4:
        raise GivenError(
            f"{path} takes {told}, which is no picture: expected (batch, {PLANES}, height, width) "
            f"or (batch, height, width, {PLANES})"
        )
    last = dims[3] in {1, PLANES} and dims[1] not in {1, PLANES}
    channels = (dims[3] if last else dims[1]) or PLANES
    rows, columns = (dims[1], dims[2]) if last else (dims[2], dims[3])
    if channels not in {1, PLANES} or 0 in dims[1:]:
        raise GivenError(
            f"{path} takes {told}, which is no picture in grey or colour: expected 1 or {PLANES} "
            "channels"
        )
    if rows != columns:
        raise GivenError(
            f"{path} takes pictures of {columns or '?'} × {rows or '?'} pixels, and only square ones "
            "can be shown: export it for square pictures"
        )
    if tensor.elem_type not in _PIXEL_KINDS:
        kind = TensorProto.DataType.Name(tensor.elem_type).lower()
        raise GivenError(
            f"{path} takes numbers of type {kind}, and pictures are float32, float64 or uint8 here: "
            "convert it to float32"
        )
    if dims[0] is not None and dims[0] != 1:
        raise GivenError(
            f"{path} takes {dims[0]} pictures at once: export it with a batch of 1, or a free one"
        )
    return Picture(declared.name, _PIXEL_KINDS[tensor.elem_type], last, channels, rows)
