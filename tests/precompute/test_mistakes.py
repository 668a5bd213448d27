"""What is said of preprocessing mistakes is what the network does, run here once more by itself."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from small_gallery import draw, rewrite
from test_schemas import faults

from export.manifest import read_manifest
from precompute import lessons, mistakes
from precompute.decode import open_picture
from precompute.index import index_path, read_entry, read_index, sheet_name
from precompute.lessons import MISTAKES, read_mistakes
from precompute.limits import DEFAULT
from precompute.mistakes import CANDIDATES, CORRECT, candidates, prepare
from precompute.photos import find_photos
from precompute.reader import read_pixels


@pytest.fixture(scope="session")
def manifest(exported):
    return read_manifest(exported)


@pytest.fixture(scope="session")
def found(tiles):
    return read_mistakes(tiles)


@pytest.fixture(scope="session")
def pictures(request, manifest, tiles):
    """Every photo of the gallery, decoded when asked for."""
    if request.config.getoption("--build"):
        pytest.skip("a build does not say where its photos are")
    found = find_photos(request.getfixturevalue("example_photos"), manifest.categories)
    return {photo.id: photo.path for photo in found.photos}


@pytest.fixture(scope="session")
def network(exported, manifest):
    """A function from an input to every output by name, computed without this project's code."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = exported.parent / manifest.onnx.name
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(given):
        values = session.run(names, {manifest.input.name: given})
        return {name: value[0].astype(np.float64) for name, value in zip(names, values)}  # noqa: B905

    return run


def probabilities(logits):
    raised = np.exp(logits - logits.max())
    return raised / raised.sum()


def losses(picture, manifest, network):
    """Return what each mistake takes from the probability of the correct input's answer."""
    inputs = prepare(picture, manifest.input)
    shares = {name: probabilities(network(x)[manifest.logits]) for name, x in inputs.items()}
    answer = shares[CORRECT].argmax()
    changed = {name for name, share in shares.items() if share.argmax() != answer}
    return {
        name: shares[CORRECT][answer] - share[answer] for name, share in shares.items()
    }, changed


# Inputs


@pytest.fixture(scope="session")
def spec(manifest):
    return manifest.input


def noise(width=300, height=260):
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8))


def test_every_wrong_input_differs_from_the_correct_one_in_just_its_own_way(spec):
    inputs = prepare(noise(), spec)
    mean, std = (np.array(part).reshape(3, 1, 1) for part in (spec.mean, spec.std))
    unit = inputs[CORRECT][0] * std + mean  # 0 to 1, colour, row, column
    size = spec.crop
    expected = {
        "not-normalised": unit,
        "not-scaled": (unit * 255 - mean) / std,
        "scaled-twice": (unit / 255 - mean) / std,
        "bgr": (unit[::-1] - mean) / std,
        "reshaped": (unit.transpose(1, 2, 0).reshape(3, size, size) - mean) / std,
    }
    for name, values in expected.items():
        assert inputs[name].dtype == np.float32
        assert inputs[name][0] == pytest.approx(values, abs=1e-3), name
    assert {*expected, "squashed", "turned", CORRECT} == set(inputs)
    assert {x.shape for x in inputs.values()} == {(1, 3, size, size)}


def test_a_squashed_picture_keeps_its_margins_and_a_turned_one_lies_on_its_left(spec):
    # Red on the left, blue on the right, and green at the top, beyond what the crop keeps.
    pixels = np.zeros((300, 900, 3), np.uint8)
    pixels[:, :200, 0] = pixels[:, 700:, 2] = 255
    inputs = prepare(Image.fromarray(pixels), spec)
    grey = {name: x[0] * np.reshape(spec.std, (3, 1, 1)) for name, x in inputs.items()}
    level = {n: x + np.reshape(spec.mean, (3, 1, 1)) for n, x in grey.items()}
    assert level[CORRECT].max() < 0.01
    assert level["squashed"][0, :, :40].min() > 0.99
    assert level["squashed"][2, :, -40:].min() > 0.99
    pixels = np.zeros((300, 300, 3), np.uint8)
    pixels[:90, :, 1] = 255  # up
    turned = prepare(Image.fromarray(pixels), spec)["turned"][0, 1] * spec.std[1] + spec.mean[1]
    assert turned[:, :30].min() > 0.99, "what was up is on the left"
    assert turned[:, 100:].max() < 0.01


# What is stored


def test_the_file_obeys_its_schema(tiles):
    assert faults(lessons, "Mistakes", index_path(tiles / MISTAKES)) == []


