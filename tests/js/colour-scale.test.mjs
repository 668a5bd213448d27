import assert from "node:assert/strict";
import { test } from "node:test";

import { diverging, sequential } from "../../site_template/static/colormaps.js";
import {
  LABELS,
  beyond,
  domain,
  mapsFor,
  palette,
  pixelColours,
  stops,
} from "../../site_template/static/colour-scale.js";
import { seeded } from "./seeded.mjs";

const MAPS = { ...sequential, ...diverging };
/** Colours that are their own place in the table. */
const PLACES = { table: Uint32Array.from({ length: 256 }, (_, i) => i), under: 1000, over: 1001 };

/** Red, green, blue, alpha as a canvas reads them. */
function bytes(colour) {
  return [...new Uint8Array(Uint32Array.of(colour).buffer)];
}

const ENDS = { layer: 4, photos: 9, low: -2, high: 1.5 };

for (const [scale, signed, ends, expected] of [
  ["layer", false, ENDS, { low: 0, high: 4 }],
  ["layer", true, ENDS, { low: -4, high: 4 }],
  ["photos", false, ENDS, { low: 0, high: 9 }],
  ["photos", true, ENDS, { low: -9, high: 9 }],
  ["channel", false, { ...ENDS, low: 0 }, { low: 0, high: 1.5 }],
  ["channel", true, ENDS, { low: -2, high: 2 }],
  ["channel", true, { ...ENDS, high: 3 }, { low: -3, high: 3 }],
  ["channel", true, { ...ENDS, low: 1 }, { low: -1.5, high: 1.5 }],
]) {
  test(`the ${scale} scale of a ${signed ? "signed" : "rectified"} layer with ${ends.low} … ${ends.high}`, () => {
    assert.deepEqual(domain(scale, signed, ends), expected);
  });
}

test("a channel that never fires keeps the layer's scale and stays dark", () => {
  const ends = domain("channel", false, { ...ENDS, low: 0, high: 0 });
  assert.deepEqual(ends, { low: 0, high: 4 });
  assert.deepEqual(new Set(pixelColours({ low: 0, high: 0 }, ends, PLACES, { mark: true })), new Set([0]));
  assert.deepEqual(domain("channel", true, { ...ENDS, low: 0, high: 0 }), { low: -4, high: 4 });
});

test("a layer that is zero everywhere has a scale all the same", () => {
  const silent = { layer: 0, photos: 0, low: 0, high: 0 };
  for (const scale of ["layer", "photos", "channel"]) {
    assert.deepEqual(domain(scale, false, silent), { low: 0, high: 1 });
    assert.deepEqual(domain(scale, true, silent), { low: -1, high: 1 });
  }
});

test("the ends and the middle of the scale have the colours of the table's ends and middle", () => {
  const onto = pixelColours({ low: -4, high: 4 }, { low: -4, high: 4 }, PLACES, { mark: true });
  assert.deepEqual([...onto], [...PLACES.table]);
  const half = pixelColours({ low: 0, high: 2 }, { low: 0, high: 4 }, PLACES, { mark: true });
  assert.deepEqual([half[0], half[255]], [0, 128]);
  const zero = pixelColours({ low: 0, high: 0 }, { low: -4, high: 4 }, PLACES, { mark: true });
  assert.ok([127, 128].includes(zero[0]));
});

test("a larger value never has an earlier colour, and each value has the one it should", () => {
  const random = seeded(4);
  for (let i = 0; i < 200; i++) {
    const low = (random(2000) - 1000) / 100;
    const channel = { low, high: low + random(1000) / 100 };
    const ends = { low: -(random(500) + 1) / 100, high: (random(500) + 1) / 100 };
    const places = pixelColours(channel, ends, PLACES);
    for (let pixel = 0; pixel < 256; pixel++) {
      if (pixel) assert.ok(places[pixel] >= places[pixel - 1]);
      const value = channel.low + (pixel / 255) * (channel.high - channel.low);
      const exact = ((value - ends.low) / (ends.high - ends.low)) * 255;
      const held = Math.min(255, Math.max(0, exact));
      assert.ok(Math.abs(places[pixel] - held) <= 0.5 + 1e-9);
    }
  }
});

