// Red, green and blue values as a file that browsers show at once: nothing in it is packed. Pure.

const HEAD = 54;

/**
 * @param {Uint8Array} rgb red, green, blue, in rows
 * @param {number} width
 * @param {number} height
 * @returns {Blob} a Windows bitmap of 24 bits
 */
export function bitmap(rgb, width, height) {
  const stride = Math.ceil((3 * width) / 4) * 4;
  const bytes = new Uint8Array(HEAD + stride * height);
  const head = new DataView(bytes.buffer);
  const put = (at, value) => head.setInt32(at, value, true);
  bytes.set([0x42, 0x4d]);
  put(2, bytes.length);
  put(10, HEAD);
  put(14, 40);
  put(18, width);
  put(22, -height); // from the top down
  put(26, 1 | (24 << 16)); // one plane, bits of a pixel
  for (let row = 0, from = 0; row < height; row++) {
    for (let at = HEAD + row * stride, end = at + 3 * width; at < end; at += 3, from += 3) {
      bytes[at] = rgb[from + 2];
      bytes[at + 1] = rgb[from + 1];
      bytes[at + 2] = rgb[from];
    }
  }
  return new Blob([bytes], { type: "image/bmp" });
}
