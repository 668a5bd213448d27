"""An export that is killed leaves a manifest that can be read, and running it again mends the rest.

What takes long is remembered and the files are short: the writes are those of the real export.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from killing import kill, writes

import artifacts
from export import build
from export.build import export
from export.manifest import File, read_manifest


@pytest.fixture
def quick(exported, monkeypatch):
    """Return a function that gives an export of files with a text in them, in no time."""
    manifest = exported.manifest
    copy = {"difference": 0.0, "rounding": 0.0}

    def about(text: bytes):
        source = SimpleNamespace(
            about=SimpleNamespace(
                architecture=manifest.architecture,
                input=manifest.input,
                categories=manifest.categories,
                weights=manifest.weights,
                opset=manifest.opset,
                producers=manifest.producers,
                remarks=(),
            ),
            reference=exported.reference,
            operations=list,
            onnx=lambda names: b"network " + text,
            verify=lambda *_: exported.difference,
            pictures=list,
            arrays=lambda *_: {"text": np.frombuffer(text, np.uint8)},
        )
        monkeypatch.setattr(build, "TorchSource", lambda *_: source)
        described = (manifest.layers, manifest.classifier, "")
        monkeypatch.setattr(build, "describe", lambda *_: described)
        made = SimpleNamespace(data=b"copy " + text, **copy)
        monkeypatch.setattr(build, "browser_copy", lambda *_: made)
        return lambda folder: export("resnet18", "bundled", "all", folder)

    return about


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def matches(folder, file: File) -> bool:
    return artifacts.sha256(folder / file.name) == file.sha256


def test_an_export_that_is_killed_heals(quick, tmp_path):
    folder = tmp_path / "model"
    quick(b"old")(folder)
    old = content(folder)
    assert len(old) == 4
    work = quick(b"new")
    kinds = writes(lambda: work(folder))
    new = content(folder)
    assert new.keys() == old.keys()
    assert not any(new[name] == old[name] for name in old)
    assert len(kinds) > 8
    mixed = 0
    for moment in range(len(kinds)):
        for name, data in old.items():
            (folder / name).write_bytes(data)
        kill(lambda: work(folder), moment)
        manifest = read_manifest(folder / "resnet18.json")
        assert manifest.browser
        files = [manifest.onnx, manifest.arrays, manifest.browser.file]
        whole = [matches(folder, file) for file in files]
        assert {content(folder)[file.name] for file in files} <= {*old.values(), *new.values()}
        mixed += not all(whole)  # which the next stage finds out by the same hashes
        work(folder)
        assert content(folder) == new, f"killed before write {moment}, {kinds[moment]}"
    assert mixed
