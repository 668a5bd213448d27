"""What cannot be used is left out and named; what is wrong with the model stops the build."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_gallery import Gallery, draw, progressive, rewrite

from export.manifest import read_manifest
from precompute import build
from precompute.__main__ import main
from precompute.build import SkippedPhotosError
from precompute.errors import PrecomputeError, ProviderError
from precompute.limits import Limits

ROOT = Path(__file__).parents[2]


@pytest.fixture
def spoilt(gallery):
    """The gallery with two files that are no pictures among the good ones."""
    data = (gallery.photos / "cedar.jpg").read_bytes()
    (gallery.photos / "cedar.jpg").write_bytes(data[: len(data) // 2])
    (gallery.photos / "elm.jpg").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    draw(gallery.photos / "fir.jpg", seed=60)
    return gallery


LFS = "a Git LFS pointer, not the picture: run git lfs pull"


def test_bad_photos_are_all_named_and_the_index_stays(spoilt):
    before = (spoilt.folder / "index.json").read_bytes()
    with pytest.raises(SkippedPhotosError) as error:
        spoilt.build()
    first, cedar, elm, last = str(error.value).split("\n")
    assert first == "2 of 6 photos cannot be used:"
    assert cedar.startswith("  cedar.jpg: cut short or damaged (")
    assert elm == f"  elm.jpg: {LFS}"
    assert last.endswith("make site ALLOW_SKIPS=1")
    assert (spoilt.folder / "index.json").read_bytes() == before
    assert (spoilt.folder / "fir" / "index.json").is_file()


def test_bad_photos_can_be_left_out(spoilt):
    built = spoilt.build(allow_skips=True)
    assert built.computed == 1
    assert [image.id for image in built.index.images] == ["grid", "ash", "birch", "fir"]
    assert [skip.file for skip in built.index.skipped] == ["cedar.jpg", "elm.jpg"]
    assert built.index.skipped[1].reason == LFS
    assert not (spoilt.folder / "cedar").exists()
    before = spoilt.stamps()
    again = spoilt.build(allow_skips=True)
    assert (again.computed, again.index) == (0, built.index)
    assert spoilt.stamps() == before


def test_names_that_look_the_same_are_not_confused(gallery):
    good, bad = (gallery.photos / name for name in ("x\udcff.png", "x\udcfe.png"))
    draw(gallery.photos / "new.png", seed=61)
    (gallery.photos / "new.png").rename(good)
    bad.write_bytes(b"no picture")
    built = gallery.build(allow_skips=True)
    assert [skip.file for skip in built.index.skipped] == ["x\\xfe.png"]
    assert len(built.index.images) == 5


def lost(gallery, name):
    """Build; return the one fault that is told, which must be of `name`."""
    before = (gallery.folder / "index.json").read_bytes()
    with pytest.raises(SkippedPhotosError) as error:
        gallery.build()
    _, fault, _ = str(error.value).split("\n")
    assert (gallery.folder / "index.json").read_bytes() == before
    assert fault.startswith(f"  {name}: ")
    return fault.removeprefix(f"  {name}: ")


def test_a_decoder_that_takes_too_long_costs_that_photo_alone(gallery):
    (gallery.photos / "fir.jpg").write_bytes(progressive(20_000, (2000, 1500)))
    draw(gallery.photos / "gum.jpg", seed=60)
    limits = Limits(seconds=6, scans=20_000)
    slow = Gallery(replace(gallery.settings, limits=limits))
    assert lost(slow, "fir.jpg") == (
        "not done after 6 seconds; the limit of seconds is 6: raise it with LIMITS=seconds=…"
    )
    assert (gallery.folder / "gum" / "index.json").is_file()


CRASH = """
import ctypes, PIL.Image
def crash(*_, **__):
    ctypes.string_at(0)
