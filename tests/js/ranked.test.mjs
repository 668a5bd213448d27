import assert from "node:assert/strict";
import { test } from "node:test";

import { ranked } from "../../site_template/static/ranked.js";

const PEAKS = {
  images: ["cat", "dog"],
  image: [[1, 0], [0], []],
  value: [[5, 2], [1.5], []],
  row: [[0, 1], [2], []],
  column: [[3, 4], [5], []],
};
const FIGURES = { high: [9, 9, 2, 1.5, 0], row: [0, 0, 7, 8, 9], column: [0, 0, 17, 18, 19] };

test("a photo stands where its value belongs, after those with the same", () => {
  const made = ranked(PEAKS, "own", FIGURES, 2, false);
  assert.deepEqual(made.images, ["cat", "dog", "own"]);
  assert.deepEqual(made.value, [[5, 2, 2], [1.5, 1.5], []]);
  assert.deepEqual(made.image, [[1, 0, 2], [0, 2], []]);
  assert.deepEqual(made.row, [[0, 1, 7], [2, 8], []]);
  assert.deepEqual(made.column, [[3, 4, 17], [5, 18], []]);
});

test("a silent photo is left out unless the layer has a sign", () => {
  assert.deepEqual(ranked(PEAKS, "own", FIGURES, 2, false).image[2], []);
  assert.deepEqual(ranked(PEAKS, "own", FIGURES, 2, true).image[2], [2]);
  const below = { ...FIGURES, high: [0, 0, -1, 7, -3] };
  assert.deepEqual(ranked(PEAKS, "own", below, 2, true).value, [[5, 2, -1], [7, 1.5], [-3]]);
});

test("what it was made from is left alone", () => {
  const before = structuredClone(PEAKS);
  ranked(PEAKS, "own", FIGURES, 2, true);
  assert.deepEqual(PEAKS, before);
});
