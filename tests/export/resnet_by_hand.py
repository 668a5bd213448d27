"""ResNet-18 written out from its paper, straight from a state dict, with nothing in place."""

import torch
from torch.nn import functional as F  # noqa: N812

BLOCKS = [(stage, number) for stage in (1, 2, 3, 4) for number in (0, 1)]


def parts(stage: int, number: int) -> list[str]:
    shortcut = ["downsample.0", "downsample.1"] if stage > 1 and number == 0 else []
    return ["conv1", "bn1", "relu", "conv2", "bn2", *shortcut, "add", "relu_1"]


SPATIAL = [
    *["conv1", "bn1", "relu", "maxpool"],
    *[f"layer{s}.{n}.{part}" for s, n in BLOCKS for part in parts(s, n)],
]
"""The 66 tensors with positions, in forward order."""
ALL = [*SPATIAL, "avgpool", "fc"]


def forward(state: dict[str, torch.Tensor], picture: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return every tensor of ALL for a (batch, 3, height, width) input."""
    out: dict[str, torch.Tensor] = {}

    def convolve(name, x, stride=1, padding=0):
        out[name] = F.conv2d(x, state[f"{name}.weight"], stride=stride, padding=padding)
        return out[name]

    def rescale(name, x):
        statistics = [state[f"{name}.{part}"] for part in ("running_mean", "running_var")]
        affine = [state[f"{name}.{part}"] for part in ("weight", "bias")]
        out[name] = F.batch_norm(x, *statistics, *affine, eps=1e-5)
        return out[name]

    def rectify(name, x):
        out[name] = F.relu(x)
        return out[name]

    x = rectify("relu", rescale("bn1", convolve("conv1", picture, stride=2, padding=3)))
    x = out["maxpool"] = F.max_pool2d(x, 3, stride=2, padding=1)
    for stage, number in BLOCKS:
        block = f"layer{stage}.{number}"
        stride = 2 if stage > 1 and number == 0 else 1
        branch = convolve(f"{block}.conv1", x, stride=stride, padding=1)
        branch = rectify(f"{block}.relu", rescale(f"{block}.bn1", branch))
        branch = rescale(f"{block}.bn2", convolve(f"{block}.conv2", branch, padding=1))
        if stride == 2:
            x = convolve(f"{block}.downsample.0", x, stride=2)
            x = rescale(f"{block}.downsample.1", x)
        out[f"{block}.add"] = branch + x
        x = rectify(f"{block}.relu_1", out[f"{block}.add"])
    out["avgpool"] = x.mean(dim=(2, 3), keepdim=True)
    out["fc"] = F.linear(out["avgpool"].flatten(1), state["fc.weight"], state["fc.bias"])
    return out
