"""The pages of a survey: every figure is the contract's, and what cannot be shown is left out."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_onnx as tiny
from a_survey import Kind, write_survey
from hostile import TEXT, UNSEEN
from several import MAIN, NAMES, OTHER, TWIN, build
from small_gallery import draw, quiet
from test_odd_galleries import ODD, ONE, text_of
from test_render import fault_of, links_of
from website import read_page, tree

import artifacts
import sizes
from export.manifest import read_manifest
from precompute.build import Settings, precompute
from site_template.pages import Site, part, readable
from site_template.render import RenderError
from site_template.render import render as render_site
from site_template.survey import Rate, strip
from site_template.survey_files import find_survey
from survey import contract
from survey.contract import Credit, index_path, read_layer, read_survey

STRANGE = (Kind("bark", None), Kind("leaves", None))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three small models; surveys of the first and the last are written by each test."""
    return build(tmp_path_factory.mktemp("surveyed"))


@pytest.fixture
def manifest_path(made):
    return made.manifests[NAMES.index(MAIN)]


@pytest.fixture
def surveys(tmp_path):
    return tmp_path / "surveys"


@pytest.fixture
def render(made, surveys, tmp_path):
    """Return a function that renders models with the surveys that there are; it gives the pages."""

    def render(*models, **more):
        out = tmp_path / "site"
        made.render(*(models or (MAIN,)), out=out, surveys=surveys, **more)
        return {
            path.relative_to(out).as_posix(): read_page(path)
            for path in sorted(out.rglob("*.html"))
        }

    render.out = tmp_path / "site"
    return render


def change(folder: Path, **changes):
    index = replace(read_survey(folder), **changes)
    artifacts.write(index_path(folder), artifacts.encode(index))


def change_layer(folder: Path, position: int, **changes):
    reference = read_survey(folder).layers[position]
    figures = replace(read_layer(folder, reference), **changes)
    artifacts.write(folder / reference.figures, artifacts.encode(figures))


def words(out: Path, path: str) -> str:
    return re.sub(r"\s+", " ", text_of(out / path))


def rows(out: Path, path: str, label: str) -> list[list[str]]:
    """Return the cells of the table that stands in the region `label`."""
    text = (out / path).read_text("utf-8")
    (table,) = re.findall(rf'aria-label="{label}".*?<tbody>(.*?)</tbody>', text, re.S)
    return [
        [
            re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cell)).strip()
            for cell in re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.S)
        ]
        for row in re.findall(r"<tr\b.*?</tr>", table, re.S)
    ]


def sections_of(page) -> list[str]:
    return [a.text for a in page.all("a") if a.text == "Survey"]


# Where pages and files lie


def test_a_model_without_a_survey_has_no_page_and_no_link(render, made):
    pages = render()
    assert not [path for path in pages if "survey" in path]
    assert not any(sections_of(page) for page in pages.values())
    assert not (render.out / "static" / "survey.css").exists()
    assert tree(render.out) == tree_without(made, render.out)


def tree_without(made, out):
    """Return the site as it is where no folder of surveys is named at all."""
    other = out.with_name("other")
    made.render(MAIN, out=other)
    return tree(other)


def test_a_survey_has_a_page_for_itself_each_class_and_each_layer(render, surveys, manifest_path):
    write_survey(surveys, manifest_path)
    pages = render()
    assert {path for path in pages if path.startswith("survey/")} == {
        "survey/index.html",
        "survey/classes/index.html",
        *(f"survey/classes/{name}.html" for name in tiny.CATEGORIES),
        "survey/layers/conv.html",
        "survey/layers/relu.html",
    }
    for path, page in pages.items():
        if path not in {"404.html", f"{MAIN}/embed.html"}:
            (link,) = [a.attributes["href"] for a in page.all("a") if a.text == "Survey"]
            assert link == "../" * path.count("/") + "survey/index.html"


def test_what_is_published_is_what_the_explorer_reads(render, surveys, manifest_path):
    folder = write_survey(surveys, manifest_path)
    artifacts.write(folder / "summary.npz", b"not for the public")
    artifacts.write(folder / "layers" / "old.json", b"of a survey before")
    render()
    published = tree(render.out / MAIN / "data" / "survey")
    names = {"layers/conv.json", "layers/relu.json", "patches/conv.webp", "patches/relu.webp"}
    assert published.keys() == names | {"patches/_wrong.webp"}
    assert published == {name: (folder / name).read_bytes() for name in published}


