// What a survey found of one channel, in words and places. Pure.

import { counted, grouped, percent, readable } from "./numbers.js";

/**
 * @param {object} found LayerSurvey
 * @param {number} channel
 * @param {object} survey Panel
 * @param {string[]} classes their names
 * @returns {[string, string][]} what is told, and the figures
 */
export function facts(found, channel, { photos, median, quantile_error: error }, classes) {
  const [fires, middle, best] = [found.fires[channel], found.quantiles[channel][median], found.best[channel]];
  const rows = [
    ["fires on", `${grouped(fires)} of ${counted(photos, "photo")}, ${percent(fires / photos)}`],
    ["largest maximum", readable(found.high[channel])],
    ["median maximum", readable(middle) + (middle ? ` ± ${percent(error)}` : "")],
    ["mean", readable(found.mean[channel])],
  ];
  if (best === null || !fires) return rows;
  const name = ["separation", "selectivity"].find((one) => found[one][channel] !== null);
  return [...rows, ["largest mean on", classes[best] + (name ? `, ${name} ${readable(found[name][channel])}` : "")]];
}

/** Patches of so few pixels a side are shown at least twice as large: as squares. */
export const FEW = 32;

/**
 * Where on a sheet a patch lies, in pixels; `rank` is 0 for the strongest. Those that are not shown
 * as squares lose half a pixel on each side, with which their neighbours would mix.
 */
export function cell({ sheet: { side, columns }, each }, channel, rank) {
  const at = channel * each + rank;
  const edge = side > FEW ? 0.5 : 0;
  const [left, top] = [at % columns, Math.floor(at / columns)].map((place) => place * side + edge);
  return { left, top, right: left + side - 2 * edge, bottom: top + side - 2 * edge };
}

/** Whose the photos are, which are named by their numbers where not all are the same person's. */
export function credits(photos, { title, author, licence }) {
  const numbers = new Map();
  photos.forEach((photo, i) => {
    const whose = [photo.author || author, photo.licence || licence].filter(Boolean).join(", ");
    numbers.set(whose, [...(numbers.get(whose) ?? []), i + 1]);
  });
  const all = [...numbers].map(([whose, which]) => (numbers.size > 1 ? `${which.join(", ")}: ${whose || "unknown"}` : whose));
  return [title, ...all].filter(Boolean).join("; ");
}
