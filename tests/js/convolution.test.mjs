import assert from "node:assert/strict";
import { test } from "node:test";

import {
  afterSteps,
  boundAfter,
  decompose,
  kernelFile,
  partialMap,
  readKernel,
  windowAt,
} from "../../site_template/static/convolution.js";
import { seeded } from "./seeded.mjs";

const STEPS = { stride: [2, 1], padding: [1, 2], dilation: [1, 1] };

/** The size of what comes out where as much is added behind as in front, or `more`. */
function sizeOf({ height, width }, { rows, columns }, { stride, padding, dilation }, more = 0) {
  return {
    height: Math.floor((height + 2 * padding[0] + more - dilation[0] * (rows - 1) - 1) / stride[0]) + 1,
    width: Math.floor((width + 2 * padding[1] + more - dilation[1] * (columns - 1) - 1) / stride[1]) + 1,
  };
}

function naive(values, { height, width }, kernel, { rows, columns }, { stride, padding, dilation }, { height: outHeight, width: outWidth }) {
  const at = (y, x) => (y < 0 || x < 0 || y >= height || x >= width ? 0 : values[y * width + x]);
  const out = [];
  for (let r = 0; r < outHeight; r++) {
    for (let c = 0; c < outWidth; c++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          sum +=
            kernel[i * columns + j] *
            at(r * stride[0] - padding[0] + i * dilation[0], c * stride[1] - padding[1] + j * dilation[1]);
        }
      }
      out.push(sum);
    }
  }
  return out;
}

function close(found, expected, tolerance = 1e-4) {
  assert.equal(found.length, expected.length);
  found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < tolerance, `${i}: ${value} ${expected[i]}`));
}

test("a partial map is the sum under the kernel, whatever stride, padding and dilation, and padding behind unlike that in front", () => {
  const whole = seeded(1);
  const random = () => whole(1000) / 1000;
  const size = { height: 9, width: 7 };
  const values = Float32Array.from({ length: 63 }, () => random() - 0.5);
  const kernel = Float32Array.from({ length: 15 }, () => random() - 0.5);
  const extent = { rows: 3, columns: 5 };
  for (const steps of [STEPS, { stride: [1, 1], padding: [0, 0], dilation: [1, 1] }, { stride: [1, 3], padding: [4, 4], dilation: [2, 1] }]) {
    for (const more of [0, 1]) {
      const out = sizeOf(size, extent, steps, more);
      close(partialMap(values, size, kernel, extent, steps, out), naive(values, size, kernel, extent, steps, out));
    }
  }
});

test("kernels are read from the right record", () => {
  const kernels = { per_file: 2, inputs: 1, rows: 1, columns: 3 };
  const buffer = new ArrayBuffer(20);
  const view = new DataView(buffer);
  view.setFloat32(10, 0.5, true);
  [-32767, 0, 3].forEach((level, i) => view.setInt16(14 + 2 * i, level, true));
  assert.deepEqual(readKernel(buffer, kernels, 5), {
    step: 0.5,
    weights: Float32Array.of(-16383.5, 0, 1.5),
  });
  assert.equal(kernelFile(kernels, 5), 2);
});

