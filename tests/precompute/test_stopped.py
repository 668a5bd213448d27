"""Whatever ends a build of tiles, no process is left working, nothing half-written, and no traceback."""

import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from small_gallery import draw
from website import tree

ROOT = Path(__file__).parents[2]
PATIENCE = 120
"""Seconds after which something hangs."""
LEAVES = 8
"""Photos to compute."""


def command(gallery, workers=2):
    settings = gallery.settings
    line = [sys.executable, "-m", "precompute", "--manifest", gallery.manifest]
    line += ["--images", settings.photos, "--out", settings.tiles, "--workers", workers]
    return [str(part) for part in line]


def wait_until(true, what):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def running(group):
    """Return how many processes of this group there are; those that ended do not count."""
    alive = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        alive += int(of_group) == group and state != "Z"
    return alive


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are listed in /proc")
@pytest.mark.parametrize("how", ["Ctrl-C", "Ctrl-C at once", "SIGTERM", "SIGKILL"])
def test_a_build_that_is_ended_leaves_no_process_and_says_little(gallery, how):
    before = (gallery.folder / "index.json").read_bytes()
    for seed in range(LEAVES):
        draw(gallery.photos / f"leaf-{seed}.jpg", 70 + seed)
    build = subprocess.Popen(
        command(gallery),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal sends Ctrl-C to all of them
        # Shells have what they start in the background ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    done = gallery.folder / "_records"
    if how == "Ctrl-C at once":  # this one, one that multiprocessing needs, and both workers
        wait_until(lambda: running(build.pid) >= 4, "no worker begins")
    else:
        wait_until(lambda: any(done.glob("leaf-*")), "no photo is computed")
    if how.startswith("Ctrl-C"):
        os.killpg(build.pid, signal.SIGINT)
    else:
        build.send_signal(signal.SIGTERM if how == "SIGTERM" else signal.SIGKILL)
    out, said = build.communicate(timeout=PATIENCE)
    assert build.returncode == {"SIGTERM": 143, "SIGKILL": -9}.get(how, 130), said
    wait_until(lambda: not running(build.pid), "a worker goes on")
    assert "Traceback" not in said
    assert out == ""
    assert (gallery.folder / "index.json").read_bytes() == before
    if how == "SIGKILL":
        assert gallery.build(workers=2).computed < LEAVES, "what is done, counts"
    assert [path.name for path in gallery.folder.rglob(".*")] == []


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))


def test_a_file_that_cannot_be_written_is_named_and_the_index_stays(gallery):
    changed = next(gallery.photos.glob("ash.*"))
    draw(changed, seed=83)
    before = gallery.files()
    done = subprocess.run(
        command(gallery, 1), cwd=ROOT, preexec_fn=small_files, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"precompute: [Errno 27] File too large: '{gallery.folder}/.")
    assert "Traceback" not in done.stderr
    assert gallery.files() == before
    assert gallery.build().computed == 1


def test_two_builds_at_once_end_as_one(gallery, tmp_path):
    draw(gallery.photos / "leaf.jpg", seed=84)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    both = [subprocess.Popen(command(gallery, 1), **pipes) for _ in range(2)]
    said = [build.communicate(timeout=PATIENCE)[0] for build in both]
    assert [build.returncode for build in both] == [0, 0]
    assert sorted(re.findall(r"\d+ computed", "".join(said))) == ["0 computed", "1 computed"]
    clean = replace(gallery, settings=replace(gallery.settings, tiles=tmp_path / "clean"))
    clean.build(workers=2)
    assert gallery.files() == clean.files()


def test_a_killed_make_site_leaves_the_old_site_and_the_next_one_ends_well(gallery, tmp_path):
    def stages(tiles: Path, site: Path) -> str:
        """Return what make site runs after the export."""
        made = replace(gallery, settings=replace(gallery.settings, tiles=tiles))
        render = [sys.executable, "-m", "site_template", "--manifest", gallery.manifest]
        render += ["--tiles", tiles, "--runtime", tmp_path / "none", "--out", site]
        render += ["--surveys", tmp_path / "none"]
        return f"{shlex.join(command(made))} && {shlex.join(map(str, render))}"

    def make(line: str) -> None:
        done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    ours, clean = (
        stages(gallery.settings.tiles, tmp_path / "site"),
        stages(tmp_path / "clean" / "tiles", tmp_path / "clean" / "site"),
    )
    make(ours)
    old = tree(tmp_path / "site")
    draw(gallery.photos / "leaf.jpg", seed=85)
    next(gallery.photos.glob("birch.*")).unlink()
    build = subprocess.Popen(
        ["sh", "-c", ours], cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE
    )
    records = gallery.folder / "_records"
    wait_until(lambda: any(records.glob("leaf*")), "no photo is computed")
    os.killpg(build.pid, signal.SIGKILL)
    build.communicate(timeout=PATIENCE)
    assert tree(tmp_path / "site") == old
    make(ours)
    make(clean)
    assert tree(tmp_path / "site") == tree(tmp_path / "clean" / "site") != old
    assert tree(gallery.settings.tiles) == tree(tmp_path / "clean" / "tiles")
    hidden = {path.name for path in tmp_path.glob(".*")}
    assert hidden == {".site.json", ".site.lock", ".tiles.lock"}
