"""A website taken apart, and galleries with one thing changed."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import artifacts
from export.manifest import ModelManifest, read_manifest
from precompute.index import GalleryIndex, ImageEntry, index_path, read_entry, read_index
from precompute.lessons import MISTAKES, TOURS, TOURS_NAME, Tour, read_tours
from site_template.pages import Site
from site_template.render import render
from store import key_of


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    """Directly inside, without that of children."""


@dataclass
class Document(HTMLParser):
    """The elements of a page in order."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute stands twice in <{tag}>"
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        if tag not in {"meta", "link", "base", "img", "input"}:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] is self.elements[-1]:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.open[-1].text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag and attributes.items() <= element.attributes.items()
        ]

    def meta(self, name: str) -> str:
        """Return the content of the one <meta> with this name or property."""
        found = [
            element.attributes["content"]
            for element in self.all("meta")
            if name in (element.attributes.get("name"), element.attributes.get("property"))
        ]
        assert len(found) == 1, f"{len(found)} times {name}"
        return found[0]

    @property
    def ids(self) -> set[str]:
        named = [
            element.attributes["id"] for element in self.elements if "id" in element.attributes
        ]
        assert len(set(named)) == len(named), "an id stands twice"
        return set(named)


def read_page(path: Path) -> Document:
    document = Document()
    document.feed(path.read_text("utf-8"))
    document.close()
    assert document.open == [], f"never closed in {path.name}"
    return document


@dataclass
class Workshop:
    """A gallery of its own for one test: manifest, tiles, and the site made from them."""

    manifest_path: Path
    tiles: Path
    runtime: Path
    out: Path
    site: Site = Site("Feature maps", "", "", "")  # noqa: RUF009 (frozen)

    @property
    def index(self) -> GalleryIndex:
        return read_index(self.tiles)

    @property
    def images(self) -> list[str]:
        return [image.id for image in self.index.images]

    def change_entry(self, image: str, **changes: object) -> ImageEntry:
        entry = replace(read_entry(self.tiles, image), **changes)
        artifacts.write(index_path(self.tiles / image), artifacts.encode(entry))
        return entry

    def change_index(self, **changes: object) -> None:
        artifacts.write(index_path(self.tiles), artifacts.encode(replace(self.index, **changes)))

    def change_tours(self, *tours: Tour) -> None:
        changed = replace(read_tours(self.tiles), tours=tours)
        artifacts.write(self.tiles / TOURS / TOURS_NAME, artifacts.encode(changed))

    def without_lessons(self) -> None:
        """Drop the tours and the mistakes, which speak of photos and layers that may be gone."""
        self.change_tours()
        kept = {name: key for name, key in self.index.parts.items() if name != MISTAKES}
        self.change_index(parts=kept)

    def change_manifest(self, change: Callable[[ModelManifest], ModelManifest]) -> None:
        """Change the manifest, and the index with it so that they still belong together."""
        changed = change(read_manifest(self.manifest_path))
        artifacts.write(self.manifest_path, artifacts.encode(changed))
        self.change_index(manifest_sha256=artifacts.sha256(self.manifest_path))

    @property
    def arguments(self) -> tuple[Site, list[Path], Path, Path, Path]:
        """What render() is told."""
        return self.site, [self.manifest_path], self.tiles.parent, self.runtime, self.out

    def render(self) -> int:
        """Render what the folders hold now; return how many pages there are."""
        index = self.index
        images = tuple(replace(one, sha256=self._content(one.id)) for one in index.images)
        self.change_index(images=images, parts={name: self._content(name) for name in index.parts})
        return render(*self.arguments).pages

    def _content(self, folder: str) -> str:
        paths = (path for path in (self.tiles / folder).rglob("*") if path.is_file())
        base = self.tiles / folder
        return key_of({p.relative_to(base).as_posix(): artifacts.sha256(p) for p in paths})


def copied(exported: Path, tiles: Path, runtime: Path, folder: Path) -> Workshop:
    """Return a copy of a gallery in `folder`, to be changed with artifacts.write only."""
    made = folder / "made"
    shutil.copytree(tiles, made / "tiles" / "resnet18", copy_function=link)
    manifest_path = made / "resnet18.json"
    shutil.copyfile(exported, manifest_path)
    if copy := read_manifest(exported).browser:
        link(exported.with_name(copy.file.name), made / copy.file.name)
    shutil.copytree(runtime, made / "vendor", copy_function=link)
    out = folder / "published" / "site"
    return Workshop(manifest_path, made / "tiles" / "resnet18", made / "vendor", out)


def link(source: str | Path, target: str | Path) -> None:
    """Copy a file for artifacts.write, which never writes into one: by a link where that works."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder`, hidden ones included; locks are as good as not there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def entries(folder: Path) -> list[str]:
    """Return the names of all that is in `folder`, locks left out."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")
