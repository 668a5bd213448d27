"""Work on many photos or layers at once, one per process, each process with one thread."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, TimeoutError, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from precompute.errors import PrecomputeError

T = TypeVar("T")
R = TypeVar("R")

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class LostTaskError(PrecomputeError):
    """The process that worked on a task crashed, was killed, or took too long."""

    def __init__(self, message: str, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


def available_cores() -> int:
    """Return how many cores this process may use, which can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel(
    work: Callable[[T], R],
    tasks: Sequence[T],
    workers: int,
    start: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
    seconds: float | None = None,
    lost: Callable[[LostTaskError], R] | None = None,
) -> Iterator[tuple[T, R]]:
    """Yield each task with its result, as they are done. `start` prepares each process.

    Linear algebra gets one thread per process: sums then come out the same whatever the number of
    workers. An exception in `work` ends the iteration and cancels what has not begun. A process
    that crashes, is killed or works for longer than `seconds` on a task is replaced by another one,
    and the task has the result `lost`; without that, LostTaskError is raised.
    """
    if not tasks:
        return
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)  # read by new processes when they load NumPy
    pool = ProcessPool(
        max_workers=min(workers, len(tasks)),
        initializer=start,
        initargs=arguments,
        context=get_context("spawn"),
    )
    try:
        futures: dict[Future[R], T] = {
            pool.schedule(work, [task], timeout=seconds): task for task in tasks
        }
        for future in as_completed(futures):
            task = futures.pop(future)
            try:
                result = future.result()
            except TimeoutError:
                error = LostTaskError(f"not done after {seconds:g} seconds", late=True)
            except ProcessExpired as expired:
                error = LostTaskError(f"its process {_end(expired.exitcode)}")
            except BrokenProcessPool:
                raise PrecomputeError(
                    "worker processes do not start or are killed at once, most likely for want of "
                    "memory: try fewer of them with make site WORKERS=1"
                ) from None
            else:
                yield task, result
                continue
            if lost is None:
                raise error
            yield task, lost(error)
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _end(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
