// What two maps side by side have in common, and what tells them apart. Pure.

import { domain } from "./colour-scale.js";

/**
 * One scale for two maps: it covers what each of the two scales would.
 * @param {"layer"|"channel"|"photos"} scale
 * @param {{layer: {signed: boolean, scale: number}, sheet: {scale: number}, figures: object, channel: number}[]} sides
 * @returns {{low: number, high: number}} with zero in the middle where either layer is signed
 */
export function sharedScale(scale, sides) {
  const signed = sides.some(({ layer }) => layer.signed);
  const highs = sides.map(({ layer, sheet, figures, channel }) => {
    const ends = { layer: sheet.scale, photos: layer.scale, low: figures.low[channel], high: figures.high[channel] };
    return domain(scale, signed, ends).high;
  });
  const high = Math.max(...highs);
  return { low: signed ? -high : 0, high };
}

/**
 * The channels of a layer whose means differ most between two photos.
 * @param {{mean: number[]}} one LayerFigures
 * @param {{mean: number[]}} other
 * @param {number} most how many to name for each
 * @returns {{first: {channel: number, difference: number}[], second: object[]}} those with the
 *   larger mean in `one`, then in `other`; the largest difference first, as a positive number
 */
export function telling(one, other, most) {
  const all = one.mean.map((mean, channel) => ({ channel, difference: mean - other.mean[channel] }));
  const first = all.filter(({ difference }) => difference > 0).sort((a, b) => b.difference - a.difference || a.channel - b.channel);
  const second = all
    .filter(({ difference }) => difference < 0)
    .map(({ channel, difference }) => ({ channel, difference: -difference }))
    .sort((a, b) => b.difference - a.difference || a.channel - b.channel);
  return { first: first.slice(0, most), second: second.slice(0, most) };
}
