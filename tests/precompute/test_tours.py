"""What the tours say is true: every number is found again in the tiles, by other means."""

import shutil
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from small_gallery import rewrite

import artifacts
from export.manifest import read_manifest
from precompute.index import Contributions, read_entry, read_index
from precompute.lessons import TOURS, read_tours
from precompute.reader import read_layer, read_pixels

KINDS = {
    *("edge", "colour", "opposite", "kept"),
    *("most", "least", "lost"),
    *("stage", "subject"),
    *("silent", "loud", "rare", "dead", "woken"),
    *("sum", "adds", "takes"),
    *("wrong", "culprit", "kin"),
}
CLOSE = 2e-5
"""Of numbers that have six digits."""


@dataclass(frozen=True)
class Gallery:
    """A gallery's numbers, read from the files that are published."""

    folder: object
    manifest_path: object

    def __hash__(self):
        return id(self)

    @property
    def manifest(self):
        return read_manifest(self.manifest_path)

    @property
    def arrays(self):
        return np.load(self.manifest_path.parent / self.manifest.arrays.name)

    @property
    def entries(self):
        found = [read_entry(self.folder, image.id) for image in read_index(self.folder).images]
        photos = [entry for entry in found if not entry.chart]
        return photos or found

    @property
    def charts(self):
        return [read_entry(self.folder, i.id) for i in read_index(self.folder).images if
                i.id not in {entry.id for entry in self.entries}]  # fmt: skip

    @cache  # noqa: B019 (one per test)
    def maps(self, image, layer):
        return read_layer(self.folder, image, layer).astype(np.float64)

    def contributions(self, entry):
        path = self.folder / entry.id / entry.contributions
        return np.array(artifacts.decode(path, Contributions, "").values[0])

    @property
    def tours(self):
        return read_tours(self.folder)

    def stops(self, kind):
        return [stop for tour in self.tours.tours for stop in tour.stops if stop.kind == kind]

    def kernels(self):
        return self.arrays["stem"] / np.reshape(self.manifest.input.std, (3, 1, 1))

    def clear(self):
        length = np.sqrt((self.kernels() ** 2).sum(axis=(1, 2, 3)))
        return np.flatnonzero(length >= np.median(length) / 4)

    def highest(self, layer, channel, images=None):
        """Photos to the largest values of a channel."""
        images = images or [entry.id for entry in self.entries]
        return {image: self.maps(image, layer)[channel].max() for image in images}

    def rms(self, image, layer):
        """Root mean square of each channel."""
        return np.sqrt((self.maps(image, layer) ** 2).mean(axis=(1, 2)))


def agrees(found, expected, slack=CLOSE):
    assert found == pytest.approx(expected, rel=slack, abs=1e-6)


def driven_most(gallery, stop, value="value"):
    """Check that no photo drives the stop's channel further than the stop's."""
    highest = gallery.highest(stop.layer, stop.channel)
    agrees(stop.numbers[value], max(highest.values()))
    agrees(highest[stop.image], max(highest.values()))


def turned(angle, side):
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    towards = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    edge = towards * np.exp(-(x**2 + y**2) / (2 * (side / 4) ** 2))
    return np.tile(edge, (3, 1, 1)).ravel() / np.linalg.norm(edge) / np.sqrt(3)


def edge(gallery, stop):
    kernels = gallery.kernels().reshape(len(gallery.kernels()), -1)
    kernels = kernels / np.linalg.norm(kernels, axis=1, keepdims=True)
    ideals = {angle: turned(angle, gallery.kernels().shape[2]) for angle in range(-180, 180)}
    cosines = kernels @ np.stack(list(ideals.values())).T
    best = cosines[gallery.clear()].max()
    assert cosines[stop.channel].max() == pytest.approx(best, abs=1e-3)
    assert stop.numbers["likeness"] == pytest.approx(best, abs=1e-3)
    step = {"right": 0, "lower right": 45, "bottom": 90, "lower left": 135, "left": 180,
            "upper left": 225, "top": 270, "upper right": 315}  # fmt: skip
    off = list(ideals)[cosines[stop.channel].argmax()] - step[stop.names["brighter"]]
    assert abs((off + 180) % 360 - 180) <= 23
    assert (step[stop.names["darker"]] - step[stop.names["brighter"]]) % 360 == 180
    assert stop.numbers["channels"] == len(kernels)
    driven_most(gallery, stop)


