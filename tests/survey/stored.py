"""A survey beside everything that it was made from: activations that tests count by hand."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import tiny_onnx
from PIL import Image
from tiny_onnx import CATEGORIES, DYNAMIC, integer, ints, node, tensor, value

from export.manifest import Input, ModelManifest, ReceptiveField, read_manifest
from precompute.decode import decode
from precompute.entry import open_model
from precompute.limits import DEFAULT
from precompute.preprocess import crop, normalise
from precompute.session import run
from precompute.workers import LostTaskError
from survey.dataset import DataSet, content, read_data_set
from survey.job import Job, key_of
from survey.result import result_files
from survey.sheets import Sheets, draw
from survey.summary import Summary
from survey.worker import survey_shard

SIDE = 32
MAPS = SIDE // 2
DEAD, SELDOM = 1, 2
"""Channels of the first convolution: one that nothing drives, one that few photos do."""
FIELDS = {
    "first": ReceptiveField((3, 3), (2, 2), (-1, -1)),
    "second": ReceptiveField((7, 7), (2, 2), (-3, -3)),
}
"""A 3×3 convolution with stride 2, and one with stride 1 after it."""


def network(folder: Path) -> Path:
    """Write a network of two convolutions, each with a ReLU; return its manifest."""
    random = np.random.default_rng(3)
    one = random.normal(size=(4, 3, 3, 3)).astype(np.float32)
    two = random.normal(size=(4, 4, 3, 3)).astype(np.float32)
    parts = {
        "nodes": [
            node(
                "Conv",
                ["input", "w1", "b1"],
                ["first"],
                ints("pads", 1, 1, 1, 1),
                ints("strides", 2, 2),
            ),
            node("Relu", ["first"], ["first.relu"]),
            node("Conv", ["first.relu", "w2", "b2"], ["second"], ints("pads", 1, 1, 1, 1)),
            node("Relu", ["second"], ["second.relu"]),
            node("GlobalAveragePool", ["second.relu"], ["pool"]),
            node("Flatten", ["pool"], ["flat"]),
            node("Gemm", ["flat", "v", "b"], ["fc"], integer("transB", 1)),
        ],
        "tensors": [
            tensor("w1", one),
            tensor("b1", np.array([0, -40, -14.2, 0.5], np.float32)),
            tensor("w2", two),
            tensor("b2", np.array([0, 1, -1, 0.5], np.float32)),
            tensor("v", random.normal(size=(len(CATEGORIES), 4)).astype(np.float32)),
            tensor("b", np.array([-15, -7.4, 7.4], np.float32)),
        ],
        "inputs": [value("input", [DYNAMIC, 3, SIDE, SIDE])],
        "outputs": [
            *(
                value(name, [DYNAMIC, 4, MAPS, MAPS])
                for name in ("first", "first.relu", "second", "second.relu")
            ),
            value("fc", [DYNAMIC, len(CATEGORIES)]),
        ],
    }
    described = tiny_onnx.manifest()
    first, relu, *rest = described.layers
    first = replace(first, height=MAPS, width=MAPS, stride=(2, 2))
    relu = replace(relu, height=MAPS, width=MAPS)
    layers = []
    for name, source in (("first", "input"), ("second", "first.relu")):
        seen = {"receptive_field": FIELDS[name]}
        stride = FIELDS[name].stride if name == "first" else (1, 1)
        layers += [
            replace(first, name=name, slug=name, inputs=(source,), stride=stride, **seen),
            replace(relu, name=f"{name}.relu", slug=f"{name}.relu", inputs=(name,), **seen),
        ]
    layers += [replace(rest[0], inputs=("second.relu",)), *rest[1:]]
    spec = Input("input", SIDE, SIDE, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    described = replace(described, layers=tuple(layers), input=spec, classifier=None)
    return tiny_onnx.save(folder, tiny_onnx.onnx(tiny_onnx.graph(**parts)), described=described)


def picture(path: Path, seed: int, contrast: float) -> None:
    """Draw coloured squares."""
    path.parent.mkdir(parents=True, exist_ok=True)
    patches = np.random.default_rng(seed).integers(0, 256, (8, 8, 3))
    grey = 128 + (patches - 128) * contrast
    whole = Image.fromarray(grey.astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    whole.save(path)


@dataclass
class Here:
    """An engine that does all work in this process."""

    backwards: bool = False
    deadly: str = ""
    """A photo whose name has this takes its process along."""
    done: list = field(default_factory=list)

    def map(self, work, tasks):
        for task in reversed(tasks) if self.backwards else tasks:
            if self.deadly and any(self.deadly in item.name for item, _ in task.photos):
                yield task, LostTaskError("its process was killed by SIGSEGV")
                continue
            self.done.append(task)
            yield task, work(task)


@dataclass(frozen=True)
class Stored:
    """A data set, its survey, and all activations."""

    job: Job
    manifest: ModelManifest
    data: DataSet
    summary: Summary
    activations: dict[str, np.ndarray]
    """Name of the layer to (photos, channels, height, width), photos as in data.items."""

    @property
    def labels(self) -> np.ndarray:
        return np.array([-1 if item.label is None else item.label for item in self.data.items])

    @property
    def keys(self) -> list[int]:
        return [key_of(item.name) for item in self.data.items]

    def maxima(self, layer: str) -> np.ndarray:
        return self.activations[layer].max(axis=(2, 3))

    def means(self, layer: str) -> np.ndarray:
        return self.activations[layer].mean(axis=(2, 3), dtype=np.float64)

    def seen(self, place: int) -> np.ndarray:
        """What the network is given of a photo."""
        data = content(self.data.items[place], DEFAULT)
        return crop(decode(data, DEFAULT), self.manifest.input)

    def sheets(self, scratch: Path, engine=None, **options) -> Sheets:
        said = options.pop("said", [])

        def progress(what, total):
            return partial(said.append, what)

        items = self.data.items
        return draw(self.summary, self.job, items, engine or Here(), scratch, progress, **options)

    def files(self, sheets: Sheets | None = None, summary: Summary | None = None) -> dict:
        kept = summary or self.summary
        return dict(result_files(kept, self.manifest, "0" * 64, self.data, sheets))


def survey_of(manifest: Path, photos: Path) -> Stored:
    """Survey a folder of photos, and keep the activations."""
    described = read_manifest(manifest)
    data = read_data_set(photos, None, described)
    job = Job(manifest, "cpu", DEFAULT, data.categories, 2**63)
    items = data.items
    half = len(items) // 2
    summary = Summary.from_bytes(survey_shard(job, tuple(items[:half])))
    summary = Summary.from_bytes(survey_shard(job, tuple(items[half:]))).merge(summary)
    session = open_model(manifest, "cpu").session
    computed = []
    for item in items:
        pixels = crop(decode(content(item, DEFAULT), DEFAULT), described.input)
        computed.append(run(session, described, normalise(pixels, described.input)))
    stacked = {name: np.stack([one[name] for one in computed]) for name in computed[0]}
    return Stored(job, described, data, summary, stacked)


def drawn(folder: Path) -> Stored:
    """Survey 38 photos: two classes of 14, one of 4, and 6 without a class."""
    numbers = {"ash/ash": 14, "birch/birch": 14, "cedar/cedar": 4, "stray": 6}
    seed = 0
    for name, count in numbers.items():
        for number in range(count):
            seed += 1
            picture(folder / "photos" / f"{name} {number}.png", seed, 0.3 + 0.7 * (seed % 5) / 5)
    return survey_of(network(folder / "model"), folder / "photos")
