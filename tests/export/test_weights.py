"""Weights from every source, and one clear line about each that cannot be used."""

import hashlib
import http.server
import io
import os
import pickle
import re
import threading
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import artifacts
from export import weights
from export.architectures import architecture
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


@pytest.mark.parametrize(
    ("name", "renamed"),
    [
        # The published files of DenseNet spell the layers of a block with one more full stop.
        ("densenet121", (r"(denselayer\d+\.(?:norm|relu|conv))([12])\.", r"\1.\2.")),
        ("mnasnet0_5", None),  # asks which version of its code made a file
    ],
)
def test_a_file_of_another_family_gives_its_weights(save, name, renamed):
    chosen = architecture(name)
    expected = load_weights("random:5", chosen)[0].state_dict()
    written = {re.sub(*renamed, key) if renamed else key: t for key, t in expected.items()}
    assert (written.keys() != expected.keys()) == bool(renamed)
    assert same(load_weights(str(save(written)), chosen)[0], expected)


@pytest.mark.parametrize(
    ("name", "helper"),
    [("googlenet", "aux1.conv.conv.weight"), ("inception_v3", "AuxLogits.fc.bias")],
)
def test_helpers_of_training_are_left_out_by_their_names_and_nothing_else_is(save, name, helper):
    chosen = architecture(name)
    expected = load_weights("random:5", chosen)[0].state_dict()
    path = save({**expected, helper: torch.ones(3)})
    assert same(load_weights(str(path), chosen)[0], expected)
    path = save({**expected, f"x{helper}": torch.ones(3)})
    with pytest.raises(WeightsError, match=f"with unknown x{helper}"):
        load_weights(str(path), chosen)


OWN = {"fc.weight": torch.zeros(3, 512), "fc.bias": torch.zeros(3)}


def test_a_head_of_ones_own_takes_labels(filled, save):
    path = save({**filled, **OWN})
    model, _, _ = load_weights(str(path), architecture("resnet18", str(path), ("a", "b", "c")))
    assert same(model, {**filled, **OWN})


@pytest.mark.parametrize(
    ("labels", "problem"), [(None, "ImageNet has 1000"), (("a", "b"), "LABELS names 2")]
)
def test_a_head_with_other_classes_is_told_to_take_labels(filled, save, labels, problem):
    path = save({**filled, **OWN})
    with pytest.raises(WeightsError) as raised:
        load_weights(str(path), architecture("resnet18", str(path), labels))
    assert str(raised.value) == (
        f"{path} answers with 3 classes, and {problem}: give LABELS=FILE with 3 lines, a class "
        "each, in the order of the model's outputs"
    )


def test_a_file_of_another_model_is_not_told_to_take_labels(filled, save, refusal):
    fewer = {name: tensor for name, tensor in filled.items() if not name.startswith("bn1.")}
    assert "LABELS" not in refusal(save({**fewer, **OWN}))


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


def test_a_model_without_bundled_weights_says_what_can_be_given(cache):
    with pytest.raises(WeightsError) as raised:
        load_weights("auto", architecture("mnasnet0_5"))
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith("torchvision's IMAGENET1K_V1 weights could not be downloaded ")
    assert message.endswith(
        "; none are bundled for mnasnet0_5, and WEIGHTS=random:0 shows it untrained"
    )
    with pytest.raises(WeightsError, match="give imagenet1k_v1, random:0 or a file"):
        load_weights("bundled", architecture("mnasnet0_5"))


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


# What is in a file, whatever its name says


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "run git lfs pull"),
        (b"\n <!DOCTYPE html><html><title>Not found</title>", "is a web page, not the weights"),
        (b"<html><body>busy</body></html>", "is a web page, not the weights"),
    ],
)
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_what_is_often_taken_for_weights_is_told(tmp_path, refusal, suffix, content, problem):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    assert problem in refusal(path)


def test_files_with_each_others_names_are_told(filled, save, refusal):
    pytorch = save(filled, "a.pth")
    other = pytorch.rename(pytorch.with_name("a.safetensors"))
    assert refusal(other) == f"{other} is a PyTorch file, not safetensors: name it .pth"
    tensors = save(filled, "b.safetensors")
    other = tensors.rename(tensors.with_name("b.pth"))
    expected = f"{other} is a safetensors file, not PyTorch's: name it .safetensors"
    assert refusal(other) == expected


