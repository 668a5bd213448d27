import assert from "node:assert/strict";
import { test } from "node:test";

import { histogram } from "../../site_template/static/histogram.js";

test("each pixel falls into one bin, the ends into the first and last", () => {
  assert.deepEqual(histogram(Uint8Array.of(0, 63, 64, 128, 255, 255), 4), [2, 1, 1, 2]);
});

test("all pixels are counted", () => {
  const pixels = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);
  assert.equal(histogram(pixels, 64).reduce((sum, count) => sum + count), 1000);
});
