"""What the page for a visitor's own photo computes with: the model's copy and the runtime."""

from dataclasses import dataclass

from export.manifest import Input, ModelManifest
from site_template.vendor.runtime import ENTRY, GLUE, LICENCE, WASM, Runtime

BROWSER = "_browser"
"""Folder, in the model's data, of the model's copy and its BrowserModel, `index.json`."""
RUNTIME = "vendor/onnxruntime-web"
"""Folder of the runtime, relative to the site."""


@dataclass(frozen=True)
class Download:
    """A file that a browser loads."""

    path: str
    """Relative to the site, not to the file that names it."""
    bytes: int
    """As it lies there."""
    sha256: str
    """Likewise."""
    inflated: str | None = None
    """SHA-256 after gunzip, for a server that does it on the way; None for what is not gzipped."""


@dataclass(frozen=True)
class BrowserRuntime:
    """onnxruntime-web, as much of it as runs on WebAssembly without threads."""

    version: str
    entry: Download
    """The module to import. It imports `glue`, which lies beside it."""
    glue: Download
    wasm: Download
    """Gzipped. Inflate it and hand it to `env.wasm.wasmBinary`, or `glue` will look for a file that
    is not there. A server may inflate it on the way: look whether it begins with 1f 8b."""
    licence: Download

    @property
    def files(self) -> tuple[Download, ...]:
        """All of them."""
        return self.entry, self.glue, self.wasm, self.licence


@dataclass(frozen=True)
class BrowserLayer:
    """A feature map, in few words; what they mean stands in export.manifest.Layer."""

    name: str
    """Of the ONNX output too: float32, shape (batch, channels, height, width)."""
    slug: str
    channels: int
    height: int
    width: int
    signed: bool


@dataclass(frozen=True)
class BrowserModel:
    """Everything that a browser must know to compute a photo as the gallery's were computed."""

    model: str
    onnx: Download
    """The copy that export.manifest.BrowserCopy describes, with its outputs for the classifier."""
    difference: float
    """As BrowserCopy has it, and `rounding` too."""
    rounding: float
    runtime: BrowserRuntime
    input: Input
    categories: tuple[str, ...]
    logits: str
    """Name of the output with the logits of the categories."""
    classifier: str | None
    """Name of the layer whose averages the classifier reads; None where there is none."""
    layers: tuple[BrowserLayer, ...]
    """The feature maps in forward order."""

    @property
    def first_visit(self) -> int:
        """Bytes that a browser loads before it can compute."""
        runtime = (self.runtime.entry, self.runtime.glue, self.runtime.wasm)
        return self.onnx.bytes + sum(file.bytes for file in runtime)


def own_photo(model: BrowserModel) -> str:
    """Return the path of the page for a visitor's own photo."""
    return f"{model.model}/your-photo.html"


def browser_model(manifest: ModelManifest, runtime: Runtime | None) -> BrowserModel | None:
    """Return what the page for a visitor's own photo needs; None where there is no such page,
    because the model has no copy for browsers or the runtime could not be had.
    """
    copy = manifest.browser
    if copy is None or runtime is None:
        return None
    files = {
        file.name: Download(f"{RUNTIME}/{file.name}", file.bytes, file.sha256, file.inflated)
        for file in runtime.files
    }
    data = f"{manifest.model}/data/{BROWSER}"
    return BrowserModel(
        model=manifest.model,
        onnx=Download(f"{data}/{copy.file.name}", copy.bytes, copy.file.sha256),
        difference=copy.difference,
        rounding=copy.rounding,
        runtime=BrowserRuntime(
            version=runtime.version,
            entry=files[ENTRY],
            glue=files[GLUE],
            wasm=files[WASM],
            licence=files[LICENCE],
        ),
        input=manifest.input,
        categories=manifest.categories,
        logits=manifest.logits,
        classifier=manifest.classifier.features if manifest.classifier else None,
        layers=tuple(
            BrowserLayer(
                layer.name, layer.slug, layer.channels, layer.height, layer.width, layer.signed
            )
            for layer in manifest.feature_maps
        ),
    )
