import assert from "node:assert/strict";
import { test } from "node:test";

import { EXACT, READABLE, rounded } from "../../site_template/static/figures.js";

test("digits are counted from the first that is not zero", () => {
  assert.deepEqual([1234567.8, 0.00123456789, -98.7654321].map((value) => rounded(value, READABLE)), [
    1234570, 0.00123457, -98.7654,
  ]);
});

test("a half goes to the even digit", () => {
  assert.deepEqual([0.5078125, 0.5234375, -0.5078125].map((value) => rounded(value, READABLE)), [
    0.507812, 0.523438, -0.507812,
  ]);
});

test("zero has no sign, and small numbers stay as they are", () => {
  assert.deepEqual([0, -0, 1e-30].map((value) => rounded(value, READABLE)), [0, 0, 1e-30]);
});

test("nine digits give a float32 back", () => {
  for (const value of [0.1, 16777215, 1e-5, -3.14159274, 12345.678]) {
    const exact = Math.fround(value);
    assert.equal(Math.fround(rounded(exact, EXACT)), exact);
  }
});
