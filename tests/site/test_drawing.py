"""Wires run from what is read to what reads it, past everything else, for any graph."""

import random
import re
from itertools import groupby, pairwise

import pytest

from export.manifest import read_manifest
from site_template.computed import reads
from site_template.drawing import LANE, ROW, WIDEST, shown_sources, wiring

CHAIN = {"a": ("input",), "b": ("a",), "c": ("b",)}
RESIDUAL = {"a": ("start",), "b": ("a",), "sum": ("b", "start"), "end": ("sum",)}
FITTED = {"a": ("start",), "b": ("a",), "fit": ("start",), "sum": ("b", "fit"), "end": ("sum",)}
FORK = {
    "one": ("start",),
    "two": ("start",),
    "three": ("start",),
    "cat": ("one", "two", "three"),
}


def points(path):
    """Return where a path begins, where it bends, and where it ends, as (x, y)."""
    steps = re.findall(r"([MCV])([-\d. ]+)", path)
    found = []
    for letter, numbers in steps:
        values = [float(number) for number in numbers.split()]
        found.append((found[-1][0], values[0]) if letter == "V" else tuple(values[-2:]))
    return found


def trace(names, sources):
    """Return who is connected to whom, following the lines alone; outside is "top" and "bottom".

    A wire that begins at no node must begin where an earlier one of its source runs or bends away.
    """
    drawn = wiring(names, sources)
    place = {(node.x, node.y): name for node, name in zip(drawn.nodes, names, strict=True)}
    assert len(place) == len(names)
    bottom, found, passed = len(names) * ROW, [], {}
    for wire in drawn.wires:
        way = points(wire.path)
        (x, y), last = way[0], way[-1]
        if (x, y) not in place and y:
            assert (x, y) in passed[wire.source]
        assert y or wire.source not in names
        origin = place.get((x, y)) or (wire.source if wire.source in names else "top")
        assert origin in {wire.source, "top"}
        passed.setdefault(wire.source, set()).update(way)
        assert (wire.target == "") == (last[1] == bottom)
        found.append((origin, place[last] if wire.target else "bottom"))
        assert found[-1][1] == (wire.target or "bottom")
        for (x0, y0), (x1, y1) in pairwise(way):
            crossed = [n for (nx, ny), n in place.items() if x0 == x1 == nx and y0 < ny < y1]
            assert crossed == [], f"{wire} runs through {crossed}"
    return drawn, found


def expected_edges(names, sources):
    """Return every edge that a block must draw, with what leaves it."""
    inside = set(names)
    elsewhere = {s for name in sources if name not in inside for s in sources[name]}
    into = [(s if s in inside else "top", name) for name in names for s in sources[name]]
    return into + [(name, "bottom") for name in names if name in elsewhere or name == names[-1]]


@pytest.mark.parametrize("sources", [CHAIN, RESIDUAL, FITTED, FORK])
def test_the_wires_are_the_edges_of_the_graph(sources):
    names = list(sources)
    _, found = trace(names, sources)
    assert sorted(found) == sorted(expected_edges(names, sources))


def test_a_chain_is_a_straight_line():
    drawn, _ = trace(list(CHAIN), CHAIN)
    assert drawn.width == LANE
    assert all("C" not in wire.path for wire in drawn.wires)


def test_a_shortcut_runs_beside_what_it_passes():
    drawn, _ = trace(list(RESIDUAL), RESIDUAL)
    assert drawn.width == 2 * LANE
    assert {node.x for node in drawn.nodes} == {LANE / 2}
    drawn, _ = trace(list(FITTED), FITTED)
    assert [node.x / LANE for node in drawn.nodes] == [0.5, 0.5, 1.5, 0.5, 0.5]


def test_what_a_later_block_reads_leaves_at_the_bottom():
    sources = {"a": ("input",), "b": ("a",), "later": ("a", "b")}
    _, found = trace(["a", "b"], sources)
    assert sorted(found) == [("a", "b"), ("a", "bottom"), ("b", "bottom"), ("top", "a")]


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
        _, found = trace(names, sources)
        assert sorted(found) == sorted(expected_edges(names, sources))


def dense(length):
    """Return a dense block: everything that was computed is joined before each step."""
    sources = {}
    for step in range(length):
        sources[f"cat{step}"] = ("start", *(f"step{i}" for i in range(step)))
        sources[f"step{step}"] = (f"cat{step}",)
    return sources | {"end": ("start", *(f"step{i}" for i in range(length)))}


@pytest.mark.parametrize("seed", range(60))
def test_any_graph_is_drawn_edge_by_edge(seed):
    choose = random.Random(seed)
    names = [f"n{i}" for i in range(choose.randint(1, 24))]
    sources = {}
    for i, name in enumerate(names):
        known = ["input", "far", *names[max(0, i - choose.randint(1, 12)) : i]]
        sources[name] = tuple(choose.sample(known, choose.randint(1, min(4, len(known)))))
    first = choose.randrange(len(names))
    block = names[first : choose.randint(first + 1, len(names))]
    _, found = trace(block, sources)
    assert sorted(found) == sorted(expected_edges(block, sources))


def test_a_dense_block_has_a_lane_for_each_source_and_stays_narrow():
    sources = dense(24)
    drawn, found = trace(list(sources), sources)
    assert len(found) == 24 * 25 // 2 + 24 + 25 + 1
    assert drawn.width == WIDEST
    crossings = {x for wire in drawn.wires for x, _ in points(wire.path)}
    assert len(crossings) <= 26
    assert {node.x for node in drawn.nodes} == {LANE / 2}
