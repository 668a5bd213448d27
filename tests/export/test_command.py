"""python -m export: exit codes, one line on stderr, and nothing left of a file that is wrong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from export import build
from export.__main__ import main

ROOT = Path(__file__).parents[2]


def test_help_works():
    run = subprocess.run(
        [sys.executable, "-m", "export", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0
    options = ["--model", "--weights", "--layers", "--out"]
    assert [option for option in options if option not in run.stdout] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "vgg"], "unknown model 'vgg': known models are resnet18"),
        (["--weights", "none.pth"], "no weights at none.pth: give auto, bundled, "),
        (["--weights", "random:x"], "invalid seed 'x': "),
        (["--weights", "random:1", "--layers", "layer5"], "unknown layer 'layer5': give stem+"),
    ],
)
def test_an_error_is_one_line_on_stderr_and_exit_code_1(tmp_path, capsys, arguments, message):
    out = tmp_path / "out"
    assert main([*arguments, "--out", str(out)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"export: {message}")
    assert printed.err.count("\n") == 1
    assert not out.exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(build, "onnx_bytes", lambda *_: b"")
    monkeypatch.setattr(build, "verify", lambda *_: 0.0)
    (tmp_path / "out").write_text("a file")
    assert main(["--weights", "random:1", "--layers", "conv1", "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("export: ")


def perturbed(*arguments):
    """Write the ONNX file with one weight of one channel changed by a hundredth."""
    model = onnx.load_from_string(build_onnx(*arguments))
    (kernel,) = (tensor for tensor in model.graph.initializer if "conv1" in tensor.name)
    values = onnx.numpy_helper.to_array(kernel).copy()
    values[5, 1, 3, 3] += 0.01 * np.abs(values).max()
    kernel.raw_data = values.tobytes()
    return model.SerializeToString()


build_onnx = build.onnx_bytes


def test_a_file_that_computes_something_else_is_not_left(tmp_path, capsys, monkeypatch):
    arguments = ["--weights", "random:1", "--layers", "relu", "--out", str(tmp_path)]
    assert main(arguments) == 0
    kept = {path.name for path in tmp_path.iterdir()}
    assert {"resnet18.onnx", "resnet18.json"} <= kept
    capsys.readouterr()

    monkeypatch.setattr(build, "onnx_bytes", perturbed)
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("export: the ONNX file differs from PyTorch by more than 1e-05")
    assert "relu by" in printed.err
    assert printed.err.count("\n") == 1
    left = {path.name for path in tmp_path.iterdir()}
    assert left & {"resnet18.onnx", "resnet18.json"} == set()
