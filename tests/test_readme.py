"""Everything that the README says to type exists, and its example runs."""

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from small_survey import a_survey

from precompute.limits import DEFAULT, readable

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"^([A-Z_]+) \?=", MAKEFILE, re.MULTILINE))


def make_commands():
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    inline = re.findall(r"`(make [^`]+)`", README)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    return [shlex.split(command) for command in (*lines, *inline)]


def test_every_command_is_a_target_with_known_settings():
    unknown = []
    for program, *words in make_commands():
        assert program == "make"
        for word in words:
            name, is_setting, _ = word.partition("=")
            if name not in (VARIABLES if is_setting else TARGETS):
                unknown.append(word)
    assert unknown == []


def test_every_target_and_setting_is_in_the_readme():
    public = {name for name in TARGETS if re.search(rf"^{name}:.*## ", MAKEFILE, re.MULTILINE)}
    assert {name for name in public if f"make {name}" not in README} == set()
    # PYTHON and PORT explain themselves.
    assert {name for name in VARIABLES - {"PYTHON", "PORT"} if name not in README} == set()


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md"])
def test_every_file_that_it_links_to_exists(name):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_example_reads_a_layer(tiles):
    programs = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (code,) = (program for program in programs if "read_layer" in program)
    image = next(path.name for path in sorted(tiles.iterdir()) if not path.name.startswith("_"))
    code = code.replace("build/tiles/resnet18", str(tiles)).replace('"panda"', repr(image))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(128, 28, 28) ")


def test_the_example_opens_the_table_of_a_survey(tmp_path):
    (code,) = (p for p in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "polars" in p)
    small = a_survey(tmp_path, 12)
    command = ["survey", "--manifest", small.manifest, "--photos", tmp_path / "photos"]
    subprocess.run(
        [sys.executable, "-m", *command, "--out", tmp_path / "survey"], cwd=ROOT, check=True
    )
    code = code.replace("build/survey/resnet18", str(tmp_path / "survey" / "tiny"))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "separation" in done.stdout


@pytest.mark.parametrize(
    "stage", ["precompute", "site_template", "site_template.vendor", "survey", "survey.diff"]
)
def test_every_stage_explains_itself(stage):
    command = [sys.executable, "-m", stage, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert textwrap.dedent(done.stdout).startswith(f"usage: python -m {stage}")


def test_make_help_lists_every_documented_target():
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "help"], cwd=ROOT, env=outside, capture_output=True, text=True)
    listed = {line.split("\t")[0] for line in done.stdout.splitlines()}
    assert listed == set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


def test_the_limits_are_in_the_readme():
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", README, re.M))
    assert rows == {name: readable(most) for name, most in vars(DEFAULT).items()}
