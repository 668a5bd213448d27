"""Several models in one site: where pages lie, what leads from one to another, what is refused."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_onnx as tiny
from several import MAIN, NAMES, OTHER, TWIN, URL, Made, build
from test_render import fault_of, links_of
from website import Document, read_page, tree

import artifacts
from export.manifest import read_manifest
from precompute.index import figures_name, index_path, read_entry, read_index
from site_template import __main__ as command
from site_template.checks import check_names
from site_template.models import Model, choices, counterpart, shared_photos
from site_template.pages import Card, Site
from site_template.render import RenderError, render

CARD = Card("", "", False, "", 0.0, None, (), "", "", "", "", 1, 1, "")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    return build(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def site_of(made) -> dict[str, Document]:
    """Every page of the site of three models, by its path."""
    return {
        path.relative_to(made.site).as_posix(): read_page(path)
        for path in sorted(made.site.rglob("*.html"))
    }


def images(made: Made, model: str) -> list[str]:
    return [image.id for image in read_index(made.tiles / model).images]


def picker(document: Document) -> dict[str, tuple[str, bool, bool]]:
    """Return the link of each model in the picker: address, whether current, whether it keeps views."""
    names = {a.text: a.attributes for a in document.all("a") if a.text in NAMES}
    assert document.all("nav", **{"aria-label": "Models"})
    first = {}
    for element in document.elements:
        if element.tag == "a" and element.text in NAMES and element.text not in first:
            first[element.text] = element.attributes
    assert first.keys() == names.keys()
    return {
        name: (a["href"], "aria-current" in a, "data-keep-view" in a) for name, a in first.items()
    }


# Where pages lie


def test_the_pages_of_the_main_model_keep_their_addresses(made, tmp_path):
    made.render(MAIN, out=tmp_path / "alone")
    alone, together = tree(tmp_path / "alone"), tree(made.site)
    assert alone.keys() < together.keys()
    for path, content in alone.items():
        if path.endswith(".html"):
            assert b"models.css" not in content
        else:
            assert together[path] == content, path


def test_the_pages_of_further_models_lie_in_folders_of_their_own(made, site_of):
    ours = {path for path in site_of if "/" not in path} - {"404.html"}
    for name in (TWIN, OTHER):
        front = f"models/{name}/"
        assert {path for path in site_of if path.startswith(front)} <= {
            front + path for path in ours
        }
        assert {f"{front}index.html", f"{front}about.html", f"{name}/embed.html"} <= site_of.keys()
        assert {f"{name}/{image}.html" for image in images(made, name)} <= site_of.keys()
        assert (made.site / name / "data" / "index.json").is_file()
    assert len(list(made.site.rglob("gallery.css"))) == 1


def test_every_link_leads_somewhere_and_every_id_stands_once(made, site_of):
    site = made.site.resolve()
    ids = {(site / path).resolve(): document.ids for path, document in site_of.items()}
    faults, found = [], 0
    for path, document in site_of.items():
        page = site / path
        folder = site if path == "404.html" else page.parent
        for _, link in links_of(document):
            if not link.startswith("https://"):
                found += 1
                fault = fault_of(link, folder, page, site, ids)
                faults += [f"{path}: {fault}"] if fault else []
    assert faults == []
    assert found > 300


def test_every_page_has_an_address_a_title_and_a_description_of_its_own(site_of):
    shown = {
        path: page
        for path, page in site_of.items()
        if not path.endswith(("404.html", "embed.html"))
    }
    assert {page.meta("og:url") for page in shown.values()} == {URL + path for path in shown}
    titles = [page.all("title")[0].text for page in shown.values()]
    assert sorted(titles) == sorted(set(titles))
    for path, page in shown.items():
        (name,) = [name for name in NAMES if path.startswith((f"{name}/", f"models/{name}/"))] or [
            MAIN
        ]
        if not path.startswith("compare/"):
            assert page.all("title")[0].text.endswith(f"Maps · {name}")
            assert page.meta("og:title") == page.all("title")[0].text


def test_previews_are_files_of_the_site(made, site_of):
    found = 0
    for page in site_of.values():
        for element in page.all("meta", property="og:image"):
            address = element.attributes["content"]
            assert address.startswith(URL)
            assert ".." not in address
            assert (made.site / address.removeprefix(URL)).is_file(), address
            found += 1
    assert found > 10


def test_the_header_leads_to_the_pages_of_the_same_model(site_of):
    for path, page in site_of.items():
        if path in {"404.html"} or path.endswith("embed.html"):
            continue
        found = [a.attributes["href"] for a in page.all("a") if a.text == "How to read this"]
        (name,) = [name for name in NAMES if path.startswith((f"{name}/", f"models/{name}/"))] or [
            MAIN
        ]
        target = "about.html" if name == MAIN else f"models/{name}/about.html"
        about = "../" * path.count("/") + target
        assert found == [about]
        (credit,) = [a for a in page.all("a") if a.text == "Provenance and licences"]
        assert credit.attributes["href"] == f"{about}#provenance"


# From one model to another


def test_the_picker_leads_to_the_same_photo_of_each_model(made, site_of):
    seen, unseen = (
        images(made, OTHER)[0],
        (set(images(made, MAIN)) - set(images(made, OTHER))).pop(),
    )
    assert picker(site_of[f"{TWIN}/{seen}.html"]) == {
        MAIN: (f"../{MAIN}/{seen}.html", False, True),
        TWIN: (f"../{TWIN}/{seen}.html", True, True),
        OTHER: (f"../{OTHER}/{seen}.html", False, True),
    }
    assert picker(site_of[f"{MAIN}/{unseen}.html"])[OTHER] == (
        f"../models/{OTHER}/index.html",
        False,
        False,
    )
    assert picker(site_of["about.html"])[TWIN] == (f"models/{TWIN}/about.html", False, False)
    assert picker(site_of[f"models/{TWIN}/about.html"])[MAIN] == ("../../about.html", False, False)
    assert picker(site_of[f"compare/{seen}.html"])[OTHER] == (
        f"../{OTHER}/{seen}.html",
        False,
        True,
    )


def test_a_page_that_another_model_lacks_leads_to_its_front_page():
    manifest = tiny.manifest()
    this = Model(manifest, "", frozenset({"index.html", "tours.html", "tiny/fox.html"}), ())
    other = Model(replace(manifest, model="b"), "models/b/", frozenset({"models/b/index.html"}), ())
    assert counterpart("tours.html", this, other) == "models/b/index.html"
    assert counterpart("tiny/fox.html", this, other) == "models/b/index.html"
    assert counterpart("models/b/index.html", other, this) == "index.html"
    assert counterpart("b/fox.html", other, this) == "tiny/fox.html"
    assert choices("tours.html", this, [this]) == []


def test_a_site_of_one_model_has_no_picker_and_compares_nothing(made, tmp_path):
    made.render(TWIN, out=tmp_path / "site")
    assert not (tmp_path / "site" / "compare").exists()
    assert not (tmp_path / "site" / "models").exists()
    for path in (tmp_path / "site").rglob("*.html"):
        text = path.read_text("utf-8")
        assert 'aria-label="Models"' not in text
        assert "compare/" not in text


# Side by side


def test_each_photo_that_two_models_have_is_shown_side_by_side(made, site_of):
    compared = {Path(path).stem for path in site_of if path.startswith("compare/")}
    assert compared == {*images(made, MAIN), "index"}
    for image in images(made, MAIN):
        having = [name for name in NAMES if image in images(made, name)]
        page = site_of[f"compare/{image}.html"]
        headings = [
            a.text
            for a in page.all("a")
            if a.attributes["href"] in {f"../{name}/{image}.html" for name in NAMES}
        ]
        assert [name for name in headings if name in NAMES][-len(having) :] == having
        answers = [span.text for span in page.all("span", **{"class": "answer-name"})]
        expected = [read_entry(made.tiles / name, image).answers for name in having]
        assert answers == [answer.name for column in expected for answer in column]
        assert f"This photo in {len(having)} models, side by side" in [
            a.text for a in site_of[f"{MAIN}/{image}.html"].all("a")
        ]


def test_models_of_the_same_layers_are_compared_layer_by_layer(made, site_of):
    image = images(made, OTHER)[0]
    page = site_of[f"compare/{image}.html"]
    pictures = [img.attributes["src"] for img in page.all("img", **{"class": "mean"})]
    assert pictures == [
        f"../{name}/data/{image}/{layer}.summary.png"
        for name in (MAIN, TWIN)
        for layer in ("conv", "relu")
    ]
    text = (made.site / f"compare/{image}.html").read_text("utf-8")
    assert f"{MAIN} and {TWIN} have the same layers" in text
    assert f"Those of {TWIN} are random" in text
    for name in (MAIN, TWIN):
        figures = json.loads((made.tiles / name / image / figures_name("relu")).read_bytes())
        zeros = np.mean(figures["zeros"])
        assert f"{zeros * 100:.0f} %" in text


def test_models_of_other_layers_are_not(made, tmp_path):
    made.render(MAIN, OTHER, out=tmp_path / "site")
    image = images(made, OTHER)[0]
    text = (tmp_path / "site" / "compare" / f"{image}.html").read_text("utf-8")
    assert "The way through the network" in text
    assert "Layer by layer" not in text
    alone = (set(images(made, MAIN)) - set(images(made, OTHER))).pop()
    assert not (tmp_path / "site" / "compare" / f"{alone}.html").exists()
    assert "models, side by side" not in (tmp_path / "site" / MAIN / f"{alone}.html").read_text(
        "utf-8"
    )


def test_the_front_page_says_which_models_there_are(made, site_of):
    for path in ("index.html", f"models/{OTHER}/index.html"):
        (table,) = re.findall(r"<tbody>(.*?)</tbody>", (made.site / path).read_text("utf-8"), re.S)
        rows = [re.findall(r">([^<]+)</(?:a|td)>", row) for row in table.strip().splitlines()]
        expected = []
        for name, weights in ((MAIN, "trained"), (TWIN, "tiny"), (OTHER, "tiny")):
            known = [
                e
                for i in images(made, name)
                if (e := read_entry(made.tiles / name, i)).correct is not None
            ]
            right = sum(entry.correct for entry in known)
            expected.append(
                [name, weights, "2", str(len(images(made, name))), f"{right} of {len(known)}"]
            )
        assert rows == expected


def test_the_table_of_answers_has_a_row_for_each_photo(made, site_of):
    page = site_of["compare/index.html"]
    rows = [a.attributes["href"] for a in page.all("a", **{"class": "pictured"})]
    assert rows == [f"../compare/{image}.html" for image in images(made, MAIN)]
    answers = [a.attributes["href"] for a in page.all("a") if a.text in tiny.CATEGORIES]
    expected = [
        f"../{name}/{image}.html"
        for image in images(made, MAIN)
        for name in NAMES
        if image in images(made, name)
    ]
    assert answers == expected
    assert [span.text for span in page.all("span", **{"class": "quiet"})] == ["not shown"]


def test_photos_come_in_the_order_of_the_first_model_that_has_them():
    fox, owl, elk = (replace(CARD, id=name) for name in ("fox", "owl", "elk"))
    one = Model(tiny.manifest(), "", frozenset(), (fox, owl))
    other = Model(tiny.manifest(), "models/b/", frozenset(), (elk, owl))
    assert shared_photos([one, other]) == {"fox": [one], "owl": [one, other], "elk": [other]}


# Made anew, refused, as large as allowed


def test_a_change_of_any_model_makes_the_site_anew(made, tmp_path):
    out = tmp_path / "site"
    assert made.render(*NAMES, out=out).changed
    assert not made.render(*NAMES, out=out).changed
    assert made.render(MAIN, TWIN, out=out).changed
    assert not (out / OTHER).exists()
    assert not (out / "models" / OTHER).exists()
    assert made.render(TWIN, MAIN, out=out).changed, "another main model"


def test_two_models_with_one_name_are_refused(made, tmp_path):
    with pytest.raises(artifacts.ArtifactError, match="two models are called 'tiny'"):
        made.render(MAIN, OTHER, MAIN, out=tmp_path / "site")
    with pytest.raises(artifacts.ArtifactError, match="two models are called 'TINY'"):
        check_names(["tiny", "TINY"])
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("name", ["models", "compare", "Static", "Survey"])
def test_a_model_cannot_take_the_name_of_another_part(made, tmp_path, name):
    described = replace(read_manifest(made.manifests[0]), model=name)
    path = tmp_path / f"{name}.json"
    path.write_bytes(artifacts.encode(described))
    index = replace(
        read_index(made.tiles / MAIN), model=name, manifest_sha256=artifacts.sha256(path)
    )
    tiles = tmp_path / "tiles"
    artifacts.write(index_path(tiles / name), artifacts.encode(index))
    with pytest.raises(artifacts.ArtifactError, match=f"a model cannot be called '{name}'"):
        render(
            Site("Maps", "", "", ""),
            [made.manifests[1], path],
            both(made, tiles),
            tmp_path,
            tmp_path / "site",
        )


def both(made: Made, tiles: Path) -> Path:
    """Put the tiles of a model that is right beside others."""
    (tiles / TWIN).symlink_to(made.tiles / TWIN)
    return tiles


def test_tiles_of_another_model_are_refused_whichever_it_is(made, tmp_path):
    changed = tmp_path / "changed.json"
    changed.write_bytes(made.manifests[1].read_bytes().replace(b'"opset":', b'"opset": ', 1))
    with pytest.raises(RenderError, match=f"the tiles in .*{TWIN} were computed with another"):
        render(
            Site("Maps", "", "", ""),
            [made.manifests[0], changed],
            made.tiles,
            tmp_path,
            tmp_path / "site",
        )
    assert not (tmp_path / "site").exists()


def test_a_site_that_is_too_large_names_every_model(made, tmp_path):
    with pytest.raises(RenderError) as error:
        made.render(*NAMES, out=tmp_path / "site", limit=20_000)
    said = str(error.value).splitlines()
    assert said[0].endswith(", more than 20.0 kB:")
    assert [line.split(":")[0].strip() for line in said[1:-1]] == list(NAMES)
    assert "with 2 photos; most for " in said[3]
    assert not (tmp_path / "site").exists()
    assert not (tmp_path / ".site.partial").exists()


def test_the_command_takes_several_manifests(made, tmp_path, capsys):
    line = ["--manifest", *map(str, made.manifests), "--tiles", str(made.tiles), "--title", "Maps"]
    line += ["--runtime", str(tmp_path / "none"), "--out", str(tmp_path / "site"), "--url", URL]
    line += ["--surveys", str(tmp_path / "none")]
    assert command.main(line) == 0
    assert tree(tmp_path / "site") == tree(made.site)
    assert re.match(r"site: \d+ pages, ", capsys.readouterr().out)