def test_the_correct_run_is_what_the_photos_own_folder_holds(tiles, found, manifest):
    correct, *wrong = found.preparations
    entry = read_entry(tiles, found.image)
    assert correct.id == CORRECT
    assert (tiles / MISTAKES / correct.picture).read_bytes() == (
        tiles / found.image / entry.input
    ).read_bytes()
    assert correct.answers == entry.answers[:3]
    assert correct.probability == entry.answers[0].probability
    assert correct.changed == 0
    assert correct.beyond == 0
    sheets = {sheet.layer: sheet for sheet in entry.sheets}
    last = {layer.stage: layer.name for layer in manifest.feature_maps}
    for run in found.preparations:
        assert [one.layer for one in run.layers] == list(last.values())
    for layer in correct.layers:
        own = tiles / found.image / sheets[layer.layer].pca
        assert (tiles / MISTAKES / layer.picture).read_bytes() == own.read_bytes()
        assert (layer.distance, layer.distance_of_means, layer.beyond) == (0, 0, 0)
    assert len(wrong) == 7


def test_every_number_is_what_the_network_gives(pictures, found, manifest, network):
    inputs = prepare(open_picture(pictures[found.image]), manifest.input)
    correct = network(inputs[CORRECT])
    answer = correct[manifest.logits].argmax()
    for run in found.preparations:
        given, values = inputs[run.id], network(inputs[run.id])
        wide = given[0].astype(np.float64)
        assert run.mean == pytest.approx(wide.mean((1, 2)), rel=1e-4, abs=1e-5)
        assert run.std == pytest.approx(wide.std((1, 2)), rel=1e-4, abs=1e-6)
        assert (run.low, run.high) == pytest.approx((given.min(), given.max()), rel=1e-5)
        shares = probabilities(values[manifest.logits])
        assert run.probability == pytest.approx(shares[answer], rel=1e-3)
        best = np.argsort(-shares)[:3]
        assert [one.category for one in run.answers] == best.tolist()
        assert [one.probability for one in run.answers] == pytest.approx(shares[best], rel=1e-3)
        for layer in run.layers:
            here, there = values[layer.layer], correct[layer.layer]
            apart = np.sqrt(((here - there) ** 2).sum() / (there**2).sum())
            assert layer.distance == pytest.approx(apart, rel=1e-3, abs=1e-6)
            here, there = here.mean((1, 2)), there.mean((1, 2))
            apart = np.sqrt(((here - there) ** 2).sum() / (there**2).sum())
            assert layer.distance_of_means == pytest.approx(apart, rel=1e-3, abs=1e-6)


def test_the_picture_shown_is_the_nearest_to_the_input(pictures, tiles, found, manifest):
    spec = manifest.input
    inputs = prepare(open_picture(pictures[found.image]), spec)
    for run in found.preparations:
        shown = read_pixels(tiles / MISTAKES / run.picture).transpose(2, 0, 1) / 255
        wanted = inputs[run.id][0] * np.reshape(spec.std, (3, 1, 1)) + np.reshape(
            spec.mean, (3, 1, 1)
        )
        assert np.abs(shown - wanted.clip(0, 1)).max() < 0.51 / 255
        outside = (wanted < -0.5 / 255) | (wanted > 1 + 0.5 / 255)
        assert run.beyond == pytest.approx(outside.mean(), abs=1e-4)


def test_maps_of_all_runs_are_in_the_colours_of_the_correct_one(
    pictures, tiles, found, manifest, network
):
    inputs = prepare(open_picture(pictures[found.image]), manifest.input)
    layer = found.preparations[0].layers[-1].layer
    flat = network(inputs[CORRECT])[layer].reshape(manifest.layer(layer).channels, -1)
    mean = flat.mean(axis=1, keepdims=True)
    directions = np.linalg.svd(flat - mean, full_matrices=False)[0][:, :3].T
    directions *= np.sign(directions[range(3), np.abs(directions).argmax(axis=1)])[:, None]
    scores = directions @ (flat - mean)
    low, high = scores.min(axis=1), scores.max(axis=1)
    for run in found.preparations:
        values = network(inputs[run.id])[layer].reshape(flat.shape)
        share = (directions @ (values - mean) - low[:, None]) / (high - low)[:, None]
        shown = read_pixels(tiles / MISTAKES / run.layers[-1].picture).reshape(-1, 3).T
        assert np.abs(shown - share.clip(0, 1) * 255).max() < 0.6, run.id
        beyond = ((share < -1e-5) | (share > 1 + 1e-5)).any(axis=0).mean()
        assert run.layers[-1].beyond == pytest.approx(beyond, abs=1e-4), run.id


# Which photo


def test_the_photo_is_the_one_that_loses_most(pictures, tiles, found, manifest, network):
    tried = candidates(read_entry(tiles, image.id) for image in read_index(tiles).images)
    assert len(tried) == found.photos
    lost, changed = {}, {}
    for image in tried:
        loss, changed[image] = losses(open_picture(pictures[image]), manifest, network)
        lost[image] = sum(loss.values())
    assert found.image == max(lost, key=lost.get)
    assert len(set(lost.values())) == len(lost) > 1
    for run in found.preparations:
        assert run.changed == sum(run.id in names for names in changed.values()), run.id


