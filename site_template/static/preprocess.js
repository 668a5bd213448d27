// From a picture to the network's input, bit for bit as precompute does it. Pure.

import { resample } from "./resample.js";

/**
 * Beyond this the picture is not resized as a whole before it is cropped: only the pixels that the
 * crop keeps are resampled, as the gallery does.
 */
const WIDEST_ASPECT = 8;

/**
 * Where the crop of a picture lies.
 * @param {number} width of the picture
 * @param {number} height
 * @param {{resize: number, crop: number}} input Input of the manifest
 * @returns {{width: number, height: number, left: number, top: number, side: number}} size of the
 *   resized picture and the crop in it
 */
export function geometry(width, height, { resize, crop }) {
  const resized =
    width <= height
      ? { width: resize, height: Math.trunc((resize * height) / width) }
      : { width: Math.trunc((resize * width) / height), height: resize };
  const offset = (length) => halfToEven((length - crop) / 2);
  return { ...resized, left: offset(resized.width), top: offset(resized.height), side: crop };
}

/** The crop in pixels of the picture: left, top, right, bottom. */
export function cropBox(width, height, input) {
  const place = geometry(width, height, input);
  const [across, down] = [width / place.width, height / place.height];
  const { left, top, side } = place;
  return [left * across, top * down, (left + side) * across, (top + side) * down];
}

/**
 * The pixels that the network sees.
 * @param {(top: number, count: number) => Uint8ClampedArray} readRows red, green, blue, alpha of
 *   rows of the picture; alpha is passed over
 * @param {{width: number, height: number}} size of the picture
 * @param {{resize: number, crop: number, interpolation: string}} input Input of the manifest
 * @returns {Uint8Array} crop × crop × 3, in rows
 */
export function cropPixels(readRows, { width, height }, input) {
  const side = input.crop;
  if (Math.max(width, height) > WIDEST_ASPECT * Math.min(width, height)) {
    const square = { width: side, height: side };
    const box = cropBox(width, height, input);
    return resample(readRows, { width, height }, input.interpolation, box, square, { left: 0, top: 0, ...square });
  }
  const place = geometry(width, height, input);
  const left = Math.max(0, place.left);
  const top = Math.max(0, place.top);
  const part = {
    left,
    top,
    width: Math.min(place.left + side, place.width) - left,
    height: Math.min(place.top + side, place.height) - top,
  };
  const seen = resample(readRows, { width, height }, input.interpolation, [0, 0, width, height], place, part);
  if (part.width === side && part.height === side) return seen;
  // A crop that is larger than the resized picture has a black frame.
  const framed = new Uint8Array(3 * side * side);
  for (let row = 0; row < part.height; row++) {
    const to = 3 * ((top - place.top + row) * side + left - place.left);
    framed.set(seen.subarray(3 * part.width * row, 3 * part.width * (row + 1)), to);
  }
  return framed;
}

/**
 * The network's input.
 * @param {Uint8Array} pixels red, green, blue, in rows
 * @param {{mean: number[], std: number[]}} input Input of the manifest
 * @returns {Float32Array} all of red, then green, then blue, each in rows
 */
export function normalise(pixels, { mean, std }) {
  const count = pixels.length / 3;
  const values = new Float32Array(pixels.length);
  for (let colour = 0; colour < 3; colour++) {
    const [middle, unit] = [Math.fround(mean[colour]), Math.fround(std[colour])];
    // Rounded to 32 bits after each step, as NumPy does.
    const valueOf = (_, level) => Math.fround(Math.fround(level / 255) - middle) / unit;
    const table = Float32Array.from({ length: 256 }, valueOf);
    for (let i = 0; i < count; i++) values[colour * count + i] = table[pixels[3 * i + colour]];
  }
  return values;
}

function halfToEven(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + Math.abs(below % 2) : Math.round(value);
}
