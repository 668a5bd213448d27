"""Which model's pages are checked: those of a build may be of any."""

import os

MODEL = os.environ.get("CHECKED_MODEL", "resnet18")
"""Its id, which is a folder of the site and of the tiles, and the name of its manifest."""
