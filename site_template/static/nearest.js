// The known name that is most like a wanted one. Pure.

/**
 * @param {string} wanted
 * @param {string[]} names at least one
 * @returns {string} the name that shares most with it; of equals the first
 */
export function nearestName(wanted, names) {
  const likenesses = names.map((name) => likeness(wanted.slice(0, 200), name));
  return names[likenesses.indexOf(Math.max(...likenesses))];
}

/** How alike two names are: 1 for the same, 0 where every character has to be edited. */
export function likeness(a, b) {
  return 1 - distance(a, b) / Math.max(a.length, b.length, 1);
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
