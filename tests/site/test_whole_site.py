"""The site is what was rendered, to the last byte, or rendered anew; and no kill takes it away."""

import os
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from killing import kill, spread, writes
from website import entries, tree

import filesystem
from precompute.index import SHARED, index_path
from precompute.lessons import TOURS
from site_template import render as renderer
from site_template.pages import Site
from site_template.render import RenderError, render

ROOT = Path(__file__).parents[2]
TITLES = ("Old", "New")


@pytest.fixture
def small(workshop):
    """A gallery of one photo, which is quick to render, with the site made from it."""
    workshop.change_index(images=workshop.index.images[:1])
    workshop.without_lessons()
    workshop.render()
    return workshop


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return when and as which file everything was written, folders included."""
    paths = [path for path in folder.rglob("*") if path.suffix != ".lock"]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in paths}


# Damage


def own_copy(path):
    """Make a file, which may be a link to a tile, one that can be damaged alone."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)


def flip(site):
    path = site / "index.html"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(site):
    path = site / "static" / "gallery.css"
    path.write_bytes(path.read_bytes()[:-7])


def zero(site):
    path = next(site.glob("resnet18/data/*/conv1.png"))
    own_copy(path)
    path.write_bytes(bytes(path.stat().st_size))


def swap(site):
    one, other = site / "about.html", site / "index.html"
    one.rename(site / "third")
    other.rename(one)
    (site / "third").rename(other)


def remove(site):
    (site / "404.html").unlink()


def remove_a_folder(site):
    shutil.rmtree(site / "static")


def add(site):
    (site / "static" / "stray.js").touch()


def add_a_folder(site):
    (site / "empty").mkdir()


def link(site):
    path = site / "about.html"
    shutil.copy(path, site.with_name("elsewhere"))
    path.unlink()
    path.symlink_to(site.with_name("elsewhere"))


def lose_the_record(site):
    site.with_name(".site.json").unlink()


def damage_the_record(site):
    path = site.with_name(".site.json")
    path.write_bytes(path.read_bytes()[:-100])


def forge_the_record(site):
    flip(site)
    path = site.with_name(".site.json")
    path.write_bytes(path.read_bytes().replace(b'"index.html":"', b'"index.html":"0', 1))


def remove_the_site(site):
    shutil.rmtree(site)


@pytest.mark.parametrize(
    "damage",
    [
        flip,
        cut,
        zero,
        swap,
        remove,
        remove_a_folder,
        add,
        add_a_folder,
        link,
        lose_the_record,
        damage_the_record,
        forge_the_record,
        remove_the_site,
    ],
)
def test_a_damaged_site_is_made_again(small, damage):
    good, folders = tree(small.out), {path for path in small.out.rglob("*") if path.is_dir()}
    damage(small.out)
    made = render(*small.arguments)
    assert made.changed
    assert tree(small.out) == good
    assert {path for path in small.out.rglob("*") if path.is_dir()} == folders
    assert not any(path.is_symlink() for path in small.out.rglob("*"))


def test_a_flip_in_a_tile_that_the_site_shares_is_not_kept(small):
    """Tiles and site are one file by two names: a disk that flips a bit damages both."""
    name = f"{small.images[0]}/conv1.png"
    tile, shown = small.tiles / name, small.out / "resnet18" / "data" / name
    good = tile.read_bytes()
    own_copy(tile)
    shown.unlink()
    os.link(tile, shown)
    with tile.open("r+b") as file:
        file.write(b"\0")
    arguments = small.arguments
    with pytest.raises(
        RenderError, match=r"is not what .*index\.json describes: run make precompute$"
    ):
        render(*arguments)
    # As precompute mends it: another file, and an index with the same bytes.
    tile.unlink()
    tile.write_bytes(good)
    assert render(*arguments).changed
    assert shown.read_bytes() == good


def test_tiles_that_their_index_does_not_name_are_not_published(small):
    """As a run of precompute leaves them that is killed before it writes the index."""
    first = index_path(small.tiles / small.images[0])
    own_copy(first)
    first.write_bytes(first.read_bytes().replace(b'"title":"', b'"title":"New ', 1))
    before = tree(small.out)
    small.site = replace(small.site, title="New")
    with pytest.raises(RenderError, match="run make precompute"):
        render(*small.arguments)
    assert tree(small.out) == before


def test_a_second_run_touches_nothing_and_says_so(small):
    before = stamps(small.out.parent)
    arguments = small.arguments
    assert not render(*arguments).changed
    assert stamps(small.out.parent) == before
    assert render(replace(small.site, author="Ada"), *arguments[1:]).changed


def test_a_change_of_the_code_renders_anew(small, monkeypatch, tmp_path):
    copied = tmp_path / "site_template"
    shutil.copytree(ROOT / "site_template", copied)
    monkeypatch.setattr("site_template.render.HERE", copied)
    arguments = small.arguments
    assert not render(*arguments).changed, "where it lies does not count"
    for name in ("render.py", "templates/base.html", "static/gallery.css"):
        with (copied / name).open("a") as file:
            file.write("\n")
        assert render(*arguments).changed, name
    assert not render(*arguments).changed


def test_another_model_leaves_nothing_of_the_one_before(small):
    for name in ("resnet18/old.html", "resnet34/ash.html", "resnet34/data/index.json"):
        (small.out / name).parent.mkdir(parents=True, exist_ok=True)
        (small.out / name).write_text("of a model before")
    small.render()
    assert not (small.out / "resnet34").exists()
    assert not (small.out / "resnet18" / "old.html").exists()


