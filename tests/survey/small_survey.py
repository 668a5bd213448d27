"""A survey that is quick to make: a tiny network, small pictures, engines that need no processes."""

from dataclasses import dataclass, field
from pathlib import Path

import tiny_onnx
from small_gallery import draw

from export.manifest import read_manifest
from precompute.limits import DEFAULT
from precompute.workers import LostTaskError
from survey.dataset import DataSet, read_data_set
from survey.gather import Finished, gather
from survey.job import Job
from survey.layers import layout_of

CLASSES = ("ash", "birch", "cedar")
EVERYTHING = 2**64 - 1


def quiet(what, total):
    return lambda count=1: None


@dataclass
class Here:
    """Does all work in this process, and can be told to fail."""

    deadly: str = ""
    """A photo with this in its name takes its process along."""
    patience: int = 10**9
    """Tasks after which somebody presses Ctrl-C."""
    backwards: bool = False
    done: list[int] = field(default_factory=list)
    """Photos of each task."""
    surveyed: int = 0
    """Photos that went through the network."""

    def map(self, work, tasks):
        for task in reversed(tasks) if self.backwards else tasks:
            if len(self.done) == self.patience:
                raise KeyboardInterrupt
            photos = task if isinstance(task, tuple) else ()
            if any(self.deadly and self.deadly in item.name for item in photos):
                yield task, LostTaskError("its process was killed by SIGSEGV")
                continue
            result = work(task)
            self.done.append(len(task))
            self.surveyed += len(photos)
            yield task, result


@dataclass(frozen=True)
class Survey:
    """A model and photos."""

    manifest: Path
    data: DataSet

    @property
    def layout(self):
        return layout_of(read_manifest(self.manifest))

    def shards(self, each: int):
        items = self.data.items
        return [tuple(items[first : first + each]) for first in range(0, len(items), each)]

    def gather(self, folder: Path, engine=None, each=20, sample=EVERYTHING, progress=quiet):
        job = Job(self.manifest, "cpu", DEFAULT, self.data.categories, sample)
        finished = Finished(folder, "key")
        summary, _ = gather(
            engine or Here(), job, self.layout, self.shards(each), finished, progress
        )
        return summary


def a_survey(folder: Path, photos: int) -> Survey:
    """Draw pictures of three classes, two of which cannot be read."""
    for seed in range(photos):
        path = folder / "photos" / CLASSES[seed % 3] / f"{seed:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(path, seed, (9, 11))
    (folder / "photos" / "ash" / "broken.png").write_bytes(b"no picture")
    (folder / "photos" / "cedar" / "empty.jpg").write_bytes(b"")
    manifest = tiny_onnx.save(
        folder / "model", tiny_onnx.onnx(tiny_onnx.graph(**tiny_onnx.parts()))
    )
    return Survey(manifest, read_data_set(folder / "photos", None, read_manifest(manifest)))
