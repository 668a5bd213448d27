"""How much a gallery will take, told before it is computed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from export.manifest import Layer, ModelManifest, weight_shape
from export.presets import PRESETS, choose
from precompute import index
from precompute.errors import PrecomputeError
from precompute.origins import chain_of
from precompute.shared import PEAKS, RANKED
from precompute.stem import stem_of
from precompute.trial import Sizes
from sizes import readable

PREPARATIONS = 8
"""One is right; see lessons.Mistakes."""
_NUMBER = 13
"""Bytes of an exact number in JSON, sign, point and comma included."""
_PEAK = 19
"""Bytes of a photo's place in a ranking: value, position in a list, row and column."""
_FIGURES = 6 * _NUMBER
"""Bytes that SharedFigures has for a channel besides its peaks: range, mean and components."""
_CELLS = 13
"""Times that a kernel of the first convolution is drawn; see stem.stem_files()."""
_VALUE = 0.6
"""Bytes of an activation, where no photo could be measured."""
_NAMED = 3
"""Layers that a refusal names."""


@dataclass(frozen=True)
class Estimate:
    """What a model takes of the site, in bytes."""

    manifest: ModelManifest
    sizes: Sizes
    """The files of one photo, as trial.try_model() gives them; empty where none is known."""
    stale: int
    """How many photos are to be computed."""
    current: tuple[int, ...]
    """Bytes of each of the others."""
    model: int
    """Bytes of everything that belongs to no single photo; see of_model()."""

    @property
    def photos(self) -> int:
        """How many photos there will be."""
        return self.stale + len(self.current)

    @property
    def photo(self) -> int:
        """Bytes of a photo that is to be computed, with its pictures among those of all photos."""
        values = sum(_values(layer) for layer in self.manifest.feature_maps)
        return of_photo(self.sizes) or round(_VALUE * values)

    @property
    def total(self) -> int:
        """Bytes of all."""
        return self.model + sum(self.current) + self.stale * self.photo

    def layer(self, layer: Layer) -> int:
        """Bytes of a layer of a photo, which need not be among those measured."""
        named = (index.sheet_name, index.figures_name, index.summary_name)
        found = sum(self.sizes.get(name(layer.slug), 0) for name in named)
        if found:
            return found + 2 * self.sizes.get(index.pca_name(layer.slug), 0)
        values = sum(_values(one) for one in self.manifest.feature_maps)
        return round(self.photo * _values(layer) / values)

    def with_layers(self, preset: str) -> tuple[int, int]:
        """Return the bytes of a photo and of all with another choice of layers."""
        manifest = self.manifest
        always = manifest.classifier.features if manifest.classifier else None
        names = set(choose(manifest.layers, preset, always))
        shown = [layer for layer in manifest.layers if layer.name in names and layer.spatial]
        fixed = self.photo - sum(self.layer(layer) for layer in manifest.feature_maps)
        photo = fixed + sum(self.layer(layer) for layer in shown)
        fewer = _shared(manifest.feature_maps, self.photos) - _shared(shown, self.photos)
        return photo, self.total - fewer - self.photos * (self.photo - photo)

    def __str__(self) -> str:
        return (
            f"{self.manifest.model}: about {readable(self.photo)} a photo, "
            f"{self.photos} photo{'s' * (self.photos != 1)}, "
            f"{readable(self.model)} for the model: {readable(self.total)}"
        )


def told(estimates: Sequence[Estimate]) -> Iterator[str]:
    """Yield what is to be computed, line by line, and all together where there are several models."""
    stale = [one for one in estimates if one.stale]
    yield from map(str, stale)
    if stale and len(estimates) > 1:
        yield f"all {len(estimates)} models: about {readable(sum(one.total for one in estimates))}"


