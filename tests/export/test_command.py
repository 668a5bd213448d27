"""python -m export: exit codes, one line on stderr, and nothing left of a file that is wrong."""

import shutil

import numpy as np
import onnx
import pytest

from export import build, torch_source
from export.__main__ import main
from export.browser import Copy


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    options = [
        "--model",
        "--weights",
        "--layers",
        "--sha256",
        "--out",
        "stem+blocks",
        "random:SEED",
    ]
    assert [option for option in options if option not in text] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "vgg"], "unknown model 'vgg': known models are resnet18"),
        (["--weights", "none.pth"], "no weights at none.pth, which does not exist: give auto, "),
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
    monkeypatch.setattr(torch_source, "onnx_bytes", lambda *_: b"")
    monkeypatch.setattr(torch_source, "verify", lambda *_: 0.0)
    monkeypatch.setattr(build, "browser_copy", lambda *_: Copy(b"", 0.0, 0.0))
    (tmp_path / "out").write_text("a file")
    assert main(["--weights", "random:1", "--layers", "conv1", "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("export: ")


def test_a_file_that_computes_something_else_is_not_left(exported, tmp_path, capsys, monkeypatch):
    faithful = torch_source.onnx_bytes

    def perturbed(*arguments):
        model = onnx.load_from_string(faithful(*arguments))
        (kernel,) = (t for t in model.graph.initializer if list(t.dims) == [64, 3, 7, 7])
        values = onnx.numpy_helper.to_array(kernel).copy()
        values[5, 1, 3, 3] += 0.01 * np.abs(values).max()
        kernel.raw_data = values.tobytes()
        return model.SerializeToString()

    monkeypatch.setattr(torch_source, "onnx_bytes", perturbed)
    shutil.copytree(exported.path.parent, tmp_path, dirs_exist_ok=True)
    arguments = ["--weights", "bundled", "--layers", "relu", "--out", str(tmp_path)]
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("export: the ONNX file differs from PyTorch by more than 1e-05")
    assert "relu by" in printed.err
    assert printed.err.count("\n") == 1
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"resnet18.npz"}


@pytest.mark.parametrize(("layer", "said"), [("conv1", 1), ("layer4.1.relu_1", 0)])
def test_layers_without_the_averaged_one_are_said_to_have_no_evidence(
    tmp_path, capsys, layer, said
):
    assert main(["--weights", "bundled", "--layers", layer, "--out", str(tmp_path)]) == 0
    remark = "layer4.1.relu_1 is not among the layers: no evidence for answers can be shown"
    assert capsys.readouterr().out.count(f"export: {remark}\n") == said
