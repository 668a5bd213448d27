"""Our tiles and channel figures against what no program could leave out: the network's own run,
and PNG encoding of the same bytes. Decoding, components and the shared pass are told apart.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

import artifacts
from benchmarks.common import network_input, seconds, spread
from precompute.decode import open_picture
from precompute.entry import Model, entry_files, figure_rows, open_model
from precompute.photos import Photo
from precompute.preprocess import crop
from precompute.reductions import colours, principal_components, project
from precompute.session import run
from precompute.shared import share_layer
from precompute.tiles import Pixels, png, quantise, scale_of, sheet
from store import replace_folder

ROUNDS = 5


def floor_report(manifest_path: Path, photos: list[Path]) -> Iterator[str]:
    """Yield the ratio to the floor, bytes a photo, and the time of the other parts."""
    model = open_model(manifest_path, "cpu")
    ratios, sizes = [], []
    parts: dict[str, list[float]] = {"decoding and cropping": [], "components": []}
    for photo in photos:
        picture = network_input(photo, model)
        sheets = tiles(model, picture)
        sizes.append(sum(len(png(pixels)) for pixels in sheets) / 1e6)
        floors, whole = [], []
        for _ in range(ROUNDS):
            floors.append(seconds(lambda p=picture, s=sheets: floor(model, p, s)))
            whole.append(seconds(lambda p=picture: tiles_and_figures(model, p)))
        ratios.append(median(ours / least for ours, least in zip(whole, floors, strict=True)))
        unit = median(floors)
        parts["decoding and cropping"].append(
            seconds(lambda p=photo: crop(open_picture(p), model.manifest.input)) / unit
        )
        parts["components"].append(seconds(lambda p=picture: components(model, p)) / unit)
    yield f"tiles and figures ÷ floor (run + PNG): {spread(ratios)} (goal: 1.25 or less)"
    yield f"sheets: {spread(sizes, ' MB')} a photo"
    for name, values in parts.items():
        yield f"  {name} ÷ floor: {spread(values)}"
    yield f"  shared pass ÷ floor, for each photo: {shared(model, photos) / unit:.3g}"


def tiles(model: Model, picture: np.ndarray) -> list[Pixels]:
    """Return the sheets of every layer."""
    activations = run(model.session, model.manifest, picture)
    return [
        sheet(quantise(activations[layer.name], layer.name).pixels)
        for layer in model.manifest.feature_maps
    ]


def floor(model: Model, picture: np.ndarray, sheets: list[Pixels]) -> None:
    """Run the network, and encode what we would encode."""
    run(model.session, model.manifest, picture)
    for pixels in sheets:
        png(pixels)


def tiles_and_figures(model: Model, picture: np.ndarray) -> None:
    """Run the network; make every sheet and the figures of its channels, as JSON."""
    activations = run(model.session, model.manifest, picture)
    layers = model.manifest.feature_maps
    quantised = [quantise(activations[layer.name], layer.name) for layer in layers]
    for layer, q, figures in zip(layers, quantised, figure_rows(quantised), strict=True):
        png(sheet(q.pixels))
        scale_of(activations[layer.name], float(q.low.min()))
        artifacts.encode([*figures, q.peak.tolist()])


def components(model: Model, picture: np.ndarray) -> None:
    """Make the component pictures of every layer; includes a run of the network."""
    activations = run(model.session, model.manifest, picture)
    for layer in model.manifest.feature_maps:
        maps = activations[layer.name]
        scores = project(maps, principal_components(maps))
        png(colours(scores, scores.min(axis=(1, 2)), scores.max(axis=(1, 2))))


def shared(model: Model, photos: list[Path]) -> float:
    """Return the seconds that the pass over all photos takes for each of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = []
        for path in photos:
            photo = Photo(path=path, name=path.name, id=path.stem, title=path.stem)
            replace_folder(folder / photo.id, entry_files(photo, open_picture(path), model))
            ids.append(photo.id)
        whole = seconds(
            lambda: [
                share_layer(folder, layer, ids, [], lambda name, data: None)
                for layer in model.manifest.feature_maps
            ]
        )
    return whole / len(ids)
