"""python -m survey.diff: say what differs between two models that were surveyed on the same photos."""

import argparse
import sys
from pathlib import Path

import artifacts
import terminal
import turns
from survey.diff.build import compare
from survey.diff.text import lines
from survey.errors import SurveyError


def main(arguments: list[str] | None = None) -> int:
    """Compare two surveys with command line `arguments`; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m survey.diff",
        description="Compare two models that were surveyed on the same photos: how alike their "
        "layers are (debiased linear CKA), which channels changed (Pearson's correlation), which "
        "fire in one only. No photo is computed again. Writes index.json, and tables as "
        "channels.npz, layers.npz and pairs.npz; says what differs most.",
    )
    for name in ("a", "b"):
        parser.add_argument(
            f"--{name}",
            type=Path,
            required=True,
            metavar="FOLDER",
            help="a model's survey, such as build/survey/resnet18",
        )
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    options = parser.parse_args(arguments)
    surveys = {folder.parent for folder in (options.a, options.b)}
    try:
        with turns.held(*sorted(surveys), write=options.out, say=_say):
            found = compare(options.a, options.b, options.out)
    except (SurveyError, artifacts.ArtifactError, OSError) as error:
        _say(str(error))
        return 1
    for line in lines(found):
        print(line)
    print(f"\n{options.out}: the tables of all layers and channels", flush=True)
    return 0


def _say(what: str) -> None:
    print(f"survey-diff: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