def of_model(manifest: ModelManifest, sizes: Sizes, photos: int) -> int:
    """Return the bytes of what belongs to no single photo, the model's copy for browsers included."""
    browser = manifest.browser.bytes if manifest.browser else 0
    last = {layer.stage: layer.slug for layer in manifest.feature_maps}
    tried = [index.INPUT_NAME, *map(index.pca_name, last.values())]
    mistakes = PREPARATIONS * sum(sizes.get(name, 0) for name in tried)
    shared = _shared(manifest.feature_maps, photos)
    return browser + _kernels(manifest) + shared + mistakes + _stem(manifest)


def of_photo(sizes: Sizes) -> int:
    """Return the bytes of a photo's files, with its components in the basis of all photos, which
    make pictures like those in its own.
    """
    components = sum(size for name, size in sizes.items() if name.endswith(".pca.png"))
    return sum(sizes.values()) + components


def sizes_of(folder: Path) -> Sizes:
    """Return how large the files of a photo's folder are."""
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def _values(layer: Layer) -> int:
    return layer.channels * layer.height * layer.width


def _kernels(manifest: ModelManifest) -> int:
    """Return the bytes of the folder index.MODEL: its arrays exactly, its lists nearly."""
    convolutions, listed = {}, 0
    for layer in manifest.feature_maps:
        if chain := chain_of(layer, manifest):
            channels, inputs, rows, columns = weight_shape(manifest, chain[0])
            convolutions[chain[0].name] = channels * (4 + 2 * inputs * rows * columns)
            listed += (2 * len(chain) - 1) * _NUMBER * channels
    return sum(convolutions.values()) + listed


def _stem(manifest: ModelManifest) -> int:
    """Return the bytes of the folder lessons.STEM, but for a history."""
    stem = stem_of(manifest)
    if stem is None:
        return 0
    kernels, planes, rows, columns = weight_shape(manifest, stem)
    return kernels * _CELLS * planes * (rows + 1) * (columns + 1)


def _shared(layers: Iterable[Layer], photos: int) -> int:
    """Return the bytes of the folder index.SHARED but for its pictures."""
    ranked = min(photos, RANKED) + min(photos, PEAKS)
    return sum(layer.channels * (_FIGURES + ranked * _PEAK) for layer in layers)


def check_size(estimates: Sequence[Estimate], most: int | None) -> None:
    """Raise PrecomputeError where `estimates` are together more than `most` bytes: how large, how
    many photos would fit, which layers would.
    """
    total = sum(one.total for one in estimates)
    if most is None or total <= most:
        return
    fixed = sum(one.model for one in estimates)
    photos = max(one.photos for one in estimates)
    a_photo = sum((one.total - one.model) / one.photos for one in estimates if one.photos)
    fit = max(0, min(photos - 1, int((most - fixed) / a_photo))) if a_photo else 0
    presets = []
    for name in PRESETS:
        fewer = [one.with_layers(name) for one in estimates]
        if sum(whole for _, whole in fewer) <= most:
            a_photo_has = " + ".join(readable(photo) for photo, _ in fewer)
            presets.append(f"LAYERS={name} ({a_photo_has} a photo)")
    lines = [
        f"the gallery would take about {readable(total)}, and {readable(most)} is allowed:",
        *(f"  {one}" for one in estimates),
        f"About {fit} photo{'s' * (fit != 1)} would fit.",
        f"With fewer layers all would: make site {' or '.join(presets)}."
        if presets
        else "No choice of layers makes all of them fit.",
        f"The largest layers are {', '.join(_largest(estimates))}.",
        "Raise the limit with make site MAX_SITE_SIZE=… (none: no limit). Nothing was computed.",
    ]
    raise PrecomputeError("\n".join(lines))


def _largest(estimates: Sequence[Estimate]) -> list[str]:
    several = len(estimates) > 1
    layers = [
        (one.layer(layer), f"{layer.name}{f' of {one.manifest.model}' * several}")
        for one in estimates
        for layer in one.manifest.feature_maps
    ]
    layers.sort(key=lambda pair: -pair[0])
    return [f"{name} ({readable(size)} a photo)" for size, name in layers[:_NAMED]]
