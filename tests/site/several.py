"""Three small models of the same photos, and the site that shows them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tiny_onnx as tiny
from small_gallery import draw, quiet

from export.manifest import ReceptiveField
from precompute.build import Settings, precompute
from site_template.pages import Site
from site_template.render import render

URL = "https://example.org/maps/"
MAIN, TWIN, OTHER = "tiny", "tiny-random-0", "wider"
NAMES = (MAIN, TWIN, OTHER)
SEES = ReceptiveField((3, 3), (1, 1), (-1, -1))


def twin():
    """The same layers with other weights."""
    weight, linear = tiny.WEIGHT[::-1] + 0.25, tiny.LINEAR[:, ::-1].copy()
    parts = tiny.parts()
    parts["tensors"][:2] = [tiny.tensor("w", weight), tiny.tensor("v", linear)]
    held = {**tiny.arrays(), "stem": weight, "conv.weight": weight, "classifier.weight": linear}
    return tiny.onnx(tiny.graph(**parts)), held


def wider():
    """Six channels instead of four."""
    weight = np.concatenate([tiny.WEIGHT, tiny.WEIGHT[:2]])
    linear = np.concatenate([tiny.LINEAR, tiny.LINEAR[:, :2]], axis=1)
    parts = tiny.parts()
    parts["tensors"][:2] = [tiny.tensor("w", weight), tiny.tensor("v", linear)]
    parts["outputs"][:2] = [tiny.value(name, ["b", 6, 8, 8]) for name in ("conv", "relu")]
    held = {**tiny.arrays(), "stem": weight, "stem.untrained": weight}
    held |= {"conv.weight": weight, "classifier.weight": linear}
    return tiny.onnx(tiny.graph(**parts)), held


@dataclass(frozen=True)
class Made:
    manifests: list[Path]
    tiles: Path
    site: Path

    def render(self, *models: str, out: Path, site: Site = Site("Maps", "", "", URL), **more):  # noqa: B008 (frozen)
        paths = [path for name in models for path in self.manifests if path.parent.name == name]
        return render(site, paths, self.tiles, self.tiles.with_name("none"), out, **more)


def build(folder: Path) -> Made:
    """Three models; the last has not seen the last photo."""
    photos, fewer = folder / "photos", folder / "fewer"
    for kept, seeds in ((photos, (0, 1, 2)), (fewer, (0, 1))):
        (kept / "ash").mkdir(parents=True)
        for seed in seeds:
            draw(kept / ("ash" if seed else ".") / f"p{seed}.png", seed)
    trained = replace(tiny.manifest().weights, name="trained", source="bundled", trained_on="trees")
    described = {
        MAIN: (replace(tiny.manifest(), weights=trained), tiny.onnx(tiny.graph(**tiny.parts())), None),
        TWIN: (tiny.manifest(), *twin()),
        OTHER: (tiny.with_kernels((6, 3, 3, 3)), *wider()),
    }  # fmt: skip
    manifests = []
    for name, (manifest, data, held) in described.items():
        layers = tuple(
            replace(one, receptive_field=SEES if one.spatial else None) for one in manifest.layers
        )
        manifest = replace(manifest, model=name, layers=tuple(layers))
        path = tiny.save(folder / name, data, held, manifest)
        seen = fewer if name == OTHER else photos
        precompute(
            Settings((path,), seen, folder / "tiles", provider="cpu", workers=1, allow_skips=False),
            quiet,
        )
        manifests.append(path)
    result = Made(manifests, folder / "tiles", folder / "out" / "site")
    result.render(*NAMES, out=result.site)
    return result
