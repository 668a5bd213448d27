import assert from "node:assert/strict";
import { test } from "node:test";

import { distance, likeness, nearestName } from "../../site_template/static/nearest.js";
import { seeded } from "./seeded.mjs";

function word(random, letters = "ab.1") {
  return Array.from({ length: random(8) }, () => letters[random(letters.length)]).join("");
}

/** The definition, without a table. */
function byDefinition(a, b) {
  if (a === "" || b === "") return a.length + b.length;
  const [restA, restB] = [a.slice(1), b.slice(1)];
  if (a[0] === b[0]) return byDefinition(restA, restB);
  return 1 + Math.min(byDefinition(restA, restB), byDefinition(restA, b), byDefinition(a, restB));
}

test("distances known from elsewhere", () => {
  assert.equal(distance("kitten", "sitting"), 3);
  assert.equal(distance("flaw", "lawn"), 2);
  assert.equal(distance("", "conv1"), 5);
  assert.equal(distance("conv1", ""), 5);
  assert.equal(distance("", ""), 0);
  assert.equal(distance("layer2.0.conv9", "layer2.0.conv1"), 1);
});

test("the distance is that of the definition, and a metric", () => {
  const random = seeded(3);
  for (let i = 0; i < 300; i++) {
    const [a, b, c] = [word(random), word(random), word(random)];
    assert.equal(distance(a, b), byDefinition(a, b), `${a} ${b}`);
    assert.equal(distance(a, b), distance(b, a));
    assert.equal(distance(a, b) === 0, a === b);
    assert.ok(distance(a, c) <= distance(a, b) + distance(b, c));
  }
});

test("the nearest name is the most alike, however long it is", () => {
  const names = ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer4.1.relu_1"];
  assert.equal(nearestName("layer1.0.conv3", names), "layer1.0.conv1");
  assert.equal(nearestName("layer4.1.relu", names), "layer4.1.relu_1");
  assert.equal(nearestName("", names), "conv1");
  assert.equal(nearestName("layer9", ["relu", ...names]), "layer1.0.conv1");
  for (const name of names) assert.equal(nearestName(name, names), name);
});

test("of equals it is the first", () => {
  assert.equal(nearestName("conv", ["conv2", "conv1"]), "conv2");
  assert.equal(nearestName("conv", ["conv1", "conv2"]), "conv1");
  assert.equal(nearestName("zzzz", ["aaaa", "bbbb"]), "aaaa");
});

test("only the first 200 characters count, so that no link can keep the page busy", () => {
  const names = ["b".repeat(1000), "a".repeat(200)];
  assert.equal(nearestName("a".repeat(200) + "b".repeat(1000), names), names[1]);
});

test("likeness is a share of the longer name", () => {
  assert.equal(likeness("conv1", "conv1"), 1);
  assert.equal(likeness("conv1", "conv2"), 0.8);
  assert.equal(likeness("relu", "conv1"), 0);
  assert.equal(likeness("", ""), 1);
});
