"""Weights from every source, and one clear line about each that cannot be used."""

import os
import pickle
import urllib.request

import numpy as np
import pytest
import safetensors.torch
import torch

import artifacts
from export import weights
from export.errors import WeightsError
from export.weights import load_weights


@pytest.fixture(scope="module")
def filled(resnet18, state):
    """The bundled weights as a whole state dict of torchvision's model."""
    return {**resnet18.build().state_dict(), **state}


@pytest.fixture
def save(tmp_path):
    """Write something with torch or safetensors; return the path."""

    def save(content, name="weights.pth", **how):
        path = tmp_path / name
        if path.suffix == ".safetensors":
            safetensors.torch.save_file(content, path)
        else:
            torch.save(content, path, **how)
        return path

    return save


@pytest.fixture
def refusal(resnet18):
    """Load what must be refused; return the message."""

    def refusal(spec):
        with pytest.raises(WeightsError) as raised:
            load_weights(str(spec), resnet18)
        message = str(raised.value)
        assert "\n" not in message
        return message

    return refusal


def same(model, expected):
    found = model.state_dict()
    learned = [name for name in found if not name.endswith("num_batches_tracked")]
    return [name for name in learned if not torch.equal(found[name], expected[name].float())] == []


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_file_gives_the_weights_that_are_in_it(resnet18, filled, save, name, prefix):
    path = save({prefix + key: tensor for key, tensor in filled.items()}, name)
    model, described, remarks = load_weights(str(path), resnet18)
    assert same(model, filled)
    assert (described.name, described.sha256, remarks) == (name, artifacts.sha256(path), [])


def test_a_checkpoint_gives_its_state_dict(resnet18, filled, save):
    path = save({"epoch": 3, "state_dict": filled})
    assert same(load_weights(str(path), resnet18)[0], filled)


def test_counters_of_training_may_be_left_out(resnet18, filled, save):
    path = save({n: t for n, t in filled.items() if "num_batches" not in n})
    assert same(load_weights(str(path), resnet18)[0], filled)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"conv1.weight": torch.zeros(64, 1, 7, 7)},
            "conv1.weight is (64, 1, 7, 7), expected (64, ",
        ),
        ({"fc.weight": torch.zeros(10, 512)}, "fc.weight is (10, 512), expected (1000, 512)"),
        ({"head.bias": torch.zeros(3)}, "with unknown head.bias"),
        ({"fc.bias": torch.full((1000,), torch.nan)}, "with NaN or infinite values in fc.bias"),
        (
            {"fc.bias": torch.full((1000,), 1e300, dtype=torch.float64)},
            "with NaN or infinite values in fc.bias",
        ),
    ],
)
def test_a_misfit_is_named(filled, save, refusal, change, problem):
    path = save({**filled, **change})
    assert refusal(path).startswith(f"{path} does not fit the model: {problem}")


