// Decodes a photo to what precompute would decode it to: upright, on white, 8 bits, no colour
// management.
//
// Chromium and Firefox give what Pillow gives, byte for byte, with these exceptions: partial
// transparency is off by up to 1 of 255 in Firefox (by 3 where the file has 16 bits), and where
// files have 16 bits, grey ones are off by 1 in Chromium and coloured ones in Firefox.

import { readHeader, whyNoPhoto } from "./photo-header.js";

const LARGEST_FILE = 100_000_000;
const LARGEST_PICTURE = 120_000_000;
/** Some browsers have no wider canvas, and no bitmap of more than twice that. */
const WIDEST_CANVAS = 16_384;
/** Pixels; some browsers lack the memory for more. */
const LARGE_PICTURE = 30_000_000;

/** What is wrong with a file, and what to do: a sentence for the visitor. */
export class PhotoFault extends Error {}

/**
 * @param {Blob} blob
 * @returns {Promise<{width: number, height: number, close: () => void,
 *   readRows: (top: number, count: number) => Uint8ClampedArray}>} readRows gives red, green, blue,
 *   255 of each pixel of some rows; close frees the memory
 * @throws {PhotoFault}
 */
export async function decodePhoto(blob) {
  const bytes = await read(blob);
  const header = readHeader(bytes);
  refuseTooMany(header);
  const reason = whyNoPhoto(bytes);
  if (reason) throw new PhotoFault(reason);
  if (header.cut) throw new PhotoFault(damaged(header));
  // Browsers leave WebP as it is stored. Should one turn it upright some day, it must not do so.
  if (header.orientation) bytes.fill(0x20, header.orientation.at, header.orientation.at + 4);
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new PhotoFault(undecodable(header));
  }
  refuseTooMany(bitmap); // not every header was read
  return upright(bitmap, header.orientation?.value ?? 1);
}

async function read(blob) {
  if (blob.size === 0) throw new PhotoFault("This file is empty: choose another.");
  if (blob.size > LARGEST_FILE) {
    const size = Math.round(blob.size / 1e6);
    throw new PhotoFault(`This file has ${size} MB; the limit is ${LARGEST_FILE / 1e6} MB: make the photo smaller.`);
  }
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch {
    throw new PhotoFault("This file cannot be read: it was moved or changed, or may not be opened. Choose it again.");
  }
}

function refuseTooMany({ width, height }) {
  if (width * height <= LARGEST_PICTURE) return;
  throw new PhotoFault(
    `This photo has ${width}×${height} pixels; the limit is ${LARGEST_PICTURE / 1e6} million: make it smaller.`,
  );
}

function undecodable(header) {
  const { format } = header;
  if (["HEIC", "AVIF", "TIFF"].includes(format)) {
    return `This browser cannot read ${format} photos: open it in a photo app and export it as JPEG.`;
  }
  return format ? damaged(header) : "This is not a photo: choose a JPEG, PNG, WebP, GIF or BMP file.";
}

function damaged({ format, width, height }) {
  const large = width * height > LARGE_PICTURE || Math.max(width, height) > 2 * WIDEST_CANVAS;
  return large
    ? `This ${format} is damaged, or too large for this browser: make it smaller, or take another copy.`
    : `This ${format} is cut short or damaged: take another copy of it.`;
}

/** A picture turned and mirrored as an EXIF orientation says. */
function upright(bitmap, orientation) {
  const [a, b, c, d] = TURNS[orientation];
  const [width, height] = a ? [bitmap.width, bitmap.height] : [bitmap.height, bitmap.width];
  const [x, y] = [a + c < 0 ? width : 0, b + d < 0 ? height : 0];
  // A picture may be larger than any canvas: it is drawn piece by piece.
  const canvas = new OffscreenCanvas(Math.min(width, WIDEST_CANVAS), 1);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

  function readPiece(left, top, columns, rows) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "white";
    context.fillRect(0, 0, columns, rows);
    context.setTransform(a, b, c, d, x - left, y - top);
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, columns, rows).data;
  }

  function readRows(top, count) {
    if (canvas.height < count) canvas.height = count;
    if (width <= canvas.width) return readPiece(0, top, width, count);
    const rows = new Uint8ClampedArray(4 * width * count);
    for (let left = 0; left < width; left += canvas.width) {
      const columns = Math.min(canvas.width, width - left);
      const piece = readPiece(left, top, columns, count);
      for (let row = 0; row < count; row++) {
        rows.set(piece.subarray(4 * columns * row, 4 * columns * (row + 1)), 4 * (width * row + left));
      }
    }
    return rows;
  }

  function close() {
    bitmap.close();
    canvas.width = canvas.height = 0;
  }

  return { width, height, readRows, close };
}

/** Where a step to the right and a step down go in the upright picture, by EXIF orientation. */
const TURNS = {
  1: [1, 0, 0, 1],
  2: [-1, 0, 0, 1],
  3: [-1, 0, 0, -1],
  4: [1, 0, 0, -1],
  5: [0, 1, 1, 0],
  6: [0, 1, -1, 0],
  7: [0, -1, -1, 0],
  8: [0, -1, 1, 0],
};
