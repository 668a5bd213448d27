"""Tiles from strangers: nothing outside them is read into the site, and nothing outside it written."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from website import tree

import artifacts
from precompute.index import RESERVED, read_entry
from precompute.lessons import MISTAKES, TOURS, TOURS_NAME, read_tours
from site_template import __main__ as command


def refusal(workshop, capsys) -> str:
    """Render what must be refused; return the line."""
    before = tree(workshop.out.parent) if workshop.out.parent.exists() else {}
    paths = {"manifest": workshop.manifest_path, "tiles": workshop.tiles.parent}
    paths |= {"runtime": workshop.runtime, "out": workshop.out}
    paths["surveys"] = workshop.runtime.with_name("none")
    code = command.main([f"--{name}={path}" for name, path in paths.items()])
    printed = capsys.readouterr()
    assert code == 1, printed.out
    assert printed.err.startswith("site: ")
    assert printed.err.count("\n") == 1
    assert (tree(workshop.out.parent) if workshop.out.parent.exists() else {}) == before
    return printed.err


def change(path: Path, *way, value) -> None:
    """Set one field of a JSON file, whatever its contract says."""
    content = json.loads(path.read_bytes())
    inner = content
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = value
    artifacts.write(path, json.dumps(content).encode())


HOSTILE = ["../x", "..", "/etc", "a/b", "C:x", "a\\b", ".x", "", "a\n", None, 7]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("way", [("images", 0, "id"), ("model",)], ids=str)
def test_a_name_that_is_no_folder_is_refused(workshop, capsys, way, value):
    change(workshop.tiles / "index.json", *way, value=value)
    assert "index.json is not a GalleryIndex: " in refusal(workshop, capsys)


@pytest.mark.parametrize("name", ["../x", "..", "_a/b", "shared", "", "_A"])
def test_a_part_that_is_no_folder_is_refused(workshop, capsys, name):
    parts = {**workshop.index.parts, name: "0" * 64}
    change(workshop.tiles / "index.json", "parts", value=parts)
    assert "index.json is not a GalleryIndex: " in refusal(workshop, capsys)


@pytest.mark.parametrize(
    "way",
    [
        ("input",),
        ("photo",),
        ("thumbnail",),
        ("contributions",),
        ("strip", "path"),
        ("sheets", 0, "path"),
        ("sheets", 0, "figures"),
        ("sheets", 0, "summary"),
        ("sheets", 0, "pca"),
        ("id",),
    ],
    ids=str,
)
def test_a_path_that_leads_elsewhere_is_refused(workshop, capsys, way):
    change(workshop.tiles / workshop.images[0] / "index.json", *way, value="../../secret")
    assert "index.json is not a ImageEntry: " in refusal(workshop, capsys)


def test_ids_that_one_folder_would_hold_are_refused(workshop, capsys):
    first, *others = workshop.index.images
    twin = replace(first, id=first.id.upper())
    shutil.copytree(workshop.tiles / first.id, workshop.tiles / twin.id)
    workshop.change_index(images=(first, twin, *others))
    assert "cannot be right: two images have one id" in refusal(workshop, capsys)


@pytest.mark.parametrize("name", RESERVED)
def test_ids_of_other_pages_are_refused(workshop, capsys, name):
    first, *others = workshop.index.images
    workshop.change_index(images=(replace(first, id=name), *others))
    assert f"an image has the id '{name}', which is the name of" in refusal(workshop, capsys)


def test_an_entry_of_another_photo_is_refused(workshop, capsys):
    first, second = workshop.images[:2]
    shutil.copy(workshop.tiles / second / "index.json", workshop.tiles / "moved.json")
    os.replace(workshop.tiles / "moved.json", workshop.tiles / first / "index.json")
    assert f"is that of '{second}': run make precompute" in refusal(workshop, capsys)


@pytest.mark.parametrize("name", ["static", "Snippets", "vendor", "tours.html"])
def test_a_model_does_not_take_another_part_of_the_site(workshop, capsys, name):
    workshop.change_manifest(lambda manifest: replace(manifest, model=name))
    workshop.change_index(model=name)
    assert f"a model cannot be called '{name}'" in refusal(workshop, capsys)


def test_an_index_about_another_model_is_refused(workshop, capsys):
    workshop.change_index(model="other")
    assert "it is about 'other', and the manifest about 'resnet18'" in refusal(workshop, capsys)


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("SECRET")
    return path


@pytest.mark.parametrize("where", ["image", "part", "deep"])
@pytest.mark.parametrize("what", ["file", "folder", "pipe"])
def test_links_and_pipes_are_not_published(workshop, capsys, secret, where, what):
    folder = (
        workshop.tiles / {"image": workshop.images[0], "part": "_model", "deep": "_shared"}[where]
    )
    if where == "deep":
        folder = next(path for path in sorted(folder.iterdir()) if path.is_dir())
    path = folder / "new.png"
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(secret if what == "file" else secret.parent)
    assert f"{path} is no file: remove it, then run make precompute" in refusal(workshop, capsys)


def test_a_photo_that_is_a_link_is_not_published(workshop, capsys, tmp_path):
    folder = workshop.tiles / workshop.images[0]
    elsewhere = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(elsewhere)
    assert f"{folder} is no folder: remove it, then run" in refusal(workshop, capsys)


def test_numbers_that_are_null_or_too_large_are_refused(workshop, capsys):
    path = workshop.tiles / workshop.images[0] / "index.json"
    original = path.read_bytes()
    for way in (("answers", 0, "probability"), ("sheets", 0, "low"), ("strip", "tile")):
        for value in (None, 1e300, 10**40):
            artifacts.write(path, original)
            change(path, *way, value=value)
            assert "is not a ImageEntry: " in refusal(workshop, capsys)
    artifacts.write(path, original.replace(b'"logit":', b'"logit":1e999,"old":', 1))
    assert "Number out of range" in refusal(workshop, capsys)


def entry_changes(entry):
    sheet, *sheets = entry.sheets
    return {
        "layers": {"sheets": tuple(sheets)},
        "name": {"sheets": (replace(sheet, path="other.png"), *sheets)},
        "shape": {"sheets": (replace(sheet, tile_width=7), *sheets)},
        "strip": {"strip": replace(entry.strip, layers=())},
        "category": {"answers": (replace(entry.answers[0], category=1000), *entry.answers[1:])},
        "evidence": {"evidence": entry.evidence[:1]},
        "values": {"evidence": (replace(entry.evidence[0], height=9), *entry.evidence[1:])},
    }


@pytest.mark.parametrize(
    "kind", ["layers", "name", "shape", "strip", "category", "evidence", "values"]
)
def test_an_entry_that_does_not_fit_the_model_is_refused(workshop, capsys, kind):
    image = workshop.images[0]
    workshop.change_entry(image, **entry_changes(read_entry(workshop.tiles, image))[kind])
    assert f"{image}/index.json cannot be right: " in refusal(workshop, capsys)


@pytest.mark.parametrize("change", [{"image": "nobody"}, {"layer": "moon"}, {"channel": 10**6}])
def test_a_tour_to_what_is_not_there_is_refused(workshop, capsys, change):
    tours = read_tours(workshop.tiles)
    stop = replace(tours.tours[0].stops[0], **change)
    workshop.change_tours(replace(tours.tours[0], stops=(stop,)))
    assert "_tours cannot be right: " in refusal(workshop, capsys)


def test_a_tour_with_a_picture_from_elsewhere_is_refused(workshop, capsys):
    way = ("tours", 0, "stops", 0, "pictures", 0, "path")
    change(workshop.tiles / TOURS / TOURS_NAME, *way, value="../../x.png")
    assert "tours.json is not a Tours: " in refusal(workshop, capsys)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"image": "nobody"}, "_mistakes cannot be right: no photo has the id 'nobody'"),
        ({"preparations": ()}, "index.json is not a Mistakes: "),
        ({"same": ("unheard-of",)}, "index.json is not a Mistakes: "),
    ],
)
def test_a_lesson_that_does_not_fit_is_refused(workshop, capsys, changes, problem):
    for field, value in changes.items():
        change(workshop.tiles / MISTAKES / "index.json", field, value=value)
    assert problem in refusal(workshop, capsys)


@pytest.mark.parametrize("name", ["../../x.mjs", "other.mjs"])
def test_a_runtime_of_other_files_is_refused(workshop, capsys, name):
    path = workshop.runtime / "runtime.json"
    change(path, "files", 0, "name", value=name)
    assert f"run rm {path} && make site" in refusal(workshop, capsys)
