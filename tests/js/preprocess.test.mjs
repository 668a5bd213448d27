import assert from "node:assert/strict";
import { test } from "node:test";

import { cropBox, cropPixels, geometry, normalise } from "../../site_template/static/preprocess.js";

const INPUT = {
  resize: 256,
  crop: 224,
  interpolation: "bilinear",
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

test("the shorter side is resized, the longer one cut to whole pixels", () => {
  assert.deepEqual(geometry(640, 480, INPUT), { width: 341, height: 256, left: 58, top: 16, side: 224 });
  assert.deepEqual(geometry(480, 640, INPUT), { width: 256, height: 341, left: 16, top: 58, side: 224 });
  assert.deepEqual(geometry(7, 7, INPUT), { width: 256, height: 256, left: 16, top: 16, side: 224 });
});

test("a crop between two pixels goes to the even one", () => {
  // (length − crop) / 2 is 0.5, 1.5, 2.5, 3.5.
  const left = (width) => geometry(width, 100, { resize: 100, crop: 100 }).left;
  assert.deepEqual([101, 103, 105, 107].map(left), [0, 2, 2, 4]);
  // −0.5, −1.5, −2.5.
  const top = (crop) => geometry(10, 10, { resize: 10, crop }).top;
  assert.deepEqual([11, 13, 15].map((crop) => Math.abs(top(crop))), [0, 2, 2]);
});

test("the crop's box is in pixels of the picture", () => {
  assert.deepEqual(cropBox(512, 512, INPUT), [32, 32, 480, 480]);
  const [left, top, right, bottom] = cropBox(640, 480, INPUT);
  assert.deepEqual([left, right], [(58 * 640) / 341, (282 * 640) / 341]);
  assert.deepEqual([top, bottom], [30, 450]);
});

test("a picture of one colour has that colour, whatever its shape", () => {
  for (const size of [
    { width: 1, height: 1 },
    { width: 300, height: 200 },
    { width: 3, height: 50 },
    { width: 900, height: 10 },
  ]) {
    const readRows = (top, count) => {
      assert.ok(top >= 0 && count > 0 && top + count <= size.height);
      return Uint8ClampedArray.from({ length: 4 * size.width * count }, (_, i) => [10, 120, 250, 0][i % 4]);
    };
    const pixels = cropPixels(readRows, size, { ...INPUT, resize: 20, crop: 16 });
    assert.deepEqual([...pixels], Array.from({ length: 16 * 16 }, () => [10, 120, 250]).flat());
  }
});

test("a crop that is larger than the resized picture has a black frame", () => {
  const readRows = (top, count) => new Uint8ClampedArray(4 * 2 * count).fill(200);
  const pixels = cropPixels(readRows, { width: 2, height: 2 }, { resize: 2, crop: 4, interpolation: "bilinear" });
  const red = Array.from({ length: 16 }, (_, i) => pixels[3 * i]);
  assert.deepEqual(red, [0, 0, 0, 0, 0, 200, 200, 0, 0, 200, 200, 0, 0, 0, 0, 0]);
});

test("the network's input has the channels first, each step rounded to 32 bits", () => {
  const values = normalise(Uint8Array.of(0, 51, 255, 255, 0, 51), INPUT);
  assert.equal(values.length, 6);
  const value = (level, colour) => {
    const scaled = new Float32Array([level / 255]);
    const moved = new Float32Array([scaled[0] - Math.fround(INPUT.mean[colour])]);
    return new Float32Array([moved[0] / Math.fround(INPUT.std[colour])])[0];
  };
  const expected = [value(0, 0), value(255, 0), value(51, 1), value(0, 1), value(255, 2), value(51, 2)];
  assert.deepEqual([...values], expected);
});
