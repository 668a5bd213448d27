import assert from "node:assert/strict";
import { test } from "node:test";

import { readChoices, writeChoices } from "../../site_template/static/choices.js";

const ALLOWED = { scale: ["one", "own"], plane: ["colour", "red", "green"], moment: ["2", "1", "0"] };

test("an empty address gives the defaults, and they give an empty address", () => {
  const choices = readChoices("", ALLOWED);
  assert.deepEqual(choices, { scale: "one", plane: "colour", moment: "2" });
  assert.equal(writeChoices(choices, ALLOWED), "");
});

test("every view has an address that leads back to it", () => {
  for (const scale of ALLOWED.scale) {
    for (const plane of ALLOWED.plane) {
      for (const moment of ALLOWED.moment) {
        const choices = { scale, plane, moment };
        assert.deepEqual(readChoices(writeChoices(choices, ALLOWED), ALLOWED), choices);
      }
    }
  }
});

test("only what differs from the default is named", () => {
  assert.equal(writeChoices({ scale: "one", plane: "red", moment: "0" }, ALLOWED), "?plane=red&moment=0");
});

test("what does not exist is the default, and names of others are passed over", () => {
  assert.deepEqual(readChoices("?scale=huge&moment=1&from=chat", ALLOWED), { scale: "one", plane: "colour", moment: "1" });
});