def colour(gallery, stop):
    kernels = gallery.kernels()
    grey = kernels.mean(axis=1, keepdims=True)
    shares = ((kernels - grey) ** 2).sum(axis=(1, 2, 3)) / (kernels**2).sum(axis=(1, 2, 3))
    agrees(stop.numbers["share"], shares[gallery.clear()].max())
    agrees(stop.numbers["share"], shares[stop.channel])
    differences = (kernels - grey)[stop.channel].reshape(3, -1)
    values, axes = np.linalg.eigh(differences @ differences.T)
    agrees(stop.numbers["on_axis"], values[-1] / values.sum())
    # The named colours are nearer to the axis than any other pair is.
    wheel = {"red": (1, 0, 0), "orange": (1, 0.5, 0), "yellow": (1, 1, 0), "green": (0, 1, 0),
             "yellow-green": (0.5, 1, 0), "sea green": (0, 1, 0.5)}  # fmt: skip
    along = {}
    for name, rgb in wheel.items():
        pure = np.array(rgb, float) - np.mean(rgb)
        along[name] = abs(pure @ axes[:, -1]) / np.linalg.norm(pure)
    assert stop.names["one"] == max(along, key=along.get)
    driven_most(gallery, stop)


def opposite(gallery, stop):
    kernels = gallery.kernels()[gallery.clear()].reshape(len(gallery.clear()), -1)
    cosines = np.corrcoef(kernels) * 0
    for i, one in enumerate(kernels):
        cosines[i] = kernels @ one / np.linalg.norm(kernels, axis=1) / np.linalg.norm(one)
    first, second = np.unravel_index(cosines.argmin(), cosines.shape)
    other = int(stop.numbers["other"])
    assert {int(gallery.clear()[i]) for i in (first, second)} == {stop.channel, other}
    agrees(stop.numbers["cosine"], cosines.min())
    maps = gallery.maps(stop.image, stop.layer)
    correlation = np.corrcoef(maps[stop.channel].ravel(), maps[other].ravel())[0, 1]
    agrees(stop.numbers["correlation"], correlation)


def kept(gallery, stop):
    for channel, name in ((stop.channel, "above"), (int(stop.numbers["other"]), "other_above")):
        found = (gallery.maps(stop.image, stop.layer)[channel] > 0).mean()
        # A tile has no pixel for what is above zero by less than half a step.
        assert stop.numbers[name] - 0.15 <= found <= stop.numbers[name] + 1e-6
    assert gallery.stops("opposite")[0].numbers["other"] == stop.numbers["other"]
    assert ("norm" in stop.names) == ("bn" in gallery.manifest.layer(stop.layer).inputs[0])


def blocks(gallery):
    """Return block to (shortcut, branch, sum, output) of those that are shown whole."""
    shown = {layer.name: layer for layer in gallery.manifest.feature_maps}
    found = {}
    for layer in shown.values():
        if layer.op == "add" and set(layer.inputs) <= set(shown):
            branch, shortcut = layer.inputs  # in torchvision's order
            found[layer.block] = (shortcut, branch, layer.name, f"{layer.block}.relu_1")
    return found


def ratios(gallery, block):
    shortcut, branch, *_ = blocks(gallery)[block]
    size = {name: {e.id: np.sqrt((gallery.rms(e.id, name) ** 2).sum()) for e in gallery.entries}
            for name in (shortcut, branch)}  # fmt: skip
    return {image: size[branch][image] / size[shortcut][image] for image in size[branch]}


