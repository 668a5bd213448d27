import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { NORMS } from "../../site_template/static/norms.js";
import { mapsFor } from "../../site_template/static/colour-scale.js";
import { DEFAULTS, format, isView, parse } from "../../site_template/static/view-state.js";
import { seeded } from "./seeded.mjs";

const ODD = 'a&b=c#d%20+ü/:<b>"';
const LAYERS = [
  { name: "conv1", channels: 64 },
  { name: "relu", channels: 64 },
  { name: "layer2.0.conv1", channels: 128 },
  { name: "layer4.1.relu_1", channels: 512 },
  { name: "single", channels: 1 },
  { name: ODD, channels: 3 },
];
const CHOICES = {
  scale: ["layer", "channel", "photos"],
  sequential: ["viridis", "cividis", "magma", "gray"],
  diverging: ["RdBu_r", "PuOr_r", "berlin"],
  norm: ["linear", "log", "symlog", "logit"],
  sort: ["index", "max", "mean", "std", "zeros", "like", "class"],
  show: ["all", "strongest", "alive", "silent"],
  view: ["channels", "layer", "origin", "residual", "photos", "compare", "layers"],
};

const PHOTOS = ["panda", "koala"];

const read = (hash) => parse(hash, LAYERS, "relu", PHOTOS);
const view = (changes) => ({ ...DEFAULTS, layer: "relu", ...changes });

function randomView(random) {
  const pick = (list) => list[random(list.length)];
  const layer = pick(LAYERS);
  const choices = Object.fromEntries(Object.entries(CHOICES).map(([name, list]) => [name, pick(list)]));
  return {
    ...choices,
    layer: layer.name,
    channel: random(layer.channels),
    above: random(2) ? -Infinity : random(100) / 8 - 4,
    with: pick(["", ...PHOTOS]),
    against: pick(["", ...LAYERS.map(({ name }) => name)]),
    opacity: random(101),
    smooth: random(2) === 1,
    survey: random(2) === 1,
    answer: random(6) - 1,
    ...(random(2) ? { tour: pick(["stem", ODD]), stop: 1 + random(9) } : { tour: "", stop: 1 }),
  };
}

test("an empty link is the default view of the first layer", () => {
  for (const hash of ["", "#"]) {
    assert.deepEqual(read(hash), { state: view({}), notices: [] });
  }
});

test("every view comes back from its link, also after a browser has escaped it", () => {
  const random = seeded(1);
  for (let i = 0; i < 500; i++) {
    const state = randomView(random);
    const link = format(state);
    assert.deepEqual(read(link), { state, notices: [] }, link);
    const escaped = new URL(`https://example.org/a.html${link}`).hash;
    assert.deepEqual(read(escaped), { state, notices: [] }, escaped);
  }
});

test("a link names its layer and channel, and else only what is not the default", () => {
  assert.equal(format(view({ layer: "conv1" })), "#layer=conv1&channel=0");
  assert.equal(
    format(view({ channel: 7, scale: "photos", smooth: true, answer: 0 })),
    "#layer=relu&channel=7&scale=photos&smooth=1&answer=0",
  );
  assert.equal(format(view({ opacity: 0 })), "#layer=relu&channel=0&opacity=0");
});

test("links that were published stay readable", () => {
  const link =
    "#layer=layer2.0.conv1&channel=5&scale=channel&sequential=magma&diverging=berlin&sort=std&opacity=40&smooth=1&answer=2";
  assert.deepEqual(read(link), {
    state: {
      ...DEFAULTS,
      layer: "layer2.0.conv1",
      channel: 5,
      scale: "channel",
      sequential: "magma",
      diverging: "berlin",
      sort: "std",
      opacity: 40,
      smooth: true,
      answer: 2,
    },
    notices: [],
  });
});

test("an unknown layer opens the nearest by name and says so", () => {
  const { state, notices } = read("#layer=layer2.0.conv9&channel=100");
  assert.deepEqual(state, view({ layer: "layer2.0.conv1", channel: 100 }));
  assert.equal(notices.length, 1);
  assert.match(notices[0], /no layer “layer2\.0\.conv9”.* layer2\.0\.conv1,/);
});

test("the channel of an unknown layer is held to the layer that opens", () => {
  const { state, notices } = read("#layer=singel&channel=100");
  assert.deepEqual(state, view({ layer: "single", channel: 0 }));
  assert.equal(notices.length, 2);
});

for (const [wanted, opened] of [
  ["64", 63],
  ["4000", 63],
  ["99999999999999999999999", 63],
  ["-1", 0],
  ["-0", 0],
  ["NaN", 0],
  ["Infinity", 0],
  ["", 0],
  ["abc", 0],
  ["2.5", 2],
  ["7x", 7],
]) {
  test(`channel “${wanted}” opens channel ${opened} and says so`, () => {
    const { state, notices } = read(`#layer=relu&channel=${wanted}`);
    assert.deepEqual(state, view({ channel: opened }));
    assert.deepEqual(notices, [`relu has no channel “${wanted}”; here is ${opened} of 0 to 63.`]);
  });
}

test("the first and the last channel open without a word", () => {
  for (const channel of [0, 63]) {
    assert.deepEqual(read(`#layer=relu&channel=${channel}`), { state: view({ channel }), notices: [] });
  }
});

test("opacity and answer are held to what exists", () => {
  assert.equal(read("#opacity=300").state.opacity, 100);
  assert.equal(read("#opacity=-3").state.opacity, 0);
  assert.equal(read("#opacity=x").state.opacity, 100);
  assert.equal(read("#answer=9").state.answer, 4);
  assert.equal(read("#answer=-9").state.answer, -1);
  assert.equal(read("#answer=").state.answer, -1);
});

