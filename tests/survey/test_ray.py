"""Work on a Ray cluster of several machines, which are processes here, some of which are lost."""

import importlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from engine_work import HANGING, Task, notes, work
from small_survey import a_survey

import survey.ray_engine
from precompute.workers import AHEAD, LostTaskError
from survey.engines import Local, choose
from survey.errors import SurveyError
from survey.ray_engine import TRIES, copy_code

ROOT = Path(__file__).parent.parent.parent
STORE = 80 * 2**20


class Machines:
    """A cluster whose head has no core, and each of whose other machines has one."""

    def __init__(self, folder) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "object_store_memory": STORE,
                "include_dashboard": False,
                "temp_dir": folder,
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
    with (
        pytest.MonkeyPatch.context() as patch,
        TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder,
    ):
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        # Where Ray writes down which cluster this machine belongs to: not over what stands there.
        patch.setenv("RAY_TMPDIR", folder)
        Path(folder, "ray").mkdir()
        machines = Machines(folder)
        yield machines
        machines.cluster.shutdown()


@pytest.fixture
def three(machines):
    machines.have(3)
    return machines


def tasks_in(folder, number, seconds=0.0, **deeds):
    """Return tasks; `deeds` are what some of them do, as in crash=(3, 5)."""
    of = {number: deed for deed, numbers in deeds.items() for number in numbers}
    return [Task(folder, one, of.get(one, ""), seconds) for one in range(number)]


def locally(tasks):
    return dict(Local(2, None).map(work, tasks))


def test_a_cluster_gives_what_this_machine_gives(three, tmp_path):
    tasks = tasks_in(tmp_path, 60, 0.02)
    running = three.engine(needs=[tmp_path]).map(work, tasks)
    most = 0
    found = {}
    for taken, (task, result) in enumerate(running, start=1):
        found[task] = result
        time.sleep(0.03)
        most = max(most, len(notes(tmp_path)) - taken)
    assert len({note.machine for note in notes(tmp_path)}) > 1
    assert 0 < most <= AHEAD * len(three.there), "results wait for the one who takes them"
    assert found == locally(tasks)


def begun(folder, number, times=1):
    """Wait until a task was begun so many times; return who did it last."""
    end = time.monotonic() + 30
    while len(found := [note for note in notes(folder) if note.number == number]) < times:
        time.sleep(0.02)
        assert time.monotonic() < end
    return found[-1]


@contextmanager
def meanwhile(deed):
    """Do something while the block runs."""
    with ThreadPoolExecutor(1) as elsewhere:
        done = elsewhere.submit(deed)
        try:
            yield
        finally:
            done.result()


def test_a_lost_process_and_a_lost_machine_cost_nothing(three, tmp_path):
    tasks = tasks_in(tmp_path, 60, 0.05, wait=(5, 20))

    def lose():
        os.kill(begun(tmp_path, 5).process, signal.SIGKILL)
        begun(tmp_path, 5, 2)
        three.lose(begun(tmp_path, 20).machine)
        begun(tmp_path, 20, 2)
        (tmp_path / "go on").touch()

    with meanwhile(lose):
        found = dict(three.engine().map(work, tasks))
    assert found == locally(tasks)


def test_a_machine_that_is_lost_does_not_count_against_a_task(three, tmp_path, monkeypatch):
    monkeypatch.setattr(survey.ray_engine, "TRIES", 1)
    task = Task(tmp_path, 7, "wait")

    def lose():
        three.lose(begun(tmp_path, 7).machine)
        three.lose(begun(tmp_path, 7, 2).machine)
        begun(tmp_path, 7, 3)
        (tmp_path / "go on").touch()

    with meanwhile(lose):
        assert dict(three.engine().map(work, [task])) == locally([task])


def test_a_result_that_is_lost_with_its_machine_is_computed_again(three, tmp_path):
    """It is too large to be sent along, so that it lies there until it is taken."""
    tasks = tasks_in(tmp_path, 4, large=(2, 3))
    found = {}
    for task, result in (running := three.engine().map(work, tasks)):
        found[task] = result
        if len(found) == 1:
            lost = begun(tmp_path, 3).machine
            time.sleep(1)  # done by now
            three.lose(lost)
    running.close()
    assert found == locally(tasks)


