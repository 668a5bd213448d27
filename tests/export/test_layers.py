"""Which layers are exported: all, the default set, or those that are named."""

import pytest
from resnet_by_hand import ALL

from export.errors import LayersError
from export.presets import choose


@pytest.fixture
def chosen(manifest):
    return lambda choice: list(choose(manifest.layers, choice))


def test_all_is_everything_with_positions_the_averages_and_the_logits(chosen):
    assert chosen("all") == ALL


def test_the_default_leaves_out_batch_norms_that_only_a_relu_reads(chosen):
    rescaled = {"bn1", *(f"layer{s}.{n}.bn1" for s in (1, 2, 3, 4) for n in (0, 1))}
    assert chosen("stem+blocks") == [name for name in ALL if name not in rescaled]


def test_named_layers_come_in_forward_order_with_the_logits(chosen):
    assert chosen(" layer4.1.add,relu ,") == ["relu", "layer4.1.add", "fc"]


@pytest.mark.parametrize(
    ("choice", "problem"),
    [
        ("layer5,relu,a", "unknown layer 'a', 'layer5': "),
        ("", "no layer: "),
        ("fc", "no layer: "),
    ],
)
def test_an_unknown_choice_is_refused_with_what_is_allowed(chosen, choice, problem):
    with pytest.raises(LayersError) as refusal:
        chosen(choice)
    message = str(refusal.value)
    assert message.startswith(
        problem + "give auto, all, stem+blocks, activations, blocks, stages, or names"
    )
    assert message.endswith(", ".join(ALL[:-2]))
