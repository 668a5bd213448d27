// What a survey found of one channel, in words and places. Pure.

import { counted, grouped, percent, readable } from "./numbers.js";

/**
 * @param {object} found LayerSurvey
 * @param {number} channel
 * @param {object} survey Panel
 * @param {string[]} classes their names
 * @returns {[string, string][]} what is told, and in which figures
 */
export function facts(found, channel, { photos, median, quantile_error: error }, classes) {
  const fires = found.fires[channel];
  const middle = found.quantiles[channel][median];
  const rows = [
    ["fires on", `${grouped(fires)} of ${counted(photos, "photo")}, ${percent(fires / photos)}`],
    ["largest maximum", readable(found.high[channel])],
    ["median maximum", readable(middle) + (middle ? ` ± ${percent(error)}` : "")],
    ["mean", readable(found.mean[channel])],
  ];
  const [best, selectivity, separation] = [found.best[channel], found.selectivity[channel], found.separation[channel]];
  const measure = selectivity === null ? ["separation", separation] : ["selectivity", selectivity];
  if (best !== null) rows.push(["answers most to", classes[best] + (measure[1] === null ? "" : `, ${measure[0]} ${readable(measure[1])}`)]);
  return rows;
}

/**
 * @param {{sheet: object, each: number}} patches
 * @param {number} channel
 * @param {number} rank 0 for the strongest
 * @returns {{left: number, top: number, right: number, bottom: number}} pixels of the sheet
 */
export function cell({ sheet: { side, columns }, each }, channel, rank) {
  const at = channel * each + rank;
  const [left, top] = [(at % columns) * side, Math.floor(at / columns) * side];
  return { left, top, right: left + side, bottom: top + side };
}

/**
 * Whose photos these are: those with an author or a licence of their own by their numbers.
 * @param {{author: string, licence: string}[]} photos
 * @param {{title: string, author: string, licence: string}} whole what holds of the others
 */
export function credits(photos, whole) {
  const numbers = new Map();
  photos.forEach(({ author, licence }, i) => {
    const by = [author || whole.author, licence || whole.licence].filter(Boolean).join(", ");
    numbers.set(by, [...(numbers.get(by) ?? []), i + 1]);
  });
  const named = [...numbers].map(([by, which]) => (numbers.size > 1 ? `${which.join(", ")}: ${by || "not told"}` : by));
  return [whole.title, named.join("; ")].filter(Boolean).join(": ");
}