def extreme(gallery, stop, most):
    choose = max if most else min
    means = {block: np.mean(list(ratios(gallery, block).values())) for block in blocks(gallery)}
    assert stop.names["block"] == choose(means, key=means.get)
    agrees(stop.numbers["mean_ratio"], choose(means.values()), 1e-3)
    own = ratios(gallery, stop.names["block"])
    agrees(stop.numbers["ratio"], choose(own.values()), 1e-3)
    agrees(stop.numbers["ratio"], own[stop.image], 1e-3)
    shortcut, branch, total, _ = blocks(gallery)[stop.names["block"]]
    assert stop.layer == total
    sizes = {name: gallery.rms(stop.image, layer) for name, layer in
             (("shortcut", shortcut), ("branch", branch))}  # fmt: skip
    assert stop.channel == sizes["branch" if most else "shortcut"].argmax()
    for name, size in sizes.items():
        agrees(stop.numbers[name], size[stop.channel], 1e-2)
    assert stop.numbers["blocks"] == len(means)
    assert stop.numbers["photos"] == len(own)


def lost(gallery, stop):
    best = 0.0
    for entry in gallery.entries:
        for shortcut, _, _, after in blocks(gallery).values():
            if gallery.manifest.layer(shortcut).signed:
                continue
            before, left = (gallery.maps(entry.id, n).mean(axis=(1, 2)) for n in (shortcut, after))
            loud = before > before.mean()
            best = max(best, (1 - left[loud] / before[loud]).max())
    assert stop.numbers["share"] == pytest.approx(best, abs=2e-3)
    shortcut, _, _, after = blocks(gallery)[stop.names["block"]]
    means = {name: gallery.maps(stop.image, name).mean(axis=(1, 2)) for name in (shortcut, after)}
    agrees(stop.numbers["before"], means[shortcut][stop.channel], 1e-2)
    assert stop.numbers["after"] == pytest.approx(means[after][stop.channel], abs=2e-3)
    assert means[shortcut][stop.channel] > means[shortcut].mean()
    assert (stop.numbers["after"] == 0) == (
        gallery.maps(stop.image, after)[stop.channel].max() == 0
    )


def fraction(entry, height, width, fine=200):
    """How much of each cell lies in the box, by counting points."""
    left, top, right, bottom = entry.crop
    x = left + (np.arange(width * fine) + 0.5) / (width * fine) * (right - left)
    y = top + (np.arange(height * fine) + 0.5) / (height * fine) * (bottom - top)
    inside = np.outer(
        (y > entry.box[1]) & (y < entry.box[3]), (x > entry.box[0]) & (x < entry.box[2])
    )
    return inside.reshape(height, fine, width, fine).mean(axis=(1, 3))


def stage(gallery, stop):
    entry = read_entry(gallery.folder, stop.image)
    assert entry.correct
    smallest = min(fraction(e, 1, 1)[0, 0] for e in gallery.entries if e.correct and e.box)
    assert fraction(entry, 1, 1)[0, 0] == pytest.approx(smallest, abs=1e-2)
    layer = gallery.manifest.layer(stop.layer)
    later = [one.name for one in gallery.manifest.feature_maps if one.stage == layer.stage
             and not one.signed]  # fmt: skip
    assert later[-1] == stop.layer
    maps = gallery.maps(stop.image, stop.layer)
    inside = maps * fraction(entry, layer.height, layer.width)
    totals = maps.sum(axis=(1, 2))
    loud = totals >= totals.mean()
    shares = inside.sum(axis=(1, 2))[loud] / totals[loud]
    assert stop.numbers["loud"] == pytest.approx(loud.sum(), abs=1)
    assert stop.numbers["inside"] == pytest.approx(shares.max(), abs=5e-3)
    assert loud[stop.channel]
    assert stop.numbers["whole"] == pytest.approx(inside.sum() / totals.sum(), abs=5e-3)
    assert stop.numbers["area"] == pytest.approx(smallest, abs=1e-2)
    assert stop.numbers["field"] == layer.receptive_field.size[0]


