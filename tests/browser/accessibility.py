"""What axe-core finds against WCAG 2.2 at level AA, and against what it calls best practice."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL_OF_THEM = {
    "target-size",
    "color-contrast",
    "region",
    "skip-link",
    "label",
    "autocomplete-valid",
}
"""A rule of each kind, some of which axe leaves out unless its tag is named."""


def violations(page: Page) -> list[tuple[str, str]]:
    """Return the rule and the element of everything that is wrong with a page as it is now."""
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response
    kinds = ("violations", "passes", "incomplete", "inapplicable")
    ran = {rule["id"] for kind in kinds for rule in found[kind]}
    assert ran >= ALL_OF_THEM, "axe does not look for everything"
    return [
        (rule["id"], node["html"][:120]) for rule in found["violations"] for node in rule["nodes"]
    ]
