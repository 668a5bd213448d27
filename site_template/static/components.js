// Principal components as colours: the three directions of largest variance of the channel
// vectors as red, green and blue. Pure.

import { dot, largestEigenvectors } from "./eigen.js";
import { READABLE, rounded } from "./figures.js";
import { tile } from "./tile-sheet.js";

const COMPONENTS = 3;
/** Share of the variance below which a direction is rounding noise. */
const NOISE = 1e-12;

/**
 * @param {Float32Array} values channel after channel
 * @param {number} channels
 * @param {number} positions of each channel
 * @returns {{mean: Float64Array, components: Float64Array[], explained: number[]}} three unit
 *   vectors, largest variance first, the entry of largest absolute value positive; zero where the
 *   values have fewer dimensions; and the share of the variance that each explains
 */
export function principalComponents(values, channels, positions) {
  const mean = new Float64Array(channels);
  const centred = Array.from({ length: channels }, (_, channel) => {
    const own = Float64Array.from(values.subarray(channel * positions, (channel + 1) * positions));
    for (let i = 0; i < positions; i++) mean[channel] += own[i];
    mean[channel] /= positions;
    for (let i = 0; i < positions; i++) own[i] -= mean[channel];
    return own;
  });
  // The eigenvectors of the smaller product give those of the larger one, which span the same.
  const few = channels > positions;
  const rows = few ? transposed(centred) : centred;
  const products = productsOf(rows);
  const total = products.reduce((sum, row, i) => sum + row[i], 0);
  const found = largestEigenvectors(products, COMPONENTS).filter(({ value }) => value > NOISE * total);
  const components = found.map(({ vector }) => normalised(few ? mixture(rows, vector) : vector));
  const explained = found.map(({ value }) => value / total);
  while (components.length < COMPONENTS) {
    components.push(new Float64Array(channels));
    explained.push(0);
  }
  return { mean, components, explained };
}

function transposed(rows) {
  return Array.from(rows[0], (_, at) => Float64Array.from({ length: rows.length }, (_, i) => rows[i][at]));
}

/** The scalar product of each row with each. */
function productsOf(rows) {
  const products = rows.map(() => new Float64Array(rows.length));
  for (let i = 0; i < rows.length; i++) {
    for (let j = i; j < rows.length; j++) products[i][j] = products[j][i] = dot(rows[i], rows[j]);
  }
  return products;
}

function mixture(rows, shares) {
  const sum = new Float64Array(rows[0].length);
  rows.forEach((row, at) => row.forEach((value, i) => (sum[i] += shares[at] * value)));
  return sum;
}

/** Of length one, with the sign that makes its largest entry positive. */
function normalised(vector) {
  const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most));
  const length = Math.sqrt(dot(vector, vector)) * Math.sign(largest);
  return vector.map((value) => value / length);
}

/**
 * A layer in the photo's own basis, each component on its own range.
 * @param {Float32Array} values channel after channel, each in rows
 * @param {number} channels
 * @param {number} height
 * @param {number} width
 * @returns {{pixels: Uint8Array, low: number[], high: number[], explained: number[]}} red, green
 *   and blue in rows, and Components of the index
 */
export function componentPicture(values, channels, height, width) {
  const size = height * width;
  const basis = principalComponents(values, channels, size);
  const scores = project((channel) => values.subarray(channel * size, (channel + 1) * size), basis, size);
  const low = scores.map((score) => score.reduce((least, value) => Math.min(least, value)));
  const high = scores.map((score) => score.reduce((most, value) => Math.max(most, value)));
  const [lows, highs, explained] = [low, high, basis.explained].map((triple) => triple.map((value) => rounded(value, READABLE)));
  return { pixels: colours(scores, low, high), low: lows, high: highs, explained };
}

/**
 * A layer in the basis that all photos share, from what its sheet holds.
 * @param {Uint8Array} grey all pixels of the sheet, in rows
 * @param {object} sheet TileSheet of the index
 * @param {object} figures LayerFigures
 * @param {object} basis SharedBasis
 * @returns {Uint8Array} red, green and blue, in rows
 */
export function sharedPicture(grey, sheet, figures, basis) {
  const valuesOf = (channel) => {
    const low = Math.fround(figures.low[channel]);
    const step = (Math.fround(figures.high[channel]) - low) / 255;
    return Float32Array.from(tile(grey, sheet, channel), (pixel) => pixel * step + low);
  };
  const scores = project(valuesOf, basis, sheet.tile_height * sheet.tile_width);
  return colours(scores, basis.range.low, basis.range.high);
}

/** How far the channel vectors lie along each component. */
function project(valuesOf, { mean, components }, positions) {
  const scores = components.map((component) => {
    const centre = component.reduce((sum, share, channel) => sum + share * mean[channel], 0);
    return new Float64Array(positions).fill(-centre);
  });
  for (let channel = 0; channel < mean.length; channel++) {
    const values = valuesOf(channel);
    scores.forEach((score, i) => {
      const share = components[i][channel];
      for (let at = 0; at < positions; at++) score[at] += share * values[at];
    });
  }
  return scores;
}

/** Three scores as red, green and blue from `low` to `high`, rounded and held there. */
function colours(scores, low, high) {
  const pixels = new Uint8ClampedArray(scores[0].length * COMPONENTS);
  scores.forEach((score, i) => {
    const span = high[i] > low[i] ? high[i] - low[i] : 1;
    score.forEach((value, at) => (pixels[at * COMPONENTS + i] = ((value - low[i]) / span) * 255));
  });
  return new Uint8Array(pixels.buffer);
}