def test_a_task_that_ends_its_process_each_time_is_given_up(three, tmp_path):
    tasks = tasks_in(tmp_path, 12, crash=(3,))
    found = dict(three.engine().map(work, tasks))
    lost = found.pop(tasks[3])
    assert type(lost) is LostTaskError
    assert str(lost) == "3 processes ended that worked on it"
    assert not lost.late
    assert [note.number for note in notes(tmp_path)].count(3) == TRIES == 3
    del tasks[3]
    assert found == locally(tasks)


def test_tasks_that_hang_are_cut_off(three, tmp_path):
    """There are as many as machines: the others are done only if these make room."""
    tasks = tasks_in(tmp_path, 12, hang=(1, 2, 3))
    began = time.monotonic()
    found = dict(three.engine(lambda task: task.number if task.deed else 60).map(work, tasks))
    assert time.monotonic() - began < HANGING / 2
    lost = [found.pop(task) for task in tasks[1:4]]
    assert [str(error) for error in lost] == [f"not done after {n} seconds" for n in (1, 2, 3)]
    assert {(type(error), error.late) for error in lost} == {(LostTaskError, True)}
    del tasks[1:4]
    assert found == locally(tasks)
    hanging = [note.process for note in notes(tmp_path) if note.number in (1, 2, 3)]
    assert len(hanging) == 3
    assert gone(hanging)


def test_an_exception_in_the_work_arrives_as_itself(three, tmp_path):
    with pytest.raises(LostTaskError, match=r"^two arguments$") as error:
        list(three.engine().map(work, tasks_in(tmp_path, 20, raises=(3,))))
    assert type(error.value) is LostTaskError
    assert error.value.late
    assert error.value.__cause__ is None


def test_what_a_machine_does_not_see_is_told(three, tmp_path):
    missing = tmp_path / "model.json"
    expected = f"the machine {socket.gethostname()} does not see {missing}: model and photos"
    with pytest.raises(SurveyError, match=f"^{re.escape(expected)}"):
        list(three.engine(needs=[tmp_path, missing]).map(work, tasks_in(tmp_path, 2)))


def test_work_that_a_machine_cannot_import_is_told_in_one_line(three, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "only_here.py").write_text("def work(task): return task")
    with pytest.raises(
        SurveyError, match=r"^the Ray cluster at .*No module named 'only_here'"
    ) as e:
        list(three.engine().map(importlib.import_module("only_here").work, [1]))
    assert "\n" not in str(e.value)


def test_other_machines_get_the_code_and_nothing_else(three, tmp_path):
    """Nor do they need any of it: the folder that this machine has may hold millions of photos."""
    folder = copy_code(tmp_path / "code")
    copied = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in copied} == {".py"}
    assert {path.relative_to(folder).parts[0] for path in copied} >= {"survey", "artifacts.py"}
    assert not {"tests", "build", "site_template"} & {path.name for path in folder.iterdir()}
    assert sum(path.stat().st_size for path in copied) < 1_000_000
    (result,) = dict(three.engine().map(work, [Task(tmp_path, 0, "tell")])).values()
    threads, place = result.decode().split(" ", 1)
    assert threads == "11"
    assert "working_dir_files" in place


def test_a_cluster_without_any_core_is_waited_for_and_then_told(machines, tmp_path, monkeypatch):
    machines.have(1)
    tasks = tasks_in(tmp_path, 4, wait=(0,))
    monkeypatch.setattr(survey.ray_engine, "PATIENCE", 1.0)
    while len(machines.there) > 1:
        machines.lose(machines.there[-1].node_id)
    with (
        meanwhile(lambda: machines.lose(begun(tmp_path, 0).machine)),
        pytest.raises(SurveyError, match=r"^the Ray cluster at .* has had no core for 1 seconds$"),
    ):
        list(machines.engine().map(work, tasks))


