import assert from "node:assert/strict";
import { test } from "node:test";

import { componentPicture, principalComponents, sharedPicture } from "../../site_template/static/components.js";

const ROOT = Math.SQRT1_2;

function close(found, expected) {
  assert.equal(found.length, expected.length);
  found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12, `${found} is not ${expected}`));
}

test("two channels that mostly go together", () => {
  // Around (4, 6): twice (1, 1) and its opposite, once (1, −1) and its opposite.
  const { mean, components, explained } = principalComponents(Float32Array.of(6, 2, 5, 3, 8, 4, 5, 7), 2, 4);
  close(mean, [4, 6]);
  close(components[0], [ROOT, ROOT]);
  close(components[1].map(Math.abs), [ROOT, ROOT]);
  close(components[2], [0, 0]);
  close(explained, [0.8, 0.2, 0]);
});

test("one direction holds everything, and its largest entry is positive", () => {
  for (const sign of [1, -1]) {
    const line = [0, 1, 2, 3].map((value) => value * sign);
    const values = Float32Array.of(...line, ...line.map((value) => -2 * value));
    const { components, explained } = principalComponents(values, 2, 4);
    close(components[0], [-1 / Math.sqrt(5), 2 / Math.sqrt(5)]);
    close(components[1], [0, 0]);
    close(explained, [1, 0, 0]);
  }
});

test("more channels than positions give the same as more positions than channels", () => {
  // Positions (0, 0, 0), (4, 0, 0), (2, 1, 0), (2, −1, 0) and silent channels behind.
  const points = [0, 4, 2, 2, 0, 0, 1, -1];
  for (const silent of [1, 6]) {
    const values = Float32Array.of(...points, ...new Float32Array(4 * silent));
    const { components, explained } = principalComponents(values, 2 + silent, 4);
    close(components[0], [1, ...new Float64Array(1 + silent)]);
    close(components[1].map(Math.abs), [0, 1, ...new Float64Array(silent)]);
    close(components[2], new Float64Array(2 + silent));
    close(explained, [0.8, 0.2, 0]);
  }
});

test("where nothing varies there are no components", () => {
  for (const [channels, positions] of [[2, 3], [5, 2], [1, 1]]) {
    const values = new Float32Array(channels * positions).fill(0.1);
    const { components, explained } = principalComponents(values, channels, positions);
    assert.ok(components.every((component) => component.every((value) => value === 0)));
    assert.deepEqual(explained, [0, 0, 0]);
  }
});

test("a picture runs from the lowest to the highest score of each component", () => {
  const { pixels, low, high, explained } = componentPicture(Float32Array.of(0, 1, 2, 4), 1, 2, 2);
  assert.deepEqual([...pixels], [0, 0, 0, 64, 0, 0, 128, 0, 0, 255, 0, 0]);
  assert.deepEqual([low, high, explained], [[-1.75, 0, 0], [2.25, 0, 0], [1, 0, 0]]);
});

test("in the common basis colours are held at the ends of its range", () => {
  const sheet = { columns: 2, rows: 1, tile_width: 2, tile_height: 1 };
  const figures = { low: [0, -1], high: [255, 1] };
  const basis = {
    mean: [100, 0],
    components: [[1, 0], [0, 1], [ROOT, ROOT]],
    range: { low: [-51, -1, -1000], high: [51, 1, 1000], explained: [0, 0, 0] },
  };
  // Channel 0 is 100 and 255, channel 1 is −1 and 1.
  const pixels = sharedPicture(Uint8Array.of(100, 255, 0, 255), sheet, figures, basis);
  assert.deepEqual([...pixels], [128, 0, 127, 255, 255, 142]);
});
