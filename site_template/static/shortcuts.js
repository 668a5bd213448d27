// Which key does what. Pure.

/** Each key's command: a name and how far to go. The page lists them, with those of its parts. */
export const COMMANDS = {
  "[": ["layer", -1],
  "]": ["layer", 1],
  ",": ["channel", -1],
  ".": ["channel", 1],
  p: ["photo", -1],
  n: ["photo", 1],
  v: ["view", 1],
  s: ["scale", 1],
  o: ["overlay", 1],
  e: ["evidence", 1],
  r: ["random", 1],
  "/": ["jump", 1],
  g: ["projector", 1],
  "?": ["help", 1],
};

/**
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} event
 * @param {boolean} typing whether the focus is where letters are typed
 * @returns {[string, number]|null} the command of a key
 */
export function commandOf({ key, ctrlKey, metaKey, altKey }, typing) {
  return (!typing && !ctrlKey && !metaKey && !altKey && COMMANDS[key]) || null;
}

/** The neighbour of `current` in a list, `by` places on; held at the ends unless `around`. */
export function neighbour(list, current, by, around = false) {
  const at = list.indexOf(current) + by;
  if (around) return list[(at + list.length) % list.length];
  return list[Math.min(list.length - 1, Math.max(0, at))];
}
