"""python -m benchmarks.pages: the built site in a browser, as fast and as well made as it is.

Times are of this machine. Runs in the gallery's own environment, which has Playwright.
"""

import argparse
import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.explorer import explorer_report
from benchmarks.first_visit import first_visit_report
from benchmarks.lighthouse import lighthouse_report
from benchmarks.own_photo import own_photo_report
from benchmarks.server import serving
from precompute.index import RESERVED

OWN_PHOTO = "your-photo.html"


def main() -> int:
    """Measure the site and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--site", type=Path, default="build/site", help="(build/site)")
    parser.add_argument("--lighthouse", type=Path, help="its program, cli/index.js; else left out")
    options = parser.parse_args()
    chromium = os.environ["CHROMIUM"]
    every = sorted(path.name for path in (options.site / "resnet18").glob("*.html"))
    photos = [name for name in every if name.removesuffix(".html") not in RESERVED]
    with serving(options.site) as address:
        pages = [f"{address}resnet18/{name}" for name in photos]
        kinds = {"home": f"{address}index.html", "photo": pages[0]}
        own_photo = f"{address}resnet18/{OWN_PHOTO}"
        if OWN_PHOTO in every:
            kinds["own photo"] = own_photo
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for line in explorer_report(browser, pages):
                print(line, flush=True)
            if OWN_PHOTO in every:
                for line in own_photo_report(browser, own_photo):
                    print(line, flush=True)
            for line in first_visit_report(browser, kinds):
                print(line, flush=True)
            browser.close()
        if options.lighthouse:
            for line in lighthouse_report(options.lighthouse, chromium, kinds):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
