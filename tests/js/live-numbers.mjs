// Computes what job.json of a folder asks for, and writes what it found beside it: tests in Python
// compare it with what precompute says.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { answers, contributions, evidence, softmax } from "../../site_template/static/classifier.js";
import { componentPicture, principalComponents, sharedPicture } from "../../site_template/static/components.js";
import { rounded } from "../../site_template/static/figures.js";
import { stripTile, summary } from "../../site_template/static/layer-pictures.js";
import { quantise, range } from "../../site_template/static/quantise.js";

const folder = process.argv[2];
const job = JSON.parse(readFileSync(join(folder, "job.json"), "utf-8"));

function bytes(name) {
  const { buffer, byteOffset, length } = readFileSync(join(folder, name));
  return buffer.slice(byteOffset, byteOffset + length);
}

/** Pixels go to files of their own; return the rest. */
function apart(name, pixels, rest = {}) {
  writeFileSync(join(folder, name), pixels);
  return rest;
}

function layer({ file, shape, side }) {
  const values = new Float32Array(bytes(file));
  const [channels, height, width] = shape;
  const { grey, ...figures } = quantise(values, ...shape);
  const { pixels, ...ranges } = summary(values, ...shape);
  const picture = componentPicture(values, ...shape);
  const { mean, components, explained } = principalComponents(values, channels, height * width);
  return {
    figures: apart(`${file}.sheet`, grey, figures),
    range: range(values),
    summary: apart(`${file}.summary`, pixels, ranges),
    strip: apart(`${file}.strip`, stripTile(values, ...shape, side)),
    pca: apart(`${file}.pca`, picture.pixels, { low: picture.low, high: picture.high, explained: picture.explained }),
    basis: { mean: [...mean], components: components.map((component) => [...component]), explained },
  };
}

function shared({ file, sheet, figures, basis }) {
  return apart(`${file}.shared`, sharedPicture(new Uint8Array(bytes(file)), sheet, figures, basis));
}

function classified({ logits, features, shape, weight, bias, categories }) {
  const values = new Float32Array(bytes(features));
  const linear = new Float32Array(bytes(weight));
  const scores = new Float32Array(bytes(logits));
  const found = answers(scores, categories);
  return {
    softmax: [...softmax(scores)],
    answers: found,
    evidence: evidence(values, ...shape, linear, new Float32Array(bytes(bias)), found),
    contributions: contributions(values, shape[0], linear, found),
  };
}

const result = {
  layers: (job.layers ?? []).map(layer),
  shared: (job.shared ?? []).map(shared),
  classified: (job.classified ?? []).map(classified),
  rounded: (job.rounded ?? []).map(([value, digits]) => rounded(value, digits)),
};
writeFileSync(join(folder, "result.json"), JSON.stringify(result));
