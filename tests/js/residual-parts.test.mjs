import assert from "node:assert/strict";
import { test } from "node:test";

import { residualParts } from "../../site_template/static/residual-parts.js";

const layer = (name, block, op, ...inputs) => ({ name, block, op, inputs });
const PLAIN = [
  layer("maxpool", "stem", "max pool", "relu"),
  layer("layer1.0.conv1", "layer1.0", "convolution", "maxpool"),
  layer("layer1.0.bn2", "layer1.0", "batch norm", "layer1.0.conv2"),
  layer("layer1.0.add", "layer1.0", "add", "layer1.0.bn2", "maxpool"),
  layer("layer1.0.relu_1", "layer1.0", "relu", "layer1.0.add"),
];
const FITTED = [
  ...PLAIN,
  layer("layer2.0.bn2", "layer2.0", "batch norm", "layer2.0.conv2"),
  layer("layer2.0.downsample.1", "layer2.0", "batch norm", "layer2.0.downsample.0"),
  layer("layer2.0.add", "layer2.0", "add", "layer2.0.downsample.1", "layer2.0.bn2"),
  layer("layer2.0.relu_1", "layer2.0", "relu", "layer2.0.add"),
];
const names = (parts) => parts.map((part) => part.layer.name);

test("the shortcut is the block's input where nothing has to be fitted", () => {
  const expected = ["maxpool", "layer1.0.bn2", "layer1.0.add", "layer1.0.relu_1"];
  assert.deepEqual(names(residualParts(PLAIN, PLAIN[1])), expected);
  assert.deepEqual(names(residualParts(PLAIN, PLAIN[4])), expected);
});

test("the fitted shortcut is told from the branch, in whichever order the sum names them", () => {
  const expected = ["layer2.0.downsample.1", "layer2.0.bn2", "layer2.0.add", "layer2.0.relu_1"];
  assert.deepEqual(names(residualParts(FITTED, FITTED[5])), expected);
  assert.match(residualParts(FITTED, FITTED[5])[0].role, /fitted/);
});

test("there is none in the stem, nor where a part is not shown", () => {
  assert.equal(residualParts(PLAIN, PLAIN[0]), null);
  assert.equal(residualParts(PLAIN.slice(1), PLAIN[1]), null);
});
