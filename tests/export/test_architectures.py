"""Which models there are, why others are not, and what preprocessing goes with which weights."""

from dataclasses import asdict

import pytest

from export.architectures import MODELS, architecture
from export.errors import ExportError, LabelsError, WeightsError
from export.torchvision_import import models

TOKENS = ("vit_", "swin_", "maxvit_")


def refusal(*arguments, kind=ExportError):
    with pytest.raises(kind) as raised:
        architecture(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_models_are_all_that_torchvision_has_but_those_that_are_refused_with_a_reason():
    refused = set(models.list_models(module=models)) - set(MODELS)
    of_tokens = {name for name in refused if name.startswith(TOKENS)}
    assert refused - of_tokens == {"regnet_y_128gf"}
    assert len(MODELS) > 60
    for name in of_tokens:
        assert refusal(name).startswith(f"{name} computes with tokens")
    assert "an ONNX file holds less than 2 GB" in refusal("regnet_y_128gf")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("resnet19", "did you mean resnet1"),
        ("vgg", "did you mean vgg"),
        ("effcientnet_b0", "did you mean efficientnet_b0 or "),
        ("", "python -m export --help"),
        ("xyzzy", "python -m export --help"),
    ],
)
def test_an_unknown_name_gets_near_ones(name, near):
    assert refusal(name).startswith(f"unknown model '{name}': {near}")


def test_every_model_and_all_its_weights_have_their_own_preprocessing():
    checked = 0
    for name in MODELS:
        for published in models.get_model_weights(name):
            if not published.meta["categories"]:
                continue  # weights without a head
            found = architecture(name, published.name.lower())
            preset = published.transforms()
            assert found.published is published
            assert asdict(found.input) == {
                "name": "input",
                "resize": preset.resize_size[0],
                "crop": preset.crop_size[0],
                "interpolation": preset.interpolation.value,
                "mean": tuple(preset.mean),
                "std": tuple(preset.std),
            }
            checked += 1
    assert checked > len(MODELS) + 20


@pytest.mark.parametrize("weights", ["auto", "random:0", "mine.pth", "imagenet1k_v1"])
def test_what_else_is_used_is_prepared_as_for_the_first_weights(weights):
    assert architecture("resnet50", weights).input.resize == 256
    assert architecture("resnet50", "imagenet1k_v2").input.resize == 232


def test_weights_that_are_not_published_are_told():
    message = refusal("resnet18", "imagenet1k_v2", kind=WeightsError)
    assert (
        message == "torchvision has no weights 'imagenet1k_v2' for resnet18: it has imagenet1k_v1"
    )
    message = refusal("vgg16", "imagenet1k_features", kind=WeightsError)
    assert message.endswith(": it has imagenet1k_v1")


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_what_stands_in_front_of_the_published_weights_is_there_with_any(name):
    model = architecture(name).build()
    assert model.transform_input
    assert not model.aux_logits
    assert [part for part, _ in model.named_modules() if "aux" in part.lower()] == []


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "mobilenet_v3_small", "googlenet"])
def test_a_head_has_as_many_outputs_as_there_are_labels(name):
    found = architecture(name, "random:0", ("cat", "dog", "crane"))
    assert found.categories == ("cat", "dog", "crane")
    assert list(found.build().state_dict().values())[-1].shape == (3,)


@pytest.mark.parametrize("weights", ["auto", "bundled", "imagenet1k_v1"])
def test_labels_do_not_rename_the_classes_of_imagenet(weights):
    message = refusal("resnet18", weights, ("cat", "dog"), kind=LabelsError)
    assert message.startswith(f"the weights '{weights}' answer with ImageNet's classes")
