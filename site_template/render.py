"""The site, from beginning to end: read the indices, write every page, then show it all at once."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import artifacts
import filesystem
import store
from export import manifest as model_contract
from export.manifest import ModelManifest, read_manifest
from precompute import index as tiles_contract
from precompute import lessons as lessons_contract
from precompute.index import GalleryIndex, ImageEntry, index_path, read_entry, read_index
from precompute.lessons import MISTAKES, STEM, Tours, read_mistakes, read_stem, read_tours
from site_template import mistakes, pages, snippets
from site_template.browser import BROWSER, BrowserModel, browser_model, own_photo
from site_template.checks import (
    check_entry,
    check_index,
    check_mistakes,
    check_tours,
    regular_files,
)
from site_template.computed import told
from site_template.figures import Numbers
from site_template.filters import filter_page, hundredths
from site_template.pages import Card, Site
from site_template.residual import residuals
from site_template.teaching import lesson
from site_template.vendor.runtime import read_runtime, runtime_path
from site_template.views import view

HERE = Path(__file__).parent


class RenderError(Exception):
    """The site cannot be made from these tiles; the message says what to run first."""


@dataclass(frozen=True)
class Gallery:
    """What the site is made from."""

    site: Site
    manifest: ModelManifest
    index: GalleryIndex
    tours: Tours
    tiles: Path
    """The model's folder of tiles."""
    browser: BrowserModel | None
    """None where there is no page for a visitor's own photo."""

    def entries(self) -> Iterator[ImageEntry]:
        """Yield the photos in display order, one at a time: there may be thousands."""
        for image in self.index.images:
            entry = read_entry(self.tiles, image.id)
            check_entry(self.tiles, entry, self.manifest)
            folder = self.tiles / image.id
            missing = [s.path for s in entry.sheets if not (folder / s.path).is_file()]
            if missing:
                raise RenderError(f"{folder / missing[0]} does not exist: run make precompute")
            yield entry


@dataclass(frozen=True)
class Rendered:
    """What there is now."""

    pages: int
    changed: bool


def render(site: Site, manifest_path: Path, tiles: Path, runtime: Path, out: Path) -> Rendered:
    """Make `out` the site of the model and tiles, unless it is that already, to the last byte.

    `runtime` is the folder of what runs the model in a browser; where there is none, there is no
    page for a visitor's own photo. The old site stays in place until the new one is whole. Raises
    RenderError or artifacts.ArtifactError; then the old site is untouched.
    """
    store.recover(out)
    if out.exists() and not (out / ".nojekyll").exists() and any(out.iterdir()):
        raise RenderError(
            f"{out} holds something else than a site made here, and would be replaced: give a new "
            "folder, or empty this one"
        )
    gallery = _read(site, manifest_path, tiles, runtime)
    key, record = _key(gallery, manifest_path), record_path(out)
    changed = not store.is_current(out, record, key)
    if changed:
        with store.replacing(out) as fresh:
            files = _write(gallery, manifest_path, runtime, fresh)
            filesystem.flush(fresh)  # or a power cut could leave the new site with empty files
        store.write_record(record, key, files)
    pages_made = sum(path.endswith(".html") for path in store.read_record(record).files)
    return Rendered(pages_made, changed)


def record_path(out: Path) -> Path:
    """Return where it is written down what the site in `out` was made from: beside it, not in it."""
    out = out.resolve()
    return out.with_name(f".{out.name}.json")


