// Tile sheets as numbers: which pixel belongs to which activation, and what it stands for. Pure.

/**
 * @param {Uint8Array} grey all pixels of a sheet, in rows
 * @param {object} sheet TileSheet of the index
 * @param {number} channel
 * @returns {Uint8Array} the channel's pixels, in rows
 */
export function tile(grey, sheet, channel) {
  const { columns, tile_width: width, tile_height: height } = sheet;
  const stride = columns * width;
  const left = (channel % columns) * width;
  const top = Math.floor(channel / columns) * height;
  const pixels = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const start = (top + row) * stride + left;
    pixels.set(grey.subarray(start, start + width), row * width);
  }
  return pixels;
}

/** The activation that a pixel of a channel with the given range stands for. */
export function valueOf(pixel, low, high) {
  return low + (pixel / 255) * (high - low);
}

/**
 * Whether the pixels are what was stored: each channel that varies is white at its maximum. A
 * browser that adds noise to the pictures it reads back fails this.
 * @param {Uint8Array} grey
 * @param {object} sheet TileSheet
 * @param {object} figures LayerFigures
 */
export function isFaithful(grey, sheet, figures) {
  const stride = sheet.columns * sheet.tile_width;
  return figures.high.every((high, channel) => {
    const left = (channel % sheet.columns) * sheet.tile_width + figures.column[channel];
    const top = Math.floor(channel / sheet.columns) * sheet.tile_height + figures.row[channel];
    return grey[top * stride + left] === (high > figures.low[channel] ? 255 : 0);
  });
}
