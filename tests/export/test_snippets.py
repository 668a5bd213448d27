"""What the page for teaching says about PyTorch is so."""

from dataclasses import replace

import pytest
import safetensors.torch
import torch
from torch import nn

from export.architectures import architecture
from export.torchvision_import import feature_extraction, models
from export.weights import load_weights
from site_template.snippets import _environment, loaded, loaded_by

SUMMED = "layer1.0.bn2"


def model_of(weights, folder, monkeypatch) -> nn.Module:
    """Run the lines of the page's programs that make the model, in `folder`."""
    source = '{% from "snippets/_load.jinja" import model with context %}{{ model() }}'
    told = {"weights": loaded(weights, "resnet18"), "model_name": "resnet18"}
    lines = _environment().from_string(source).render(told)
    monkeypatch.chdir(folder)
    names = {"torch": torch, "models": models, "safetensors": safetensors}
    exec(lines, names)
    return names["model"]


def assert_same(found, expected):
    assert not found.training
    assert found.state_dict().keys() == expected.state_dict().keys()
    for name, tensor in expected.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name


@pytest.mark.parametrize("spec", ["random:7", "bundled"])
def test_the_programs_load_the_weights_that_were_exported(spec, resnet18, tmp_path, monkeypatch):
    expected, weights, _ = load_weights(spec, resnet18)
    safetensors.torch.save_file(expected.state_dict(), tmp_path / "resnet18.safetensors")
    assert_same(model_of(weights, tmp_path, monkeypatch), expected)


@pytest.mark.parametrize("name", ['own "best".safetensors', "own.pth"])
def test_the_programs_load_weights_from_a_file(name, resnet18, tmp_path, monkeypatch):
    state = load_weights("random:3", resnet18)[0].state_dict()
    save = torch.save if name.endswith(".pth") else safetensors.torch.save_file
    save(state, tmp_path / name)
    expected, weights, _ = load_weights(str(tmp_path / name), resnet18)
    assert_same(model_of(weights, tmp_path, monkeypatch), expected)


def test_the_programs_load_what_torchvision_publishes(resnet18, tmp_path, monkeypatch):
    expected, weights, _ = load_weights("random:5", resnet18)
    weights = replace(weights, name="IMAGENET1K_V1", source=resnet18.published.url)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / resnet18.published.url.rpartition("/")[2]
    cached.parent.mkdir(parents=True)
    torch.save(expected.state_dict(), cached)
    assert_same(model_of(weights, tmp_path, monkeypatch), expected)


@pytest.fixture
def network(resnet18):
    return load_weights("bundled", resnet18)[0]


def extracted(network, names, pictures):
    with torch.inference_mode():
        return feature_extraction.create_feature_extractor(network, names)(pictures)


def test_feature_extraction_adds_out_of_place_but_relus_overwrite(network, pictures, activations):
    names = ["bn1", SUMMED, "layer1.0.add", "fc"]  # all steps up to the last one run
    lowest = {
        name: float(tensor.min()) for name, tensor in extracted(network, names, pictures).items()
    }
    assert lowest["bn1"] == 0
    assert lowest["layer1.0.add"] == 0
    assert lowest[SUMMED] == pytest.approx(float(activations[SUMMED].min()), rel=1e-4)
    for module in network.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    for name, tensor in extracted(network, names, pictures).items():
        assert float(tensor.min()) == pytest.approx(float(activations[name].min()), rel=1e-4)
        assert float(tensor.min()) < 0


def test_a_hook_on_a_relu_is_called_twice(network, pictures):
    calls = []
    network.layer1[0].relu.register_forward_hook(lambda *args: calls.append(args))
    with torch.inference_mode():
        network(pictures)
    assert len(calls) == 2


def test_in_training_mode_every_photo_has_the_same_mean_and_spread(network, pictures):
    kept = []
    network.bn1.register_forward_hook(lambda module, args, out: kept.append(out.clone()))
    network.train()
    before = network.bn1.running_mean.clone()
    with torch.no_grad():
        network(pictures[:1])
        network(pictures[1:2])
    assert torch.allclose(kept[0].mean((0, 2, 3)), kept[1].mean((0, 2, 3)), atol=1e-3)
    assert torch.allclose(kept[0].std((0, 2, 3)), kept[1].std((0, 2, 3)), rtol=1e-2)
    assert not torch.equal(network.bn1.running_mean, before)
    kept.clear()
    network.eval()
    with torch.no_grad():
        network(pictures[:1])
        network(pictures[1:2])
    assert not torch.allclose(kept[0].mean((0, 2, 3)), kept[1].mean((0, 2, 3)), atol=1e-1)


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v3_small"])
def test_the_programs_build_other_networks_with_own_classes_as_they_were_exported(
    name, exported, tmp_path, monkeypatch
):
    labels = ("one", "other", "third")
    expected, weights, _ = load_weights("random:2", architecture(name, "random:2", labels))
    manifest = replace(
        exported.manifest, architecture=name, model="mine", weights=weights, categories=labels
    )
    source = '{% from "snippets/_load.jinja" import model with context %}{{ model() }}'
    told = {"weights": loaded_by(manifest), "model_name": manifest.architecture}
    names = {"torch": torch, "models": models}
    monkeypatch.chdir(tmp_path)
    exec(_environment().from_string(source).render(told), names)
    assert_same(names["model"], expected)
    picture = torch.ones(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(names["model"](picture), expected(picture))