@pytest.mark.parametrize("how", [{}, {"_use_new_zipfile_serialization": False}])
@pytest.mark.parametrize("forced", ["", "1"])
def test_code_does_not_run_in_either_format(
    save, refusal, tmp_path, monkeypatch, filled, how, forced
):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", forced)
    trace = tmp_path / "it-ran"

    class Payload:
        def __reduce__(self):
            return os.mkdir, (os.fspath(trace),)

    path = save({**filled, "x": Payload()}, **how)
    assert refusal(path).startswith(f"{path} holds more than tensors")
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists(), "the payload would not have run anyway"


def test_what_is_no_regular_file_is_told_and_not_waited_for(tmp_path, refusal):
    pipe = tmp_path / "w.pth"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        assert refusal(path).startswith(f"no weights at {path}, which is no file: give auto, ")


def test_a_file_that_cannot_be_read_is_told(filled, save, refusal, monkeypatch):
    path = save(filled)

    def refuse(self):
        raise PermissionError(13, "Permission denied", os.fspath(self))

    monkeypatch.setattr(type(path), "read_bytes", refuse)
    assert refusal(path).startswith(f"{path} cannot be read: [Errno 13] Permission denied")


def test_a_file_beyond_all_measure_is_not_read(save, filled, refusal, monkeypatch):
    path = save(filled)
    with path.open("r+b") as file:
        file.truncate(weights.LARGEST_FILE + 1)  # takes no room: nothing is written there
    monkeypatch.setattr(type(path), "read_bytes", None)
    assert refusal(path) == f"{path} has 2000 MB, and weights can have 2000 MB"


@pytest.mark.parametrize(
    "change",
    [
        torch.complex64,
        torch.int32,
        torch.int8,
        torch.bool,
    ],
)
def test_other_kinds_of_numbers_are_refused(filled, save, refusal, change):
    path = save({**filled, "fc.bias": filled["fc.bias"].to(change)})
    problem = "does not fit the model: with something else than real numbers in fc.bias"
    assert refusal(path) == f"{path} {problem}"


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_taken_as_float32(resnet18, filled, save, kind):
    path = save({name: tensor.to(kind) for name, tensor in filled.items()})
    model, _, _ = load_weights(str(path), resnet18)
    assert torch.equal(model.fc.bias, filled["fc.bias"].to(kind).float())


def test_tensors_that_are_not_all_there_are_refused(filled, save, refusal):
    sparse = {**filled, "fc.weight": filled["fc.weight"].to_sparse()}
    assert "with something else than real numbers in fc.weight" in refusal(save(sparse))
    meta = {**filled, "fc.weight": filled["fc.weight"].to("meta")}
    assert "with something else than real numbers in fc.weight" in refusal(save(meta, "m.pth"))


def test_negative_variances_are_told(filled, save, refusal):
    path = save({**filled, "bn1.running_var": -torch.ones(64)})
    assert refusal(path).endswith("with negative variances in bn1.running_var")


def test_one_storage_that_stands_for_terabytes_is_refused_by_its_shape(filled, save, refusal):
    vast = torch.zeros(1).as_strided((2**20, 2**20), (0, 0))
    path = save({**filled, "fc.weight": vast, "more": vast})
    assert path.stat().st_size < 60e6
    message = refusal(path)
    assert "fc.weight is (1048576, 1048576), expected (1000, 512)" in message
    assert "with unknown more" in message


