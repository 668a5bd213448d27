"""The site, from beginning to end: read the indices, write every page, then show it all at once."""

import os
import posixpath
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
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
from precompute.index import (
    GalleryIndex,
    ImageEntry,
    index_path,
    model_folder,
    read_entry,
    read_index,
)
from precompute.lessons import MISTAKES, STEM, Tours, read_mistakes, read_stem, read_tours
from site_template import budget, mistakes, pages, side_by_side, snippets, survey
from site_template.browser import BROWSER, BrowserModel, browser_model, own_photo
from site_template.checks import (
    check_entry,
    check_index,
    check_mistakes,
    check_names,
    check_tours,
    regular_files,
)
from site_template.computed import told
from site_template.figures import Numbers
from site_template.filters import filter_page, hundredths
from site_template.models import (
    SIDE_BY_SIDE,
    Model,
    choices,
    compare_path,
    home_of,
    shared_photos,
)
from site_template.pages import Card, Site
from site_template.residual import residuals
from site_template.survey_diff import difference_page, difference_path, find_differences
from site_template.survey_files import PUBLISHED, Survey, find_survey
from site_template.survey_panel import class_names, panel
from site_template.teaching import lesson
from site_template.vendor.runtime import read_runtime, runtime_path
from site_template.views import view
from survey import contract as survey_contract
from survey.contract import CLASS_CHANNELS_LAYER
from survey.diff import contract as difference_contract
from survey.diff import ranking
from survey.diff.contract import Difference

HERE = Path(__file__).parent
OF_SEVERAL = "models.css"
"""The style that only a site of several models needs."""
OF_SURVEYS = "survey.css"
"""The style that only a site with a survey needs."""
OF_DIFFERENCES = "survey-diff.css"
"""The style that only a site with a comparison of surveys needs."""
Page = Callable[..., tuple[str, str]]
"""What makes a page of its path, its template and what else this is told: path and content."""


class RenderError(Exception):
    """The site cannot be made from these tiles; the message says what to run first."""


@dataclass(frozen=True)
class Gallery:
    """What the pages of one model are made from."""

    site: Site
    manifest: ModelManifest
    manifest_path: Path
    index: GalleryIndex
    tours: Tours
    tiles: Path
    """The model's folder of tiles."""
    browser: BrowserModel | None
    """None where there is no page for a visitor's own photo."""
    home: str
    """Folder of its pages that are about no single photo: see models.Model."""
    survey: Survey | None
    """What was found over a whole data set, where one was surveyed."""

    differences: tuple[Difference, ...]
    """Comparisons of its survey with those of other models of the site."""

    @property
    def surveyed(self) -> survey_contract.SurveyIndex | None:
        """What is said over all photos of the data set."""
        return self.survey.index if self.survey else None

    @property
    def sections(self) -> list[tuple[str, str]]:
        """What its header leads to."""
        surveyed = survey.survey_path(self.home) if self.survey else ""
        return pages.sections(self.index, self.tours, self.browser, self.home, surveyed)

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


def render(
    site: Site,
    manifests: Sequence[Path],
    tiles: Path,
    runtime: Path,
    out: Path,
    limit: int | None = None,
    surveys: Path | None = None,
) -> Rendered:
    """Make `out` the site of these models and tiles, unless it is that already, to the last byte.

    The first of `manifests` is that of the main model; `tiles` holds a folder for each. `runtime`
    is the folder of what runs a model in a browser; where there is none, there is no page for a
    visitor's own photo. `limit` is the most bytes that the site may have. `surveys` holds a folder
    for each model that was surveyed. The old site stays in place until the new one is whole. Raises
    RenderError or artifacts.ArtifactError; then the old site is untouched.
    """
    store.recover(out)
    if out.exists() and not (out / ".nojekyll").exists() and any(out.iterdir()):
        raise RenderError(
            f"{out} holds something else than a site made here, and would be replaced: give a new "
            "folder, or empty this one"
        )
    galleries = _read(site, manifests, tiles, runtime, surveys)
    key, record = _key(galleries), record_path(out)
    changed = not store.is_current(out, record, key)
    if limit is not None:
        _refuse_beyond(limit, galleries, 0 if changed else budget.folder_size(out))
    if changed:
        with store.replacing(out) as fresh:
            files = _write(galleries, runtime, fresh, limit)
            filesystem.flush(fresh)  # or a power cut could leave the new site with empty files
        store.write_record(record, key, files)
    pages_made = sum(path.endswith(".html") for path in store.read_record(record).files)
    return Rendered(pages_made, changed)


def record_path(out: Path) -> Path:
    """Return where it is written down what the site in `out` was made from: beside it, not in it."""
    out = out.resolve()
    return out.with_name(f".{out.name}.json")