def evidence_inside(entry):
    found = entry.evidence[0]
    positive = np.clip(np.reshape(found.values, (found.height, found.width)), 0, None)
    return (positive * fraction(entry, found.height, found.width)).sum() / positive.sum()


def subject(gallery, stop):
    entry = read_entry(gallery.folder, stop.image)
    assert stop.names["answer"] == entry.true_class == entry.answers[0].name
    assert stop.numbers["inside"] == pytest.approx(evidence_inside(entry), abs=5e-3)
    assert stop.numbers["area"] == pytest.approx(fraction(entry, 1, 1)[0, 0], abs=1e-2)
    agrees(stop.numbers["probability"], entry.answers[0].probability)


def silent_channels(gallery, image, layer):
    return set(np.flatnonzero(gallery.maps(image, layer).max(axis=(1, 2)) == 0).tolist())


def silent(gallery, stop):
    dark = {e.id: silent_channels(gallery, e.id, stop.layer) for e in gallery.entries}
    assert stop.channel in dark[stop.image]
    assert stop.numbers["silent"] == len(dark[stop.image]) == max(map(len, dark.values()))
    assert stop.numbers["channels"] == gallery.manifest.layer(stop.layer).channels


def loud(gallery, stop):
    assert stop.channel in silent_channels(gallery, stop.names["silent_on"], stop.layer)
    assert stop.numbers["value"] > 0
    driven_most(gallery, stop)


def awake(gallery, layer):
    """On how many photos each channel is above zero."""
    return sum(
        (gallery.maps(e.id, layer).max(axis=(1, 2)) > 0).astype(int) for e in gallery.entries
    )


def relus(gallery):
    return [layer.name for layer in gallery.manifest.feature_maps if layer.op == "relu"]


def rare(gallery, stop):
    counts = {layer: awake(gallery, layer) for layer in relus(gallery)}
    assert stop.numbers["count"] == counts[stop.layer][stop.channel]
    assert stop.numbers["count"] == min(count[count > 0].min() for count in counts.values())
    assert stop.numbers["photos"] == len(gallery.entries)
    driven_most(gallery, stop)


def dead(gallery, stop):
    count = awake(gallery, stop.layer)
    assert count[stop.channel] == 0
    assert stop.numbers["dead"] == (count == 0).sum()
    assert stop.numbers["dead"] == max((awake(gallery, one) == 0).sum() for one in relus(gallery))
    assert stop.numbers["channels"] == len(count)
    assert stop.numbers["photos"] == len(gallery.entries)
    layer = gallery.manifest.layer(stop.layer)
    given = layer.inputs[0]
    assert stop.numbers["value"] <= 0
    if gallery.manifest.layer(given) in gallery.manifest.feature_maps:
        tops = gallery.highest(given, stop.channel)
        agrees(stop.numbers["value"], max(tops.values()))
        agrees(stop.numbers["value"], tops[stop.image])


def woken(gallery, stop):
    entry = read_entry(gallery.folder, stop.image)
    assert entry.chart
    tops = gallery.highest(stop.layer, stop.channel, [chart.id for chart in gallery.charts])
    assert stop.numbers["value"] > 0
    agrees(stop.numbers["value"], max(tops.values()))
    assert awake(gallery, stop.layer)[stop.channel] == 0


def summed(gallery, stop):
    entry = read_entry(gallery.folder, stop.image)
    n, first, evidence = stop.numbers, entry.answers[0], entry.evidence[0]
    right = [e.answers[0].probability for e in gallery.entries if e.correct]
    agrees(n["probability"], max(right or [e.answers[0].probability for e in gallery.entries]))
    assert stop.names["answer"] == first.name
    maps = gallery.maps(stop.image, stop.layer)
    weights = gallery.arrays["classifier.weight"][first.category]
    agrees(n["mean"], weights @ maps.mean(axis=(1, 2)), 1e-2)
    agrees(n["bias"], gallery.arrays["classifier.bias"][first.category])
    assert n["mean"] + n["bias"] == pytest.approx(n["logit"], abs=1e-4)
    agrees(n["logit"], first.logit)
    assert n["positions"] == len(evidence.values) == maps[0].size