def test_every_misfit_is_named_at_once(filled, save, refusal):
    fewer = {name: tensor for name, tensor in filled.items() if not name.startswith("bn1.")}
    message = refusal(save({**fewer, "a": torch.zeros(1), "fc.bias": torch.zeros(10)}))
    assert message.endswith(
        "fc.bias is (10,), expected (1000,); "
        "without bn1.bias, bn1.running_mean, bn1.running_var and 1 more; with unknown a"
    )


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("kept", [0, 5, 1000, 0.5, 0.999])
def test_a_file_that_was_cut_short_is_told_so(filled, save, refusal, suffix, kept):
    path = save(filled, f"w{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: kept if isinstance(kept, int) else int(len(data) * kept)])
    kind = "safetensors" if suffix == ".safetensors" else "PyTorch"
    message = refusal(path)
    assert message.startswith(f"{path} ")
    assert f"is not a whole {kind} file" in message or "or is no PyTorch file" in message


@pytest.mark.parametrize("position", [3, 40, 120, 160])
def test_damage_anywhere_in_an_old_file_is_told(save, refusal, position):
    path = save({"x": torch.zeros(3)}, _use_new_zipfile_serialization=False)
    data = bytearray(path.read_bytes())
    del data[position : position + 2]
    path.write_bytes(data)
    assert str(path) in refusal(path)


@pytest.mark.parametrize("content", [[1, 2], {"model": {}}, {0: torch.zeros(1)}, torch.zeros(2)])
def test_something_else_than_a_state_dict_is_refused(save, refusal, content):
    path = save(content)
    message = f"{path}: expected a state dict (names to tensors), got something else"
    assert refusal(path) == message


@pytest.mark.parametrize("wrapped", [False, True])
def test_code_in_a_pickle_does_not_run(save, refusal, tmp_path, wrapped):
    trace = tmp_path / "it-ran"

    class Payload:
        def __reduce__(self):
            return os.mkdir, (os.fspath(trace),)

    path = tmp_path / "w.pth"
    if wrapped:
        save({"state_dict": Payload()}, path.name)
    else:
        path.write_bytes(pickle.dumps(Payload(), protocol=2))
    message = refusal(path)
    assert not trace.exists()
    assert message.startswith(f"{path} holds more than tensors")
    torch.load(path, weights_only=False) if wrapped else pickle.loads(path.read_bytes())
    assert trace.exists(), "the payload would not have run anyway"


def test_an_unknown_suffix_is_named(tmp_path, refusal):
    path = tmp_path / "w.h5"
    path.write_bytes(b"weights")
    assert refusal(path) == f"{path}: expected a .safetensors or .pth file, got '.h5'"


def test_a_missing_file_is_told_with_what_can_be_given(tmp_path, refusal):
    assert refusal(tmp_path / "none.pth") == (
        f"no weights at {tmp_path / 'none.pth'}, which does not exist: give auto, bundled, "
        "imagenet1k_v1, random:SEED or the path of a .safetensors or .pth file"
    )


@pytest.mark.parametrize("seed", ["", "x", "-1", "1.5", "²", str(2**64)])
def test_a_bad_seed_is_named(refusal, seed):
    message = refusal(f"random:{seed}")
    assert message.startswith(f"invalid seed '{seed}': write random:SEED with a whole number")


def test_random_weights_depend_on_the_seed_alone(resnet18):
    torch.manual_seed(1)
    state_before = torch.get_rng_state()
    first = load_weights("random:7", resnet18)
    assert torch.equal(torch.get_rng_state(), state_before)
    torch.manual_seed(2)
    again, other = load_weights("random:7", resnet18), load_weights("random:8", resnet18)
    assert same(first[0], again[0].state_dict())
    assert not same(first[0], other[0].state_dict())
    described = first[1]
    assert (described.name, described.sha256) == ("random weights, seed 7", None)
    assert (described.accuracy, described.knows) == ((), ())


@pytest.fixture
def bundle(tmp_path, monkeypatch, resnet18):
    """A copy of the bundled weights' folder to spoil."""
    for path in weights.BUNDLED.glob(f"{resnet18.name}.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(weights, "BUNDLED", tmp_path)
    return tmp_path


def test_a_bundled_file_that_its_card_does_not_describe_is_refused(bundle, card, refusal):
    path = bundle / card["file"]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    message = refusal("bundled")
    assert f"expected SHA-256 {card['sha256']}, got {artifacts.sha256(path)}" in message
    path.unlink()
    assert f"expected SHA-256 {card['sha256']}, got no file" in refusal("bundled")


def test_a_history_of_other_weights_is_refused(bundle, resnet18, filled):
    path = bundle / "resnet18.stem_history.npz"
    with np.load(path) as file:
        history = dict(file)
    history["weights"] = history["weights"][:-1]
    np.savez(path, **history)
    used = weights.load_weights("bundled", resnet18)[1]
    stem = filled["conv1.weight"]
    with pytest.raises(WeightsError, match="does not end in the bundled weights"):
        weights.stem_history(resnet18, used, stem)
    path.unlink()
    assert weights.stem_history(resnet18, used, stem) == {}


def test_a_card_that_knows_what_is_no_category_is_refused(bundle, refusal):
    path = bundle / "resnet18.toml"
    path.write_text(path.read_text().replace("knows = [", 'knows = ["unicorn", '))
    assert refusal("bundled") == f"{path}: 'knows' lists what is no category: unicorn"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of downloads, and a network that refuses every connection."""
    monkeypatch.setenv("TORCH_HOME", os.fspath(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # it remembers the proxy of before
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def cached(cache, monkeypatch, resnet18, filled):
    """A file in the cache under a name with its own hash, and torchvision pointed at that name:
    nobody can make a file with the hash of the published one."""
    path = cache / "new.pth"
    torch.save({name: tensor + 1 for name, tensor in filled.items()}, path)
    named = path.rename(cache / f"resnet18-{artifacts.sha256(path)[:8]}.pth")
    monkeypatch.setattr(resnet18.published.value, "url", f"https://example.org/{named.name}")
    return named


def test_auto_falls_back_to_the_bundled_weights_with_a_remark(cache, resnet18, filled, card):
    model, described, (remark,) = load_weights("auto", resnet18)
    assert same(model, filled)
    assert described.name == card["name"]
    assert remark.startswith("torchvision's IMAGENET1K_V1 weights could not be downloaded (")
    assert remark.endswith(f"; using the {card['name']} instead")
    assert list(cache.iterdir()) == []


def test_weights_asked_for_by_name_are_not_replaced(cache, refusal):
    assert "could not be downloaded" in refusal("imagenet1k_v1")


@pytest.mark.parametrize("spec", ["auto", "imagenet1k_v1"])
def test_a_cached_download_is_used(cached, resnet18, filled, spec):
    model, described, remarks = load_weights(spec, resnet18)
    assert same(model, {name: tensor + 1 for name, tensor in filled.items()})
    assert (described.name, described.source) == ("IMAGENET1K_V1", resnet18.published.url)
    assert (described.sha256, remarks) == (artifacts.sha256(cached), [])


def test_a_damaged_download_is_not_used(cached, resnet18, refusal, card):
    cached.write_bytes(b"")
    assert refusal("imagenet1k_v1").startswith(f"{cached} is damaged or another file: expected")
    _, described, (remark,) = load_weights("auto", resnet18)
    assert described.name == card["name"]
    assert f"run rm {cached}, and they are downloaded anew; using the" in remark
