"""python -m site_template: render the gallery as a static website."""

import argparse
import re
import sys
from pathlib import Path

import artifacts
import terminal
import turns
from site_template.budget import folder_size
from site_template.pages import Site
from site_template.render import RenderError, render
from sizes import size_argument

# Letters that need no escaping in a page, a policy or a link; no query and no fragment.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~%+@/-]*)?")

PAGES_LIMIT = "1GB"
"""What a site on GitHub Pages may have, by its documentation."""


def main(arguments: list[str] | None = None) -> int:
    """Render the site with command line `arguments`; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m site_template",
        description="Render a static website from the manifests of one or several models and their "
        "tiles. The result needs no server of its own: any web server, or GitHub Pages, can hand it "
        "out.",
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        nargs="+",
        default=[Path("build/model/resnet18.json")],
        help="manifests of the models; the first is the main one, whose pages are those that the "
        "site begins with (build/model/resnet18.json)",
    )
    parser.add_argument(
        "--tiles",
        type=Path,
        default=Path("build/tiles"),
        help="folder of tiles, in which each model has a folder (build/tiles)",
    )
    parser.add_argument(
        "--runtime",
        type=Path,
        default=Path("build/vendor"),
        help="folder of what runs the model in a browser; where there is none, the site has no page "
        "for visitors' own photos (build/vendor)",
    )
    parser.add_argument(
        "--surveys",
        type=Path,
        default=Path("build/survey"),
        help="folder of surveys; a model that has none there is shown without (build/survey)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/site"), help="folder of the site (build/site)"
    )
    parser.add_argument("--title", default="Feature maps", help="the site's title")
    parser.add_argument("--author", default="", help="who made it")
    parser.add_argument("--repository", default="", help="URL of its source")
    parser.add_argument(
        "--url", default="", help="address it will have; needed for previews and the 404 page"
    )
    parser.add_argument(
        "--max-site-size",
        type=size_argument,
        default=PAGES_LIMIT,
        help="the most that the site may have, such as 500MB, 1.5GB or none (1GB, which is what "
        "GitHub Pages takes)",
    )
    options = parser.parse_args(arguments)
    faults = [
        f"invalid --{name} '{value}': expected an address such as https://example.org/maps/"
        for name, value in (("repository", options.repository), ("url", options.url))
        if value and not _ADDRESS.fullmatch(value)
    ]
    url = options.url.rstrip("/") + "/" if options.url else ""
    # Where the locale has no code for a letter, an argument is no text yet.
    title, author = (artifacts.printable(given) for given in (options.title, options.author))
    site = Site(title, author, options.repository, url)
    try:
        if faults:
            raise RenderError("; ".join(faults))
        read = {path.parent for path in options.manifest}
        read |= {options.tiles, options.runtime, options.surveys}
        with turns.held(*read, write=options.out, say=_say):
            made = render(
                site,
                options.manifest,
                options.tiles,
                options.runtime,
                options.out,
                options.max_site_size,
                options.surveys,
            )
    except (RenderError, artifacts.ArtifactError, OSError) as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    size = folder_size(options.out)
    unchanged = "" if made.changed else "nothing changed: "
    print(f"site: {unchanged}{made.pages} pages, {size / 1e6:.0f} MB in {options.out}")
    return 0


def _say(what: str) -> None:
    print(f"site: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
