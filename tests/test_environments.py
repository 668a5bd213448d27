"""The same photos give the same bytes, wherever and by whomever they are built."""

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from small_gallery import cut_down, draw

ROOT = Path(__file__).parent.parent
NAMES = [
    "ash.png",
    "B 2.PNG",
    "İstanbul-ışık.png",
    "I.png",
    "e\u0301.png",
    "日本.png",
    "it's $5 #1.png",
]
NOT_UTF8 = b"caf\xe9.png"
DESCRIPTION = """[[photo]]
file = "日本.png"
title = "Japan × 2"
author = "Ada Łovelace"
"""

# Whatever order a file system has, another one has another.
BACKWARDS = """
import os
_listdir, _scandir = os.listdir, os.scandir

class Backwards:
    def __init__(self, *where):
        self.inner = _scandir(*where)
        self.entries = iter(list(self.inner)[::-1])
    def __iter__(self):
        return self
    def __next__(self):
        return next(self.entries)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.inner.close()
    close = __exit__

os.scandir = Backwards
os.listdir = lambda *where: _listdir(*where)[::-1]
"""


@dataclass(frozen=True)
class Place:
    """Where a gallery is built."""

    folder: str
    environment: dict[str, str]
    umask: int
    workers: int
    relative: bool = False
    backwards: bool = False
    redirect: str = "</dev/null"
    photos_at: float = 1e9
    """When the photos were last changed."""


USUAL = Place("usual", {"LC_ALL": "C.UTF-8", "HOME": "/tmp", "TZ": "UTC"}, 0o022, 1)
STRANGE = Place(
    'Ω it\'s $HOME `x` & "y"',
    {
        "LC_ALL": "POSIX",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONHASHSEED": "7",
        "TZ": "Pacific/Kiritimati",
    },
    0o077,
    2,
    relative=True,
    backwards=True,
    redirect="<&-",
    photos_at=2e9,
)
ELSEWHERE = Place(
    "a b",
    {
        "LC_ALL": "tr_TR.UTF-8",  # where it is installed, i and I are not one letter
        "PYTHONHASHSEED": "8",
        "HOME": "/proc/none",
        "TERM": "dumb",
        "TZ": "Asia/Kathmandu",
        "OMP_NUM_THREADS": "2",
        "COLUMNS": "20",
    },
    0o002,
    3,
    redirect="<&- >&-",
)