def test_every_link_leads_somewhere_and_titles_differ(render, surveys, made):
    for path in (made.manifests[0], made.manifests[2]):
        write_survey(surveys, path)
    pages = render(*NAMES)
    site = render.out.resolve()
    ids = {(site / path).resolve(): page.ids for path, page in pages.items()}
    faults = []
    for path, page in pages.items():
        for _, link in links_of(page):
            if path != "404.html" and not link.startswith("https://"):
                fault = fault_of(link, (site / path).parent, site / path, site, ids)
                faults += [f"{path}: {fault}"] if fault else []
    assert faults == []
    shown = [page for path, page in pages.items() if "survey" in path]
    titles = [page.all("title")[0].text for page in shown]
    assert len(titles) == len(set(titles)) > 10
    assert len({page.meta("og:url") for page in shown}) == len(shown)


def test_a_further_model_keeps_its_survey_below_its_own_pages(render, surveys, made):
    write_survey(surveys, made.manifests[0])
    write_survey(surveys, made.manifests[2])
    pages = render(*NAMES)
    here, there = "survey/layers/relu.html", f"models/{OTHER}/survey/layers/relu.html"
    assert {here, there} <= pages.keys()
    assert not [path for path in pages if path.startswith(f"models/{TWIN}/survey")]
    picker = {
        a.text: a.attributes["href"]
        for a in pages[there].all("a")
        if a.text in NAMES and "data-keep-view" not in a.attributes
    }
    assert picker[MAIN] == "../../../../survey/layers/relu.html"
    assert picker[TWIN] == f"../../../../models/{TWIN}/index.html", "it has no survey"


def test_a_photo_called_survey_keeps_what_is_said_of_it(surveys, manifest_path, tmp_path):
    """Its folder is that of the survey's files, which have folders of their own in it."""
    (tmp_path / "photos").mkdir()
    draw(tmp_path / "photos" / "survey.png", 0)
    tiles, out = tmp_path / "tiles", tmp_path / "site"
    manifests = (manifest_path,)
    precompute(Settings(manifests, tmp_path / "photos", tiles, "cpu", 1, False), quiet)
    folder = write_survey(surveys, manifest_path)
    render_site(Site("Maps", "", "", ""), manifests, tiles, tmp_path / "none", out, surveys=surveys)
    published = tree(out / MAIN / "data" / "survey")
    entry = tree(tiles / MAIN / "survey")
    assert entry.items() <= published.items()
    assert (
        published.keys() - entry.keys()
        == find_survey(surveys, manifest_path, read_manifest(manifest_path)).files.keys()
    )
    assert published["layers/relu.json"] == (folder / "layers/relu.json").read_bytes()


# What they say


def test_shares_are_told_with_their_counts_and_intervals(render, surveys, manifest_path):
    index = read_survey(write_survey(surveys, manifest_path))
    render()
    said = words(render.out, "survey/index.html")
    low, high = Rate(index.top1, index.judged).interval
    assert f"{100 * index.top1 / index.judged:.1f} %" in said
    assert (
        f"{index.top1} of 300 photos; 95 % interval {100 * low:.1f} % to {100 * high:.1f}" in said
    )
    assert "All photos are judged: their class is one of the network’s 3 categories" in said


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(right, of, low, high):
    assert Rate(right, of).interval == pytest.approx((low, high), abs=5e-5)
    assert Rate(of - right, of).interval == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_the_classes_with_the_fewest_right_answers_come_first(render, surveys, manifest_path):
    index = read_survey(write_survey(surveys, manifest_path))
    render()
    by_share = sorted(index.classes, key=lambda one: one.top1 / one.photos)
    table = rows(render.out, "survey/index.html", "Table of classes")
    assert [row[:4] for row in table] == [
        [
            one.name,
            str(one.photos),
            f"{100 * one.top1 / one.photos:.1f} %",
            f"{100 * one.top5 / one.photos:.1f} %",
        ]
        for one in by_share
    ]
    for one, row in zip(by_share, table, strict=True):
        label = index.classes.index(one)
        worst = next(c for c in index.confusions if c.label == label)
        assert row[4] == f"{tiny.CATEGORIES[worst.answer]} {worst.photos}"