def entry(image, correct=None, probability=0.5, chart=False):
    answer = SimpleNamespace(probability=probability)
    return SimpleNamespace(id=image, correct=correct, chart=chart, answers=(answer,))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry("w", False, 0.9), entry("r", True, 0.1), entry("u", None, 0.8)], ["r"]),
        ([entry("w", False, 0.9), entry("u", None, 0.2), entry("v", None, 0.3)], ["v", "u"]),
        ([entry("c", True, 1.0, chart=True), entry("w", False, 0.1)], ["w"]),
        ([entry("c", None, 0.1, chart=True), entry("d", None, 0.1, chart=True)], ["c", "d"]),
    ],
)
def test_right_answers_come_before_unknown_ones_and_charts_last(entries, expected):
    assert candidates(entries) == expected


def test_only_so_many_photos_are_tried_however_many_there_are():
    many = [entry(f"p{i}", True, i / 1000) for i in range(999)]
    assert candidates(iter(many)) == [f"p{998 - i}" for i in range(CANDIDATES)]


# Other galleries


def test_a_mistake_that_changes_nothing_is_named_and_not_shown(gallery):
    for name in ("birch.jpg", "cedar.jpg", "grid.jpg"):
        (gallery.photos / name).unlink()
    (gallery.photos / "examples.toml").unlink()
    levels = np.random.default_rng(1).integers(0, 256, (90, 90), np.uint8)
    Image.fromarray(levels).save(gallery.photos / "ash.jpg", "PNG")
    gallery.build()
    found = read_mistakes(gallery.folder)
    assert (found.image, found.photos, found.same) == ("ash", 1, ("bgr",))
    assert "bgr" not in {run.id for run in found.preparations}
    assert not (gallery.folder / MISTAKES / "bgr").exists()


def test_a_mistake_after_which_nothing_is_finite_is_named_and_not_shown(
    slim, built_once, monkeypatch, tmp_path
):
    real = mistakes.run

    def overflowing(session, manifest, given, layers):
        outputs = real(session, manifest, given, layers)
        if given.max() < 100:
            return outputs
        return {name: np.full_like(values, np.inf) for name, values in outputs.items()}

    monkeypatch.setattr(mistakes, "run", overflowing)
    photos = {name: built_once.photos / f"{name}.jpg" for name in ("ash", "birch")}
    files = dict(
        mistakes.mistake_files(slim, "cpu", photos, DEFAULT, lambda what, total: lambda: None)
    )
    shutil.rmtree(tmp_path)
    (tmp_path / MISTAKES).mkdir(parents=True)
    index_path(tmp_path / MISTAKES).write_bytes(files["index.json"])
    found = read_mistakes(tmp_path)
    assert found.not_finite == ("not-scaled",)
    assert {run.id for run in found.preparations} == {name.split("/")[0] for name in files} - {
        "index.json"
    }


def test_maps_are_those_of_the_stages_that_the_gallery_shows(gallery):
    found = read_mistakes(gallery.folder)
    assert [layer.layer for layer in found.preparations[0].layers] == ["conv1", "layer4.1.relu_1"]
    names = {path.name for path in (gallery.folder / MISTAKES / "bgr").iterdir()}
    assert names == {"input.png", sheet_name("conv1"), sheet_name("layer4.1.relu_1")}


def test_only_what_the_pixels_decide_makes_it_again(gallery):
    before = gallery.stamps()
    draw(gallery.photos / "grid.jpg", seed=60)  # a chart, which is not tried
    gallery.build()
    assert MISTAKES not in gallery.touched(before)
    before = gallery.stamps()
    (gallery.photos / "examples.toml").write_text('[[photo]]\nfile = "ash.jpg"\ntitle = "T"\n')
    (gallery.photos / "grid.jpg").unlink()
    gallery.build()
    assert MISTAKES not in gallery.touched(before)
    for name in ("birch.jpg", "cedar.jpg"):  # so that the order of photos has no say
        (gallery.photos / name).unlink()
    gallery.build()
    before = gallery.stamps()
    draw(gallery.photos / "ash.jpg", seed=61)
    gallery.build()
    assert MISTAKES in gallery.touched(before)


def test_other_weights_or_another_normalisation_make_it_again(gallery, slim, tmp_path):
    before = gallery.files()
    other = tmp_path / "model" / slim.name
    shutil.copytree(slim.parent, other.parent)
    manifest = read_manifest(other)
    rewrite(other, input=replace(manifest.input, mean=(0.5, 0.5, 0.5)))
    gallery.build(manifests=(other,))
    after = gallery.files()
    name = f"{MISTAKES}/correct/input.png"
    assert after[name] == before[name], "the picture is the same"
    assert after[f"{MISTAKES}/index.json"] != before[f"{MISTAKES}/index.json"]
