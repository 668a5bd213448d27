"""One build at a time: who reads or writes a folder of the build waits until it is his turn."""

import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from errno import ENOTDIR
from pathlib import Path

from filelock import FileLock, Timeout

import artifacts


def lock_path(folder: Path) -> Path:
    """Return the lock file of `folder`, which lies beside it: what is in it may be published."""
    folder = folder.resolve()
    return folder.with_name(f".{folder.name}.lock")


@contextmanager
def held(*read: Path, write: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Keep other builds from the folders `read` and `write`, which need not exist yet.

    Where another build holds one of them, `say` is told by whom, and this one waits. The system
    frees a lock when its owner ends, however it ends; the file stays and means nothing. Every build
    takes its locks in the order of their names, so that no two wait for each other. A folder that
    cannot be locked is used all the same, and `say` is told.
    """
    try:
        write.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), error.filename) from None
    folders = [folder for folder in read if folder.is_dir()]
    with ExitStack() as locks:
        for path in sorted({lock_path(folder) for folder in [*folders, write]}):
            lock = FileLock(
                path, fallback_to_soft=False, preserve_lock_file=True, on_acquired=_sign
            )
            try:
                _acquire(lock, path, say)
            except OSError as error:
                say(f"{path} cannot be locked ({error.strerror}): see that no other build runs")
            else:
                locks.callback(lock.release)
        yield


def _acquire(lock: FileLock, path: Path, say: Callable[[str], None]) -> None:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        say(f"waiting for {_owner(path)}")
        lock.acquire()


def _sign(lock: int) -> None:
    """Write into the file with the descriptor `lock` who holds it now."""
    command = artifacts.printable(shlex.join(sys.orig_argv))
    now = time.strftime("%Y-%m-%d %H:%M:%S %z")
    owner = f"process {os.getpid()} on {socket.gethostname()} since {now}: {command}\n"
    os.ftruncate(lock, 0)
    os.pwrite(lock, owner.encode(), 0)


def _owner(path: Path) -> str:
    return path.read_text("utf-8", "replace").strip() or "another build"
