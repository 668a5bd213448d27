"""Work on a Ray cluster of several machines, which are processes here, some of which are lost."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from engine_work import Task, notes, work

from precompute.workers import AHEAD
from survey.engines import Local, choose
from survey.ray_engine import TRIES

ROOT = Path(__file__).parent.parent.parent
STORE = 80 * 2**20


class Machines:
    """A cluster whose head has no core, and each of whose other machines has one."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "object_store_memory": STORE,
                "include_dashboard": False,
                "_system_config": {"health_check_period_ms": 500},
            },
        )
        self.there = []

    def have(self, number):
        """Start machines until there are so many."""
        while len(self.there) < number:
            self.there.append(self.cluster.add_node(num_cpus=1, object_store_memory=STORE))

    def lose(self, machine):
        """End the machine with that id as a power cut does."""
        (node,) = [node for node in self.there if node.node_id == machine]
        self.there.remove(node)
        self.cluster.remove_node(node, allow_graceful=False)

    def engine(self, seconds=None, needs=()):
        return choose(f"ray:{self.cluster.address}", None, seconds, needs)


@pytest.fixture(scope="module")
def machines():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        machines = Machines()
        yield machines
        machines.cluster.shutdown()


@pytest.fixture
def three(machines):
    machines.have(3)
    return machines


def tasks_in(folder, number, seconds=0.0, **deeds):
    """Return tasks; `deeds` are what single ones do, as in crash=3."""
    of = {number: deed for deed, number in deeds.items()}
    return [Task(folder, one, of.get(one, ""), seconds) for one in range(number)]


def locally(tasks):
    return dict(Local(2, None).map(work, tasks))


def test_a_cluster_gives_what_this_machine_gives(three, tmp_path):
    tasks = tasks_in(tmp_path, 60, 0.02)
    most = 0
    found = {}
    for taken, (task, result) in enumerate(three.engine().map(work, tasks), start=1):
        found[task] = result
        time.sleep(0.03)
        most = max(most, len(notes(tmp_path)) - taken)
    assert len({note.machine for note in notes(tmp_path)}) == 3
    assert 0 < most <= AHEAD * 3, "results wait for the one who takes them"
    assert found == locally(tasks)


def test_a_lost_process_and_a_lost_machine_cost_nothing(three, tmp_path):
    tasks = tasks_in(tmp_path, 60, 0.1)
    running = three.engine().map(work, tasks)
    found = {}
    for taken, (task, result) in enumerate(running, start=1):
        found[task] = result
        if taken == 5:
            os.kill(notes(tmp_path)[-1].process, signal.SIGKILL)
        if taken == 15:
            three.lose(notes(tmp_path)[-1].machine)
    begun = Counter(note.number for note in notes(tmp_path))
    assert set(begun) == set(range(60))
    assert len(notes(tmp_path)) >= 62
    assert found == locally(tasks)


def test_machines_that_are_lost_do_not_count_against_a_task(machines, tmp_path):
    machines.have(1)
    running = machines.engine().map(work, [task := Task(tmp_path, 7, "wait")])
    import threading

    def lose():
        for number in range(1, TRIES + 2):
            while len(notes(tmp_path)) < number:
                time.sleep(0.05)
            machines.have(2)
            machines.lose(notes(tmp_path)[-1].machine)
        (tmp_path / "go on").touch()

    thread = threading.Thread(target=lose)
    thread.start()
    assert list(running) == [(task, work(task))]
    thread.join()
    assert len({note.machine for note in notes(tmp_path)}) >= TRIES + 1