def test_confusions_are_told_with_the_size_of_the_class(render, surveys, manifest_path):
    index = read_survey(write_survey(surveys, manifest_path))
    render()
    expected = [
        [
            (one := index.classes[c.label]).name,
            tiny.CATEGORIES[c.answer],
            str(c.photos),
            f"{100 * c.photos / one.photos:.1f} %",
        ]
        for c in index.confusions
    ]
    table = rows(render.out, "survey/index.html", "Table of confusions")
    assert table == expected[: len(table)]
    name = index.classes[index.confusions[0].label].name
    own = rows(render.out, f"survey/classes/{name}.html", "What it is taken for")
    assert own == [row[1:] for row in expected if row[0] == name]


def test_the_photos_that_it_is_most_wrong_about_are_shown(render, surveys, manifest_path):
    index = read_survey(write_survey(surveys, manifest_path, author="Grace Hopper"))
    pages = render()
    page = pages["survey/index.html"]
    cells = [svg.attributes["viewbox"] for svg in page.all("svg", **{"class": "cell"})]
    sheet = index.wrong_sheet
    assert cells == [
        f"{i % sheet.columns * sheet.side} {i // sheet.columns * sheet.side} {sheet.side} {sheet.side}"
        for i in range(len(index.wrong))
    ]
    (image,) = page.all("image")
    assert image.attributes["href"] == f"../{MAIN}/data/survey/patches/_wrong.webp"
    said = words(render.out, "survey/index.html")
    for one in index.wrong[:3]:
        photo = index.photos[one.photo]
        assert photo.name in said
    credited = [photo for photo in index.photos if photo.author]
    assert credited
    assert said.count("Grace Hopper · CC BY 2.0") == sum(
        index.photos[one.photo] in credited for one in index.wrong
    )


def test_every_channel_of_a_layer_stands_in_its_table(render, surveys, manifest_path):
    folder = write_survey(surveys, manifest_path)
    index = read_survey(folder)
    render()
    for reference in index.layers:
        figures = read_layer(folder, reference)
        table = rows(render.out, f"survey/{reference.figures[:-5]}.html", "Table of all channels")
        assert [row[0] for row in table] == [str(c) for c in range(len(figures.fires))]
        for c, row in enumerate(table):
            assert row[2] == part(figures.fires[c] / 300)
            told = (figures.mean, figures.deviation)
            assert row[3:5] == [readable(value[c]) for value in told]
            assert row[5] == readable(figures.quantiles[c][2])
            assert row[6] == readable(figures.high[c])
            separation = figures.separation[c]
            assert row[7] == ("–" if separation is None else readable(separation))
            best = figures.best[c]
            assert row[-1] == ("–" if best is None else index.classes[best].name)


def test_links_to_a_channel_open_it_in_the_explorer(render, surveys, manifest_path):
    write_survey(surveys, manifest_path)
    pages = render()
    links = {
        a.attributes["href"]
        for a in pages["survey/layers/relu.html"].all("a")
        if "#layer=" in a.attributes["href"]
    }
    assert len({link.partition("#")[0] for link in links}) == 1
    wanted = {f"../../{MAIN}/PHOTO.html#layer=relu"}
    wanted |= {f"../../{MAIN}/PHOTO.html#layer=relu&channel={c}" for c in range(4)}
    assert {re.sub(r"/p\d[^.]*\.html", "/PHOTO.html", link) for link in links} == wanted


def test_patches_are_those_of_the_channel(render, surveys, manifest_path):
    folder = write_survey(surveys, manifest_path, each=3)
    index = read_survey(folder)
    pages = render()
    figures, patches = read_layer(folder, index.layers[1]), index.layers[1].patches
    page = pages["survey/layers/relu.html"]
    strips = [svg.attributes["viewbox"] for svg in page.all("svg", **{"class": "patches"})]
    side = patches.sheet.side
    assert strips == [
        f"{c * 3 * side} 0 {3 * side} {side}" for c in range(4) if figures.strongest[c]
    ]
    first = next(element for element in page.elements if element.attributes.get("class") == "strip")
    best = max(
        (c for c in range(4) if figures.fires[c] and figures.separation[c]),
        key=lambda c: figures.separation[c],
    )
    strongest = figures.strongest[best]
    label = ", ".join(
        f"{index.classes[figures.photos[photo].label].name} {readable(value)}"
        for photo, value in zip(strongest.photo[:3], strongest.value[:3], strict=True)
    )
    assert first.attributes["aria-label"] == f"Strongest patches: {label}"


