"""What a gallery will take is told before it is computed, and refused where it is too much."""

import re
import shutil
from dataclasses import replace

import pytest
import tiny_onnx as tiny
from small_gallery import Gallery, draw, quiet, rewrite

from export.manifest import read_manifest
from export.presets import PRESETS, choose
from precompute.__main__ import main
from precompute.build import Settings, precompute
from precompute.errors import PrecomputeError
from precompute.photos import find_photos
from precompute.plan import digests_of, make_plan, read_source
from precompute.size import Estimate, check_size


def bytes_of(folder):
    """Of what is published."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) - sum(
        path.stat().st_size for path in (folder / "_records").iterdir()
    )


@pytest.fixture
def plain(tmp_path):
    """A network of a few kilobytes and four photos, of which nothing is computed yet."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed, name in enumerate(("ash", "birch", "cedar", "elm")):
        draw(photos / f"{name}.jpg", seed)
    manifest = tiny.save(tmp_path / "model", tiny.onnx(tiny.graph(**tiny.parts())))
    return Tiny(Settings((manifest,), photos, tmp_path / "tiles", "cpu", 1, allow_skips=False))


class Tiny(Gallery):
    """A Gallery of that network."""

    @property
    def folder(self):
        return self.settings.tiles / "tiny"


def estimate(gallery):
    """What a build would say."""
    source = read_source(gallery.manifest)
    settings = gallery.settings
    photos = find_photos(settings.photos, source.manifest.categories).photos
    digests, _ = digests_of(photos, settings.limits)
    return make_plan(source, settings.tiles, photos, digests, "cpu", settings.limits).estimate


def refusal(gallery, most):
    with pytest.raises(PrecomputeError) as error:
        gallery.build(max_site_size=most)
    return str(error.value)


def test_the_estimate_is_near_what_is_computed(plain):
    told = estimate(plain)
    assert (told.stale, told.current) == (4, ())
    assert not plain.folder.exists(), "nothing of the measured photo is kept"
    plain.build()
    # Of so small a network the lists that are not counted are a good part.
    assert told.total == pytest.approx(bytes_of(plain.folder), rel=0.25)
    again = estimate(plain)
    assert (again.stale, len(again.current)) == (0, 4)
    assert again.total == pytest.approx(told.total, rel=0.05)


def test_a_real_network_is_estimated_as_near(gallery, slim, tmp_path):
    folder = shutil.copytree(slim.parent, tmp_path / "plain")
    rewrite(folder / slim.name, browser=None)
    shutil.rmtree(gallery.settings.tiles)
    settings = replace(gallery.settings, manifests=(folder / slim.name,))
    again = replace(gallery, settings=settings)
    told = estimate(again)
    with_browser = estimate(replace(again, settings=replace(settings, manifests=(slim,))))
    assert with_browser.total - told.total == read_manifest(slim).browser.bytes
    again.build()
    # How the kernels grew in training is told of these weights alone, and not estimated.
    history = sum(path.stat().st_size for path in again.folder.glob("_stem/[mh]*.png"))
    assert history > 0
    assert told.total == pytest.approx(bytes_of(again.folder) - history, rel=0.05)


def test_photos_that_are_current_count_as_they_are(plain):
    plain.build()
    draw(plain.photos / "birch.jpg", seed=70)
    draw(plain.photos / "dogwood.jpg", seed=71)
    told = estimate(plain)
    assert (told.stale, len(told.current)) == (2, 3)
    for image, size in zip(("ash", "cedar", "elm"), told.current, strict=True):
        folder = plain.folder / image
        own = sum(path.stat().st_size for path in folder.iterdir())
        shared = sum(path.stat().st_size for path in folder.glob("*.pca.png"))
        assert size == own + shared


def test_what_is_too_large_is_refused_and_earlier_tiles_stay(plain):
    plain.build()
    draw(plain.photos / "dogwood.jpg", seed=71)
    before = plain.stamps()
    total = estimate(plain).total
    message = refusal(plain, total - 1)
    assert plain.stamps() == before
    assert message.startswith("the gallery would take about ")
    assert "\n  tiny: about " in message
    assert re.findall(r"LAYERS=(\S+)", message) == ["activations", "blocks", "stages"]
    assert re.search(r"The largest layers are conv \([\d.]+ kB a photo\), relu", message)
    assert message.endswith("MAX_SITE_SIZE=… (none: no limit). Nothing was computed.")
    assert plain.build(max_site_size=total).computed == 1
    assert plain.build(max_site_size=None).computed == 0
    assert "Nothing was computed." in refusal(plain, 1000)


