"""What is found where a person said that photos are."""

from dataclasses import dataclass, field

import artifacts
from survey.job import Item


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a photo, or of a folder; empty where nothing is."""

    label: str = ""
    """A class, in the words of who says it: a name, a WordNet id or a number."""
    author: str = ""
    licence: str = ""

    def over(self, other: "About") -> "About":
        """Return what this one says, and what `other` does where this one is silent."""
        return About(
            self.label or other.label, self.author or other.author, self.licence or other.licence
        )


NOTHING = About()


@dataclass
class Listing:
    """The photos that were found, by name."""

    items: dict[str, Item] = field(default_factory=dict)
    """Without labels."""
    about: dict[str, About] = field(default_factory=dict)
    """What stands beside photos in archives."""
    archives: dict[str, str] = field(default_factory=dict)
    """The name of each archive, by its path."""
    listed: bool = False
    """Whether files were named one by one, so that only the folder that each lies in counts."""
    faults: dict[str, str] = field(default_factory=dict)
    """By name, why what should be a photo cannot be used."""
    remarks: list[str] = field(default_factory=list)

    def add(self, item: Item) -> bool:
        """Take a photo in, unless there is one of its name; return whether there was none."""
        if item.name in self.items:
            self.faults[item.name] = "there are two of this name, of which the first is used"
            return False
        self.items[item.name] = item
        return True

    def folders(self, item: Item) -> list[str]:
        """Return the folders that a photo lies in, outermost first; in an archive, those there."""
        if item.offset is not None:
            inside = item.name.removeprefix(self.archives[item.path] + "/")
            return inside.split("/")[:-1]
        folders = item.name.split("/")[:-1]
        return folders[-1:] if self.listed else folders


def first_faults(faults: list[str]) -> str:
    """Return the first of `faults`, and how many more there are."""
    more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    return "; ".join(artifacts.escaped(fault) for fault in faults[:5]) + more
