"""What is installed is what was pinned: versions and hashes of everything, addresses of nothing."""

import base64
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# torch.txt has no hashes: which of many builds is wanted depends on the machine. What it needs
# besides stands in export.txt, with hashes.
WITHOUT_HASHES = {"torch.txt"}
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
NPM_LOCKS = [ROOT / name / "package-lock.json" for name in ("site_template/vendor", "benchmarks")]

PIN = r"[a-z0-9][a-z0-9._-]*==[^\s;,*]+( ; [^\\]+)?"
HASHES = r"( \\\n    --hash=sha256:[0-9a-f]{64})+"


def by_name(path):
    return path.name


def entries(lock):
    """Return the requirements of a lock, each with the lines that it goes on over."""
    lines = [line for line in lock.read_text("utf-8").split("\n") if not line.startswith("#")]
    text = "\n".join(lines).strip("\n")
    return re.split(r"(?<!\\)\n", text)


def test_every_lock_is_looked_at():
    tracked = subprocess.run(
        ["git", "ls-files", "*package-lock.json", "*requirements*", "locks/*.txt"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if tracked.returncode == 0:
        looked_at = {path.relative_to(ROOT).as_posix() for path in [*LOCKS, *NPM_LOCKS]}
        assert set(tracked.stdout.split()) <= looked_at
    assert {lock.stem for lock in LOCKS} == {
        path.stem for path in (ROOT / "locks").glob("*.in")
    } | {"torch"}


@pytest.mark.parametrize("lock", LOCKS, ids=by_name)
def test_every_python_package_is_pinned_with_its_hashes(lock):
    pattern = PIN if lock.name in WITHOUT_HASHES else PIN + HASHES
    found = entries(lock)
    assert len(found) >= 2
    assert [entry for entry in found if not re.fullmatch(pattern, entry)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=by_name)
def test_a_lock_holds_what_was_asked_for(lock):
    wanted = lock.with_suffix(".in")
    if not wanted.exists():
        return
    pins = {entry.split(" ")[0] for entry in entries(lock)}
    asked = re.findall(r"^[A-Za-z0-9._-]+==[^\s;]+", wanted.read_text("utf-8"), re.MULTILINE)
    assert set(asked) - pins == set()


def test_locks_that_are_installed_together_agree():
    """pip would refuse others only when both are there already."""
    for together in (
        ("gallery", "onnxruntime", "ray", "survey", "test"),
        ("export", "test-export"),
    ):
        versions = {}
        for name in together:
            for entry in entries(ROOT / "locks" / f"{name}.txt"):
                pin, _, marker = entry.split(" \\")[0].partition(" ; ")
                package, _, version = pin.partition("==")
                versions.setdefault((package, marker), set()).add(version)
        assert {key: found for key, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("lock", [*LOCKS, *(ROOT / "locks").glob("*.in")], ids=by_name)
def test_no_lock_names_a_place_to_fetch_from(lock):
    text = lock.read_text("utf-8")
    assert (
        re.findall(r"://|@ |--(?:extra-)?index-url|--find-links|--trusted-host|^-i|^-f", text) == []
    )


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda path: path.parent.name)
def test_every_package_from_npm_has_its_hash_and_comes_from_npm(lock):
    content = json.loads(lock.read_text("utf-8"))
    assert content["lockfileVersion"] == 3
    packages = {path: package for path, package in content["packages"].items() if path}
    assert packages
    faults = []
    for path, package in packages.items():
        kind, _, digest = package.get("integrity", "").partition("-")
        whole = kind == "sha512" and len(base64.b64decode(digest, validate=True)) == 64
        # Without an address, npm asks the registry that it is set up for.
        from_npm = package.get("resolved", "https://registry.npmjs.org/").startswith(
            "https://registry.npmjs.org/"
        )
        if not (whole and from_npm) or package.get("link") or package.get("inBundle"):
            faults.append(path)
    assert faults == []


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda path: path.parent.name)
def test_what_is_wanted_from_npm_is_pinned(lock):
    wanted = json.loads((lock.parent / "package.json").read_text("utf-8"))["dependencies"]
    assert wanted == json.loads(lock.read_text("utf-8"))["packages"][""]["dependencies"]
    assert [v for v in wanted.values() if not re.fullmatch(r"\d+\.\d+\.\d+", v)] == []


def installs():
    """Return every line of ours that makes pip or npm install something."""
    sources = [
        ROOT / "Makefile",
        ROOT / "scripts" / "venv",
        *ROOT.glob("site_template/vendor/*.py"),
    ]
    lines = [line for path in sources for line in path.read_text("utf-8").splitlines()]
    return [line for line in lines if re.search(r"\bpip\"? install\b|\"ci\"|\bci --", line)]


def test_nothing_is_installed_but_what_is_pinned():
    pip = [line for line in installs() if "pip" in line]
    npm = [line for line in installs() if "pip" not in line]
    loose = [line for line in pip if "--require-hashes" not in line]
    assert len(pip) == 4
    assert len(loose) == 1
    assert "locks/torch.txt" in loose[0]
    assert len(npm) == 2
    vendor = (ROOT / "site_template" / "vendor" / "fetch.py").read_text("utf-8")
    assert [line for line in npm if "--ignore-scripts" not in line and "_OPTIONS" not in line] == []
    assert '_OPTIONS = ("--ignore-scripts",' in vendor
