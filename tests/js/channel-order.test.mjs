import assert from "node:assert/strict";
import { test } from "node:test";

import { channelOrder } from "../../site_template/static/channel-order.js";

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
