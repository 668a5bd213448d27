import assert from "node:assert/strict";
import { test } from "node:test";

import { SHORTCUTS, commandOf, neighbour } from "../../site_template/static/shortcuts.js";

const press = (key, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

test("every key of the list has its command, and no key has two", () => {
  const keys = SHORTCUTS.flatMap((shortcut) => shortcut.keys);
  assert.equal(new Set(keys).size, keys.length);
  for (const { keys: own, commands } of SHORTCUTS) {
    assert.deepEqual(own.map((key) => commandOf(press(key), false)), commands);
  }
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
