"""Find the category that somebody means, whatever the case and the punctuation."""

from collections.abc import Sequence


class Categories:
    """The categories of a model, found by name: as they are spelled, or else by their letters and
    digits alone. ImageNet has a dog called Cardigan and a garment called cardigan.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._exact: dict[str, list[int]] = {}
        self._alike: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            self._exact.setdefault(name, []).append(position)
            self._alike.setdefault(letters(name), []).append(position)

    def positions(self, name: str) -> list[int]:
        """Return the positions of all categories that `name` can mean."""
        alike = self._alike.get(letters(name), []) if letters(name) else []
        return self._exact.get(name, alike)

    def name(self, name: str) -> str | None:
        """Return the first category that `name` can mean, as the model spells it."""
        found = self.positions(name)
        return self.names[found[0]] if found else None


def letters(name: str) -> str:
    """Return the letters and digits of `name` without their case."""
    return "".join(character for character in name.casefold() if character.isalnum())
