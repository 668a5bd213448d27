import assert from "node:assert/strict";
import { test } from "node:test";

import { bitmap } from "../../site_template/static/bitmap.js";

test("pixels stand in blue, green, red, rows from the top, each filled up to four bytes", async () => {
  const file = bitmap(Uint8Array.of(1, 2, 3, 4, 5, 6), 1, 2);
  assert.equal(file.type, "image/bmp");
  const bytes = new Uint8Array(await file.arrayBuffer());
  assert.equal(bytes.length, 54 + 8);
  assert.deepEqual([...bytes.slice(54)], [3, 2, 1, 0, 6, 5, 4, 0]);
  const head = new DataView(bytes.buffer);
  assert.equal(String.fromCharCode(bytes[0], bytes[1]), "BM");
  assert.deepEqual([2, 10, 14, 18, 22].map((at) => head.getInt32(at, true)), [62, 54, 40, 1, -2]);
  assert.deepEqual([26, 28].map((at) => head.getInt16(at, true)), [1, 24]);
});
