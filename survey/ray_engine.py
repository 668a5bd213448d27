"""The engine `ray`: tasks on all machines of a Ray cluster, or on the cores of this one.

Any process and any machine may be lost on the way but this one, and the one that leads the cluster.
"""

import logging
import shutil
import signal
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Generic, TypeVar

from precompute.errors import one_line
from precompute.workers import AHEAD, ONE_THREAD, LostTaskError, available_cores, environment
from survey.errors import SurveyError

T = TypeVar("T")
R = TypeVar("R")

TRIES = 3
"""Processes that a task may end before it is given up. Machines that are lost do not count."""
MACHINES = 10
"""Machines that may be lost with a task before it is the task that is to blame."""
PATIENCE = 300.0
"""Seconds that a cluster may have no core at all, as one has that starts machines when asked."""
REACH = 5.0
"""Seconds in which an address has to answer."""
_TICK = 0.5
"""Seconds between looks at what takes too long."""
_STORE = 256_000_000
"""Bytes of memory for results that wait; what is more goes to the disk."""
_SILENCE = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to Ray's makers
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # what went wrong is raised, and told once
}
_ROOT = Path(__file__).parent.parent
_CODE = ("export", "precompute", "survey")
"""Packages that a task imports, which other machines get from this one."""


@dataclass(frozen=True)
class Ray:
    """See survey.engines.Engine."""

    address: str
    """`auto` or HOST:PORT; empty for a Ray that is started on this machine, and ended."""
    workers: int | None
    seconds: float | Callable[[Any], float] | None
    needs: tuple[Path, ...]

    def map(
        self, work: Callable[[T], R], tasks: Sequence[T]
    ) -> Generator[tuple[T, R | LostTaskError], None, None]:
        """See survey.engines.Engine."""
        if not tasks:
            return
        with environment(_SILENCE), self._connected() as ray:
            yield from _Run(ray, self, work, tasks).results()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Give Ray's module, connected; whatever was started for it is ended."""
        import ray  # takes a second, and reads the environment

        handler = signal.getsignal(signal.SIGTERM)
        with tempfile.TemporaryDirectory(
            prefix="ray",
            dir="/tmp",  # names of sockets have to be short
            ignore_cleanup_errors=True,
        ) as folder:
            options: dict[str, Any] = {"address": self.address}
            if not self.address:
                options = {
                    "address": "local",
                    "num_cpus": self.workers or available_cores(),
                    "object_store_memory": _STORE,
                    "include_dashboard": False,
                    "_temp_dir": folder,
                }
            code = copy_code(Path(folder, "code"))
            try:
                try:
                    ray.init(
                        **options,
                        runtime_env={"working_dir": str(code), "env_vars": ONE_THREAD},
                        log_to_driver=False,
                        logging_level=logging.CRITICAL,
                    )
                except (OSError, RuntimeError, ValueError) as error:
                    raise SurveyError(f"{self.name} cannot be used: {one_line(error)}") from None
                signal.signal(signal.SIGTERM, handler)  # Ray has put its own there
                yield ray
            finally:
                ray.shutdown()

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        if self.address == "auto":
            return "the Ray cluster of this machine"
        return f"the Ray cluster at {self.address}" if self.address else "Ray on this machine"

    def time_for(self, task: Any) -> float | None:
        """Return the seconds that a task may take."""
        return self.seconds(task) if callable(self.seconds) else self.seconds


