// Which key does what. Pure.

/** Keys, what they do, and in words. A command is a name and how far to go. */
export const SHORTCUTS = [
  { keys: ["[", "]"], commands: [["layer", -1], ["layer", 1]], says: "the layer before, the next layer" },
  { keys: [",", "."], commands: [["channel", -1], ["channel", 1]], says: "the channel before, the next channel, in the order of the grid" },
  { keys: ["p", "n"], commands: [["photo", -1], ["photo", 1]], says: "the photo before, the next photo, with the same view" },
  { keys: ["v"], commands: [["view", 1]], says: "the next view" },
  { keys: ["s"], commands: [["scale", 1]], says: "the next scale" },
  { keys: ["o"], commands: [["overlay", 1]], says: "the map over the photo, and alone again" },
  { keys: ["e"], commands: [["evidence", 1]], says: "the evidence for the first answer, and none again" },
  { keys: ["r"], commands: [["random", 1]], says: "a channel at random" },
  { keys: ["/"], commands: [["jump", 1]], says: "type where to go" },
  { keys: ["g"], commands: [["projector", 1]], says: "large type for a projector, and back" },
  { keys: ["?"], commands: [["help", 1]], says: "this list" },
];

/** Keys that belong to the part that has the focus; for the list only. */
export const WITHIN = [
  { keys: ["← → ↑ ↓"], says: "in the map: move the cursor; in the grid: choose a channel" },
  { keys: ["Home", "End"], says: "in the grid: the first and the last channel" },
  { keys: ["+", "−", "0"], says: "in the map: larger, smaller, whole; Ctrl and the wheel zoom too, and a drag moves it" },
];

/**
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} event
 * @param {boolean} typing whether the focus is where letters are typed
 * @returns {[string, number]|null} the command of a key
 */
export function commandOf({ key, ctrlKey, metaKey, altKey }, typing) {
  if (typing || ctrlKey || metaKey || altKey) return null;
  for (const { keys, commands } of SHORTCUTS) {
    const at = keys.indexOf(key);
    if (at >= 0) return commands[at];
  }
  return null;
}

/** The neighbour of `current` in a list, `by` places on; held at the ends unless `around`. */
export function neighbour(list, current, by, around = false) {
  const at = list.indexOf(current) + by;
  if (around) return list[(at + list.length) % list.length];
  return list[Math.min(list.length - 1, Math.max(0, at))];
}
