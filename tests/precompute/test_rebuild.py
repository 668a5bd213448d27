"""Only what changed is computed, nothing is left over, and the same photos give the same bytes."""

import shutil

import pytest
from small_gallery import draw

import artifacts
from precompute import index
from precompute.index import read_entry

SHARED = {"_shared", "_mistakes", "_tours", "index.json"}


def fresh(gallery, where, workers):
    """Build the gallery's photos into an empty folder; return every file's content."""
    gallery.build(tiles=where, workers=workers)
    paths = (path for path in where.rglob("*") if path.is_file())
    return {path.relative_to(where / "resnet18").as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_bytes_do_not_depend_on_workers_or_on_the_run(gallery, tmp_path, workers):
    assert fresh(gallery, tmp_path / "again", workers) == gallery.files()


def test_a_second_run_computes_nothing_and_touches_nothing(gallery):
    before = gallery.stamps()
    built = gallery.build()
    assert (built.computed, built.index) == (0, gallery.index)
    assert gallery.stamps() == before


def test_moving_the_photos_changes_nothing(gallery, tmp_path):
    before = gallery.stamps()
    moved = shutil.move(gallery.photos, tmp_path / "elsewhere")
    assert gallery.build(photos=moved).computed == 0
    assert gallery.stamps() == before


def test_a_changed_photo_is_computed_alone(gallery):
    before = gallery.stamps()
    draw(gallery.photos / "birch.jpg", seed=50)
    assert gallery.build().computed == 1
    assert gallery.touched(before) == {"birch", *SHARED}


def test_a_changed_title_is_computed_alone(gallery):
    before = gallery.stamps()
    (gallery.photos / "examples.toml").write_text(
        '[[photo]]\nfile = "grid.jpg"\nchart = true\n[[photo]]\nfile = "ash.jpg"\ntitle = "T"\n'
    )
    assert gallery.build().computed == 1
    # What is said over all photos is said of their maps, which a title leaves alone.
    assert gallery.touched(before) == {"ash", "_tours", "index.json"}
    assert [image.id for image in gallery.index.images] == ["grid", "ash", "birch", "cedar"]


def test_an_added_and_a_removed_photo_leave_no_orphan(gallery, tmp_path):
    draw(gallery.photos / "dogwood.jpg", seed=51)
    (gallery.photos / "birch.jpg").unlink()
    before = gallery.stamps()
    assert gallery.build().computed == 1
    assert gallery.touched(before) == {"birch", "dogwood", *SHARED}
    assert gallery.files() == fresh(gallery, tmp_path / "clean", 1)


def test_what_a_killed_run_left_is_cleared_away(gallery, tmp_path):
    for name in (".ash.partial", ".oak.old", "oak"):
        shutil.copytree(gallery.folder / "ash", gallery.folder / name)
    (gallery.folder / ".index.partial").write_bytes(b"half")
    gallery.build()
    assert gallery.files() == fresh(gallery, tmp_path / "clean", 1)


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def swap(path):
    other = path.with_name("conv1.png" if path.parent.name == "cedar" else "birch.png")
    path.rename(path.with_name("third"))
    other.rename(path)
    path.with_name("third").rename(other)


def delete(path):
    path.unlink()


def add(path):
    path.with_name("stray.png").write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, cut, zero, swap, delete, add])
@pytest.mark.parametrize(
    ("name", "computed"), [("cedar/layer4.1.add.png", 1), ("_shared/conv1/ash.png", 0)]
)
def test_a_damaged_file_is_found_and_made_again(gallery, damage, name, computed):
    good = gallery.files()
    damage(gallery.folder / name)
    assert gallery.files() != good
    assert gallery.build().computed == computed
    assert gallery.files() == good


def test_photos_that_changed_places_are_computed_again(gallery):
    good = gallery.files()
    for folder, ending in ((gallery.folder, ""), (gallery.folder / "_records", ".json")):
        ash, birch = folder / f"ash{ending}", folder / f"birch{ending}"
        ash.rename(folder / "third")
        birch.rename(ash)
        (folder / "third").rename(birch)
    assert gallery.build().computed == 2
    assert gallery.files() == good


