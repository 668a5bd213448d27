import assert from "node:assert/strict";
import { test } from "node:test";

import { jumpTarget } from "../../site_template/static/jump.js";

const KNOWN = {
  layers: [
    { name: "conv1", channels: 64 },
    { name: "layer3.0.conv1", channels: 256 },
  ],
  photos: [
    { id: "panda", title: "Giant panda", classes: ["Old English sheepdog", "giant panda"] },
    { id: "red-panda", title: "Red panda", classes: ["Shih-Tzu", "lesser panda"] },
  ],
  answers: ["church", "bell cote"],
  layer: "conv1",
};
const jump = (text) => jumpTarget(text, KNOWN);

test("a layer, a channel of a layer, a channel of this layer", () => {
  assert.deepEqual(jump("layer3.0.conv1"), { layer: "layer3.0.conv1" });
  assert.deepEqual(jump(" layer3.0.conv1:117 "), { layer: "layer3.0.conv1", channel: 117 });
  assert.deepEqual(jump("layer3.0.conv1 117"), { layer: "layer3.0.conv1", channel: 117 });
  assert.deepEqual(jump("63"), { layer: "conv1", channel: 63 });
});

test("names in any case, a part of the network, and a channel by its word", () => {
  assert.deepEqual(jump("LAYER3.0.Conv1:7"), { layer: "layer3.0.conv1", channel: 7 });
  assert.deepEqual(jump("layer3"), { layer: "layer3.0.conv1" });
  assert.deepEqual(jump("layer3.0"), { layer: "layer3.0.conv1" });
  assert.deepEqual(jump("Channel 7"), { layer: "conv1", channel: 7 });
});

test("a photo by id, title or part of it", () => {
  assert.deepEqual(jump("red-panda"), { photo: "red-panda" });
  assert.deepEqual(jump("giant PANDA"), { photo: "panda" });
  assert.deepEqual(jump("red p"), { photo: "red-panda" });
});

test("a class: this photo's evidence for it, or else a photo that has it or is taken for it", () => {
  assert.deepEqual(jump("Bell Cote"), { answer: 1 });
  assert.deepEqual(jump("shih-tzu"), { photo: "red-panda" });
  assert.deepEqual(jump("lesser panda"), { photo: "red-panda" });
  assert.match(jump("tench").notice, /Nothing here is called “tench”/);
});

test("what does not exist is said, with what does", () => {
  assert.match(jump("64").notice, /conv1 has channels 0 to 63/);
  assert.match(jump("conv1:64").notice, /channels 0 to 63/);
  assert.match(jump("layer3.0.conv9:3").notice, /nearest layer is layer3\.0\.conv1/);
  assert.match(jump("  ").notice, /Type a layer/);
  assert.doesNotMatch(jump("tench").notice, /nearest/);
});
