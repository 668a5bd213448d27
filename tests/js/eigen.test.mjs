import assert from "node:assert/strict";
import { test } from "node:test";

import { dot, largestEigenvectors } from "../../site_template/static/eigen.js";
import { seeded } from "./seeded.mjs";

/** A symmetric matrix with these eigenvalues: a diagonal one, seen in a few mirrors. */
function withEigenvalues(values, seed) {
  const whole = seeded(seed);
  let rows = values.map((value, i) => new Float64Array(values.length).fill(value, i, i + 1));
  for (let mirror = 0; mirror < 4; mirror++) {
    const v = Float64Array.from(values, () => whole(2001) / 1000 - 1);
    const square = dot(v, v);
    const reflected = (row) => row.map((value, j) => value - (2 * dot(row, v) * v[j]) / square);
    const transposed = (all) => all.map((_, i) => Float64Array.from(all, (row) => row[i]));
    rows = transposed(transposed(rows.map(reflected)).map(reflected));
  }
  return rows;
}

/** That vectors are orthonormal, and that the matrix only stretches them. */
function check(rows, found, expected) {
  const size = Math.max(1e-300, ...expected.map(Math.abs));
  found.forEach(({ value, vector }, i) => {
    assert.ok(Math.abs(value - expected[i]) < 1e-13 * size, `${value} is not ${expected[i]}`);
    rows.forEach((row, j) => assert.ok(Math.abs(dot(row, vector) - value * vector[j]) < 1e-13 * size));
    found.forEach((other, j) => assert.ok(Math.abs(dot(vector, other.vector) - (i === j ? 1 : 0)) < 1e-13));
  });
}

const copy = (rows) => rows.map((row) => row.slice());

test("a matrix that can be worked out by hand", () => {
  const rows = [Float64Array.of(2, 1), Float64Array.of(1, 2)];
  const [first, second] = largestEigenvectors(copy(rows), 2);
  check(rows, [first, second], [3, 1]);
  assert.ok(Math.abs(first.vector[0] - first.vector[1]) < 1e-15);
});

test("close, equal, negative and missing eigenvalues", () => {
  const spread = Array.from({ length: 40 }, (_, i) => 1 / (1 + i));
  for (const values of [
    spread,
    [1, 1 - 1e-12, 1 - 2e-12, ...spread],
    [3, 3, 3, 3, 1, 1],
    [5, 0, 0, 0, 0, 0, 0],
    [2, 1, -7, -8],
    [1e60, 1e45, 1e30, 1],
    [1e-60, 1e-61, 1e-62],
  ]) {
    const rows = withEigenvalues(values, values.length);
    check(rows, largestEigenvectors(copy(rows), 3), [...values].sort((a, b) => b - a));
  }
});

test("diagonal matrices, zero, and a single number", () => {
  const diagonal = [1, 4, 2].map((value, i) => new Float64Array(3).fill(value, i, i + 1));
  check(diagonal, largestEigenvectors(copy(diagonal), 3), [4, 2, 1]);
  const zero = [new Float64Array(2), new Float64Array(2)];
  check(zero, largestEigenvectors(copy(zero), 2), [0, 0]);
  assert.deepEqual(largestEigenvectors([Float64Array.of(7)], 3), [{ value: 7, vector: Float64Array.of(1) }]);
});

test("what is not a number does not hang", () => {
  assert.equal(largestEigenvectors([Float64Array.of(NaN, 1), Float64Array.of(1, NaN)], 1).length, 1);
});
