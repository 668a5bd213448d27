import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { readHeader, whyNoPhoto } from "../../site_template/static/photo-header.js";

const bytes = (...parts) => Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part, "latin1")] : part)));
const little = (value, count = 4) => Array.from({ length: count }, (_, i) => (value >>> (8 * i)) & 255);
const big = (value, count = 4) => little(value, count).reverse();
const size = ({ format, width, height }) => ({ format, width, height });

test("sizes of every format are read", () => {
  const png = bytes("\x89PNG\r\n\x1a\n", big(13), "IHDR", big(70000), big(3));
  assert.deepEqual(size(readHeader(png)), { format: "PNG", width: 70000, height: 3 });
  const gif = bytes("GIF89a", little(300, 2), little(200, 2));
  assert.deepEqual(size(readHeader(gif)), { format: "GIF", width: 300, height: 200 });
  const bmp = bytes("BM", little(0), little(0), little(54), little(40), little(300), little(-200));
  assert.deepEqual(size(readHeader(bmp)), { format: "BMP", width: 300, height: 200 });
  const old = bytes("BM", little(0), little(0), little(26), little(12), little(300, 2), little(200, 2));
  assert.deepEqual(size(readHeader(old)), { format: "BMP", width: 300, height: 200 });
  const lossy = bytes("RIFF", little(0), "WEBPVP8 ", little(0), [0, 0, 0, 0x9d, 1, 0x2a], little(300 | 0x4000, 2), little(200, 2));
  assert.deepEqual(size(readHeader(lossy)), { format: "WebP", width: 300, height: 200 });
  const lossless = bytes("RIFF", little(0), "WEBPVP8L", little(0), [0x2f], little(299 | (199 << 14)));
  assert.deepEqual(size(readHeader(lossless)), { format: "WebP", width: 300, height: 200 });
  const extended = bytes("RIFF", little(0), "WEBPVP8X", little(10), little(0), little(70000 - 1, 3), little(200 - 1, 3), [0]);
  assert.deepEqual(size(readHeader(extended)), { format: "WebP", width: 70000, height: 200 });
});

test("a JPEG's size stands in its frame, behind tables and fillers and not in its thumbnail", () => {
  const thumbnail = bytes("\xff\xd8\xff\xc0", big(17, 2), [8], big(1, 2), big(1, 2), "\xff\xd9");
  const jpeg = bytes("\xff\xd8\xff\xe1", big(2 + thumbnail.length, 2), [...thumbnail], "\xff\xff\xff\xc4", big(2, 2));
  const frame = bytes("\xff\xc2", big(17, 2), [8], big(200, 2), big(300, 2));
  const whole = bytes([...jpeg], [...frame], "\xff\xd9");
  assert.deepEqual(readHeader(whole), { format: "JPEG", width: 300, height: 200, cut: false, orientation: null });
  assert.equal(readHeader(bytes([...jpeg], [...frame])).cut, true, "the thumbnail's end is not the photo's");
});

test("photos that end too early are cut, wherever that is", () => {
  for (const name of ["panda.jpg", "coffee.png"]) {
    const whole = new Uint8Array(readFileSync(new URL(`../../examples/${name}`, import.meta.url)));
    assert.equal(readHeader(whole).cut, false);
    for (const length of [10, 30, 1000, whole.length >> 1, whole.length - 12]) {
      assert.equal(readHeader(whole.subarray(0, length)).cut, true, `${name} ${length}`);
    }
  }
});

function webp(...chunks) {
  const extended = ["VP8X", little(10), little(8), little(9, 3), little(9, 3)];
  return bytes("RIFF", little(0), "WEBP", ...extended, ...chunks);
}

function exif(order, value) {
  const number = order === "II" ? little : big;
  const entry = (tag) => [...number(tag, 2), ...number(3, 2), ...number(1), ...number(value, 2), 0, 0];
  return bytes(order, number(42, 2), number(8), number(2, 2), entry(0x0100), entry(0x0112));
}

test("a WebP's orientation is read in both byte orders, with and without a marker", () => {
  for (const order of ["II", "MM"]) {
    for (const marker of ["", "Exif\0\0"]) {
      const block = bytes(marker, [...exif(order, 6)]);
      // A chunk of odd length has a byte more.
      const photo = webp("ICCP", little(3), "abc\0", "EXIF", little(block.length), [...block]);
      assert.deepEqual(readHeader(photo).orientation, { value: 6, at: 42 });
      assert.equal(String.fromCharCode(...photo.subarray(42, 46)), "EXIF");
    }
  }
});

test("an orientation that makes no sense is none", () => {
  for (const value of [0, 1, 9, 65535]) {
    const block = exif("MM", value);
    assert.equal(readHeader(webp("EXIF", little(block.length), [...block])).orientation, null, String(value));
  }
  for (const block of [[], [1], bytes("II*\0\xff\xff\xff\xff"), exif("II", 6).subarray(0, 30)]) {
    assert.equal(readHeader(webp("EXIF", little(block.length), [...block])).orientation, null);
  }
});

test("other formats are named", () => {
  const named = (file) => readHeader(file).format;
  assert.equal(named(bytes("II*\0")), "TIFF");
  assert.equal(named(bytes("MM\0*")), "TIFF");
  assert.equal(named(bytes(big(24), "ftypheic")), "HEIC");
  assert.equal(named(bytes(big(24), "ftypavif")), "AVIF");
  assert.equal(named(bytes(big(24), "ftypisom")), null, "a video");
  assert.equal(named(bytes("hello")), null);
  assert.equal(named(bytes()), null);
});

test("what is surely no photo is told by what it is", () => {
  const told = (start) => whyNoPhoto(bytes(start));
  assert.match(told("version https://git-lfs.github.com/spec/v1\noid"), /Git LFS pointer/);
  assert.match(told("\n<!DOCTYPE html><html>"), /web page/);
  assert.match(told("<HTML>"), /web page/);
  assert.match(told("<svg xmlns="), /SVG/);
  const prologue = '\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn\nby hand --><!DOCTYPE svg PUBLIC "a">\n';
  assert.match(told(`${prologue}<svg>`), /SVG/);
  assert.match(told("%PDF-1.7"), /PDF/);
  assert.match(told("%!PS-Adobe"), /PostScript/);
  assert.match(told("8BPS\0\x01"), /Photoshop/);
  assert.equal(told("\xff\xd8\xff\xe0"), null);
  assert.equal(told(""), null);
  assert.equal(told(" ".repeat(5000)), null);
});

test("any start of any file is read without a fault", () => {
  for (const name of ["panda.jpg", "coffee.png"]) {
    const whole = new Uint8Array(readFileSync(new URL(`../../examples/${name}`, import.meta.url)));
    for (let length = 0; length < 700; length++) readHeader(whole.subarray(0, length));
  }
  const block = exif("II", 6);
  const photo = webp("EXIF", little(block.length), [...block]);
  for (let length = 0; length <= photo.length; length++) {
    readHeader(photo.subarray(0, length));
    for (const bit of [1, 0x80]) {
      const flipped = photo.slice();
      if (length < photo.length) flipped[length] ^= bit;
      readHeader(flipped);
    }
  }
});
