"""The models of a site: where the pages of each lie, and which page of one is which of another."""

from collections.abc import Sequence
from dataclasses import dataclass

from export.manifest import ModelManifest
from site_template.pages import Card

MODELS = "models"
"""Folder of the pages about models after the first, each in a folder of its own."""
SIDE_BY_SIDE = "compare"
"""Folder of the pages that show photos in several models."""


@dataclass(frozen=True)
class Model:
    """A model of the site, as the pages of all models show it."""

    manifest: ModelManifest
    home: str
    """Folder of its pages that are about no single photo, relative to the site, with a final slash;
    empty for the first model, whose pages are those of the site."""
    pages: frozenset[str]
    """Paths of all pages that others can lead to, relative to the site."""
    cards: Sequence[Card]
    """Of its photos, in display order."""

    @property
    def id(self) -> str:
        return self.manifest.model

    @property
    def front(self) -> str:
        """Path of its front page."""
        return f"{self.home}index.html"

    @property
    def judged(self) -> list[Card]:
        """The photos whose true class is known."""
        return [card for card in self.cards if card.correct is not None]


@dataclass(frozen=True)
class Choice:
    """A model in the picker of a page."""

    model: str
    path: str
    """Relative to the site."""
    current: bool
    same_photo: bool
    """Whether the path is that of the photo of this page."""


def home_of(model: str, first: bool) -> str:
    """Return Model.home."""
    return "" if first else f"{MODELS}/{model}/"


def choices(path: str, current: Model | None, models: Sequence[Model]) -> list[Choice]:
    """Return what the page at `path`, one of the model `current`, offers in its picker."""
    if len(models) < 2:
        return []
    found = [(model, counterpart(path, current, model)) for model in models]
    return [
        Choice(model.id, there, model is current, there.startswith(f"{model.id}/"))
        for model, there in found
    ]


def counterpart(path: str, this: Model | None, other: Model) -> str:
    """Return the page of `other` that shows what `path` shows of the model `this`.

    It is the front page where `other` has no such page. `this` is None for a page of all models.
    """
    folders = [(f"{SIDE_BY_SIDE}/", f"{other.id}/")]
    if this:
        folders = [(this.home, other.home), (f"{this.id}/", f"{other.id}/")]
    for here, there in folders:
        if path.startswith(here) and (same := there + path.removeprefix(here)) in other.pages:
            return same
    return other.front


def shared_photos(models: Sequence[Model]) -> dict[str, list[Model]]:
    """Return the models that have each photo, in the order of the first model that has it."""
    found: dict[str, list[Model]] = {}
    for model in models:
        for card in model.cards:
            found.setdefault(card.id, []).append(model)
    return found


def compare_path(image: str) -> str:
    """Return the path of the page that shows a photo in several models."""
    return f"{SIDE_BY_SIDE}/{image}.html"
