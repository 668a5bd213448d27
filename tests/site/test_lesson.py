"""The page for teaching: its programs run and print what it says, its answers are right."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from website import read_page

import artifacts
from export.manifest import read_manifest
from precompute import index as contract
from precompute.index import Contributions, read_entry, read_index
from precompute.reader import read_layer
from site_template import pages as page_data
from site_template.exercises import Exercise, exercises, share_inside
from site_template.figures import Numbers
from site_template.teaching import lesson

ROOT = Path(__file__).parents[2]
EXPORTER = ROOT / ".venv-export" / "bin" / "python"
# A CPU build of PyTorch beside torchvision's wheel needs what the export does before the import.
PRELUDE = "import export.torchvision_import, runpy, sys; runpy.run_path(sys.argv[1])"


class Code(HTMLParser):
    """The text of every <pre>, in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "pre":
            self.inside = True
            self.texts.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data):
        if self.inside:
            self.texts[-1] += data


def numbers_of(manifest_path: Path, tiles: Path) -> Numbers:
    index = read_index(tiles)
    cards = [page_data.card(read_entry(tiles, image.id), index) for image in index.images]
    return Numbers(read_manifest(manifest_path), index, tiles, cards)


@pytest.fixture(scope="module")
def numbers(exported, tiles) -> Numbers:
    return numbers_of(exported, tiles)


@pytest.fixture(scope="module")
def answers(numbers) -> dict[str, Exercise]:
    return {exercise.key: exercise for exercise in exercises(numbers)}


# The programs


@pytest.fixture(scope="module")
def code(site) -> list[str]:
    return Code((site / "teaching.html").read_text("utf-8")).texts


def printed(code: list[str], program: str) -> list[str]:
    """Return the lines that the page says the program prints."""
    return code[code.index(program) + 1].splitlines()


@pytest.fixture
def bench(site, exported, numbers, tmp_path) -> Path:
    """A folder with everything that the page tells a reader to put there."""
    picture = site / numbers.photos[0].folder / "_input.png"
    shutil.copy(picture, tmp_path / f"{numbers.photos[0].id}.png")
    (tmp_path / "resnet18.json").symlink_to(exported)
    (tmp_path / "resnet18.onnx").symlink_to(exported.with_name("resnet18.onnx"))
    weights = ROOT / "export" / "bundled" / "resnet18.safetensors"
    (tmp_path / "resnet18.safetensors").symlink_to(weights)
    return tmp_path


def run(command: list[object], folder: Path) -> list[str]:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def same(found: list[str], said: list[str], largest: float) -> None:
    """Compare lines with numbers: rows and columns exactly, values to 0.00001 of `largest`."""
    pattern = r"-?\d+\.\d{4}"
    assert [re.sub(pattern, "#", line) for line in found] == [
        re.sub(pattern, "#", line) for line in said
    ]
    values = [
        [float(v) for line in lines for v in re.findall(pattern, line)] for lines in (found, said)
    ]
    assert len(values[0]) >= len(found)
    assert values[0] == pytest.approx(values[1], abs=1e-4 + 1e-5 * largest)


@pytest.mark.built
def test_the_programs_stand_on_the_page_as_they_are_published(site, code):
    programs = sorted((site / "snippets").iterdir())
    assert {"with_pytorch.py", "with_onnxruntime.py", "with_keras.py"} <= {p.name for p in programs}
    for program in programs:
        text = program.read_text("utf-8")
        compile(text, program.name, "exec")
        assert text in code, program.name
        assert max(map(len, text.splitlines())) <= 100


def test_the_onnxruntime_program_prints_what_the_page_says(site, code, bench, numbers):
    program = site / "snippets" / "with_onnxruntime.py"
    said = printed(code, program.read_text("utf-8"))
    scale = lesson(numbers).subject.high
    same(run([sys.executable, program], bench), said, scale)


def test_a_whole_photo_gives_the_same_as_the_picture_that_the_network_saw(
    site, code, bench, example_photos, numbers
):
    photo = numbers.photos[0].id
    (original,) = example_photos.glob(f"{photo}.*")
    (bench / f"{photo}.png").unlink()
    shutil.copy(original, bench / f"{photo}.png")
    scale = lesson(numbers).subject.high
    programs = {
        "with_onnxruntime.py": [sys.executable],
        "with_pytorch.py": [EXPORTER, "-c", PRELUDE],
    }
    for name, python in programs.items():
        program = site / "snippets" / name
        same(run([*python, program], bench), printed(code, program.read_text("utf-8")), scale)


