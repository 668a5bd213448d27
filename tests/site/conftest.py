"""The pages of the site, and a gallery that a test may change."""

from pathlib import Path

import pytest
from website import Document, Workshop, copied, read_page


@pytest.fixture
def workshop(exported: Path, tiles: Path, runtime: Path, tmp_path: Path) -> Workshop:
    """A copy that may be changed with artifacts.write, which never writes into a file."""
    return copied(exported, tiles, runtime, tmp_path)


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Document]:
    """Every page of the site, by its path."""
    return {
        path.relative_to(site).as_posix(): read_page(path) for path in sorted(site.rglob("*.html"))
    }
