"""What common mistakes in preparing a photo do to what the network gets, computes and answers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import artifacts
from export.manifest import Input, Layer
from precompute import index, lessons
from precompute.decode import open_picture
from precompute.entry import Model, answers_of, open_model
from precompute.errors import NonFiniteError
from precompute.figures import number, numbers
from precompute.limits import Limits
from precompute.preprocess import FILTERS, channels_first, crop, normalise, standardise
from precompute.reductions import Basis, Float64, colours, principal_components, project, softmax
from precompute.session import run
from precompute.tiles import Float32, Pixels, png

CORRECT = "correct"
CANDIDATES = 16
"""Photos that are tried, so that the work does not grow with their number."""
ANSWERS = 3


def prepare(picture: Image.Image, spec: Input) -> dict[str, Float32]:
    """Return the (1, 3, crop, crop) inputs that an RGB picture becomes: correctly, and by mistake."""
    pixels = crop(picture, spec)
    unit = pixels.astype(np.float32) / np.float32(255)
    squashed = picture.resize((spec.crop, spec.crop), FILTERS[spec.interpolation])
    # A camera held upright stores rows from right to left; this is how they look as they lie.
    turned = picture.transpose(Image.Transpose.ROTATE_90)
    in_rows = pixels.reshape(3, spec.crop, spec.crop)
    return {
        CORRECT: normalise(pixels, spec),
        "not-normalised": channels_first(unit),
        "not-scaled": standardise(pixels.astype(np.float32), spec),
        "scaled-twice": standardise(unit / np.float32(255), spec),
        "bgr": normalise(pixels[..., ::-1], spec),
        "squashed": normalise(np.asarray(squashed), spec),
        "turned": normalise(crop(turned, spec), spec),
        "reshaped": normalise(in_rows.transpose(1, 2, 0), spec),
    }


def candidates(entries: Iterable[index.ImageEntry]) -> list[str]:
    """Return the ids of the photos to try: the CANDIDATES most confident right answers, or where
    none is right those without a true class, then wrong ones; charts only where nothing else is.
    """
    order = {True: 0, None: 1, False: 2}
    ranked = nsmallest(
        CANDIDATES,
        (
            ((entry.chart, order[entry.correct]), -entry.answers[0].probability, position, entry.id)
            for position, entry in enumerate(entries)
        ),
    )
    return [image for group, *_, image in ranked if group == ranked[0][0]]


def mistake_files(
    manifest_path: Path,
    provider: str,
    photos: Mapping[str, Path],
    limits: Limits,
    progress: Callable[[str, int], Callable[[], None]],
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of lessons.MISTAKES; `photos` are those to try, by id."""
    model = open_model(manifest_path, provider)
    done = progress("photos prepared wrongly", len(photos))
    trials = []
    for image, path in photos.items():
        trials.append(_try(image, open_picture(path, limits), model))
        done()
    chosen = max(trials, key=lambda trial: trial.loss)  # the first of equals
    changed = {name: sum(trial.changed[name] for trial in trials) for name in chosen.changed}
    inputs = prepare(open_picture(photos[chosen.image], limits), model.manifest.input)
    correct = _Correct(inputs[CORRECT], model)
    same, not_finite, preparations = [], [], []
    for name, given in inputs.items():
        if name != CORRECT and np.array_equal(given, inputs[CORRECT]):
            same.append(name)
            continue
        try:
            preparation, files = correct.beside(name, given, changed[name])
        except NonFiniteError:
            if name == CORRECT:
                raise
            not_finite.append(name)
            continue
        preparations.append(preparation)
        yield from files
    mistakes = lessons.Mistakes(
        image=chosen.image,
        photos=len(trials),
        mean=_ends([trial.mean for trial in trials]),
        std=_ends([trial.std for trial in trials]),
        preparations=tuple(preparations),
        same=tuple(same),
        not_finite=tuple(not_finite),
    )
    yield "index.json", artifacts.encode(mistakes)


@dataclass(frozen=True)
class _Trial:
    """What mistakes do to the answer for one photo."""

    image: str
    loss: float
    """Probability that the answer loses, summed over mistakes."""
    changed: dict[str, bool]
    mean: Float64
    """Of the channels of the correct input; (3,)."""
    std: Float64


