"""No text of a gallery is more than a text: not in pages, styles, programs, links or data."""

import ast
import json
import re
from pathlib import Path

import hostile
import pytest
from hostile import HALVES, TEXT, UNSEEN, fill
from website import Document, Workshop, copied, read_page, tree

import artifacts
from precompute.index import index_path

LINKS = {"href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href"}
QUOTED = re.compile(r"[A-Za-z0-9:/?#\[\]@!$&()*+,;=%._~-]*")
INVISIBLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200f]")


@pytest.fixture(scope="module")
def made(exported, tiles, runtime, tmp_path_factory) -> dict[str, Workshop]:
    """The same gallery, with plain texts and with hostile ones."""
    galleries = {}
    for kind, text, given in (
        ("plain", "plain", "plain"),
        ("hostile", TEXT + UNSEEN, TEXT + UNSEEN + HALVES),
    ):
        workshop = copied(exported, tiles, runtime, tmp_path_factory.mktemp(kind))
        fill(workshop, text, given)
        workshop.render()
        galleries[kind] = workshop
    return galleries


@pytest.fixture(scope="module")
def hostile_pages(made) -> dict[str, Document]:
    out = made["hostile"].out
    return {path.relative_to(out).as_posix(): read_page(path) for path in out.rglob("*.html")}


def shape(document: Document) -> list[tuple[str, tuple[str, ...]]]:
    return [(element.tag, tuple(element.attributes)) for element in document.elements]


def test_hostile_texts_change_no_page_but_its_texts(made, hostile_pages):
    plain = {name: shape(read_page(made["plain"].out / name)) for name in hostile_pages}
    assert {name: shape(page) for name, page in hostile_pages.items()} == plain
    assert len(plain) >= 9


def test_every_text_is_shown_whole(made, hostile_pages):
    first = hostile_pages[f"resnet18/{made['hostile'].images[0]}.html"]

    def is_shown(text: str) -> bool:
        return text.startswith(TEXT) and not text[len(TEXT) :].strip()

    assert is_shown(first.all("h1")[0].text)
    assert is_shown(first.all("title")[0].text.split(" · ")[0] + " ")
    assert any(is_shown(paragraph.text) for paragraph in first.all("p")), "the note"
    assert is_shown(first.all("strong")[0].text), "the true class"
    assert any(is_shown(image.attributes["alt"]) for image in first.all("img"))
    options = [option.attributes["value"] for option in first.all("option")]
    assert sum(map(is_shown, options)) >= 6, "answers and photos to jump to"
    assert f"“{TEXT}" in first.meta("description")
    assert first.meta("og:description") == first.meta("description")
    for name, page in hostile_pages.items():
        if name != "resnet18/embed.html":
            assert is_shown(page.meta("author")), name
    about = hostile_pages["about.html"]
    assert any(item.text.count(TEXT) == 2 for item in about.all("li")), "the skipped file"
    assert any(TEXT in cell.text for cell in about.all("td")), "what accuracy is measured on"
    assert any(TEXT in data.text for data in about.all("dd")), "what it was made with"


def test_nothing_invisible_is_left_in_what_is_made_here(made):
    kept = {
        path: INVISIBLE.findall(content.decode("utf-8"))
        for path, content in tree(made["hostile"].out).items()
        if path.endswith((".html", ".css"))
    }
    assert {path: found for path, found in kept.items() if found} == {}


def test_every_link_is_relative_or_of_the_web_and_quoted(hostile_pages):
    seen = 0
    for path, page in hostile_pages.items():
        for element in page.elements:
            for name in LINKS & set(element.attributes):
                link = element.attributes[name]
                scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", link)
                assert scheme is None or scheme[0] in {"https:", "http:"}, (path, link)
                assert QUOTED.fullmatch(link), (path, link)
                seen += 1
    assert seen > 500


@pytest.mark.parametrize(
    "source", ["https://e.org/a b?c=1&d=%20#e", 'HTTPS://e.org/"', "https://é/"]
)
def test_a_link_to_a_source_leads_where_its_author_meant(workshop, source):
    image = workshop.images[0]
    workshop.change_entry(image, source=source)
    workshop.render()
    page = read_page(workshop.out / "resnet18" / f"{image}.html")
    links = [a.attributes["href"] for a in page.all("a") if a.text == "source"]
    if source.startswith("https://"):
        quoted = {" ": "%20", "é": "%C3%A9"}
        assert links == ["".join(quoted.get(c, c) for c in source)]
    else:
        assert links == []


def test_programs_to_copy_have_no_statement_more(made):
    def statements(path: Path) -> list[str]:
        return [type(node).__name__ for node in ast.walk(ast.parse(path.read_text("utf-8")))]

    programs = sorted((made["hostile"].out / "snippets").glob("*.py"))
    assert len(programs) >= 3
    for program in programs:
        assert statements(program) == statements(made["plain"].out / "snippets" / program.name)


def test_data_is_json_that_every_browser_reads(made):
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    data = made["hostile"].out / "resnet18" / "data"
    for path in [*data.glob("*.json"), *data.glob("*/index.json")]:
        json.loads(path.read_bytes().decode("utf-8"), parse_constant=refuse)


def test_an_id_that_leads_elsewhere_is_refused_before_anything_is_written(workshop):
    """Tiles may come from somebody else; tests of the contract have every field and name."""
    changed = json.loads(artifacts.encode(workshop.index))
    changed["images"][0]["id"] = "../../../x"
    artifacts.write(index_path(workshop.tiles), artifacts.encode(changed))
    with pytest.raises(artifacts.ArtifactError, match=r"at `\$\.images\[0\]\.id`; run"):
        workshop.render()
    assert not workshop.out.parent.exists()


def test_no_script_of_a_page_makes_html_from_data():
    static = Path(hostile.__file__).parents[2] / "site_template" / "static"
    sinks = re.compile(
        r"(?:innerHTML|outerHTML)\s*\+?=\s*([^;]+);"
        r"|(insertAdjacentHTML|document\.write|HTMLUnsafe|ContextualFragment|\beval\(|new Function)"
    )
    allowed = re.compile(r"'[^'\\]*'")
    found = []
    for path in static.glob("*.js"):
        text = path.read_text("utf-8")
        for given, other in sinks.findall(text):
            found.append(given)
            assert not other, (path.name, other)
            assert allowed.fullmatch(given.strip()), (path.name, given)
    assert found, "then this test looks for the wrong thing"
