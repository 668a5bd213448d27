"""A process that crashes, hangs or is killed costs its own task, and never the pool."""

import signal
import time

import pytest

from precompute.errors import PrecomputeError
from precompute.workers import AHEAD, LostTaskError, parallel

GOOD = [str(number) for number in range(8)]
CRASH = "__import__('ctypes').string_at(0)"
KILLED = "__import__('os').kill(__import__('os').getpid(), 9)"
EXIT = "__import__('os')._exit(3)"
HANG = "__import__('time').sleep(600)"
DEAF = "[__import__('signal').signal(15, lambda *_: None), __import__('time').sleep(600)]"
FAULTS = {
    CRASH: f"its process was killed by {signal.SIGSEGV.name}",
    KILLED: f"its process was killed by {signal.SIGKILL.name}",
    EXIT: "its process ended with exit code 3",
    HANG: "not done after 3 seconds",
    DEAF: "not done after 3 seconds",
}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_lost_process_costs_its_own_task_alone(workers):
    tasks = [word for pair in zip(GOOD, [*FAULTS, *FAULTS], strict=False) for word in pair] + ["9"]
    tasks = list(dict.fromkeys(tasks))
    found = dict(parallel(eval, tasks, workers, seconds=3, lost=str))
    assert found == {t: FAULTS[t] if t in FAULTS else int(t) for t in tasks}
    assert set(FAULTS) < set(tasks)


def test_a_lost_process_is_an_error_where_nothing_is_said():
    with pytest.raises(LostTaskError, match="killed by SIGKILL"):
        list(parallel(eval, [*GOOD, KILLED], 2))


def test_an_exception_ends_the_iteration():
    with pytest.raises(ZeroDivisionError):
        list(parallel(eval, ["1", "1/0", HANG], 2))


@pytest.mark.parametrize("tasks", [1, 100])
def test_processes_that_do_not_start_are_told(tasks):
    with pytest.raises(PrecomputeError, match=r"^worker processes do not start or are killed at"):
        list(parallel(eval, ["1"] * tasks, 2, start=exec, arguments=("import os; os._exit(1)",)))


def test_no_more_is_begun_than_is_taken(tmp_path):
    """Results of ten million photos do not wait in memory for the one that merges them."""
    tasks = [f"open({str(tmp_path / str(number))!r}, 'x').close()" for number in range(40)]
    for taken, _ in enumerate(parallel(eval, tasks, 2), start=1):
        time.sleep(0.05)
        begun = sum(1 for _ in tmp_path.iterdir())
        assert begun <= taken + 2 * AHEAD
    assert (taken, begun) == (40, 40)
