"""Which torchvision models can be exported, and what travels with them."""

import difflib
import re
from dataclasses import dataclass
from typing import Any

from torch import nn

from export.errors import ExportError, LabelsError, WeightsError
from export.manifest import Input
from export.torchvision_import import models

_TOKENS = "computes with tokens that look at each other, and has no feature maps to show"
_REFUSED = {
    r"vit_.*": _TOKENS,
    r"swin_.*": _TOKENS,
    r"maxvit_.*": _TOKENS,
    r"regnet_y_128gf": "has 2.6 GB of weights, and an ONNX file holds less than 2 GB",
}
"""Patterns of names, and why such a model cannot be exported."""


def _refusal(name: str) -> str:
    return next((why for names, why in _REFUSED.items() if re.fullmatch(names, name)), "")


MODELS = tuple(name for name in models.list_models(module=models) if not _refusal(name))
"""torchvision's convolutional classifiers."""

_WITHOUT_HELPERS = {"transform_input": True, "aux_logits": False, "init_weights": True}
_OPTIONS: dict[str, dict[str, bool]] = {
    "googlenet": _WITHOUT_HELPERS,
    "inception_v3": _WITHOUT_HELPERS,
}
"""How these are built: with the steps in front that belong to the published weights, and without
the classifiers on the way that only training uses."""
_HELPERS = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}
"""How the names of tensors begin that belong to those classifiers."""
_RENAMED = {"densenet": (r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)", r"\1\2")}
"""How torchvision's older files spell what such a model calls otherwise."""


@dataclass(frozen=True)
class Architecture:
    """A torchvision classifier, before any weights are put into it."""

    name: str
    categories: tuple[str, ...]
    input: Input
    published: Any
    """torchvision's own weights whose preprocessing is used: a member of its weights enum."""
    own_labels: bool = False
    """Whether the categories are those of the person who builds."""

    def build(self) -> nn.Module:
        """Return the model in eval mode with torchvision's random initialisation."""
        options = _OPTIONS.get(self.name, {})
        model: nn.Module = models.get_model(
            self.name, weights=None, num_classes=len(self.categories), **options
        )
        return model.eval()

    def renamed(self, name: str) -> str | None:
        """Return what the model calls the tensor `name` of a file, or None for one it has no use for."""
        if name.startswith(_HELPERS.get(self.name, ("\0",))):
            return None
        family = self.name.rstrip("0123456789")
        return re.sub(*_RENAMED[family], name) if family in _RENAMED else name


def architecture(
    name: str, weights: str = "auto", labels: tuple[str, ...] | None = None
) -> Architecture:
    """Return the architecture called `name`, with the preprocessing that `weights` want.

    `weights` is what load_weights() takes. `labels` are the categories where they are not
    torchvision's. Raises ExportError where there is no such architecture, or no such weights.
    """
    if name not in MODELS:
        raise ExportError(_unknown(name))
    published = {
        one.name.lower(): one for one in models.get_model_weights(name) if one.meta["categories"]
    }
    named = weights.startswith("imagenet1k_")
    if named and weights not in published:
        raise WeightsError(
            f"torchvision has no weights '{weights}' for {name}: it has {', '.join(published)}"
        )
    if labels is not None and (named or weights in {"auto", "bundled"}):
        raise LabelsError(
            f"the weights '{weights}' answer with ImageNet's classes, which have their names: "
            "LABELS go with a file of weights, or with random:SEED"
        )
    used = published[weights if named else "imagenet1k_v1"]
    preset = used.transforms()
    return Architecture(
        name=name,
        categories=tuple(used.meta["categories"]) if labels is None else labels,
        input=Input(
            name="input",
            resize=preset.resize_size[0],
            crop=preset.crop_size[0],
            interpolation=preset.interpolation.value,
            mean=tuple(preset.mean),
            std=tuple(preset.std),
        ),
        published=used,
        own_labels=labels is not None,
    )


def _unknown(name: str) -> str:
    if why := _refusal(name):
        return f"{name} {why}; known models are listed by python -m export --help"
    near = difflib.get_close_matches(name, MODELS, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return f"unknown model '{name}': {meant}python -m export --help lists those that are known"
