"""Models from strangers: whatever is wrong with the files, it is one line, and nothing is written."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import pytest
import tiny_onnx as tiny
from PIL import Image

import artifacts
from export.manifest import File, read_manifest
from precompute import trial
from precompute.decode import open_picture
from precompute.entry import answers_of, open_model
from precompute.errors import ModelError, PrecomputeError, ProviderError
from precompute.index import read_index
from precompute.model_files import read_arrays
from precompute.preprocess import crop, normalise
from precompute.session import run

ROOT = Path(__file__).parents[2]
PICTURE = np.zeros((1, 3, tiny.SIDE, tiny.SIDE), np.float32)


def built(**changes) -> bytes:
    """The network, with some of its parts changed."""
    return tiny.onnx(tiny.graph(**{**tiny.parts(), **changes}))


def started(path):
    """Open a model and run it once, as the trial does, in this process."""
    model = open_model(path, "cpu")
    return run(model.session, model.manifest, PICTURE)


def refusal(path, kind=PrecomputeError) -> str:
    with pytest.raises(kind) as error:
        started(path)
    message = str(error.value)
    assert message.isprintable()
    assert "Traceback" not in message
    return message


def precompute(manifest, photos, out):
    line = [sys.executable, "-m", "precompute", "--provider", "cpu", "--workers", "1"]
    line += ["--manifest", manifest, "--images", photos, "--out", out]
    return subprocess.run([str(word) for word in line], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(2):
        pixels = np.random.default_rng(seed).integers(0, 256, (10, 12, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.jpg", "PNG")
    return folder


def test_the_network_made_by_hand_computes_what_it_says(tmp_path):
    path = tiny.save(tmp_path, built())
    picture = np.random.default_rng(1).normal(size=PICTURE.shape).astype(np.float32)
    model = open_model(path, "cpu")
    found = run(model.session, model.manifest, picture)
    padded = np.pad(picture[0], ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    conv = np.einsum("chwij,ocij->ohw", windows, tiny.WEIGHT)
    relu = np.maximum(conv, 0)
    assert found["conv"] == pytest.approx(conv, abs=1e-5)
    assert found["relu"] == pytest.approx(relu, abs=1e-5)
    assert found["fc"] == pytest.approx(tiny.LINEAR @ relu.mean((1, 2)) + tiny.BIAS, abs=1e-5)


# The file


@pytest.mark.parametrize(
    "data",
    [b"", b"no model", b"<!doctype html><title>404</title>", built()[:-40], built()[:20]],
    ids=["empty", "text", "web page", "cut short", "cut shorter"],
)
def test_what_is_no_onnx_file_is_refused(tmp_path, data):
    message = refusal(tiny.save(tmp_path, data))
    assert "tiny.onnx" in message


def test_a_bit_that_flipped_is_found_by_the_hash(tmp_path):
    path = tiny.save(tmp_path, built())
    file = tmp_path / "tiny.onnx"
    for position in range(0, len(built()), 97):
        data = bytearray(built())
        data[position] ^= 1 << position % 8
        file.write_bytes(data)
        message = refusal(path, ModelError)
        assert message.startswith(f"{file} is not the file that tiny.json describes: expected SHA")
        assert message.endswith(f"got {artifacts.sha256(file)}: run rm {path} && make export")


def test_bits_that_flipped_with_the_hash_rewritten_are_refused_or_just_numbers(tmp_path):
    good, messages = built(), []
    for seed in range(150):
        data = bytearray(good)
        for position in np.random.default_rng(seed).integers(0, 8 * len(data), 3):
            data[position // 8] ^= 1 << int(position) % 8
        path = tiny.save(tmp_path, bytes(data))
        try:
            found = started(path)
        except PrecomputeError as error:
            messages.append(str(error))
        else:
            shapes = {name: values.shape for name, values in found.items()}
            assert shapes == {"conv": (4, 8, 8), "relu": (4, 8, 8), "fc": (3,)}
    assert all(message.isprintable() for message in messages)
    assert 50 < len(messages) < 150, "some flips break the file, and some only a weight"


def test_what_is_parsed_is_what_was_hashed(tmp_path, monkeypatch):
    path = tiny.save(tmp_path, built())
    read = Path.read_bytes

    def swap(self):
        data = read(self)
        if self.suffix in {".onnx", ".npz"}:
            self.write_bytes(b"another file by now")
        return data

    monkeypatch.setattr(Path, "read_bytes", swap)
    assert started(path)["fc"].shape == (3,)


# What is in it

RENAMED = [
    tiny.node("Conv", ["input", "w"], ["other"], tiny.ints("pads", 1, 1, 1, 1)),
    tiny.node("Relu", ["other"], ["relu"]),
    *tiny.parts()["nodes"][2:],
]
OUTPUTS = tiny.parts()["outputs"]
STRIDED = tiny.ints("strides", 2, 2)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"nodes": RENAMED, "outputs": [tiny.value("other", ["b", 4, 8, 8]), *OUTPUTS[1:]]},
            "tiny.onnx has no output 'conv': it has other, relu, fc",
        ),
        ({"outputs": OUTPUTS[:2]}, "tiny.onnx has no output 'fc': it has conv, relu"),
        (
            {
                "nodes": [
                    tiny.node("Conv", ["input", "w"], ["conv"]),
                    *tiny.parts()["nodes"][1:],
                ],
                "outputs": [
                    tiny.value("conv", ["b", 4, 6, 6]),
                    tiny.value("relu", ["b", 4, 6, 6]),
                    OUTPUTS[2],
                ],
            },
            "tiny.onnx gives 'conv', tensor(float) (b, 4, 6, 6), "
            "expected 'conv', tensor(float) (1, 4, 8, 8)",
        ),
        (
            {
                "nodes": [
                    tiny.node("Conv", ["input", "w"], ["conv"]),
                    *tiny.parts()["nodes"][1:],
                ],
                "outputs": [
                    tiny.value("conv", ["b", "c", "h", "w"]),
                    tiny.value("relu", ["b", "c", "h", "w"]),
                    OUTPUTS[2],
                ],
            },
            "expected 'conv', ",
        ),
        (
            {"inputs": [*tiny.parts()["inputs"], tiny.value("more", [1])]},
            "tiny.onnx has 2 inputs, expected one",
        ),
        (
            {"inputs": [tiny.value("input", ["b", 3, 9, 9])], "outputs": []},
            "",
        ),
        (
            {
                "inputs": [tiny.value("picture", ["b", 3, 8, 8])],
                "nodes": [
                    tiny.node("Conv", ["picture", "w"], ["conv"], tiny.ints("pads", 1, 1, 1, 1)),
                    *tiny.parts()["nodes"][1:],
                ],
            },
            "tiny.onnx takes 'picture', tensor(float) (b, 3, 8, 8), expected 'input', ",
        ),
        (
            {"inputs": [tiny.value("input", [2, 3, 8, 8])], "outputs": OUTPUTS},
            "tiny.onnx takes 'input', tensor(float) (2, 3, 8, 8), expected 'input', ",
        ),
        (
            {
                "inputs": [tiny.value("input", ["b", 3, 8, 8], tiny.INT64)],
                "nodes": [
                    tiny.node("Cast", ["input"], ["x"], tiny.integer("to", tiny.FLOAT)),
                    tiny.node("Conv", ["x", "w"], ["conv"], tiny.ints("pads", 1, 1, 1, 1)),
                    *tiny.parts()["nodes"][1:],
                ],
            },
            "tiny.onnx takes 'input', tensor(int64) (b, 3, 8, 8), expected 'input', tensor(float)",
        ),
        (
            {
                "nodes": [
                    *tiny.parts()["nodes"][:-1],
                    tiny.node("Gemm", ["flat", "v", "b"], ["y"], tiny.integer("transB", 1)),
                    tiny.node("Cast", ["y"], ["fc"], tiny.integer("to", tiny.INT64)),
                ],
                "outputs": [*OUTPUTS[:2], tiny.value("fc", ["b", 3], tiny.INT64)],
            },
            "tiny.onnx gives 'fc', tensor(int64) (b, 3), expected 'fc', tensor(float) (1, 3)",
        ),
        (
            {"nodes": [tiny.node("Summon", ["input"], ["conv"]), *tiny.parts()["nodes"][1:]]},
            "CPUExecutionProvider cannot run tiny.onnx: ",
        ),
        (
            {"tensors": [tiny.tensor("w", tiny.WEIGHT, [2**31, 2**31, 3, 3])]},
            "CPUExecutionProvider cannot run tiny.onnx: ",
        ),
        (
            {"tensors": [tiny.tensor("w", tiny.WEIGHT, [-4, 3, 3, 3])]},
            "CPUExecutionProvider cannot run tiny.onnx: ",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_another_network_than_the_manifest_tells_of_is_refused(tmp_path, changes, problem):
    message = refusal(tiny.save(tmp_path, built(**changes)))
    assert "tiny.onnx" in message
    assert problem in message


def test_onnxruntime_prints_nothing_and_tries_nothing_else(tmp_path, capfd):
    odd = tiny.node("Summon", ["input"], ["conv"]).replace(b"Summon", b"Su\xf7mon")
    refusal(tiny.save(tmp_path, built(nodes=[odd, *tiny.parts()["nodes"][1:]])), ProviderError)
    assert capfd.readouterr() == ("", "")


def test_a_network_that_asks_for_all_the_memory_cannot_be_run(tmp_path):
    nodes, tensors = tiny.parts()["nodes"], tiny.parts()["tensors"]
    huge = [
        tiny.node("ConstantOfShape", ["n"], ["z"]),
        tiny.node("ReduceSum", ["z"], ["zs"], tiny.integer("keepdims", 0)),
        tiny.node("Conv", ["input", "w"], ["y"], tiny.ints("pads", 1, 1, 1, 1)),
        tiny.node("Add", ["y", "zs"], ["conv"]),
    ]
    tensors = [*tensors, tiny.tensor("n", np.array([2**50]))]
    path = tiny.save(tmp_path, built(nodes=[*huge, *nodes[1:]], tensors=tensors))
    assert refusal(path).startswith("tiny.onnx cannot be run: ")


@pytest.mark.parametrize("location", ["w.bin", "../w.bin", "/etc/passwd", "*/_ORT_MEM_ADDR_/*"])
def test_numbers_in_other_files_are_not_read(tmp_path, monkeypatch, location):
    model = tmp_path / "model"
    external = tiny.elsewhere("w", tiny.WEIGHT.shape, location)
    path = tiny.save(model, built(tensors=[external, *tiny.parts()["tensors"][1:]]))
    for folder in (model, tmp_path):
        (folder / "w.bin").write_bytes(tiny.WEIGHT.tobytes())
    monkeypatch.chdir(model)  # onnxruntime looks beside the file, or else in this folder
    assert "tiny.onnx" in refusal(path, ProviderError)
    monkeypatch.chdir(tmp_path)
    refusal(path, ProviderError)


# A network that kills or never ends


def endless() -> bytes:
    """A network with a loop of 2⁶² rounds."""
    scalars = [tiny.value("i", [], tiny.INT64), tiny.value("c", [], tiny.BOOL)]
    body = tiny.graph(
        [tiny.node("Identity", ["c"], ["co"]), tiny.node("Identity", ["v"], ["vo"])],
        [],
        [*scalars, tiny.value("v", ["b", 4, 8, 8])],
        [tiny.value("co", [], tiny.BOOL), tiny.value("vo", ["b", 4, 8, 8])],
    )
    nodes = [
        tiny.node("Conv", ["input", "w"], ["y"], tiny.ints("pads", 1, 1, 1, 1)),
        tiny.node("Loop", ["m", "t", "y"], ["conv"], tiny.subgraph("body", body)),
        *tiny.parts()["nodes"][1:],
    ]
    more = [tiny.tensor("m", np.array(2**62)), tiny.tensor("t", np.array(True))]
    return built(nodes=nodes, tensors=[*tiny.parts()["tensors"], *more])


def test_a_network_that_never_ends_is_ended(tmp_path, monkeypatch):
    path = tiny.save(tmp_path, endless())
    monkeypatch.setattr(trial, "LIMIT", 3.0)
    with pytest.raises(ModelError, match=r"tiny\.json cannot be run: not done after 3 sec"):
        trial.try_model(path, "cpu")


def kill_yourself(task, **about):
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


def test_a_network_that_kills_its_process_does_not_kill_the_build(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "_try", kill_yourself)
    with pytest.raises(ModelError, match=r"tiny\.json cannot be run: its process "):
        trial.try_model(tmp_path / "tiny.json", "cpu")


# The command


def test_the_network_makes_a_gallery(tmp_path, photos):
    done = precompute(tiny.save(tmp_path / "model", built()), photos, tmp_path / "tiles")
    assert done.returncode == 0, done.stderr
    assert len(read_index(tmp_path / "tiles" / "tiny").images) == 2


@pytest.mark.parametrize(
    ("model", "held", "problem"),
    [
        (b"no model", None, "CPUExecutionProvider cannot run tiny.onnx: "),
        (
            built(outputs=OUTPUTS[:2]),
            None,
            "tiny.onnx has no output 'fc': it has conv, relu",
        ),
        (built(), b"no archive", "tiny.npz is not a whole NumPy archive: "),
    ],
    ids=["onnx", "output", "arrays"],
)
def test_a_refusal_is_one_line_and_exit_code_1(tmp_path, photos, model, held, problem):
    path = tiny.save(tmp_path / "model", model, held)
    done = precompute(path, photos, tmp_path / "tiles")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("precompute: ")
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "tiles").exists()


def test_numbers_that_are_not_finite_name_photo_layer_and_channel(tmp_path, photos):
    weight = tiny.WEIGHT.copy()
    weight[2, 0, 1, 1] = np.nan
    tensors = [tiny.tensor("w", weight), *tiny.parts()["tensors"][1:]]
    path = tiny.save(tmp_path / "model", built(tensors=tensors))
    done = precompute(path, photos, tmp_path / "tiles")
    assert done.returncode == 1
    assert done.stderr.startswith("photos: ") or done.stderr.startswith("precompute: ")
    assert done.stderr.count("layer conv, channel 2: NaN or infinity: ") == 2
    for photo in ("0.jpg", "1.jpg"):
        assert f"  {photo}: layer conv, channel 2: NaN" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "tiles" / "tiny" / "index.json").exists()


@pytest.mark.parametrize("factor", [1e29, 1e36])
def test_numbers_at_the_end_of_float32_give_finite_files(tmp_path, photos, factor):
    """Sums of such activations leave float32, their means do not."""
    weight = (tiny.WEIGHT * np.float32(factor)).astype(np.float32)
    linear = tiny.LINEAR / np.float32(factor)
    tensors = [tiny.tensor("w", weight), tiny.tensor("v", linear), tiny.tensor("b", tiny.BIAS)]
    held = {**tiny.arrays(), "classifier.weight": linear}
    held |= dict.fromkeys(("stem", "conv.weight"), weight)
    path = tiny.save(tmp_path / "model", built(tensors=tensors), held)
    done = precompute(path, photos, tmp_path / "tiles")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    texts = [file.read_text() for file in (tmp_path / "tiles").rglob("*.json")]
    assert len(texts) > 10
    assert [text for text in texts if "NaN" in text or "Infinity" in text] == []
    for seed in range(2):
        folder = tmp_path / "tiles" / "tiny" / str(seed)
        figures = msgspec.json.decode((folder / "conv.json").read_bytes())
        assert None not in [*figures["mean"], figures["mean_high"], *figures["pca"]["high"]]
        assert figures["mean_high"] > factor / 10
        strip = np.asarray(Image.open(folder / "_strip.png"))
        assert strip.max() > 200, "the strip is no picture of infinity"


def test_maps_of_zeros_give_finite_files(tmp_path, photos):
    zeros = np.zeros_like(tiny.WEIGHT)
    tensors = [tiny.tensor("w", zeros), *tiny.parts()["tensors"][1:]]
    held = {**tiny.arrays(), "stem": zeros, "conv.weight": zeros}
    path = tiny.save(tmp_path / "model", built(tensors=tensors), held)
    done = precompute(path, photos, tmp_path / "tiles")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    folder = tmp_path / "tiles" / "tiny" / "0"
    assert not np.asarray(Image.open(folder / "conv.png")).any(), "a flat tile"
    figures = msgspec.json.decode((folder / "conv.json").read_bytes())
    assert (figures["std"], figures["pca"]["explained"]) == ([0.0] * 4, [0.0] * 3)
    contributions = msgspec.json.decode((folder / "_contributions.json").read_bytes())
    assert not np.any(contributions["values"])


# The arrays


def packed(**changes) -> bytes:
    """An archive as np.savez writes it; the name with None is left out."""
    file = io.BytesIO()
    held = {**tiny.arrays(), **{n.replace("_", "."): a for n, a in changes.items()}}
    np.savez(file, **{name: array for name, array in held.items() if array is not None})
    return file.getvalue()


def claiming(shape: str) -> bytes:
    """An archive whose bias says that it is larger than the archive."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed())) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name == "classifier.bias.npy":
                data = data.replace(b"(3,), }" + b" " * (len(shape) - 4), f"{shape}, }}".encode())
            new.writestr(name, data)
    return out.getvalue()