def cells(page, sheet):
    """Return the numbers of the cells of each strip, by the sheet that it is cut from."""
    strips = []
    for element in page.elements:
        if element.attributes.get("class") == "strip":
            strips.append([])
        elif element.attributes.get("class") == "cell" and strips:
            left, top, width, _ = map(int, element.attributes["viewbox"].split())
            strips[-1].append(top // width * sheet.columns + left // width)
    return strips


@pytest.mark.parametrize("kept", [1, 2, 9])
def test_a_strip_ends_where_the_cells_of_its_channel_do(render, surveys, manifest_path, kept):
    folder = write_survey(surveys, manifest_path, each=3, kept=kept, author="Grace Hopper")
    index = read_survey(folder)
    pages = render()
    shown = set()
    for reference in index.layers:
        figures, patches = read_layer(folder, reference), reference.patches
        page = pages[f"survey/{reference.figures[:-5]}.html"]
        strips = cells(page, patches.sheet)
        assert strips
        for numbers in strips:
            channel = numbers[0] // 3
            filled = min(kept, figures.fires[channel], 3)
            assert numbers == [3 * channel + j for j in range(filled)]
        seen = [figures.photos[i] for one in figures.strongest if one for i in one.photo[:3]]
        own = {photo.name for photo in seen if photo.author}
        (names,) = re.findall(
            r"Grace Hopper, CC BY 2\.0</dt><dd>(.*?)</dd>",
            (render.out / f"survey/{reference.figures[:-5]}.html").read_text("utf-8"),
        ) or [""]
        assert set(filter(None, names.split(", "))) == own, "whose photos are shown, and no other"
        shown |= {numbers[0] // 3 for numbers in strips}
    assert shown == {c for c in range(4) if figures.strongest[c]}


def test_layers_may_share_a_sheet(render, surveys, manifest_path):
    folder = write_survey(surveys, manifest_path, each=3, same={"relu": "conv"})
    index = read_survey(folder)
    conv, relu = index.layers
    assert relu.patches.sheet.path == conv.patches.sheet.path == "patches/conv.webp"
    pages = render()
    data = f"../../{MAIN}/data/survey/patches"
    assert not (render.out / MAIN / "data/survey/patches/relu.webp").exists()
    for name in ("conv", "relu"):
        page = pages[f"survey/layers/{name}.html"]
        assert page.all("image", href=f"{data}/conv.webp")
        assert cells(page, conv.patches.sheet)
    several = [
        f"survey/classes/{one.slug}.html"
        for one in index.classes
        if len({channel.layer for channel in one.channels}) > 1
    ]
    assert several
    for path in several:
        (image,) = pages[path].all("image", href=f"{data}/conv.webp")
        assert {use.attributes["href"] for use in pages[path].all("use")} <= {
            f"#{image.attributes['id']}",
            "#wrong",
        }


def test_a_strip_that_goes_on_in_the_next_row_is_shown_in_two_parts():
    sheet = contract.Sheet("patches/a.webp", 8, 4, 3)
    assert strip(contract.Patches(sheet, 3), 1) == [(3, 0, 1), (0, 1, 2)]
    assert strip(contract.Patches(sheet, 2), 1) == [(2, 0, 2)]


def test_dead_channels_are_named(render, surveys, manifest_path):
    folder = write_survey(surveys, manifest_path)
    layer = read_layer(folder, read_survey(folder).layers[1])
    dead = (0, *layer.fires[1:])
    change_layer(folder, 1, fires=dead, strongest=(None, *layer.strongest[1:]))
    layers = read_survey(folder).layers
    change(folder, layers=(layers[0], replace(layers[1], dead=1, sparse=0)))
    pages = render()
    assert "1 of 4 is above zero on no photo: 0." in words(render.out, "survey/layers/relu.html")
    assert "Most dead channels: 1 of 4 in relu." in words(render.out, "survey/index.html")
    assert "#c0" in [a.attributes["href"] for a in pages["survey/layers/relu.html"].all("a")]


# What there may not be


def check_sentences(out):
    for path in out.rglob("survey/**/*.html"):
        said = text_of(path)
        for pattern in (ONE, ODD):
            assert not pattern.search(said), (path.name, pattern.search(said))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"photos": 1},
        {"photos": 2, "faults": ()},
        {"classes": ()},
        {"classes": STRANGE},
        {"classes": STRANGE[:1]},
        {"classes": (*STRANGE, Kind("pine", 1))},
        {"private": True},
        {"private": True, "classes": ()},
        {"silent": True},
        {"credit": Credit("", "", "", "")},
        {"credit": Credit("", "", "CC0", "a drawer")},
        {"author": "Grace Hopper"},
    ],
)
def test_what_is_not_known_is_left_out(render, surveys, manifest_path, more):
    index = read_survey(write_survey(surveys, manifest_path, **more))
    render()
    check_sentences(render.out)
    said = words(render.out, "survey/index.html")
    assert ("first answer right" in said) is (index.judged > 0)
    assert ("Separation" in said) is bool(len(index.classes) > 1)
    assert ("without classes" in said) is (index.classes == ())
    assert (render.out / "survey/classes/index.html").exists() is bool(index.classes)


