"""The site as files: its links hold, it trusts no text, and it is replaced whole or not at all."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import msgspec
import pytest
from checked import MODEL
from website import Document, entries, read_page, tree

import artifacts
from export.manifest import read_manifest
from precompute import index as contract
from precompute.index import RESERVED, read_entry, read_index
from precompute.reader import read_figures
from site_template import __main__ as command
from site_template import pages as page_data
from site_template import render as renderer
from site_template.pages import ExplorerModel, Site

ROOT = Path(__file__).parents[2]
EXPORTER = ROOT / ".venv-export" / "bin" / "python"
URL = "https://example.org/maps/"
READING = {
    "index.html",
    "tours.html",
    "filters.html",
    "mistakes.html",
    "about.html",
    "teaching.html",
}
"""Pages that the header leads to."""
OWN_PHOTO = f"{MODEL}/your-photo.html"
LINKS = {"href", "src", "srcset", "xlink:href", "poster", "data", "action", "formaction"}
FOLDERS = {"data-folder", "data-shared"}


def own_photo(manifest_path: Path) -> set[str]:
    """Return the page for a visitor's own photo, where the model has a copy for browsers."""
    return {OWN_PHOTO} if read_manifest(manifest_path).browser else set()


def models_of(site: Path) -> list[str]:
    """Return the models that a site shows."""
    return sorted(path.parents[1].name for path in site.glob("*/data/index.json"))


# Links


def links_of(document: Document) -> list[tuple[str, str]]:
    """Return (attribute, link) for everything that a page refers to."""
    return [
        (name, value)
        for element in document.elements
        for name, value in element.attributes.items()
        if name in LINKS | FOLDERS and element.tag != "base"
    ]