def test_a_file_that_unpacks_to_more_than_it_is_is_refused(save, refusal, tmp_path):
    path = save({"x": torch.zeros(2_000_000)})
    bomb = tmp_path / "bomb.pth"
    with (
        zipfile.ZipFile(path) as old,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert bomb.stat().st_size < 100_000
    assert refusal(bomb).startswith(f"{bomb} would unpack to 8 MB from 0.0 MB")


@pytest.mark.parametrize(
    "header",
    [
        (2**62).to_bytes(8, "little") + b"{",
        (2**32).to_bytes(8, "little") + b"{}",
        (90_000_000).to_bytes(8, "little") + b"{}",
        (75).to_bytes(8, "little")
        + b'{"x":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000]}}  ',
        (60).to_bytes(8, "little")
        + b'{"x":{"dtype":"F32","shape":[1],"data_offsets":[9e18,4]}}    ',
    ],
    ids=range(5),
)
def test_a_header_that_claims_too_much_is_refused(tmp_path, refusal, header):
    path = tmp_path / "w.safetensors"
    path.write_bytes(header + bytes(16))
    assert refusal(path).startswith(f"{path} is not a whole safetensors file: ")


def test_names_of_tensors_cannot_break_the_line(filled, save, refusal):
    path = save({**filled, "a\n\x1b[31mb": torch.zeros(1)})
    assert refusal(path).endswith("with unknown a  [31mb")


# Hashes


def test_a_hash_that_is_given_is_checked_first(filled, save, refusal, resnet18, monkeypatch):
    path = save(filled)
    found = artifacts.sha256(path)
    model, _, _ = load_weights(str(path), resnet18, found.upper())
    assert same(model, filled)
    monkeypatch.setattr(weights, "_read", None)
    with pytest.raises(WeightsError) as error:
        load_weights(str(path), resnet18, "0" * 64)
    assert str(error.value) == f"{path} is another file: expected SHA-256 {'0' * 64}, got {found}"


@pytest.mark.parametrize(
    ("spec", "sha256", "problem"),
    [
        ("bundled", "0" * 64, "a SHA-256 goes with a file of your own, and 'bundled' is none"),
        ("random:1", "0" * 64, "a SHA-256 goes with a file of your own, and 'random:1' is none"),
        ("w.pth", "abc", "'abc' is no SHA-256: expected 64 hex digits"),
    ],
)
def test_a_hash_that_says_nothing_is_told(resnet18, spec, sha256, problem):
    with pytest.raises(WeightsError) as error:
        load_weights(spec, resnet18, sha256)
    assert str(error.value) == problem


def test_what_is_hashed_is_what_is_read(filled, save, resnet18, monkeypatch):
    path = save(filled)
    found, read = artifacts.sha256(path), type(path).read_bytes

    def swap(self):
        data = read(self)
        self.write_bytes(b"another file by now")
        return data

    monkeypatch.setattr(type(path), "read_bytes", swap)
    assert same(load_weights(str(path), resnet18, found)[0], filled)


# The download


@pytest.fixture
def server(cache, monkeypatch, resnet18, filled):
    """torchvision's address, pointed at this machine; what it sends can be changed."""
    file = io.BytesIO()
    torch.save({name: tensor + 1 for name, tensor in filled.items()}, file)
    whole = file.getvalue()

    class Handler(http.server.BaseHTTPRequestHandler):
        sends = whole

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(self.sends)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        name = f"resnet18-{hashlib.sha256(whole).hexdigest()[:8]}.pth"
        url = f"http://127.0.0.1:{running.server_port}/{name}"
        monkeypatch.setattr(resnet18.published.value, "url", url)
        yield Handler
        running.shutdown()


def test_a_whole_download_is_kept_and_used(server, cache, resnet18, filled):
    said = []
    model, described, _ = load_weights("imagenet1k_v1", resnet18, say=said.append)
    assert same(model, {name: tensor + 1 for name, tensor in filled.items()})
    (path,) = cache.iterdir()
    assert artifacts.sha256(path) == described.sha256
    assert said == [f"downloading torchvision's IMAGENET1K_V1 weights, to {path}"]
    load_weights("imagenet1k_v1", resnet18, say=said.append)
    assert len(said) == 1, "the second time it is there"


@pytest.mark.parametrize("kept", [0.5, 1.0])
def test_a_half_or_wrong_download_leaves_nothing(server, cache, resnet18, refusal, card, kept):
    whole = server.sends
    server.sends = whole[: int(len(whole) * kept)]
    if kept == 1:
        server.sends = bytes([server.sends[0] ^ 1]) + server.sends[1:]
    name = Path(resnet18.published.url).name
    message = refusal("imagenet1k_v1")
    assert message.startswith("torchvision's IMAGENET1K_V1 weights came damaged or incomplete (")
    expected, found = name[9:17], hashlib.sha256(server.sends).hexdigest()
    assert expected in message
    assert found in message
    assert f"they are not at {cache / name}: run curl --create-dirs -o {cache / name} " in message
    assert list(cache.iterdir()) == []
    _, described, (remark,) = load_weights("auto", resnet18)
    assert described.name == card["name"]
    assert remark.endswith(f"; using the {card['name']} instead")


def test_a_missing_download_says_where_it_looked_and_how_to_get_it(cache, resnet18, refusal):
    path = cache / Path(resnet18.published.url).name
    message = refusal("imagenet1k_v1")
    assert f"they are not at {path}: run curl --create-dirs -o {path} " in message
    assert resnet18.published.url in message


@pytest.mark.parametrize("kept", [0, 10, 0.5])
def test_a_history_that_was_cut_short_is_told(bundle, resnet18, filled, kept):
    path = bundle / "resnet18.stem_history.npz"
    data = path.read_bytes()
    path.write_bytes(data[: kept if isinstance(kept, int) else int(len(data) * kept)])
    used = weights.load_weights("bundled", resnet18)[1]
    with pytest.raises(WeightsError) as error:
        weights.stem_history(resnet18, used, filled["conv1.weight"])
    assert str(error.value).startswith(f"{path} cannot be read (")
    assert str(error.value).endswith(f"restore it with git checkout {path}, or remove it")