PIL.Image.Image.transpose = crash  # which turns pictures upright
"""


def test_a_decoder_that_crashes_costs_that_photo_alone(gallery, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(CRASH)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.new("RGB", (8, 8)).save(gallery.photos / "fir.jpg", exif=exif)
    draw(gallery.photos / "gum.jpg", seed=60)
    assert lost(gallery, "fir.jpg") == (
        "its process was killed by SIGSEGV, which damaged pictures can cause, or want of memory"
    )
    assert (gallery.folder / "gum" / "index.json").is_file()


def test_a_photo_that_cannot_be_read_costs_that_photo_alone(gallery, monkeypatch):
    draw(gallery.photos / "fir.jpg", seed=60)
    os_open = os.open

    def refuse(path, *how, **more):  # root may read everything, so that no mode of a file would do
        if Path(path).name == "ash.jpg":
            raise PermissionError(13, "Permission denied")
        return os_open(path, *how, **more)

    monkeypatch.setattr(os, "open", refuse)
    assert lost(gallery, "ash.jpg") == "cannot be read: Permission denied"
    assert (gallery.folder / "fir" / "index.json").is_file()


def test_a_photo_that_changes_while_it_is_read_is_told(gallery, monkeypatch):
    digests = build.digests_of

    def then_change(*about):
        found = digests(*about)
        draw(gallery.photos / "fir.jpg", seed=61)
        return found

    draw(gallery.photos / "fir.jpg", seed=60)
    monkeypatch.setattr(build, "digests_of", then_change)
    assert lost(gallery, "fir.jpg") == "was changed while it was read: build again"


def test_what_is_named_like_a_photo_and_is_none_is_listed_with_the_others(spoilt):
    (spoilt.photos / "link.png").symlink_to(spoilt.photos / "ash.jpg")
    os.mkfifo(spoilt.photos / "pipe.jpg")
    with pytest.raises(SkippedPhotosError, match=r"^4 of 8 photos cannot be used:\n"):
        spoilt.build()
    built = spoilt.build(allow_skips=True)
    assert [skip.file for skip in built.index.skipped] == [
        "cedar.jpg",
        "elm.jpg",
        "link.png",
        "pipe.jpg",
    ]


def test_photos_that_are_all_bad_give_no_gallery(gallery):
    for path in gallery.photos.iterdir():
        path.write_bytes(b"")
    (gallery.photos / "examples.toml").unlink()
    with pytest.raises(PrecomputeError, match=r"^4 of 4 photos cannot be used:\n  ash.jpg: empty"):
        gallery.build(allow_skips=True)


def test_a_box_outside_the_photo_is_told(gallery):
    (gallery.photos / "examples.toml").write_text(
        '[[photo]]\nfile = "ash.jpg"\nbox = [0, 0, 97, 80]\n'
    )
    with pytest.raises(SkippedPhotosError, match=r"ash\.jpg: 'box' is .* not inside its 96×80 pix"):
        gallery.build()


@pytest.fixture
def model(slim, tmp_path):
    """A copy of the model's files to spoil; the path of its manifest."""
    shutil.copytree(slim.parent, tmp_path / "model")
    return tmp_path / "model" / slim.name


@pytest.mark.parametrize("name", ["resnet18.onnx", "resnet18.npz"])
def test_a_model_file_that_the_manifest_does_not_describe_is_refused(gallery, model, name):
    path = model.with_name(name)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(PrecomputeError, match=r"is not the file that resnet18\.json describes: ex"):
        gallery.build(manifests=(model,))
    path.unlink()
    with pytest.raises(PrecomputeError, match=rf"got no file: run rm {model} && make export$"):
        gallery.build(manifests=(model,))


def test_a_model_that_onnxruntime_cannot_read_is_told(gallery, model):
    model.with_name("resnet18.onnx").write_bytes(b"no model")
    with pytest.raises(ProviderError, match=r"CPUExecutionProvider cannot run .*resnet18\.onnx: "):
        gallery.build(manifests=(rewrite(model),))


def test_nan_is_named_by_photo_layer_and_channel(gallery, model):
    with np.load(model.with_name("resnet18.npz")) as arrays:
        stem = arrays["stem"]
    broken = stem.copy()
    broken[7, 1, 2, 3] = np.nan
    path = model.with_name("resnet18.onnx")
    assert path.read_bytes().count(stem.tobytes()) == 1
    path.write_bytes(path.read_bytes().replace(stem.tobytes(), broken.tobytes()))
    with pytest.raises(SkippedPhotosError) as error:
        gallery.build(manifests=(rewrite(model),))
    count, *photos, _ = str(error.value).split("\n")
    fault = "layer conv1, channel 7: NaN or infinity: "
    assert count == "4 of 4 photos cannot be used:"
    assert [line.partition(fault)[0] for line in photos] == [
        "  ash.jpg: ",
        "  birch.jpg: ",
        "  cedar.jpg: ",
        "  grid.jpg: ",
    ]