def fault_of(link: str, folder: Path, page: Path, site: Path, ids: dict[Path, set[str]]) -> str:
    """Return what is wrong with a `link` of `page` that is relative to `folder`, or nothing."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link.startswith("/") or "\\" in link:
        return f"{link} is not relative"
    target = (folder / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_relative_to(site):
        return f"{link} leads out of the site"
    if not target.exists():
        return f"{link} does not exist"
    view = parts.fragment.startswith("layer=") and target.parent.name in models_of(site)
    if parts.fragment and not view and parts.fragment not in ids.get(target, set()):
        return f"{link} names no place in {target.name}"
    return ""


@pytest.mark.built
def test_every_link_of_every_page_is_relative_and_leads_somewhere(site, pages, tiles):
    ids = {(site / path).resolve(): document.ids for path, document in pages.items()}
    outside = {read_entry(tiles, image.id).source for image in read_index(tiles).images}
    tools = {
        a.attributes["href"]
        for path, document in pages.items()
        if path.endswith(("teaching.html", "survey/index.html"))
        for a in document.all("a", rel="external")
    }
    assert all(link.startswith("https://") for link in tools)
    faults, kinds = [], Counter()
    for path, document in pages.items():
        page = (site / path).resolve()
        # Links of the 404 page begin at the site's address, wherever it is shown.
        folder = site if path == "404.html" else page.parent
        for attribute, link in links_of(document):
            kinds[attribute] += 1
            if attribute == "href" and link in outside | tools:
                continue
            fault = fault_of(link, folder, page, site.resolve(), ids)
            if not fault and attribute in FOLDERS and not (folder / link).is_dir():
                fault = f"{link} is not a folder"
            if fault:
                faults.append(f"{path}: {attribute}: {fault}")
    assert faults == []
    assert set(kinds) >= {"href", "src", "data-folder", "data-shared"}
    assert kinds["href"] > 500


@pytest.mark.built
def test_every_link_to_a_layer_names_one_of_that_photo(site, pages, tiles):
    found = 0
    data = {model: site / model / "data" for model in models_of(site)}
    layers = {
        (model, image.id): {sheet.layer for sheet in read_entry(folder, image.id).sheets}
        for model, folder in data.items()
        for image in read_index(folder).images
    }
    for path, document in pages.items():
        for _, link in links_of(document):
            target, _, fragment = link.partition("#")
            if fragment.startswith("layer="):
                page = (site / path).parent / target if target else site / path
                model, image = page.resolve().parent.name, page.stem
                if image in RESERVED:  # an own photo has the layers of all the others
                    image = read_index(data[model]).images[0].id
                assert parse_qs(fragment)["layer"][0] in layers[model, image]
                found += 1
    index = read_index(tiles)
    assert found >= len(index.images) * len(index.layers)


def uses(document: Document, style: Path) -> bool:
    """Tell whether a page has this style sheet, which lies in the folder `static` or beside photos."""
    links = [link.attributes["href"] for link in document.all("link", rel="stylesheet")]
    return any(link.endswith("/".join(style.parts[-2:])) for link in links)


@pytest.mark.built
def test_every_link_of_every_style_is_relative_and_leads_somewhere(site, pages):
    styles = sorted(site.rglob("*.css"))
    found = 0
    for style in styles:
        text = style.read_text("utf-8")
        assert "@import" not in text
        for link in re.findall(r"url\(\s*[\"']?([^\"')]*)", text):
            found += 1
            if link.startswith("#"):  # of the page that uses it
                users = [
                    document
                    for document in pages.values()
                    if document.all("svg") and uses(document, style)
                ]
                assert users
                assert all(link[1:] in document.ids for document in users)
            else:
                assert fault_of(link, style.parent, style, site, {}) == ""
    own = len(list((site / "static").glob("*.css")))
    indices = [read_index(site / model / "data") for model in models_of(site)]
    assert len(styles) == own + sum(len(index.images) for index in indices)
    index = indices[0]
    assert found >= len(index.images) * len(index.layers)


@pytest.mark.built
def test_every_import_of_every_script_is_relative_and_exists(site):
    scripts = sorted((site / "static").glob("*.js"))
    found = 0
    for script in scripts:
        for link in re.findall(
            r"(?:from|import)\s*\(?\s*[\"']([^\"']+)", script.read_text("utf-8")
        ):
            assert link.startswith("./"), f"{script.name} imports {link}"
            assert (script.parent / link).is_file(), f"{script.name} imports {link}"
            found += 1
    assert found > 10


@pytest.mark.built
def test_every_photo_can_be_reached_from_the_home_page(site, pages, exported):
    linked = {urlsplit(link).path for _, link in links_of(pages["index.html"])}
    images = [image.id for image in read_index(site / MODEL / "data").images]
    assert {f"{MODEL}/{image}.html" for image in images} <= linked
    others = {name for name in models_of(site) if name != MODEL}
    elsewhere = {*others, "models", "compare", "survey"}
    ours = {path for path in pages if path.split("/")[0] not in elsewhere}
    assert ours == READING | own_photo(exported) | {
        "404.html",
        f"{MODEL}/embed.html",
        *(f"{MODEL}/{image}.html" for image in images),
    }


# What a browser may do


@pytest.mark.built
def test_no_page_holds_a_script_a_style_or_a_handler_of_its_own(pages):
    for path, document in pages.items():
        for element in document.elements:
            where = f"{path}: <{element.tag}>"
            assert element.tag not in {"style", "iframe", "object", "embed", "form"}, where
            if element.tag == "script":
                assert element.attributes.get("src"), where
                assert element.text.strip() == "", where
            for name, value in element.attributes.items():
                assert name != "style", where
                assert not name.startswith("on"), f"{where} {name}"
                assert not re.match(r"\s*(javascript|data|vbscript):", value, re.I), where
    assert sum(len(document.all("script")) for document in pages.values()) >= 4


def test_the_policy_comes_first_and_allows_only_this_site(pages):
    for path, document in pages.items():
        head = document.elements[2:4]
        assert [element.tag for element in document.elements[:4]] == [
            "html",
            "head",
            "meta",
            "meta",
        ]
        assert head[0].attributes == {"charset": "utf-8"}
        assert head[1].attributes["http-equiv"] == "Content-Security-Policy"
        directives = dict(
            part.strip().split(" ", 1) for part in head[1].attributes["content"].split(";")
        )
        allowed = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self'",
            "connect-src": "'self'",
            "base-uri": URL if path == "404.html" else "'none'",
            "form-action": "'none'",
        }
        if path == OWN_PHOTO:  # the one page that computes, on pictures of the visitor
            allowed |= {
                "script-src": "'self' 'wasm-unsafe-eval'",
                "worker-src": "'self'",
                "img-src": "'self' blob:",
            }
        assert directives == allowed, path


# Texts


def test_the_author_is_text(pages):
    for path, document in pages.items():
        if path == f"{MODEL}/embed.html":  # has no room for it
            continue
        assert document.meta("author") == "Ada <Lovelace>", path
        assert any("gallery by Ada <Lovelace>." in p.text for p in document.all("p")), path
        assert document.all("lovelace") == []


@pytest.mark.parametrize(
    "source", ["javascript:alert(1)", "data:text/html,x", " https://e.org", "//e.org"]
)
def test_only_web_addresses_become_links_to_a_source(workshop, source):
    image = workshop.images[0]
    workshop.change_entry(image, source=source)
    workshop.render()
    page = read_page(workshop.out / MODEL / f"{image}.html")
    assert page.all("a", href=source) == []
    assert any(source in span.text for span in page.all("span"))


# The address of the site


def test_previews_name_the_site_by_its_whole_address(site, pages, tiles, exported):
    seen = 0
    for path, document in pages.items():
        if path == f"{MODEL}/embed.html":  # shown in frames of other pages, never shared itself
            continue
        assert document.meta("og:url") == URL + path
        if path == "404.html":
            continue
        picture = document.meta("og:image")
        assert picture.startswith(URL)
        assert (site / picture.removeprefix(URL)).is_file()
        seen += 1
    assert seen == len(READING | own_photo(exported)) + len(read_index(tiles).images)
    image = read_index(tiles).images[1].id
    assert f"/{image}/" in pages[f"{MODEL}/{image}.html"].meta("og:image")


def test_the_404_page_begins_its_links_at_the_address(pages):
    document = pages["404.html"]
    assert [base.attributes for base in document.all("base")] == [{"href": URL}]
    tags = [element.tag for element in document.elements]
    assert tags.index("base") < tags.index("link")
    # "#main" would be a place on the front page.
    assert not any(link.startswith("#") for _, link in links_of(document))
    for path in pages.keys() - {"404.html"}:
        assert pages[path].all("base") == []


def test_without_an_address_there_are_no_previews_and_404_refers_to_nothing(workshop):
    workshop.render()
    for path in workshop.out.rglob("*.html"):
        document = read_page(path)
        assert not [m for m in document.all("meta") if "property" in m.attributes], path.name
        assert document.all("base") == []
        if path.name == "404.html":
            assert links_of(document) == []
            assert "url(" not in path.read_text("utf-8")


@pytest.mark.parametrize("option", ["url", "repository"])
@pytest.mark.parametrize(
    "value", ["example.org", "ftp://example.org", "javascript:alert(1)", "/maps"]
)
def test_an_address_that_is_none_is_refused(workshop, capsys, option, value):
    code = command.main(arguments(workshop, f"--{option}", value))
    said = capsys.readouterr()
    assert code == 1
    assert said.err == (
        f"site: invalid --{option} '{value}': expected an address such as https://example.org/maps/\n"
    )
    assert said.out == ""
    assert not workshop.out.exists()


@pytest.mark.parametrize("given", ["https://example.org/maps", "https://example.org/maps///"])
def test_the_address_ends_in_one_slash(workshop, given):
    assert command.main(arguments(workshop, "--url", given)) == 0
    assert read_page(workshop.out / "index.html").meta("og:url") == f"{URL}index.html"


def arguments(workshop, *more: str) -> list[str]:
    paths = {
        "--manifest": workshop.manifest_path,
        "--tiles": workshop.tiles.parent,
        "--runtime": workshop.runtime,
        "--surveys": workshop.runtime.with_name("none"),
        "--out": workshop.out,
    }
    return [*(str(part) for pair in paths.items() for part in pair), *more]


# What is published


@pytest.mark.built
def test_files_that_begin_with_an_underscore_are_served(site):
    assert (site / ".nojekyll").read_bytes() == b""


@pytest.mark.built
def test_everything_that_an_entry_names_is_there(site):
    data = site / MODEL / "data"
    index = read_index(data)
    for image in index.images:
        entry = read_entry(data, image.id)
        names = [entry.input, entry.photo, entry.thumbnail, entry.strip.path]
        for sheet in entry.sheets:
            names += [sheet.path, sheet.figures, sheet.summary, sheet.pca]
            assert read_figures(data / image.id, sheet).layer == sheet.layer
        missing = [name for name in names if not (data / image.id / name).is_file()]
        assert missing == []
        assert len(entry.sheets) == len(index.layers)
    model = msgspec.json.decode((data / "_layers.json").read_bytes(), type=ExplorerModel)
    assert [layer.name for layer in model.layers] == [layer.layer for layer in index.layers]
    for layer in model.layers:
        assert (data / layer.figures).is_file()
        for image in index.images:
            assert (data / "_shared" / layer.slug / f"{image.id}.png").is_file()


def test_nothing_but_the_gallery_is_published(site, exported):
    data = site / MODEL / "data"
    index = read_index(data)
    images = {image.id for image in index.images}
    computing = own_photo(exported) != set()
    assert {path.name for path in data.iterdir()} == images | {
        *index.parts,
        *(["_browser"] if computing else []),
        "index.json",
        "_layers.json",
    }
    assert {path.name for path in site.iterdir()} == READING | {
        *(["vendor"] if computing else []),
        ".nojekyll",
        "404.html",
        MODEL,
        "snippets",
        "static",
    }


@pytest.mark.built
def test_the_published_index_is_what_its_schema_says(site):
    data = site / MODEL / "data"
    schema = msgspec.json.decode(contract.SCHEMA_PATH.read_bytes())
    index = msgspec.json.decode((data / "index.json").read_bytes())
    files = {"GalleryIndex": [index]}
    files["ImageEntry"] = [
        msgspec.json.decode((data / image["id"] / "index.json").read_bytes())
        for image in index["images"]
    ]
    for kind, contents in files.items():
        validator = jsonschema.Draft202012Validator(
            {"$ref": f"#/$defs/{kind}", "$defs": schema["$defs"]}
        )
        for content in contents:
            assert [error.message for error in validator.iter_errors(content)] == []
        assert list(validator.iter_errors({})) != []


@pytest.mark.built
def test_pages_are_small(site):
    sizes = {path.relative_to(site): path.stat().st_size for path in site.rglob("*.html")}
    # A survey's pages say something of every channel, and of every class.
    most = {name: 700_000 if "survey" in name.parts else 120_000 for name in sizes}
    assert {name: size for name, size in sizes.items() if size > most[name]} == {}


def test_nothing_tells_where_or_with_what_camera_it_was_made(site, tiles, exported):
    private = [str(ROOT), str(tiles), str(exported.parent), str(site)]
    if len(Path.home().parts) > 1:
        private.append(str(Path.home()))
    marks = [text.encode() for text in private]
    found = []
    for path, content in tree(site).items():
        found += [(path, mark) for mark in marks if mark in content]
        if path.endswith(".jpg"):
            found += [
                (path, mark)
                for mark in (b"Exif\0\0", b"http://ns.adobe.com/xap/")
                if mark in content
            ]
        if path.endswith(".png"):
            found += [
                (path, mark) for mark in (b"eXIf", b"tEXt", b"iTXt", b"tIME") if mark in content
            ]
    assert found == []


# How it is made


def test_the_same_inputs_give_the_same_bytes(workshop):
    workshop.site = Site("Maps", "Ada", "https://example.org/code", URL)
    workshop.render()
    first = tree(workshop.out)
    workshop.out = workshop.out.with_name("again")
    workshop.render()
    assert tree(workshop.out) == first
    workshop.render()
    assert tree(workshop.out) == first, "over an older site"


def test_a_photo_that_is_gone_leaves_nothing_behind(workshop):
    workshop.render()
    gone = workshop.images[1]
    (workshop.out / "stray.html").write_text("from an earlier version")
    workshop.change_index(images=tuple(i for i in workshop.index.images if i.id != gone))
    workshop.without_lessons()
    reading = READING | own_photo(workshop.manifest_path)
    reading -= {"tours.html", "mistakes.html"}
    assert workshop.render() == len(reading) + 2 + len(workshop.images)
    assert [
        path for path in tree(workshop.out) if gone in path.split("/") or gone in Path(path).stem
    ] == [
        path
        for path in tree(workshop.out)
        if (path.startswith(f"{MODEL}/data/_shared/") and path.endswith(f"/{gone}.png"))
        or path.startswith(f"{MODEL}/data/_tours/{gone}.")
    ]
    assert not (workshop.out / "stray.html").exists()
    text = "".join(path.read_text("utf-8") for path in workshop.out.rglob("*.html"))
    assert f"{gone}.html" not in text


def test_tiles_of_another_model_are_refused(workshop, capsys):
    workshop.render()
    before = tree(workshop.out.parent)
    changed = workshop.manifest_path.read_bytes().replace(b'"opset":', b'"opset": ', 1)
    artifacts.write(workshop.manifest_path, changed)
    assert command.main(arguments(workshop)) == 1
    said = capsys.readouterr().err
    assert said == (
        f"site: the tiles in {workshop.tiles} were computed with another model than "
        f"{workshop.manifest_path} describes: run make precompute\n"
    )
    assert tree(workshop.out.parent) == before


def remove_an_image(workshop):
    folder = workshop.tiles / workshop.images[-1]
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def break_an_entry(workshop):
    artifacts.write(workshop.tiles / workshop.images[-1] / "index.json", b'{"id": "x"')


def forget_a_field(workshop):
    artifacts.write(workshop.tiles / workshop.images[-1] / "index.json", b'{"id":"x"}')


def remove_the_index(workshop):
    (workshop.tiles / "index.json").unlink()


def outdate_the_index(workshop):
    workshop.change_index(schema_version=99)


@pytest.mark.parametrize(
    "damage",
    [remove_an_image, break_an_entry, forget_a_field, remove_the_index, outdate_the_index],
)
def test_damaged_tiles_leave_the_old_site_and_say_what_to_run(workshop, capsys, damage):
    workshop.render()
    before = tree(workshop.out.parent)
    damage(workshop)
    assert command.main(arguments(workshop, "--title", "New")) == 1
    said = capsys.readouterr().err
    assert said.startswith("site: ")
    assert said.endswith("run make precompute\n")
    assert said.count("\n") == 1
    assert tree(workshop.out.parent) == before
    assert entries(workshop.out.parent) == [".site.json", "site"]


@pytest.mark.parametrize("fault", [OSError("no space left on device"), KeyboardInterrupt()])
def test_a_render_that_ends_halfway_leaves_the_old_site(workshop, monkeypatch, fault):
    workshop.render()
    before = tree(workshop.out.parent)
    copy, calls = renderer._copy, []

    def copy_twice(source: Path, target: Path) -> dict[str, str]:
        calls.append(target)
        if len(calls) == 3:
            raise fault
        return copy(source, target)

    monkeypatch.setattr(renderer, "_copy", copy_twice)
    workshop.site = replace(workshop.site, title="New")
    with pytest.raises(type(fault)):
        workshop.render()
    assert len(calls) == 3
    assert workshop.out not in calls[2].parents, "it was gathered elsewhere"
    assert tree(workshop.out.parent) == before
    assert entries(workshop.out.parent) == [".site.json", "site"]


def test_what_a_killed_run_left_is_not_published(workshop):
    left = workshop.out.with_name(".site.partial")
    left.mkdir(parents=True)
    (left / "half.html").write_text("half")
    workshop.render()
    assert not (workshop.out / "half.html").exists()
    assert entries(workshop.out.parent) == [".site.json", "site"]


def test_neither_numpy_nor_onnxruntime_is_needed(site, exported, tiles, runtime, tmp_path):
    program = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numpy", "onnxruntime", "PIL", "torch", "onnx", "scipy"}:
            raise ImportError(f"{name} is not installed")
sys.meta_path.insert(0, Refuse())
try:
    import numpy
except ImportError:
    from site_template.__main__ import main
    sys.exit(main(sys.argv[1:]))
sys.exit("numpy could be imported")
"""
    out = tmp_path / "site"
    paths = ["--manifest", exported, "--tiles", tiles.parent, "--runtime", runtime, "--out", out]
    paths += ["--surveys", tmp_path / "none"]
    texts = ["--author", "Ada <Lovelace>", "--url", URL]
    line = [sys.executable, "-c", program, *paths, *texts]
    done = subprocess.run([str(part) for part in line], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = len(READING | own_photo(exported)) + 2 + len(read_index(tiles).images)
    assert re.fullmatch(rf"site: {pages} pages, \d+ MB in {re.escape(str(out))}\n", done.stdout)
    assert tree(out) == tree(site)


def test_the_colour_tables_are_matplotlibs():
    program = (
        "import sys; sys.path.insert(0, 'scripts'); import colormaps; "
        "sys.stdout.buffer.write(colormaps.module().encode())"
    )
    done = subprocess.run([EXPORTER, "-c", program], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == (ROOT / "site_template/static/colormaps.js").read_bytes()


# Small things


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1.00"), (-1.0, "−1.00"), (0.5, "0.500"), (-0.0123, "−0.0123"),
     (31.4159, "31.4"), (31415.9, "31416"), (9.996, "10.0"), (-99.97, "−100"),
     (0.0001, "0.000100"), (6.8e-14, "6.80e−14"), (-1234567.0, "−1.23e+6")],
)  # fmt: skip
def test_numbers_read_as_in_the_explorer(value, text):
    assert page_data.readable(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100 %"), (0.42, "42 %"), (0.01, "1 %"), (0.005, "0.5 %"), (1e-9, "< 0.1 %")],
)
def test_probabilities_are_in_per_cent(share, text):
    assert page_data.percent(share) == text


