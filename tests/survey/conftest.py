"""What tests of a survey's results share."""

import pytest
from stored import Stored, drawn


@pytest.fixture(scope="session")
def stored(tmp_path_factory) -> Stored:
    """A small survey with all its activations: to read from, not to change."""
    return drawn(tmp_path_factory.mktemp("stored"))