def test_a_renamed_photo_leaves_no_orphan(gallery, tmp_path):
    old = next(gallery.photos.glob("birch.*"))
    old.rename(old.with_stem("willow"))
    assert gallery.build().computed == 1
    assert [name for name in gallery.files() if "birch" in name] == []
    assert gallery.files() == fresh(gallery, tmp_path / "clean", 1)


@pytest.mark.parametrize("damage", [flip, cut, zero, delete])
@pytest.mark.parametrize("name", ["index.json", "_records/ash.json", "_records/_shared.json"])
def test_a_damaged_index_or_record_is_made_again(gallery, damage, name):
    good = gallery.files()
    damage(gallery.folder / name)
    gallery.build()
    assert gallery.files() == good


def test_an_index_that_does_not_know_the_shared_files_is_made_again(gallery):
    good = gallery.files()
    other = good["index.json"].replace(b'"_shared":', b'"_elsewhere":')
    assert other != good["index.json"]
    (gallery.folder / "index.json").write_bytes(other)
    gallery.build()
    assert gallery.files() == good


def test_a_lost_index_or_record_is_made_again(gallery):
    good = gallery.files()
    (gallery.folder / "index.json").unlink()
    (gallery.folder / "_records" / "ash.json").write_bytes(b"{}")
    assert gallery.build().computed == 1
    assert gallery.files() == good


def test_an_index_of_another_version_is_refused_and_made_again(gallery):
    good = gallery.files()
    other = good["index.json"].replace(b'"schema_version":1', b'"schema_version":0')
    (gallery.folder / "index.json").write_bytes(other)
    with pytest.raises(
        artifacts.ArtifactError, match=r"version 0, expected 1: run make precompute$"
    ):
        index.read_index(gallery.folder)
    gallery.build()
    assert gallery.files() == good


def test_an_index_older_than_the_shared_files_is_not_believed(gallery):
    # As a run leaves it that is killed after the shared files and before the index.
    older = (gallery.folder / "index.json").read_bytes()
    draw(gallery.photos / "birch.jpg", seed=52)
    gallery.build()
    good = gallery.files()
    assert good["index.json"] != older
    (gallery.folder / "index.json").write_bytes(older)
    gallery.build()
    assert gallery.files() == good


def test_another_model_computes_everything_again(gallery, slim, tmp_path):
    before = artifacts.sha256(slim)
    other = tmp_path / "model" / slim.name
    shutil.copytree(slim.parent, other.parent)
    other.write_bytes(other.read_bytes().replace(b'"note":"', b'"note":"Another. '))
    assert gallery.build(manifests=(other,)).computed == 4
    assert gallery.index.manifest_sha256 == artifacts.sha256(other) != before


def test_references_change_with_the_content_and_only_then(gallery):
    before = {image.id: image.sha256 for image in gallery.index.images}
    draw(gallery.photos / "birch.jpg", seed=53)
    gallery.build()
    after = {image.id: image.sha256 for image in gallery.index.images}
    assert {name for name in before if before[name] != after[name]} == {"birch"}


def test_charts_have_no_say_in_what_holds_over_all_photos(gallery):
    def shared():
        return {
            name: content
            for name, content in gallery.files().items()
            if name.startswith("_shared/") and name.endswith(".json")
        }

    before, layers = shared(), gallery.index.layers
    draw(gallery.photos / "grid.jpg", seed=54)
    gallery.build()
    assert (shared(), gallery.index.layers) == (before, layers)
    (gallery.photos / "examples.toml").unlink()
    gallery.build()
    assert shared().keys() == before.keys()
    assert not read_entry(gallery.folder, "grid").chart
    assert gallery.index.layers != layers


def test_a_gallery_of_charts_alone_has_shared_figures_too(gallery):
    for name in ("ash.jpg", "birch.jpg", "cedar.jpg"):
        (gallery.photos / name).unlink()
    gallery.build()
    assert [image.id for image in gallery.index.images] == ["grid"]
    assert gallery.index.layers[0].low < gallery.index.layers[0].high


def test_records_are_not_named_in_what_is_published(gallery):
    published = [name for name in gallery.files() if not name.startswith("_records/")]
    assert index.SHARED in {name.split("/")[0] for name in published}
    assert [name for name in published if b"_records" in gallery.files()[name]] == []