def _key(gallery: Gallery, manifest_path: Path) -> str:
    """Return a fingerprint of everything that the site depends on. The index stands for its tiles."""
    here = [path for path in HERE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    contracts = (artifacts, model_contract, tiles_contract, lessons_contract)
    return store.key_of(
        [artifacts.seen(text) for text in asdict(gallery.site).values()],
        artifacts.sha256(manifest_path),
        asdict(gallery.index),
        asdict(gallery.browser) if gallery.browser else None,
        [(path.relative_to(HERE).as_posix(), artifacts.sha256(path)) for path in sorted(here)],
        store.source_key(*(Path(str(contract.__file__)) for contract in contracts)),
        {name: version(name) for name in ("jinja2", "markupsafe", "msgspec")},
    )


def _write(gallery: Gallery, manifest_path: Path, runtime: Path, target: Path) -> dict[str, str]:
    """Write the whole site into the empty folder `target`; return path to SHA-256."""
    digests: dict[str, str] = {}
    for path, content in _pages(gallery):
        digests |= store.add_files(target, {path: content.encode("utf-8")})
    for static in sorted((HERE / "static").iterdir()):
        digests |= store.add_files(target, {f"static/{static.name}": static.read_bytes()})
    data = pages.model_data(gallery.index)
    named = {image.id: image.sha256 for image in gallery.index.images} | gallery.index.parts
    for name, content in named.items():
        copied = _copy(gallery.tiles / name, target / data / name)
        if store.key_of(copied) != content:
            raise RenderError(
                f"{gallery.tiles / name} is not what {index_path(gallery.tiles)} describes: run "
                "make precompute"
            )
        digests |= {f"{data}/{name}/{path}": digest for path, digest in copied.items()}
    if gallery.browser:
        digests |= _copy_for_browsers(gallery.browser, manifest_path, runtime, target)
    rest = {f"{data}/index.json": artifacts.encode(gallery.index), ".nojekyll": b""}
    return digests | store.add_files(target, rest)


def _read(site: Site, manifest_path: Path, tiles: Path, runtime: Path) -> Gallery:
    manifest = read_manifest(manifest_path)
    index = read_index(tiles)
    if index.manifest_sha256 != artifacts.sha256(manifest_path):
        raise RenderError(
            f"the tiles in {tiles} were computed with another model than {manifest_path} "
            "describes: run make precompute"
        )
    check_index(tiles, index, manifest)
    tours = read_tours(tiles)
    check_tours(tiles, tours, index, manifest)
    browser = browser_model(manifest, read_runtime(runtime))
    return Gallery(site, manifest, index, tours, tiles, browser)


def _pages(gallery: Gallery) -> Iterator[tuple[str, str]]:
    """Yield the path and content of every page, and of the styles, programs and data made here."""
    environment = _environment()
    common = {
        "site": gallery.site,
        "manifest": gallery.manifest,
        "index": gallery.index,
        "sections": pages.sections(gallery.index, gallery.tours, gallery.browser),
        "browser": gallery.browser,
        "words": told(gallery.manifest),
        "sums": residuals(gallery.manifest),
    }

    def page(path: str, template: str, **context: object) -> tuple[str, str]:
        root = "../" * path.count("/")
        return path, environment.get_template(template).render(
            **common, root=root, path=path, **context
        )

    cards: list[Card] = [pages.card(entry, gallery.index) for entry in gallery.entries()]
    model = pages.explorer_model(gallery.manifest, gallery.index, cards)
    data = pages.model_data(gallery.index)
    yield f"{data}/_layers.json", artifacts.encode(model).decode("utf-8")
    wirings = pages.wirings(gallery.manifest)
    for position, entry in enumerate(gallery.entries()):
        blocks = pages.blocks(entry, gallery.manifest)
        yield page(f"{cards[position].folder}/sheets.css", "sheets.css", blocks=blocks)
        yield page(
            cards[position].page,
            "photo.html",
            entry=entry,
            card=cards[position],
            blocks=blocks,
            wirings=wirings,
            has_tours=bool(gallery.tours.tours),
            filmstrip=pages.nearest(cards, position),
            before=cards[position - 1] if position else None,
            after=cards[position + 1] if position + 1 < len(cards) else None,
        )
    hero = read_entry(gallery.tiles, gallery.index.images[0].id)
    yield page(
        "index.html",
        "home.html",
        cards=cards,
        hero=hero,
        hero_card=cards[0],
        stages=pages.stages(hero, gallery.manifest),
        depth=pages.depth(pages.blocks(hero, gallery.manifest)),
    )
    if gallery.tours.tours:
        yield page(
            "tours.html",
            "tours.html",
            tours=pages.tour_parts(
                gallery.tours, gallery.index, partial(read_entry, gallery.tiles)
            ),
            titles={card.id: card.title for card in cards},
            photos=model.photos,
            data=pages.tour_data(gallery.index),
        )
    if STEM in gallery.index.parts:
        filters = filter_page(read_stem(gallery.tiles), gallery.manifest, gallery.index)
        yield page("filters.html", "filters.html", filters=filters, card=cards[0])
    if MISTAKES in gallery.index.parts:
        yield page("mistakes.html", "mistakes.html", **_mistakes(gallery))
    has_charts = any(card.chart for card in cards)
    yield page("about.html", "about.html", card=cards[0], has_charts=has_charts)
    taught = lesson(Numbers(gallery.manifest, gallery.index, gallery.tiles, cards))
    for name, program in taught.programs.items():
        yield f"{snippets.FOLDER}/{name}", program
    weights = snippets.loaded_by(gallery.manifest)
    yield page("teaching.html", "teaching.html", lesson=taught, weights=weights, view=view)
    yield page(f"{gallery.index.model}/embed.html", "embed.html")
    if gallery.browser:
        described = artifacts.encode(gallery.browser).decode("utf-8")
        yield f"{data}/{BROWSER}/index.json", described
        yield page(
            own_photo(gallery.browser),
            "your-photo.html",
            entry=None,
            samples=pages.samples(cards),
            blocks=pages.blocks(hero, gallery.manifest),
            wirings=wirings,
            has_tours=False,
            filmstrip=pages.nearest(cards, 0),
        )
    yield page("404.html", "404.html", cards=cards)


def _seen(value: object) -> object:
    """Return what a page shows of `value`, which may be markup."""
    return value.__class__(artifacts.seen(value)) if isinstance(value, str) else value


def _mistakes(gallery: Gallery) -> dict[str, object]:
    """Return what the page on preprocessing mistakes is told."""
    found = read_mistakes(gallery.tiles)
    check_mistakes(gallery.tiles, found, gallery.index, gallery.manifest)
    entry = read_entry(gallery.tiles, found.image)
    spec = gallery.manifest.input
    rows = mistakes.rows(found, entry, gallery.manifest)
    return {
        "mistakes": found,
        "entry": entry,
        "card": pages.card(entry, gallery.index),
        "data": f"{pages.model_data(gallery.index)}/{MISTAKES}",
        "stages": pages.stages(entry, gallery.manifest),
        "rows": rows,
        "many_photos": mistakes.MANY,
        "loudest": mistakes.loudest(rows),
        "moved": mistakes.moved(rows),
        "same": mistakes.names(found.same, spec),
        "not_finite": mistakes.names(found.not_finite, spec),
        "check": mistakes.check(spec),
        "whole": mistakes.whole(spec),
    }


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "address": pages.address,
        "percent": pages.percent,
        "readable": pages.readable,
        "grouped": pages.grouped,
        "counted": pages.counted,
        "hundredths": hundredths,
        "decimal": mistakes.decimal,
        "part": pages.part,
    }
    return environment


def _copy(source: Path, target: Path) -> dict[str, str]:
    """Copy a folder; return path to SHA-256."""
    paths = list(regular_files(source))
    names = [path.relative_to(source).as_posix() for path in paths]
    return {name: _copy_file(path, target / name) for path, name in zip(paths, names, strict=True)}


def _copy_file(path: Path, copied: Path) -> str:
    """Copy a file, by a link where the file system can, as nobody edits it; return its SHA-256."""
    copied.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, copied)
    except OSError:
        shutil.copyfile(path, copied)
    return artifacts.sha256(copied)


def _copy_for_browsers(
    browser: BrowserModel, manifest_path: Path, runtime: Path, target: Path
) -> dict[str, str]:
    """Copy what `browser` names, if it still is what was described; return path to SHA-256."""
    described = [(browser.onnx, manifest_path)]
    described += [(file, runtime_path(runtime)) for file in browser.runtime.files]
    for file, index in described:
        path = index.parent / Path(file.path).name
        if not path.is_file() or _copy_file(path, target / file.path) != file.sha256:
            raise RenderError(
                f"{path} is not the file that {index} describes: run rm {index} && make site"
            )
    return {file.path: file.sha256 for file, _ in described}
