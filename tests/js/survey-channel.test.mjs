import assert from "node:assert/strict";
import { test } from "node:test";

import { FEW, cell, credits, facts } from "../../site_template/static/survey-channel.js";

const SURVEY = { photos: 9469, median: 1, quantile_error: 0.01 };
const CLASSES = ["ash", "oak"];
const FOUND = {
  fires: [4213, 0, 12],
  high: [23.44, 0, 8],
  quantiles: [[0, 3.21, 9], [0, 0, 0], [-1, -0.5, 7]],
  mean: [0.423, 0, -2],
  best: [1, 0, 0],
  selectivity: [0.83, 0, null],
  separation: [2, 0, 1.5],
};

test("a channel’s figures are told with their photos, their error and their class", () => {
  assert.deepEqual(facts(FOUND, 0, SURVEY, CLASSES), [
    ["fires on", "4\u202f213 of 9\u202f469 photos, 44 %"],
    ["largest maximum", "23.4"],
    ["median maximum", "3.21 ± 1 %"],
    ["mean", "0.423"],
    ["largest mean on", "oak, separation 2.00"],
  ]);
});

test("a dead channel answers to no class, and zero has no error", () => {
  assert.deepEqual(facts(FOUND, 1, SURVEY, CLASSES), [
    ["fires on", "0 of 9\u202f469 photos, 0 %"],
    ["largest maximum", "0"],
    ["median maximum", "0"],
    ["mean", "0"],
  ]);
});

test("where there is no selectivity, the separation is told; where there is no class, neither", () => {
  assert.deepEqual(facts(FOUND, 2, SURVEY, CLASSES).at(-1), ["largest mean on", "ash, separation 1.50"]);
  const unknown = { ...FOUND, separation: [2, 0, null] };
  assert.deepEqual(facts(unknown, 2, SURVEY, CLASSES).at(-1), ["largest mean on", "ash"]);
  assert.equal(facts({ ...FOUND, best: [null, null, null] }, 0, SURVEY, []).length, 4);
  assert.match(facts(FOUND, 2, SURVEY, CLASSES)[2][1], /^−0\.500 ± 1 %$/);
});

test("patches lie row by row, as many for each channel", () => {
  const patches = { sheet: { side: 7, columns: 4 }, each: 3 };
  assert.deepEqual(cell(patches, 0, 0), { left: 0, top: 0, right: 7, bottom: 7 });
  assert.deepEqual(cell(patches, 0, 2), { left: 14, top: 0, right: 21, bottom: 7 });
  assert.deepEqual(cell(patches, 2, 1), { left: 21, top: 7, right: 28, bottom: 14 });
});

test("a patch that is drawn smooth keeps clear of its neighbours", () => {
  const patches = { sheet: { side: FEW + 1, columns: 4 }, each: 1 };
  assert.deepEqual(cell(patches, 1, 0), { left: 33.5, top: 0.5, right: 65.5, bottom: 32.5 });
  patches.sheet.side = FEW;
  assert.deepEqual(cell(patches, 1, 0), { left: 32, top: 0, right: 64, bottom: 32 });
});

test("one owner is named once, several by the numbers of their photos", () => {
  const whole = { title: "Trees", author: "Ada", licence: "CC BY 4.0" };
  const photo = (author = "", licence = "") => ({ author, licence });
  assert.equal(credits([photo(), photo()], whole), "Trees; Ada, CC BY 4.0");
  assert.equal(credits([photo(), photo("Bob"), photo()], whole), "Trees; 1, 3: Ada, CC BY 4.0; 2: Bob, CC BY 4.0");
  assert.equal(credits([photo("Bob", "CC0")], whole), "Trees; Bob, CC0");
  const none = { title: "", author: "", licence: "" };
  assert.equal(credits([photo(), photo()], none), "");
  assert.equal(credits([photo(), photo("Bob")], none), "1: unknown; 2: Bob");
  assert.equal(credits([photo("__proto__"), photo("1")], none), "1: __proto__; 2: 1");
});