def test_what_is_kept_back_is_not_published_in_any_way(render, surveys, manifest_path):
    write_survey(surveys, manifest_path, private=True, names="secret/{:05}.jpg".format)
    render()
    site = tree(render.out)
    assert not [path for path in site if "survey" in path and path.endswith(".webp")]
    assert not [path for path, content in site.items() if b"secret" in content]
    assert "Names of photos and all patches are kept back" in words(render.out, "survey/index.html")
    write_survey(surveys, manifest_path, names="secret/{:05}.jpg".format)
    render()
    assert [path for path, content in tree(render.out).items() if b"secret" in content]


def test_nothing_hostile_is_more_than_text(render, surveys, manifest_path):
    text = TEXT + UNSEEN
    shapes = {}
    for kind, name in (("plain", "plain"), ("hostile", text)):
        write_survey(
            surveys,
            manifest_path,
            classes=(Kind(name, 0, "ash"), Kind(f"z{name}", None, "x")),
            credit=Credit(name, name, name, f"https://example.org/{name}"),
            names=lambda i, n=name: f"{n}{i}",
            faults=(name,),
            author=name,
            change=lambda index, n=name: replace(index, producers={n: n}),
        )  # fmt: skip
        pages = render(site=Site("Maps", "", "", "https://example.org/maps/"))
        shapes[kind] = {
            path: [(element.tag, tuple(element.attributes)) for element in page.elements]
            for path, page in pages.items()
            if "survey" in path
        }
    assert shapes["hostile"] == shapes["plain"]
    page = pages["survey/index.html"]
    assert page.all("h1")[0].text.startswith(TEXT)
    invisible = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200f]")
    assert not [p for p in render.out.rglob("survey/**/*.html") if invisible.search(p.read_text())]
    for path, one in pages.items():
        for _, link in links_of(one):
            assert re.fullmatch(r"[A-Za-z0-9:/?#\[\]@!$&()*+,;=%._~-]*", link), (path, link)


def test_a_source_that_is_no_address_is_no_link(render, surveys, manifest_path):
    credit = Credit("Trees", "Ada", "CC0", "javascript:alert(1)")
    write_survey(surveys, manifest_path, credit=credit)
    pages = render()
    links = [a.attributes["href"] for a in pages["survey/index.html"].all("a")]
    assert not [link for link in links if "alert" in link]
    assert "javascript:alert(1)" in words(render.out, "survey/index.html")


# Large ones


def test_a_thousand_classes_are_listed_on_a_page_of_their_own(render, surveys, manifest_path):
    many = tuple(Kind(f"class {i:04}", None, f"c{i}") for i in range(1000))
    write_survey(surveys, manifest_path, photos=3000, classes=many)
    render()
    assert len(rows(render.out, "survey/index.html", "Table of classes")) == 20
    listed = rows(render.out, "survey/classes/index.html", "Table of classes")
    assert [row[0] for row in listed] == [kind.name for kind in many]
    found = [path.stat().st_size for path in render.out.rglob("survey/**/*.html")]
    assert len(found) > 1000
    assert max(found) < 300_000


# Refused


@pytest.fixture
def refused(surveys, manifest_path):
    """Return a function that spoils a survey and gives what the refusal says."""

    def refused(spoil):
        manifest = read_manifest(manifest_path)
        folder = write_survey(surveys, manifest_path)
        whole = find_survey(surveys, manifest_path, manifest)
        assert [whole.figures(layer).layer for layer in whole.index.layers] == ["conv", "relu"]
        spoil(folder)
        try:
            spoilt = find_survey(surveys, manifest_path, manifest)
            for layer in spoilt.index.layers:
                spoilt.figures(layer)
        except artifacts.ArtifactError as error:
            return str(error)
        pytest.fail("it was taken")

    return refused