test("only what lies beyond the scale is marked, and only when asked for", () => {
  const channel = { low: -3, high: 3 };
  const ends = { low: -1, high: 2 };
  const marked = pixelColours(channel, ends, PLACES, { mark: true });
  const plain = pixelColours(channel, ends, PLACES);
  for (let pixel = 0; pixel < 256; pixel++) {
    const value = -3 + (pixel / 255) * 6;
    const held = value < -1 ? 0 : value > 2 ? 255 : plain[pixel];
    assert.equal(plain[pixel], held);
    assert.equal(marked[pixel], value < -1 ? PLACES.under : value > 2 ? PLACES.over : held);
  }
  assert.equal(marked.filter((place) => place === PLACES.under).length, 85);
  assert.equal(marked.filter((place) => place === PLACES.over).length, 43);
});

test("a value at the end of the scale is not beyond it, rounding included", () => {
  const ends = { low: -0.3, high: 0.3 };
  for (const value of [-0.3, 0.3, 0.1 + 0.2, 0, 0.3 + 1e-8]) assert.equal(beyond(value, ends), false);
  for (const value of [0.3001, -0.3001, Infinity, -Infinity]) assert.equal(beyond(value, ends), true);
  const own = pixelColours({ low: 0, high: 0.1 + 0.2 }, { low: 0, high: 0.3 }, PLACES, { mark: true });
  assert.equal(own[255], 255);
});

test("a palette has 256 opaque colours: those of the map", () => {
  for (const [name, map] of Object.entries(MAPS)) {
    const { table, under, over } = palette(name);
    assert.equal(table.length, 256, name);
    for (const place of [0, 1, 100, 254, 255]) {
      const digits = map.table.slice(6 * place, 6 * place + 6);
      assert.deepEqual(bytes(table[place]), [...Buffer.from(digits, "hex"), 255], `${name} ${place}`);
    }
    assert.deepEqual(bytes(under), [...Buffer.from(map.under.slice(1), "hex"), 255]);
    assert.deepEqual(bytes(over), [...Buffer.from(map.over.slice(1), "hex"), 255]);
  }
});

test("colours known from elsewhere", () => {
  const { table } = palette("viridis");
  for (const [place, known] of [[0, [0x44, 0x01, 0x54, 255]], [255, [0xfd, 0xe7, 0x25, 255]]]) {
    const off = bytes(table[place]).map((value, i) => Math.abs(value - known[i]));
    assert.ok(Math.max(...off) <= 1, `viridis ${place}`); // matplotlib cuts off where others round
  }
  const [low, middle, high] = [0, 127, 255].map((place) => bytes(palette("RdBu_r").table[place]));
  assert.ok(low[2] > low[0] && high[0] > high[2], "blue below, red above");
  assert.ok(Math.min(...middle) > 240, "white in the middle");
});

test("every table is whole, and the colour for what lies beyond is none of its own", () => {
  for (const [name, { table, under, over }] of Object.entries(MAPS)) {
    assert.match(table, /^[0-9a-f]{1536}$/, name);
    const own = new Set(table.match(/.{6}/g));
    for (const end of [under, over]) {
      assert.match(end, /^#[0-9a-f]{6}$/, name);
      assert.ok(!own.has(end.slice(1)), `${name} ${end}`);
    }
  }
});

test("every map has a label and suits one kind of layer", () => {
  assert.deepEqual([...mapsFor(false), ...mapsFor(true)].sort(), Object.keys(LABELS).sort());
  assert.deepEqual(mapsFor(true).filter((name) => mapsFor(false).includes(name)), []);
});

test("the colour bar runs from the map's first colour to its last", () => {
  for (const [name, { table }] of Object.entries(MAPS)) {
    const colours = stops(name);
    assert.equal(colours.length, 17);
    assert.equal(colours[0], `#${table.slice(0, 6)}`);
    assert.equal(colours[8], `#${table.slice(6 * 128, 6 * 129)}`);
    assert.equal(colours[16], `#${table.slice(-6)}`);
    for (const colour of colours) assert.match(colour, /^#[0-9a-f]{6}$/);
  }
  assert.deepEqual(stops("gray", 2), ["#000000", "#ffffff"]);
});
