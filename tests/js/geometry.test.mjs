import assert from "node:assert/strict";
import { test } from "node:test";

import { receptiveBox } from "../../site_template/static/geometry.js";

/** ResNet's first convolution: 7×7 with stride 2 and 3 pixels of padding. */
const STEM = { size: [7, 7], stride: [2, 2], offset: [-3, -3] };
/** Its 3×3 pooling after that, with stride 2 and one value of padding. */
const POOL = { size: [11, 11], stride: [4, 4], offset: [-5, -5] };
/** A field that differs between rows and columns. */
const OBLONG = { size: [3, 5], stride: [2, 4], offset: [-1, -2] };

for (const [name, field, row, column, box] of [
  ["inside", STEM, 2, 55, { left: 107, top: 1, right: 114, bottom: 8, clipped: false }],
  ["the first position", STEM, 0, 0, { left: 0, top: 0, right: 4, bottom: 4, clipped: true }],
  ["the last position", STEM, 111, 111, { left: 219, top: 219, right: 224, bottom: 224, clipped: true }],
  ["one edge only", STEM, 1, 50, { left: 97, top: 0, right: 104, bottom: 6, clipped: true }],
  ["after pooling", POOL, 10, 2, { left: 3, top: 35, right: 14, bottom: 46, clipped: false }],
  ["after pooling, at the right", POOL, 28, 55, { left: 215, top: 107, right: 224, bottom: 118, clipped: true }],
  ["rows unlike columns", OBLONG, 1, 2, { left: 6, top: 1, right: 11, bottom: 4, clipped: false }],
  ["rows unlike columns, clipped", OBLONG, 0, 0, { left: 0, top: 0, right: 3, bottom: 2, clipped: true }],
]) {
  test(`the pixels that an activation sees: ${name}`, () => {
    assert.deepEqual(receptiveBox(field, row, column, 224), box);
  });
}

test("a field that touches the border is not clipped", () => {
  const field = { size: [4, 4], stride: [1, 1], offset: [0, 0] };
  const whole = { left: 0, top: 0, right: 4, bottom: 4, clipped: false };
  assert.deepEqual(receptiveBox(field, 0, 0, 4), whole);
  assert.deepEqual(receptiveBox(field, 1, 0, 4), { ...whole, top: 1, clipped: true });
});

test("without a field it is all of the picture, and nothing is cut off", () => {
  assert.deepEqual(receptiveBox(null, 3, 1, 32), { left: 0, top: 0, right: 32, bottom: 32, clipped: false });
});

test("a field larger than the picture is all of it", () => {
  const deep = { size: [435, 435], stride: [32, 32], offset: [-217, -217] };
  const all = { left: 0, top: 0, right: 224, bottom: 224, clipped: true };
  assert.deepEqual(receptiveBox(deep, 3, 3, 224), all);
});
