// What the bytes of a file say about the picture in it, before it is decoded. Pure.

/** How files begin that are no photos, in lower case, and what to tell the visitor. */
const NOT_PHOTOS = [
  ["version https://git-lfs", "This is a Git LFS pointer, not the photo: download the photo itself."],
  ["<!doctype html", "This is a web page, not a photo: save the photo itself."],
  ["<html", "This is a web page, not a photo: save the photo itself."],
  ["<svg", "This is a drawing (SVG), not a photo: export it as PNG."],
  ["%pdf", "This is a PDF, not a photo: export the picture in it as JPEG or PNG."],
  ["%!ps", "This is PostScript, not a photo: export it as PNG."],
  ["8bps", "This is a Photoshop document, not a photo: export it as JPEG or PNG."],
];
/** What may stand before the first element: a byte order mark, XML's declaration, comments. */
const PROLOGUE = /^(\xef\xbb\xbf|\s|<\?xml.*?\?>|<!--.*?-->|<!doctype svg.*?>)+/is;
/** Brands of files of the ISO base media format that hold still pictures. */
const STILLS = { avif: "AVIF", avis: "AVIF", heic: "HEIC", heix: "HEIC", hevc: "HEIC", mif1: "HEIC", msf1: "HEIC" };
const ORIENTATION = 0x0112;

/**
 * @typedef {object} Header
 * @property {string|null} format JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF; null where unknown
 * @property {number} width pixels as stored; 0 where unknown, like height
 * @property {number} height
 * @property {boolean} cut whether the end of the picture is missing
 * @property {{value: number, at: number}|null} orientation the EXIF orientation that browsers pass
 *   over, and where its chunk begins: only WebP has such
 */

/**
 * @param {Uint8Array} bytes of the whole file
 * @returns {Header}
 */
export function readHeader(bytes) {
  const header = { format: null, width: 0, height: 0, cut: false, orientation: null };
  const known = SIGNATURES.find(([at, start]) => text(bytes, at, start.length) === start);
  if (!known) return header;
  const [, , format, read] = known;
  try {
    return { ...header, format, ...read(viewOf(bytes), bytes) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { ...header, format, cut: true }; // it ends within the header
  }
}

/** Why a file that is surely no photo is none, for the visitor; null where it may be one. */
export function whyNoPhoto(bytes) {
  const start = text(bytes, 0, 1000).replace(PROLOGUE, "").toLowerCase();
  return NOT_PHOTOS.find(([beginning]) => start.startsWith(beginning))?.[1] ?? null;
}

/** Where, what, the format, and how the rest of its header is read. */
const SIGNATURES = [
  [0, "\xff\xd8\xff", "JPEG", jpeg],
  [0, "\x89PNG\r\n\x1a\n", "PNG", png],
  [8, "WEBP", "WebP", webp],
  [0, "GIF8", "GIF", (view) => ({ width: view.getUint16(6, true), height: view.getUint16(8, true) })],
  [0, "BM", "BMP", bmp],
  [0, "II*\0", "TIFF", () => ({})],
  [0, "MM\0*", "TIFF", () => ({})],
  [4, "ftyp", null, (_, bytes) => ({ format: STILLS[text(bytes, 8, 4)] ?? null })],
];

function jpeg(view, bytes) {
  for (let at = 2; ; ) {
    const marker = view.getUint16(at);
    const frame = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (frame) {
      const cut = !includes(bytes, [0xff, 0xd9], at);
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7), cut };
    }
    if (marker < 0xff00 || marker === 0xffda) return {}; // damaged: the decoder shall say so
    at += marker === 0xffff ? 1 : 2 + view.getUint16(at + 2);
  }
}

function png(view, bytes) {
  return { width: view.getUint32(16), height: view.getUint32(20), cut: !includes(bytes, [0x49, 0x45, 0x4e, 0x44], 24) };
}

function bmp(view) {
  if (view.getUint32(14, true) === 12) return { width: view.getUint16(18, true), height: view.getUint16(20, true) };
  return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) };
}

function webp(view, bytes) {
  const kind = text(bytes, 12, 4);
  if (kind === "VP8 ") return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (kind === "VP8L") {
    const sizes = view.getUint32(21, true);
    return { width: (sizes & 0x3fff) + 1, height: ((sizes >> 14) & 0x3fff) + 1 };
  }
  const size = (at) => (view.getUint32(at, true) & 0xffffff) + 1;
  return { width: size(24), height: size(27), orientation: webpOrientation(view, bytes) };
}

function webpOrientation(view, bytes) {
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    if (text(bytes, at, 4) === "EXIF") {
      const value = exifOrientation(bytes.subarray(at + 8, at + 8 + length));
      return value && { value, at };
    }
    at += 8 + length + (length % 2);
  }
  return null;
}

/** The orientation in a block of EXIF, 2 to 8; null where there is none or it makes no sense. */
function exifOrientation(exif) {
  const tiff = text(exif, 0, 6) === "Exif\0\0" ? exif.subarray(6) : exif;
  const view = viewOf(tiff);
  try {
    const little = text(tiff, 0, 2) === "II";
    const first = view.getUint32(4, little);
    const entries = view.getUint16(first, little);
    for (let at = first + 2; at < first + 2 + 12 * entries; at += 12) {
      if (view.getUint16(at, little) !== ORIENTATION) continue;
      const value = view.getUint16(at + 8, little);
      return value >= 2 && value <= 8 ? value : null;
    }
  } catch {
    // Unreadable EXIF says nothing about the pixels.
  }
  return null;
}

function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function text(bytes, at, length) {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function includes(bytes, sequence, from) {
  for (let at = bytes.indexOf(sequence[0], from); at >= 0; at = bytes.indexOf(sequence[0], at + 1)) {
    if (sequence.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}
