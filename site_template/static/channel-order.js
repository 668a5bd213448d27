// The order of channels in the grid. Pure.

const BY = {
  max: (figures) => figures.high,
  mean: (figures) => figures.mean,
  std: (figures) => figures.std,
  zeros: (figures) => figures.zeros.map((share) => -share),
};

/**
 * @param {string} sort "index", or a key of BY: largest first
 * @param {object} figures LayerFigures
 * @returns {number[]} channel numbers; equals stay in the order of their numbers
 */
export function channelOrder(sort, figures) {
  const channels = figures.high.map((_, channel) => channel);
  if (!(sort in BY)) return channels;
  const values = BY[sort](figures);
  return channels.sort((a, b) => values[b] - values[a] || a - b);
}
