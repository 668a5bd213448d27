"""Small networks that tests describe layer by layer."""

import dataclasses

import artifacts
from export.manifest import PICTURE, Layer, read_manifest


def layer(name, op, *inputs, hidden=False, channels=4, side=8, **more):
    """Return a layer of `op`; what is not given does not matter."""
    window = dict.fromkeys(("kernel", "stride", "padding", "dilation"))
    if op in {"convolution", "max pool"}:
        window = {"kernel": (3, 3), "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1)}
    given = {
        "groups": 1 if op == "convolution" else None,
        "receptive_field": None,
        **window,
        **more,
    }
    return Layer(
        name=name,
        slug=artifacts.slug(name),
        title=op,
        op=op,
        stage="s",
        block="b",
        inputs=inputs or (PICTURE,),
        exported=not hidden,
        spatial=True,
        signed=True,
        channels=channels,
        height=side,
        width=side,
        parameters=0,
        **given,
    )


def network(exported, *layers):
    """Return the manifest of a network of these layers; all else is that of `exported`."""
    return dataclasses.replace(read_manifest(exported), layers=layers)
