// How much of the evidence for a class lies on the subject. Pure.

/**
 * @param {{values: number[], width: number, height: number}} evidence Evidence of the index
 * @param {number[]} crop left, top, right, bottom of what the network sees, in pixels of the photo
 * @param {number[]} box the subject, likewise
 * @returns {{evidence: number, area: number}} the share of what adds to the score that falls into
 *   the box, and the share of the picture that the box covers; each position of the map stands for
 *   its cell of the picture
 */
export function shareInside({ values, width, height }, crop, box) {
  const [left, top, right, bottom] = crop;
  const cell = { width: (right - left) / width, height: (bottom - top) / height };
  const within = (from, to, low, high) => Math.max(0, Math.min(to, high) - Math.max(from, low)) / (to - from);
  let [inside, all, area] = [0, 0, 0];
  values.forEach((value, i) => {
    const x = left + (i % width) * cell.width;
    const y = top + Math.floor(i / width) * cell.height;
    const covered = within(x, x + cell.width, box[0], box[2]) * within(y, y + cell.height, box[1], box[3]);
    area += covered / values.length;
    inside += Math.max(0, value) * covered;
    all += Math.max(0, value);
  });
  return { evidence: all > 0 ? inside / all : 0, area };
}