@pytest.mark.parametrize("of", ["index", "layer"])
def test_a_survey_that_is_refused_leaves_the_old_site(render, surveys, manifest_path, of):
    folder = write_survey(surveys, manifest_path)
    render()
    before = tree(render.out)
    if of == "index":
        change(folder, judged=0)
    else:
        change_layer(folder, 1, fires=(1,))
    with pytest.raises(artifacts.ArtifactError):
        render()
    assert tree(render.out) == before


def test_a_file_that_changes_while_it_is_copied_is_not_published(
    render, surveys, manifest_path, monkeypatch
):
    write_survey(surveys, manifest_path)

    def changed_since(*given):
        found = find_survey(*given)
        return replace(found, files={**found.files, "layers/relu.json": "0" * 64})

    monkeypatch.setattr("site_template.render.find_survey", changed_since)
    with pytest.raises(RenderError, match=r"relu\.json has just been changed: run make site again"):
        render()
    assert not render.out.exists()


def test_a_survey_of_another_model_is_refused_with_what_to_run(refused):
    said = refused(lambda folder: change(folder, manifest_sha256="0" * 64))
    assert "is of another model than" in said
    assert re.search(r"run make survey with its photos again, or remove \S+/surveys/tiny$", said)


@pytest.mark.parametrize("name", ["layers/relu.json", "patches/conv.webp", "patches/_wrong.webp"])
def test_a_missing_file_is_refused(refused, name):
    assert refused(lambda folder: (folder / name).unlink()).endswith(
        f"{name} does not exist: run make survey"
    )


@pytest.mark.parametrize("name", ["patches/conv.webp", "layers", "patches"])
def test_a_link_is_refused(refused, name, tmp_path):
    def spoil(folder):
        (folder / name).rename(tmp_path / "elsewhere")
        (folder / name).symlink_to(tmp_path / "elsewhere")

    assert "is a link: remove it, then run make survey" in refused(spoil)


def without_a_layer(folder):
    change(folder, layers=read_survey(folder).layers[:1])


def another_address(folder):
    classes = read_survey(folder).classes
    change(folder, classes=(replace(classes[0], slug=classes[1].slug.upper()), *classes[1:]))


def index_as_address(folder):
    classes = read_survey(folder).classes
    change(folder, classes=(replace(classes[0], slug="Index"), *classes[1:]))


def unknown_category(folder):
    classes = read_survey(folder).classes
    change(folder, classes=(replace(classes[0], category=99), *classes[1:]))


def unknown_channel(folder):
    classes = read_survey(folder).classes
    channel = contract.ClassChannel("relu", 99, None, 1.0)
    change(folder, classes=(replace(classes[0], channels=(channel,)), *classes[1:]))


def unknown_answer(folder):
    change(folder, confusions=(contract.Confusion(0, 99, 1),))


def unknown_photo(folder):
    wrong = read_survey(folder).wrong
    change(folder, wrong=(replace(wrong[0], photo=999), *wrong[1:]))


def more_right_than_judged(folder):
    change(folder, top1=9999)


def unjudged_rights(folder):
    change(folder, judged=0)


def small_sheet(folder):
    layers = read_survey(folder).layers
    patches = layers[0].patches
    sheet = replace(patches.sheet, rows=1, columns=1)
    change(folder, layers=(replace(layers[0], patches=replace(patches, sheet=sheet)), layers[1]))


def other_sheet(folder):
    layers = read_survey(folder).layers
    sheet = replace(layers[0].patches.sheet, path="patches/elsewhere.webp")
    patches = replace(layers[0].patches, sheet=sheet)
    change(folder, layers=(replace(layers[0], patches=patches), layers[1]))


def not_so_private(folder):
    change(folder, private=True)


def short_layer(folder):
    change_layer(folder, 0, fires=(1,))


def more_fires_than_photos(folder):
    change_layer(folder, 0, fires=(1, 2, 3, 301))


def unknown_class(folder):
    change_layer(folder, 0, best=(0, 1, 2, 3))


def few_quantiles(folder):
    change_layer(folder, 0, quantiles=((1.0,),) * 4)


