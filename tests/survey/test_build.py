"""The whole survey: its files, what is kept, and what is left when it is interrupted or killed."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import killing
import msgspec
import numpy as np
import polars
import pytest
from small_survey import Here, a_survey, quiet

from precompute import plan
from survey.__main__ import main
from survey.build import Settings, survey
from survey.contract import LayerSurvey, SurveyIndex, read_layer, schema
from survey.errors import SurveyError
from survey.summary import Summary

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    small = a_survey(home, 24)
    return Settings(
        manifest=small.manifest,
        photos=home / "photos",
        classes=None,
        surveys=home / "survey",
        provider="cpu",
        private=False,
        patches=2,
        max_patches=None,
    )


@pytest.fixture
def here(settings, tmp_path) -> Settings:
    """The same with a folder of its own to write to."""
    return replace(settings, surveys=tmp_path / "survey")


@pytest.fixture(scope="module")
def expected(settings) -> dict[str, bytes]:
    survey(settings, Here(), quiet)
    return files(settings.surveys)


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_everything_that_the_contract_names_is_there(expected, settings):
    index = msgspec.json.decode(expected["tiny/index.json"], type=SurveyIndex)
    assert index.surveyed == 24
    assert index.unreadable == 2
    assert index.faults == (
        "ash/broken.png: not a picture: expected JPEG, PNG, WEBP, GIF, BMP, TIFF",
        "cedar/empty.jpg: empty file",
    )
    named = {"index.json", "channels.npz", "summary.npz", index.wrong_sheet.path}
    for layer in index.layers:
        named |= {layer.figures, layer.patches.sheet.path}
        msgspec.json.decode(expected[f"tiny/{layer.figures}"], type=LayerSurvey)
    assert {name for name in expected if name.startswith("tiny/")} == {f"tiny/{n}" for n in named}
    assert expected.keys() - {f"tiny/{n}" for n in named} == {
        "_records/tiny.json",
        "_records/tiny.summary.json",
    }
    assert Summary.from_bytes(expected["tiny/summary.npz"]).photos == 24


def test_the_table_opens_in_one_line(expected, settings):
    table = polars.DataFrame(dict(np.load(settings.surveys / "tiny" / "channels.npz")))
    assert table.height == 8
    assert table["layer"].to_list() == ["conv"] * 4 + ["relu"] * 4


def test_a_second_run_does_nothing(expected, settings):
    engine = Here()
    before = {path: path.stat().st_mtime_ns for path in settings.surveys.rglob("*")}
    done = survey(settings, engine, quiet)
    assert done.photos == 0
    assert engine.done == []
    assert {path: path.stat().st_mtime_ns for path in settings.surveys.rglob("*")} == before


def test_a_damaged_file_is_noticed_and_made_again(expected, here):
    survey(here, Here(), quiet)
    for name in ("index.json", "layers/conv.json", "patches/conv.webp", "channels.npz"):
        path = here.surveys / "tiny" / name
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        assert survey(here, Here(), quiet).photos
        assert files(here.surveys) == expected


def test_killed_at_any_write_the_next_run_ends_in_the_same_bytes(expected, here):
    def work():
        survey(here, Here(), quiet)

    moments = len(killing.writes(work))
    assert files(here.surveys) == expected
    for moment in range(0, moments, 3):
        shutil.rmtree(here.surveys)
        killing.kill(work, moment)
        work()
        assert files(here.surveys) == expected, moment


def test_while_a_new_survey_is_made_the_old_one_stays_whole(expected, here):
    def work():
        survey(here, Here(), quiet)

    def other():
        survey(replace(here, patches=1), Here(), quiet)

    work()
    index = (here.surveys / "tiny" / "index.json").read_bytes()
    writes = len(killing.writes(other))
    new = (here.surveys / "tiny" / "index.json").read_bytes()
    assert new != index
    for moment in range(0, writes, 3):
        work()
        killing.kill(other, moment)
        found = files(here.surveys / "tiny")
        assert found["index.json"] in (index, new)
        named = {layer["figures"] for layer in json.loads(found["index.json"])["layers"]}
        assert named < found.keys()


def test_interrupted_in_the_middle_it_goes_on(expected, here, monkeypatch):
    monkeypatch.setattr("survey.build.each_of", lambda photos: 4)
    with pytest.raises(KeyboardInterrupt):
        survey(here, Here(patience=3), quiet)
    assert not (here.surveys / "tiny").exists()
    assert len(list((here.surveys / "_shards" / "tiny").iterdir())) == 3
    engine = Here()
    survey(here, engine, quiet)
    assert files(here.surveys) == expected
    assert sum(engine.done[:-2]) < 26


def test_another_way_to_show_it_computes_nothing(expected, here):
    survey(here, Here(), quiet)
    shown = []
    for change in ({"patches": 1}, {"private": True}, {"max_patches": 10**6}):
        engine = Here()
        survey(replace(here, **change), engine, quiet)
        shown.append(files(here.surveys / "tiny"))
        # What is cut are groups of photos; photos that go through the network come as items.
        assert not engine.surveyed, change
    assert shown[0] != shown[1]
    survey(here, Here(), quiet)
    assert files(here.surveys) == expected
    (here.surveys / "tiny" / "summary.npz").write_bytes(b"no summary")
    engine = Here()
    survey(here, engine, quiet)
    assert engine.surveyed == 26
    assert files(here.surveys) == expected


def test_photos_that_were_lost_are_tried_again(expected, here):
    done = survey(here, Here(deadly="0007"), quiet)
    assert done.index.unreadable == 3
    assert "its process was killed by SIGSEGV" in "".join(done.index.faults)
    engine = Here()
    assert survey(here, engine, quiet).index.unreadable == 2
    assert engine.surveyed == 1
    assert files(here.surveys) == expected


def test_names_may_be_any_bytes(here, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in (b"caf\xe9.png", b"new\nline.png", b"bad\xff.png"):
        shutil.copy(here.photos / "ash" / "0000.png", os.fsencode(photos) + b"/" + name)
    (photos / "bad\udcff.png").write_bytes(b"no picture")
    done = survey(replace(here, photos=photos), Here(), quiet)
    assert done.index.surveyed == 2
    assert survey(replace(here, photos=photos), Here(), quiet).photos == 0
    (layer, _) = done.index.layers
    names = {photo.name for photo in read_layer(done.folder, layer).photos}
    assert len(names) == 2


def test_a_private_survey_holds_no_name_and_no_piece_of_a_photo(here):
    survey(replace(here, private=True), Here(), quiet)
    found = files(here.surveys / "tiny")
    assert not [name for name in found if name.startswith("patches/")]
    index = msgspec.json.decode(found["index.json"], type=SurveyIndex)
    assert (index.private, index.photos, index.faults, index.wrong_sheet) == (True, (), (), None)
    assert index.unreadable == 2
    public = {name: data for name, data in found.items() if name != "summary.npz"}
    for name, data in public.items():
        assert b".png" not in data, name
        assert b"broken" not in data, name


def test_without_any_usable_photo_it_says_why(settings, here, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.jpg").write_bytes(b"nothing")
    with pytest.raises(SurveyError, match="no photo can be surveyed: not a picture"):
        survey(replace(here, photos=tmp_path / "photos"), Here(), quiet)
    assert not (here.surveys / "tiny").exists()


def test_the_command_says_what_it_found(settings, tmp_path):
    command = [
        *(sys.executable, "-m", "survey", "--manifest", settings.manifest),
        *("--photos", settings.photos, "--out", tmp_path / "survey", "--workers", "2"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "survey: tiny: 24 photos of photos, 2 layers" in done.stdout
    assert "survey: left out cedar/empty.jpg: empty file" in done.stdout
    assert "photos: 26 in" in done.stderr
    assert files(tmp_path / "survey").keys() >= {"tiny/index.json"}


def test_the_start_of_a_process_is_not_in_the_time_of_a_photo(settings, tmp_path, capsys):
    """What counts is compiled first, which alone takes longer than a second."""
    given = ["--manifest", str(settings.manifest), "--photos", str(settings.photos)]
    assert main([*given, "--out", str(tmp_path / "survey"), "--limits", "seconds=1"]) == 0
    assert "survey: tiny: 24 photos of photos" in capsys.readouterr().out


@pytest.mark.parametrize("package", ["numba", "onnxruntime"])
def test_an_upgrade_of_what_computes_computes_anew(here, monkeypatch, package):
    survey(here, Here(), quiet)
    version = importlib.metadata.version

    def upgraded(name):
        return "0.1" if name == package else version(name)

    for module in ("survey.producers", "precompute.plan"):
        monkeypatch.setattr(f"{module}.version", upgraded)
    plan.producers.cache_clear()
    engine = Here()
    try:
        assert survey(here, engine, quiet).index.producers[package] == "0.1"
    finally:
        plan.producers.cache_clear()
    assert engine.surveyed > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--photos", "nowhere"], "nowhere"),
        (["--photos", "{photos}", "--engine", "spark"], "unknown engine 'spark'"),
        (["--photos", "{photos}", "--classes", "none.csv"], "none.csv"),
        (["--photos", "{photos}", "--limits", "pixels=x"], "limits: pixels is 'x'"),
        (["--photos", "{photos}", "--manifest", "no.json"], "no.json does not exist"),
        (["--photos", "{photos}", "--provider", "abacus"], "unknown provider 'abacus'"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(settings, tmp_path, capsys, arguments, said):
    given = ["--manifest", str(settings.manifest), "--out", str(tmp_path / "survey")]
    given += [argument.format(photos=settings.photos) for argument in arguments]
    assert main(given) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("survey: ")
    assert said in line


@pytest.mark.parametrize(
    "arguments", [["--workers", "-1"], ["--patches", "10"], ["--patches", "0"]]
)
def test_numbers_that_make_no_sense_are_refused(settings, capsys, arguments):
    with pytest.raises(SystemExit):
        main(["--photos", str(settings.photos), *arguments])
    assert "is no number from 1 to" in capsys.readouterr().err


def test_a_private_survey_says_how_many_photos_it_left_out(settings, tmp_path, capsys):
    given = ["--manifest", str(settings.manifest), "--photos", str(settings.photos)]
    assert main([*given, "--out", str(tmp_path / "survey"), "--no-patches"]) == 0
    assert "survey: left out 2 photos\n" in capsys.readouterr().out


def test_the_schema_is_the_dataclasses():
    assert (ROOT / "survey" / "contract.schema.json").read_bytes() == schema()
