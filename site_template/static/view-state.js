// What the visitor looks at, and how it is written in the link. Pure.

import { nearestName } from "./nearest.js";

/** Every setting with its default; a link names only what differs. */
export const DEFAULTS = Object.freeze({
  layer: "",
  channel: 0,
  scale: "layer",
  norm: "linear",
  sequential: "viridis",
  diverging: "RdBu_r",
  sort: "index",
  show: "all",
  above: -Infinity,
  view: "channels",
  with: "",
  against: "",
  opacity: 100,
  smooth: false,
  answer: -1,
  survey: false,
  tour: "",
  stop: 1,
});

/** What each setting that is one of a few can be. */
export const CHOICES = {
  scale: ["layer", "channel", "photos"],
  sequential: ["viridis", "cividis", "magma", "gray"],
  diverging: ["RdBu_r", "PuOr_r", "berlin"],
  norm: ["linear", "log", "symlog", "logit"],
  sort: ["index", "max", "mean", "std", "zeros", "class", "like"],
  show: ["all", "alive", "silent", "strongest"],
  view: ["channels", "layer", "origin", "residual", "photos", "compare", "layers"],
};

/** The layer that is shown where none is named: its maps need no explanation of negative values. */
export function firstLayer(layers) {
  return layers.find(({ op }) => op === "relu") ?? layers[0];
}

/**
 * Read a link.
 * @param {string} hash with or without its "#"
 * @param {{name: string, channels: number}[]} layers those that this gallery shows
 * @param {string} first name of the layer to show where the link names none
 * @param {string[]} [photos] ids of those to compare with
 * @returns {{state: typeof DEFAULTS, notices: string[]}} the nearest view that exists, and a
 *   sentence for each part of the link that does not
 */
export function parse(hash, layers, first, photos = []) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const state = { ...DEFAULTS, layer: first };
  const notices = [];
  const names = layers.map((layer) => layer.name);

  const wanted = given.get("layer");
  if (wanted !== null) {
    state.layer = names.includes(wanted) ? wanted : nearestName(wanted, names);
    if (state.layer !== wanted) {
      notices.push(`This gallery shows no layer “${wanted}”; here is ${state.layer}, the nearest by name.`);
    }
  }
  const last = layers.find((layer) => layer.name === state.layer).channels - 1;
  for (const [name, low, high] of [
    ["channel", 0, last],
    ["opacity", 0, 100],
    ["answer", -1, 4],
    ["stop", 1, Number.MAX_SAFE_INTEGER],
  ]) {
    if (!given.has(name)) continue;
    const number = Number.parseInt(given.get(name), 10);
    state[name] = Number.isNaN(number) ? DEFAULTS[name] : Math.min(high, Math.max(low, number));
    if (name === "channel" && String(state.channel) !== given.get("channel")) {
      notices.push(`${state.layer} has no channel “${given.get("channel")}”; here is ${state.channel} of 0 to ${last}.`);
    }
  }
  for (const [name, allowed] of Object.entries(CHOICES)) {
    const value = given.get(name);
    if (allowed.includes(value)) state[name] = value;
    else if (value !== null) notices.push(`There is no ${name} “${value}”; here is ${state[name]}.`);
  }
  for (const [name, known, kind] of [
    ["with", photos, "photo"],
    ["against", names, "layer"],
  ]) {
    const value = given.get(name);
    if (!value || !known.length) continue;
    state[name] = known.includes(value) ? value : nearestName(value, known);
    if (state[name] !== value) notices.push(`There is no ${kind} “${value}” to compare with; here is ${state[name]}.`);
  }
  const above = Number.parseFloat(given.get("above"));
  if (Number.isFinite(above)) state.above = above;
  for (const name of ["smooth", "survey"]) state[name] = given.get(name) === "1";
  state.tour = given.get("tour") ?? "";
  if (state.tour === "") state.stop = DEFAULTS.stop;
  return { state, notices };
}

/**
 * Whether a view is the one that a link leads to, whatever tour either belongs to.
 * @param {typeof DEFAULTS} state
 * @param {string} hash as format writes it, in any order
 */
export function isView(state, hash) {
  const wanted = new URLSearchParams(format({ ...state, tour: "", stop: 1 }).slice(1));
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  for (const name of ["tour", "stop"]) given.delete(name);
  wanted.sort();
  given.sort();
  return String(wanted) === String(given);
}

/**
 * Write a link: the inverse of parse for every view that exists.
 * @param {typeof DEFAULTS} state
 * @returns {string} with its "#"
 */
export function format(state) {
  const parts = new URLSearchParams();
  for (const name of Object.keys(DEFAULTS)) {
    if (name === "layer" || name === "channel" || state[name] !== DEFAULTS[name]) {
      parts.set(name, state[name] === true ? "1" : String(state[name]));
    }
  }
  return `#${parts}`;
}
