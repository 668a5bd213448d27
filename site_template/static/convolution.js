// A convolution taken apart: what each input channel adds to one output channel. Pure.

const SMALLEST_NORMAL = 2 ** -14; // of float16: below it rounding does not get finer

/**
 * The weights of one output channel.
 * @param {ArrayBuffer} buffer a file of kernels
 * @param {{per_file: number, inputs: number, rows: number, columns: number}} kernels Kernels
 * @param {number} channel output channel
 * @returns {{step: number, weights: Float32Array}} weights in the order input, row, column; each is
 *   within step/2 of the network's
 */
export function readKernel(buffer, { per_file, inputs, rows, columns }, channel) {
  const count = inputs * rows * columns;
  const view = new DataView(buffer, (channel % per_file) * (4 + 2 * count), 4 + 2 * count);
  const step = view.getFloat32(0, true);
  const weights = Float32Array.from({ length: count }, (_, i) => step * view.getInt16(4 + 2 * i, true));
  return { step, weights };
}

/** Which file holds the kernel of an output channel. */
export function kernelFile({ per_file }, channel) {
  return Math.floor(channel / per_file);
}

/**
 * One input channel under its kernel, zeros beyond the borders.
 * @param {Float32Array} values of the input, in rows
 * @param {{height: number, width: number}} size of the input
 * @param {Float32Array} kernel in rows
 * @param {{rows: number, columns: number}} extent of the kernel
 * @param {{stride: number[], padding: number[], dilation: number[]}} steps padding is that in front
 * @param {{height: number, width: number}} out size of the output
 * @returns {Float32Array} in rows
 */
export function partialMap(values, { height, width }, kernel, { rows, columns }, { stride, padding, dilation }, { height: outHeight, width: outWidth }) {
  const out = new Float32Array(outHeight * outWidth);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const weight = kernel[i * columns + j];
      if (weight === 0) continue;
      for (let row = 0; row < outHeight; row++) {
        const y = row * stride[0] - padding[0] + i * dilation[0];
        if (y < 0 || y >= height) continue;
        for (let column = 0; column < outWidth; column++) {
          const x = column * stride[1] - padding[1] + j * dilation[1];
          if (x >= 0 && x < width) out[row * outWidth + column] += weight * values[y * width + x];
        }
      }
    }
  }
  return out;
}

/**
 * The values under the kernel at one position; null beyond the borders.
 * @returns {(number|null)[]} in rows
 */
export function windowAt(values, { height, width }, { rows, columns }, { stride, padding, dilation }, [row, column]) {
  return Array.from({ length: rows * columns }, (_, at) => {
    const y = row * stride[0] - padding[0] + Math.floor(at / columns) * dilation[0];
    const x = column * stride[1] - padding[1] + (at % columns) * dilation[1];
    return y >= 0 && y < height && x >= 0 && x < width ? values[y * width + x] : null;
  });
}

/**
 * A map as the sum of what each input channel adds.
 * @param {object} given
 * @param {(input: number) => Float32Array} given.valuesOf an input channel's values, in rows
 * @param {(input: number) => number} given.slackOf how far these may be off
 * @param {{height: number, width: number}} given.size of the inputs
 * @param {{height: number, width: number}} given.out of the output
 * @param {{step: number, weights: Float32Array}} given.kernel of readKernel
 * @param {{inputs: number, rows: number, columns: number}} given.kernels
 * @param {object} given.steps stride, padding, dilation
 * @param {number} given.bias
 * @param {number} given.rounding how far the weights may be off besides, relative to each
 * @param {number} shown how many input channels to keep apart
 * @returns {{strongest: {input: number, map: Float32Array}[], rest: Float32Array, others: number,
 *   sum: Float32Array, bound: Float32Array}} the strongest input channels by mean absolute value of
 *   what they add; the sum of the others, added up from their own maps; the whole; and how far the
 *   whole may be off at each position
 */
export function decompose({ valuesOf, slackOf, size, out, kernel, kernels, steps, bias, rounding = 0 }, shown) {
  const { inputs, rows, columns } = kernels;
  const area = rows * columns;
  const terms = [];
  const weightSlack = [];
  let inputSlack = 0;
  for (let input = 0; input < inputs; input++) {
    const values = valuesOf(input);
    const own = kernel.weights.subarray(input * area, (input + 1) * area);
    const map = partialMap(values, size, own, kernels, steps, out);
    terms.push({ input, map, strength: mean(map, Math.abs) });
    inputSlack += slackOf(input) * own.reduce((sum, weight) => sum + Math.abs(weight), 0);
    const slack = own.map((weight) => kernel.step / 2 + rounding * Math.max(Math.abs(weight), SMALLEST_NORMAL));
    weightSlack.push(partialMap(values.map(Math.abs), size, slack, kernels, steps, out));
  }
  const order = [...terms].sort((a, b) => b.strength - a.strength || a.input - b.input);
  const strongest = order.slice(0, shown).filter(({ strength }) => strength > 0);
  const others = terms.filter((term) => !strongest.includes(term));
  const length = terms[0].map.length;
  const rest = added(others.map(({ map }) => map), length);
  const sum = added([...strongest.map(({ map }) => map), rest], length).map((value) => value + bias);
  const bound = added(weightSlack, length).map((value) => value + inputSlack);
  return { strongest, rest, others: others.length, sum, bound };
}

/**
 * What batch norms, scales and ReLUs make of a convolution's map.
 * @param {Float32Array} map
 * @param {{op: string, scale: number[]|null, shift: number[]|null}[]} steps Step of the index
 * @param {number} channel
 * @returns {Float32Array}
 */
export function afterSteps(map, steps, channel) {
  return steps.reduce(
    (values, { op, scale, shift }) =>
      values.map((value) => (scale ? value * scale[channel] + shift[channel] : Math.min(op === "relu6" ? 6 : Infinity, Math.max(0, value)))),
    map,
  );
}

/** How far a value may be off after these steps, if it may be off by `bound` before them. */
export function boundAfter(bound, steps, channel) {
  const factor = steps.reduce((product, { scale }) => product * (scale ? Math.abs(scale[channel]) : 1), 1);
  return bound.map((value) => value * factor);
}

function added(maps, length) {
  const sum = new Float32Array(length);
  for (const map of maps) for (let i = 0; i < length; i++) sum[i] += map[i];
  return sum;
}

function mean(values, of) {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum / values.length;
}
