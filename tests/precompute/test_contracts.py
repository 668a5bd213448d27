"""What the contracts can hold comes back from JSON; anything else is refused in one line."""

import json

import msgspec
import pytest
from contracts import damaged, validator, values
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import artifacts
from export import manifest
from precompute import index, lessons

KINDS = [
    (index, index.GalleryIndex),
    (index, index.ImageEntry),
    (index, index.LayerFigures),
    (index, index.SharedFigures),
    (index, index.Contributions),
    (index, index.Origin),
    (lessons, lessons.StemFilters),
    (lessons, lessons.Mistakes),
    (lessons, lessons.Tours),
    (manifest, manifest.ModelManifest),
]
some = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
kinds = pytest.mark.parametrize(("contract", "kind"), KINDS, ids=lambda part: part.__name__)


def read(tmp_path, content, kind):
    path = tmp_path / "index.json"
    path.write_bytes(content)
    return artifacts.decode(path, kind, "make it")


@kinds
@some
@given(data=st.data())
def test_what_is_written_comes_back_and_obeys_the_schema(tmp_path, contract, kind, data):
    value = data.draw(values(kind))
    content = artifacts.encode(value)
    assert read(tmp_path, content, kind) == value
    assert [
        fault.message for fault in validator(contract, kind).iter_errors(json.loads(content))
    ] == []


@kinds
@some
@given(data=st.data())
def test_what_is_damaged_is_read_as_something_valid_or_refused_in_a_line(
    tmp_path, contract, kind, data
):
    content = data.draw(damaged(values(kind).map(artifacts.encode)))
    try:
        value = read(tmp_path, content, kind)
    except artifacts.ArtifactError as error:
        said = str(error)
        assert said.startswith(f"{tmp_path / 'index.json'} is not a {kind.__name__}: ")
        assert said.endswith("; run make it")
        assert "\n" not in said
        assert len(said) < 600
    else:
        again = json.loads(artifacts.encode(value))
        assert [fault.message for fault in validator(contract, kind).iter_errors(again)] == []


@some
@given(content=st.binary(max_size=60))
@example(content=b"\xff\xfe{}")
@example(content=b'{"\xed\xa0\x80":1}')
@example(content=b"[" * 100_000)
@example(content=b'{"x":' * 100_000)
@example(content=b"\xef\xbb\xbf{}")
@example(content=b"<!doctype html><title>404</title>")
@example(content=b"version https://git-lfs.github.com/spec/v1\n")
def test_no_content_is_read_as_an_index_or_ends_in_another_error(tmp_path, content):
    with pytest.raises(artifacts.ArtifactError, match=r"^[^\n]*; run make it$"):
        read(tmp_path, content, index.GalleryIndex)


ELSEWHERE = ["../x", "..", ".", "/etc/passwd", "a//b", "a\\b", "", ".hidden", "-x", 'x"); }', "a b"]
ELSEWHERE += ["a%2fb", "a\n", "a\0", "é", "a/../b", "a/", "javascript:x", "<b>", "\u202e"]


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.parametrize("kind", [artifacts.Slug, artifacts.FileName, lessons.PreparedPath])
def test_a_name_that_leads_elsewhere_or_needs_escaping_is_refused(kind, name):
    with pytest.raises(msgspec.ValidationError, match="matching regex"):
        msgspec.convert(name, kind)


@given(st.text(max_size=100))
def test_every_slug_is_such_a_name(text):
    for kind in (artifacts.Slug, artifacts.FileName):
        msgspec.convert(artifacts.slug(text), kind)


@pytest.mark.parametrize("contract", [index, lessons, manifest], ids=lambda part: part.__name__)
def test_everything_that_names_a_file_or_folder_is_such_a_name(contract):
    """A field of another name that is part of a path or link has to be added here, and typed."""
    named = {"path", "id", "figures", "summary", "pca", "input", "photo", "thumbnail", "folder"}
    named |= {"mosaic", "strips", "views", "preview", "picture", "image", "images", "model", "slug"}
    seen = 0
    schema = json.loads(contract.SCHEMA_PATH.read_bytes())["$defs"]
    for definition in schema.values():
        for name, field in definition.get("properties", {}).items():
            text = json.dumps(field)
            if name in named and '"string"' in text:
                assert '"pattern"' in text, (definition["title"], name)
                seen += 1
    assert seen >= 2