def check_address(address: str) -> None:
    """Raise SurveyError where nothing answers at HOST:PORT."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise SurveyError(f"'{address}' is no address of a Ray cluster: give HOST:PORT, or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH).close()
    except (OSError, OverflowError) as error:
        raise SurveyError(f"no Ray cluster answers at {address}: {one_line(error)}") from None


def copy_code(folder: Path) -> Path:
    """Copy what tasks import into `folder`, and nothing else of what may lie beside it."""
    sources = [*_ROOT.glob("*.py"), *(p for name in _CODE for p in (_ROOT / name).rglob("*.py"))]
    for source in sources:
        target = folder / source.relative_to(_ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return folder


def _do(work: Callable[[T], R], task: T, needs: tuple[Path, ...]) -> Iterator[R | None]:
    """Yield None, on some machine, as a sign that the task is begun, and then its result."""
    yield None
    for path in needs:
        if not path.exists():
            raise SurveyError(
                f"the machine {socket.gethostname()} does not see {path}: model and photos have to "
                "lie where all machines of the cluster see them, under the same path"
            )
    yield work(task)


@dataclass
class _Try(Generic[T]):
    """A task on its way."""

    task: T
    ended: int = 0
    """Processes that ended while they worked on it."""
    lost: int = 0
    """Machines that did."""
    begun: float | None = None
    """When, if it is."""


class _Run(Generic[T, R]):
    """One call of Ray.map."""

    def __init__(self, ray: Any, engine: Ray, work: Callable[[T], R], tasks: Sequence[T]) -> None:
        self.ray, self.engine = ray, engine
        # Where Ray itself tries again, a machine that is lost counts against the task.
        remote = ray.remote(num_cpus=1, max_retries=0, num_returns="streaming")(_do)
        self.begin = partial(remote.remote, ray.put(work), needs=engine.needs)
        self.waiting = (_Try(task) for task in tasks)
        self.again: deque[_Try[T]] = deque()
        self.running: dict[Any, _Try[T]] = {}
        """By the stream of what a task yields."""
        self.looked = -_TICK
        self.cores = 0
        self.had_cores = monotonic()

    def results(self) -> Iterator[tuple[T, R | LostTaskError]]:
        """Yield each task with its result, or with why it has none."""
        while self._hand_out():
            for stream in self.ray.wait(list(self.running), timeout=_TICK)[0]:
                yield from self._step(stream)
            yield from self._late()

    def _hand_out(self) -> bool:
        """Begin as many tasks as there is room for; tell whether any are under way."""
        room = self._room()
        while len(self.running) < room and (attempt := self._next()):
            self.running[self.begin(attempt.task)] = attempt
        return bool(self.running)

    def _next(self) -> _Try[T] | None:
        return self.again.popleft() if self.again else next(self.waiting, None)

    def _room(self) -> int:
        """Return how many tasks may be under way, on machines that come and go.

        A cluster without a core gets some too: it may be one that starts machines when asked.
        """
        now = monotonic()
        if now - self.looked >= _TICK:
            self.looked = now
            self.cores = int(self.ray.cluster_resources().get("CPU", 0))
            if self.cores:
                self.had_cores = now
            elif now - self.had_cores > PATIENCE:
                raise SurveyError(f"{self.engine.name} has had no core for {PATIENCE:g} seconds")
        room = AHEAD * max(1, self.cores)
        # Here, Ray was told. Elsewhere no more may run than are under way.
        return min(room, self.engine.workers or room) if self.engine.address else room

    def _step(self, stream: Any) -> Iterator[tuple[T, R | LostTaskError]]:
        """Take what a task has yielded."""
        errors = self.ray.exceptions
        attempt = self.running[stream]
        try:
            found = self.ray.get(next(stream))
        except errors.RayTaskError as error:
            cause = error.cause or error
            raise (self._told(cause) if isinstance(cause, errors.RayError) else cause) from None
        except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
            del self.running[stream]
            attempt.ended += 1
            if attempt.ended < TRIES:
                self.again.append(_Try(attempt.task, attempt.ended, attempt.lost))
                return
            oom = isinstance(error, errors.OutOfMemoryError)
            why = ", the last for want of memory" if oom else ""
            yield attempt.task, LostTaskError(f"{TRIES} processes ended that worked on it{why}")
        except (errors.NodeDiedError, errors.ObjectLostError):
            del self.running[stream]
            if attempt.lost + 1 == MACHINES:
                yield attempt.task, LostTaskError(f"{MACHINES} machines ended that worked on it")
                return
            self.again.append(_Try(attempt.task, attempt.ended, attempt.lost + 1))
        except errors.RayError as error:
            raise self._told(error) from None
        else:
            if attempt.begun is None:
                attempt.begun = monotonic()
                return
            del self.running[stream]
            self._hand_out()
            yield attempt.task, found

    def _late(self) -> Iterator[tuple[T, LostTaskError]]:
        """End what takes too long."""
        now = monotonic()
        for stream, attempt in list(self.running.items()):
            limit = self.engine.time_for(attempt.task)
            if limit is None or attempt.begun is None or now - attempt.begun <= limit:
                continue
            if self.ray.wait([stream], timeout=0)[0]:
                continue  # done meanwhile
            self.ray.cancel(stream, force=True)
            del self.running[stream]
            yield attempt.task, LostTaskError(f"not done after {limit:g} seconds", late=True)

    def _told(self, error: BaseException) -> SurveyError:
        return SurveyError(f"{self.engine.name}: {one_line(error)}")