def test_providers_that_are_unknown_or_missing_are_told(gallery):
    with pytest.raises(ProviderError, match=r"^unknown provider 'gpu': give auto, tensorrt, cuda"):
        gallery.build(provider="gpu")
    with pytest.raises(ProviderError, match=r"^this onnxruntime has no provider 'qnn': it has "):
        gallery.build(provider="qnn")


def test_auto_takes_what_there_is_and_says_what_it_took(gallery):
    built = gallery.build(provider="auto")
    assert built.index.provider in {
        "cuda",
        "migraphx",
        "rocm",
        "coreml",
        "openvino",
        "directml",
        "cpu",
    }


def test_no_file_holds_what_a_camera_wrote_into_the_photo(gallery):
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825)[29] = "SECRET date of the position"
    picture = Image.open(gallery.photos / "ash.jpg")
    how = {"exif": exif, "comment": b"SECRET comment", "icc_profile": b"SECRET profile"}
    picture.save(gallery.photos / "oak.jpg", **how)
    assert (gallery.photos / "oak.jpg").read_bytes().count(b"SECRET") == 4
    gallery.build()
    told = [name for name, content in gallery.files().items() if b"SECRET" in content]
    assert told == []
    for name in ("_photo.jpg", "_thumbnail.jpg"):
        with Image.open(gallery.folder / "oak" / name) as shown:
            assert dict(shown.getexif()) == {}
            assert not {"comment", "icc_profile", "exif"} & shown.info.keys()


def options(gallery):
    chosen = gallery.settings
    named = {"manifest": gallery.manifest, "images": chosen.photos, "out": chosen.tiles}
    return [
        *(f"--{name}={value}" for name, value in named.items()),
        "--provider=cpu",
        "--workers=1",
    ]


def test_the_command_tells_what_it_did(gallery, capsys):
    assert main(options(gallery)) == 0
    printed = capsys.readouterr()
    remark, summary = printed.out.splitlines()
    assert remark.startswith("precompute: the tours leave out what is not here: kept (")
    assert summary == "precompute: 4 photos, 0 computed, 3 layers each, on cpu"
    assert printed.err == ""


def test_the_command_fails_over_a_bad_photo_unless_that_is_allowed(spoilt, capsys):
    assert main(options(spoilt)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "precompute: 2 of 6 photos cannot be used:\n  cedar.jpg: cut" in printed.err
    assert main([*options(spoilt), "--allow-skips"]) == 0
    assert f"precompute: left out elm.jpg: {LFS}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"manifest": "none.json"}, "none.json does not exist: run make export"),
        ({"images": "none"}, "no folder of photos at none: give one with IMAGES=folder"),
    ],
)
def test_an_error_is_one_line_on_stderr_and_exit_code_1(gallery, capsys, change, problem):
    changed = [f"--{name}={value}" for name, value in change.items()]
    assert main([*options(gallery), *changed]) == 1
    assert capsys.readouterr() == ("", f"precompute: {problem}\n")


def test_help_names_every_option():
    command = [sys.executable, "-m", "precompute", "--help"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0
    names = ["--manifest", "--images", "--out", "--provider", "--workers", "--allow-skips"]
    assert [name for name in names if name not in run.stdout] == []


def peak_memory(gallery):
    """Build in a process of its own; return the peak of its children and itself, bytes."""
    code = (
        "import resource, sys\n"
        "from precompute.__main__ import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)\n"
        "print(*(resource.getrusage(who).ru_maxrss for who in both))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *options(gallery)], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return np.array(run.stdout.split("\n")[-2].split(), int) * 1024


def test_the_memory_of_a_build_does_not_grow_with_the_number_of_photos(built_once, tmp_path):
    peaks = []
    for count in (8, 40):
        home = tmp_path / str(count)
        home.mkdir()
        for seed in range(count):
            draw(home / f"{seed}.png", seed, size=(16, 16))
        settings = replace(built_once.settings, photos=home, tiles=tmp_path / f"tiles{count}")
        peaks.append(peak_memory(type(built_once)(settings)))
    manifest = read_manifest(built_once.manifest)
    values = sum(m.channels * m.height * m.width for m in manifest.feature_maps)
    # Whoever kept the float32 activations of all photos, would need those of 32 photos more.
    assert (peaks[1] - peaks[0]).max() < 32 * values * 4 / 3