class Payload:
    def __reduce__(self):
        return os.mkdir, ("/nonexistent/it-ran",)


@pytest.mark.parametrize(
    ("held", "problem"),
    [
        (packed()[:-30], " is not a whole NumPy archive: "),
        (packed()[: len(packed()) // 2], " is not a whole NumPy archive: "),
        (b"", " is not a whole NumPy archive: "),
        (packed(classifier_bias=None), " holds no classifier.bias, which its manifest tells of"),
        (
            packed(classifier_bias=tiny.BIAS[:2]),
            ": classifier.bias is float32 (2,), expected float32 (3)",
        ),
        (
            packed(classifier_weight=tiny.LINEAR.T),
            ": classifier.weight is float32 (4, 3), expected float32 (3, 4)",
        ),
        (
            packed(classifier_bias=tiny.BIAS.astype(np.float64)),
            ": classifier.bias is float64 (3,),",
        ),
        (packed(classifier_bias=tiny.BIAS.astype(int)), ": classifier.bias is int64 (3,), "),
        (packed(classifier_bias=tiny.BIAS * np.nan), ": classifier.bias holds NaN or infinity"),
        (
            packed(classifier_bias=np.array([Payload()] * 3, object)),
            ": classifier.bias is object (3,), ",
        ),
        (claiming("(3000000000000,)"), ": classifier.bias is float32 (3000000000000,), expected"),
        (
            packed(conv_weight=tiny.WEIGHT[:, :2]),
            ": conv.weight is float32 (4, 2, 3, 3), expected float32 (4, 3, 3, 3)",
        ),
        (
            packed(stem_history=tiny.WEIGHT[None]),
            " holds parts of a history that do not fit each other",
        ),
    ],
    ids=range(13),
)
def test_arrays_that_do_not_fit_the_manifest_are_refused(tmp_path, held, problem):
    path = tiny.save(tmp_path, built(), held)
    with pytest.raises(ModelError) as error:
        read_arrays(path, read_manifest(path))
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'tiny.npz'}{problem}")
    assert message.isprintable()


def test_only_the_arrays_that_are_asked_for_are_read(tmp_path):
    path = tiny.save(tmp_path, built(), packed(conv_weight=tiny.WEIGHT[:, :2]))
    found = read_arrays(path, read_manifest(path), "classifier.")
    assert found.keys() == {"classifier.weight", "classifier.bias"}


# Threads and optimisations


def test_labels_and_scores_do_not_depend_on_threads_or_optimisations(exported, example_photos):
    model = open_model(exported, "cpu")
    manifest = model.manifest
    onnx = exported.with_name(manifest.onnx.name).read_bytes()
    level = onnxruntime.GraphOptimizationLevel
    photos = sorted(p for p in example_photos.iterdir() if p.suffix in {".jpg", ".png"})[:2]
    inputs = [
        normalise(crop(open_picture(path), manifest.input), manifest.input) for path in photos
    ]
    names = [manifest.logits]
    expected = [
        answers_of(run(model.session, manifest, given, names)[manifest.logits], manifest)
        for given in inputs
    ]
    assert len(expected) == 2
    for threads, optimisation in [
        (1, level.ORT_DISABLE_ALL),
        (2, level.ORT_DISABLE_ALL),
        (2, level.ORT_ENABLE_BASIC),
        (1, level.ORT_ENABLE_EXTENDED),
        (2, level.ORT_ENABLE_ALL),
    ]:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = optimisation
        session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        for given, answers in zip(inputs, expected, strict=True):
            found = answers_of(run(session, manifest, given, names)[manifest.logits], manifest)
            assert [a.name for a in found] == [a.name for a in answers]
            for one, other in zip(found, answers, strict=True):
                assert one.probability == pytest.approx(other.probability, abs=1e-5)


def test_a_file_that_is_described_twice_over_is_read_by_its_name(tmp_path):
    path = tiny.save(tmp_path, built())
    swapped = replace(read_manifest(path), arrays=File("tiny.npz", "0" * 64))
    path.write_bytes(artifacts.encode(swapped))
    assert "tiny.npz is not the file that tiny.json describes" in refusal(path, ModelError)
