"""A residual sum is what adds a correction to a block's own input, and nothing else."""

from graphs import layer, network

from export.manifest import read_manifest
from site_template.residual import residual_of, residuals

START = layer("start", "relu")
BRANCH = [layer("conv", "convolution", "start"), layer("act", "relu", "conv")]
END = layer("end", "convolution", "act")


def roles(found):
    return {part.layer: part.role for part in found.parts}


def test_the_shortcut_is_the_blocks_input_in_whichever_order_the_sum_names_them(exported):
    for inputs in (("start", "end"), ("end", "start")):
        after = layer("after", "relu", "sum")
        model = network(exported, START, *BRANCH, END, layer("sum", "add", *inputs), after)
        (found,) = residuals(model)
        assert roles(found) == {
            "start": "shortcut: the block’s input",
            "end": "branch: the correction",
            "sum": "sum",
            "after": "after ReLU: the block’s output",
        }
        assert residual_of(START, (found,)) is None
        assert {one.name for one in model.layers if residual_of(one, (found,))} == found.inside
        assert found.inside == {"conv", "act", "end", "sum", "after"}


def test_without_a_relu_the_sum_is_the_output(exported):
    total = layer("sum", "add", "start", "end")
    for behind in ([], [layer("next", "convolution", "sum")]):
        (found,) = residuals(network(exported, START, *BRANCH, END, total, *behind))
        assert roles(found)["sum"] == "sum: the block’s output"
        assert len(found.parts) == 3


def test_a_shortcut_may_be_fitted_by_what_bends_no_values(exported):
    fit = [layer("fit", "convolution", "start", kernel=(1, 1)), layer("norm", "batch norm", "fit")]
    total = layer("sum", "add", "norm", "end")
    (found,) = residuals(network(exported, START, *BRANCH, END, *fit, total))
    assert roles(found)["norm"] == "shortcut, fitted by a 1×1 convolution"
    assert roles(found)["end"] == "branch: the correction"
    assert {"fit", "norm"} <= found.inside


def test_other_sums_are_none(exported):
    other = [layer("c", "convolution", "start"), layer("d", "relu", "c")]
    begin = [START, *BRANCH, END, *other]
    three = layer("three", "add", "start", "end", "d")
    branches = layer("two", "add", "end", "d")
    straight = layer("straight", "add", "conv", "c")
    hidden = [layer("g", "relu", "d", hidden=True), layer("h", "add", "g", "end")]
    smaller = [
        layer("one", "global average pool", "end", side=1),
        layer("i", "add", "start", "one"),
    ]
    for rest in ([three], [branches], [straight], hidden, smaller):
        assert residuals(network(exported, *begin, *rest)) == ()


def test_the_blocks_of_the_network_are_found(exported):
    manifest = read_manifest(exported)
    found = residuals(manifest)
    sums = [one for one in manifest.feature_maps if one.op == "add"]
    assert [one.total for one in found] == sums
    for one in found:
        assert one.branch.name == f"{one.total.block}.bn2"
        assert bool(one.fit) == (".downsample." in one.shortcut.name)
        assert one.after
        assert one.after.block == one.total.block
