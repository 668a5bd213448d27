"""Every output of the ONNX file is what ResNet-18 computes there, with nothing overwritten."""

import numpy as np
import pytest
import torch
from resnet_by_hand import ALL, SPATIAL, forward

SIGNED_PARTS = ("bn1", "bn2", "add", "downsample.1")


def relative(found, expected):
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("batch", [1, 2])
def test_every_output_equals_the_network_written_out_by_hand(session, state, pictures, batch):
    with torch.inference_mode():
        expected = forward(state, pictures[:batch])
    found = dict(zip(ALL, session.run(ALL, {"input": pictures[:batch].numpy()}), strict=True))
    off = {name: relative(found[name], expected[name].numpy()) for name in ALL}
    assert {name: value for name, value in off.items() if not value <= 1e-5} == {}
    assert {n: a.shape for n, a in found.items()} == {
        n: tuple(t.shape) for n, t in expected.items()
    }


def test_what_comes_before_a_relu_goes_below_zero(activations):
    before = [name for name in SPATIAL if name.endswith(SIGNED_PARTS)]
    assert len(before) == 28
    assert [name for name in before if not activations[name].min() < 0] == []
