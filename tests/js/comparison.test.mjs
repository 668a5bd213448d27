import assert from "node:assert/strict";
import { test } from "node:test";

import { sharedScale, telling } from "../../site_template/static/comparison.js";

const side = (signed, own, photos, low, high) => ({
  layer: { signed, scale: photos },
  sheet: { scale: own },
  figures: { low: [low], high: [high] },
  channel: 0,
});

test("the scale covers both maps", () => {
  const sides = [side(false, 2, 8, 0, 1), side(false, 3, 7, 0, 5)];
  assert.deepEqual(sharedScale("layer", sides), { low: 0, high: 3 });
  assert.deepEqual(sharedScale("photos", sides), { low: 0, high: 8 });
  assert.deepEqual(sharedScale("channel", sides), { low: 0, high: 5 });
});

test("zero is in the middle as soon as one of the layers has negative values", () => {
  const sides = [side(false, 2, 8, 0, 1), side(true, 1, 7, -6, 5)];
  assert.deepEqual(sharedScale("layer", sides), { low: -2, high: 2 });
  assert.deepEqual(sharedScale("channel", sides), { low: -6, high: 6 });
});

test("channels are told apart by their means, equal ones by nothing", () => {
  const found = telling({ mean: [1, 5, 0, 2, 2] }, { mean: [1, 1, 3, 1, 1] }, 2);
  assert.deepEqual(found.first, [{ channel: 1, difference: 4 }, { channel: 3, difference: 1 }]);
  assert.deepEqual(found.second, [{ channel: 2, difference: 3 }]);
});
