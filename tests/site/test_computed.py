"""What is said of how a layer is computed is what its graph says."""

import dataclasses

import pytest
from graphs import layer, network

from export.manifest import ReceptiveField, read_manifest
from site_template.computed import computed, reads, sees, sources


def said(exported, *layers):
    """Return what is said of the last of these layers, and the names that it links to."""
    text = computed(layers[-1], network(exported, *layers))
    return "".join(text), list(text[1::2])


A = layer("a", "relu", channels=6)
B = layer("b", "convolution", "a", channels=2)


def test_a_concatenation_tells_whose_channels_are_where(exported):
    inner = layer("inner", "concatenate", "a", "b", channels=8, hidden=True)
    norm = layer("norm", "batch norm", "b", channels=2, hidden=True)
    outer = layer("outer", "concatenate", "inner", "norm", channels=10)
    text, links = said(exported, A, B, inner, norm, outer)
    assert text == (
        "outer: unchanged, one after another, channels 0–5: a; channels 6–7: b; "
        "channels 8–9: norm (not shown), the batch norm of b."
    )
    assert links == ["a", "b", "b"]
    model = network(exported, A, B, inner, norm, outer)
    assert sources(outer, model) == ((0, "a"), (6, "b"), (8, ""))
    assert sources(B, model) == ()
    assert sources(dataclasses.replace(outer, channels=2), model) == ()


@pytest.mark.parametrize(
    ("groups", "words"),
    [(1, "all 6 channels"), (2, "the 3 channels of its group"), (6, "one channel alone")],
)
def test_a_convolution_tells_which_channels_it_reads(exported, groups, words):
    source = layer("a", "relu", channels=6, hidden=True)
    text, _ = said(exported, source, layer("c", "convolution", "a", channels=6, groups=groups))
    assert f"a 3×3 kernel on {words} of a (not shown)" in text
    assert "because a is not among the layers of this gallery" in text


def test_a_gate_is_told_from_what_it_is_put_on(exported):
    gate = layer("gate", "sigmoid", "b", channels=6, side=1, hidden=True)
    for inputs in (("gate", "a"), ("a", "gate")):
        text, links = said(exported, A, B, gate, layer("m", "multiply", *inputs, channels=6))
        assert text.startswith("m: each channel of a, times one number, its gate, from gate (not")
        assert links == ["a", "b"]
    text, _ = said(exported, A, layer("x", "relu", "a"), layer("m", "multiply", "a", "x"))
    assert text == "m: a and x, multiplied value by value."


def test_sums_pools_and_unknown_steps_are_named(exported):
    assert said(exported, A, B, layer("s", "add", "a", "b", "a"))[0] == (
        "s: the sum of a, b and a, value by value."
    )
    assert "the largest of a 3×3 window of a" in said(exported, A, layer("p", "max pool", "a"))[0]
    pool = layer("p", "global average pool", "a", side=1)
    assert "the mean of all values of one channel of a" in said(exported, A, pool)[0]
    text, links = said(exported, A, layer("w", "wobble", "a"))
    assert "the step “wobble” on a" in text
    assert "not taken apart" in text
    assert links == ["a"]


def test_every_layer_of_the_network_has_a_sentence_with_links_that_exist(exported):
    manifest = read_manifest(exported)
    shown = {one.name for one in manifest.feature_maps}
    for one in manifest.feature_maps:
        text = computed(one, manifest)
        assert len(text) % 2
        assert set(text[1::2]) <= shown
        assert "not told here" not in "".join(text)


def test_many_layers_are_counted(exported):
    many = [layer(f"l{i}", "relu") for i in range(5)]
    cat = layer("cat", "concatenate", *(one.name for one in many), channels=20)
    assert reads(network(exported, *many, cat))["cat"] == "5 layers"


def test_without_a_receptive_field_it_is_said_whether_all_is_seen(exported):
    field = ReceptiveField((3, 3), (1, 1), (-1, -1))
    first = layer("first", "convolution", receptive_field=field)
    pool = layer("pool", "global average pool", "first", side=1)
    gated = layer("gated", "multiply", "first", "pool")
    odd = layer("odd", "wobble", "first")
    found = sees(network(exported, first, pool, gated, odd))
    assert found["first"] == "sees 3×3 pixels"
    assert found["gated"] == found["pool"] == "sees the whole picture, by averages over all places"
    assert found["odd"] == "sees a part of the picture that is not known here"