def part_of(gallery, stop):
    """Check what a channel adds against weights and maps; return what all channels add."""
    entry = read_entry(gallery.folder, stop.image)
    weights = gallery.arrays["classifier.weight"][entry.answers[0].category]
    added = weights * gallery.maps(stop.image, stop.layer).mean(axis=(1, 2))
    assert stop.numbers["value"] == pytest.approx(added[stop.channel], rel=1e-2)
    assert stop.numbers["plus"] == pytest.approx(added[added > 0].sum(), rel=1e-2)
    assert stop.numbers["minus"] == pytest.approx(added[added < 0].sum(), rel=1e-2)
    assert stop.numbers["channels"] == len(added)
    assert stop.names["answer"] == entry.answers[0].name
    return gallery.contributions(entry)


def adds(gallery, stop):
    added = part_of(gallery, stop)
    assert stop.channel == added.argmax()
    ranked = sorted(added[added > 0], reverse=True)
    half = int(stop.numbers["half"])
    assert sum(ranked[: half - 1]) < sum(ranked) / 2 <= sum(ranked[:half])


def takes(gallery, stop):
    assert stop.channel == part_of(gallery, stop).argmin()
    assert stop.numbers["value"] < 0
    assert gallery.maps(stop.image, stop.layer)[stop.channel].max() > 0


def wrong(gallery, stop):
    entry = read_entry(gallery.folder, stop.image)
    assert entry.correct is False
    agrees(stop.numbers["probability"],
           max(e.answers[0].probability for e in gallery.entries if e.correct is False))  # fmt: skip
    agrees(stop.numbers["probability"], entry.answers[0].probability)
    assert stop.names == {"answer": entry.answers[0].name, "true": entry.true_class}
    names = [answer.name for answer in entry.answers]
    rank = names.index(entry.true_class) + 1 if entry.true_class in names else None
    assert stop.numbers.get("rank") == rank
    if entry.box:
        assert stop.numbers["inside"] == pytest.approx(evidence_inside(entry), abs=5e-3)
        assert stop.numbers["area"] == pytest.approx(fraction(entry, 1, 1)[0, 0], abs=1e-2)


def culprit(gallery, stop):
    assert stop.channel == part_of(gallery, stop).argmax()


def kin(gallery, stop):
    highest = gallery.highest(stop.layer, stop.channel)
    agrees(stop.numbers["here"], highest.pop(stop.names["wrong_on"]))
    agrees(stop.numbers["value"], max(highest.values()))
    agrees(stop.numbers["value"], highest[stop.image])
    assert stop.channel == gallery.stops("culprit")[0].channel
    first = read_entry(gallery.folder, stop.image).answers[0]
    assert stop.names["answer"] == first.name
    agrees(stop.numbers["probability"], first.probability)


CLAIMS = {
    "edge": edge, "colour": colour, "opposite": opposite, "kept": kept,
    "most": lambda gallery, stop: extreme(gallery, stop, True),
    "least": lambda gallery, stop: extreme(gallery, stop, False),
    "lost": lost, "stage": stage, "subject": subject, "silent": silent, "loud": loud,
    "rare": rare, "dead": dead, "woken": woken, "sum": summed, "adds": adds, "takes": takes,
    "wrong": wrong, "culprit": culprit, "kin": kin,
}  # fmt: skip


@pytest.fixture(scope="session")
def whole(tiles, exported):
    """The example gallery."""
    return Gallery(tiles, exported)


