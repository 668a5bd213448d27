import assert from "node:assert/strict";
import { test } from "node:test";

import { resample } from "../../site_template/static/resample.js";

/** A grey picture; its fourth byte must not matter. */
function picture(rows) {
  const [height, width] = [rows.length, rows[0].length];
  const bytes = rows.flat().flatMap((level) => [level, level, level, 99]);
  const asked = [];
  const readRows = (top, count) => {
    assert.ok(top >= 0 && count > 0 && top + count <= height, `rows ${top} to ${top + count} of ${height}`);
    asked.push([top, count]);
    return Uint8ClampedArray.from(bytes.slice(4 * width * top, 4 * width * (top + count)));
  };
  return { readRows, size: { width, height }, box: [0, 0, width, height], asked };
}

function resized(rows, filter, target, part = { left: 0, top: 0, ...target }) {
  const { readRows, size, box } = picture(rows);
  const bytes = resample(readRows, size, filter, box, target, part);
  assert.equal(bytes.length, 3 * part.width * part.height);
  const levels = Array.from(bytes);
  assert.deepEqual(levels, levels.map((_, i) => levels[i - (i % 3)]), "grey stays grey");
  return Array.from({ length: part.height }, (_, y) =>
    Array.from({ length: part.width }, (_, x) => levels[3 * (y * part.width + x)]),
  );
}

test("a picture of the wanted size stays as it is", () => {
  const rows = [
    [0, 255, 3],
    [9, 128, 77],
  ];
  for (const filter of ["bilinear", "bicubic"]) {
    assert.deepEqual(resized(rows, filter, { width: 3, height: 2 }), rows);
  }
});

test("bilinear halves with a triangle two pixels to each side", () => {
  // The first pixel weighs the inputs at distances 0.25, 0.25, 0.75 of the reach: 3, 3, 1 parts of 7.
  const line = [0, 70, 140, 210];
  const first = Math.round((3 * 0 + 3 * 70 + 1 * 140) / 7);
  const last = Math.round((1 * 70 + 3 * 140 + 3 * 210) / 7);
  assert.deepEqual(resized([line], "bilinear", { width: 2, height: 1 }), [[first, last]]);
  assert.deepEqual(resized(line.map((level) => [level]), "bilinear", { width: 1, height: 2 }), [[first], [last]]);
});

test("bilinear doubles with quarters, and repeats the ends", () => {
  assert.deepEqual(resized([[0, 100]], "bilinear", { width: 4, height: 1 }), [[0, 25, 75, 100]]);
});

test("halves are rounded up", () => {
  assert.deepEqual(resized([[0, 1]], "bilinear", { width: 1, height: 1 }), [[1]]);
  assert.deepEqual(resized([[3, 4]], "bilinear", { width: 1, height: 1 }), [[4]]);
});

test("bicubic overshoots an edge, held between black and white", () => {
  const [line] = resized([[50, 50, 50, 200, 200, 200]], "bicubic", { width: 12, height: 1 });
  assert.ok(Math.min(...line) < 50 && Math.max(...line) > 200, String(line));
  const [hard] = resized([[0, 0, 0, 255, 255, 255]], "bicubic", { width: 12, height: 1 });
  assert.deepEqual([hard[4], hard[7]], [0, 255]);
});

test("bicubic weighs the inputs at distances 0.25, 0.75, 1.25 and 1.75 as the cubic does", () => {
  // The fourth of eight pixels has its centre at 1.75, the inputs have theirs at 0.5, 1.5, 2.5, 3.5.
  const near = (x) => (1.5 * x - 2.5) * x * x + 1;
  const far = (x) => -0.5 * (((x - 5) * x + 8) * x - 4);
  const line = [10, 200, 30, 90];
  const weights = [far(1.25), near(0.25), near(0.75), far(1.75)];
  assert.equal(weights.reduce((a, b) => a + b), 1);
  const expected = Math.round(weights.reduce((sum, weight, i) => sum + weight * line[i], 0));
  assert.equal(resized([line], "bicubic", { width: 8, height: 1 })[0][3], expected);
});

test("a part is the same as that part of the whole", () => {
  const rows = Array.from({ length: 23 }, (_, y) => Array.from({ length: 17 }, (_, x) => (x * 83 + y * 59) % 256));
  const target = { width: 9, height: 8 };
  const part = { left: 2, top: 3, width: 5, height: 4 };
  for (const filter of ["bilinear", "bicubic"]) {
    const whole = resized(rows, filter, target);
    const expected = whole.slice(3, 7).map((row) => row.slice(2, 7));
    assert.deepEqual(resized(rows, filter, target, part), expected);
  }
});

test("columns come first where the height loses more than twice what the width does", () => {
  // A line of one 1 in four is 0.29: nothing is left after the rounding. Between the two lines it
  // would be 0.5, rounded up to 1, and two of those in four are 0.58.
  const flat = [
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ];
  const tall = flat[0].map((_, x) => flat.map((row) => row[x]));
  const target = { width: 1, height: 1 };
  assert.deepEqual(resized(flat, "bilinear", target), [[0]]);
  assert.deepEqual(resized(tall, "bilinear", target), [[0]]);
  assert.deepEqual(resized([[0, 1, 1, 0]], "bilinear", target), [[1]]);
  // Three rows fewer are not more than twice two columns fewer. Pillow gives 0, not 1.
  const near = [
    [0, 1, 1],
    [1, 0, 0],
    [0, 1, 0],
    [1, 1, 1],
  ];
  assert.deepEqual(resized(near, "bilinear", target), [[0]]);
});

test("only a part of the picture is resized where the box says so", () => {
  const { readRows, size } = picture([[0, 0, 80, 160, 0, 0]]);
  const box = [2, 0, 4, 1];
  const whole = { left: 0, top: 0, width: 2, height: 1 };
  assert.deepEqual([...resample(readRows, size, "bilinear", box, whole, whole)], [80, 80, 80, 160, 160, 160]);
});

test("rows are read once, in bands, and no others than the part needs", () => {
  const { readRows, size, box, asked } = picture(Array.from({ length: 64 }, () => [1]));
  Object.assign(size, { width: 1 << 16 }); // as if each row were long
  const wide = (top, count) => (readRows(top, count), new Uint8ClampedArray(4 * size.width * count).fill(7));
  box[2] = size.width;
  const target = { width: 4, height: 32 };
  const bytes = resample(wide, size, "bilinear", box, target, { left: 1, top: 8, width: 2, height: 16 });
  assert.ok(bytes.every((level) => level === 7));
  assert.deepEqual(asked, [
    [15, 16],
    [31, 16],
    [47, 2],
  ]);
});
