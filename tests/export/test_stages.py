"""What torchvision's families are told in: stages, blocks, titles, and the layers that are shown."""

from dataclasses import replace
from itertools import groupby

import pytest

from export import graph
from export.architectures import architecture
from export.network import describe
from export.presets import AUTO, MOST_VALUES, PRESETS, choose, preset, values
from export.stages import place

STAGES = {
    "alexnet": ["55×55", "27×27", "13×13", "6×6", "head"],
    "convnext_tiny": [*(f"features.{i}" for i in range(8)), "head"],
    "densenet121": [
        *("stem", "denseblock1", "transition1", "denseblock2", "transition2", "denseblock3"),
        *("transition3", "denseblock4", "head"),
    ],
    "efficientnet_b0": [*(f"features.{i}" for i in range(9)), "head"],
    "googlenet": ["224×224", "112×112", "56×56", "28×28", "14×14", "7×7", "head"],
    "mnasnet0_5": ["stem", *(f"layers.{i}" for i in range(8, 15)), "head"],
    "mobilenet_v3_small": ["112×112", "56×56", "28×28", "14×14", "7×7", "head"],
    "regnet_y_400mf": ["stem", "block1", "block2", "block3", "block4", "head"],
    "resnet50": ["stem", "layer1", "layer2", "layer3", "layer4", "head"],
    "shufflenet_v2_x0_5": ["conv1", "stage2", "stage3", "stage4", "conv5", "head"],
    "squeezenet1_1": ["111×111", "55×55", "27×27", "13×13", "head"],
}


@pytest.fixture(scope="module")
def described():
    """The layers of every model above, as for the pictures that it is meant for."""
    models = {name: architecture(name) for name in STAGES}
    return {
        name: describe(graph.trace(one.build(), one.input.crop).operations)[0]
        for name, one in models.items()
    }


def told(layers, of):
    return [name for name, _ in groupby(layers, key=of)]


def test_stages_are_those_of_the_names_or_of_the_sizes(described):
    found = {name: told(layers, lambda one: one.stage) for name, layers in described.items()}
    assert found == STAGES


def test_no_block_is_left_and_entered_again(described):
    for name, layers in described.items():
        blocks = told(layers, lambda one: (one.stage, one.block))
        by_name = [block for block in blocks if block[0] != block[1]]
        assert len(set(by_name)) == len(by_name), name


def test_blocks_bear_the_names_of_modules(described):
    def blocks(name, stage):
        return told([one for one in described[name] if one.stage == stage], lambda one: one.block)

    assert blocks("googlenet", "28×28") == ["maxpool2", "inception3a", "inception3b"]
    assert blocks("squeezenet1_1", "27×27") == ["features.5", "features.6", "features.7"]
    assert blocks("resnet50", "layer1") == ["layer1.0", "layer1.1", "layer1.2"]
    assert blocks("regnet_y_400mf", "block1") == ["block1.block1-0"]
    assert blocks("convnext_tiny", "features.2") == ["features.2"]
    assert blocks("efficientnet_b0", "features.2") == ["features.2.0", "features.2.1"]
    assert blocks("mnasnet0_5", "layers.14") == ["layers.14"]


@pytest.mark.parametrize(
    ("model", "layer", "title"),
    [
        ("efficientnet_b0", "features.2.0.block.1.0", "3×3 depthwise convolution, stride 2"),
        ("efficientnet_b0", "features.2.0.block.2.mul", "each channel times its gate"),
        ("efficientnet_b0", "features.2.0.block.0.2", "SiLU"),
        ("googlenet", "inception3a.cat", "concatenation of 4"),
        ("googlenet", "unsqueeze", "1 of the 3 channels"),
        ("resnet50", "layer1.0.add", "sum of branch and shortcut"),
        (
            "regnet_y_400mf",
            "trunk_output.block2.block2-0.f.b.0",
            "3×3 grouped (13) convolution, stride 2",
        ),
        ("shufflenet_v2_x0_5", "stage2.1.getitem", "24 of the 48 channels"),
        ("shufflenet_v2_x0_5", "stage2.1.view_1", "channels, shuffled"),
        ("convnext_tiny", "features.1.0.block.3", "1×1 convolution"),
        ("convnext_tiny", "features.1.0.mul", "each channel on a scale of its own"),
        ("mobilenet_v3_small", "features.1.block.1.scale_activation", "hard sigmoid"),
    ],
)
def test_titles_say_what_is_done(described, model, layer, title):
    (found,) = [one for one in described[model] if one.name == layer]
    assert found.title == title


def test_gates_belong_to_the_block_that_they_are_in(described):
    for name in ("efficientnet_b0", "mobilenet_v3_small", "regnet_y_400mf"):
        gates = [one for one in described[name] if one.op == "multiply"]
        by_name = {one.name: one for one in described[name]}
        assert gates
        for gate in gates:
            assert {by_name[source].block for source in gate.inputs} == {gate.block}


def test_presets_show_less_and_less_and_auto_the_most_that_is_allowed(described):
    for name, layers in described.items():
        amounts = {key: values(layers, of(layers)) for key, of in PRESETS.items()}
        assert sorted(amounts.values(), reverse=True) == list(amounts.values()), name
        assert amounts["stages"] > 0
        chosen = preset(layers)
        assert amounts[chosen] <= MOST_VALUES
        more = list(PRESETS)[1 : list(PRESETS).index(chosen)]
        assert all(amounts[key] > MOST_VALUES for key in more), name
        assert choose(layers, AUTO) == choose(layers, chosen)


def test_activations_are_shown_once_in_the_form_that_others_read(described):
    names = set(choose(described["mobilenet_v3_small"], "activations"))
    block = [one for one in described["mobilenet_v3_small"] if one.block == "features.4"]
    assert [one.title for one in block if one.name in names and one.spatial] == [
        "hard swish",
        "hard swish",
        "each channel times its gate",
        "batch norm",
    ]


def test_blocks_and_stages_are_their_last_maps(described):
    layers = described["densenet121"]
    last = {one.stage: one.name for one in layers if one.spatial}
    found = [name for name in choose(layers, "stages") if name in last.values()]
    assert found == list(last.values())


def test_layers_without_a_module_belong_to_the_maps_that_they_are_made_from(described):
    """In some files only convolutions bear the names of modules."""
    (sample,) = [one for one in described["resnet50"] if one.name == "conv1"]

    def layer(name, op, side):
        return replace(sample, name=name, op=op, height=side, width=side)

    layers = [
        *(layer("conv1", "convolution", 32), layer("relu1", "relu", 32)),
        layer("pool1", "max pool", 16),
        *(layer("fire2.squeeze", "convolution", 16), layer("relu2", "relu", 16)),
        *(layer("fire2.expand", "convolution", 16), layer("concat1", "concatenate", 16)),
        *(layer("fire3.squeeze", "convolution", 16), layer("relu3", "relu", 16)),
        layer("pool2", "max pool", 8),
        *(layer("conv2", "convolution", 8), layer("relu4", "relu", 8)),
    ]
    blocks = ["32×32"] * 2 + ["pool1"] + ["fire2"] * 4 + ["fire3"] * 2 + ["8×8"] * 3
    assert [block for _, block in place(layers)] == blocks
