import assert from "node:assert/strict";
import { test } from "node:test";

import { stripTile, summary } from "../../site_template/static/layer-pictures.js";

test("the channel mean stands above the channel maximum, each on its own range", () => {
  const values = Float32Array.of(0, 4, 2, -2, /**/ 2, 0, 2, -8);
  assert.deepEqual(summary(values, 2, 2, 2), {
    pixels: Uint8Array.of(219, 255, 255, 0, /**/ 170, 255, 170, 0),
    mean_low: -5,
    mean_high: 2,
    max_low: -2,
    max_high: 4,
  });
});

test("a layer that is the same everywhere is black", () => {
  const { pixels, ...ranges } = summary(new Float32Array(8).fill(3), 2, 2, 2);
  assert.ok(pixels.every((pixel) => pixel === 0));
  assert.deepEqual(ranges, { mean_low: 3, mean_high: 3, max_low: 3, max_high: 3 });
});

test("the strip shows the mean of the absolute values", () => {
  const values = Float32Array.of(1, -1, 0, 0, /**/ -3, 1, 1, 0);
  assert.deepEqual([...stripTile(values, 2, 2, 2, 2)], [255, 128, 64, 0]);
});

test("a small map is enlarged without smoothing, a large one averaged", () => {
  const small = stripTile(Float32Array.of(4, 2), 1, 1, 2, 4);
  assert.deepEqual([...small], Array(4).fill([255, 255, 128, 128]).flat());
  const large = stripTile(Float32Array.of(4, 0, 1, 1, 0, 4, 1, 1, 2, 2, 0, 0, 2, 2, 0, 0), 1, 4, 4, 2);
  assert.deepEqual([...large], [128, 64, 128, 0]);
});

test("a pixel belongs to the part that its centre lies in, or ends in", () => {
  // Five pixels in two parts: the third one's centre is the border, and belongs to the first.
  const values = Float32Array.from({ length: 25 }, (_, i) => [8, 0, 4, 8, 2][i % 5]);
  assert.deepEqual([...stripTile(values, 1, 5, 5, 2)], [128, 159, 128, 159]);
});

test("a silent layer is black on the strip", () => {
  assert.ok(stripTile(new Float32Array(12), 3, 2, 2, 4).every((pixel) => pixel === 0));
});
