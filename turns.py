"""One build at a time: who reads or writes a folder of the build waits until it is his turn."""

import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

import artifacts


def lock_path(folder: Path) -> Path:
    """Return the lock file of `folder`, which lies beside it: what is in it may be published."""
    folder = folder.resolve()
    return folder.with_name(f".{folder.name}.lock")


@contextmanager
def held(*folders: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Keep other builds from `folders`; where one of them is held, `say` by whom, and wait.

    The system frees a lock when its owner ends, however it ends; the file stays and means nothing.
    Every build takes its locks in the order of their names, so that no two wait for each other.
    A folder that cannot be locked is used all the same, and `say` is told.
    """
    with ExitStack() as locks:
        for path in sorted({lock_path(folder) for folder in folders}):
            if not path.parent.is_dir():
                continue  # nothing to read; who writes makes it first
            lock = FileLock(
                path, fallback_to_soft=False, preserve_lock_file=True, on_acquired=_sign
            )
            try:
                try:
                    lock.acquire(blocking=False)
                except Timeout:
                    say(f"waits for {_owner(path)}, which holds {path}")
                    lock.acquire()
            except OSError as error:
                say(
                    f"{path} cannot be locked ({error.strerror}): make sure that no other build runs"
                )
                continue
            locks.callback(lock.release)
        yield


def _sign(lock: int) -> None:
    """Write into the file with the descriptor `lock` who holds it now."""
    command = artifacts.printable(shlex.join(sys.orig_argv))
    now = time.strftime("%Y-%m-%d %H:%M:%S %z")
    owner = f"process {os.getpid()} on {socket.gethostname()} since {now}: {command}\n"
    os.ftruncate(lock, 0)
    os.pwrite(lock, owner.encode(), 0)


def _owner(path: Path) -> str:
    return path.read_text("utf-8", "replace").strip() or "another build"
