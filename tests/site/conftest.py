"""The pages of the site, and a gallery that a test may change."""

import shutil
from pathlib import Path

import pytest
from website import Document, Workshop, link, read_page

from export.manifest import read_manifest


@pytest.fixture
def workshop(exported: Path, tiles: Path, runtime: Path, tmp_path: Path) -> Workshop:
    """A copy that may be changed with artifacts.write, which never writes into a file."""
    folder = tmp_path / "made"
    shutil.copytree(tiles, folder / "tiles" / "resnet18", copy_function=link)
    manifest_path = folder / "resnet18.json"
    shutil.copyfile(exported, manifest_path)
    if copy := read_manifest(exported).browser:
        link(exported.with_name(copy.file.name), folder / copy.file.name)
    shutil.copytree(runtime, folder / "vendor", copy_function=link)
    out = tmp_path / "published" / "site"
    return Workshop(manifest_path, folder / "tiles" / "resnet18", folder / "vendor", out)


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Document]:
    """Every page of the site, by its path."""
    return {
        path.relative_to(site).as_posix(): read_page(path) for path in sorted(site.rglob("*.html"))
    }
