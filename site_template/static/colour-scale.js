// From activations to colours: which range a scale covers, and the colour of each value. Pure.

import { diverging, sequential } from "./colormaps.js";
import { placer } from "./norms.js";

export const LABELS = {
  viridis: "viridis",
  cividis: "cividis",
  magma: "magma",
  gray: "grey",
  RdBu_r: "blue, white, red",
  PuOr_r: "violet, white, orange",
  berlin: "blue, black, red",
};

/** Names of the colour maps that suit a layer. */
export function mapsFor(signed) {
  return Object.keys(signed ? diverging : sequential);
}

/**
 * The values at the two ends of the colours. Signed layers have zero in the middle, others at the
 * dark end, so that no quiet map looks loud unless each channel's own scale is asked for.
 * @param {"layer"|"channel"|"photos"} scale
 * @param {boolean} signed
 * @param {{layer: number, photos: number, low: number, high: number}} ends the layer's own scale,
 *   its scale over all photos, and the channel's range
 * @returns {{low: number, high: number}}
 */
export function domain(scale, signed, ends) {
  let high = scale === "photos" ? ends.photos : ends.layer;
  if (scale === "channel") {
    const own = signed ? Math.max(Math.abs(ends.low), Math.abs(ends.high)) : ends.high;
    if (own > 0) high = own; // a channel that never fires keeps the layer's scale, and stays dark
  }
  if (!(high > 0)) high = 1;
  return { low: signed ? -high : 0, high };
}

/** The colours of one map, ready to paint with. */
export function palette(name) {
  const map = sequential[name] ?? diverging[name];
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) table[i] = packed(map.table.slice(6 * i, 6 * i + 6));
  return { table, under: packed(map.under.slice(1)), over: packed(map.over.slice(1)) };
}

/**
 * The colour of each of the 256 pixel values of one channel.
 * @param {{low: number, high: number}} channel range of the channel
 * @param {{low: number, high: number}} ends range of the colours
 * @param {ReturnType<typeof palette>} colours
 * @param {{mark?: boolean, norm?: string}} [how] whether values beyond the ends get a colour of
 *   their own, and how values are spread between the ends
 * @returns {Uint32Array} bytes red, green, blue, alpha in memory
 */
export function pixelColours(channel, ends, colours, { mark = false, norm = "linear" } = {}) {
  const result = new Uint32Array(256);
  const place = placer(norm, ends);
  for (let pixel = 0; pixel < 256; pixel++) {
    const value = channel.low + (pixel / 255) * (channel.high - channel.low);
    result[pixel] = colours.table[Math.round(place(value) * 255)];
    if (mark && beyond(value, ends)) result[pixel] = value > ends.high ? colours.over : colours.under;
  }
  return result;
}

/** Whether a value lies outside the colours by more than rounding. */
export function beyond(value, ends) {
  const slack = (ends.high - ends.low) * 1e-6;
  return value > ends.high + slack || value < ends.low - slack;
}

/** CSS colours for what lies below and above a map's scale. */
export function clipColours(name) {
  const { under, over } = sequential[name] ?? diverging[name];
  return { under, over };
}

/** CSS colours along a map, for a colour bar. */
export function stops(name, count = 17) {
  const { table } = sequential[name] ?? diverging[name];
  return Array.from({ length: count }, (_, i) => {
    const at = 6 * Math.round((255 * i) / (count - 1));
    return `#${table.slice(at, at + 6)}`;
  });
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function packed(hex) {
  const value = Number.parseInt(hex, 16);
  const [red, green, blue] = [value >> 16, (value >> 8) & 255, value & 255];
  return LITTLE_ENDIAN
    ? ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0
    : ((red << 24) | (green << 16) | (blue << 8) | 255) >>> 0;
}
