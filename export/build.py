"""The export, from beginning to end."""

import dataclasses
import io
from pathlib import Path

import numpy as np

import artifacts
from export.browser import browser_copy
from export.errors import ExportError, NoCopyError, VerificationError
from export.manifest import (
    SCHEMA_VERSION,
    BrowserCopy,
    File,
    ModelManifest,
    arrays_path,
    browser_path,
    manifest_path,
    onnx_path,
)
from export.network import describe
from export.onnx_file import TOLERANCE
from export.onnx_source import OnnxSource
from export.presets import AUTO, choose, preset
from export.source import Source
from export.torch_source import TorchSource
from export.weights import Say


@dataclasses.dataclass(frozen=True)
class Exported:
    """What an export did."""

    manifest: ModelManifest
    path: Path
    """The manifest's."""
    difference: float
    """Largest relative difference from `reference` over all outputs."""
    reference: str
    """What the outputs were compared with, in words."""
    remarks: list[str]


def export(
    model: str,
    weights: str,
    layers: str,
    folder: Path,
    sha256: str = "",
    say: Say = lambda line: None,
    *,
    name: str = "",
    labels: str = "",
    input_file: Path | None = None,
) -> Exported:
    """Write the ONNX file, its arrays, its copy for browsers and, last, its manifest to `folder`.

    `model` is an architecture of torchvision's or the path of an ONNX file; `name` is what it is
    called here, else as the architecture or the file is. Raises an ExportError; then no ONNX file
    and no manifest of this model are left in `folder` if the fault is in the file, and everything
    is left as it was otherwise.
    """
    name = name or (artifacts.slug(Path(model).stem) if is_file(model) else model)
    if name != artifacts.slug(name):
        raise ExportError(
            f"invalid name '{artifacts.printable(name)}': it is part of links, so that only "
            f"letters, digits, - and _ can stand in it; {artifacts.slug(name)} would do"
        )
    source: Source
    if is_file(model):
        source = OnnxSource(Path(model), weights, sha256, labels, input_file)
    else:
        source = TorchSource(model, weights, sha256, labels, say)
    about, remarks = source.about, list(source.about.remarks)
    described, classifier, no_evidence = describe(source.operations())
    layers = preset(described) if layers == AUTO else layers
    names = choose(described, layers, classifier.features if classifier else None)
    if classifier and classifier.features not in names:
        no_evidence = f"{classifier.features}, which its answers are made of, is not shown"
    if no_evidence:
        remarks.append(f"no evidence for answers can be shown: {no_evidence}")
    evidence = None if no_evidence else classifier

    data = source.onnx(names)
    onnx_file, manifest_file = onnx_path(folder, name), manifest_path(folder, name)
    browser_file, arrays_file = browser_path(folder, name), arrays_path(folder, name)
    try:
        difference = source.verify(data, names)
    except VerificationError:
        for file in (onnx_file, browser_file, manifest_file):
            file.unlink(missing_ok=True)
        raise
    try:
        copy = browser_copy(data, evidence, source.pictures())
    except NoCopyError as error:
        copy = None
        remarks.append(f"{error}: the site has no page for visitors' own photos")
    arrays = io.BytesIO()
    np.savez(arrays, allow_pickle=False, **source.arrays(described, classifier))
    artifacts.write(onnx_file, data)
    artifacts.write(arrays_file, arrays.getvalue())
    if copy:
        artifacts.write(browser_file, copy.data)
    else:
        browser_file.unlink(missing_ok=True)
    manifest = ModelManifest(
        schema_version=SCHEMA_VERSION,
        model=name,
        architecture=about.architecture,
        onnx=File(onnx_file.name, artifacts.sha256(onnx_file)),
        opset=about.opset,
        producers=about.producers,
        tolerance=TOLERANCE,
        layer_choice=layers,
        weights=about.weights,
        input=about.input,
        categories=about.categories,
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
    return Exported(manifest, manifest_file, difference, source.reference, remarks)


def is_file(model: str) -> bool:
    """Tell whether `model` is the path of a file, not the name of an architecture."""
    return model.endswith(".onnx") or "/" in model