@pytest.fixture(scope="session")
def small(built_once, tmp_path_factory):
    """Drawn photos with a class and a box each, which the network gets wrong; three layers."""
    home = tmp_path_factory.mktemp("toured")
    photos = shutil.copytree(built_once.settings.photos, home / "photos")
    tables = [
        f'[[photo]]\nfile = "{name}"\nclass = "church"\nbox = [10, 5, 60, 50]\n'
        for name in ("ash.jpg", "birch.jpg", "cedar.jpg")
    ]
    chart = '[[photo]]\nfile = "grid.jpg"\nchart = true\n'
    (photos / "examples.toml").write_text("".join([*tables, chart]))
    made = replace(built_once, settings=replace(built_once.settings, photos=photos, tiles=home))
    made.build()
    return Gallery(made.folder, made.manifest)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("name", ["whole", "small"])
def test_what_is_said_is_found_again_in_the_tiles(request, name, kind):
    gallery = request.getfixturevalue(name)
    for stop in gallery.stops(kind):
        CLAIMS[kind](gallery, stop)


def test_every_kind_of_stop_is_there_in_one_gallery_or_the_other(whole, small):
    assert CLAIMS.keys() == KINDS
    there = {kind for kind in KINDS if whole.stops(kind) or small.stops(kind)}
    # What wakes a dead channel is a matter of luck.
    assert KINDS - there <= {"woken"}


def subjects(gallery):
    """Return the kinds of stops that a gallery of all default layers has subjects for."""
    right = [entry for entry in gallery.entries if entry.correct and entry.box]
    counts = [awake(gallery, layer) for layer in relus(gallery)]
    few = min(6, len(gallery.entries))
    there = {"edge", "colour", "opposite", "kept", "most", "least", "lost", "sum", "adds", "takes"}
    there |= {"stage", "subject"} if right else set()
    there |= {"rare"} if any(((count > 0) & (count < few)).any() for count in counts) else set()
    there |= {"dead"} if any((count == 0).any() for count in counts) else set()
    last = relus(gallery)[-1]
    mixed = any(
        awake(gallery, last)[channel] > 0
        for entry in gallery.entries
        for channel in silent_channels(gallery, entry.id, last)
    )
    there |= {"silent", "loud"} if mixed else set()
    there |= {"wrong", "culprit"} if any(e.correct is False for e in gallery.entries) else set()
    return there


def test_what_the_gallery_has_a_subject_for_is_there(whole):
    there = {kind for kind in KINDS if whole.stops(kind)}
    # The last two follow from others, and need some luck.
    assert there - {"woken", "kin"} == subjects(whole)


@pytest.mark.parametrize("name", ["whole", "small"])
def test_a_stop_is_there_or_is_said_to_be_left_out(request, name):
    gallery = request.getfixturevalue(name)
    said = {kind for line in gallery.tours.left_out for kind in line.split(" (")[0].split(", ")}
    there = {kind for kind in KINDS if gallery.stops(kind)}
    # One that follows from another is left out with it.
    follows = {"loud": "silent", "woken": "dead", "kept": "opposite"}
    for kind in KINDS - there:
        assert kind in said or follows.get(kind) in said, kind
    assert said <= KINDS


@pytest.mark.parametrize("name", ["whole", "small"])
def test_pictures_show_the_maps_on_the_scale_that_they_name(request, name):
    gallery = request.getfixturevalue(name)
    checked = 0
    for tour in gallery.tours.tours:
        for stop in tour.stops:
            assert stop.pictures
            for picture in stop.pictures:
                pixels = read_pixels(gallery.folder / TOURS / picture.path)
                assert pixels.shape[:2] == (picture.height, picture.width)
                if picture.role in {"kernel", "evidence"}:
                    continue
                values = gallery.maps(picture.image, picture.layer)[picture.channel]
                shown = picture.low + pixels / 255 * (picture.high - picture.low)
                held = np.clip(values, picture.low, picture.high)
                assert np.abs(shown - held).max() <= (picture.high - picture.low) / 509
                checked += 1
    assert checked


