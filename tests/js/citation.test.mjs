import assert from "node:assert/strict";
import { test } from "node:test";

import { citation, embedding } from "../../site_template/static/citation.js";

const VIEW = {
  channel: 117,
  layer: { name: "layer3.0.conv1", signed: true },
  entry: { title: "Giant panda", author: "Ada", licence: "CC0-1.0" },
  model: "resnet18",
  weights: "bundled weights",
  site: "Feature maps",
  address: "https://example.org/a.html#layer=x",
  seen: new Date("2026-11-21T23:00:00Z"),
};

test("a citation says what, on what, by whom, where and when", () => {
  assert.equal(
    citation(VIEW),
    "Channel 117 of layer3.0.conv1 (signed) of resnet18 with bundled weights, on the photo “Giant panda” (Ada, CC0-1.0). In: Feature maps. https://example.org/a.html#layer=x (seen 2026-11-21)",
  );
});

test("an author or a licence that is not known is left out", () => {
  const text = (entry) => citation({ ...VIEW, layer: { name: "relu", signed: false }, entry });
  assert.ok(text({ title: "A", author: "", licence: "" }).includes("(zero or more) of resnet18 with bundled weights, on the photo “A”. In:"));
  assert.ok(text({ title: "A", author: "", licence: "CC0-1.0" }).includes("“A” (CC0-1.0)."));
});

test("nothing in an address or a title gets out of its attribute", () => {
  const html = embedding('https://e.org/?a=1&b="', '<b>"x"', 500);
  assert.equal(
    html,
    '<iframe src="https://e.org/?a=1&amp;b=&quot;" title="&lt;b>&quot;x&quot;" width="400" height="500" loading="lazy"></iframe>',
  );
});