def test_a_cluster_of_another_version_is_told_in_one_line(machines, monkeypatch):
    import ray

    monkeypatch.setattr(ray, "__version__", "1.2.3")
    with pytest.raises(SurveyError, match=r"^the Ray cluster at .* cannot be used: .*1\.2\.3") as e:
        list(machines.engine().map(work, [1]))
    assert "\n" not in str(e.value)
    monkeypatch.undo()
    assert not ray.is_initialized()


def test_a_survey_is_the_same_whatever_is_lost_on_the_way(three, tmp_path):
    small = a_survey(tmp_path, 120)
    killed = []
    lost = []

    def step(photos=1):
        """Lose all processes of tasks when the first part is there, and a machine with the next."""
        if not killed:
            names = ("ray::_do", "ray::IDLE")
            killed.extend(one for one in under(os.getpid()) if command(one).startswith(names))
            for process in killed:
                os.kill(process, signal.SIGKILL)
        elif not lost:
            lost.append(three.there[-1].node_id)
            three.lose(lost[0])

    needs = [small.manifest.parent, tmp_path / "photos"]
    found = small.gather(
        tmp_path / "ray", three.engine(60, needs), each=8, progress=lambda *_: step
    )
    assert killed
    assert lost
    for workers in (1, 2):
        here = small.gather(tmp_path / f"local{workers}", Local(workers, 60), each=40)
        assert here.photos == 120
        assert found.to_bytes() == here.to_bytes()


def command(process):
    """Return what a process is called, as Ray names its own after what they do."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


PROGRAM = """
import sys
from pathlib import Path
import terminal
from engine_work import HANGING, Task, work
from survey.engines import choose

def main():
    tasks = [Task(Path(sys.argv[1]), number, deed) for number, deed in enumerate(sys.argv[3:])]
    for task, result in choose(sys.argv[2], 2, None).map(work, tasks):
        print(task.number, result if isinstance(result, Exception) else len(result), flush=True)
    return 0

sys.exit(terminal.run(main))
"""


@pytest.fixture
def program(tmp_path):
    """Return what starts PROGRAM as a terminal does, and its folder; it is ended with the test."""
    started = []

    def start(engine, *deeds):
        path = f"{ROOT}:{Path(__file__).parent}"
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, tmp_path, engine, *deeds],
                env={**os.environ, "PYTHONPATH": path},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for one in started:
        for process in [one.pid, *under(one.pid)]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def parents():
    """Return every process, with the one that started it."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True)
    return dict(tuple(map(int, line.split())) for line in listed.stdout.splitlines())


def under(ancestor):
    """Return the processes that one started, and that those started."""
    of = parents()
    found = {ancestor}
    while more := {one for one, parent in of.items() if parent in found} - found:
        found |= more
    return found - {ancestor}


def test_ctrl_c_ends_the_ray_that_was_started_here(program, tmp_path):
    running = program("ray", "", "crash", "hang")
    assert running.stdout.readline() == "0 1000\n"
    assert running.stdout.readline() == "1 3 processes ended that worked on it\n"
    begun(tmp_path, 2)
    processes = under(running.pid)
    assert len(processes) > 3
    os.killpg(running.pid, signal.SIGINT)
    assert running.communicate(timeout=30) == ("", "")
    assert running.returncode == 130
    assert gone(processes)


def test_sigterm_leaves_a_cluster_as_it_was(program, three, tmp_path):
    engine = f"ray:{three.cluster.address}"
    running = program(engine, "hang", "hang")
    busy = [begun(tmp_path, 0).process, begun(tmp_path, 1).process]
    running.terminate()
    assert running.wait(30) != 0
    assert running.communicate() == ("", "")
    assert gone(busy)
    tasks = tasks_in(tmp_path, 3)
    assert dict(three.engine().map(work, tasks)) == locally(tasks)


def gone(processes):
    """Tell whether all of these end soon."""
    for _ in range(100):
        if not [one for one in processes if Path(f"/proc/{one}").exists()]:
            return True
        time.sleep(0.1)
    return False
