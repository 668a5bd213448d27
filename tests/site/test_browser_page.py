"""What a site gives a visitor's browser to compute with: whole and as described, or not at all."""

import json
import re
from dataclasses import replace

import msgspec
import pytest
from checked import MODEL as CHECKED
from website import entries, read_page, tree

import artifacts
from export.manifest import BrowserCopy, File, read_manifest
from precompute.index import RESERVED, read_index
from site_template.browser import BrowserModel
from site_template.render import RenderError

OWN_PHOTO = f"{CHECKED}/your-photo.html"
NAME = "resnet18.small.onnx"
MODEL = b"stands for the model's copy"


@pytest.fixture
def computing(workshop):
    """A gallery whose model has a copy for browsers, which no page here runs."""
    path = workshop.manifest_path.with_name(NAME)
    artifacts.write(path, MODEL)
    copy = BrowserCopy(File(NAME, artifacts.sha256(path)), len(MODEL), 0.25, 0.125)
    workshop.change_manifest(lambda manifest: replace(manifest, browser=copy))
    return workshop


def described(site) -> BrowserModel:
    path = site / f"{CHECKED}/data/_browser/index.json"
    return msgspec.json.decode(path.read_bytes(), type=BrowserModel)


def downloads(model):
    return [model.onnx, *model.runtime.files]


# What the page is told


@pytest.mark.built
def test_the_page_is_there_where_the_model_has_a_copy(site, exported, runtime, pages):
    has_copy = read_manifest(exported).browser is not None
    assert (OWN_PHOTO in pages) == has_copy, "run make site: there was no runtime when it ran"
    links = {link.attributes["href"] for link in pages["index.html"].all("a")}
    assert (OWN_PHOTO in links) == has_copy
    own = {path.stem for path in (site / CHECKED).glob("*.html")}
    own -= {image.id for image in read_index(site / f"{CHECKED}/data").images}
    assert own <= set(RESERVED), "a photo could take its address"


@pytest.mark.built
def test_every_download_of_the_built_site_is_as_described(site, exported):
    if read_manifest(exported).browser is None:
        pytest.skip("this model has no copy for browsers")
    for file in downloads(described(site)):
        path = site / file.path
        assert (file.bytes, file.sha256) == (path.stat().st_size, artifacts.sha256(path))


def test_every_download_lies_where_it_is_said_to(computing):
    computing.render()
    model = described(computing.out)
    found = {}
    for file in downloads(model):
        content = (computing.out / file.path).read_bytes()
        found[file.path] = content
        assert len(content) == file.bytes
        assert artifacts.sha256(computing.out / file.path) == file.sha256
    assert found.pop(f"resnet18/data/_browser/{NAME}") == MODEL
    runtime = tree(computing.runtime)
    assert found == {
        f"vendor/onnxruntime-web/{name}": content
        for name, content in runtime.items()
        if name != "runtime.json"
    }
    assert model.runtime.entry.path.endswith("/ort.wasm.min.mjs")
    assert model.runtime.glue.path.endswith("/ort-wasm-simd-threaded.mjs")
    assert model.runtime.wasm.inflated not in {None, model.runtime.wasm.sha256}
    assert [path.name for path in (computing.out / "vendor").iterdir()] == ["onnxruntime-web"]


def test_the_model_is_described_as_in_the_manifest(computing):
    computing.render()
    manifest, model = read_manifest(computing.manifest_path), described(computing.out)
    assert (model.model, model.difference, model.rounding) == ("resnet18", 0.25, 0.125)
    assert model.input == manifest.input
    assert model.categories == manifest.categories
    assert (model.logits, model.classifier) == ("fc", "layer4.1.relu_1")
    facts = ("name", "slug", "channels", "height", "width", "signed")
    assert [[getattr(layer, fact) for fact in facts] for layer in model.layers] == [
        [getattr(layer, fact) for fact in facts] for layer in manifest.feature_maps
    ]
    index = json.loads((computing.out / "resnet18/data/_browser/index.json").read_bytes())
    assert index["layers"][0] == {
        "name": "conv1", "slug": "conv1", "channels": 64, "height": 112, "width": 112,
        "signed": True,
    }  # fmt: skip


def test_a_model_without_a_classifier_has_none(computing):
    computing.change_manifest(lambda manifest: replace(manifest, classifier=None))
    for image in computing.images:
        computing.change_entry(image, evidence=(), contributions=None)
    computing.render()
    assert described(computing.out).classifier is None


# Where there is no such page


def without_a_copy(workshop):
    workshop.change_manifest(lambda manifest: replace(manifest, browser=None))


def without_a_runtime(workshop):
    (workshop.runtime / "runtime.json").unlink()