def test_a_site_that_is_a_link_to_a_folder_stays_one(small, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    small.out.rename(elsewhere)
    small.out.symlink_to(elsewhere)
    small.site = replace(small.site, title="New")
    small.render()
    assert small.out.is_symlink()
    assert b"New" in (elsewhere / "index.html").read_bytes()
    assert entries(tmp_path)[:1] == [".elsewhere.json"]


# Kills


@pytest.mark.parametrize(
    ("exchanged", "moments"), [(True, 21), (False, 4)], ids=["exchange", "two renames"]
)
def test_a_render_that_is_killed_leaves_the_old_site_or_the_new_one(
    small, monkeypatch, exchanged, moments
):
    if not exchanged:
        monkeypatch.setattr(filesystem, "exchange", lambda *_: False)
    # Pages are rendered once, and of the tiles there are fewer: the writes are what this is about.
    (gallery,) = renderer._read(*small.arguments[:-1], surveys=None)
    made = [list(renderer._pages([replace(gallery, site=Site(t, "", "", ""))])) for t in TITLES]
    monkeypatch.setattr(renderer, "_pages", lambda g: iter(made[TITLES.index(g[0].site.title)]))
    small.change_index(parts={name: small.index.parts[name] for name in (SHARED, TOURS)})
    small.site = Site(TITLES[0], "", "", "")
    small.render()
    home, kept = small.out.parent, small.out.parent.with_name("kept")
    home.rename(kept)
    old = tree(kept)

    def again():
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(kept, home, copy_function=os.link)

    again()
    small.site = Site(TITLES[1], "", "", "")
    arguments = small.arguments
    kinds = writes(lambda: render(*arguments))
    new = tree(home)
    assert new["site/index.html"] != old["site/index.html"]
    sites = [{p: data for p, data in t.items() if p.startswith("site/")} for t in (old, new)]
    seen = set()
    for moment in spread(kinds, moments):
        again()
        kill(lambda: render(*arguments), moment)
        # Where two names cannot be exchanged, there is a moment with neither; the next run ends it.
        if exchanged or small.out.exists():
            found = {f"site/{p}": data for p, data in tree(small.out).items()}
            assert found in sites, f"killed before write {moment}, {kinds[moment]}"
            seen.add(sites.index(found))
        else:
            assert tree(small.out.with_name(".site.old")) == tree(kept / "site")
            seen.add("neither")
        render(*arguments)
        assert tree(home) == new, f"killed before write {moment}, {kinds[moment]}"
        assert entries(home) == [".site.json", "site"]
    assert seen == ({0, 1} if exchanged else {0, 1, "neither"})
    assert tree(kept) == old, "what is linked elsewhere was written into"


def test_a_site_between_two_renames_comes_back_where_the_next_run_fails(small):
    good = tree(small.out)
    small.out.rename(small.out.with_name(".site.old"))
    (small.tiles / "index.json").unlink()
    arguments = small.arguments
    with pytest.raises(Exception, match="run make precompute"):
        render(*arguments)
    assert tree(small.out) == good


# A system that refuses


def command(workshop, *more):
    line = [sys.executable, "-m", "site_template", "--manifest", workshop.manifest_path]
    line += ["--tiles", workshop.tiles.parent, "--runtime", workshop.runtime, "--out", workshop.out]
    line += ["--surveys", workshop.runtime.with_name("none")]
    return [str(part) for part in [*line, *more]]


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_file_that_cannot_be_written_is_named_and_the_old_site_stays(small):
    before = tree(small.out.parent)
    line = command(small, "--title", "New")
    done = subprocess.run(line, cwd=ROOT, preexec_fn=small_files, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(
        rf"site: \[Errno \d+\] File too large: '{small.out.parent}/\.site\.partial/\S+'\n",
        done.stderr,
    )
    assert tree(small.out.parent) == before
    assert entries(small.out.parent) == [".site.json", "site"]


def mounted(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount; skip the test where this system lets nobody."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        trial = [*unshare, "mount", "-t", "tmpfs", "none", "/tmp"]
        subprocess.run(trial, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    line = [*unshare, "sh", "-euc", script, "sh", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True)


def test_a_full_disk_is_told_and_leaves_the_old_site(small, tmp_path):
    size = sum(path.stat().st_size for path in small.out.rglob("*") if path.is_file())
    disk = tmp_path / "disk"
    disk.mkdir()
    small.out = disk / "site"
    script = """
        size=$1 disk=$2; shift 2
        mount -t tmpfs -o size=$size none "$disk"
        "$@"
        find "$disk" -type f -not -name "*.lock" -exec sha256sum {} + | sort > "$disk.before"
        code=0; "$@" --title New || code=$?
        find "$disk" -type f -not -name "*.lock" -exec sha256sum {} + | sort | diff "$disk.before" - >&2
        exit $code
    """
    done = mounted(script, size + size // 2, disk, *command(small))
    assert done.returncode == 1, done.stderr
    path = rf"(\S+' -> ')?{disk}/\.site\.partial/\S+"
    assert re.fullmatch(rf"site: \[Errno 28\] No space left on device: '{path}'\n", done.stderr)


def test_a_folder_that_cannot_be_written_is_told(small, tmp_path):
    file = tmp_path / "file"
    file.touch()
    small.out = file / "site"
    done = subprocess.run(command(small), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"site: [Errno 20] Not a directory: '{file}'\n"


def test_a_read_only_disk_is_told_and_leaves_the_old_site(small):
    before = tree(small.out.parent)
    script = 'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; shift; exec "$@" --title New'
    done = mounted(script, small.out.parent, *command(small))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("site: [Errno 30] Read-only file system: ")
    assert "Traceback" not in done.stderr
    assert tree(small.out.parent) == before
