"""Wires run from what is read to what reads it, past everything else, for any graph."""

import re
from itertools import groupby

import pytest

from export.manifest import read_manifest
from site_template.drawing import LANE, ROW, shown_sources, wiring
from site_template.pages import reads

CHAIN = {"a": ("input",), "b": ("a",), "c": ("b",)}
RESIDUAL = {"a": ("start",), "b": ("a",), "sum": ("b", "start"), "end": ("sum",)}
FITTED = {"a": ("start",), "b": ("a",), "fit": ("start",), "sum": ("b", "fit"), "end": ("sum",)}
FORK = {
    "one": ("start",),
    "two": ("start",),
    "three": ("start",),
    "cat": ("one", "two", "three"),
}


def ends(path):
    """Return the first and the last point of a path, as (row, lane)."""
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", path)]
    first = numbers[1] / ROW, numbers[0] / LANE
    if re.search(r"V[\d.]+$", path):
        last_x = first[1] * LANE if "C" not in path else numbers[6]
        return first, (numbers[-1] / ROW, last_x / LANE)
    return first, (numbers[-1] / ROW, numbers[-2] / LANE)


def edges(sources, names):
    """Return who is connected to whom in the drawing; outside is "top" and "bottom"."""
    drawn = wiring(names, sources)
    place = {
        (node.y / ROW, node.x / LANE): name for node, name in zip(drawn.nodes, names, strict=True)
    }
    found = set()
    for path in drawn.wires:
        first, last = ends(path)
        found.add((place.get(first, "top"), place.get(last, "bottom")))
    assert len(drawn.wires) == len(found)
    return drawn, found


@pytest.mark.parametrize("sources", [CHAIN, RESIDUAL, FITTED, FORK])
def test_the_wires_are_the_edges_of_the_graph(sources):
    names = list(sources)
    drawn, found = edges(sources, names)
    expected = {
        (source if source in sources else "top", name)
        for name, inputs in sources.items()
        for source in inputs
    }
    assert found == expected | {(names[-1], "bottom")}
    assert drawn.lanes == len({node.x for node in drawn.nodes} | {LANE / 2}) or sources is RESIDUAL


def test_a_chain_is_a_straight_line():
    drawn, _ = edges(CHAIN, list(CHAIN))
    assert drawn.lanes == 1
    assert all("C" not in path for path in drawn.wires)


def test_a_shortcut_runs_beside_what_it_passes():
    drawn, _ = edges(RESIDUAL, list(RESIDUAL))
    assert drawn.lanes == 2
    assert {node.x for node in drawn.nodes} == {LANE / 2}
    drawn, _ = edges(FITTED, list(FITTED))
    assert [node.x / LANE for node in drawn.nodes] == [0.5, 0.5, 1.5, 0.5, 0.5]


def test_what_a_later_block_reads_leaves_at_the_bottom():
    sources = {"a": ("input",), "b": ("a",), "later": ("a", "b")}
    _, found = edges(sources, ["a", "b"])
    assert found == {("top", "a"), ("a", "b"), ("a", "bottom"), ("b", "bottom")}


def test_hidden_layers_are_leapt_over(exported):
    manifest = read_manifest(exported)
    sources = shown_sources(manifest)
    assert sources.keys() == {layer.name for layer in manifest.feature_maps}
    assert sources["layer1.0.relu"] == ("layer1.0.conv1",)  # bn1 lies between
    assert sources["layer2.0.add"] == ("layer2.0.bn2", "layer2.0.downsample.1")
    assert sources["layer1.1.add"] == ("layer1.1.bn2", "layer1.0.relu_1")
    assert sources["conv1"] == ("input",)


def test_what_a_layer_reads_names_what_is_shown_and_what_hides_between(exported):
    words = reads(read_manifest(exported))
    assert words["conv1"] == "input"
    assert words["relu"] == "conv1 via bn1 (not shown)"
    assert words["layer2.0.add"] == "layer2.0.bn2 and layer2.0.downsample.1"
    assert words["layer2.0.relu_1"] == "layer2.0.add"


def test_every_block_of_the_network_is_wired_as_its_graph(exported):
    manifest = read_manifest(exported)
    sources = shown_sources(manifest)
    for _, members in groupby(manifest.feature_maps, key=lambda layer: layer.block):
        names = [layer.name for layer in members]
        _, found = edges(sources, names)
        expected = {(s if s in names else "top", name) for name in names for s in sources[name]}
        assert found == expected | {(names[-1], "bottom")}