test("the terms add up to the whole, and the rest is made of the other channels", () => {
  const whole = seeded(2);
  const random = () => whole(1000) / 1000;
  const size = { height: 6, width: 5 };
  const kernels = { inputs: 7, rows: 3, columns: 3 };
  const inputs = Array.from({ length: 7 }, () => Float32Array.from({ length: 30 }, () => random() * 2 - 1));
  const weights = Float32Array.from({ length: 63 }, () => random() - 0.5);
  const steps = { stride: [1, 1], padding: [1, 1], dilation: [1, 1] };
  const given = {
    valuesOf: (i) => inputs[i],
    slackOf: () => 0.01,
    size,
    out: size,
    kernel: { step: 0.001, weights },
    kernels,
    steps,
    bias: 0.25,
  };
  const { strongest, rest, others, sum, bound } = decompose(given, 3);
  assert.equal(strongest.length, 3);
  assert.equal(others, 4);
  const maps = inputs.map((values, i) => naive(values, size, weights.subarray(9 * i, 9 * i + 9), kernels, steps, size));
  const strength = maps.map((map) => map.reduce((total, value) => total + Math.abs(value), 0));
  const order = strength.map((_, i) => i).sort((a, b) => strength[b] - strength[a]);
  assert.deepEqual(strongest.map(({ input }) => input), order.slice(0, 3));
  const total = (which) => maps[0].map((_, at) => which.reduce((all, i) => all + maps[i][at], 0));
  close(rest, total(order.slice(3)));
  close(sum, total(order).map((value) => value + 0.25));
  // Every input wrong by its slack, every weight by half a step, and all in the worst direction.
  const worst = maps[0].map((_, at) => {
    const spoiled = inputs.map((values) => values.map((value) => value));
    const centre = [Math.floor(at / 5), at % 5];
    let change = 0;
    spoiled.forEach((values, i) => {
      windowAt(values, size, kernels, steps, centre).forEach((value, k) => {
        const weight = weights[9 * i + k];
        change += value === null ? 0 : 0.01 * Math.abs(weight) + 0.0005 * Math.abs(value);
      });
    });
    return change;
  });
  worst.forEach((change, at) => assert.ok(change <= bound[at] + 1e-6));
  assert.ok(Math.max(...bound) < 1.2 * Math.max(...worst));
});

test("input channels that add nothing are not among the strongest", () => {
  const given = {
    valuesOf: (i) => new Float32Array(4).fill(i === 1 ? 1 : 0),
    slackOf: () => 0,
    size: { height: 2, width: 2 },
    out: { height: 2, width: 2 },
    kernel: { step: 0, weights: Float32Array.of(1, 1, 1) },
    kernels: { inputs: 3, rows: 1, columns: 1 },
    steps: { stride: [1, 1], padding: [0, 0], dilation: [1, 1] },
    bias: 0,
  };
  const { strongest, others } = decompose(given, 2);
  assert.deepEqual([strongest.map(({ input }) => input), others], [[1], 2]);
});

test("weights that were rounded to 16 bits widen the bound by what that can change", () => {
  const given = {
    valuesOf: (i) => Float32Array.of(i === 0 ? -2 : 3),
    slackOf: () => 0,
    size: { height: 1, width: 1 },
    out: { height: 1, width: 1 },
    kernel: { step: 0, weights: Float32Array.of(0.5, 2 ** -20) },
    kernels: { inputs: 2, rows: 1, columns: 1 },
    steps: { stride: [1, 1], padding: [0, 0], dilation: [1, 1] },
    bias: 0,
  };
  assert.deepEqual([...decompose(given, 2).bound], [0]);
  const { bound } = decompose({ ...given, rounding: 2 ** -11 }, 2);
  close(bound, [2 * 0.5 * 2 ** -11 + 3 * 2 ** -14 * 2 ** -11]);
});

test("batch norm and ReLU come in their order, and carry the bound along", () => {
  const steps = [
    { op: "batch norm", scale: [9, -2], shift: [9, 1] },
    { op: "relu", scale: null, shift: null },
  ];
  assert.deepEqual([...afterSteps(Float32Array.of(-1, 2), steps, 1)], [3, 0]);
  assert.deepEqual([...boundAfter(Float32Array.of(0.5), steps, 1)], [1]);
});

test("a scale multiplies and adds, and relu6 ends at six", () => {
  const steps = [
    { op: "scale", scale: [4], shift: [1] },
    { op: "relu6", scale: null, shift: null },
  ];
  assert.deepEqual([...afterSteps(Float32Array.of(-1, 1, 2), steps, 0)], [0, 5, 6]);
  assert.deepEqual([...boundAfter(Float32Array.of(0.5), steps, 0)], [2]);
});

test("the window at a border has nothing beyond it", () => {
  const values = Float32Array.of(1, 2, 3, 4);
  const found = windowAt(values, { height: 2, width: 2 }, { rows: 3, columns: 3 }, { stride: [1, 1], padding: [1, 1], dilation: [1, 1] }, [0, 0]);
  assert.deepEqual(found, [null, null, null, null, 1, 2, null, 3, 4]);
});