def _key(galleries: Sequence[Gallery]) -> str:
    """Return a fingerprint of everything that the site depends on. The index stands for its tiles."""
    here = [path for path in HERE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    contracts = (artifacts, model_contract, tiles_contract, lessons_contract, survey_contract)
    of_surveys = (difference_contract, ranking)
    return store.key_of(
        [artifacts.seen(text) for text in asdict(galleries[0].site).values()],
        [
            (
                artifacts.sha256(gallery.manifest_path),
                asdict(gallery.index),
                asdict(gallery.browser) if gallery.browser else None,
                (asdict(gallery.survey.index), gallery.survey.files) if gallery.survey else None,
                [asdict(one) for one in gallery.differences],
            )
            for gallery in galleries
        ],
        [(path.relative_to(HERE).as_posix(), artifacts.sha256(path)) for path in sorted(here)],
        store.source_key(*(Path(str(contract.__file__)) for contract in contracts + of_surveys)),
        {name: version(name) for name in ("jinja2", "markupsafe", "msgspec")},
    )


def _refuse_beyond(limit: int, galleries: Sequence[Gallery], rest: int) -> None:
    """Raise RenderError where the models' data, or `rest` bytes, are more than `limit`."""
    shares = [
        budget.share(
            gallery.manifest,
            gallery.index,
            gallery.tiles,
            gallery.browser.onnx.bytes if gallery.browser else 0,
            gallery.survey.bytes if gallery.survey else 0,
        )
        for gallery in galleries
    ]
    total = max(rest, sum(one.bytes for one in shares))
    if total > limit:
        raise RenderError(budget.explain(shares, total, limit))


def _write(
    galleries: Sequence[Gallery], runtime: Path, target: Path, limit: int | None
) -> dict[str, str]:
    """Write the whole site into the empty folder `target`; return path to SHA-256."""
    digests: dict[str, str] = {}
    for path, content in _pages(galleries):
        digests |= store.add_files(target, {path: content.encode("utf-8")})
    for static in sorted((HERE / "static").iterdir()):
        if static.name == OF_SEVERAL and len(galleries) == 1:
            continue
        if static.name == OF_SURVEYS and not any(gallery.survey for gallery in galleries):
            continue
        if static.name == OF_DIFFERENCES and not any(one.differences for one in galleries):
            continue
        digests |= store.add_files(target, {f"static/{static.name}": static.read_bytes()})
    for gallery in galleries:
        digests |= _copy_data(gallery, target)
        if gallery.survey:
            digests |= _copy_survey(gallery.survey, pages.model_data(gallery.index), target)
        if gallery.browser:
            digests |= _copy_for_browsers(gallery.browser, gallery.manifest_path, runtime, target)
    digests |= store.add_files(target, {".nojekyll": b""})
    if limit is not None:
        _refuse_beyond(limit, galleries, budget.folder_size(target))
    return digests


def _copy_data(gallery: Gallery, target: Path) -> dict[str, str]:
    """Copy what was computed with a model; return path to SHA-256."""
    digests: dict[str, str] = {}
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
    return digests | store.add_files(
        target, {f"{data}/index.json": artifacts.encode(gallery.index)}
    )


def _copy_survey(found: Survey, data: str, target: Path) -> dict[str, str]:
    """Copy what is published of a survey into a model's `data`; return path to SHA-256."""
    digests: dict[str, str] = {}
    for name, content in found.files.items():
        path = f"{data}/{PUBLISHED}/{name}"
        digests[path] = _copy_file(found.folder / name, target / path)
        if digests[path] != content:
            raise RenderError(f"{found.folder / name} has just been changed: run make site again")
    return digests


def _read(
    site: Site, manifests: Sequence[Path], tiles: Path, runtime: Path, surveys: Path | None
) -> tuple[Gallery, ...]:
    """Read what is said of each model and its tiles, and check that it belongs together."""
    described = [(path, read_manifest(path)) for path in manifests]
    check_names([manifest.model for _, manifest in described])
    galleries = (
        _read_gallery(
            site,
            path,
            manifest,
            model_folder(tiles, manifest.model),
            runtime,
            home_of(manifest.model, i == 0),
            find_survey(surveys, path, manifest) if surveys else None,
        )
        for i, (path, manifest) in enumerate(described)
    )
    found = find_differences(surveys, described) if surveys else []
    return tuple(
        replace(one, differences=tuple(d for d in found if d.a.model == one.manifest.model))
        for one in galleries
    )


def _read_gallery(
    site: Site,
    path: Path,
    manifest: ModelManifest,
    tiles: Path,
    runtime: Path,
    home: str,
    surveyed: Survey | None,
) -> Gallery:
    index = read_index(tiles)
    if index.manifest_sha256 != artifacts.sha256(path):
        raise RenderError(
            f"the tiles in {tiles} were computed with another model than {path} describes: run "
            "make precompute"
        )
    check_index(tiles, index, manifest)
    tours = read_tours(tiles)
    check_tours(tiles, tours, index, manifest)
    browser = browser_model(manifest, read_runtime(runtime))
    return Gallery(site, manifest, path, index, tours, tiles, browser, home, surveyed, ())


def _pages(galleries: Sequence[Gallery]) -> Iterator[tuple[str, str]]:
    """Yield the path and content of every page, and of the styles, programs and data made here."""
    environment = _environment()
    models = [_model(gallery) for gallery in galleries]
    for gallery, model in zip(galleries, models, strict=True):
        yield from _pages_of(gallery, model, _page_maker(environment, gallery, model, models))
    yield _page_maker(environment, galleries[0], models[0], models)(
        "404.html", "404.html", cards=models[0].cards
    )
    if len(galleries) > 1:
        page = _page_maker(environment, galleries[0], None, models)
        yield from _pages_side_by_side(galleries, models, page)


def _model(gallery: Gallery) -> Model:
    """Return a model as the pages of all models show it."""
    cards = tuple(pages.card(entry, gallery.index) for entry in gallery.entries())
    paths = {path.partition("#")[0] for path, _ in gallery.sections}
    paths |= {card.page for card in cards}
    paths |= set(survey.paths(gallery.survey, gallery.home)) if gallery.survey else set()
    return Model(gallery.manifest, gallery.home, frozenset(paths), cards)


def _page_maker(
    environment: Environment, gallery: Gallery, model: Model | None, models: Sequence[Model]
) -> Page:
    """Return the function that makes the pages of `model`, or where it is None, of all `models`."""
    several = len(models) > 1
    common = {
        "site": gallery.site,
        "manifest": gallery.manifest,
        "index": gallery.index,
        "sections": gallery.sections + ([(f"{SIDE_BY_SIDE}/index.html", "Side by side")] * several),
        "browser": gallery.browser,
        "models": models,
        "together": shared_photos(models),
        "title_end": f" · {model.id}" if model and several else "",
        "words": told(gallery.manifest),
        "sums": residuals(gallery.manifest),
        "panel": panel(gallery.surveyed, gallery.home),
    }

    def page(path: str, template: str, **context: object) -> tuple[str, str]:
        root = "../" * path.count("/")

        def published(link: str) -> str:
            """Return the absolute address of what `link` on this page leads to."""
            return gallery.site.url + posixpath.normpath(
                posixpath.join(posixpath.dirname(path), link)
            )

        return path, environment.get_template(template).render(
            **common,
            root=root,
            front=root + gallery.home,
            path=path,
            published=published,
            choices=choices(path, model, models),
            **context,
        )

    return page


def _pages_of(gallery: Gallery, model: Model, page: Page) -> Iterator[tuple[str, str]]:
    """Yield what belongs to one model, as _pages() does."""
    home, cards = gallery.home, model.cards
    surveyed = panel(gallery.surveyed, home)
    described = pages.explorer_model(gallery.manifest, gallery.index, cards, surveyed)
    data = pages.model_data(gallery.index)
    yield f"{data}/_layers.json", artifacts.encode(described).decode("utf-8")
    if gallery.survey and surveyed and surveyed.classes:
        yield f"{data}/{surveyed.classes}", class_names(gallery.survey.index)
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
    root = "../" * home.count("/")
    # As the pages link to them that lie in the folder `home`.
    near = [card.seen_from(root) for card in cards]
    yield page(
        f"{home}index.html",
        "home.html",
        cards=near,
        hero=hero,
        hero_card=near[0],
        stages=pages.stages(hero, gallery.manifest),
        depth=pages.depth(pages.blocks(hero, gallery.manifest)),
    )
    if gallery.tours.tours:
        yield page(
            f"{home}tours.html",
            "tours.html",
            tours=pages.tour_parts(
                gallery.tours, gallery.index, partial(read_entry, gallery.tiles), root
            ),
            titles={card.id: card.title for card in cards},
            photos=described.photos,
            data=root + pages.tour_data(gallery.index),
        )
    if STEM in gallery.index.parts:
        filters = filter_page(read_stem(gallery.tiles), gallery.manifest, gallery.index)
        filters = replace(filters, folder=root + filters.folder)
        yield page(f"{home}filters.html", "filters.html", filters=filters, card=near[0])
    if MISTAKES in gallery.index.parts:
        yield page(f"{home}mistakes.html", "mistakes.html", **_mistakes(gallery, root))
    if gallery.survey:
        yield from _pages_of_survey(gallery.survey, gallery, cards[0], page)
    has_charts = any(card.chart for card in cards)
    yield page(f"{home}about.html", "about.html", card=near[0], has_charts=has_charts)
    taught = lesson(Numbers(gallery.manifest, gallery.index, gallery.tiles, near))
    for name, program in taught.programs.items():
        yield f"{home}{snippets.FOLDER}/{name}", program
    weights = snippets.loaded_by(gallery.manifest)
    yield page(f"{home}teaching.html", "teaching.html", lesson=taught, weights=weights, view=view)
    yield page(f"{gallery.index.model}/embed.html", "embed.html")
    if gallery.browser:
        browser = artifacts.encode(gallery.browser).decode("utf-8")
        yield f"{data}/{BROWSER}/index.json", browser
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


def _pages_of_survey(
    found: Survey, gallery: Gallery, card: Card, page: Page
) -> Iterator[tuple[str, str]]:
    """Yield the pages about a survey; links to a channel lead to its map on the photo of `card`."""
    home, index = gallery.home, found.index
    published = f"{pages.model_data(gallery.index)}/{PUBLISHED}"

    def told(path: str, template: str, **context: object) -> tuple[str, str]:
        data = "../" * path.count("/") + published
        return page(path, template, survey=found, data=data, card=card, **context)

    outcomes, least = survey.outcomes(found), survey.fewest(found)
    yield told(
        survey.survey_path(home),
        "survey.html",
        page=survey.overview(found),
        least=least,
        preprocessing="mistakes.html" if MISTAKES in gallery.index.parts else "about.html",
    )
    for position, layer in enumerate(found.manifest.feature_maps):
        shown = survey.layer_page(found, position)
        yield told(survey.layer_path(home, layer), "survey-layer.html", page=shown)
    if not index.classes:
        return
    classes = survey.classes_path(home)
    yield told(classes, "survey-classes.html", outcomes=outcomes, least=least)
    strongest = survey.driving(found)
    for label, one in enumerate(index.classes):
        yield told(
            survey.class_path(home, one),
            "survey-class.html",
            page=survey.class_page(found, label, outcomes, strongest),
            least=least,
            per_layer=CLASS_CHANNELS_LAYER,
        )


def _pages_side_by_side(
    galleries: Sequence[Gallery], models: Sequence[Model], page: Page
) -> Iterator[tuple[str, str]]:
    """Yield the pages that show photos in several models."""
    together = shared_photos(models)
    compared = [image for image, those in together.items() if len(those) > 1]
    cards = {model.id: {card.id: card for card in model.cards} for model in models}
    titles = {image: cards[those[0].id][image].title for image, those in together.items()}
    differences = [one for gallery in galleries for one in gallery.differences]
    yield page(
        f"{SIDE_BY_SIDE}/index.html",
        "side-by-side.html",
        cards=cards,
        titles=titles,
        differences=[(one, difference_path(one)) for one in differences],
    )
    for one in differences:
        shown = difference_page(one, {model.id: model for model in models})
        yield page(difference_path(one), "survey-diff.html", shown=shown, view=view)
    for position, image in enumerate(compared):
        columns = [
            side_by_side.Column(
                model,
                cards[model.id][image],
                read_entry(gallery.tiles, image),
                gallery.tiles / image,
            )
            for gallery, model in zip(galleries, models, strict=True)
            if image in cards[model.id]
        ]
        yield page(
            compare_path(image),
            "compare.html",
            columns=columns,
            alike=side_by_side.alike(columns),
            before=compared[position - 1] if position else None,
            after=compared[position + 1] if position + 1 < len(compared) else None,
            titles=titles,
        )


def _seen(value: object) -> object:
    """Return what a page shows of `value`, which may be markup."""
    return value.__class__(artifacts.seen(value)) if isinstance(value, str) else value


def _mistakes(gallery: Gallery, root: str) -> dict[str, object]:
    """Return what the page on preprocessing mistakes is told; `root` leads from it to the site."""
    found = read_mistakes(gallery.tiles)
    check_mistakes(gallery.tiles, found, gallery.index, gallery.manifest)
    entry = read_entry(gallery.tiles, found.image)
    spec = gallery.manifest.input
    rows = mistakes.rows(found, entry, gallery.manifest)
    return {
        "mistakes": found,
        "entry": entry,
        "card": pages.card(entry, gallery.index).seen_from(root),
        "data": f"{root}{pages.model_data(gallery.index)}/{MISTAKES}",
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
        "tenths": survey.tenths,
        "ticked": survey.ticked,
    }
    environment.globals["strip"] = survey.strip
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
        if (target / file.path).exists():  # for a model before
            continue
        if not path.is_file() or _copy_file(path, target / file.path) != file.sha256:
            raise RenderError(
                f"{path} is not the file that {index} describes: run rm {index} && make site"
            )
    return {file.path: file.sha256 for file, _ in described}
