"""Somebody's ONNX file, as an export needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto

import artifacts
from export import network
from export.description import Description, as_ours, as_theirs, categories, describe
from export.errors import GivenError, VerificationError, one_line
from export.given import Given, Run, read, running
from export.labels import IMAGENET
from export.manifest import PICTURE, Classifier, Layer, Weights
from export.network import Operation
from export.onnx_answers import check_answers, find_answers
from export.onnx_file import (
    TOLERANCE,
    open_session,
    parity_faults,
    relative_difference,
    strip,
)
from export.onnx_fold import folded
from export.onnx_graph import Graph, Step, names_of, read_graph
from export.onnx_names import Named, readable
from export.onnx_random import as_seed, drawn, he_normal
from export.onnx_surgery import BATCH, Fronted, bias_of, fronted, handed_out
from export.source import About

SCOPES = "pkg.torch.onnx.name_scopes"


class OnnxSource:
    """A model of somebody's, with what is said about it."""

    reference = "the model as it was given"

    def __init__(
        self,
        path: Path,
        weights: str = "auto",
        sha256: str = "",
        labels: str = "",
        input_file: Path | None = None,
    ) -> None:
        """Read and check the file; raises ExportError.

        `weights` is `auto`, the file's own, or `random:SEED`; `labels` names the classes: a
        path or `imagenet`; `input_file` is the description, where it is not beside the file.
        """
        seed = as_seed(weights)
        self._given = given = read(path, sha256)
        self._label = str(given.path)
        self._described = said = describe(given, input_file)
        plain = folded(given.model, self._label)
        self._answers = find_answers(plain, said.answers, self._label)
        self._reference = given.model
        remarks = []
        used = said.weights
        if seed is not None:
            graph = self._read(plain, replace(said, reverse=False))[1]
            self._reference = plain = drawn(plain, graph, seed)
            used = _random(seed, used)
        self._front, self._graph, self._met, self._alone = self._read(plain, said)
        self._batch: int | str = self._freed(plain)
        if self._batch == 1:
            remarks.append("the model takes one photo at a time: its batch cannot be made free")
        outputs = self._graph.answers.shape or ()
        names, remark = categories(_labels(labels) or said.labels, *outputs)
        remarks += [remark] if remark else []
        self._names = readable([_named(step) for step in self._graph.steps])
        self._check()
        del self._alone  # it holds all weights
        self.about = About(
            architecture=None,
            input=said.input,
            categories=names,
            weights=used,
            opset=max(one.version for one in plain.opset_import if one.domain in {"", "ai.onnx"}),
            producers=_producers(given),
            remarks=tuple(remarks),
        )

    def operations(self) -> list[Operation]:
        """See Source."""
        names = {id(step): name for step, name in zip(self._graph.steps, self._names, strict=True)}
        names[id(self._graph.picture)] = PICTURE
        return [
            Operation(
                name=names[id(step)],
                op=step.op,
                inputs=tuple(names[id(source)] for source in step.sources),
                shape=step.shape or (),
                window=step.window,
                local=step.local,
                groups=step.groups,
                parameters=step.parameters,
            )
            for step in self._graph.steps
        ]

    def onnx(self, names: tuple[str, ...]) -> bytes:
        """See Source."""
        steps = self._steps
        try:
            model = handed_out(
                self._front, {name: steps[name] for name in names}, self._met, self._batch
            )
            strip(model)
            onnx.checker.check_model(model, full_check=True)
            data: bytes = model.SerializeToString(deterministic=True)
        except Exception as error:  # onnx's and protobuf's exceptions share no base but Exception
            raise GivenError(
                f"{self._label}: its layers cannot be handed out: {one_line(error)}; please report "
                "this with the model"
            ) from None
        return data

    def verify(self, data: bytes, names: tuple[str, ...]) -> float:
        """See Source.

        The given file itself is run, with the same tensors handed out and nothing else changed, on
        pixels of noise that are prepared the way its maker would; and once as it is.
        """
        session = open_session(data)
        declared = tuple(output.name for output in session.get_outputs())
        if declared != names:
            raise VerificationError(f"the ONNX file has outputs {declared}, expected {names}")
        steps = {name: self._steps[name] for name in names}
        found, expected = [], []
        for pixels in self._pixels():
            found.append(session.run(None, {self._described.input.name: self._ours(pixels)}))
            expected.append(self._expected(pixels, steps))
        worst = {}
        for position, name in enumerate(names):
            theirs = np.concatenate([one[name] for one in expected])
            if not np.isfinite(theirs).all():
                raise VerificationError(
                    f"with these weights the model gives NaN or infinity in {name}: train it again, "
                    "or use others"
                )
            ours = np.concatenate([one[position] for one in found])
            worst[name] = relative_difference(ours, theirs)
            if steps[name].two:  # one answer is on a scale of its own, and can be near 0
                largest = float(np.abs(theirs).max())
                worst[name] *= largest / max(largest, 1.0)
        parity_faults(worst, self.reference, "onnx and onnxruntime")
        return max(worst.values())

    def pictures(self) -> list[NDArray[Any]]:
        """See Source."""
        return [self._ours(pixels) for pixels in self._pixels()]

    def arrays(
        self, layers: Sequence[Layer], classifier: Classifier | None
    ) -> dict[str, NDArray[Any]]:
        """See Source."""
        arrays: dict[str, NDArray[Any]] = {}
        for layer in layers:
            step = self._steps[layer.name]
            if layer.op == network.CONVOLUTION:
                arrays.setdefault("stem", step.arrays["weight"])
            if layer.op in {network.CONVOLUTION, "batch norm", network.SCALE}:
                arrays |= {f"{layer.name}.{part}": one for part, one in step.arrays.items()}
        if classifier is not None:
            step = self._steps[classifier.logits]
            arrays["classifier.weight"] = step.arrays["weight"]
            arrays["classifier.bias"] = bias_of(step)
        if "stem" in arrays:
            generator = np.random.default_rng(0)
            arrays["stem.untrained"] = he_normal(arrays["stem"].shape, 0, generator)
        return {name: array.astype(np.float32) for name, array in arrays.items()}

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return dict(zip(self._names, self._graph.steps, strict=True))

    def _ours(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return as_ours(pixels, self._described.input)

    def _pixels(self) -> list[NDArray[np.uint8]]:
        """Return pictures of noise for each batch that can be: (pictures, side, side, 3)."""
        side = self._described.input.crop
        return [
            np.random.default_rng(batch).integers(0, 256, (batch, side, side, 3), np.uint8)
            for batch in ((1,) if self._batch == 1 else (1, 2))
        ]

    def _read(
        self, plain: ModelProto, said: Description
    ) -> tuple[Fronted, Graph, dict[str, NDArray[Any]], Run]:
        """Return a folded model with our input in front, for one picture at a time; its graph, every
        tensor of one run, and what computes them.
        """
        side = said.input.crop
        front = fronted(plain, self._given.picture, side, said.reverse, 1)
        pixels = np.random.default_rng(1).integers(0, 256, (1, side, side, 3), np.uint8)
        picture = as_ours(pixels, said.input)
        names = names_of(front.model.graph)
        alone = running(front.model, names, self._label)
        met = alone(picture) | {said.input.name: picture}
        renamed = {old: new for new, old in front.original.items()}
        end = renamed.get(self._answers.tensor, self._answers.tensor)
        graph = read_graph(front.model.graph, met, said.input.name, end)
        return front, self._answers.as_categories(graph), met, alone

    def _freed(self, plain: ModelProto) -> int | str:
        """Make the batch free if two pictures at once give what each gives alone; return it."""
        side = self._described.input.crop
        args = (plain, self._given.picture, side, self._described.reverse)
        free = fronted(*args, BATCH)
        pixels = np.random.default_rng(1).integers(0, 256, (2, side, side, 3), np.uint8)
        tensors = [step.tensor for step in self._graph.steps]
        picture = self._ours(pixels)
        try:
            both = running(free.model, tensors, self._label)(picture)
        except GivenError:
            return 1
        second = self._alone(picture[1:])
        for name in tensors:
            one = second[name]
            if both[name].shape != (2, *one.shape[1:]):
                return 1
            if relative_difference(both[name][1:], one) > TOLERANCE:
                return 1
        self._front = free
        return BATCH

    def _expected(
        self, pixels: NDArray[np.uint8], steps: Mapping[str, Step]
    ) -> dict[str, NDArray[Any]]:
        """Return what the given model computes for pictures, one at a time, as our outputs are."""
        rows: dict[str, list[NDArray[Any]]] = {name: [] for name in steps}
        given = self._given.picture
        for one in pixels[:, np.newaxis]:
            picture = as_theirs(one, self._described, given)
            met = self._open(picture)
            check_answers(self._answers, self._untouched(picture), met, self._label)
            for name, step in steps.items():
                found = met.get(self._original(step))
                if found is None:  # ours: grey, or channels in reverse
                    bare = replace(given, last=False)
                    found = as_theirs(one, self._described, bare)
                turned = step.tensor in self._front.reversed
                rows[name].append(_as_output(found, step, turned, step is self._graph.answers))
        return {name: np.concatenate(parts) for name, parts in rows.items()}

    def _original(self, step: Step) -> str:
        """Return what the given model calls the tensor of a step."""
        return self._front.original.get(step.tensor, step.tensor)

    @cached_property
    def _open(self) -> Run:
        """The given model with the tensors of all steps handed out, and nothing else changed."""
        there = set(names_of(self._reference.graph))
        wanted = [self._original(step) for step in self._graph.steps]
        wanted += [self._answers.tensor, self._answers.output]
        names = [name for name in dict.fromkeys(wanted) if name in there]
        return running(self._reference, names, self._label)

    @cached_property
    def _untouched(self) -> Run:
        """The given model as it is."""
        return running(self._reference, [self._answers.output], self._label)

    def _check(self) -> None:
        """Refuse what cannot be shown, or not under its own name."""
        steps = self._graph.steps
        if not any(one.shape and len(one.shape) == 3 and max(one.shape[1:]) > 1 for one in steps):
            raise GivenError(
                f"{self._label} has no feature maps: only networks with maps are shown"
            )


def _labels(given: str) -> Path | str:
    return given if given in {"", IMAGENET} else Path(given)


def _as_output(found: NDArray[Any], step: Step, turned: bool, answers: bool) -> NDArray[Any]:
    """Return a tensor of the given model as our file hands it out."""
    if answers:
        flat = found.reshape(len(found), -1).astype(np.float32)
        return np.concatenate([np.zeros_like(flat), flat], 1) if step.two else flat
    maps = found.transpose(0, 3, 1, 2) if step.last and found.ndim == 4 else found
    return (maps[:, ::-1] if turned else maps).astype(np.float32)


def _named(step: Step) -> Named:
    node = step.node
    assert node is not None
    noted = {one.key: one.value for one in node.metadata_props}
    weight = node.input[1] if step.op in {network.CONVOLUTION, "linear"} else ""
    return Named(step.tensor, step.op, node.name, noted.get(SCOPES, ""), weight)


def _producers(given: Given) -> dict[str, str]:
    made = {name: version(name) for name in ("onnx", "onnxruntime")}
    if given.model.producer_name:
        name = artifacts.printable(given.model.producer_name)[:100]
        told = artifacts.printable(given.model.producer_version)[:100]
        made = {name: told.removesuffix(" None"), **made}
    return made


def _random(seed: int, weights: Weights) -> Weights:
    return replace(
        weights,
        name=f"random weights, seed {seed}",
        source="random",
        sha256=None,
        licence="none needed",
        trained_on="nothing: drawn at random by the rule of He et al. (2015)",
        note="This network has learned nothing. Its answers mean nothing.",
    )
