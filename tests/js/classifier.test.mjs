import assert from "node:assert/strict";
import { test } from "node:test";

import { answers, contributions, evidence, softmax } from "../../site_template/static/classifier.js";

test("probabilities do not change with a shift, however large", () => {
  for (const shift of [0, 5000, -5000]) {
    const found = softmax([shift, Math.log(3) + shift, Math.log(4) + shift]);
    [1 / 8, 3 / 8, 4 / 8].forEach((expected, i) => assert.ok(Math.abs(found[i] - expected) < 1e-12));
  }
});

test("the largest logits come first, equal ones in the order of the categories", () => {
  const found = answers(Float32Array.of(1, 3, -2, 3, 1), ["a", "b", "c", "d", "e"], 4);
  assert.deepEqual(found.map(({ category, name, logit }) => [category, name, logit]), [
    [1, "b", 3],
    [3, "d", 3],
    [0, "a", 1],
    [4, "e", 1],
  ]);
  assert.equal(found[0].probability, 0.439096); // 1 / (1 + 1 + 2 e⁻² + e⁻⁵)
});

test("five answers are given, or as many as there are", () => {
  assert.equal(answers(new Float32Array(9), [..."abcdefghi"]).length, 5);
  assert.equal(answers(new Float32Array(2), [..."ab"]).length, 2);
});

test("logits that are not finite are named by their channel", () => {
  for (const broken of [NaN, Infinity, -Infinity]) {
    assert.throws(() => answers(Float32Array.of(1, broken, 2), [..."abc"]), /^Error: channel 1: NaN or infinity$/);
  }
});

const FEATURES = Float32Array.of(1, 2, 3, 4, /**/ 0, 0, 8, 0);
const WEIGHT = Float32Array.of(9, 9, /**/ 2, -1, /**/ 0.5, 0.25);
const BIAS = Float32Array.of(0, 7, -1);
const ANSWERS = [{ category: 2 }, { category: 1 }];

test("evidence is the weighted sum of the channels at each position", () => {
  assert.deepEqual(evidence(FEATURES, 2, 2, 2, WEIGHT, BIAS, ANSWERS), [
    { category: 2, height: 2, width: 2, bias: -1, values: [0.5, 1, 3.5, 2] },
    { category: 1, height: 2, width: 2, bias: 7, values: [2, 4, -2, 8] },
  ]);
});

test("contributions are weight times mean, and add up to the mean of the evidence", () => {
  assert.deepEqual(contributions(FEATURES, 2, WEIGHT, ANSWERS), [
    [1.25, 0.5],
    [5, -2],
  ]);
});
