"""The commands that refusals of a model name do what they promise: make is run, on a copy."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import tiny_onnx as tiny

from export.manifest import read_manifest
from precompute.errors import ModelError
from precompute.model_files import read_file

ROOT = Path(__file__).parent.parent


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Run a command where the export is played by a program that copies a model made before."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "artifacts.py", tmp_path)
    (tmp_path / "export").mkdir()
    shutil.copytree(ROOT / "locks", tmp_path / "locks")
    tiny.save(tmp_path / "made", tiny.onnx(tiny.graph(**tiny.parts())))
    python = tmp_path / ".venv-export" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nmkdir -p build/model && cp made/* build/model/\necho exported\n")
    python.chmod(0o755)
    (python.parents[1] / ".installed").touch()
    monkeypatch.chdir(tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    def make(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            env={**environment, "MODEL": "tiny"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return make


@pytest.mark.parametrize("name", ["tiny.onnx", "tiny.npz"])
def test_a_damaged_model_is_made_again_by_the_command_that_is_named(make, name):
    assert "exported" in make("make export")
    path = Path("build/model/tiny.json")
    manifest = read_manifest(path)
    file = next(one for one in (manifest.onnx, manifest.arrays) if one.name == name)
    path.with_name(name).write_bytes(b"damaged")
    with pytest.raises(ModelError) as error:
        read_file(path, file)
    assert "exported" not in make("make export"), "make does not look into files"
    (command,) = re.findall(r": run (.*)$", str(error.value))
    assert "exported" in make(command)
    read_file(path, file)


def test_a_damaged_manifest_is_made_again_by_the_command_that_is_named(make):
    make("make export")
    path = Path("build/model/tiny.json")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Exception, match="is not a ModelManifest") as error:
        read_manifest(path)
    (command,) = re.findall(r"; run (.*)$", str(error.value))
    assert "exported" in make(command)
    read_manifest(path)
