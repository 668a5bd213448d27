"""The pixels that an activation sees are found by raising them one by one.

The network has ResNet-18's geometry, one channel everywhere, and only positive weights, so that
every pixel in the field makes the activation larger. In float64 even the weakest path shows.
"""

import math

import pytest
import torch
from resnet_by_hand import SPATIAL, forward

from export.manifest import ReceptiveField

SIDE = 512
NARROW = 32
RAISED = 1e6


@pytest.fixture(scope="module")
def thin(state):
    """The state dict with each tensor cut to one channel (three for the picture) and made plain."""
    plain = {}
    for name, tensor in state.items():
        if tensor.dim() == 4:
            shape = (1, 3 if name == "conv1.weight" else 1, *tensor.shape[2:])
            plain[name] = torch.full(shape, 1 / math.prod(shape), dtype=torch.float64)
        else:
            value = 0.0 if name.endswith(("bias", "running_mean")) else 1.0
            plain[name] = torch.full((1,), value, dtype=torch.float64)
    plain["fc.weight"] = torch.ones(1, 1, dtype=torch.float64)
    return plain


@pytest.fixture(scope="module", params=["rows", "columns"])
def seen(request, thin):
    """Layer to, for each of two positions, the rows or columns that change its activation.

    The pictures are long along the axis that is measured and narrow across it.
    """

    def turned(tensor):
        return tensor if request.param == "rows" else tensor.mT

    def centres(pictures):
        """Return for each layer the activations at two neighbouring positions in the middle."""
        with torch.inference_mode():
            tensors = forward(thin, turned(pictures))
        long = {name: turned(tensors[name])[:, 0] for name in SPATIAL}
        middle = {name: (t.shape[1] // 2, t.shape[2] // 2) for name, t in long.items()}
        return {name: long[name][:, [i - 1, i], j].T for name, (i, j) in middle.items()}

    plain = torch.ones(1, 3, SIDE, NARROW, dtype=torch.float64)
    before = centres(plain)
    changed = {name: [] for name in SPATIAL}
    for lines in torch.arange(SIDE).split(32):
        pictures = plain.repeat(len(lines), 1, 1, 1)
        pictures[torch.arange(len(lines)), 0, lines, NARROW // 2] += RAISED
        for name, after in centres(pictures).items():
            changed[name].append((after - before[name]) / before[name] > 1e-9)
    axis = ["rows", "columns"].index(request.param)
    return axis, {name: torch.cat(parts, dim=1) for name, parts in changed.items()}


def test_fields_are_those_that_raising_single_pixels_finds(seen, manifest):
    axis, lines = seen
    described, measured = {}, {}
    for name in SPATIAL:
        field = manifest.layer(name).receptive_field
        described[name] = (field.size[axis], field.stride[axis], field.offset[axis])
        earlier, later = (line.nonzero().flatten().tolist() for line in lines[name])
        assert later == list(range(later[0], later[-1] + 1)), f"{name}: a gap in the field"
        stride = later[-1] - earlier[-1]
        position = SIDE // stride // 2
        measured[name] = (len(later), stride, later[0] - position * stride)
    assert described == measured


def test_late_fields_are_larger_than_the_picture(manifest):
    last = manifest.layer("layer4.1.relu_1").receptive_field
    assert min(last.size) > manifest.input.crop
    assert max(last.offset) < 0
    assert {layer.receptive_field for layer in manifest.layers if not layer.spatial} == {None}
    assert isinstance(last, ReceptiveField)
