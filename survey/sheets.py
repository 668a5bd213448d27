"""Sheets: the strongest patches of all channels as one picture a layer."""

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from math import ceil, prod, sqrt
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import artifacts
from export.manifest import Layer, read_manifest
from precompute.folder import some
from precompute.workers import LostTaskError, available_cores
from sizes import readable
from survey import contract
from survey.engines import Engine
from survey.job import Item, Job, item_of
from survey.layers import parts
from survey.patches import Cuts, Pixels, Window, cut_photos, windows
from survey.summary import Summary

EACH = 5
"""Patches a channel."""
SIDE = 48
"""Of a patch, pixels: three of WebP's blocks, so that neighbours do not run into each other."""
WRONG_SIDE = 96
MOST = 60_000_000
"""Bytes of all sheets of patches."""
LONGEST = 16383
"""Side of a WebP, pixels."""
QUALITIES = (75, 50)
"""Of the sheets: with 75 those of ResNet-18's 57 layers take 34 MB, with 50 a fifth less."""
_METHOD = 4
"""How hard WebP tries: 6 saves 3 % and takes six times as long, 2 adds 3 % and takes half as long."""
_GROUP = 512
"""Patches that are cut in one task, or all of one photo."""

Progress = Callable[[str, int], Callable[[], None]]
"""Called with what is done and how many there are; returns what to call after each."""
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sheets:
    """The pictures of a survey."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Content by path in the survey's folder."""
    layers: dict[str, contract.Patches] = field(default_factory=dict)
    """By the layer's name."""
    wrong: contract.Sheet | None = None
    remarks: list[str] = field(default_factory=list)


def draw(
    summary: Summary,
    job: Job,
    items: Sequence[Item],
    engine: Engine,
    scratch: Path,
    progress: Progress,
    each: int = EACH,
    most: int | None = MOST,
) -> Sheets:
    """Return the strongest patches of every channel, `each` of them, and the most wrong photos.

    `items` are the photos, sorted by name; `scratch` is a file that does not exist, nor does it
    afterwards. Where the patches take more than `most` bytes they are encoded with less quality,
    then there are fewer of them, and at last none. The remarks say so, and name photos that cannot
    be read any more. Equal arguments give equal sheets, whatever the engine.
    """
    manifest = read_manifest(job.manifest)
    names = sorted(summary.names.values())
    place = {name: position for position, name in enumerate(names)}
    photo_of = {key: place[name] for key, name in summary.names.items()}
    cutter = _Cutter(job, [item_of(name, items) for name in names], engine, scratch, progress)
    side = manifest.input.crop
    wanted = [
        _fields(summary, layer, channels, photo_of, each, side)
        for layer, channels in parts(manifest)
    ]
    with cutter.cut("patches", wanted, SIDE) as patches:
        layers, files, remarks = _layers(manifest.feature_maps, patches, most, progress)
    wrong = [(photo_of[key], 0, 0, side, side) for key in summary.wrong.key.tolist()]
    sheet = None
    if wrong:
        with cutter.cut("wrong photos", [np.array(wrong)[:, None]], WRONG_SIDE) as patches:
            sheet = _sheet(contract.WRONG_NAME, patches.places[0], WRONG_SIDE)
            files[sheet.path] = _encode(patches, patches.places[0], sheet, QUALITIES[0])
    if cutter.faults:
        names = sorted(cutter.faults)
        remarks.append(
            f"no patches of photos that cannot be read any more: {some(names)} "
            f"({cutter.faults[names[0]]})"
        )
    return Sheets(files, layers, sheet, remarks)


def _fields(
    summary: Summary,
    layer: Layer,
    channels: slice,
    photo_of: dict[int, int],
    each: int,
    side: int,
) -> Integers:
    """Return photo, top, left, height and width of the patches of a layer: (C, each, 5). The photo
    is −1 where there is none.
    """
    strongest = summary.strongest
    key = strongest.key[channels, :each]
    photo = np.array([photo_of[one] for one in key.reshape(-1).tolist()], np.int64)
    photo[strongest.value[channels, :each].reshape(-1) <= 0] = -1
    seen = windows(layer, strongest.place[channels, :each].reshape(-1), side)
    return np.column_stack([photo, seen]).reshape(*key.shape, 5)


@dataclass(frozen=True)
class _Patches:
    """Patches on the disk, each once, however many channels have it."""

    pixels: Pixels
    """(patches, side, side, 4)."""
    places: list[Integers]
    """For each layer the positions in `pixels`, −1 for none: (C, each)."""


