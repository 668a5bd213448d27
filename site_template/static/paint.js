// Puts pixels on a canvas, one canvas pixel for each.

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
