import assert from "node:assert/strict";
import { test } from "node:test";

import { csv, layerCsv, npy } from "../../site_template/static/export-values.js";

const VALUES = Float32Array.of(0, -1.5, 0.1, 3e-9, 16777217, 2);

test("csv has a line for each row, and its numbers name the same float32", () => {
  const lines = csv(VALUES, 3).trimEnd().split("\n");
  assert.equal(lines.length, 2);
  const read = Float32Array.from(lines.join(",").split(","), Number);
  assert.deepEqual(read, VALUES);
});

test("npy has NumPy's header, aligned to 64 bytes, and the values after it", () => {
  const bytes = npy(VALUES, [2, 3]);
  assert.deepEqual([...bytes.subarray(0, 8)], [0x93, 78, 85, 77, 80, 89, 1, 0]);
  const length = bytes[8] + 256 * bytes[9];
  assert.equal((10 + length) % 64, 0);
  const header = new TextDecoder().decode(bytes.subarray(10, 10 + length));
  assert.match(header, /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/);
  assert.deepEqual(new Float32Array(bytes.slice(10 + length).buffer), VALUES);
});

test("a shape of one axis is a tuple all the same", () => {
  assert.match(new TextDecoder().decode(npy(VALUES, [6])), /\(6,\)/);
});

test("a layer's lines begin with their channel and row", () => {
  const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  assert.equal(layerCsv(values, 2, 2), "channel,row,column 0,column 1\n0,0,1,2\n0,1,3,4\n1,0,5,6\n1,1,7,8\n");
});