def _try(image: str, picture: Image.Image, model: Model) -> _Trial:
    inputs = prepare(picture, model.manifest.input)
    logits_of = model.manifest.logits
    answer, right, loss = -1, 0.0, 0.0
    changed = {}
    for name, given in inputs.items():
        logits = run(model.session, model.manifest, given, [logits_of])[logits_of]
        finite = bool(np.isfinite(logits).all())
        if name == CORRECT:
            answer = int(logits.argmax())
            right = float(softmax(logits)[answer])
        loss += right - (float(softmax(logits)[answer]) if finite else 0.0)
        changed[name] = not finite or int(logits.argmax()) != answer
    return _Trial(image, loss, changed, *_moments(inputs[CORRECT]))


class _Correct:
    """What the network computes from the correct input, to lay other runs beside."""

    def __init__(self, given: Float32, model: Model) -> None:
        manifest = model.manifest
        self.model = model
        self.layers: list[Layer] = list({one.stage: one for one in manifest.feature_maps}.values())
        self.activations = self._run(given)
        self.answer = int(self.activations[manifest.logits].argmax())
        self.colours = {layer.name: self._colours(layer) for layer in self.layers}

    def beside(
        self, name: str, given: Float32, changed: int
    ) -> tuple[lessons.Preparation, list[tuple[str, bytes]]]:
        """Return what the network makes of `given`, and the pictures; raises NonFiniteError."""
        manifest = self.model.manifest
        activations = self._run(given)
        levels = _levels(given, manifest.input)
        pixels = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        files = [(lessons.prepared_input_name(name), png(pixels))]
        layers = []
        for layer in self.layers:
            picture, beyond = self._picture(layer, activations[layer.name])
            path = lessons.prepared_layer_name(name, layer.slug)
            files.append((path, png(picture)))
            here, there = activations[layer.name], self.activations[layer.name]
            layers.append(
                lessons.Deviation(
                    layer=layer.name,
                    picture=path,
                    beyond=number(beyond),
                    distance=_distance(here, there),
                    distance_of_means=_distance(_means(here), _means(there)),
                )
            )
        logits = activations[manifest.logits]
        mean, std = _moments(given)
        preparation = lessons.Preparation(
            id=name,
            picture=files[0][0],
            beyond=number(float(np.mean((levels < -0.5) | (levels > 255.5)))),
            low=number(float(given.min())),
            high=number(float(given.max())),
            mean=_three(mean),
            std=_three(std),
            layers=tuple(layers),
            answers=answers_of(logits, manifest)[:ANSWERS],
            probability=number(float(softmax(logits)[self.answer])),
            changed=changed,
        )
        return preparation, files

    def _run(self, given: Float32) -> dict[str, Float32]:
        manifest = self.model.manifest
        names = [*(layer.name for layer in self.layers), manifest.logits]
        activations = run(self.model.session, manifest, given, names)
        for name, values in activations.items():
            if not np.isfinite(values).all():
                raise NonFiniteError(f"layer {name}: NaN or infinity")
        return activations

    def _colours(self, layer: Layer) -> tuple[Basis, Float64, Float64]:
        """Return the components of the correct run, and their smallest and largest scores."""
        basis = principal_components(self.activations[layer.name])
        scores = project(self.activations[layer.name], basis)
        return basis, scores.min(axis=(1, 2)), scores.max(axis=(1, 2))

    def _picture(self, layer: Layer, activations: Float32) -> tuple[Pixels, float]:
        basis, low, high = self.colours[layer.name]
        scores = project(activations, basis)
        slack = 1e-6 * (high - low)[:, None, None]
        outside = (scores < low[:, None, None] - slack) | (scores > high[:, None, None] + slack)
        return colours(scores, low, high), float(outside.any(axis=0).mean())


def _levels(given: Float32, spec: Input) -> Float64:
    """Return an input as (rows, columns, 3) levels: 0 to 255 where a correct one can lie."""
    unit = given[0].transpose(1, 2, 0).astype(np.float64) * spec.std + spec.mean
    return np.asarray(unit * 255, np.float64)


def _moments(given: Float32) -> tuple[Float64, Float64]:
    """Return mean and standard deviation of each channel of an input, both (3,)."""
    wide = given[0].reshape(3, -1).astype(np.float64)
    return wide.mean(axis=1), wide.std(axis=1)


def _means(activations: Float32) -> Float64:
    means: Float64 = activations.mean(axis=(1, 2), dtype=np.float64)
    return means


def _distance(here: NDArray[np.floating], there: NDArray[np.floating]) -> float | None:
    length = float(np.linalg.norm(there.astype(np.float64)))
    apart = float(np.linalg.norm(here.astype(np.float64) - there))
    return number(apart / length) if length > 0 else None


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = numbers(values)
    return red, green, blue


def _ends(values: list[Float64]) -> tuple[float, float]:
    return number(float(np.min(values))), number(float(np.max(values)))
