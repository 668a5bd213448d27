"""Every page, in a real browser: no fault, no third party, nothing that only some people can use."""

import json
import re

import pytest
from accessibility import violations
from checked import MODEL

from export.manifest import read_manifest

pytestmark = pytest.mark.built

PAGES = [
    "index.html",
    "tours.html",
    "filters.html",
    "mistakes.html",
    "about.html",
    "teaching.html",
    f"{MODEL}/embed.html",
    f"{MODEL}/your-photo.html",
    "404.html",
    "compare/index.html",
    "compare/[!i]*.html",
    "compare/surveys/*.html",
    "models/*/index.html",
    "models/*/teaching.html",
    "survey/index.html",
    "survey/layers/*.html",
    "survey/classes/index.html",
    "survey/classes/[!i]*.html",
    None,
]
"""None is the first photo's page; of several that a pattern meets, the first is taken. Only a gallery
of several models has those of `compare` and `models`, and only that of a surveyed model a survey."""


@pytest.fixture
def path(request, site):
    """A page of PAGES as this site has it."""
    pattern = request.param
    if pattern is None or not pattern.startswith(("compare/", "models/", "survey/")):
        return pattern
    found = sorted(site.glob(pattern))
    if not found:
        pytest.skip("this gallery has one model, or no survey")
    return found[0].relative_to(site).as_posix()


@pytest.fixture(autouse=True)
def _only_pages_that_the_gallery_has(request, site, exported):
    path = request.node.callspec.params.get("path") if hasattr(request.node, "callspec") else None
    if path == "tours.html" and not (site / path).is_file():
        pytest.skip("nothing in this gallery makes a tour")
    if path == f"{MODEL}/your-photo.html" and read_manifest(exported).browser is None:
        pytest.skip("this model has no copy for browsers")


@pytest.mark.parametrize("path", PAGES, indirect=True)
@pytest.mark.parametrize("scripts", [True, False])
def test_a_page_opens_without_a_fault_and_asks_no_other_site(visit, photo, path, scripts):
    watched = visit(path or photo, java_script_enabled=scripts)
    if path == "404.html":  # it names its own future address, which is not this server's
        watched.faults.clear()
        return
    assert [url for url in watched.requests if not url.startswith(watched.address)] == []


@pytest.mark.parametrize("path", PAGES, indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_is_accessible(visit, photo, site, path, scheme, width):
    viewport = {"width": width, "height": 900}
    watched = visit(path or photo, color_scheme=scheme, viewport=viewport)
    base = watched.page.evaluate("document.querySelector('base')?.href")
    if base:  # only at its own address it has its styles
        watched.faults.clear()
        watched.page.route(
            f"{base}**",
            lambda route: route.fulfill(path=site / route.request.url.removeprefix(base)),
        )
        watched.page.goto(base + path)
    assert violations(watched.page) == []


@pytest.mark.parametrize("path", [page for page in PAGES if page != "404.html"], indirect=True)
@pytest.mark.parametrize("scripts", [True, False])
def test_a_page_is_never_wider_than_the_window(visit, photo, path, scripts):
    page = visit(path or photo, java_script_enabled=scripts).page
    widths = [320, 390, 768, 1024, 1280]
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        found.append(page.evaluate("document.documentElement.scrollWidth"))
    assert found == widths


def test_no_photo_has_a_text_that_is_too_wide_for_a_phone(visit, photo, site):
    page = visit(photo, viewport={"width": 320, "height": 800}, java_script_enabled=False).page
    found = {}
    for path in sorted((site / MODEL).glob("*.html")):
        page.goto(page.url.rsplit("/", 1)[0] + f"/{path.name}")
        found[path.name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: width for name, width in found.items() if width > 320} == {}


def test_the_home_page_shows_every_photo_with_its_answer(visit, site):
    page = visit("index.html", java_script_enabled=False).page
    index = json.loads((site / f"{MODEL}/data/index.json").read_bytes())
    rows = page.locator(".rows .row").all()
    shown = [(row.get_attribute("href"), row.inner_text()) for row in rows]
    expected = [image["id"] for image in index["images"]]
    assert [href for href, _ in shown] == [f"{MODEL}/{image}.html" for image in expected]
    for image, (_, text) in zip(expected, shown, strict=True):
        entry = json.loads((site / f"{MODEL}/data/{image}/index.json").read_bytes())
        assert entry["title"] in text
        assert entry["answers"][0]["name"] in text
    assert page.locator(".rows .depth").count() == len(expected)


def test_without_a_script_a_photo_page_has_every_layer_label_and_answer(visit, photo, site):
    watched = visit(photo, java_script_enabled=False)
    page = watched.page
    image = re.fullmatch(rf"{MODEL}/(.+)\.html", photo)[1]
    entry = json.loads((site / f"{MODEL}/data/{image}/index.json").read_bytes())
    names = [code.inner_text() for code in page.locator(".plain-layers summary code").all()]
    assert names == [sheet["layer"] for sheet in entry["sheets"]]
    answers = page.locator(".answers .answer-name").all_inner_texts()
    assert answers == [answer["name"] for answer in entry["answers"]]
    assert page.get_by_text("each channel on its own scale").is_visible()
    assert page.locator("feature-explorer").is_hidden()

    sheets = {sheet["path"] for sheet in entry["sheets"]}

    def loaded():
        return [name for url in watched.requests if (name := url.rsplit("/", 1)[-1]) in sheets]

    assert loaded() == []
    with page.expect_response(lambda response: response.url.endswith(entry["sheets"][0]["path"])):
        page.locator(".plain-layers summary").first.click()
    assert page.locator(".plain-layers details[open] .sheet").is_visible()
    assert loaded() == [entry["sheets"][0]["path"]]


def test_the_home_page_can_show_only_wrong_answers(visit, site):
    page = visit("index.html", java_script_enabled=False).page
    data = site / MODEL / "data"
    images = [image["id"] for image in json.loads((data / "index.json").read_bytes())["images"]]
    correct = {i: json.loads((data / i / "index.json").read_bytes())["correct"] for i in images}
    if set(correct.values()) >= {True, False}:
        page.locator("#only-wrong").check()
        wrong = [f"{MODEL}/{image}.html" for image in images if correct[image] is False]
    else:  # without both kinds there is nothing to choose
        assert page.locator("#only-wrong").count() == 0
        wrong = [f"{MODEL}/{image}.html" for image in images]
    rows = page.locator(".rows .row").all()
    assert [row.get_attribute("href") for row in rows if row.is_visible()] == wrong
