"""Engines: where the tasks of a survey run. One is this machine, others are for many."""

import importlib.util
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from precompute.workers import LostTaskError, available_cores, parallel
from survey.errors import SurveyError
from survey.ray_engine import Ray, check_address

T = TypeVar("T")
R = TypeVar("R")

ENGINES = {
    "local": "processes on this machine",
    "ray": "Ray on this machine",
    "ray:auto": "the Ray cluster that this machine belongs to",
    "ray:HOST:PORT": "the Ray cluster at that address",
}
"""What `choose` takes, and what it stands for."""

TimeLimit = float | Callable[[Any], float] | None
"""Seconds for a task, or what tells them of a task; None for as long as it takes."""


class Engine(Protocol):
    """Does work on many tasks at once."""

    def map(
        self, work: Callable[[T], R], tasks: Sequence[T]
    ) -> Generator[tuple[T, R | LostTaskError], None, None]:
        """Yield each task with its result, or with why it has none, as they are done.

        Results wait for the one who takes them: no more is begun than is taken. `work` is pickled,
        and so are tasks and results. An exception in `work` is raised here. Whatever runs, ends
        when the generator does, or is closed.
        """
        ...


@dataclass(frozen=True)
class Local:
    """Processes on this machine. A process that crashes or hangs loses its task."""

    workers: int
    seconds: TimeLimit

    def map(
        self, work: Callable[[T], R], tasks: Sequence[T]
    ) -> Generator[tuple[T, R | LostTaskError], None, None]:
        """See Engine."""

        def lost(error: LostTaskError) -> R | LostTaskError:
            return error

        return parallel(work, tasks, self.workers, seconds=self.seconds, lost=lost)


def choose(
    text: str, workers: int | None, seconds: TimeLimit, needs: Sequence[Path] = ()
) -> Engine:
    """Return the engine that `text` names, one of ENGINES.

    `workers` is how many tasks run at once at most: None for as many as there are cores. `needs`
    are the files and folders that tasks read: every machine has to see them under the same path.
    Raises SurveyError where there is no such engine, or none that can be reached.
    """
    name, colon, address = text.partition(":")
    if text == "local":
        return Local(workers or available_cores(), seconds)
    if name != "ray" or (colon and not address):
        known = "; ".join(f"{engine} ({what})" for engine, what in ENGINES.items())
        raise SurveyError(f"unknown engine '{text}': there are {known}")
    if importlib.util.find_spec("ray") is None:
        raise SurveyError("Ray is not installed here: run make survey ENGINE=ray, which does that")
    if address:
        check_address(address)
    return Ray(address, workers, seconds, tuple(path.resolve() for path in needs))
