import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { COMMANDS, commandOf, neighbour } from "../../site_template/static/shortcuts.js";

const press = (key, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

test("every key that the page lists has its command, but for those of its parts", () => {
  const page = readFileSync(new URL("../../site_template/templates/_explorer.html", import.meta.url), "utf8");
  const listed = [...page.matchAll(/^ {2}\("(.+?)", "/gm)].flatMap(([, keys]) => keys.split(" "));
  const ofParts = ["←", "→", "↑", "↓", "Home", "End", "+", "−", "0"];
  assert.deepEqual(listed, [...Object.keys(COMMANDS), ...ofParts]);
  for (const key of listed) assert.deepEqual(commandOf(press(key), false), COMMANDS[key] ?? null);
  assert.deepEqual(commandOf(press("p"), false), ["photo", -1]);
});

test("keys of the browser and of text fields are left alone", () => {
  assert.equal(commandOf(press("r", { ctrlKey: true }), false), null);
  assert.equal(commandOf(press("p", { metaKey: true }), false), null);
  assert.equal(commandOf(press("s", { altKey: true }), false), null);
  assert.equal(commandOf(press("/"), true), null);
  assert.equal(commandOf(press("x"), false), null);
});

test("lists end, or go round", () => {
  const list = ["a", "b", "c"];
  assert.equal(neighbour(list, "a", 1), "b");
  assert.equal(neighbour(list, "c", 1), "c");
  assert.equal(neighbour(list, "a", -1), "a");
  assert.equal(neighbour(list, "c", 1, true), "a");
  assert.equal(neighbour(list, "a", -1, true), "c");
});
