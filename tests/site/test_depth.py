"""The depth strip holds every layer once, stage by stage, in rows that fit."""

from types import SimpleNamespace

import pytest

from site_template.pages import STRIP, Block, depth


def blocks(*stages):
    """Return the blocks of stages, each given by the numbers of layers of its blocks."""
    made, position = [], 0
    for number, sizes in enumerate(stages):
        for size in sizes:
            tiles = tuple(SimpleNamespace(position=position + i) for i in range(size))
            made.append(Block(f"b{len(made)}", f"s{number}", tiles))
            position += size
    return made


@pytest.mark.parametrize(
    "stages",
    [
        [(3,)],
        [(3,), (7, 7), (9, 7), (9, 7), (9, 7)],
        [(2,) * 30],
        [(7,) * 2, (7,) * 6, (60,), (1,)],
    ],
)
def test_every_layer_stands_once_and_in_order(stages):
    found = depth(blocks(*stages))
    placed = [one.first + i for one in found.segments for i in range(one.count)]
    assert placed == list(range(sum(map(sum, stages))))
    cells = {(round(one.x + i, 3), one.y) for one in found.segments for i in range(one.count)}
    assert len(cells) == found.tiles == len(placed)
    assert max(x for x, _ in cells) + 1 == pytest.approx(found.width)


def test_two_blocks_stand_one_above_the_other():
    found = depth(blocks((4,), (6, 8)))
    assert [(one.count, one.x, one.y) for one in found.segments] == [
        (4, 0, 0),
        (6, 4.6, 0),
        (8, 4.6, 1.12),
    ]


def test_many_blocks_do_not_shrink_the_tiles_to_a_column():
    found = depth(blocks((2,) * 30))
    assert min(STRIP[0] / found.width, STRIP[1] / found.height) > 11