@dataclass(frozen=True)
class _Cutter:
    """Cuts patches from photos, each of which is read once."""

    job: Job
    photos: Sequence[Item]
    engine: Engine
    scratch: Path
    progress: Progress
    faults: dict[str, str] = field(default_factory=dict)
    """Why photos could not be used, by name."""

    @contextmanager
    def cut(self, what: str, wanted: Sequence[Integers], side: int) -> Iterator[_Patches]:
        """Cut what each layer wants: (C, each, 5) as _fields() gives it."""
        fields = np.concatenate([layer.reshape(-1, 5) for layer in wanted])
        there = fields[:, 0] >= 0
        different, position = np.unique(fields[there], axis=0, return_inverse=True)
        place = np.full(len(fields), -1)
        place[there] = position.reshape(-1)
        ends = np.cumsum([layer.shape[0] * layer.shape[1] for layer in wanted])
        places = [
            of_layer.reshape(layer.shape[:2])
            for of_layer, layer in zip(np.split(place, ends[:-1]), wanted, strict=True)
        ]
        shape = (max(1, len(different)), side, side, 4)
        try:
            with artifacts.naming(self.scratch), self.scratch.open("xb") as file:
                file.truncate(prod(shape))
                self._fill(what, file, different, side)
            yield _Patches(np.memmap(self.scratch, np.uint8, "r", shape=shape), places)
        finally:
            self.scratch.unlink(missing_ok=True)

    def _fill(self, what: str, file: BinaryIO, different: Integers, side: int) -> None:
        """Cut patches, which are sorted by photo, and write them."""
        groups = list(self._groups(different, side))
        step = self.progress(what, sum(len(cuts.photos) for cuts in groups))
        while groups:
            lost = []
            for cuts, result in self.engine.map(partial(cut_photos, self.job), groups):
                if isinstance(result, LostTaskError):
                    # One photo may have done it: the others of its group get another chance.
                    alone = list(_alone(cuts))
                    if len(alone) > 1:
                        lost += alone
                        continue
                    self.faults[cuts.photos[0][0].name] = str(result)
                else:
                    file.seek(cuts.first * side * side * 4)
                    file.write(result.pixels.tobytes())
                    self.faults.update(result.faults)
                for _ in cuts.photos:
                    step()
            groups = lost

    def _groups(self, different: Integers, side: int) -> Iterator[Cuts]:
        """Yield the patches in groups of photos."""
        photos, starts = np.unique(different[:, 0], return_index=True)
        bounds = pairwise([*starts.tolist(), len(different)])
        gathered: list[tuple[Item, tuple[Window, ...]]] = []
        first = 0
        for photo, (start, end) in zip(photos.tolist(), bounds, strict=True):
            windows_of = tuple(tuple(window) for window in different[start:end, 1:].tolist())
            gathered.append((self.photos[photo], windows_of))
            if end - first >= _GROUP or end == len(different):
                yield Cuts(first, tuple(gathered), side)
                gathered, first = [], end


def _alone(cuts: Cuts) -> Iterator[Cuts]:
    """Yield the patches of each photo for itself."""
    first = cuts.first
    for photo in cuts.photos:
        yield Cuts(first, (photo,), cuts.side)
        first += len(photo[1])


def _layers(
    layers: Sequence[Layer], patches: _Patches, most: int | None, progress: Progress
) -> tuple[dict[str, contract.Patches], dict[str, bytes], list[str]]:
    """Return the sheets of all layers, their files and what to say of them."""
    kept, quality, why = patches.places[0].shape[1], QUALITIES[0], ""
    while True:
        places = {
            layer.slug: of_layer[:, :kept]
            for layer, of_layer in zip(layers, patches.places, strict=True)
            if (of_layer[:, :kept] >= 0).any()
        }
        # A ReLU mostly has the patches of what it reads, and so the same sheet.
        first: dict[bytes, str] = {}
        for slug, of_layer in places.items():
            first.setdefault(of_layer.tobytes(), slug)
        sheets = {
            slug: _sheet(contract.patches_name(first[of_layer.tobytes()]), of_layer, SIDE)
            for slug, of_layer in places.items()
        }
        if any(max(one.columns, one.rows) * one.side > LONGEST for one in sheets.values()):
            why = f"a sheet of patches would be longer than the {LONGEST} pixels of a WebP"
            kept -= 1
        else:
            step = progress("sheets", len({sheet.path for sheet in sheets.values()}))
            files = _encoded(patches, [*places.values()], [*sheets.values()], quality, step)
            size = sum(map(len, files.values()))
            if most is None or size <= most:
                break
            why = f"the strongest patches would take more than {readable(most)} (MAX_PATCHES=…)"
            # A patch takes about the same of all of them, however many there are.
            fewer = min(kept - 1, kept * most // size)
            kept, quality = (kept if quality > QUALITIES[-1] else fewer), QUALITIES[-1]
        if kept < 1:
            return {}, {}, [f"{why}: they are left out"]
    remark = f"{why}: each channel has {kept} of them, encoded with quality {quality}"
    found = {
        layer.name: contract.Patches(sheets[layer.slug], kept)
        for layer in layers
        if layer.slug in sheets
    }
    return found, files, [remark] if why else []


def _encoded(
    patches: _Patches,
    places: Sequence[Integers],
    sheets: Sequence[contract.Sheet],
    quality: int,
    step: Callable[[], None],
) -> dict[str, bytes]:
    """Return the sheets' files, each of which is encoded once."""
    with ThreadPoolExecutor(available_cores()) as pool:
        encoding = {
            sheet.path: pool.submit(_encode, patches, some, sheet, quality)
            for sheet, some in {
                s.path: (s, p) for s, p in zip(sheets, places, strict=True)
            }.values()
        }
        files = {}
        for path, future in encoding.items():
            files[path] = future.result()
            step()
    return files


def _sheet(path: str, places: Integers, side: int) -> contract.Sheet:
    """Return a sheet for (C, each) patches that is about as wide as high; the patches of a channel
    are not torn apart.
    """
    channels, each = places.shape
    across = max(1, round(sqrt(channels / each)))
    return contract.Sheet(path, side, across * each, ceil(channels / across))


def _encode(patches: _Patches, places: Integers, sheet: contract.Sheet, quality: int) -> bytes:
    """Return a sheet as a WebP."""
    cells = np.full(sheet.columns * sheet.rows, -1)
    cells[: places.size] = places.reshape(-1)
    pixels = patches.pixels[cells.clip(0)]
    pixels[cells < 0] = 0
    side = sheet.side
    page = pixels.reshape(sheet.rows, sheet.columns, side, side, 4).swapaxes(1, 2)
    picture = Image.fromarray(page.reshape(sheet.rows * side, sheet.columns * side, 4))
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=_METHOD)
    return file.getvalue()
