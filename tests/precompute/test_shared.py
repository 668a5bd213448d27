"""What is said over all photos follows from what is said of each, charts left out."""

import tracemalloc

import msgspec
import numpy as np
import pytest
from sklearn.decomposition import PCA

import artifacts
from export.manifest import read_manifest
from precompute import index
from precompute.index import Peaks, SharedFigures, read_entry, read_index
from precompute.reader import read_figures, read_layer, read_pixels, sheet_of
from precompute.shared import share_layer

LAYERS = ["conv1", "layer1.0.relu", "layer2.0.add", "layer4.1.conv2", "layer4.1.relu_1"]


@pytest.fixture(scope="module")
def photos(tiles):
    images = [image.id for image in read_index(tiles).images]
    photos = [image for image in images if not read_entry(tiles, image).chart]
    assert (len(photos), len(images)) == (3, 4)
    return photos


def test_memory_does_not_grow_with_the_number_of_photos(tiles, photos, exported):
    layer = read_manifest(exported).layer("conv1")
    peaks = []
    for times in (2, 20):
        tracemalloc.start()
        share_layer(tiles, layer, photos * times, [], lambda name, data: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Whoever kept the pixels of all photos, would need a byte for each activation of 54 more.
    assert peaks[1] - peaks[0] < layer.channels * layer.height * layer.width * 54 / 10


@pytest.fixture(scope="module", params=LAYERS)
def layer(request):
    return request.param


@pytest.fixture
def shared(tiles, layer):
    (brief,) = [brief for brief in read_index(tiles).layers if brief.layer == layer]
    return brief, artifacts.decode(tiles / brief.figures, SharedFigures, "")


@pytest.fixture
def each(tiles, photos, layer):
    """Photo to its sheet and figures."""
    sheets = {photo: sheet_of(read_entry(tiles, photo), layer) for photo in photos}
    return {photo: (s, read_figures(tiles / photo, s)) for photo, s in sheets.items()}


def test_ranges_and_scale_are_the_widest_of_the_photos(shared, each):
    brief, figures = shared
    assert figures.low == np.min([own.low for _, own in each.values()], axis=0).tolist()
    assert figures.high == np.max([own.high for _, own in each.values()], axis=0).tolist()
    assert (brief.low, brief.high) == (min(figures.low), max(figures.high))
    assert brief.scale == max(sheet.scale for sheet, _ in each.values())


def test_dead_are_the_channels_that_never_fire(shared, each, layer):
    brief, figures = shared
    highest = np.max([own.high for _, own in each.values()], axis=0)
    rectified = layer.endswith(("relu", "relu_1"))
    assert figures.dead == (np.flatnonzero(highest <= 0).tolist() if rectified else [])
    assert brief.dead == len(figures.dead)


def test_peaks_are_each_channels_photos_by_their_maximum(shared, each, layer):
    _, figures = shared
    peaks = figures.peaks
    for channel in range(len(figures.low)):
        ranked = sorted(each, key=lambda photo: -each[photo][1].high[channel])
        fires = [p for p in ranked if each[p][1].high[channel] > 0 or "relu" not in layer]
        assert [peaks.images[i] for i in peaks.image[channel]] == fires
        for kind in ("value", "row", "column"):
            field = "high" if kind == "value" else kind
            expected = [getattr(each[photo][1], field)[channel] for photo in fires]
            assert getattr(peaks, kind)[channel] == expected


def test_rankings_hold_all_photos_of_each_channel(tiles, layer, each):
    slug = sheet_of(read_entry(tiles, next(iter(each))), layer).figures.removesuffix(".json")
    count = len(next(iter(each.values()))[1].high)
    for first in range(0, count, index.RANKING):
        peaks = artifacts.decode(tiles / "_shared" / index.ranking_name(slug, first), Peaks, "")
        assert len(peaks.image) == min(index.RANKING, count - first)
        for offset, ranks in enumerate(peaks.image):
            high = {photo: each[photo][1].high[first + offset] for photo in each}
            ranked = sorted(high, key=lambda photo: -high[photo])
            fires = [p for p in ranked if high[p] > 0 or "relu" not in layer]
            assert [peaks.images[i] for i in ranks] == fires
            assert peaks.value[offset] == [high[photo] for photo in fires]


def test_of_many_photos_the_best_are_kept_whatever_their_order(
    tiles, photos, exported, monkeypatch
):
    """The cut is made now and then, not once at the end; ties go to the earlier photo."""
    monkeypatch.setattr("precompute.shared.RANKED", 2)
    layer = read_manifest(exported).layer("layer4.1.conv2")
    figures = {
        p: read_figures(tiles / p, sheet_of(read_entry(tiles, p), layer.name)) for p in photos
    }
    for order in (photos, photos[::-1], [photos[1], photos[2], photos[0], photos[1]]):
        found = {}
        share_layer(tiles, layer, order, [], found.__setitem__)
        data = found[index.ranking_name(layer.slug, 16)]
        peaks = msgspec.json.decode(data, type=Peaks)
        for offset in range(index.RANKING):
            high = [figures[photo].high[16 + offset] for photo in order]
            best = np.argsort(-np.array(high), kind="stable")[:2]
            assert [peaks.images[i] for i in peaks.image[offset]] == [order[i] for i in best]


def test_the_basis_is_sklearns_over_every_position_of_every_photo(tiles, photos, shared, layer):
    _, figures = shared
    maps = {photo: read_layer(tiles, photo, layer) for photo in photos}
    rows = np.vstack([m.reshape(len(m), -1).T for m in maps.values()]).astype(np.float64)
    expected = PCA(3, svd_solver="covariance_eigh").fit(rows)
    found = np.array(figures.basis.components)
    signs = np.sign(np.sum(found * expected.components_, axis=1, keepdims=True))
    np.testing.assert_allclose(figures.basis.mean, expected.mean_, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found, signs * expected.components_, atol=1e-5)
    np.testing.assert_allclose(
        figures.basis.range.explained, expected.explained_variance_ratio_, rtol=1e-5
    )
    reach = 3 * np.sqrt(expected.explained_variance_)
    np.testing.assert_allclose(figures.basis.range.high, reach, rtol=1e-5)
    np.testing.assert_allclose(figures.basis.range.low, -reach, rtol=1e-5)


def test_every_picture_is_coloured_in_that_basis_charts_too(tiles, shared, layer):
    _, figures = shared
    low, high = (
        np.array(end)[:, None, None] for end in (figures.basis.range.low, figures.basis.range.high)
    )
    slug = artifacts.slug(layer)
    for image in (image.id for image in read_index(tiles).images):
        maps = read_layer(tiles, image, layer) - np.array(figures.basis.mean)[:, None, None]
        scores = np.tensordot(np.array(figures.basis.components), maps, axes=1)
        levels = np.clip((scores - low) / (high - low) * 255, 0, 255).transpose(1, 2, 0)
        shown = read_pixels(tiles / index.SHARED / index.shared_pca_name(slug, image))
        assert np.abs(shown - levels).max() <= 0.51
