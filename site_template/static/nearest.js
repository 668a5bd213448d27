// The known name that is most like a wanted one. Pure.

/**
 * @param {string} wanted
 * @param {string[]} names at least one
 * @returns {string} the name with the fewest edits; of equals the first
 */
export function nearestName(wanted, names) {
  let best = names[0];
  let fewest = Infinity;
  for (const name of names) {
    const edits = distance(wanted.slice(0, 200), name);
    if (edits < fewest) [best, fewest] = [name, edits];
  }
  return best;
}

/** Levenshtein's distance: insertions, deletions and replacements of one character. */
export function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
