"""Folders are replaced whole, on any file system, and what a killed run left is put right."""

import os

import pytest

import artifacts
import filesystem
import store


def content(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.fixture(params=[True, False], ids=["exchange", "two renames"])
def exchanged(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(filesystem, "exchange", lambda *_: False)
    return request.param


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "old").write_bytes(b"old")
    return folder


def test_two_folders_are_exchanged_in_one_step(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other é\n"
    for path in (one, other):
        path.mkdir()
        (path / "name").write_text(path.name)
    if not filesystem.exchange(one, other):
        pytest.skip("this system cannot exchange two paths")
    assert (one / "name").read_text() == other.name
    assert (other / "name").read_text() == one.name


def test_what_is_not_there_cannot_be_exchanged(tmp_path):
    (tmp_path / "one").mkdir()
    assert not filesystem.exchange(tmp_path / "one", tmp_path / "none")
    assert (tmp_path / "one").is_dir()


def test_flushing_works_for_files_and_folders(tmp_path):
    filesystem.flush(tmp_path)
    with pytest.raises(FileNotFoundError):
        filesystem.flush(tmp_path / "none")


def test_a_folder_is_replaced_and_nothing_is_left_beside_it(folder, exchanged):
    for leftover in (".site.partial", ".site.old"):
        (folder.with_name(leftover) / "deep").mkdir(parents=True)
    assert store.replace_folder(folder, {"a/b": b"new"}).keys() == {"a/b"}
    assert content(folder.parent) == {"site/a/b": b"new"}
    assert os.listdir(folder.parent) == ["site"]


def test_a_folder_that_was_not_there_is_made(tmp_path, exchanged):
    store.replace_folder(tmp_path / "new" / "site", {"a": b"new"})
    assert content(tmp_path) == {"new/site/a": b"new"}


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_cannot_be_finished_leaves_the_old_folder_alone(folder, exchanged, fault):
    def half():
        with store.replacing(folder) as fresh:
            (fresh / "half").touch()
            raise fault

    with pytest.raises(type(fault)):
        half()
    assert content(folder.parent) == {"site/old": b"old"}
    assert os.listdir(folder.parent) == ["site"]


def test_a_second_rename_that_fails_brings_the_old_folder_back(folder, monkeypatch):
    monkeypatch.setattr(filesystem, "exchange", lambda *_: False)
    replace = os.replace

    def refuse(source, target):
        if str(source).endswith(".partial"):
            raise OSError(5, "Input/output error")
        return replace(source, target)

    monkeypatch.setattr("os.replace", refuse)
    monkeypatch.setattr("os.rename", refuse)
    with pytest.raises(OSError, match="Input/output"):
        store.replace_folder(folder, {"a": b"new"})
    assert content(folder.parent) == {"site/old": b"old"}


def test_a_folder_that_was_taken_away_comes_back(folder):
    folder.rename(folder.with_name(".site.old"))
    folder.with_name(".site.partial").mkdir()
    store.recover(folder)
    assert content(folder.parent) == {"site/old": b"old"}
    assert os.listdir(folder.parent) == ["site"]


def test_a_link_to_a_folder_is_followed(folder, tmp_path, exchanged):
    link = tmp_path / "link"
    link.symlink_to(folder)
    store.replace_folder(link, {"a": b"new"})
    assert link.is_symlink()
    assert content(folder) == {"a": b"new"}


def test_a_folder_is_current_only_while_it_holds_what_was_put_there(tmp_path):
    folder, record = tmp_path / "folder", tmp_path / "record.json"
    store.write_record(record, "key", store.replace_folder(folder, {"a": b"1", "b/c": b"2"}))
    assert store.is_current(folder, record, "key")
    assert not store.is_current(folder, record, "another key")
    os.mkfifo(folder / "pipe")  # to read it would take for ever
    assert not store.is_current(folder, record, "key")
    (folder / "pipe").unlink()
    (folder / "empty").mkdir()
    assert not store.is_current(folder, record, "key")
    (folder / "empty").rmdir()
    assert store.is_current(folder, record, "key")
    (folder / "a").unlink()
    (folder / "a").symlink_to(folder / "b" / "c")
    assert not store.is_current(folder, record, "key")


def test_an_empty_folder_is_current_only_while_it_is_there(tmp_path):
    folder, record = tmp_path / "folder", tmp_path / "record.json"
    store.write_record(record, "key", store.replace_folder(folder, {}))
    assert store.is_current(folder, record, "key")
    folder.rmdir()
    assert not store.is_current(folder, record, "key")


def test_an_error_names_the_file(tmp_path):
    with pytest.raises(OSError, match="full: 'somewhere'"), artifacts.naming("somewhere"):
        raise OSError(28, "full")
    with pytest.raises(OSError, match="full: 'first'"), artifacts.naming("somewhere"):
        raise OSError(28, "full", "first")
