"""A gallery whose every text wants to be more than a text."""

from dataclasses import replace

from website import Workshop

import artifacts
from precompute.index import Skipped
from precompute.lessons import read_mistakes, read_tours
from site_template.pages import Site

TEXT = (
    "<script>pwned=alert(1)</script>\"><img src=x onerror=pwned=alert(2)> ' onload='pwned=1'"
    "</title></textarea></style></svg>]]>--> {{ 7*7 }} {% raw %} {# x ${7*7} `x` &lt;b&gt; %s %(x)s 100%"
    ' javascript:alert(3) ..\\..\\ ../../ %2e%2e%2f "); } * { display: none } /* \\22'
)
"""Visible from its first letter to its last."""
UNSEEN = "\0\x1b\x7f\x85\u2028\u2029\u202e\u2066\u200f"
"""Control characters, ends of lines, and what turns the order of the text around it."""
HALVES = "\ud800\udcff"
"""Halves of characters, as non-UTF-8 arguments of a command have them; JSON holds none."""


def fill(workshop: Workshop, text: str, given: str) -> None:
    """Put `text` into everything that people wrote, and `given` into the options of the site."""
    for image in workshop.images:
        entry = workshop.change_entry(
            image, title=text, author=text, licence=text, modified=text, note=text,
            source=f"https://example.org/{text}", true_class=text,
        )  # fmt: skip
        answers = tuple(replace(answer, name=text) for answer in entry.answers)
        workshop.change_entry(image, answers=answers)
    workshop.change_index(skipped=(Skipped(text, text),), provider=text, producers={text: text})
    workshop.change_manifest(
        lambda manifest: replace(
            manifest,
            categories=(text,) * len(manifest.categories),
            producers={text: text},
            layers=tuple(replace(layer, title=text) for layer in manifest.layers),
            weights=replace(
                manifest.weights,
                name=text,
                source=text,
                licence=text,
                note=text,
                trained_on=text,
                stem_history=text,
                knows=(text,),
                accuracy=tuple(replace(one, photos=text) for one in manifest.weights.accuracy),
            ),
        )
    )
    named = [
        replace(tour, stops=tuple(_named(stop, text) for stop in tour.stops))
        for tour in read_tours(workshop.tiles).tours
    ]
    workshop.change_tours(*named)
    found = read_mistakes(workshop.tiles)
    tried = tuple(
        replace(one, answers=tuple(replace(answer, name=text) for answer in one.answers))
        for one in found.preparations
    )
    content = artifacts.encode(replace(found, preparations=tried))
    artifacts.write(workshop.tiles / "_mistakes" / "index.json", content)
    workshop.site = Site(given, given, "https://example.org/code", "https://example.org/maps/")


def _named(stop, text):
    """Return a stop with `text` where it names a class; layers and directions are words of ours."""
    return replace(
        stop, names={**stop.names, **({"answer": text} if "answer" in stop.names else {})}
    )
