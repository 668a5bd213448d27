import assert from "node:assert/strict";
import { test } from "node:test";

import { shareInside } from "../../site_template/static/evidence-share.js";

const CROP = [10, 20, 50, 60]; // cells of 20 × 20 pixels
const MAP = { values: [3, 1, -5, 0], width: 2, height: 2 };

test("the share is of what adds, cell by cell", () => {
  assert.deepEqual(shareInside(MAP, CROP, [10, 20, 30, 40]), { evidence: 0.75, area: 0.25 });
  assert.deepEqual(shareInside(MAP, CROP, [30, 20, 50, 40]), { evidence: 0.25, area: 0.25 });
  assert.deepEqual(shareInside(MAP, CROP, [0, 0, 100, 100]), { evidence: 1, area: 1 });
});

test("a cell that is half covered counts half", () => {
  const { evidence, area } = shareInside(MAP, CROP, [10, 20, 20, 40]);
  assert.equal(evidence, 0.375);
  assert.equal(area, 0.125);
});

test("a box beside the crop holds nothing, and a map without a positive value has no share", () => {
  assert.deepEqual(shareInside(MAP, CROP, [60, 60, 90, 90]), { evidence: 0, area: 0 });
  assert.equal(shareInside({ ...MAP, values: [-1, -1, -1, 0] }, CROP, CROP).evidence, 0);
});
