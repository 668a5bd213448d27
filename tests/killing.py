"""End a piece of work with SIGKILL at a chosen one of its writes: what is on the disk then, stays."""

import os
import signal
import sys
from collections.abc import Callable
from itertools import pairwise

import filesystem

WRITES = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "exchange"}
SECONDS = 120
"""After which something hangs."""


def writes(work: Callable[[], object]) -> list[str]:
    """Do `work` in a process of its own; return what it wrote, in order, by kind of write."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        found: list[str] = []
        _in_child(work, found.append, lambda: os.write(writer, " ".join(found).encode()))
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    assert os.waitpid(child, 0)[1] == 0, "the work failed"
    return told.split()


def kill(work: Callable[[], object], moment: int) -> None:
    """Do `work` in a process of its own, killed before write number `moment`, counted from 0."""
    if (child := os.fork()) == 0:
        found: list[str] = []

        def count(what: str) -> None:
            if len(found) == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            found.append(what)

        _in_child(work, count, lambda: None)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status), f"ended by itself before write {moment}: {status}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def _in_child(
    work: Callable[[], object], written: Callable[[str], object], done: Callable[[], object]
) -> None:
    """Do `work` and end this process, whatever happens; `written` is told before every write."""
    signal.alarm(SECONDS)
    exchange = filesystem.exchange

    def audited(*paths: object) -> bool:
        sys.audit("exchange")
        return exchange(*paths)  # type: ignore[arg-type]

    filesystem.exchange = audited

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            flags = arguments[2]
            writing = isinstance(flags, int) and flags & os.O_ACCMODE != os.O_RDONLY
        else:
            writing = event in WRITES
        if writing:
            written(event)

    sys.addaudithook(hook)
    status = 1
    try:
        work()
        done()
        status = 0
    finally:
        os._exit(status)


def spread(kinds: list[str], number: int) -> list[int]:
    """Return `number` moments over all of the writes `kinds`, and those about every swap of folders.

    A swap is an exchange, or two renames one after the other.
    """
    last = len(kinds) - 1
    moments = {round(step * last / (number - 1)) for step in range(number)}
    for moment, (kind, following) in enumerate(pairwise(kinds)):
        if "exchange" in (kind, following) or kind == following == "os.rename":
            moments |= {moment, moment + 1}
    return sorted(moments)
