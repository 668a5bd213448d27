"""Guided tours: views worth seeing, each chosen by a criterion that any gallery can be measured by."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import artifacts
from export.manifest import read_manifest
from precompute import lessons
from precompute.figures import named
from precompute.model_files import read_arrays
from precompute.tour_answers import answer_tour, wrong_tour
from precompute.tour_dark import dark_tour
from precompute.tour_residual import residual_tour
from precompute.tour_source import LeftOut, Source
from precompute.tour_stem import stem_tour
from precompute.tour_subject import subject_tour

TOURS = {
    "stem": stem_tour,
    "residual": residual_tour,
    "subject": subject_tour,
    "dark": dark_tour,
    "answer": answer_tour,
    "wrong": wrong_tour,
}
"""Id of each tour, part of every link to it, to what yields its stops."""


def tour_files(
    manifest_path: Path, folder: Path, photos: Sequence[str], charts: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of the folder lessons.TOURS."""
    manifest = read_manifest(manifest_path)
    tours, left_out = [], []
    source = Source(manifest, read_arrays(manifest_path, manifest), folder, photos, charts)
    for name, find in TOURS.items():
        stops = []
        with named(f"tour {name}"):
            for found in find(source):
                if isinstance(found, LeftOut):
                    left_out.append(f"{found.kind} ({found.reason})")
                else:
                    stops.append(found)
        if stops:
            tours.append(lessons.Tour(name, tuple(stops)))
    yield from sorted(source.drawn.items())
    yield lessons.TOURS_NAME, artifacts.encode(lessons.Tours(tuple(tours), tuple(left_out)))