def test_as_many_photos_fit_as_it_says(plain):
    for seed in range(8):
        draw(plain.photos / f"leaf-{seed}.jpg", 70 + seed)
    most = estimate(plain).total * 2 // 3
    (fit,) = re.findall(r"About (\d+) photos would fit\.", refusal(plain, most))
    fit = int(fit)
    assert 2 < fit < 12
    leaves = sorted(plain.photos.glob("leaf-*"))
    while len(list(plain.photos.glob("*.jpg"))) > fit + 1:
        leaves.pop().unlink()
    refusal(plain, most)
    leaves.pop().unlink()
    assert plain.build(max_site_size=most).computed == fit


def measured(exported, photos=10):
    """An estimate for the whole network, each layer of which takes as many bytes as it has values."""
    manifest = replace(read_manifest(exported), browser=None)
    sizes = {
        f"{one.slug}.png": one.channels * one.height * one.width for one in manifest.feature_maps
    }
    return Estimate(manifest, {**sizes, "_photo.jpg": 1000}, photos, (), 5_000_000)


def test_fewer_layers_take_what_is_left_of_them(exported):
    told = measured(exported)
    names = set(choose(told.manifest.layers, "blocks", told.manifest.classifier.features))
    left = [one for one in told.manifest.feature_maps if one.name in names]
    assert 0 < len(left) < len(told.manifest.feature_maps)
    photo, total = told.with_layers("blocks")
    assert photo == 1000 + sum(one.channels * one.height * one.width for one in left)
    assert total < told.total
    assert total - 10 * photo < told.model


def test_presets_that_fit_are_named_and_no_others(exported):
    told = measured(exported)
    totals = {name: told.with_layers(name)[1] for name in PRESETS}
    assert totals["stages"] < totals["blocks"] < totals["activations"] < told.total
    for most, fitting in (
        (totals["activations"], ["activations", "blocks", "stages"]),
        (totals["blocks"], ["blocks", "stages"]),
        (totals["stages"], ["stages"]),
        (totals["stages"] - 1, []),
    ):
        with pytest.raises(PrecomputeError) as error:
            check_size([told], most)
        assert re.findall(r"LAYERS=(\S+)", str(error.value)) == fitting
        assert ("No choice of layers" in str(error.value)) == (not fitting)
    check_size([told], told.total)
    check_size([told], None)


def test_models_count_together(exported):
    told = measured(exported)
    both = [told, replace(told, manifest=replace(told.manifest, model="other"))]
    check_size(both, 2 * told.total)
    with pytest.raises(PrecomputeError, match=r"\n  resnet18: .*\n  other: ") as error:
        check_size(both, 2 * told.total - 1)
    assert "About 9 photos would fit." in str(error.value)
    assert "conv1 of resnet18" in str(error.value)


def test_the_command_takes_a_size(plain, capsys):
    line = [f"--manifest={plain.manifest}", f"--images={plain.photos}", "--provider=cpu"]
    line += [f"--out={plain.settings.tiles}"]
    assert main([*line, "--max-site-size", "1kB"]) == 1
    assert "and 1 kB is allowed:" in capsys.readouterr().err
    assert not plain.folder.exists()
    with pytest.raises(SystemExit):
        main([*line, "--max-site-size", "large"])
    assert "invalid size 'large'" in capsys.readouterr().err
    assert main([*line, "--max-site-size", "none"]) == 0
    assert re.search(
        r"^precompute: tiny: about [\d.]+ kB a photo, 4 photos, [\d.]+ kB for the model: ",
        capsys.readouterr().err,
    )


def test_a_build_of_nothing_new_says_nothing(plain):
    said = []
    for _ in range(2):
        precompute(plain.settings, quiet, said.append)
    assert len(said) == 1
