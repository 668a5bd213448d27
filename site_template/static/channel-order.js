// The order of channels in the grid. Pure.

const BY = {
  max: (figures) => figures.high,
  mean: (figures) => figures.mean,
  std: (figures) => figures.std,
  zeros: (figures) => figures.zeros.map((share) => -share),
};

/**
 * @param {string} sort "index", a key of BY, or a key of `more`
 * @param {object} figures LayerFigures
 * @param {Object<string, ArrayLike<number>>} [more] further numbers for each channel to sort by
 * @returns {number[]} channel numbers, largest first; equals stay in the order of their numbers
 */
export function channelOrder(sort, figures, more = {}) {
  const channels = figures.high.map((_, channel) => channel);
  const values = more[sort] ?? BY[sort]?.(figures);
  return values ? channels.sort((a, b) => values[b] - values[a] || a - b) : channels;
}

/**
 * @param {number[]} order channel numbers
 * @param {{show: string, above: number}} filter `show` is all, alive, silent or strongest; `above`
 *   is what a channel's largest value must reach
 * @param {object} figures LayerFigures
 * @returns {number[]} those that pass, in the same order
 */
export function filterChannels(order, { show, above }, figures) {
  const silent = (channel) => figures.high[channel] <= 0;
  const passing = order.filter((channel) => figures.high[channel] >= above);
  if (show === "alive") return passing.filter((channel) => !silent(channel));
  if (show === "silent") return passing.filter(silent);
  if (show !== "strongest") return passing;
  const strongest = new Set([...passing].sort((a, b) => figures.high[b] - figures.high[a] || a - b).slice(0, STRONGEST));
  return passing.filter((channel) => strongest.has(channel));
}

/** How many channels "strongest" shows. */
export const STRONGEST = 16;

/**
 * How alike the maps of a layer are to one of them: Pearson's correlation over positions, which the
 * range that a channel is stored with does not change. Constant maps are like nothing: −2.
 * @param {(channel: number) => Uint8Array} pixelsOf
 * @param {number} channels
 * @param {number} chosen
 * @returns {Float64Array}
 */
export function likeness(pixelsOf, channels, chosen) {
  const centred = (pixels) => {
    const mean = pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length;
    const result = Float64Array.from(pixels, (pixel) => pixel - mean);
    const length = Math.sqrt(result.reduce((sum, value) => sum + value * value, 0));
    return { result, length };
  };
  const own = centred(pixelsOf(chosen));
  return Float64Array.from({ length: channels }, (_, channel) => {
    const other = centred(pixelsOf(channel));
    if (!own.length || !other.length) return channel === chosen ? 1 : -2;
    let product = 0;
    for (let i = 0; i < own.result.length; i++) product += own.result[i] * other.result[i];
    return product / (own.length * other.length);
  });
}
