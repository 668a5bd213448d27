// A whole layer as small grey pictures. Float32 arrays round where NumPy's do. Pure.

import { EXACT, rounded } from "./figures.js";

/**
 * The channel mean above the channel maximum, each on its own range, as LayerFigures has it.
 * @param {Float32Array} values channel after channel, each in rows
 * @param {number} channels
 * @param {number} height
 * @param {number} width
 * @returns {{pixels: Uint8Array, mean_low: number, mean_high: number, max_low: number,
 *   max_high: number}} pixels of both pictures, in rows
 */
export function summary(values, channels, height, width) {
  const size = height * width;
  const sum = new Float32Array(size);
  const largest = values.slice(0, size);
  for (let start = 0; start < channels * size; start += size) {
    for (let i = 0; i < size; i++) {
      const value = values[start + i];
      sum[i] += value;
      if (value > largest[i]) largest[i] = value;
    }
  }
  const pixels = new Uint8ClampedArray(2 * size);
  const [mean_low, mean_high] = stretch(sum.map((value) => value / channels), pixels.subarray(0, size));
  const [max_low, max_high] = stretch(largest, pixels.subarray(size));
  return { pixels: new Uint8Array(pixels.buffer), mean_low, mean_high, max_low, max_high };
}

/** Put values into `pixels`, which rounds, so that the range is that of the pixels; return it. */
function stretch(values, pixels) {
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = values.reduce((most, value) => Math.max(most, value));
  const span = high > low ? high - low : 1;
  values.forEach((value, i) => (pixels[i] = ((value - low) / span) * 255));
  return [rounded(low, EXACT), rounded(high, EXACT)];
}

/**
 * A layer's picture on the depth strip: the mean of the absolute values over channels, from 0 to
 * its own largest value.
 * @param {Float32Array} values channel after channel, each in rows
 * @param {number} channels
 * @param {number} height
 * @param {number} width
 * @param {number} side of the picture
 * @returns {Uint8Array} pixels in rows
 */
export function stripTile(values, channels, height, width, side) {
  const size = height * width;
  const sum = new Float32Array(size);
  for (let start = 0; start < channels * size; start += size) {
    for (let i = 0; i < size; i++) sum[i] += Math.abs(values[start + i]);
  }
  const energy = sum.map((value) => value / channels);
  const peak = energy.reduce((most, value) => Math.max(most, value));
  const picture = peak > 0 ? energy.map((value) => value / peak) : energy;
  const weights = width < side || height < side ? nearest : box;
  const turned = resample(picture, height, weights(width, side));
  const levels = resample(turned, side, weights(height, side)).map((value) => value * 255);
  return new Uint8Array(Uint8ClampedArray.from(levels).buffer);
}

/**
 * Resample along rows, as Pillow does. Turns rows into columns: doing it twice does both.
 * @param {Float32Array} values
 * @param {number} rows
 * @param {{first: number, last: number}[]} spans what each new value is the mean of, last outside
 */
function resample(values, rows, spans) {
  const length = values.length / rows;
  const out = new Float32Array(spans.length * rows);
  spans.forEach(({ first, last }, at) => {
    const weight = 1 / (last - first);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = first; i < last; i++) sum += values[row * length + i] * weight;
      out[at * rows + row] = sum;
    }
  });
  return out;
}

/** The pixels whose centres lie in each of `side` equal parts of `length` pixels. */
function box(length, side) {
  const part = length / side;
  return Array.from({ length: side }, (_, i) => {
    const centre = (i + 0.5) * part;
    const first = Math.floor(centre - part / 2 + 0.5);
    const last = Math.min(length, Math.floor(centre + part / 2 + 0.5));
    // A centre can lie on the border: what decides then is Pillow's rounding, so this is its order.
    const isBeyond = (last - 1 - centre + 0.5) * (1 / part) > 0.5;
    return { first, last: isBeyond ? last - 1 : last };
  });
}

/** The pixel at the middle of each of these parts; middles are added up, as Pillow does. */
function nearest(length, side) {
  let middle = length / side / 2;
  return Array.from({ length: side }, () => {
    const first = Math.floor(middle);
    middle += length / side;
    return { first, last: first + 1 };
  });
}
