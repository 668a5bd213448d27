import assert from "node:assert/strict";
import { test } from "node:test";

import { grid, quantise, range } from "../../site_template/static/quantise.js";
import { isFaithful, tile, valueOf } from "../../site_template/static/tile-sheet.js";
import { seeded } from "./seeded.mjs";

function random(count, seed) {
  const whole = seeded(seed);
  return Float32Array.from({ length: count }, () => whole(2000001) / 1e6 - 1);
}

test("figures of channels that can be worked out by hand", () => {
  const found = quantise(Float32Array.of(0, 3, 3, 0, -1, -2, 0, 1), 2, 2, 2);
  assert.deepEqual(found, {
    grey: Uint8Array.of(0, 255, 85, 0, 255, 0, 170, 255),
    columns: 2,
    rows: 1,
    low: [0, -2],
    high: [3, 1],
    mean: [1.5, -0.5],
    std: [1.5, 1.11803],
    zeros: [0.5, 0.25],
    row: [0, 1], // the first of two maxima
    column: [1, 1],
  });
});

test("a constant channel is black, whatever its value", () => {
  const { grey, low, high, std } = quantise(Float32Array.of(7, 7, -7, -7, 0, 0), 3, 1, 2);
  assert.ok(grey.length >= 6 && grey.every((pixel) => pixel === 0));
  assert.deepEqual([low, high, std], [[7, -7, 0], [7, -7, 0], [0, 0, 0]]);
});

test("tiles stand where the explorer looks for them, and give their values back", () => {
  const [channels, height, width] = [7, 3, 5];
  const values = random(channels * height * width, 1);
  const { grey, columns, rows, ...figures } = quantise(values, channels, height, width);
  assert.equal(grey.length, columns * width * rows * height);
  const sheet = { columns, rows, tile_width: width, tile_height: height };
  assert.ok(isFaithful(grey, sheet, figures));
  for (let channel = 0; channel < channels; channel++) {
    const [low, high] = [figures.low[channel], figures.high[channel]];
    tile(grey, sheet, channel).forEach((pixel, i) => {
      const off = Math.abs(valueOf(pixel, low, high) - values[channel * height * width + i]);
      assert.ok(off <= ((high - low) / 510) * 1.00001);
    });
  }
});

test("what is not finite is named by its channel", () => {
  for (const broken of [NaN, Infinity, -Infinity]) {
    const values = random(24, 2);
    values[13] = broken;
    values[23] = broken;
    assert.throws(() => quantise(values, 4, 2, 3), /^Error: channel 2: NaN or infinity$/);
    assert.throws(() => range(values), /NaN or infinity/);
  }
});

test("what is not finite is found wherever the sample does not look", () => {
  for (const at of [0, 1, 1023, 9998, 9999]) {
    const values = random(10000, 3);
    values[at] = NaN;
    assert.throws(() => range(values), /NaN or infinity/);
  }
});

test("grids are full where they can be, and never more than four times as wide as high", () => {
  const found = [1, 2, 7, 12, 64, 512, 101].map((channels) => Object.values(grid(channels)));
  assert.deepEqual(found, [[1, 1], [2, 1], [3, 3], [4, 3], [8, 8], [32, 16], [11, 10]]);
});

test("the scale is the value that half a per cent of values lie above", () => {
  const values = Float32Array.from({ length: 1001 }, (_, i) => (i % 2 ? -i : i));
  assert.deepEqual(range(values), { low: -999, high: 1000, scale: 995 });
  assert.deepEqual(range(Float32Array.of(-3)), { low: -3, high: -3, scale: 3 });
});

test("the scale is found where the sample misleads, and where most values are the same", () => {
  const byHand = (values) => {
    const sorted = values.map(Math.abs).sort();
    return sorted[Math.ceil(((values.length - 1) * 99.5) / 100)];
  };
  const misleading = random(40960, 4).map((value, i) => (i % 21 === 0 ? 5 + value : value / 10)); // 21: the sample's step
  const rare = random(40960, 5).map((value, i) => (i % 1000 === 7 ? value : 0));
  const flat = new Float32Array(40960).fill(-2);
  const plateau = random(40960, 6).map((value, i) => (i % 3 ? 1 : value));
  for (const values of [misleading, rare, flat, plateau, random(40960, 7), random(5, 8)]) {
    assert.equal(Math.fround(range(values).scale), byHand(values));
  }
});
