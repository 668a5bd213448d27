import assert from "node:assert/strict";
import { test } from "node:test";

import { counted, grouped, percent, readable, signed } from "../../site_template/static/numbers.js";

for (const [value, text] of [
  [0, "0"],
  [-0, "0"],
  [1, "1.00"],
  [-1, "−1.00"],
  [0.5, "0.500"],
  [-0.0123, "−0.0123"],
  [3.14159, "3.14"],
  [31.4159, "31.4"],
  [314.159, "314"],
  [31415.9, "31416"],
  [9.996, "10.0"],
  [0.99999, "1.00"],
  [-99.97, "−100"],
  [0.0001, "0.000100"],
  [0.00009, "9.00e−5"],
  [-1.234e-12, "−1.23e−12"],
  [999999, "999999"],
  [1e6, "1.00e+6"],
  [-2.5e30, "−2.50e+30"],
  [1.401298464324817e-45, "1.40e−45"],
]) {
  test(`${value} reads ${text}`, () => assert.equal(readable(value), text));
}

test("no number is written with a hyphen", () => {
  for (const value of [-1, -1e-9, 1e-9, -1e9, -0.02]) assert.ok(!readable(value).includes("-"));
});

test("what is read back is the number, to three digits", () => {
  for (let i = -120; i < 120; i++) {
    const value = (i % 2 ? -1 : 1) * 1.2345 * 10 ** (i / 10);
    const read = Number(readable(value).replaceAll("−", "-"));
    assert.ok(Math.abs(read - value) <= 0.005 * Math.abs(value), String(value));
  }
});

test("signed numbers have a sign, and zero has none", () => {
  assert.equal(signed(2), "+2.00");
  assert.equal(signed(-2), "−2.00");
  assert.equal(signed(0), "0");
  assert.equal(signed(1e-7), "+1.00e−7");
});

for (const [share, text] of [
  [0, "0 %"],
  [1, "100 %"],
  [0.42, "42 %"],
  [0.01, "1 %"],
  [0.005, "0.5 %"],
  [0.001, "0.1 %"],
  [0.0009, "< 0.1 %"],
  [1e-12, "< 0.1 %"],
]) {
  test(`a share of ${share} is ${text}`, () => assert.equal(percent(share), text));
}

test("one thing is not many", () => {
  assert.deepEqual([0, 1, 2].map((n) => counted(n, "photo")), ["0 photos", "1 photo", "2 photos"]);
});

for (const [number, text] of [
  [0, "0"],
  [999, "999"],
  [1000, "1\u202f000"],
  [9469, "9\u202f469"],
  [12345678, "12\u202f345\u202f678"],
]) {
  test(`${number} is grouped`, () => assert.equal(grouped(number), text));
}

test("what there are many of is grouped", () => assert.equal(counted(10000, "photo"), "10\u202f000 photos"));
