"""What a person gives to make arrives as it was given, and nothing of it is run."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TEXTS = (
    'it\'s $5, `id` & "more"',
    "$(shell touch made) ${HOME} $$ $HOME $(",
    "a\\b; touch made #1 | * ?",
    "Ω × 日本",
    "  two  spaces  ",
    "-n, --help",
)


def make(folder, *arguments, **given):
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "-s", "-f", ROOT / "Makefile", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**outside, **given}, capture_output=True, text=True
    )


@pytest.fixture
def probe(tmp_path):
    """A rule that hands a setting on in the way of all others."""
    (tmp_path / "site_template").mkdir()  # make asks what is in it
    path = tmp_path / "probe.mk"
    names = ("TITLE", "AUTHOR", "IMAGES", "WEIGHTS", "LAYERS", "REPOSITORY", "SITE_URL")
    words = " ".join(f"$(call quote,$({name}))" for name in names)
    path.write_text(f"probe:\n\t@printf '%s\\n' {words}\n")
    return lambda *settings, **given: make(tmp_path, "-f", path, "probe", *settings, **given)


@pytest.mark.parametrize("text", TEXTS)
def test_a_setting_arrives_as_it_was_given(probe, tmp_path, text):
    done = probe(f"TITLE={text}", f"IMAGES={text}", f"WEIGHTS={text}", AUTHOR=text, LAYERS=text)
    assert (done.returncode, done.stderr) == (0, "")
    title, author, images, weights, layers, *_ = done.stdout.split("\n")
    if text.startswith(" "):  # make strips what stands behind the equals sign
        title, images, weights = (f"  {given}" for given in (title, images, weights))
    assert [title, author, images, weights, layers] == [text] * 5
    assert {path.name for path in tmp_path.iterdir()} == {"probe.mk", "site_template"}


def test_what_is_not_given_is_as_the_makefile_says(probe):
    assert probe().stdout.split("\n")[:3] == ["Feature maps", "", "examples"]


def test_programs_of_an_environment_are_run_by_its_python():
    """A script's first line names its Python, and breaks where a folder is called "a b"."""
    scripts = [line for line in MAKEFILE.splitlines() if "/bin/" in line]
    binaries = ("/bin/python ", "/bin/ruff ")
    assert [line for line in scripts if not any(name in line for name in binaries)] == []
    venv = (ROOT / "scripts" / "venv").read_text("utf-8")
    assert '/bin/pip"' not in venv