def test_evidence_and_kernels_are_drawn_around_zero(small):
    (stop,) = small.stops("wrong")
    (picture,) = stop.pictures
    values = read_entry(small.folder, stop.image).evidence[0].values
    pixels = read_pixels(small.folder / TOURS / picture.path).ravel()
    shown = picture.low + pixels / 255 * (picture.high - picture.low)
    assert np.abs(shown - values).max() <= (picture.high - picture.low) / 509
    (stop,) = small.stops("edge")
    pixels = read_pixels(small.folder / TOURS / stop.pictures[0].path)
    kernel = small.kernels()[stop.channel].transpose(1, 2, 0)
    expected = 127.5 + 127.5 * kernel / np.abs(kernel).max()
    assert np.abs(pixels - expected).max() <= 0.51


def test_the_folder_holds_what_the_tours_name(whole):
    named = {p.path for t in whole.tours.tours for stop in t.stops for p in stop.pictures}
    found = {path.name for path in (whole.folder / TOURS).iterdir()}
    assert found == named | {"tours.json"}


def test_one_photo_without_class_or_box_still_has_tours(gallery):
    for name in ("birch.jpg", "cedar.jpg", "grid.jpg"):
        (gallery.photos / name).unlink()
    (gallery.photos / "examples.toml").unlink()
    built = gallery.build()
    toured = Gallery(gallery.folder, gallery.manifest)
    assert {"edge", "dead", "sum"} <= {s.kind for tour in toured.tours.tours for s in tour.stops}
    for kind in KINDS - {"dead"}:
        assert not toured.stops(kind) or CLAIMS[kind](toured, toured.stops(kind)[0]) is None
    (remark,) = [remark for remark in built.remarks if "tours" in remark]
    for kind in ("stage", "rare", "wrong", "most"):
        assert kind in remark
    assert "rare (every channel is silent on all photos or wakes on all)" in remark


def test_charts_alone_have_tours_too(gallery):
    for name in ("ash.jpg", "birch.jpg", "cedar.jpg"):
        (gallery.photos / name).unlink()
    gallery.build()
    toured = Gallery(gallery.folder, gallery.manifest)
    assert {stop.image for tour in toured.tours.tours for stop in tour.stops} == {"grid"}
    assert not toured.stops("woken")


def test_dead_channels_whose_way_to_the_relu_is_hidden_are_not_denied(gallery, exported, tmp_path):
    folder = shutil.copytree(gallery.manifest.parent, tmp_path / "model")
    layers = tuple(
        replace(layer, exported=layer.name in {"layer4.1.relu_1", "fc"})
        for layer in read_manifest(exported).layers
    )
    gallery.build(manifests=(rewrite(folder / exported.name, layers=layers),))
    shared = read_index(gallery.folder).layers
    assert [layer.dead > 0 for layer in shared] == [True]
    assert "dead (what its ReLU is given is not shown)" in read_tours(gallery.folder).left_out


def test_without_a_classifier_there_is_nothing_about_answers(gallery, tmp_path):
    folder = shutil.copytree(gallery.manifest.parent, tmp_path / "model")
    manifest = rewrite(folder / gallery.manifest.name, classifier=None)
    gallery.build(manifests=(manifest,))
    tours = read_tours(gallery.folder)
    assert {tour.id for tour in tours.tours} == {"stem", "dark"}
    assert sum("no evidence" in line for line in tours.left_out) == 2


def test_a_gallery_without_tours_is_built_all_the_same(gallery, exported, tmp_path):
    folder = shutil.copytree(gallery.manifest.parent, tmp_path / "model")
    layers = tuple(
        replace(layer, exported=layer.name in {"layer1.0.bn2", "fc"})
        for layer in read_manifest(exported).layers
    )
    gallery.build(manifests=(rewrite(folder / exported.name, layers=layers, classifier=None),))
    assert read_tours(gallery.folder).tours == ()
