// What fingers mean: a pinch, a pan, a swipe. Pure.

export const LARGEST_ZOOM = 16;

/** The whole picture. */
export const WHOLE = Object.freeze({ scale: 1, x: 0, y: 0 });

/**
 * Zoom about a point that stays where it is.
 * @param {{scale: number, x: number, y: number}} zoom where the top left corner lies, in frames
 * @param {number} factor
 * @param {number} x of the point, 0 at the left of the frame and 1 at its right
 * @param {number} y likewise, from the top
 * @returns {{scale: number, x: number, y: number}} the picture always fills the frame
 */
export function zoomAbout(zoom, factor, x, y) {
  const scale = Math.min(LARGEST_ZOOM, Math.max(1, zoom.scale * factor));
  const grown = scale / zoom.scale;
  return held({ scale, x: x - grown * (x - zoom.x), y: y - grown * (y - zoom.y) });
}

/** Move the picture, in frames. */
export function pan(zoom, x, y) {
  return held({ scale: zoom.scale, x: zoom.x + x, y: zoom.y + y });
}

/** Move the picture as far as a point of it, 0 to 1 from its left and its top, needs to be seen. */
export function follow(zoom, x, y) {
  const lacking = (at) => Math.max(0, 0.1 - at) - Math.max(0, at - 0.9);
  return pan(zoom, lacking(zoom.x + zoom.scale * x), lacking(zoom.y + zoom.scale * y));
}

function held({ scale, x, y }) {
  const inside = (at) => Math.min(0, Math.max(1 - scale, at)) + 0; // no −0
  return { scale, x: inside(x), y: inside(y) };
}

/**
 * @param {number} right pixels that a finger moved to the right
 * @param {number} down and down
 * @returns {-1|0|1} 1 to the next, −1 to the one before, 0 where this was no swipe
 */
export function swipe(right, down) {
  if (Math.abs(right) < 50 || Math.abs(right) < 2 * Math.abs(down)) return 0;
  return right < 0 ? 1 : -1;
}
