"""What a page's first data holds of a survey, and what pages hold of it without a script."""

import gzip
import json
from dataclasses import replace

import msgspec
import pytest
from a_survey import write_survey
from website import Workshop, read_page

from export.manifest import read_manifest
from site_template.pages import ExplorerModel
from site_template.render import render
from site_template.survey_panel import class_names, panel
from survey.contract import QUANTILES, ClassSurvey, read_survey, survey_folder


@pytest.fixture(scope="module")
def surveys(exported, tmp_path_factory):
    folder = tmp_path_factory.mktemp("surveys")
    write_survey(folder, exported)
    return folder


@pytest.fixture(scope="module")
def survey(surveys, exported):
    return read_survey(survey_folder(surveys, read_manifest(exported).model))


def test_the_panel_is_told_where_everything_lies(survey, exported):
    told = panel(survey, "")
    layer = read_manifest(exported).layer("layer2.0.conv1")
    own = told.layers["layer2.0.conv1"]
    assert own.figures == f"survey/layers/{layer.slug}.json"
    assert own.page == f"survey/layers/{layer.slug}.html"
    assert own.patches.sheet.path == f"patches/{layer.slug}.webp"
    assert own.patches == survey.layers[list(told.layers).index(layer.name)].patches
    assert QUANTILES[told.median] == 0.5
    assert (told.photos, told.private) == (survey.surveyed, False)
    assert json.loads(class_names(survey)) == [one.name for one in survey.classes]


def test_pages_of_another_model_lie_in_its_folder(survey):
    pages = {one.page for one in panel(survey, "models/twin/").layers.values()}
    assert len(pages) == len(survey.layers)
    assert all(page.startswith("models/twin/survey/layers/") for page in pages)


def test_without_a_survey_there_is_no_panel(survey):
    assert panel(None, "") is None
    assert panel(replace(survey, surveyed=0), "") is None


def test_a_private_survey_shows_no_patch_even_where_it_names_some(survey):
    told = panel(replace(survey, private=True), "")
    assert {one.patches for one in told.layers.values()} == {None}


def test_without_classes_nothing_is_loaded_for_their_names(survey):
    assert panel(replace(survey, classes=()), "").classes == ""


def test_names_of_many_classes_do_not_weigh_on_the_first_data(survey):
    def weight(of):
        return len(gzip.compress(msgspec.json.encode(panel(of, ""))))

    many = tuple(
        ClassSurvey(f"{chr(97 + i % 26) * 9} {i}", f"c{i}", None, 9, None, None, ())
        for i in range(1000)
    )
    assert weight(replace(survey, classes=many)) <= weight(survey) + 10


def test_a_site_with_a_survey_offers_it_with_and_without_a_script(
    workshop: Workshop, surveys, survey
):
    render(*workshop.arguments, surveys=surveys)
    data = workshop.out / "resnet18" / "data"
    first = (data / "_layers.json").read_bytes()
    assert msgspec.json.decode(first, type=ExplorerModel).survey == panel(survey, "")
    assert len(gzip.compress(first)) < 10_000
    assert json.loads((data / "_classes.json").read_bytes()) == [one.name for one in survey.classes]
    for name in (workshop.images[0], "your-photo"):
        page = read_page(workshop.out / "resnet18" / f"{name}.html")
        assert [one.text for one in page.all("summary") if "Strongest over" in one.text] == [
            f"Strongest over {survey.surveyed} photos"
        ]
        assert len(page.all("survey-panel")) == 1
        assert len(page.all("link", href="../static/survey-panel.css")) == 1
    plain = read_page(workshop.out / "resnet18" / f"{workshop.images[0]}.html")
    links = [one for one in plain.all("a") if "/survey/layers/" in one.attributes.get("href", "")]
    assert [one.attributes["href"] for one in links] == [
        f"../{one.page}" for one in panel(survey, "").layers.values()
    ]
    assert {one.text for one in links} == {f"its channels over {survey.surveyed} photos"}


def test_a_site_without_a_survey_says_nothing_of_one(pages, site):
    for path, page in pages.items():
        assert page.all("survey-panel") == [], path
        assert page.all("link", href="../static/survey-panel.css") == [], path
    for path in (site / "resnet18" / "data").glob("_*.json"):
        assert b"survey" not in path.read_bytes(), path
    assert not (site / "resnet18" / "data" / "_classes.json").exists()
