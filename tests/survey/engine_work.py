"""What engines are given to do in tests: in a module that other processes can import."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from precompute.workers import LostTaskError

HANGING = 120
"""Seconds for which something hangs."""


@dataclass(frozen=True)
class Task:
    """What to do, and where to note it."""

    folder: Path
    number: int
    deed: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Note:
    """Who has begun a task."""

    number: int
    process: int
    machine: str
    """Ray's id of it."""


def work(task: Task) -> bytes:
    """Note who works on the task, and do it."""
    machine = "here"
    if "ray" in sys.modules:
        machine = sys.modules["ray"].get_runtime_context().get_node_id()
    name = f"{task.number} {os.getpid()} {machine} {time.monotonic_ns()}"
    Path(task.folder, name).touch(exist_ok=False)
    time.sleep(task.seconds)
    match task.deed:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
            time.sleep(HANGING)
        case "raises":
            raise LostTaskError("two arguments", late=True)
        case "wait":
            end = time.monotonic() + 30
            while not Path(task.folder, "go on").exists():
                time.sleep(0.05)
                assert time.monotonic() < end, "nobody said so"
        case "large":
            return bytes(10_000_000)
        case "tell":
            import survey

            threads = os.environ["OMP_NUM_THREADS"] + os.environ["OPENBLAS_NUM_THREADS"]
            return f"{threads} {survey.__file__}".encode()
    return str(task.number**2).encode() * 1000


def notes(folder: Path) -> list[Note]:
    """Return what was noted, in order."""
    words = [path.name.split() for path in folder.iterdir() if path.name != "go on"]
    words.sort(key=lambda one: int(one[3]))
    return [Note(int(number), int(process), machine) for number, process, machine, _ in words]
