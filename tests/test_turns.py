"""Builds of one folder come one after the other, whoever dies, and the one that waits knows for whom."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

import turns

ROOT = Path(__file__).parent.parent
HOLDER = """
import sys
from pathlib import Path
import turns
with turns.held(*map(Path, sys.argv[2:]), write=Path(sys.argv[1]), say=lambda s: print(s, flush=True)):
    print("held", flush=True)
    sys.stdin.read()
"""


class Build:
    """A process that holds folders until it is let go, and says what it waits for."""

    def __init__(self, *folders: Path) -> None:
        line = [sys.executable, "-c", HOLDER, *map(str, folders)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(line, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate()


@pytest.fixture
def build():
    started = []

    def start(*folders):
        started.append(Build(*folders))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


@pytest.mark.parametrize("how", ["end", signal.SIGTERM, signal.SIGKILL])
def test_the_second_build_says_whom_it_waits_for_and_goes_on(tmp_path, build, how):
    first = build(tmp_path / "site")
    assert first.line() == "held"
    second = build(tmp_path / "site")
    said = second.line()
    assert re.fullmatch(
        rf"waiting for process {first.process.pid} on {re.escape(socket.gethostname())} "
        rf"since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{{4}}: \S*python\S* -c .*",
        said,
    )
    if how == "end":
        first.end()
    else:
        first.process.send_signal(how)
    assert second.line() == "held"


def test_what_is_read_is_held_too(tmp_path, build):
    tiles, site = tmp_path / "tiles", tmp_path / "site"
    tiles.mkdir()
    reader = build(site, tiles)
    assert reader.line() == "held"
    writer = build(tiles)
    assert writer.line().startswith(f"waiting for process {reader.process.pid} ")
    reader.end()
    assert writer.line() == "held"


def test_builds_of_other_folders_do_not_wait(tmp_path, build):
    assert build(tmp_path / "one").line() == "held"
    assert build(tmp_path / "other").line() == "held"


def test_a_lock_file_that_a_dead_build_left_means_nothing(tmp_path, build):
    turns.lock_path(tmp_path / "site").write_text("process 1 on another host")
    assert build(tmp_path / "site").line() == "held"
    assert str(os.getpid()) not in turns.lock_path(tmp_path / "site").read_text()


def test_locks_are_taken_in_one_order_whatever_the_stage(tmp_path, monkeypatch):
    taken = []
    monkeypatch.setattr(turns, "_acquire", lambda lock, path, say: taken.append(path.name))
    monkeypatch.setattr(filelock.FileLock, "release", lambda self: None)
    a, b, c = (tmp_path / name for name in "abc")
    for folder in (a, b, c):
        folder.mkdir()
    for read, write in [((a, b), c), ((c, b), a), ((b, a, b), b / ".." / "c")]:
        taken.clear()
        with turns.held(*read, write=write, say=pytest.fail):
            pass
        assert taken == sorted({f".{f.resolve().name}.lock" for f in (*read, write)})


def test_one_folder_by_two_names_is_held_once(tmp_path):
    (tmp_path / "tiles").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "tiles")
    with turns.held(tmp_path / "link", write=tmp_path / "tiles", say=pytest.fail):
        pass
    assert [path.name for path in tmp_path.glob(".*")] == [".tiles.lock"]


@pytest.mark.parametrize("fault", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_there_are_no_locks_one_line_is_said_and_the_build_goes_on(
    tmp_path, monkeypatch, fault
):
    def refuse(*_):
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr("fcntl.flock", refuse)
    said, went_on = [], []
    with turns.held(write=tmp_path / "site", say=said.append):
        went_on.append(True)
    path = tmp_path / ".site.lock"
    assert said == [f"{path} cannot be locked ({os.strerror(fault)}): see that no other build runs"]
    assert went_on


def test_what_is_not_there_gets_no_lock(tmp_path):
    with turns.held(tmp_path / "typo", write=tmp_path / "new" / "site", say=pytest.fail):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".site.lock", "new"]


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=f"Not a directory: '{tmp_path}/file'"):
        turns.held(write=tmp_path / "file" / "site", say=pytest.fail).__enter__()


def test_environments_are_made_one_at_a_time(tmp_path):
    (tmp_path / "locks").mkdir()
    made = "test -e made && echo again || echo first; read line; touch made"
    line = [sys.executable, ROOT / "scripts" / "alone.py", "sh", "-c", made]
    pipe = subprocess.PIPE
    options = {"cwd": tmp_path, "stdin": pipe, "stdout": pipe, "stderr": pipe, "text": True}
    with subprocess.Popen(line, **options) as first:
        assert first.stdout.readline() == "first\n"
        with subprocess.Popen(line, **options) as second:
            assert second.stderr.readline().startswith("another build makes an environment")
            first.communicate("go on\n")
            assert second.communicate("go on\n") == ("again\n", "")
        assert (first.returncode, second.returncode) == (0, 0)
