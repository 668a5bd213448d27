"""Work on many photos or layers at once, one per process, each process with one thread."""

import os
import signal
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, TimeoutError, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context, parent_process, resource_tracker
from threading import Thread
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from precompute.errors import PrecomputeError

T = TypeVar("T")
R = TypeVar("R")

_PROCESS = 400_000_000
"""Bytes that a process takes besides its model: programs, a photo, its activations."""
_COPIES = 3
"""Of a model while onnxruntime opens it: the file, what is parsed of it, and its weights."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Variables that a process's linear algebra reads when it is loaded."""
AHEAD = 2
"""Tasks per process that are begun, wait for it, or are done and not yet taken."""


class LostTaskError(PrecomputeError):
    """The process that worked on a task crashed, was killed, or took too long."""

    def __init__(self, message: str, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


def available_cores() -> int:
    """Return how many cores this process may use, which can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def affordable(workers: int, model: int) -> int:
    """Return how many of `workers` processes, each with a model of so many bytes, may run at once:
    together they shall take half of the machine's memory.
    """
    each = _PROCESS + _COPIES * model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(workers, memory // 2 // each))


def parallel(
    work: Callable[[T], R],
    tasks: Sequence[T],
    workers: int,
    start: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
    seconds: float | Callable[[T], float] | None = None,
    lost: Callable[[LostTaskError], R] | None = None,
) -> Generator[tuple[T, R], None, None]:
    """Yield each task with its result, as they are done. `start` prepares each process. All
    processes have ended when the generator has, or is closed.

    Linear algebra gets one thread per process: sums then come out the same whatever the number of
    workers. An exception in `work` ends the iteration and cancels what has not begun. A process
    that crashes, is killed or works for longer than `seconds` on a task, which can differ from task
    to task, is replaced by another one, and the task has the result `lost`; without that,
    LostTaskError is raised.
    """
    if not tasks:
        return

    def time_for(task: T) -> float | None:
        return seconds(task) if callable(seconds) else seconds

    pool = ProcessPool(
        max_workers=min(workers, len(tasks)),
        initializer=_begin,
        initargs=(start, arguments),
        context=get_context("spawn"),
    )
    waiting = iter(tasks)
    futures: dict[Future[R], T] = {}

    def hand_out(number: int) -> None:
        with _interrupts_held_back():
            for task in islice(waiting, number):
                try:
                    futures[pool.schedule(work, [task], timeout=time_for(task))] = task
                except (RuntimeError, BrokenProcessPool):  # pebble's words for it
                    raise _nobody_works() from None

    with environment(ONE_THREAD), _ended(pool):  # read by new processes when they load NumPy
        hand_out(AHEAD * workers)
        while futures:
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                task = futures.pop(future)
                try:
                    hand_out(1)
                    result = future.result()
                except TimeoutError:
                    error = LostTaskError(f"not done after {time_for(task):g} seconds", late=True)
                except ProcessExpired as expired:
                    error = LostTaskError(f"its process {_end(expired.exitcode)}")
                except BrokenProcessPool:
                    raise _nobody_works() from None
                else:
                    yield task, result
                    continue
                if lost is None:
                    raise error
                yield task, lost(error)


def _nobody_works() -> PrecomputeError:
    return PrecomputeError(
        "worker processes do not start or are killed at once, most likely for want of memory: try "
        "fewer of them with WORKERS=1"
    )


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables that new processes inherit; what they were before comes back."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _ended(pool: ProcessPool) -> Iterator[None]:
    try:
        yield
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def _end(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, as a terminal sends it to all: this one ends them.

    The threads that start others in the place of lost ones inherit it.
    """
    resource_tracker.ensure_running()  # its start lets signals through again, up to Python 3.11
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(start: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Prepare a process, which does not outlive the one that started it, however that one ends."""
    Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
