"""Which torchvision models can be exported, and what travels with them."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from export.errors import ExportError
from export.manifest import Input
from export.torchvision_import import models

MODELS = (
    "resnet18",
    "resnet34",
    "resnet50",
    "vgg11",
    "alexnet",
    "squeezenet1_1",
    "mobilenet_v2",
    "densenet121",
    "googlenet",
    "efficientnet_b0",
)


@dataclass(frozen=True)
class Architecture:
    """A torchvision classifier, before any weights are put into it."""

    name: str
    categories: tuple[str, ...]
    input: Input
    published: Any
    """torchvision's own weights for it: a member of its weights enum."""

    def build(self) -> nn.Module:
        """Return the model in eval mode with torchvision's random initialisation."""
        model: nn.Module = models.get_model(self.name, weights=None)
        return model.eval()


def architecture(name: str) -> Architecture:
    """Return the architecture called `name`; raises ExportError where there is none."""
    if name not in MODELS:
        raise ExportError(f"unknown model '{name}': known models are {', '.join(MODELS)}")
    published = models.get_model_weights(name)["IMAGENET1K_V1"]
    preset = published.transforms()
    return Architecture(
        name=name,
        categories=tuple(published.meta["categories"]),
        input=Input(
            name="input",
            resize=preset.resize_size[0],
            crop=preset.crop_size[0],
            interpolation=preset.interpolation.value,
            mean=tuple(preset.mean),
            std=tuple(preset.std),
        ),
        published=published,
    )
