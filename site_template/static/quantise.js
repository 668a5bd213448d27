// Activations to tile sheets and figures. One activation is one grey pixel. Pure.

import { EXACT, READABLE, rounded } from "./figures.js";

const PERCENTILE = 99.5;
/** Share of a sample that is taken to lie below the percentile; a little too low costs nothing. */
const SURELY_BELOW = 0.985;
const SAMPLE = 2048;

/**
 * All channels of a layer as one sheet and its figures, LayerFigures of the index. A pixel stands
 * for low + pixel/255 · (high − low) of its channel to within half a step; a constant channel is 0.
 * @param {Float32Array} values channel after channel, each in rows
 * @param {number} channels
 * @param {number} height
 * @param {number} width
 * @returns {{grey: Uint8Array, columns: number, rows: number, low: number[], high: number[],
 *   mean: number[], std: number[], zeros: number[], row: number[], column: number[]}} the sheet's
 *   pixels in rows, how many tiles lie side by side and one above the other, and the figures
 * @throws {Error} that names the first channel with NaN or infinity
 */
export function quantise(values, channels, height, width) {
  const { columns, rows } = grid(channels);
  const grey = new Uint8Array(rows * height * columns * width);
  const figures = { low: [], high: [], mean: [], std: [], zeros: [], row: [], column: [] };
  for (let channel = 0; channel < channels; channel++) {
    const own = values.subarray(channel * height * width, (channel + 1) * height * width);
    const { low, high, mean, zeros, peak } = measure(own);
    if (!Number.isFinite(mean)) throw new Error(`channel ${channel}: NaN or infinity`);
    const corner = (Math.floor(channel / columns) * height * columns + (channel % columns)) * width;
    const squares = paint(own, { low, high, mean }, width, grey.subarray(corner), columns * width);
    figures.low.push(rounded(low, EXACT));
    figures.high.push(rounded(high, EXACT));
    figures.mean.push(rounded(mean, READABLE));
    figures.std.push(rounded(Math.sqrt(squares / own.length), READABLE));
    figures.zeros.push(rounded(Math.fround(zeros / own.length), READABLE));
    figures.row.push(Math.floor(peak / width));
    figures.column.push(peak % width);
  }
  return { grey, columns, rows, ...figures };
}

/** The range of a channel, its mean (not finite if any value is not), zeros, and first maximum. */
function measure(values) {
  let [low, high, sum, zeros, peak] = [values[0], values[0], 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    sum += value;
    if (value === 0) zeros++;
    if (value < low) low = value;
    if (value > high) {
      high = value;
      peak = i;
    }
  }
  return { low, high, mean: sum / values.length, zeros, peak };
}

/** Put a channel's pixels into `grey`; return the sum of squared differences from the mean. */
function paint(values, { low, high, mean }, width, grey, stride) {
  const levelsPerUnit = high > low ? 255 / (high - low) : 0;
  let squares = 0;
  for (let start = 0, at = 0; start < values.length; start += width, at += stride) {
    for (let i = 0; i < width; i++) {
      const value = values[start + i];
      squares += (value - mean) * (value - mean);
      grey[at + i] = (value - low) * levelsPerUnit + 0.5; // is cut to a whole number: hence the half
    }
  }
  return squares;
}

/** Columns and rows of a sheet: nearly square, wider than high, full where that is possible. */
export function grid(channels) {
  const side = Math.ceil(Math.sqrt(channels));
  let columns = side;
  while (channels % columns) columns++;
  if (columns > 4 * Math.ceil(channels / columns)) columns = side;
  return { columns, rows: Math.ceil(channels / columns) };
}

/**
 * What TileSheet of the index says of a whole layer.
 * @param {Float32Array} values
 * @returns {{low: number, high: number, scale: number}} the smallest and the largest value, and the
 *   99.5th percentile of the absolute values, the nearest one from above
 * @throws {Error} where a value is NaN or infinite
 */
export function range(values) {
  let [low, high, sum] = [values[0], values[0], 0];
  let large = [];
  const floor = floorOf(values);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < low) low = value;
    if (value > high) high = value;
    const size = Math.abs(value);
    if (!(size <= floor)) {
      large.push(size); // NaN, too
      sum += size;
    }
  }
  if (!Number.isFinite(sum + high - low)) throw new Error("NaN or infinity");
  const larger = values.length - 1 - Math.ceil(((values.length - 1) * PERCENTILE) / 100);
  if (large.length <= larger) large = values.map(Math.abs);
  const scale = select(large, large.length - 1 - larger);
  return { low: rounded(low, EXACT), high: rounded(high, EXACT), scale: rounded(scale, EXACT) };
}

/** What is below the percentile, as far as a sample can tell: only the values above are sorted. */
function floorOf(values) {
  const step = 1 + Math.floor(values.length / SAMPLE);
  const sample = new Float32Array(Math.ceil(values.length / step));
  for (let i = 0; i < sample.length; i++) sample[i] = Math.abs(values[i * step]);
  return select(sample, Math.floor(sample.length * SURELY_BELOW));
}

/** The value that sorting would put at `place` (Hoare's quickselect). Reorders `values`. */
function select(values, place) {
  let [first, last] = [0, values.length - 1];
  while (first < last) {
    const pivot = values[(first + last) >> 1];
    let [left, right] = [first, last];
    while (left <= right) {
      while (values[left] < pivot) left++;
      while (values[right] > pivot) right--;
      if (left > right) break;
      const kept = values[left];
      values[left++] = values[right];
      values[right--] = kept;
    }
    if (place <= right) last = right;
    else if (place >= left) first = left;
    else break;
  }
  return values[place];
}
