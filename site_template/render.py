"""The site, from beginning to end: read the indices, write every page, then show it all at once."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import artifacts
from export.manifest import ModelManifest, read_manifest
from precompute.index import GalleryIndex, ImageEntry, read_entry, read_index
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
from site_template.figures import Numbers
from site_template.filters import filter_page, hundredths
from site_template.pages import Card, Site
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


def render(site: Site, manifest_path: Path, tiles: Path, runtime: Path, out: Path) -> int:
    """Make `out` the site of the model and tiles; return how many pages it has.

    `runtime` is the folder of what runs the model in a browser; where there is none, there is no
    page for a visitor's own photo. The old site stays in place until the new one is whole. Raises
    RenderError or artifacts.ArtifactError; then the old site is untouched.
    """
    if out.exists() and not (out / ".nojekyll").exists() and any(out.iterdir()):
        raise RenderError(
            f"{out} holds something else than a site made here, and would be replaced: give a new "
            "folder, or empty this one"
        )
    gallery = _read(site, manifest_path, tiles, runtime)
    fresh = artifacts.fresh_folder(out)
    try:
        written = 0
        for path, content in _pages(gallery):
            artifacts.write(fresh / path, content.encode("utf-8"))
            written += path.endswith(".html")
        shutil.copytree(HERE / "static", fresh / "static", copy_function=shutil.copyfile)
        data = fresh / pages.model_data(gallery.index)
        for image in gallery.index.images:
            _copy(tiles / image.id, data / image.id)
        for part in gallery.index.parts:
            _copy(tiles / part, data / part)
        artifacts.write(data / "index.json", artifacts.encode(gallery.index))
        if gallery.browser:
            _copy_for_browsers(gallery.browser, manifest_path, runtime, fresh)
        artifacts.write(fresh / ".nojekyll", b"")
        artifacts.swap_in(fresh, out)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return written


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
    reads = pages.reads(gallery.manifest)
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
            reads=reads,
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
    weights = snippets.loaded(gallery.manifest.weights, gallery.manifest.model)
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
            reads=reads,
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


def _copy(source: Path, target: Path) -> None:
    """Copy a folder; its files are linked where the file system can, as nobody edits them."""
    for path in regular_files(source):
        _copy_file(path, target / path.relative_to(source))


def _copy_file(path: Path, copied: Path) -> None:
    copied.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, copied)
    except OSError:
        shutil.copyfile(path, copied)


def _copy_for_browsers(
    browser: BrowserModel, manifest_path: Path, runtime: Path, target: Path
) -> None:
    """Copy what `browser` names to the site in `target`, if it still is what was described."""
    described = [(browser.onnx, manifest_path)]
    described += [(file, runtime_path(runtime)) for file in browser.runtime.files]
    for file, index in described:
        path = index.parent / Path(file.path).name
        if not path.is_file() or artifacts.sha256(path) != file.sha256:
            raise RenderError(
                f"{path} is not the file that {index} describes: run rm {index} && make site"
            )
        _copy_file(path, target / file.path)
