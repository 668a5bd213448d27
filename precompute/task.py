"""A photo that has to be computed, and its files."""

import hashlib
from dataclasses import dataclass

from precompute.decode import decode, read
from precompute.entry import Files, Model, entry_files
from precompute.errors import PhotoError
from precompute.limits import Limits
from precompute.photos import Photo


@dataclass(frozen=True)
class Task:
    """A photo to compute."""

    photo: Photo
    digest: str
    """SHA-256 of its file."""
    key: str
    """Of its record."""


def files_of(task: Task, model: Model, limits: Limits) -> Files:
    """Return the files of the photo's folder; raises PhotoError."""
    data = read(task.photo.path, limits)
    if hashlib.sha256(data).hexdigest() != task.digest:
        raise PhotoError("was changed while it was read: build again")
    return entry_files(task.photo, decode(data, limits), model)