def test_large_numbers_are_grouped():
    assert [page_data.grouped(n) for n in (7, 1000, 1234567)] == [
        "7",
        "1\u202f000",
        "1\u202f234\u202f567",
    ]


@pytest.mark.parametrize(
    ("count", "position", "first", "last"),
    [(3, 1, 0, 2), (48, 47, 0, 47), (100, 0, 0, 47), (100, 50, 26, 73), (100, 99, 52, 99)],
)
def test_a_photo_offers_its_neighbours(count, position, first, last):
    shown = page_data.nearest(range(count), position)
    assert (shown[0], shown[-1]) == (first, last)
    assert position in shown


def test_a_site_that_is_too_large_is_refused_and_what_makes_it_so_is_said(workshop, capsys):
    assert command.main(arguments(workshop, "--max-site-size", "none")) == 0
    before = tree(workshop.out.parent)
    size = sum(path.stat().st_size for path in workshop.out.rglob("*") if path.is_file())
    assert command.main(arguments(workshop, "--max-site-size", str(size))) == 0
    capsys.readouterr()
    # The same site, another one, and one whose tiles alone are too large.
    for given in (
        ["--max-site-size", str(size - 1)],
        ["--title", "Maps of many features", "--max-site-size", str(size)],
        ["--max-site-size", "10MB"],
    ):
        assert command.main(arguments(workshop, *given)) == 1
        said = capsys.readouterr().err.splitlines()
        assert re.fullmatch(r"site: the site would have .* MB, more than .* MB:", said[0])
        photos = f"with {len(workshop.images)} photos; most for"
        assert re.fullmatch(
            rf"  resnet18: [\d.]+ MB {photos} (\S+ [\d.]+ [kM]B(, )?){{3}}", said[1]
        )
        assert said[2].startswith("show fewer layers with LAYERS=…, fewer photos")
        assert tree(workshop.out.parent) == before


def test_a_size_that_is_none_is_refused(workshop, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments(workshop, "--max-site-size", "huge"))
    assert "invalid size 'huge': expected one such as 500MB" in capsys.readouterr().err
    assert not workshop.out.exists()