@dataclass
class Made:
    """What a build in one place gave."""

    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Path to SHA-256 and mode; a folder's SHA-256 is empty."""
    said: list[subprocess.CompletedProcess[bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def model(exported, tmp_path_factory):
    return cut_down(exported, tmp_path_factory.mktemp("model"), {"conv1", "layer4.1.relu_1", "fc"})


def names_here(folder):
    """Return the names that this file system can hold: some want UTF-8."""
    try:
        path = Path(folder, os.fsdecode(NOT_UTF8))
        path.touch()
        path.unlink()
    except OSError:
        return NAMES
    return [*NAMES, os.fsdecode(NOT_UTF8)]


def command(stage, *arguments, redirect):
    """Return a command line whose streams the shell closes: subprocess cannot."""
    return ["sh", "-c", f'exec "$@" {redirect}', "sh", sys.executable, "-m", stage, *arguments]


def build(place, model, home):
    """Build a gallery of the same photos in `place`; return what is there then."""
    folder = home / place.folder
    photos = folder / "photos ü"
    photos.mkdir(parents=True)
    folder.chmod(0o755)
    names = names_here(folder)
    for seed, name in sorted(enumerate(names), reverse=place.backwards):
        draw(home / "drawn.png", seed)
        shutil.copyfile(home / "drawn.png", photos / name)
        os.utime(photos / name, (place.photos_at, place.photos_at))
    (photos / "examples.toml").write_text(DESCRIPTION, encoding="utf-8")
    shutil.copytree(model.parent, folder / "model")
    python_path = [str(ROOT)]
    if place.backwards:
        (home / "backwards").mkdir()
        (home / "backwards" / "sitecustomize.py").write_text(BACKWARDS, encoding="utf-8")
        python_path.insert(0, str(home / "backwards"))

    def at(*parts):
        path = Path(*parts) if place.relative else folder.joinpath(*parts)
        return os.fspath(path)

    manifest = at("model", model.name)
    stages = [
        ["precompute", "--manifest", manifest, "--images", at("photos ü"), "--out", at("tiles")]
        + ["--workers", str(place.workers), "--provider", "cpu"],
        ["site_template", "--manifest", manifest, "--tiles", at("tiles")]
        + ["--out", at("site"), "--runtime", at("none"), "--title", "Maps × 2"]
        + ["--surveys", at("none")],
    ]
    made = Made()
    for stage in stages:
        done = subprocess.run(
            command(*stage, redirect=place.redirect),
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(python_path),
                **place.environment,
            },
            umask=place.umask,
            capture_output=True,
        )
        made.said.append(done)
    for part in ("tiles", "site"):
        for path in sorted((folder / part).rglob("*")):
            found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            mode = stat.filemode(path.stat().st_mode)
            made.files[path.relative_to(folder).as_posix()] = (found, mode)
    return made


@pytest.fixture(scope="module")
def usual(model, tmp_path_factory):
    return build(USUAL, model, tmp_path_factory.mktemp("at"))


@pytest.fixture(scope="module", params=[STRANGE, ELSEWHERE], ids=["strange", "elsewhere"])
def other(request, model, tmp_path_factory):
    return build(request.param, model, tmp_path_factory.mktemp("at"))


def complaints(made):
    return [done.stderr.decode() for done in made.said if done.returncode]


def test_a_gallery_is_made_where_everything_is_usual(usual):
    assert complaints(usual) == []
    assert "site/index.html" in usual.files
    assert len([name for name in usual.files if name.endswith("/_photo.jpg")]) >= 2 * len(NAMES)


def test_a_gallery_is_made_anywhere_else(other):
    assert complaints(other) == []
    assert [done.stderr.decode() for done in other.said if b"Traceback" in done.stderr] == []


def test_the_same_photos_have_the_same_names(usual, other):
    assert sorted(other.files) == sorted(usual.files)


def test_the_same_photos_give_the_same_bytes(usual, other):
    different = [
        name
        for name in usual.files.keys() & other.files.keys()
        if usual.files[name][0] != other.files[name][0]
    ]
    assert sorted(different) == []


def test_everybody_may_read_what_is_published(usual, other):
    for made in (usual, other):
        published = {name: mode for name, (_, mode) in made.files.items() if name[:5] == "site/"}
        assert published
        wrong = [f"{mode} {n}" for n, mode in published.items() if mode not in MODES[mode[0]]]
        assert sorted(wrong) == []


MODES = {"-": "-rw-r--r--", "d": "drwxr-xr-x"}


@pytest.mark.parametrize("stage", ["precompute", "site_template"])
def test_what_an_ascii_terminal_cannot_show_is_escaped(stage):
    wrong = ["--images", "Ω×"] if stage == "precompute" else ["--title", "Ω", "--url", "Ω×"]
    done = subprocess.run(
        [sys.executable, "-m", stage, "--manifest", "Ω.json", *wrong],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **STRANGE.environment},
        capture_output=True,
    )
    assert done.returncode == 1
    assert b"\\u" in done.stderr or b"\\x" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_what_is_said_reaches_an_ascii_terminal():
    program = "import terminal; raise SystemExit(terminal.run(lambda: print('\\xd7 \\u65e5') or 0))"
    environment = {"PATH": os.environ["PATH"], **STRANGE.environment}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)
    assert (done.stdout, done.stderr, done.returncode) == (b"\\xd7 \\u65e5\n", b"", 0)


SPEAKING = """
import sys, terminal
def main():
    print("done", file=sys.stdout)
    print("why", file=sys.stderr)
    return 0
sys.exit(terminal.run(main))
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("redirect", "told"),
    [
        (">/dev/full", f"why\ncannot write what there is to say: {os.strerror(errno.ENOSPC)}\n"),
        (">/dev/full 2>/dev/full", ""),
        ("2>/dev/full", ""),
        ("| true", "why\n"),
    ],
)
def test_output_that_nobody_can_take_is_a_failure_without_a_traceback(redirect, told):
    line = f'"$@" {redirect}'
    if "|" in redirect:  # who has closed the pipe before anything is said
        line = f"{{ sleep 1; {line.partition('|')[0]}; echo $? >&3; }} 3>&2 | true; exit 1"
        told += "1\n"
    done = subprocess.run(
        ["sh", "-c", line, "sh", sys.executable, "-c", SPEAKING],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, told)


def test_who_interrupts_a_command_gets_no_traceback():
    program = """
import terminal
def main():
    raise KeyboardInterrupt
raise SystemExit(terminal.run(main))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert (done.returncode, done.stderr) == (130, b"")