test("a tour is whatever the link calls it, and its stops count from 1", () => {
  assert.deepEqual(read("#tour=stem").state, view({ tour: "stem" }));
  assert.deepEqual(read("#tour=stem&stop=3").state, view({ tour: "stem", stop: 3 }));
  for (const stop of ["0", "-2", "x", "", "0.5"]) assert.equal(read(`#tour=stem&stop=${stop}`).state.stop, 1);
  assert.equal(read("#stop=3").state.stop, 1, "a stop of no tour");
  assert.equal(format(view({ tour: "a b&c", stop: 2 })), "#layer=relu&channel=0&tour=a+b%26c&stop=2");
});

test("a view is that of a link whatever their order and tours", () => {
  const random = seeded(4);
  for (let i = 0; i < 200; i++) {
    const state = randomView(random);
    const turned = new URLSearchParams([...new URLSearchParams(format(state).slice(1))].reverse());
    for (const more of ["", "&tour=other&stop=7"]) {
      turned.delete("tour");
      turned.delete("stop");
      assert.ok(isView(state, `#${turned}${more}`), format(state));
    }
    const changed = { ...state, channel: state.channel === 0 ? 1 : state.channel - 1 };
    assert.ok(!isView(changed, format(state)));
    assert.ok(!isView({ ...state, answer: state.answer === 2 ? 3 : 2 }, format(state)));
  }
});

test("unknown choices fall back to the default", () => {
  for (const name of Object.keys(CHOICES)) {
    for (const value of ["", "nonsense", "constructor", "VIRIDIS", "__proto__"]) {
      const { state, notices } = read(`#${name}=${value}`);
      assert.deepEqual(state, view({}));
      assert.deepEqual(notices, [`There is no ${name} “${value}”; here is ${DEFAULTS[name]}.`]);
    }
  }
  assert.equal(read("#smooth=true").state.smooth, false);
  assert.equal(read("#survey=open").state.survey, false);
});

test("a name with markup stays text", () => {
  const wanted = '<img src=x onerror="alert(1)">';
  const { state, notices } = read(`#layer=${encodeURIComponent(wanted)}`);
  assert.ok(LAYERS.some((layer) => layer.name === state.layer));
  assert.ok(notices[0].includes(`“${wanted}”`));
  assert.equal(read(format(view({ layer: ODD }))).state.layer, ODD);
});

test("whatever the link, there is a view, and its own link leads to it", () => {
  const random = seeded(2);
  const parts = [
    "layer", "channel", "scale", "smooth", "opacity", "answer", "tour", "stop", "__proto__", "=", "=", "=", "&", "&", "#",
    "%", "%E0%A4%A", "%00", "+", " ", "relu", "conv", "1e3", "-7", "63", "ü", "\ud800", "<b>", "'", '"', ";",
  ];
  for (let i = 0; i < 2000; i++) {
    const hash = Array.from({ length: random(12) }, () => parts[random(parts.length)]).join("");
    const { state } = read(hash);
    const layer = LAYERS.find(({ name }) => name === state.layer);
    assert.ok(layer, hash);
    assert.ok(Number.isInteger(state.channel) && state.channel >= 0 && state.channel < layer.channels, hash);
    assert.ok(Number.isInteger(state.opacity) && state.opacity >= 0 && state.opacity <= 100, hash);
    assert.ok(Number.isInteger(state.stop) && state.stop >= 1 && typeof state.tour === "string", hash);
    assert.ok(Number.isInteger(state.answer) && state.answer >= -1 && state.answer <= 4, hash);
    for (const [name, allowed] of Object.entries(CHOICES)) assert.ok(allowed.includes(state[name]), hash);
    assert.deepEqual(Object.keys(state), Object.keys(DEFAULTS));
    assert.deepEqual(read(format(state)), { state, notices: [] }, hash);
  }
});

test("links can hold every colour map", () => {
  for (const [setting, signed] of [["sequential", false], ["diverging", true]]) {
    for (const name of mapsFor(signed)) assert.equal(read(`#${setting}=${name}`).state[setting], name);
  }
});

test("links can hold every choice of the page's lists", () => {
  const template = new URL("../../site_template/templates/_explorer.html", import.meta.url);
  const page = readFileSync(template, "utf-8");
  for (const setting of ["scale", "sort", "show"]) {
    const list = page.match(new RegExp(`data-setting="${setting}">(.*?)</select>`, "s"))[1];
    const offered = [...list.matchAll(/<option value="(\w+)">/g)].map((found) => found[1]);
    assert.deepEqual(offered, CHOICES[setting]);
    for (const value of offered) assert.equal(read(`#${setting}=${value}`).state[setting], value);
  }
  const views = [...page.matchAll(/data-view="(\w+)"/g)].map((found) => found[1]);
  assert.deepEqual(views, CHOICES.view);
  assert.deepEqual(Object.keys(NORMS), CHOICES.norm);
});

test("what to compare with is in the link, and the nearest is taken where it does not exist", () => {
  const known = [{ name: "conv1", channels: 64 }, { name: "relu", channels: 64 }];
  const read = (hash) => parse(hash, known, "conv1", ["panda", "koala"]);
  const { state } = read("#layer=relu&channel=3&view=compare&with=koala&against=conv1");
  assert.deepEqual([state.with, state.against], ["koala", "conv1"]);
  assert.equal(format(state), "#layer=relu&channel=3&view=compare&with=koala&against=conv1");
  const wrong = read("#with=pandas&against=conv");
  assert.deepEqual([wrong.state.with, wrong.state.against], ["panda", "conv1"]);
  assert.equal(wrong.notices.length, 2);
  assert.equal(parse("#with=x", known, "conv1").state.with, "");
});
