// Pillow's antialiased resize, bit for bit, of only the pixels that are asked for. Pure.

/** Weights are integers with this many bits after the point. */
const BITS = 22;
const HALF = 1 << (BITS - 1);
/** Pixels that are read at a time. */
const BAND = 1 << 20;

/** Reach of each filter, and its weight at a distance. */
const FILTERS = {
  bilinear: { reach: 1, weight: (x) => (x < 1 ? 1 - x : 0) },
  bicubic: {
    reach: 2,
    weight: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0),
  },
};

/**
 * @param {(top: number, count: number) => Uint8ClampedArray} readRows rows of the picture: red,
 *   green, blue and a fourth byte that is passed over
 * @param {{width: number, height: number}} size of the picture
 * @param {"bilinear"|"bicubic"} filter
 * @param {number[]} box left, top, right, bottom of what is resized, in pixels of the picture
 * @param {{width: number, height: number}} target size that the box is resized to
 * @param {{left: number, top: number, width: number, height: number}} part of the target that is
 *   wanted, inside it
 * @returns {Uint8Array} red, green, blue of the part, in rows
 */
export function resample(readRows, size, filter, [left, top, right, bottom], target, part) {
  const across = weights(size.width, left, right, target.width, filter, part.left, part.width);
  const down = weights(size.height, top, bottom, target.height, filter, part.top, part.height);
  const out = new Uint8Array(3 * part.width * part.height);
  // Pillow rounds to bytes between the directions, so that their order matters.
  const [shorter, narrower] = [size.height - target.height, size.width - target.width];
  if (shorter > 0 && shorter > 2 * narrower) {
    const between = new Uint8Array(3 * size.width * part.height);
    for (let i = 0; i < part.height; i++) {
      const rows = readRows(down.starts[i], down.counts[i]);
      const to = between.subarray(3 * size.width * i);
      convolve(rows, 4 * size.width, 4, size.width, only(down, i), to, 3 * size.width, 3);
    }
    convolve(between, 3, 3 * size.width, part.height, across, out, 3, 3 * part.width);
  } else {
    const first = down.starts[0];
    const rows = down.end - first;
    const between = new Uint8Array(3 * part.width * rows);
    const most = Math.max(1, Math.floor(BAND / size.width));
    for (let row = 0; row < rows; row += most) {
      const count = Math.min(most, rows - row);
      const to = between.subarray(3 * part.width * row);
      convolve(readRows(first + row, count), 4, 4 * size.width, count, across, to, 3, 3 * part.width);
    }
    const shifted = { ...down, starts: down.starts.map((start) => start - first) };
    convolve(between, 3 * part.width, 3, part.width, shifted, out, 3 * part.width, 3);
  }
  return out;
}

/**
 * What the pixels of a line add to some pixels of the resized line.
 * @param {number} length of the line
 * @param {number} low where the resized part of the line begins; Pillow holds both in 32 bits
 * @param {number} high where it ends
 * @param {number} target length of the resized line
 * @param {string} filter
 * @param {number} from first pixel of the resized line that is wanted
 * @param {number} count of wanted pixels
 * @returns {{starts: Int32Array, counts: Int32Array, most: number, values: Int32Array, end: number}}
 *   of each wanted pixel the first pixel that counts, how many do, and `most` weights; the end of
 *   all that count
 */
function weights(length, low, high, target, filter, from, count) {
  const { reach, weight } = FILTERS[filter];
  const begin = Math.fround(low);
  const scale = Math.fround(Math.fround(high) - begin) / target;
  const stretch = Math.max(1, scale);
  const support = reach * stretch;
  const inverse = 1 / stretch;
  const most = 2 * Math.ceil(support) + 1;
  const starts = new Int32Array(count);
  const counts = new Int32Array(count);
  const values = new Int32Array(count * most);
  const raw = new Float64Array(most);
  let end = 0;
  for (let i = 0; i < count; i++) {
    const centre = begin + (from + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    end = Math.min(length, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let x = start; x < end; x++) sum += raw[x - start] = weight(Math.abs((x - centre + 0.5) * inverse));
    for (let x = 0; x < end - start; x++) {
      const value = (sum === 0 ? raw[x] : raw[x] / sum) * 2 ** BITS;
      values[i * most + x] = value < 0 ? value - 0.5 : value + 0.5; // the array truncates
    }
    starts[i] = start;
    counts[i] = end - start;
  }
  return { starts, counts, most, values, end };
}

/** Weights of one pixel of the resized line, on a line that begins where they do. */
function only({ counts, most, values }, i) {
  return { starts: Int32Array.of(0), counts: counts.subarray(i, i + 1), most, values: values.subarray(i * most) };
}

/**
 * Resamples lines of pixels: rows or columns, as the steps say. Sums fit into 32 bits, for the
 * weights of a pixel add up to 1 and their negative ones to no less than −0.2.
 * @param {Uint8Array|Uint8ClampedArray} from
 * @param {number} step bytes from a pixel of a line to the next
 * @param {number} lineStep bytes from a line to the next
 * @param {number} lines how many
 * @param {object} weights of the line's pixels
 * @param {Uint8Array} to
 * @param {number} toStep likewise
 * @param {number} toLineStep
 */
function convolve(from, step, lineStep, lines, { starts, counts, most, values }, to, toStep, toLineStep) {
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < starts.length; i++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let at = line * lineStep + starts[i] * step;
      const end = i * most + counts[i];
      for (let w = i * most; w < end; w++, at += step) {
        const value = values[w];
        red = (red + Math.imul(from[at], value)) | 0;
        green = (green + Math.imul(from[at + 1], value)) | 0;
        blue = (blue + Math.imul(from[at + 2], value)) | 0;
      }
      const out = line * toLineStep + i * toStep;
      to[out] = level(red);
      to[out + 1] = level(green);
      to[out + 2] = level(blue);
    }
  }
}

function level(sum) {
  return Math.min(255, Math.max(0, sum >> BITS));
}
