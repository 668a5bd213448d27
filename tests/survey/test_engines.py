"""Which engine is meant, and what the one on this machine does with lost processes."""

import socket
import sys
from functools import partial

import pytest
from engine_work import Task, notes, work

from precompute.workers import LostTaskError
from survey.engines import Local, choose
from survey.errors import SurveyError
from survey.ray_engine import Ray

KNOWN = (
    "local (processes on this machine); ray (Ray on this machine); "
    "ray:auto (the Ray cluster that this machine belongs to); "
    "ray:HOST:PORT (the Ray cluster at that address)"
)


def test_an_engine_is_chosen_by_its_name(tmp_path):
    assert choose("local", 3, 5.0) == Local(3, 5.0)
    assert choose("local", None, None).workers >= 1
    assert choose("ray", 3, 5.0) == Ray("", 3, 5.0, ())
    assert choose("ray:auto", None, None, [tmp_path / ".." / tmp_path.name]) == Ray(
        "auto", None, None, (tmp_path.resolve(),)
    )


@pytest.mark.parametrize("text", ["", "dask", "Local", "local:1", "ray:", "ray2"])
def test_an_unknown_engine_is_refused_with_those_that_there_are(text):
    with pytest.raises(SurveyError) as error:
        choose(text, 1, None)
    assert str(error.value) == f"unknown engine '{text}': there are {KNOWN}"


@pytest.mark.parametrize("address", ["here", "10.0.0.1:", ":6379", "ray://10.0.0.1:x"])
def test_what_is_no_address_is_told(address):
    with pytest.raises(SurveyError, match=r"is no address of a Ray cluster: give HOST:PORT, or"):
        choose(f"ray:{address}", None, None)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_an_address_where_nobody_answers_is_told(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SurveyError, match=r"^no Ray cluster answers at .*:\d+: \[Errno \d+\] .+$"):
        choose(f"ray:{host}:{port}", None, None)


def test_without_ray_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert choose("local", 1, None)
    with pytest.raises(SurveyError, match=r"^Ray is not installed here: run make survey ENGINE="):
        choose("ray", 1, None)


def test_a_lost_process_costs_its_own_task_here(tmp_path):
    deeds = {3: "crash", 5: "hang"}
    tasks = [Task(tmp_path, number, deeds.get(number, "")) for number in range(12)]
    found = dict(choose("local", 2, lambda task: 2.0 + task.number % 2).map(work, tasks))
    lost = {task.number: found.pop(task) for task in tasks if task.deed}
    assert found == {task: work(task) for task in tasks if not task.deed}
    assert {type(error) for error in lost.values()} == {LostTaskError}
    assert str(lost[3]) == "its process was killed by SIGSEGV"
    assert (str(lost[5]), lost[5].late) == ("not done after 3 seconds", True)
    assert [note.number for note in notes(tmp_path)].count(3) == 1


def test_an_exception_in_the_work_arrives_as_itself_here(tmp_path):
    with pytest.raises(LostTaskError, match=r"^two arguments$") as error:
        list(choose("local", 2, None).map(work, [Task(tmp_path, 0, "raises")]))
    assert error.value.late


def test_work_can_hold_what_is_the_same_for_all(tmp_path):
    found = choose("local", 1, None).map(partial(pow, 2), [3, 4])
    assert dict(found) == {3: 8, 4: 16}
