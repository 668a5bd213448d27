// Red, green and blue values as what canvases and files of pictures are made of.

/** @returns {Uint8ClampedArray} the same with full opacity: red, green, blue, 255 */
export function opaque(rgb) {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from];
    rgba[to + 1] = rgb[from + 1];
    rgba[to + 2] = rgb[from + 2];
  }
  return rgba;
}

/** @returns {Promise<Blob>} a PNG */
export function png(rgb, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(new ImageData(opaque(rgb), width, height), 0, 0);
  return canvas.convertToBlob();
}