def test_the_pytorch_program_prints_what_the_page_says(site, code, bench, numbers):
    program = site / "snippets" / "with_pytorch.py"
    said = printed(code, program.read_text("utf-8"))
    subject = lesson(numbers).subject
    same(run([EXPORTER, "-c", PRELUDE, program], bench), said, subject.high)
    assert subject.low < 0, "a map that can tell whether a ReLU has overwritten it"
    tile = maps(numbers, subject.layer.name)[subject.channel]
    assert np.unravel_index(tile.argmax(), tile.shape) == (subject.row, subject.column)


def test_a_hook_without_a_copy_gives_the_output_of_the_block(site, code, bench, numbers):
    program = site / "snippets" / "with_hooks.py"
    said = printed(code, program.read_text("utf-8"))
    hooked = lesson(numbers).hooked
    same(run([EXPORTER, "-c", PRELUDE, program], bench), said, hooked.wrong.high)
    assert said[0].startswith("without clone: from 0.0000 to ")
    assert said[1].startswith("with clone:    from -")
    assert hooked.right.low < 0
    assert said[0].endswith(f"{hooked.wrong.high:.4f}")
    assert hooked.becomes.op == "relu"


# The answers, against the pixels of the tiles


def stated(text: str) -> list[float]:
    """Return the numbers of a text."""
    plain = re.sub(r"<[^>]*>|“[^”]*”", " ", str(text)).replace("−", "-").replace("\u202f", "")
    return [float(number) for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", plain)]


def maps(numbers: Numbers, layer: str, photo: int = 0) -> np.ndarray:
    return read_layer(numbers.tiles, numbers.photos[photo].id, layer)


def test_every_exercise_is_there(answers, site):
    assert list(answers) == [
        "size", "mean", "silent", "field", "scale", "place", "photo", "winner", "few", "residual",
        "common",
    ] + (["wrong"] if "wrong" in answers else [])  # fmt: skip
    items = read_page(site / "teaching.html").ids
    assert {f"exercise-{key}" for key in answers} <= items


def test_the_largest_layer(answers, numbers):
    sizes = {layer.name: maps(numbers, layer.name).size for layer in numbers.manifest.feature_maps}
    assert max(sizes, key=sizes.get) in answers["size"].answer
    assert stated(answers["size"].answer)[3:5] == [
        max(sizes.values()),
        pytest.approx(max(sizes.values()) / (3 * 224 * 224), rel=0.01),
    ]


def test_the_channel_with_the_largest_mean(answers, numbers):
    means = maps(numbers, "conv1").mean((1, 2))
    channel, mean = stated(answers["mean"].answer)
    assert channel == means.argmax()
    assert mean == pytest.approx(means.max(), rel=0.01)
    assert answers["mean"].found[0][0].endswith(f"#layer=conv1&channel={channel:.0f}&sort=mean")


def test_the_silent_channels(answers, numbers):
    layer = numbers.manifest.feature_maps[-1].name
    silent = [
        np.flatnonzero(maps(numbers, layer, photo).max((1, 2)) <= 0)
        for photo in range(len(numbers.photos))
    ]
    most = max(silent, key=len)
    assert stated(answers["silent"].answer)[:3] == [len(most), 512, most[0]]
    everywhere = set.intersection(*(set(s.tolist()) for s in silent))
    dead = stated(answers["silent"].answer)[3:]
    assert dead == ([len(everywhere)] if everywhere else [])


def test_the_field_as_large_as_the_picture(answers, numbers):
    layers = numbers.manifest.feature_maps
    first = next(one for one in layers if max(one.receptive_field.size) >= 224)
    assert first.name == "layer4.0.conv1"
    assert f"<code>{first.name}</code>: 243×243" in answers["field"].answer


def test_the_quiet_channel(answers, numbers):
    layer = re.search(r"<code>(.*?)</code>", answers["scale"].question)[1]
    (channel,) = (int(n) for n in stated(answers["scale"].question))
    high, _, scale = stated(answers["scale"].answer)
    found = maps(numbers, layer)
    assert high == pytest.approx(found[channel].max(), rel=0.01)
    assert scale == pytest.approx(np.quantile(np.abs(found), 0.995), rel=0.01)
    assert high < 0.2 * scale
    assert (found[channel] > 0).mean() > 0.5


def test_the_place_and_what_it_sees(answers, numbers):
    layer = numbers.manifest.layer(re.search(r"<code>(.*?)</code>", answers["place"].question)[1])
    (channel,) = (int(n) for n in stated(answers["place"].question))
    row, column, value, top, bottom, left, right = stated(answers["place"].answer)[:7]
    found = maps(numbers, layer.name)
    assert np.unravel_index(found.argmax(), found.shape) == (channel, row, column)
    assert value == pytest.approx(found.max(), rel=0.01)
    field = layer.receptive_field
    for at, first, last, axis in ((row, top, bottom, 0), (column, left, right, 1)):
        pixels = np.arange(field.size[axis]) + field.offset[axis] + int(at) * field.stride[axis]
        inside = pixels[(pixels >= 0) & (pixels < 224)]
        assert (first, last) == (inside[0], inside[-1])


def test_the_photo_that_drives_a_channel(answers, numbers):
    layer = numbers.manifest.feature_maps[-1].name
    (channel,) = (int(n) for n in stated(answers["photo"].question))
    peaks = [maps(numbers, layer, i)[channel].max() for i in range(len(numbers.photos))]
    order = np.argsort(peaks)[::-1][:2]
    assert [name for _, name in answers["photo"].found] == [numbers.photos[i].title for i in order]
    assert stated(answers["photo"].answer) == pytest.approx([peaks[i] for i in order], rel=0.01)


def shares(
    numbers: Numbers, arrays: dict[str, np.ndarray], photo: int = 0
) -> tuple[np.ndarray, float, float]:
    """Return what each channel adds to the first answer, the constant and the logit."""
    entry = numbers.entry(numbers.photos[photo])
    category = entry.answers[0].category
    means = maps(numbers, "layer4.1.relu_1", photo).mean((1, 2))
    weight, bias = arrays["classifier.weight"][category], arrays["classifier.bias"][category]
    return weight * means, float(bias), entry.answers[0].logit


@pytest.fixture(scope="module")
def arrays(exported) -> dict[str, np.ndarray]:
    with np.load(exported.with_suffix(".npz")) as stored:
        return {name: stored[name] for name in ("classifier.weight", "classifier.bias")}


def test_the_channel_that_adds_most(answers, numbers, arrays):
    added, _, logit = shares(numbers, arrays)
    channel, most, total = stated(answers["winner"].answer)
    assert channel == added.argmax()
    assert [most, total] == pytest.approx([added.max(), logit], rel=0.01)


def test_how_few_channels_reach_the_logit(answers, numbers, arrays):
    added, bias, logit = shares(numbers, arrays)
    sums = bias + np.cumsum(np.sort(added)[::-1])
    needed, channels, negative, constant, total = stated(answers["few"].answer)
    assert needed == 1 + np.argmax(sums >= logit)
    assert channels == 512
    assert negative == (added < 0).sum()
    assert [constant, total] == pytest.approx([bias, logit], rel=0.01)


def test_the_block_that_changes_most(answers, numbers):
    def power(layer):
        return np.sqrt(np.square(maps(numbers, layer), dtype=np.float64).mean())

    shortcuts = {f"layer{i}.0": f"layer{i}.0.downsample.1" for i in range(2, 5)}
    shortcuts |= {f"layer{i}.1": f"layer{i}.0.relu_1" for i in range(1, 5)}
    shortcuts["layer1.0"] = "maxpool"
    ratios = {block: power(f"{block}.bn2") / power(name) for block, name in shortcuts.items()}
    most, least = max(ratios, key=ratios.get), min(ratios, key=ratios.get)
    blocks = re.findall(r"<code>(.*?)</code>", answers["residual"].answer)
    assert blocks == [most, least]
    assert stated(answers["residual"].answer) == pytest.approx(
        [ratios[most], ratios[least]], rel=0.02
    )


def test_what_two_photos_with_one_answer_share(answers, numbers, arrays):
    titles = re.findall("“(.*?)”", str(answers["common"].question))[:2]
    photos = [card.title for card in numbers.photos]
    one, other = (photos.index(title) for title in titles)
    assert numbers.photos[one].top1 == numbers.photos[other].top1
    tops = [np.argsort(-shares(numbers, arrays, photo)[0])[:5].tolist() for photo in (one, other)]
    both = [channel for channel in tops[0] if channel in tops[1]]
    assert stated(answers["common"].answer) == [len(both), 5, *both]


def test_the_share_of_the_evidence_in_the_box(workshop):
    map_of_four = contract.Evidence(0, 2, 2, 0.0, [1.0, 3.0, -4.0, 0.0])
    places = {"crop": (0.0, 0.0, 20.0, 20.0), "box": (10.0, 0.0, 20.0, 5.0)}
    entry = workshop.change_entry(workshop.images[0], evidence=(map_of_four,), **places)
    assert share_inside(entry) == pytest.approx((1.5 / 4, 1 / 8))
    assert share_inside(replace(entry, box=None)) is None
    assert share_inside(replace(entry, evidence=())) is None


def test_the_surest_wrong_answer_beside_which_there_is_room(workshop):
    photos = [i for i in workshop.images if not read_entry(workshop.tiles, i).chart]
    for position, image in enumerate(photos):
        entry = read_entry(workshop.tiles, image)
        left, top, right, bottom = entry.crop
        # The last and surest is all subject; the second covers a quarter.
        sides = (1.0, 0.5, 1.0)[position]
        box = (left, top, left + sides * (right - left), top + sides * (bottom - top))
        better = replace(entry.answers[0], probability=0.5 + 0.1 * position)
        answers = (better, *entry.answers[1:])
        workshop.change_entry(image, correct=False, answers=answers, box=box)
    found = {e.key: e for e in exercises(numbers_of(workshop.manifest_path, workshop.tiles))}
    entry = read_entry(workshop.tiles, photos[1])
    assert f"“{entry.title}” {entry.answers[0].name}, with 60 %" in found["wrong"].question
    evidence = np.reshape(entry.evidence[0].values, (7, 7))
    row, column = np.unravel_index(evidence.argmax(), (7, 7))
    assert f"row {row}, column {column} of 7×7" in found["wrong"].answer
    assert "which covers 25 % of the picture" in found["wrong"].answer


# Galleries of other kinds


def keys(workshop) -> list[str]:
    """Return the exercises after a render, whose page must be whole."""
    workshop.render()
    page = read_page(workshop.out / "teaching.html")
    found = [element.attributes.get("id", "") for element in page.all("li")]
    return [key.removeprefix("exercise-") for key in found if key.startswith("exercise-")]


def test_one_photo_leaves_out_what_needs_two(workshop):
    first = workshop.index.images[0]
    workshop.change_index(images=(first,))
    workshop.without_lessons()
    workshop.change_entry(first.id, correct=None)
    assert {"photo", "common", "wrong"}.isdisjoint(keys(workshop))
    assert {"mean", "silent", "winner", "residual"} <= set(keys(workshop))


def test_only_charts_are_taken_like_photos(workshop):
    for image in workshop.images:
        workshop.change_entry(image, chart=True)
    assert "mean" in keys(workshop)


def test_without_a_classifier_nothing_is_said_about_evidence(workshop):
    workshop.change_manifest(lambda manifest: replace(manifest, classifier=None))
    for image in workshop.images:
        workshop.change_entry(image, evidence=(), contributions=None)
    assert {"winner", "few", "common", "wrong"}.isdisjoint(keys(workshop))
    text = (workshop.out / "teaching.html").read_text("utf-8")
    assert "answer=0" not in text
    assert "The head" not in text


def keep_layers(workshop, names: set[str]) -> None:
    workshop.change_manifest(
        lambda manifest: replace(
            manifest,
            classifier=None,
            layers=tuple(
                replace(one, exported=one.name in {*names, manifest.logits})
                for one in manifest.layers
            ),
        )
    )
    for image in workshop.images:
        entry = read_entry(workshop.tiles, image)
        sheets = tuple(sheet for sheet in entry.sheets if sheet.layer in names)
        strip = replace(entry.strip, layers=tuple(sheet.layer for sheet in sheets))
        changes = {"sheets": sheets, "strip": strip, "evidence": (), "contributions": None}
        workshop.change_entry(image, **changes)
    workshop.change_index(layers=tuple(one for one in workshop.index.layers if one.layer in names))
    workshop.without_lessons()


def test_one_signed_layer_still_makes_a_page(workshop):
    keep_layers(workshop, {"conv1"})
    assert keys(workshop) == ["size", "mean"]
    page = read_page(workshop.out / "teaching.html")
    assert "hooks" not in page.ids
    assert not (workshop.out / "snippets" / "with_hooks.py").exists()
    assert (
        'LAYER, CHANNEL = "conv1", ' in (workshop.out / "snippets" / "with_pytorch.py").read_text()
    )


@pytest.mark.parametrize("there", [False, True])
def test_the_page_on_mistakes_is_named_only_where_there_is_one(workshop, there):
    parts = {name: key for name, key in workshop.index.parts.items() if name != "_mistakes"}
    if there:
        parts["_mistakes"] = workshop.index.parts.get("_mistakes", "0")
    workshop.change_index(parts=parts)
    workshop.render()
    text = (workshop.out / "teaching.html").read_text("utf-8")
    assert ("See what each of these mistakes does" in text) == there


def test_the_contributions_that_the_page_leads_to_are_the_ones_it_counts(answers, site):
    path = site / answers["few"].found[0][0]
    assert len(artifacts.decode(path, Contributions, "").values[0]) == 512
