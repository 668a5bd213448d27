"""torchvision's networks, as an export needs them."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from export.architectures import architecture
from export.graph import keep, operations, trace
from export.manifest import Classifier, Layer
from export.network import Operation
from export.onnx_file import OPSET, VERIFIED_BATCHES, noise, onnx_bytes, verify
from export.source import About
from export.weights import Say, load_weights, stem_history


class TorchSource:
    """One of torchvision's models with weights in it."""

    reference = "PyTorch"

    def __init__(self, model: str, weights: str, sha256: str, say: Say) -> None:
        """Load the weights that `weights` names; raises ExportError."""
        self._architecture = architecture(model)
        network, used, remarks = load_weights(weights, self._architecture, sha256, say)
        self._graph = trace(network)
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
        return operations(self._graph, self.about.input.crop)

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
        graph = self._graph
        arrays: dict[str, torch.Tensor] = {}
        for layer in layers:
            node = graph.nodes[layer.name]
            called = node.op == "call_module"
            module = graph.model.get_submodule(str(node.target)) if called else None
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
            untrained = self._architecture.build()
        first = next(module for module in untrained.modules() if isinstance(module, nn.Conv2d))
        arrays["stem.untrained"] = first.weight
        arrays |= stem_history(self._architecture, self.about.weights, arrays["stem"])
        return {name: tensor.detach().numpy() for name, tensor in arrays.items()}


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
