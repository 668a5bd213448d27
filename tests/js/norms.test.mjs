import assert from "node:assert/strict";
import { test } from "node:test";

import { NORMS, normEnds, placer, valueAt } from "../../site_template/static/norms.js";

const SIGNED = { low: -8, high: 8 };
const POSITIVE = { low: 0, high: 5 };

test("every norm goes from 0 at the low end to 1 at the high end and never back", () => {
  for (const norm of Object.keys(NORMS)) {
    for (const linear of [SIGNED, POSITIVE]) {
      const ends = normEnds(norm, linear);
      const place = placer(norm, ends);
      assert.equal(place(ends.low), 0, norm);
      assert.ok(Math.abs(place(ends.high) - 1) < 1e-12, norm);
      let before = 0;
      for (let i = 0; i <= 1000; i++) {
        const now = place(ends.low + ((ends.high - ends.low) * i) / 1000);
        assert.ok(now >= before, norm);
        before = now;
      }
      assert.equal(place(ends.low - 100), 0);
      assert.ok(Math.abs(place(ends.high + 100) - 1) < 1e-12);
    }
  }
});

test("norms of signed layers have zero in the middle", () => {
  for (const norm of ["linear", "symlog", "logit"]) assert.ok(Math.abs(placer(norm, SIGNED)(0) - 0.5) < 1e-12);
});

test("a logarithm covers three decades, whatever is not above zero lies at its low end", () => {
  const ends = normEnds("log", SIGNED);
  assert.deepEqual(ends, { low: 0.008, high: 8 });
  const place = placer("log", ends);
  assert.equal(place(-3), 0);
  assert.equal(place(0), 0);
  assert.ok(Math.abs(place(0.8) - 2 / 3) < 1e-12);
  assert.ok(Math.abs(place(0.08) - 1 / 3) < 1e-12);
});

test("symlog raises small values alike on both sides", () => {
  const place = placer("symlog", SIGNED);
  assert.ok(place(0.8) > placer("linear", SIGNED)(0.8) + 0.2);
  assert.ok(Math.abs(place(0.8) - 0.5 - (0.5 - place(-0.8))) < 1e-12);
  assert.ok(Math.abs(place(0.8) - (0.5 + Math.log(11) / Math.log(101) / 2)) < 1e-12);
});

test("logit is that of the place in the scale, cut off at one in a hundred", () => {
  const place = placer("logit", POSITIVE);
  assert.equal(place(0.04), 0);
  const expected = 0.5 + Math.log(0.8 / 0.2) / (2 * Math.log(0.99 / 0.01));
  assert.ok(Math.abs(place(4) - expected) < 1e-12);
});

test("valueAt finds the value at a place", () => {
  for (const norm of Object.keys(NORMS)) {
    const ends = normEnds(norm, SIGNED);
    for (const place of [0.1, 0.5, 0.9]) {
      assert.ok(Math.abs(placer(norm, ends)(valueAt(norm, ends, place)) - place) < 1e-9, norm);
    }
  }
});
