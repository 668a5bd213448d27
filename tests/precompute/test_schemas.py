"""The JSON Schemas that are shipped are those of the dataclasses, and real files obey them."""

import json

import pytest
from jsonschema import Draft202012Validator

from export import manifest
from precompute import index, lessons


@pytest.mark.parametrize("contract", [manifest, index, lessons], ids=lambda module: module.__name__)
def test_the_shipped_schema_is_that_of_the_dataclasses(contract):
    module = contract.__name__
    remedy = f"from {module} import schema, SCHEMA_PATH; SCHEMA_PATH.write_bytes(schema())"
    shipped = contract.SCHEMA_PATH.read_bytes()
    assert shipped == contract.schema(), f'out of date: run .venv/bin/python -c "{remedy}"'
    Draft202012Validator.check_schema(json.loads(shipped))


def faults(contract, kind, path):
    """Return what is wrong with a file, by the schema of one of the contract's dataclasses."""
    schema = json.loads(contract.SCHEMA_PATH.read_bytes())
    schema["anyOf"] = [{"$ref": f"#/$defs/{kind}"}]
    found = Draft202012Validator(schema).iter_errors(json.loads(path.read_bytes()))
    return [f"{error.json_path}: {error.message}" for error in found]


def test_a_real_manifest_obeys_its_schema(exported):
    assert faults(manifest, "ModelManifest", exported) == []


def test_a_real_gallery_obeys_its_schema(tiles):
    image = index.read_index(tiles).images[0].id
    layer = index.read_entry(tiles, image).sheets[0]
    assert faults(index, "GalleryIndex", tiles / "index.json") == []
    assert faults(index, "ImageEntry", tiles / image / "index.json") == []
    assert faults(index, "LayerFigures", tiles / image / layer.figures) == []
    assert faults(index, "SharedFigures", tiles / "_shared" / layer.figures) == []
    assert faults(lessons, "StemFilters", tiles / lessons.STEM / lessons.STEM_NAME) == []


def test_a_file_of_another_kind_does_not(tiles):
    assert faults(index, "ImageEntry", tiles / "index.json") != []
