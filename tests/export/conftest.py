"""One export of every layer, shared by all tests of this folder, and real photos to run it on."""

import tomllib
from pathlib import Path

import onnxruntime
import pytest
import safetensors.torch
import torch
from PIL import Image

from export.architectures import architecture
from export.build import export

ROOT = Path(__file__).parents[2]
PHOTOS = [ROOT / "examples" / name for name in ("panda.jpg", "coffee.png")]


@pytest.fixture(scope="session")
def resnet18():
    return architecture("resnet18")


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("all")
    return export(model="resnet18", weights="bundled", layers="all", folder=folder)


@pytest.fixture(scope="session")
def manifest(exported):
    return exported.manifest


@pytest.fixture(scope="session")
def onnx_path(exported):
    return exported.path.with_name(exported.manifest.onnx.name)


@pytest.fixture(scope="session")
def session(onnx_path):
    return onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="session")
def card():
    """What the model card of the bundled weights says, whichever weights these are."""
    return tomllib.loads((ROOT / "export/bundled/resnet18.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def state(card):
    """The bundled weights, read without the exporter, in the precision that they are used in."""
    stored = safetensors.torch.load_file(ROOT / "export/bundled" / card["file"])
    return {name: tensor.float() for name, tensor in stored.items()}


@pytest.fixture(scope="session")
def pictures(resnet18):
    """Two photos as torchvision's own preset hands them to the network: (2, 3, 224, 224)."""
    preset = resnet18.published.transforms()
    return torch.stack([preset(Image.open(path).convert("RGB")) for path in PHOTOS])


@pytest.fixture(scope="session")
def activations(session, pictures):
    """What onnxruntime computes for `pictures`: name to NumPy array."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"input": pictures.numpy()}), strict=True))
