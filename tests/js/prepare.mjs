// Prepares pictures as the browser does. Arguments: a JSON file with a list of cases, each a file of
// red, green, blue, alpha bytes, its size, the Input of a manifest, and the files to write.

import { readFileSync, writeFileSync } from "node:fs";

import { cropPixels, normalise } from "../../site_template/static/preprocess.js";

const cases = JSON.parse(readFileSync(process.argv[2], "utf-8"));
for (const { picture, width, height, input, pixels, values } of cases) {
  const bytes = readFileSync(picture);
  const readRows = (top, count) => {
    if (top < 0 || count < 1 || top + count > height) throw new RangeError(`rows ${top} to ${top + count} of ${height}`);
    return new Uint8ClampedArray(bytes.subarray(4 * width * top, 4 * width * (top + count)));
  };
  const seen = cropPixels(readRows, { width, height }, input);
  writeFileSync(pixels, seen);
  writeFileSync(values, normalise(seen, input));
}
