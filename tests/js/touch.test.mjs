import assert from "node:assert/strict";
import { test } from "node:test";

import { LARGEST_ZOOM, WHOLE, follow, pan, swipe, zoomAbout } from "../../site_template/static/touch.js";

const at = (zoom, x) => zoom.x + zoom.scale * x;

test("the point between the fingers stays where it is", () => {
  const zoom = zoomAbout(WHOLE, 2, 0.25, 0.75);
  assert.equal(zoom.scale, 2);
  assert.equal(at(zoom, 0.25), 0.25);
  assert.equal(zoom.y + 2 * 0.75, 0.75);
  const more = zoomAbout(zoom, 3, 0.5, 0.5);
  const under = (0.5 - zoom.x) / zoom.scale;
  assert.ok(Math.abs(at(more, under) - 0.5) < 1e-12);
});

test("the picture always fills the frame, and is never smaller than it", () => {
  assert.deepEqual(zoomAbout(zoomAbout(WHOLE, 4, 1, 1), 0.01, 0, 0), { ...WHOLE });
  assert.equal(zoomAbout(WHOLE, 1000, 0.5, 0.5).scale, LARGEST_ZOOM);
  const zoom = zoomAbout(WHOLE, 2, 0.5, 0.5);
  assert.deepEqual(pan(zoom, 9, -9), { scale: 2, x: 0, y: -1 });
  assert.deepEqual(pan(zoom, 0.25, -0.25), { scale: 2, x: -0.25, y: -0.75 });
  assert.deepEqual(pan(WHOLE, 0.5, 0.5), { ...WHOLE });
});

test("a point that is followed comes into view, and no further", () => {
  const zoom = zoomAbout(WHOLE, 4, 0.5, 0.5);
  for (const [x, y] of [[0.5, 0.5], [0.45, 0.55]]) assert.deepEqual(follow(zoom, x, y), zoom);
  const right = follow(zoom, 0.8, 0.5);
  assert.ok(Math.abs(at(right, 0.8) - 0.9) < 1e-12);
  assert.equal(right.y, zoom.y);
  assert.ok(Math.abs(at(follow(zoom, 0.2, 0.5), 0.2) - 0.1) < 1e-12);
  assert.deepEqual(follow(zoom, 0, 1), { scale: 4, x: 0, y: -3 });
  assert.deepEqual(follow(WHOLE, 0, 1), { ...WHOLE });
});

test("a swipe is long and sideways", () => {
  assert.equal(swipe(-80, 10), 1);
  assert.equal(swipe(80, -10), -1);
  assert.equal(swipe(40, 0), 0);
  assert.equal(swipe(80, 60), 0);
});
