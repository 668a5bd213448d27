"""The export, from beginning to end."""

import dataclasses
import io
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import nn

import artifacts
from export.architectures import Architecture, architecture
from export.browser import browser_copy
from export.errors import ExportError, NoCopyError, VerificationError
from export.graph import Graph, describe, keep, trace
from export.manifest import (
    SCHEMA_VERSION,
    BrowserCopy,
    Classifier,
    File,
    Layer,
    ModelManifest,
    Weights,
    arrays_path,
    browser_path,
    manifest_path,
    onnx_path,
)
from export.onnx_file import OPSET, TOLERANCE, onnx_bytes, verify
from export.presets import AUTO, choose, preset
from export.weights import Say, load_weights, stem_history


@dataclasses.dataclass(frozen=True)
class Exported:
    """What an export did."""

    manifest: ModelManifest
    path: Path
    """The manifest's."""
    difference: float
    """Largest relative difference from PyTorch over all outputs."""
    remarks: list[str]


def export(
    model: str,
    weights: str,
    layers: str,
    folder: Path,
    sha256: str = "",
    say: Say = lambda line: None,
    name: str = "",
) -> Exported:
    """Write the ONNX file, its arrays, its copy for browsers and, last, its manifest to `folder`.

    They are called `name`, or like the architecture `model` where no name is given. Raises an
    ExportError; then no ONNX file and no manifest of this name are left in `folder` if the fault is
    in the file, and everything is left as it was otherwise.
    """
    name = name or model
    if name != artifacts.slug(name):
        raise ExportError(
            f"invalid name '{name}': it is part of links, so that only letters, digits, - and _ can "
            f"stand in it; {artifacts.slug(name)} would do"
        )
    chosen_architecture = architecture(model)
    network, weights_used, remarks = load_weights(weights, chosen_architecture, sha256, say)
    graph = trace(network)
    crop = chosen_architecture.input.crop
    described, classifier, no_evidence = describe(graph, crop)
    layers = preset(described) if layers == AUTO else layers
    names = choose(described, layers, classifier.features if classifier else None)
    if classifier and classifier.features not in names:
        no_evidence = f"{classifier.features}, which its answers are made of, is not shown"
    if no_evidence:
        remarks.append(f"no evidence for answers can be shown: {no_evidence}")
    taps = keep(graph, names)

    data = onnx_bytes(taps, chosen_architecture.input.name, names, crop)
    onnx_file, manifest_file = onnx_path(folder, name), manifest_path(folder, name)
    browser_file = browser_path(folder, name)
    try:
        difference = verify(data, taps, names, crop)
    except VerificationError:
        for file in (onnx_file, browser_file, manifest_file):
            file.unlink(missing_ok=True)
        raise
    evidence = classifier if classifier and classifier.features in names else None
    try:
        copy = browser_copy(data, evidence, crop)
    except NoCopyError as error:
        copy = None
        remarks.append(f"{error}: the site has no page for visitors' own photos")
    arrays = _arrays(graph, described, classifier, chosen_architecture, weights_used)
    arrays_file = arrays_path(folder, name)
    artifacts.write(onnx_file, data)
    artifacts.write(arrays_file, arrays)
    if copy:
        artifacts.write(browser_file, copy.data)
    else:
        browser_file.unlink(missing_ok=True)
    manifest = ModelManifest(
        schema_version=SCHEMA_VERSION,
        model=name,
        architecture=model,
        onnx=File(onnx_file.name, artifacts.sha256(onnx_file)),
        opset=OPSET,
        producers={name: version(name) for name in ("torch", "torchvision", "onnx", "onnxscript")},
        tolerance=TOLERANCE,
        layer_choice=layers,
        weights=weights_used,
        input=chosen_architecture.input,
        categories=chosen_architecture.categories,
        layers=tuple(
            dataclasses.replace(layer, exported=layer.name in names) for layer in described
        ),
        logits=described[-1].name,
        classifier=evidence,
        no_evidence=no_evidence,
        arrays=File(arrays_file.name, artifacts.sha256(arrays_file)),
        browser=BrowserCopy(
            file=File(browser_file.name, artifacts.sha256(browser_file)),
            bytes=len(copy.data),
            difference=copy.difference,
            rounding=copy.rounding,
        )
        if copy
        else None,
    )
    artifacts.write(manifest_file, artifacts.encode(manifest))
    return Exported(manifest, manifest_file, difference, remarks)


def _arrays(
    graph: Graph,
    layers: tuple[Layer, ...],
    classifier: Classifier | None,
    architecture: Architecture,
    weights: Weights,
) -> bytes:
    """Return the NumPy archive that ModelManifest.arrays describes."""
    arrays: dict[str, torch.Tensor] = {}
    for layer in layers:
        node = graph.nodes[layer.name]
        module = graph.model.get_submodule(str(node.target)) if node.op == "call_module" else None
        if isinstance(module, nn.Conv2d):
            arrays.setdefault("stem", module.weight)
            arrays[f"{layer.name}.weight"] = module.weight
            if module.bias is not None:
                arrays[f"{layer.name}.bias"] = module.bias
        elif isinstance(module, nn.BatchNorm2d):
            arrays[f"{layer.name}.scale"], arrays[f"{layer.name}.shift"] = _affine(module)
    if classifier is not None:
        linear = graph.model.get_submodule(classifier.logits)
        arrays["classifier.weight"] = linear.get_parameter("weight")
        arrays["classifier.bias"] = linear.get_parameter("bias")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        untrained = architecture.build()
    first = next(module for module in untrained.modules() if isinstance(module, nn.Conv2d))
    arrays["stem.untrained"] = first.weight
    arrays |= stem_history(architecture, weights, arrays["stem"])
    file = io.BytesIO()
    np.savez(file, **{name: tensor.detach().numpy() for name, tensor in arrays.items()})
    return file.getvalue()


def _affine(norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what a trained batch norm multiplies each channel with, and what it adds then.

    (x − mean) / sqrt(variance + eps) · weight + bias (Ioffe and Szegedy, "Batch normalization",
    2015), with the running mean and variance, as one factor and one summand.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    if norm.affine:
        shift = shift + norm.bias
    return scale.float(), shift.float()
