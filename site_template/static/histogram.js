// How often each value occurs in a map. Pure.

/**
 * @param {Uint8Array} pixels of one channel
 * @param {number} bins a divisor of 256
 * @returns {number[]} how many pixels fall into each of `bins` equal parts of the channel's range
 */
export function histogram(pixels, bins) {
  const counts = new Array(bins).fill(0);
  for (const pixel of pixels) counts[Math.floor((pixel * bins) / 256)] += 1;
  return counts;
}
