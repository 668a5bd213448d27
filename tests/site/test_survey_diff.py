"""The pages that compare two surveys: what they say, where they lie, and what is refused."""

import json
import re
import shutil
from dataclasses import replace

import pytest
from compared_models import survey_all
from several import MAIN, NAMES, OTHER, TWIN, Made, build
from website import read_page, tree

import artifacts
from export.manifest import read_manifest
from site_template.survey_diff import _ends, difference_page
from survey.diff.contract import difference_folder, index_path, read_difference

TWINS = f"compare/surveys/{MAIN}--{TWIN}.html"
WIDER = f"compare/surveys/{MAIN}--{OTHER}.html"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    return build(tmp_path_factory.mktemp("compared"))


@pytest.fixture(scope="module")
def surveys(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("surveys")
    survey_all(made, folder)
    return folder


@pytest.fixture(scope="module")
def site(made, surveys, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "site"
    made.render(*NAMES, out=out, surveys=surveys)
    return out


def text_of(path):
    plain = re.sub(r"<[^>]+>", " ", path.read_text("utf-8").partition("<main")[2])
    return " ".join(plain.split())


def test_each_comparison_is_a_page_and_nothing_else_is_more(made, site, surveys, tmp_path):
    apart, alone = tmp_path / "surveys", tmp_path / "site"
    for name in NAMES:
        shutil.copytree(surveys / name, apart / name)
    made.render(*NAMES, out=alone, surveys=apart)
    more = tree(site).keys() - tree(alone).keys()
    assert more == {TWINS, WIDER, "static/survey-diff.css"}


def test_side_by_side_leads_to_it_and_it_leads_back(site):
    links = [a.attributes["href"] for a in read_page(site / "compare/index.html").all("a")]
    assert [link for link in links if "surveys" in link] == [f"../{TWINS}", f"../{WIDER}"]
    page = read_page(site / TWINS)
    there = [a.attributes["href"].partition("#")[0] for a in page.all("a")]
    assert "../index.html" in there
    for link in there:
        if link and not link.startswith("http"):
            assert (site / TWINS).parent.joinpath(link).resolve().is_file(), link


def test_it_says_what_was_planted(site):
    said = text_of(site / TWINS)
    assert "They are alike up to relu , and differ from there on." in said
    assert "compares them on 40 photos" in said
    assert "trained 40 28 of 40" in said
    assert re.search(r"relu:2 −1\.00 −1\.00 to −1\.00 ", said)
    assert f"Never in {TWIN} relu 1 : 1 Classes" in said
    assert f"Right in {MAIN} Right in {TWIN} birch 10 of 20 15 of 20" in said
    assert "ash" not in said.partition("Classes, most")[2]


def test_a_channel_leads_to_its_maps_in_both_models(site):
    links = [a.attributes["href"] for a in read_page(site / TWINS).all("a")]
    shown = [link for link in links if link.endswith("#layer=relu&channel=2")]
    assert [link.split("/")[2] for link in shown] == [MAIN, TWIN]


def test_every_layer_is_drawn_where_its_number_is(site, surveys):
    found = read_difference(difference_folder(surveys, MAIN, TWIN))
    svg = (site / TWINS).read_text("utf-8")
    dots = [float(y) for y in re.findall(r'<circle cx="[^"]+" cy="([^"]+)"', svg)]
    similarity, correlation = dots[:2], dots[2:]
    assert similarity == [10, pytest.approx(180 - 170 * found.layers[1].similarity, abs=0.1)]
    middle = [layer.channels.quantiles[2] for layer in found.layers]
    assert correlation == [pytest.approx(10 + 85 * (1 - value), abs=0.1) for value in middle]


def test_layers_with_other_numbers_of_channels_have_a_similarity_only(site):
    said = text_of(site / WIDER)
    assert "Similarity of the layer (CKA)" in said
    assert "Correlation of its channels" not in said
    assert "Channels that changed most" not in said
    assert "Channels that fire in one only" not in said


def test_all_pairs_of_blocks_are_in_the_grid(site, surveys, made):
    found = read_difference(difference_folder(surveys, MAIN, OTHER))
    layers = read_manifest(made.manifests[0]).feature_maps
    (row,) = _ends(layers, "block").values()
    assert row == len(layers) - 1
    said = text_of(site / WIDER).partition("Each block with each")[2]
    assert f"{found.pairs[row][row]:.2f}" in said
    assert f's{round(10 * found.pairs[row][row])}"' in (site / WIDER).read_text("utf-8")


def test_names_from_elsewhere_are_text(site):
    assert "Trees &lt;b&gt;" in (site / TWINS).read_text("utf-8")


def test_a_comparison_with_a_model_that_is_not_shown_is_left_out(made, surveys, tmp_path):
    made.render(TWIN, OTHER, out=tmp_path / "site", surveys=surveys)
    assert not (tmp_path / "site" / "compare" / "surveys").exists()
    assert not (tmp_path / "site" / "static" / "survey-diff.css").exists()


def test_the_site_is_made_again_when_a_comparison_changes(made, surveys, tmp_path):
    out, mine = tmp_path / "site", tmp_path / "surveys"
    survey_all(made, mine)
    made.render(*NAMES, out=out, surveys=mine)
    assert not made.render(*NAMES, out=out, surveys=mine).changed
    path = index_path(difference_folder(mine, MAIN, TWIN))
    path.write_bytes(path.read_bytes().replace(b'"photos":40', b'"photos":39'))
    assert made.render(*NAMES, out=out, surveys=mine).changed
    assert "on 39 photos" in text_of(out / TWINS)


def with_index(made, tmp_path, change):
    survey_all(made, tmp_path / "surveys")
    path = index_path(difference_folder(tmp_path / "surveys", MAIN, TWIN))
    index = json.loads(path.read_bytes())
    change(index)
    path.write_bytes(json.dumps(index).encode())
    return lambda: made.render(*NAMES, out=tmp_path / "site", surveys=tmp_path / "surveys")


FAULTS = {
    "it has not a similarity for each pair": lambda i: i["pairs"].pop(),
    "its layers are not those": lambda i: i["rows"].reverse(),
    "relu has no such channel": lambda i: i["layers"][1]["channels"]["died"].append(4),
    "relu has not 5 quantiles": lambda i: i["layers"][1]["channels"]["quantiles"].pop(),
    "conv is no layer of both": lambda i: i["layers"][0].update(channels_a=5),
    "its models have other names": lambda i: i["a"].update(model="elsewhere"),
    "has more right answers": lambda i: i["a"].update(top1=41),
    "a class has more right": lambda i: i["classes"][0].update(top1_b=21),
    "compares other models than": lambda i: i["b"].update(manifest_sha256="0" * 64),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_right_is_refused(made, tmp_path, fault):
    render = with_index(made, tmp_path, FAULTS[fault])
    with pytest.raises(artifacts.ArtifactError, match=fault) as error:
        render()
    assert f"make survey-diff A={MAIN} B={TWIN}" in str(error.value)
    assert not (tmp_path / "site").exists()


def test_a_network_of_many_blocks_is_compared_by_stages(surveys, made):
    found = read_difference(difference_folder(surveys, MAIN, TWIN))
    manifest = read_manifest(made.manifests[0])
    conv, _, *rest = manifest.layers
    layers = tuple(
        replace(conv, name=f"c{i}", block=f"b{i}", stage="early" if i < 9 else "late")
        for i in range(21)
    )
    names = tuple(layer.name for layer in layers)
    deep = replace(manifest, layers=(*layers, *rest))

    class Deep:
        id, cards = MAIN, ()
        manifest = deep

    row = tuple(place / 100 for place in range(21))
    many = replace(found, layers=(), rows=names, columns=names, pairs=(row,) * 21)
    grid = difference_page(many, {MAIN: Deep, TWIN: Deep}).grid
    assert (grid.unit, grid.columns) == ("stage", ("early", "late"))
    assert [cell.similarity for cell in grid.rows[0][1]] == [0.08, 0.2]
