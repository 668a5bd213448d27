// Puts pixels on a canvas, one canvas pixel for each.

import { palette, pixelColours } from "./colour-scale.js";

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} pixels grey, in rows
 * @param {number} width
 * @param {number} height
 * @param {Uint32Array} colours of the 256 grey values
 */
export function paint(canvas, pixels, width, height, colours) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  const out = new Uint32Array(picture.data.buffer);
  for (let i = 0; i < pixels.length; i++) out[i] = colours[pixels[i]];
  context.putImageData(picture, 0, 0);
}

/**
 * Signed numbers on a scale with zero in the middle.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values in rows
 * @param {number} width
 * @param {number} height
 * @param {number} reach value at the end of the colours
 * @param {string} map name of a diverging colour map
 */
export function paintSigned(canvas, values, width, height, reach, map) {
  const ends = { low: -reach, high: reach };
  const level = (value) => Math.round(127.5 * (1 + Math.min(1, Math.max(-1, value / reach))));
  paint(canvas, Uint8Array.from(values, level), width, height, pixelColours(ends, ends, palette(map)));
}
