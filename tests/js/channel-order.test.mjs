import assert from "node:assert/strict";
import { test } from "node:test";

import {
  STRONGEST,
  channelOrder,
  filterChannels,
  likeness,
} from "../../site_template/static/channel-order.js";

/** Each figure puts the channels in another order; channels 1 and 3 are equal in all. */
const FIGURES = {
  high: [5, 1, 9, 1, 3],
  mean: [-1, 0, -2, 0, 4],
  std: [0.1, 0.5, 0.2, 0.5, 0.9],
  zeros: [0, 0.5, 1, 0.5, 0.25],
};

for (const [sort, order] of [
  ["index", [0, 1, 2, 3, 4]],
  ["max", [2, 0, 4, 1, 3]],
  ["mean", [4, 1, 3, 0, 2]],
  ["std", [4, 1, 3, 2, 0]],
  ["zeros", [0, 4, 1, 3, 2]],
]) {
  test(`sorted by ${sort}, equals by number`, () => {
    assert.deepEqual(channelOrder(sort, FIGURES), order);
  });
}

test("the figures are left as they are", () => {
  const before = structuredClone(FIGURES);
  for (const sort of ["max", "zeros"]) channelOrder(sort, FIGURES);
  assert.deepEqual(FIGURES, before);
});

test("512 equal channels stay in order", () => {
  const equal = Array(512).fill(0);
  const figures = { high: equal, mean: equal, std: equal, zeros: equal };
  const numbers = equal.map((_, channel) => channel);
  for (const sort of ["index", "max", "mean", "std", "zeros"]) {
    assert.deepEqual(channelOrder(sort, figures), numbers);
  }
});

const HIGHS = { high: [3, 0, 5, -1, 3], low: [0, 0, 0, -2, 0], mean: [], std: [], zeros: [] };
const ALL = [0, 1, 2, 3, 4];
const filtered = (show, above = -Infinity) => filterChannels(ALL, { show, above }, HIGHS);

test("channels that never rise above zero can be left out, or shown alone", () => {
  assert.deepEqual(filtered("all"), ALL);
  assert.deepEqual(filtered("alive"), [0, 2, 4]);
  assert.deepEqual(filtered("silent"), [1, 3]);
  assert.deepEqual(filtered("all", 3), [0, 2, 4]);
  assert.deepEqual(filtered("silent", 0), [1]);
});

test("the strongest stay in the order that was asked for", () => {
  const high = Array.from({ length: 40 }, (_, i) => (i * 13) % 40);
  const order = high.map((_, i) => i).reverse();
  const strongest = filterChannels(order, { show: "strongest", above: -Infinity }, { high });
  const threshold = [...high].sort((a, b) => b - a)[STRONGEST - 1];
  assert.deepEqual(strongest, order.filter((channel) => high[channel] >= threshold));
  assert.equal(strongest.length, STRONGEST);
});

test("further numbers can be sorted by", () => {
  assert.deepEqual(channelOrder("like", HIGHS, { like: [0, 2, 1, 2, -1] }), [1, 3, 2, 0, 4]);
});

test("likeness is Pearson's correlation, and constant maps are like nothing", () => {
  const maps = [
    [0, 10, 20, 30],
    [100, 120, 140, 160],
    [30, 20, 10, 0],
    [7, 7, 7, 7],
    [0, 30, 10, 20],
  ].map((map) => Uint8Array.from(map));
  const alike = likeness((channel) => maps[channel], maps.length, 0);
  const expected = [1, 1, -1, -2, 0.4];
  alike.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12));
});
