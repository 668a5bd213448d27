// Where things lie on the network's input. Pure.

/**
 * The part of the input that can change an activation.
 * @param {?{size: number[], stride: number[], offset: number[]}} field ReceptiveField of the
 *   manifest; without one it is all of it
 * @param {number} row
 * @param {number} column
 * @param {number} side of the input, pixels
 * @returns {{left: number, top: number, right: number, bottom: number, clipped: boolean}} in pixels
 *   of the input, right and bottom outside; clipped where the field reaches into the padding
 */
export function receptiveBox(field, row, column, side) {
  if (!field) return { left: 0, top: 0, right: side, bottom: side, clipped: false };
  const [top, left] = [row, column].map((at, axis) => field.offset[axis] + at * field.stride[axis]);
  const [bottom, right] = [top + field.size[0], left + field.size[1]];
  const inside = (edge) => Math.min(side, Math.max(0, edge));
  return {
    left: inside(left),
    top: inside(top),
    right: inside(right),
    bottom: inside(bottom),
    clipped: left < 0 || top < 0 || right > side || bottom > side,
  };
}
