import assert from "node:assert/strict";
import { test } from "node:test";

import { isFaithful, tile, valueOf } from "../../site_template/static/tile-sheet.js";

/** A sheet of seven channels of 2 rows × 4 columns, three in a row, with two places left over. */
const CHANNELS = 7;
const SHEET = { columns: 3, rows: 3, tile_width: 4, tile_height: 2 };

/** Pixel of a channel: unlike every other pixel of the sheet. */
const pixel = (channel, row, column) => 10 + channel * 8 + row * 4 + column;

function assembled(value = pixel) {
  const { columns, rows, tile_width: width, tile_height: height } = SHEET;
  const grey = [];
  for (let y = 0; y < rows * height; y++) {
    for (let x = 0; x < columns * width; x++) {
      const channel = Math.floor(y / height) * columns + Math.floor(x / width);
      grey.push(channel < CHANNELS ? value(channel, y % height, x % width) : 0);
    }
  }
  return Uint8Array.from(grey);
}

test("each channel's tile is cut out where it was put", () => {
  const grey = assembled();
  assert.equal(new Set(grey.filter((value) => value > 0)).size, CHANNELS * 8);
  for (let channel = 0; channel < CHANNELS; channel++) {
    const expected = [];
    for (let row = 0; row < 2; row++) {
      for (let column = 0; column < 4; column++) expected.push(pixel(channel, row, column));
    }
    assert.deepEqual([...tile(grey, SHEET, channel)], expected, `channel ${channel}`);
  }
});

test("a tile is a copy", () => {
  const grey = assembled();
  tile(grey, SHEET, 0).fill(0);
  assert.deepEqual(grey, assembled());
});

test("maps of one pixel are cut out too", () => {
  const sheet = { columns: 2, rows: 2, tile_width: 1, tile_height: 1 };
  const grey = Uint8Array.of(1, 2, 3, 4);
  assert.deepEqual([0, 1, 2, 3].map((channel) => tile(grey, sheet, channel)[0]), [1, 2, 3, 4]);
});

test("black is the channel's smallest value, white its largest", () => {
  assert.equal(valueOf(0, -1.5, 2.25), -1.5);
  assert.equal(valueOf(255, -1.5, 2.25), 2.25);
  assert.equal(valueOf(51, 0, 5), 1);
  for (const at of [0, 7, 255]) assert.equal(valueOf(at, 3, 3), 3);
});

test("a value is read back to within half a level", () => {
  for (const [low, high] of [[-3, 5], [0, 0.001], [-40, -39]]) {
    for (let i = 0; i <= 1000; i++) {
      const value = low + (i / 1000) * (high - low);
      const stored = Math.round(((value - low) / (high - low)) * 255);
      const error = Math.abs(valueOf(stored, low, high) - value);
      assert.ok(error <= ((high - low) / 510) * (1 + 1e-9), `${value} in ${low} … ${high}`);
    }
  }
});

/** Every channel has its maximum at another place; channel 4 is constant. */
const FIGURES = {
  low: [-1, 0, -2, 0, 3, 0, -9],
  high: [1, 5, -1, 2, 3, 1e-6, 0],
  row: [0, 1, 0, 1, 0, 1, 1],
  column: [3, 0, 1, 3, 0, 2, 1],
};

function stored() {
  return assembled((channel, row, column) => {
    if (FIGURES.high[channel] === FIGURES.low[channel]) return 0;
    return row === FIGURES.row[channel] && column === FIGURES.column[channel] ? 255 : 40;
  });
}

test("pixels as they were stored are faithful", () => {
  assert.equal(isFaithful(stored(), SHEET, FIGURES), true);
});

test("one changed pixel at the maximum of any channel is noticed", () => {
  for (let channel = 0; channel < CHANNELS; channel++) {
    const grey = stored();
    const x = (channel % 3) * 4 + FIGURES.column[channel];
    const y = Math.floor(channel / 3) * 2 + FIGURES.row[channel];
    grey[y * 12 + x] ^= 1;
    assert.equal(isFaithful(grey, SHEET, FIGURES), false, `channel ${channel}`);
  }
});

test("a channel that is constant must be black, not white", () => {
  const constant = { low: [3], high: [3], row: [0], column: [0] };
  const sheet = { columns: 1, rows: 1, tile_width: 1, tile_height: 1 };
  assert.equal(isFaithful(Uint8Array.of(0), sheet, constant), true);
  assert.equal(isFaithful(Uint8Array.of(255), sheet, constant), false);
});