def without_a_folder(workshop):
    workshop.runtime = workshop.runtime.with_name("nowhere")


@pytest.mark.parametrize("missing", [without_a_copy, without_a_runtime, without_a_folder])
def test_without_model_or_runtime_nothing_is_left_of_the_page(computing, missing):
    with_page = computing.render()
    before = tree(computing.out)
    assert any("your-photo.html" in text.decode() for text in before.values() if b"<nav" in text)
    missing(computing)
    assert computing.render() == with_page - 1
    after = tree(computing.out)
    assert before.keys() - after.keys() == {
        OWN_PHOTO,
        f"{CHECKED}/data/_browser/index.json",
        *(path for path in before if path.startswith("vendor/") or path.endswith(NAME)),
    }
    told = b"".join(text for path, text in after.items() if path.endswith((".html", ".json")))
    assert b"your-photo" not in told
    assert b"onnxruntime-web" not in told


def test_the_header_leads_to_the_page_after_the_photos(computing):
    computing.render()
    header = read_page(computing.out / "about.html").all("a")
    links = [link.attributes["href"] for link in header]
    assert links.index(OWN_PHOTO) == links.index("index.html#photos") + 1
    own = read_page(computing.out / OWN_PHOTO)
    marked = [a for a in own.all("a") if "aria-current" in a.attributes]
    (current,) = [a for a in marked if "data-image" not in a.attributes]  # of the filmstrip
    assert current.attributes["href"] == f"../{OWN_PHOTO}"
    assert current.text == "Your photo"
    assert own.all("h1")


@pytest.mark.parametrize("page", ["index.html", "about.html"])
def test_pages_lead_to_it_in_a_sentence_too(computing, page):
    computing.render()
    links = [a.attributes.get("href") for a in read_page(computing.out / page).all("a")]
    assert links.count(OWN_PHOTO) == 2


@pytest.mark.parametrize(
    ("rounding", "says"), [(0.125, "by up to 25.0 % of"), (0.0, "the very (same )?weights")]
)
def test_how_far_numbers_are_from_those_of_the_gallery_is_stated(computing, rounding, says):
    copy = replace(read_manifest(computing.manifest_path).browser, rounding=rounding)
    computing.change_manifest(lambda manifest: replace(manifest, browser=copy))
    computing.render()
    for page in ("about.html", OWN_PHOTO):
        text = (computing.out / page).read_text("utf-8")
        assert re.search(says, text)
        assert ("rounded to 16 bits" in text) == (rounding > 0)


def test_the_runtime_is_credited_with_its_licence(computing):
    computing.render()
    about = read_page(computing.out / "about.html")
    (link,) = [a for a in about.all("a") if a.text == "onnxruntime-web"]
    text = (computing.out / link.attributes["href"]).read_text("utf-8")
    assert "Copyright (c) Microsoft Corporation\n\nPermission is hereby granted" in text


# What is refused


def change_the_model(workshop):
    path = workshop.manifest_path.with_name(NAME)
    artifacts.write(path, MODEL[::-1])
    return path, workshop.manifest_path


def lose_the_model(workshop):
    path = workshop.manifest_path.with_name(NAME)
    path.unlink()
    return path, workshop.manifest_path


def change_the_runtime(workshop):
    path = workshop.runtime / "ort-wasm-simd-threaded.mjs"
    artifacts.write(path, path.read_bytes() + b"\n")
    return path, workshop.runtime / "runtime.json"


def lose_a_part_of_the_runtime(workshop):
    path = workshop.runtime / "ort-wasm-simd-threaded.wasm.gz"
    path.unlink()
    return path, workshop.runtime / "runtime.json"


@pytest.mark.parametrize(
    "fault", [change_the_model, lose_the_model, change_the_runtime, lose_a_part_of_the_runtime]
)
def test_files_that_are_not_what_was_described_leave_the_old_site(computing, fault):
    computing.render()
    before = tree(computing.out.parent)
    path, index = fault(computing)
    computing.site = replace(computing.site, title="New")
    with pytest.raises(RenderError) as refusal:
        computing.render()
    assert str(refusal.value) == (
        f"{path} is not the file that {index} describes: run rm {index} && make site"
    )
    assert tree(computing.out.parent) == before
    assert entries(computing.out.parent) == [".site.json", "site"]


def test_an_index_of_the_runtime_that_cannot_be_read_is_refused(computing):
    index = computing.runtime / "runtime.json"
    artifacts.write(index, b"{}")
    with pytest.raises(artifacts.ArtifactError) as refusal:
        computing.render()
    assert str(refusal.value).startswith(f"{index} is not a Runtime: ")
    assert str(refusal.value).endswith(f"; run rm {index} && make site")