def unknown_strongest(folder):
    one = contract.Strongest((999,), (1.0,), (0,), (0,))
    change_layer(folder, 1, strongest=(one,) * 4)


def strongest_without_photos(folder):
    one = contract.Strongest((), (1.0,), (0,), (0,))
    change_layer(folder, 1, strongest=(one,) * 4)


def strongest_without_values(folder):
    one = contract.Strongest((0, 0), (1.0,), (0,), (0,))
    change_layer(folder, 1, strongest=(one,) * 4)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_a_layer, "its layers are not those of the manifest"),
        (another_address, "two classes have one address"),
        (index_as_address, "two classes have one address"),
        (unknown_category, "a class is category 99 of 3"),
        (unknown_channel, "'relu' with channel 99 is not shown"),
        (unknown_answer, "a class or a category that there is not"),
        (unknown_photo, "about a photo that there is not"),
        (more_right_than_judged, "other right answers than photos that it judges"),
        (unjudged_rights, "other right answers than photos that it judges"),
        (small_sheet, "the patches of conv are not those of its channels"),
        (other_sheet, "the patches of conv are not those of its channels"),
        (not_so_private, "it keeps names and patches back, and has some"),
        (short_layer, "it is not about the 4 channels of conv"),
        (more_fires_than_photos, "fires on more photos than there are"),
        (unknown_class, "a channel has a class that there is not"),
        (few_quantiles, "a channel has not 6 quantiles"),
        (unknown_strongest, "a channel has a photo that there is not"),
        (strongest_without_photos, "have not a value and a place each"),
        (strongest_without_values, "have not a value and a place each"),
    ],
)
def test_what_cannot_be_right_is_refused(refused, spoil, said):
    told = refused(spoil)
    assert said in told
    assert told.endswith("; run make survey")


# Made anew, as large as allowed


def test_the_site_is_made_anew_when_the_survey_changed(made, surveys, manifest_path, tmp_path):
    def changed():
        return made.render(MAIN, out=tmp_path / "site", surveys=surveys).changed

    assert changed()
    folder = write_survey(surveys, manifest_path)
    assert changed()
    assert not changed()
    path = folder / "patches/relu.webp"
    artifacts.write(path, path.read_bytes() + b"\0")
    assert changed(), "another picture"
    change(folder, unreadable=7)
    assert changed(), "another index"
    artifacts.write(folder / "summary.npz", b"not of the site")
    assert not changed()
    index_path(folder).unlink()
    assert changed(), "it is gone"
    assert not (tmp_path / "site" / "survey").exists()


def test_the_same_survey_gives_the_same_bytes(made, manifest_path, tmp_path):
    for name in ("one", "two"):
        write_survey(tmp_path / name, manifest_path)
        made.render(MAIN, out=tmp_path / f"{name}-site", surveys=tmp_path / name)
    assert tree(tmp_path / "one-site") == tree(tmp_path / "two-site")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_site_that_is_too_large_says_what_the_survey_takes(
    made, surveys, manifest_path, tmp_path
):
    folder = write_survey(surveys, manifest_path, side=64)
    found = [path for path in folder.rglob("*") if path.is_file() and path != index_path(folder)]
    size = sum(path.stat().st_size for path in found)
    with pytest.raises(RenderError) as error:
        made.render(MAIN, out=tmp_path / "site", surveys=surveys, limit=20_000)
    said = str(error.value)
    assert re.search(rf"; of it the survey {sizes.readable(size)}$", said, re.M), (size, said)
    assert "make survey NO_PATCHES=1" in said
    with pytest.raises(RenderError) as error:
        made.render(MAIN, out=tmp_path / "site", limit=20_000)
    assert "survey" not in str(error.value)


def test_the_figures_in_the_fixture_are_what_the_contract_says(surveys, manifest_path):
    folder = write_survey(surveys, manifest_path)
    index = read_survey(folder)
    manifest = read_manifest(manifest_path)
    for one in index.classes:
        separations = [channel.separation for channel in one.channels]
        assert separations == sorted(separations, reverse=True)
    assert sum(one.top1 for one in index.classes) == index.top1
    assert [layer.layer for layer in index.layers] == [one.name for one in manifest.feature_maps]
    confused = sum(one.photos for one in index.confusions)
    assert confused == index.judged - index.top1
    assert json.loads(index_path(folder).read_bytes())["private"] is False
