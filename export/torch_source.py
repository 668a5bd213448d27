"""torchvision's networks, as an export needs them."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from export.architectures import architecture
from export.graph import keep, parameters, trace
from export.labels import IMAGENET, read_labels
from export.manifest import Classifier, Layer
from export.network import CONVOLUTION, Operation
from export.onnx_file import OPSET, VERIFIED_BATCHES, noise, onnx_bytes, verify
from export.source import About
from export.weights import Say, load_weights, stem_history


class TorchSource:
    """One of torchvision's models with weights in it."""

    reference = "PyTorch"

    def __init__(self, model: str, weights: str, sha256: str, labels: str, say: Say) -> None:
        """Load the weights that `weights` names; raises ExportError.

        `labels` is the path of the names of classes, where they are others than ImageNet's.
        """
        own = read_labels(Path(labels)) if labels not in {"", IMAGENET} else None
        self._architecture = architecture(model, weights, own)
        network, used, remarks = load_weights(weights, self._architecture, sha256, say)
        self._graph = trace(network, self._architecture.input.crop)
        self.about = About(
            architecture=model,
            input=self._architecture.input,
            categories=self._architecture.categories,
            weights=used,
            opset=OPSET,
            producers={
                name: version(name) for name in ("torch", "torchvision", "onnx", "onnxscript")
            },
            remarks=tuple(remarks),
        )

    def operations(self) -> list[Operation]:
        """See Source."""
        return list(self._graph.operations)

    def onnx(self, names: tuple[str, ...]) -> bytes:
        """See Source."""
        spec = self.about.input
        return onnx_bytes(keep(self._graph, names), spec.name, names, spec.crop)

    def verify(self, data: bytes, names: tuple[str, ...]) -> float:
        """See Source."""
        return verify(data, keep(self._graph, names), names, self.about.input.crop)

    def pictures(self) -> list[NDArray[Any]]:
        """See Source."""
        return [noise(batch, self.about.input.crop).numpy() for batch in VERIFIED_BATCHES]

    def arrays(
        self, layers: Sequence[Layer], classifier: Classifier | None
    ) -> dict[str, NDArray[Any]]:
        """See Source."""
        arrays = dict(parameters(self._graph))
        stem = next(layer.name for layer in layers if layer.op == CONVOLUTION)
        arrays["stem"] = arrays[f"{stem}.weight"]
        if classifier is not None:
            linear = self._graph.model.get_submodule(classifier.logits)
            arrays["classifier.weight"] = linear.get_parameter("weight")
            arrays["classifier.bias"] = linear.get_parameter("bias")
        with torch.random.fork_rng():
            torch.manual_seed(0)
            untrained = self._architecture.build()
        arrays["stem.untrained"] = untrained.get_submodule(stem).get_parameter("weight")
        arrays |= stem_history(self._architecture, self.about.weights, arrays["stem"])
        return {name: tensor.detach().numpy() for name, tensor in arrays.items()}
