// Answers questions about links and texts, one a line: tests ask it with texts of their own making.

import { createInterface } from "node:readline";

import { readChoices, writeChoices } from "../../site_template/static/choices.js";
import { citation, embedding } from "../../site_template/static/citation.js";
import { jumpTarget } from "../../site_template/static/jump.js";
import { CHOICES, DEFAULTS, format, isView, parse } from "../../site_template/static/view-state.js";

const inBrowser = (link) => new URL(link, "https://example.org/maps/a.html").hash; // which escapes it
const state = (given) => ({ ...given, above: given.above ?? -Infinity }); // JSON has no infinity

const ANSWERS = {
  settings: () => ({ defaults: DEFAULTS, choices: CHOICES }),
  parse: ({ link, layers, first, photos }) => {
    const read = (one) => parse(one, layers, first, photos);
    const found = read(inBrowser(`#${link}`));
    const written = format(found.state);
    return { ...found, link: written, again: read(written), inBrowser: inBrowser(written), isView: isView(found.state, written) };
  },
  format: ({ view, layers, photos }) => {
    const link = format(state(view));
    return { link, ...parse(link, layers, layers[0].name, photos), inBrowser: inBrowser(link) };
  },
  jump: ({ text, known }) => jumpTarget(text, known),
  choices: ({ search, allowed }) => {
    const chosen = readChoices(search, allowed);
    const written = writeChoices(chosen, allowed);
    return { chosen, written, again: readChoices(written, allowed) };
  },
  embedding: ({ address, title }) => embedding(address, title, 520),
  citation: ({ view }) => citation({ ...view, seen: new Date(0) }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...of } = JSON.parse(line);
  let answer;
  try {
    answer = { value: ANSWERS[ask](of) };
  } catch (error) {
    answer = { fault: error.stack };
  }
  const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  process.stdout.write(`${JSON.stringify(answer).replace(/[^\0-\x7f]/g, escaped)}\n`);
}
